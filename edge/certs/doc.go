// Package certs is the certificates that the edge shows to visitors.
//
// A handshake names a host and cannot wait: the edge has to know at once
// whether it serves that host, and must not read a hundred thousand files to
// begin its work. So an Index says where the certificate of a name comes from
// (its Source), and a Book loads the few that visitors ask for and renews them
// in time. Keys at rest are sealed with a key that the operator holds; names
// that no public authority certifies have our own Authority; and a session
// ticket opens no other zone than the one it was made for (see Bind).
//
// No error of this package contains a byte of a key.
package certs
