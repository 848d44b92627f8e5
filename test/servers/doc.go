// Package servers tells what visitors of real servers live through: nginx,
// Apache and lighttpd with PHP behind them, an application in Node and one in
// Python, which speaks HTTP/1.0 and then HTTP/1.1.
//
// What such servers do at the edges of the protocol is what nobody writes into
// a stub: they close idle connections just then, answer an upload before it
// has come, end an answer with the connection, die in the middle of one.
//
// Each story is told twice, to the server itself and through the edge, and
// both visitors must have seen the same but for the fields that doc/ladder.md
// says the edge adds or keeps. All servers and the edge run once for the whole
// test binary, as an unprivileged user where the test is root, and end by
// process ID; what they said is shown when something failed. After every story
// the edge has as many goroutines and open files as at first, and to the
// servers no more connections than it had use for.
//
// SEAWALL_BINARY names a program to use instead of building one.
package servers
