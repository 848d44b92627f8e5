// Package rule decides which requests a rule is about.
//
// There is one matcher for everything an owner can say "this, but only for
// that" about: caching, redirects, fields, who is let in. A condition is
// compiled once into tests, the cheap ones first; asking it costs nanoseconds
// and no memory, and it can be asked why it holds.
//
// A fact that is not known makes neither a condition nor its opposite hold
// (Kleene's three values): a rule about strangers from elsewhere must not
// close the site because a file of countries is missing.
package rule

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Facts is what is known of a request, and of its answer if there is one. The
// slices are borrowed.
type Facts struct {
	Host   []byte // lower case, no port
	Path   []byte // decoded, dot segments resolved
	Target []byte // path and query as the origin gets them
	Fields *wire.Fields
	Method []byte
	Secure bool

	Protocol seawall.Protocol
	Address  netip.Addr // zero: not known
	Country  [2]byte    // ISO 3166-1 alpha-2; zero: not known
	Network  uint32     // AS number; 0: not known
	Time     time.Time
	Status   int // of the answer; 0: there is none

	// What the handshake has told, where there was one.
	Version    uint16 // of TLS, as crypto/tls has it
	JA4        []byte
	Credential *seawall.Credential // nil: none was shown that is believed
	Recorded   bool                // the request is one of a log, which knows of this no more than JA4

	// Locate, if there is one, fills in Country and Network when a condition
	// asks for the first time.
	Locate func(*Facts)

	head  uint64 // how Path begins, see guard
	known bool   // head is set
}

// Reset forgets what was known of another request and is not set anew for
// each: place, status, and what was worked out.
func (f *Facts) Reset() {
	f.Country, f.Network, f.Status, f.known = [2]byte{}, 0, 0, false
}

// SetPath changes the path.
func (f *Facts) SetPath(path []byte) { f.Path, f.known = path, false }

func (f *Facts) locate() {
	if f.Locate != nil {
		f.Locate(f)
		f.Locate = nil
	}
}

// truth has three values; the order makes and the least and or the greatest.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func is(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// RawPath returns the path as the origin gets it.
func (f *Facts) RawPath() []byte { return rawPath(f) }

// InCountry returns the visitor's country; zeros where it is not known.
func (f *Facts) InCountry() [2]byte {
	f.locate()
	return f.Country
}

// NetworkName returns the visitor's network as in AS64500; nil where it is
// not known.
func (f *Facts) NetworkName() []byte {
	if f.locate(); f.Network == 0 {
		return nil
	}
	return strconv.AppendUint([]byte("AS"), uint64(f.Network), 10)
}
