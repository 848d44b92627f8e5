package hostile_test

import "strings"

const (
	early    = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	goAhead  = "HTTP/1.1 100 Continue\r\n\r\n"
	noBody   = "HTTP/1.1 204 No Content\r\n"
	resetMe  = "HTTP/1.1 205 Reset Content\r\n"
	notNew   = "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n"
	switches = "HTTP/1.1 101 Switching Protocols\r\n"
)

var (
	head      = request{method: "HEAD"}
	condition = request{fields: "If-None-Match: \"a\"\r\n"}
	upgrade   = request{fields: "Connection: Upgrade\r\nUpgrade: lines\r\n"}
)

// interimRows are about 1xx answers (RFC 9110, 15.2).
var interimRows = []row{
	right("100 unasked", "9110 15.2.1", goAhead+five, 200, "hello").mayShow(100),
	right("100 three times unasked", "9110 15.2.1", goAhead+goAhead+goAhead+five, 200, "hello").mayShow(100),
	right("102", "9110 15.2", "HTTP/1.1 102 Processing\r\n\r\n"+five, 200, "hello").mayShow(102),
	right("103", "9110 15.2", early+five, 200, "hello").mayShow(103),
	right("199, which nobody knows", "9110 15.2", "HTTP/1.1 199 Hm\r\n\r\n"+five, 200, "hello").mayShow(199),
	right("100 by an HTTP/1.0 origin", "9110 15.2", "HTTP/1.0 100 Continue\r\n\r\n"+five, 200, "hello").mayShow(100).orRefused(),
	right("a length", "9112 6.3", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"+five, 200, "hello").mayShow(103).orRefused(),
	right("a coding", "9112 6.3", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n"+five, 200, "hello").mayShow(103).orRefused(),
	right("a length that is none", "9112 6.3", "HTTP/1.1 103 Early Hints\r\nContent-Length: x\r\n\r\n"+five, 200, "hello").mayShow(103).orRefused(),
	right("Connection: close", "9112 9.6", "HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n"+five, 200, "hello").mayShow(103).orRefused(),
	refused("a body", "9112 6.3", "HTTP/1.1 103 Early Hints\r\nContent-Length: 6\r\n\r\npoison"+five).mayShow(103),
	refused("a chunked body", "9112 6.3", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n"+five).mayShow(103),
	refused("malformed", "9112 5", "HTTP/1.1 103 Early Hints\r\n: poison\r\n\r\n"+five),
	refused("malformed behind a good one", "9112 5", early+"HTTP/1.1 103 Early Hints\r\n: poison\r\n\r\n"+five).mayShow(103),
	refused("and nothing else", "9110 15.2", early).ending(shut).mayShow(103),
	refused("and half a head", "9112 8", early+"HTTP/1.1 200 OK\r\nX-A: poi").ending(shut).mayShow(103),
	refused("and a reset", "9110 15.2", early).ending(reset).mayShow(103),
	refused("without end", "9110 15.2", "").instead(endlessly("", early)).mayShow(103),
	refused("100 without end", "9110 15.2.1", "").instead(endlessly("", goAhead)).mayShow(100),
	refused("large ones without end", "9110 15.2", "").instead(endlessly("", "HTTP/1.1 103 Early Hints\r\nX-A: "+strings.Repeat("b", 20000)+"\r\n\r\n")).mayShow(103),
	right("behind the final one", "9112 9.2", five+early, 200, "hello").spoils(),
	right("100 behind the final one, later", "9112 9.2", five, 200, "hello").later(goAhead, stay).spoils(),
}

// bodilessRows are about answers that end with their head whatever it says
// (RFC 9112, 6.3, item 1). Bytes that come all the same belong to nobody.
var bodilessRows = []row{
	right("HEAD", "9110 9.3.2", ok+"Content-Length: 6\r\n\r\n", 200, "").asking(head),
	right("HEAD and a body", "9112 6.3", ok+"Content-Length: 6\r\n\r\npoison", 200, "").asking(head).spoils(),
	right("HEAD and a body, later", "9112 6.3", ok+"Content-Length: 6\r\n\r\n", 200, "").asking(head).later("poison", stay).spoils(),
	right("HEAD and an answer for a body", "9112 6.3", ok+"Content-Length: 44\r\n\r\n"+smuggled, 200, "").asking(head).spoils(),
	right("HEAD and an answer for a body, later", "9112 6.3", ok+"Content-Length: 44\r\n\r\n", 200, "").asking(head).later(smuggled, stay).spoils(),
	right("HEAD and chunks that are only promised", "9112 6.1", chunked, 200, "").asking(head),
	right("HEAD and chunks", "9112 6.3", chunked+"6\r\npoison\r\n0\r\n\r\n", 200, "").asking(head).spoils(),
	right("HEAD and the end of chunks", "9112 6.3", chunked+"0\r\n\r\n", 200, "").asking(head).spoils(),
	right("HEAD and neither length nor coding", "9112 6.3", ok+"\r\n", 200, "").asking(head),
	right("HEAD and a body up to the end", "9112 6.3", closed+"poison", 200, "").asking(head).ending(shut).spoils(),
	right("HEAD and a body without end", "9112 6.3", "", 200, "").asking(head).instead(endlessly(closed, strings.Repeat("poison ", 100))).spoils(),
	right("HEAD and two lengths", "9112 6.3", ok+"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 200, "").asking(head).orRefused(),
	right("HEAD and a huge length", "9112 6.3", ok+"Content-Length: 999999999999999999\r\n\r\n", 200, "").asking(head),
	refused("HEAD and no status line", "9112 4", poison).asking(head).ending(shut),
	right("HEAD and 404 with a body", "9112 6.3", "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\npoison", 404, "").asking(head).spoils(),

	right("204", "9112 6.3", noBody+"\r\n", 204, ""),
	right("204 and a length", "9112 6.3", noBody+"Content-Length: 6\r\n\r\n", 204, "").orRefused(),
	right("204 and a length of nought", "9110 8.6", noBody+"Content-Length: 0\r\n\r\n", 204, "").orRefused(),
	right("204 and a body", "9112 6.3", noBody+"Content-Length: 6\r\n\r\npoison", 204, "").orRefused().spoils(),
	right("204 and a body, later", "9112 6.3", noBody+"Content-Length: 6\r\n\r\n", 204, "").orRefused().later("poison", stay).spoils(),
	right("204 and a body without a length", "9112 6.3", noBody+"\r\npoison", 204, "").ending(shut).spoils(),
	right("204 and a coding", "9112 6.1", noBody+"Transfer-Encoding: chunked\r\n\r\n", 204, "").orRefused(),
	right("204 and chunks", "9112 6.1", noBody+"Transfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n", 204, "").orRefused().spoils(),
	right("204 and an empty chunked body", "9112 6.1", noBody+"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204, "").orRefused().spoils(),
	right("204 and an empty chunked body, later", "9112 6.1", noBody+"Transfer-Encoding: chunked\r\n\r\n", 204, "").orRefused().later("0\r\n\r\n", stay).spoils(),
	right("204 and an answer", "9112 6.3", noBody+"\r\n"+smuggled, 204, "").spoils(),
	right("204 and an answer, later", "9112 6.3", noBody+"\r\n", 204, "").later(smuggled, stay).spoils(),

	right("205", "9110 15.3.6", resetMe+"Content-Length: 0\r\n\r\n", 205, ""),
	right("205 and no chunks", "9110 15.3.6", resetMe+"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 205, ""),
	right("205 and a body", "9110 15.3.6", resetMe+"Content-Length: 5\r\n\r\nhello", 205, "hello").orRefused(),
	right("205 and chunks", "9110 15.3.6", resetMe+"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 205, "hi").orRefused(),
	right("205 up to the end", "9110 15.3.6", resetMe+"Connection: close\r\n\r\n", 205, "").ending(shut).spoils(),
	right("205 and bytes", "9112 6.3", resetMe+"Content-Length: 0\r\n\r\n"+poison, 205, "").spoils(),

	right("304", "9112 6.3", notNew+"\r\n", 304, "").asking(condition),
	right("304 unasked", "9112 6.3", notNew+"\r\n", 304, "").orRefused(),
	right("304 and the page's length", "9110 8.6", notNew+"Content-Length: 6\r\n\r\n", 304, "").asking(condition),
	right("304 and a body", "9112 6.3", notNew+"Content-Length: 6\r\n\r\npoison", 304, "").asking(condition).spoils(),
	right("304 and a body, later", "9112 6.3", notNew+"Content-Length: 6\r\n\r\n", 304, "").asking(condition).later("poison", stay).spoils(),
	right("304 and a coding", "9112 6.1", notNew+"Transfer-Encoding: chunked\r\n\r\n", 304, "").asking(condition),
	right("304 and chunks", "9112 6.3", notNew+"Transfer-Encoding: chunked\r\n\r\n6\r\npoison\r\n0\r\n\r\n", 304, "").asking(condition).spoils(),
	right("304 and an answer", "9112 6.3", notNew+"\r\n"+smuggled, 304, "").asking(condition).spoils(),
	right("304 and a body up to the end", "9112 6.3", notNew+"Connection: close\r\n\r\npoison", 304, "").asking(condition).ending(shut).spoils(),
}

// switchRows are about 101 where it may not be: a server switches to what the
// client has offered, or to nothing (RFC 9110, 7.8).
var switchRows = []row{
	refused("unasked", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: lines\r\n\r\n"+poison),
	refused("unasked and bare", "9110 7.8", switches+"\r\n"),
	refused("unasked, and an answer", "9110 7.8", switches+"\r\n"+five),
	refused("unasked, and the end", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: lines\r\n\r\n").ending(shut),
	refused("for an upload", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: lines\r\n\r\n").asking(request{method: "POST", body: 40}),
	refused("by HTTP/1.0", "9110 7.8", "HTTP/1.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n"),
	refused("to what was not offered", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: poison\r\n\r\n").asking(upgrade),
	refused("to cleartext HTTP/2", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n").asking(upgrade),
	refused("to what was offered and to something else", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: lines, poison\r\n\r\n").asking(upgrade),
	refused("to a name that begins like it", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: linesman\r\n\r\n").asking(upgrade),
	refused("to nothing", "9110 7.8", switches+"Connection: Upgrade\r\n\r\n").asking(upgrade),
	refused("to an empty name", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade:\r\n\r\n").asking(upgrade),
	refused("without saying so in Connection", "9110 7.8", switches+"Upgrade: lines\r\n\r\n").asking(upgrade),
	refused("bare", "9110 7.8", switches+"\r\n").asking(upgrade),
	refused("malformed", "9112 5", switches+"Connection: Upgrade\r\nUpgrade lines\r\n\r\n").asking(upgrade),
	refused("cut", "9112 8", switches+"Connection: Upgrade\r\nUpgrade: li").asking(upgrade).ending(shut),
	refused("to a visitor who may not", "9110 7.8", switches+"Connection: Upgrade\r\nUpgrade: lines\r\n\r\n").asking(request{fields: "Upgrade: lines\r\n"}),
	right("an answer instead", "9110 7.8", five, 200, "hello").asking(upgrade),
	right("426, and no offer taken", "9110 15.5.22", "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: lines"+fine, 426, "hello"),
}
