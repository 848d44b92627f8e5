// Package collapse tells what happens when many ask the real program for one
// thing at the same time: who asks the origin, who waits, who gets what, and
// what becomes of those who wait when somebody leaves, fails or is slow.
//
// The origin answers when a story says so, byte by byte, so that nothing here
// depends on how fast anybody is: who waits for whom is read from the
// program's own metrics.
//
// After every step of every story the checker holds each answer against what
// the origin gave for that very zone, target and variant, and asks every
// other zone for the same targets; nothing is ever passed off as longer or
// shorter than it was. After every story nobody waits and no goroutine is left.
//
// With SEAWALL_PROOF=full the crowds are of a thousand. SEAWALL_BINARY names
// a program to use instead of building one.
package collapse
