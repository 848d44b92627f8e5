// Package https proves the TLS front door from outside: the real program,
// real handshakes, certificates of its own authority and uploaded ones.
package https
