package hostile_test

import (
	"io"
	"strings"
)

// endingRows are about answers that are longer or shorter than they say
// (RFC 9112, 8 and 9.2). everyByte has the ends at every place.
var endingRows = []row{
	right("bytes behind the body", "9112 6.3", five+poison, 200, "hello").spoils(),
	right("bytes behind the body, later", "9112 9.2", five, 200, "hello").later(poison, stay).spoils(),
	right("one byte behind the body", "9112 6.3", five+"!", 200, "hello").spoils(),
	right("one byte behind the body, later", "9112 9.2", five, 200, "hello").later("H", stay).spoils(),
	right("NUL behind the body", "9112 6.3", five+"\x00", 200, "hello").spoils(),
	right("an empty line behind the body", "9112 9.2", five+"\r\n", 200, "hello"), // it may be dropped
	right("an empty line behind the body, later", "9112 9.2", five, 200, "hello").later("\r\n", stay),
	right("another answer behind the body", "9112 9.2", five+smuggled, 200, "hello").spoils(),
	right("another answer behind the body, later", "9112 9.2", five, 200, "hello").later(smuggled, stay).spoils(),
	right("half of another answer behind the body", "9112 9.2", five+smuggled[:20], 200, "hello").spoils(),
	right("a hundred answers behind the body", "9112 9.2", five+strings.Repeat(smuggled, 100), 200, "hello").spoils(),
	right("another answer behind no body", "9112 9.2", ok+"Content-Length: 0\r\n\r\n"+smuggled, 200, "").spoils(),
	right("bytes behind chunks", "9112 7.1", chunked+"2\r\nhi\r\n0\r\n\r\n"+poison, 200, "hi").spoils(),
	right("another last chunk behind chunks", "9112 7.1", chunked+"2\r\nhi\r\n0\r\n\r\n0\r\n\r\n", 200, "hi").spoils(),
	right("another answer behind chunks", "9112 9.2", chunked+"2\r\nhi\r\n0\r\n\r\n"+smuggled, 200, "hi").spoils(),
	right("another answer behind chunks, later", "9112 9.2", chunked+"2\r\nhi\r\n0\r\n\r\n", 200, "hi").later(smuggled, stay).spoils(),
	right("another answer behind trailers", "9112 9.2", chunked+"2\r\nhi\r\n0\r\nX-A: b\r\n\r\n"+smuggled, 200, "hi").spoils(),
	right("bytes behind a body that passed on while it came", "9112 6.3", ok+"Content-Length: 5\r\n\r\nhe"+pause+"llo"+smuggled, 200, "hello").spoils(),
	right("bytes behind an HTTP/1.0 answer", "9112 9.3", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"+smuggled, 200, "hello").spoils(),
	right("bytes behind an announced end", "9112 9.6", ok+"Connection: close\r\nContent-Length: 5\r\n\r\nhello"+smuggled, 200, "hello").spoils(),
	right("many bytes behind the body", "9112 6.3", five+strings.Repeat("poison ", 9000), 200, "hello").spoils(),
	right("many bytes behind chunks", "9112 6.3", chunked+"2\r\nhi\r\n0\r\n\r\n"+strings.Repeat("poison ", 9000), 200, "hi").spoils(),

	refused("closed before anything", "9110 15.6.3", "").ending(shut),
	refused("closed both ways before anything", "9110 15.6.3", "").ending(leave),
	refused("reset before anything", "9110 15.6.3", "").ending(reset),
	refused("closed in the status line", "9112 8", "HTTP/1.1 200").ending(shut),
	refused("closed behind the status line", "9112 8", "HTTP/1.1 200 OK\r\n").ending(shut),
	refused("closed in a field", "9112 8", ok+"Content-Le").ending(shut),
	refused("closed before the empty line", "9112 8", ok+"Content-Length: 6\r\n").ending(shut),
	refused("closed both ways before the empty line", "9112 8", ok+"Content-Length: 6\r\n").ending(leave),
	broken("shorter than said", "9112 8", ok+"Content-Length: 6\r\n\r\nhello", "hello").ending(shut),
	broken("shorter than said, both ways", "9112 8", ok+"Content-Length: 6\r\n\r\nhello", "hello").ending(leave),
	broken("nothing where something was said", "9112 8", ok+"Content-Length: 6\r\n\r\n"+pause, "").ending(shut),
	broken("shorter than said, and reset", "9112 8", ok+"Content-Length: 6\r\n\r\nhello"+pause, "hello").ending(reset),
	broken("no length, and reset", "9112 8", closed+"hello"+pause, "hello").ending(reset),
	broken("no length, nothing, and reset", "9112 8", closed+pause, "").ending(reset),
	broken("HTTP/1.0, no length, and reset", "9112 8", "HTTP/1.0 200 OK\r\n\r\nhello"+pause, "hello").ending(reset),

	right("byte by byte", "9112 6.3", "", 200, "hello").instead(byBytes(five)),
	right("byte by byte, chunked, with trailers", "9112 7.1", "", 200, "hello, world").instead(byBytes(chunked + "5;a=\"b\"\r\nhello\r\n7\r\n, world\r\n0\r\nX-A: b\r\n\r\n")),
	right("byte by byte behind interim answers", "9110 15.2", "", 200, "hello").instead(byBytes(early+goAhead+five)).mayShow(103, 100),
	right("byte by byte up to the end", "9112 6.3", "", 200, "hello").instead(func(l *link, body io.Reader) {
		byBytes("HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello")(l, body)
		l.end(shut)
	}).spoils(),
	right("byte by byte, no body", "9112 6.3", "", 204, "").instead(byBytes(noBody + "\r\n")),
	right("in halves, the first at once", "9112 6.3", ok+"Content-Length: 5\r\n\r\nhe"+pause+"llo", 200, "hello"),
	right("in halves, the body later", "9112 6.3", ok+"Content-Length: 5\r\n\r\n"+pause+"hello", 200, "hello"),
	right("in halves, chunked", "9112 7.1", chunked+"5\r\nhe"+pause+"llo\r\n0\r\n\r\n", 200, "hello"),
}

// byBytes sends each byte by itself.
func byBytes(text string) func(*link, io.Reader) {
	return func(l *link, _ io.Reader) {
		for i := range len(text) {
			if !l.say(text[i : i+1]) {
				return
			}
		}
	}
}

// silentRows are about origins that fall silent. Where an answer has begun,
// what is there must not look complete.
var silentRows = []row{
	slowly("before anything", ""),
	slowly("in the version", "HTT"),
	slowly("in the status line", "HTTP/1.1 20"),
	slowly("behind the status line", "HTTP/1.1 200 OK\r\n"),
	slowly("in a field's name", ok+"Content-Le"),
	slowly("in a field's value", ok+"X-A: poi"),
	slowly("between CR and LF", ok+"X-A: b\r"),
	slowly("before the empty line", ok+"Content-Length: 5\r\n"),
	slowly("in the empty line", ok+"Content-Length: 5\r\n\r"),
	slowly("behind an interim answer", early).mayShow(103),
	slowly("in an interim answer", "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n").mayShow(103),
	slowly("before anything, asked for HEAD", "").asking(head),
	slowly("before anything, behind an upload", "").asking(short),
	slowly("instead of taking an upload", "").asking(long).instead(func(l *link, _ io.Reader) { l.hold() }),
	stalled("behind the head", ok+"Content-Length: 5\r\n\r\n", ""),
	stalled("in a body", ok+"Content-Length: 6\r\n\r\nhello", "hello"),
	stalled("behind the head of chunks", chunked, ""),
	stalled("in a chunk's size", chunked+"5", ""),
	stalled("behind a chunk's size", chunked+"5\r\n", ""),
	stalled("in a chunk's data", chunked+"6\r\nhello", "hello"),
	stalled("behind a chunk's data", chunked+"5\r\nhello", "hello"),
	stalled("before the last chunk", chunked+"5\r\nhello\r\n", "hello"),
	stalled("in the last chunk", chunked+"5\r\nhello\r\n0", "hello"),
	stalled("behind the last chunk", chunked+"5\r\nhello\r\n0\r\n", "hello"),
	stalled("in a trailer", chunked+"5\r\nhello\r\n0\r\nX-A: b", "hello"),
	stalled("in the last empty line", chunked+"5\r\nhello\r\n0\r\n\r", "hello"),
	stalled("before the end that tells the length", closed+"hello", "hello"),
	stalled("in the body of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
}

// unaskedRows are about origins that speak when nobody has asked them
// (RFC 9112, 9.2, last paragraph).
var unaskedRows = []row{
	// What came before the request and what came just behind it cannot be told
	// apart for certain; but one answer at most is anybody's.
	right("an answer at once", "9112 9.2", "HTTP/1.1 200 OK"+rest, 200, "hello").greets(five).orRefused().spoils(),
	right("half an answer at once", "9112 9.2", "HTTP/1.1 200 OK"+fine, 200, "hello").greets("HTTP/1.1 200 OK\r\nX-A: ").orRefused(),
	refused("junk at once", "9112 4", "HTTP/1.1 200 OK"+rest).greets("220 mail.test ESMTP\r\n"),
	right("a timeout on an idle connection", "9110 15.5.9", five, 200, "hello").later("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", shut).spoils(),
	right("an error on an idle connection, and it closes", "9110 15.5.9", five, 200, "hello").later("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"+poison, leave).spoils(),
	right("an interim answer on an idle connection", "9112 9.2", five, 200, "hello").later(early, stay).spoils(),
	right("a chunk on an idle connection", "9112 9.2", chunked+"2\r\nhi\r\n0\r\n\r\n", 200, "hi").later("5\r\nhello\r\n", stay).spoils(),
	right("an idle connection ends", "9112 9.3", five, 200, "hello").later("", shut).spoils(),
	right("an idle connection ends both ways", "9112 9.3", five, 200, "hello").later("", leave).spoils(),
	right("an idle connection is reset", "9112 9.3", five, 200, "hello").later("", reset).spoils(),
	right("much on an idle connection", "9112 9.2", five, 200, "hello").later(strings.Repeat(smuggled, 200), stay).spoils(),
}
