package exchange

import (
	"context"

	"github.com/seawall-edge/seawall"
)

// TLS is what a handshake has told about a connection. It does not change
// afterwards, and all requests of the connection share it.
type TLS struct {
	ServerName string // as the visitor sent it; empty when it did not (RFC 6066, 3)
	Version    uint16 // as crypto/tls has it
	Resumed    bool
	JA4        [36]byte // of the visitor's program; zeros where it is not known

	// Asked is the revision of the settings for client certificates that the
	// handshake followed; empty where none was asked for.
	Asked string
	// Credential is what the visitor has shown; nil where it has shown nothing
	// that is believed, and Doubt then says why not.
	Credential *seawall.Credential
	Doubt      string
	// Recorded says that this is made of a log, which knows nothing of Asked
	// and what follows from it.
	Recorded bool
}

type tlsKey struct{}

// WithTLS returns a context for a handshake, for who decides about it to note
// what it sees; TLSFrom finds the place there, nil where there is none.
func WithTLS(ctx context.Context, place *TLS) context.Context {
	return context.WithValue(ctx, tlsKey{}, place)
}

// TLSFrom is the counterpart of WithTLS.
func TLSFrom(ctx context.Context) *TLS {
	place, _ := ctx.Value(tlsKey{}).(*TLS)
	return place
}
