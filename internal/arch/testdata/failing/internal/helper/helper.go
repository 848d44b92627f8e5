// Package helper helps tests.
package helper

import "testing"

// Want fails.
func Want(t testing.TB, ok bool) {
	t.Helper()
	if !ok {
		fail(t)
	}
}

func fail(t testing.TB) { t.FailNow() }

// Log does not.
func Log(t testing.TB) { t.Log("fine") }

// Server keeps a testing value.
type Server struct{ t testing.TB }

// New does not fail.
func New(t testing.TB) *Server { return &Server{t} }

// Get fails.
func (s *Server) Get() { s.t.Fatal("no") }
