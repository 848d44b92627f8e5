// Package hostile lets an origin do everything to the real program that
// RFC 9112 forbids on the answer side, one thing at a time.
//
// A row of the table says which bytes the origin sends and what it does with
// its connection then, and what a visitor may see of it by the RFC: the right
// answer, an error of the edge, or an answer that no client can take for
// complete; never a mixture and never bytes of another answer. Each row has a
// zone and an origin of its own, which notes what comes over each of its
// connections: after every row the next requests, on the visitor's connection
// and on new ones, must get the answers that are theirs alone, and none may
// come over a connection that the row has spoiled.
//
// All rows meet one process. When they are through, no socket, file or
// goroutine is left in it, its memory is what it was, and it has not panicked.
package hostile
