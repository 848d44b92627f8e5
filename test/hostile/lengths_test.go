package hostile_test

import "strings"

// What rows are made of. That every answer might be stored is part of the
// trap: what was not right must not come back from the cache.
const (
	ok      = "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\n"
	five    = ok + "Content-Length: 5\r\n\r\nhello"
	chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
	closed  = ok + "Connection: close\r\n\r\n"
	bad     = "\r\n\r\n" + poison

	// smuggled is a second answer that nobody has asked for.
	smuggled = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + poison
)

// lengthRows are about Content-Length. A proxy that gets an answer with an
// invalid one must close the connection, discard the answer and send a 502
// (RFC 9112, 6.3, item 5); a list of equal values may be repaired (RFC 9110, 8.6).
var lengthRows = []row{
	refused("two that differ", "9112 6.3", ok+"Content-Length: 6\r\nContent-Length: 5"+bad),
	refused("two that differ, the smaller first", "9112 6.3", ok+"Content-Length: 5\r\nContent-Length: 6"+bad),
	refused("two that differ, apart from each other", "9112 6.3", ok+"Content-Length: 6\r\nX-A: b\r\ncontent-length: 0"+bad),
	refused("three, the last differs", "9112 6.3", ok+"Content-Length: 6\r\nContent-Length: 6\r\nContent-Length: 60"+bad),
	refused("a list that differs", "9112 6.3", ok+"Content-Length: 6, 5"+bad),
	refused("one and an empty one", "9112 6.3", ok+"Content-Length: 6\r\nContent-Length:"+bad),
	refused("one and an unreadable one", "9112 6.3", ok+"Content-Length: 6\r\nContent-Length: six"+bad),
	refused("none behind the name", "9112 6.3", ok+"Content-Length:"+bad),
	refused("a list of nothing", "9112 6.3", ok+"Content-Length: ,"+bad),
	refused("negative", "9110 8.6", ok+"Content-Length: -6"+bad),
	refused("minus zero", "9110 8.6", ok+"Content-Length: -0"+bad),
	refused("with a plus", "9110 8.6", ok+"Content-Length: +6"+bad),
	refused("hexadecimal", "9110 8.6", ok+"Content-Length: 0x6"+bad),
	refused("a hexadecimal digit", "9110 8.6", ok+"Content-Length: 6a"+bad),
	refused("with a decimal point", "9110 8.6", ok+"Content-Length: 6.0"+bad),
	refused("with an exponent", "9110 8.6", ok+"Content-Length: 6e0"+bad),
	refused("with underscores", "9110 8.6", ok+"Content-Length: 0_6"+bad),
	refused("with a parameter", "9110 8.6", ok+"Content-Length: 6;a=b"+bad),
	refused("in quotes", "9110 8.6", ok+"Content-Length: \"6\""+bad),
	refused("in words", "9110 8.6", ok+"Content-Length: six"+bad),
	refused("with a space inside", "9110 8.6", ok+"Content-Length: 6 6"+bad),
	refused("with a tab inside", "9110 8.6", ok+"Content-Length: 6\t6"+bad),
	refused("with a vertical tab before", "9110 5.5", ok+"Content-Length: \v6"+bad),
	refused("with NUL behind", "9110 5.5", ok+"Content-Length: 6\x00"+bad),
	refused("in Arabic digits", "9110 8.6", ok+"Content-Length: ٦"+bad),
	refused("in full-width digits", "9110 8.6", ok+"Content-Length: ６"+bad),
	refused("2 to the 63rd", "9110 8.6", ok+"Content-Length: 9223372036854775808"+bad),
	refused("6 when it wraps at 64 bits", "9110 8.6", ok+"Content-Length: 18446744073709551622"+bad),
	refused("a thousand digits", "9110 8.6", ok+"Content-Length: "+strings.Repeat("9", 1000)+bad),
	broken("6 when it wraps at 32 bits", "9110 8.6", ok+"Content-Length: 4294967302\r\n\r\nhello!", "hello!").ending(shut),
	broken("more than anybody has", "9112 8", ok+"Content-Length: 999999999999999999\r\n\r\nhello", "hello").ending(shut),
	tolerated("the same twice", "9110 8.6", ok+"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
	tolerated("a list of equal ones", "9110 8.6", ok+"Content-Length: 5, 5,5\r\n\r\nhello", 200, "hello"),
	tolerated("a list with an empty element", "9110 5.6.1", ok+"Content-Length: 5,,5\r\n\r\nhello", 200, "hello"),
	tolerated("equal but for zeros in front", "9110 8.6", ok+"Content-Length: 5, 05\r\n\r\nhello", 200, "hello"),
	tolerated("many zeros in front", "9110 8.6", ok+"Content-Length: "+strings.Repeat("0", 40)+"5\r\n\r\nhello", 200, "hello"),
	right("zeros in front", "9110 8.6", ok+"Content-Length: 005\r\n\r\nhello", 200, "hello"),
	right("spaces and tabs around", "9110 5.5", ok+"Content-Length: \t 5 \t\r\n\r\nhello", 200, "hello"),
	right("another case", "9110 5.1", ok+"cOnTeNt-lEnGtH:5\r\n\r\nhello", 200, "hello"),
	right("nought", "9112 6.3", ok+"Content-Length: 0\r\n\r\n", 200, ""),
	right("nought, and bytes", "9112 6.3", ok+"Content-Length: 0\r\n\r\n"+poison, 200, "").spoils(),
	right("an underscore makes another name", "9112 6.3", ok+"Content_Length: 3\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
	right("chunks that are none", "9112 6.3", ok+"Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "5\r\nhe").spoils(),

	// Beside a transfer coding: an error, or the coding counts (RFC 9112, 6.3, item 3).
	tolerated("beside chunks", "9112 6.3", ok+"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	tolerated("behind chunks", "9112 6.3", ok+"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	tolerated("nought beside chunks", "9112 6.3", ok+"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	refused("beside chunks that are none", "9112 6.3", ok+"Content-Length: 6\r\nTransfer-Encoding: chunked"+bad).orCut(""),
	refused("beside an unknown coding", "9112 6.3", ok+"Content-Length: 6\r\nTransfer-Encoding: gzip"+bad),
	refused("unreadable beside chunks", "9112 6.3", ok+"Content-Length: six\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
}

// codingRows are about Transfer-Encoding. The edge asks for none but chunked,
// which it must understand; an origin may not apply others unasked (RFC 9112, 7.4).
var codingRows = []row{
	right("chunked", "9112 7.1", chunked+"2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	right("in another case", "9112 7", ok+"tRANSFER-eNCODING: ChUnKeD\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	right("spaces and tabs around", "9110 5.5", ok+"Transfer-Encoding:\t chunked \t\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	right("its name in Connection", "9110 7.6.1", ok+"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	right("the length's name in Connection", "9110 7.6.1", ok+"Connection: content-length\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
	tolerated("a list with an empty element", "9110 5.6.1", ok+"Transfer-Encoding: , chunked,\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"),
	right("made up by somebody", "9112 6.3", ok+"Transfer-Encoding: mystery\r\n\r\nhello", 200, "hello").ending(shut).spoils(),
	refused("made up, in two fields", "9112 7.4", ok+"Transfer-Encoding: mystery\r\nTransfer-Encoding: riddle"+bad),
	refused("made up, in a list", "9112 7.4", ok+"Transfer-Encoding: mystery, riddle"+bad),
	refused("made up, with a parameter", "9112 7.4", ok+"Transfer-Encoding: mystery;q=1"+bad),
	refused("made up, beside a length", "9112 6.3", ok+"Content-Length: 6\r\nTransfer-Encoding: mystery"+bad),
	refused("gzip alone", "9112 7.4", ok+"Transfer-Encoding: gzip"+bad),
	refused("gzip, then chunked", "9112 7.4", ok+"Transfer-Encoding: gzip, chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("gzip and chunked in two fields", "9112 7.4", ok+"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked is not the last", "9112 6.3", ok+"Transfer-Encoding: chunked, gzip\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked is not the last of two fields", "9112 6.3", ok+"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("identity, which is no more", "9112 7", ok+"Transfer-Encoding: identity"+bad),
	refused("identity, then chunked", "9112 7", ok+"Transfer-Encoding: identity, chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked twice", "9112 6.1", ok+"Transfer-Encoding: chunked, chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked in two fields", "9112 6.1", ok+"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked with a parameter", "9112 7.1", ok+"Transfer-Encoding: chunked;q=1\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked in quotes", "9112 7", ok+"Transfer-Encoding: \"chunked\"\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("misspelled", "9112 7", ok+"Transfer-Encoding: chunkedd\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("misspelled in front", "9112 7", ok+"Transfer-Encoding: xchunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("a no-break space behind", "9112 7", ok+"Transfer-Encoding: chunked\u00a0\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("words with a space between", "9112 7", ok+"Transfer-Encoding: chunked gzip\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("a vertical tab before", "9110 5.5", ok+"Transfer-Encoding: \vchunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("NUL behind", "9110 5.5", ok+"Transfer-Encoding: chunked\x00\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("empty", "9112 6.1", ok+"Transfer-Encoding:"+bad),
	refused("empty beside a length", "9112 6.1", ok+"Transfer-Encoding:\r\nContent-Length: 6"+bad),
	refused("chunked in HTTP/1.0", "9112 6.1", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"),
	refused("chunked beside a length in HTTP/1.0", "9112 6.1", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\npoison"),
}
