package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"slices"
	"sync"
	"time"
)

// TicketKeys are the keys of session tickets, newest first: the first seals
// and all of them unseal (see tls.Config.SetSessionTicketKeys). There is
// always one. Edges that share them resume each other's sessions.
type TicketKeys interface {
	Keys() [][32]byte
}

// So a ticket is good for 24 to 36 hours, and a stolen key opens nothing older.
const (
	keyPeriod = 12 * time.Hour
	keysKept  = 3
)

// RotatingKeys are the TicketKeys of one edge: random, a new one each twelve
// hours, and three of them. It is safe for any number of goroutines.
type RotatingKeys struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	keys [][32]byte
	made time.Time // when the period of the first began
}

// NewRotatingKeys returns keys of which the first period begins now.
func NewRotatingKeys(now func() time.Time) *RotatingKeys {
	return &RotatingKeys{now: now, keys: [][32]byte{randomKey()}, made: now()}
}

// Keys returns the keys of this moment. They rotate when they are asked for:
// nobody asks for the ones that were skipped, but the old ones have to go.
func (r *RotatingKeys) Keys() [][32]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	periods := r.now().Sub(r.made) / keyPeriod // below 1 for a clock that was set back
	for range min(periods, keysKept) {
		r.keys = slices.Insert(r.keys, 0, randomKey())
	}
	r.keys = r.keys[:min(len(r.keys), keysKept)]
	r.made = r.made.Add(max(periods, 0) * keyPeriod)
	return slices.Clone(r.keys)
}

func randomKey() (key [32]byte) {
	rand.Read(key[:])
	return key
}

// ticketLabel marks our entry among those in SessionState.Extra.
var ticketLabel = []byte("seawall ticket context 1\x00")

// Bind makes the session tickets of a configuration good for one context only.
//
// A resumed session checks no client certificate again, and Go lets a ticket
// of one server name open another that shares its keys (CVE-2025-23419 was the
// same in nginx; golang.org/issue/77217): who may enter zone A would be let
// into zone B. So each ticket has the digest of its context inside, and opens
// nothing else. The context of a server name is made by the caller of all that
// a full handshake would have checked: the zone, the least version, the
// revision of its settings for client certificates. An empty context is that
// of an unknown name, for which nothing is ever resumed. Shown says whether the visitor has shown a
// certificate; of a ticket that is offered it is true, so that a context in
// which it counts lets nobody in by a ticket who has shown none.
//
// The keys are those of this very config, set by SetSessionTicketKeys; a clone
// of it goes on using them. Context is called in handshakes by many goroutines.
func Bind(config *tls.Config, context func(serverName string, shown bool) []byte) {
	config.WrapSession = func(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		session.Extra = append(session.Extra, ticketEntry(context(cs.ServerName, len(cs.PeerCertificates) > 0)))
		return config.EncryptTicket(cs, session)
	}
	config.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		// An error would end the connection; declining costs a full handshake.
		current := context(cs.ServerName, true)
		if len(current) == 0 {
			return nil, nil
		}
		session, err := config.DecryptTicket(ticket, cs)
		if err != nil || session == nil || !boundTo(session, ticketEntry(current)) {
			return nil, nil
		}
		return session, nil
	}
}

func ticketEntry(context []byte) []byte {
	digest := sha256.Sum256(context)
	return slices.Concat(ticketLabel, digest[:])
}

// boundTo reports whether our entry in the session is this one.
func boundTo(session *tls.SessionState, entry []byte) bool {
	for _, extra := range session.Extra {
		if bytes.HasPrefix(extra, ticketLabel) {
			return subtle.ConstantTimeCompare(extra, entry) == 1
		}
	}
	return false // made before tickets were bound
}
