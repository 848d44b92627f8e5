package hostile_test

import "io"

// uploadRows are about origins that answer before they have the whole request.
// A proxy passes such an answer on (RFC 9112, 9.5 and RFC 9110, 10.1.1); that
// a reset overtakes it is the lot of whoever writes (RFC 9112, 9.6).
var uploadRows = []row{
	right("answered unread, and it stays open", "9112 9.5", "", 413, "hello").instead(unread(stay)).asking(long),
	right("answered unread, and it closes its side", "9112 9.6", "", 413, "hello").instead(unread(shut)).asking(long).spoils(),
	right("answered unread, and it closes", "9112 9.6", "", 413, "hello").instead(unread(leave)).asking(long).spoils().orRefused(),
	right("answered unread, and it resets", "9112 9.6", "", 413, "hello").instead(unread(reset)).asking(long).spoils().orRefused(),
	// Where the end of the connection is the answer's, a reset is not it (RFC 9112, 8).
	right("answered unread without a length, and it closes its side", "9112 8", "", 413, "hello").instead(unreadToTheEnd(shut)).asking(long).spoils(),
	refused("answered unread without a length, and it resets", "9112 8", "").instead(unreadToTheEnd(reset)).asking(long).orCutAs(413, "hello"),
	refused("answered unread without a length, and it closes", "9112 8", "").instead(unreadToTheEnd(leave)).asking(long).orCutAs(413, "hello"),
	right("answered unread, chunked", "9112 9.5", "", 413, "hello").instead(unread(stay)).asking(longCoded),
	right("answered unread, chunked, and it closes", "9112 9.6", "", 413, "hello").instead(unread(leave)).asking(longCoded).spoils().orRefused(),
	right("answered, then read", "9112 9.5", "", 413, "hello").instead(readLater).asking(long),
	right("answered, then read, chunked", "9112 9.5", "", 413, "hello").instead(readLater).asking(longCoded),
	right("a little is read, then answered", "9112 9.5", "", 413, "hello").instead(readABit).asking(long),
	right("a short one is answered unread", "9112 9.5", "", 413, "hello").instead(unread(stay)).asking(short).orRefused(),
	right("answered twice", "9112 9.2", "", 413, "hello").instead(answerTwice).asking(long).spoils(),
	right("100 unasked, then answered", "9110 15.2.1", goAhead+"HTTP/1.1 413 Too Large"+fine, 413, "hello").asking(long).mayShow(100),
	refused("a reset without an answer", "9110 9.2.2", "").ending(reset).asking(short),
	refused("an end without an answer", "9110 9.2.2", "").ending(shut).asking(short),
	refused("a reset in the middle", "9110 9.2.2", "").instead(func(l *link, body io.Reader) {
		_, _ = io.CopyN(io.Discard, body, 100<<10)
		l.reset()
	}).asking(long),
	refused("no answer at all to a body it reads", "9110 9.2.2", "").ending(shut).asking(long),
	refused("a malformed early answer", "9112 4", "").instead(func(l *link, _ io.Reader) { l.say("HTTP/1.1 4xx Too Large\r\n\r\n") }).asking(long),
	refused("101 for an upload that goes on", "9110 7.8", "").instead(func(l *link, _ io.Reader) { l.say(switches + "\r\n") }).asking(long),
	right("no invitation, but an answer", "9110 10.1.1", "", 417, "hello").instead(func(l *link, _ io.Reader) { l.say("HTTP/1.1 417 No" + fine) }).asking(invited).spoils(),
	right("an invitation, and an answer at once", "9110 10.1.1", "", 413, "hello").instead(func(l *link, _ io.Reader) { l.say(goAhead + "HTTP/1.1 413 Too Large" + fine) }).asking(invited).mayShow(100),
	right("two invitations", "9110 10.1.1", "", 200, "hello").instead(func(l *link, body io.Reader) {
		l.say(goAhead + goAhead)
		_, _ = io.Copy(io.Discard, body)
		l.say(five)
	}).asking(invited).mayShow(100),
	refused("an invitation, and the end", "9110 10.1.1", "").instead(func(l *link, _ io.Reader) {
		l.say(goAhead)
		l.end(shut)
	}).asking(invited).mayShow(100),
}

var (
	short     = request{method: "POST", body: 40}
	long      = request{method: "POST", body: 8 << 20}
	longCoded = request{method: "POST", body: 8 << 20, coded: true}
	invited   = request{method: "POST", body: 40, fields: "Expect: 100-continue\r\n", waits: true}
)

const tooLarge = "HTTP/1.1 413 Too Large" + fine

func unread(e ending) func(*link, io.Reader) {
	return func(l *link, _ io.Reader) {
		l.say(tooLarge + pause)
		l.end(e)
	}
}

// unreadToTheEnd ends with bytes of the upload unread: then close is a reset
// from the first on, and no end comes before it.
func unreadToTheEnd(e ending) func(*link, io.Reader) {
	return func(l *link, _ io.Reader) {
		l.say("HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\nhello" + pause)
		l.waiting()
		l.end(e)
	}
}

func readLater(l *link, body io.Reader) {
	l.say(tooLarge + pause)
	_, _ = io.Copy(io.Discard, body) // the edge may break it off
}

func readABit(l *link, body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, 100<<10)
	l.say(tooLarge + pause)
}

func answerTwice(l *link, body io.Reader) {
	l.say(tooLarge + pause)
	_, _ = io.Copy(io.Discard, body)
	l.say(smuggled)
}
