package hostile_test

import (
	"fmt"
	"strings"
)

// chunkRows are about chunks that are wrong (RFC 9112, 7.1). Whatever is
// wrong behind a chunk that was right must not look like its end.
var chunkRows = []row{
	broken("no chunks at all", "9112 7.1", chunked+"hello", ""),
	broken("no size", "9112 7.1", chunked+"\r\nhello\r\n0\r\n\r\n", ""),
	broken("no size behind a chunk", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"\r\n0\r\n\r\n", "hello"),
	broken("size with a plus", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"+6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("size with a minus", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"-6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("minus zero", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"-0\r\n\r\n", "hello"),
	broken("size with 0x", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"0x6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("size with h", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6h\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("size with an underscore", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"0_6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("size with a decimal point", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6.0\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("size in quotes", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"\"6\"\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("a letter beyond f", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"g\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("space before the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+" 6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("two sizes", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6 6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("NUL in the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6\x00\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("a comma behind the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6,6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("6 when it wraps at 32 bits", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"100000006\r\nhello!\r\n0\r\n\r\n", "hellohello!\r\n0\r\n\r\n").ending(shut),
	broken("6 when it wraps at 64 bits", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"10000000000000006\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("2 to the 63rd", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"8000000000000000\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("all bits set", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"ffffffffffffffff\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("nought when it wraps", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"10000000000000000\r\n\r\n", "hello"),
	broken("a thousand digits", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+strings.Repeat("1", 1000)+"\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("a size without end", "9112 7.1", "", "hello").instead(endlessly(chunked+"5\r\nhello\r\n"+pause, strings.Repeat("0", 1000))),
	broken("bare LF behind the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6\npoison\r\n0\r\n\r\n", "hello"),
	broken("bare CR behind the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6\rpoison\r\n0\r\n\r\n", "hello"),
	broken("CR twice behind the size", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"6\r\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("no line end behind the data", "9112 7.1", chunked+"5\r\nhello"+pause+"6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("bare LF behind the data", "9112 7.1", chunked+"5\r\nhello"+pause+"\n6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("bare CR behind the data", "9112 7.1", chunked+"5\r\nhello"+pause+"\r6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("two bytes that are no line end behind the data", "9112 7.1", chunked+"5\r\nhello"+pause+"XX6\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("more data than the size says", "9112 7.1", chunked+"5\r\nhello poison\r\n0\r\n\r\n", "hello"),
	broken("less data than the size says", "9112 7.1", chunked+"7\r\nhello\r\n0\r\n\r\n", "hello\r\n"),
	broken("the end is eaten as data", "9112 8", chunked+"a\r\nhello\r\n0\r\n\r\n", "hello\r\n0\r\n").ending(shut),
	broken("all from bare LF", "9112 7.1", ok+"Transfer-Encoding: chunked\r\n\r\n6\npoison\n0\n\n", ""),
	broken("bare LF behind the last chunk", "9112 7.1", chunked+"5\r\nhello\r\n"+pause+"0\n\n", "hello"),

	broken("no last chunk", "9112 8", chunked+"5\r\nhello\r\n", "hello").ending(shut),
	broken("a last chunk without its line end", "9112 8", chunked+"5\r\nhello\r\n0", "hello").ending(shut),
	broken("a last chunk with half its line end", "9112 8", chunked+"5\r\nhello\r\n0\r", "hello").ending(shut),
	broken("no empty line at the end", "9112 8", chunked+"5\r\nhello\r\n0\r\n", "hello").ending(shut),
	broken("half an empty line at the end", "9112 8", chunked+"5\r\nhello\r\n0\r\n\r", "hello").ending(shut),
	broken("nothing behind the head", "9112 8", chunked, "").ending(shut),
	broken("no end, and the connection is broken off", "9112 8", chunked+"5\r\nhello\r\n"+pause, "hello").ending(reset),
	broken("another answer instead of the end", "9112 7.1", chunked+"5\r\nhello\r\n"+smuggled, "hello"),

	right("capitals and small letters", "9112 7.1", chunked+"A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", 200, "0123456789abcdefghij"),
	right("zeros in front", "9112 7.1", chunked+"0005\r\nhello\r\n0\r\n\r\n", 200, "hello"),
	right("zeros for the last chunk", "9112 7.1", chunked+"5\r\nhello\r\n0000\r\n\r\n", 200, "hello"),
	right("no data at all", "9112 7.1", chunked+"0\r\n\r\n", 200, ""),
	right("CR and LF as data", "9112 7.1", chunked+"4\r\n\r\n\r\n\r\n7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", 200, "\r\n\r\n0\r\n\r\n\r\n"),
	right("a byte each", "9112 7.1", chunked+strings.Repeat("1\r\nx\r\n", 5000)+"0\r\n\r\n", 200, strings.Repeat("x", 5000)),
	right("extensions", "9112 7.1.1", chunked+"5;a\r\nhello\r\n1;b=c;d=\"e \\\" ; f\"\r\n!\r\n0;last\r\n\r\n", 200, "hello!"),
	right("one that imitates chunks", "9112 7.1.1", chunked+"5;a=\"6;0\"\r\nhello\r\n0\r\n\r\n", 200, "hello"),
	tolerated("40 zeros in front", "9112 7.1", chunked+strings.Repeat("0", 40)+"5\r\nhello\r\n0\r\n\r\n", 200, "hello").orCut(""),
	tolerated("spaces behind the size", "9112 7.1.1", chunked+"5 \t\r\nhello\r\n0\r\n\r\n", 200, "hello").orCut("hello"),
	tolerated("spaces around an extension", "9112 7.1.1", chunked+"5 ; a = b\r\nhello\r\n0\r\n\r\n", 200, "hello").orCut("hello"),
	broken("an extension without a name", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension without a value", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a=\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with a control byte", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a=\x01\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with NUL", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a\x00\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with bare LF", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with bare CR", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a\rb\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with bare LF in quotes", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a=\"\n\"\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension with a line end in quotes", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a=\"\r\n0\r\n\r\n\"\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension whose quotes do not end", "9112 7.1.1", chunked+"5\r\nhello\r\n"+pause+"6;a=\"b\r\npoison\r\n0\r\n\r\n", "hello"),
	broken("an extension without end", "9112 7.1.1", "", "hello").instead(endlessly(chunked+"5\r\nhello\r\n"+pause+"5;", strings.Repeat("a", 1000))),
	broken("extensions without end", "9112 7.1.1", "", strings.Repeat("x", 1<<20)).instead(endlessly(chunked, "1;a="+strings.Repeat("b", 1000)+"\r\nx\r\n")),
	tolerated("a large extension", "9112 7.1.1", chunked+"5;a="+strings.Repeat("b", 100<<10)+"\r\nhello\r\n0\r\n\r\n", 200, "hello").orCut("hello"),
}

// trailerRows are about what stands behind the last chunk (RFC 9112, 7.1.2).
// Fields that frame, route or describe must not be taken from there (RFC 9110,
// 6.5.1); the visitor that reads the answer looks for them.
var trailerRows = []row{
	right("one", "9112 7.1.2", chunked+"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", 200, "hello"),
	right("a length", "9110 6.5.1", chunked+"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", 200, "hello").orCut("hello"),
	right("a coding", "9110 6.5.1", chunked+"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "hello").orCut("hello"),
	right("what describes and what frames", "9110 6.5.1", chunked+"5\r\nhello\r\n0\r\nContent-Type: a/b\r\nHost: evil\r\nSet-Cookie: a=b\r\nTrailer: x\r\n\r\n", 200, "hello").orCut("hello"),
	right("Connection: close does not count", "9110 6.5.1", chunked+"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n", 200, "hello").orCut("hello"),
	right("announced, and not there", "9110 6.6.2", ok+"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "hello"),
	broken("no colon", "9112 5", chunked+"5\r\nhello\r\n0\r\n"+pause+"poison\r\n\r\n", "hello"),
	broken("no name", "9112 5", chunked+"5\r\nhello\r\n0\r\n"+pause+": poison\r\n\r\n", "hello"),
	broken("a space in the name", "9112 5.1", chunked+"5\r\nhello\r\n0\r\n"+pause+"X Y: poison\r\n\r\n", "hello"),
	broken("a status line", "9112 5", chunked+"5\r\nhello\r\n0\r\n"+pause+"HTTP/1.1 200 OK\r\n\r\n", "hello"),
	broken("NUL", "9110 5.5", chunked+"5\r\nhello\r\n0\r\n"+pause+"X-A: poi\x00son\r\n\r\n", "hello"),
	broken("bare CR", "9110 5.5", chunked+"5\r\nhello\r\n0\r\n"+pause+"X-A: b\rX-B: c\r\n\r\n", "hello"),
	broken("cut in a field", "9112 8", chunked+"5\r\nhello\r\n0\r\nX-A: b", "hello").ending(shut),
	broken("cut behind a field", "9112 8", chunked+"5\r\nhello\r\n0\r\nX-A: b\r\n", "hello").ending(shut),
	broken("cut in the empty line", "9112 8", chunked+"5\r\nhello\r\n0\r\nX-A: b\r\n\r", "hello").ending(shut),
	broken("without end", "9112 7.1.2", "", "hello").instead(endlessly(chunked+"5\r\nhello\r\n0\r\n"+pause, "X-A: "+strings.Repeat("b", 1000)+"\r\n")),
	broken("a line without end", "9112 7.1.2", "", "hello").instead(endlessly(chunked+"5\r\nhello\r\n0\r\n"+pause+"X-A: ", strings.Repeat("b", 1000))),
	tolerated("folded", "9112 5.2", chunked+"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n", 200, "hello").orCut("hello"),
	tolerated("bare LF", "9112 2.2", chunked+"5\r\nhello\r\n0\r\nX-A: b\n\r\n", 200, "hello").orCut("hello"),
	tolerated("a space before the colon", "9112 5.1", chunked+"5\r\nhello\r\n0\r\nX-A : b\r\n\r\n", 200, "hello").orCut("hello"),
	tolerated("a large one", "9112 7.1.2", chunked+"5\r\nhello\r\n0\r\nX-A: "+strings.Repeat("b", 100<<10)+"\r\n\r\n", 200, "hello").orCut("hello"),
	tolerated("ten thousand", "9112 7.1.2", chunked+"5\r\nhello\r\n0\r\n"+manyFields(10000)+"\r\n", 200, "hello").orCut("hello"),
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X-%d: b\r\n", i)
	}
	return b.String()
}
