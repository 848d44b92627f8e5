package spec

import (
	"iter"
	"strings"
)

// ConditionSpec says which requests a rule is about. All that is set has to
// hold; of a list, one entry. Nothing set holds for every request.
//
// Texts are patterns: the text itself, one with stars (/assets/*), or an RE2
// expression after a tilde (~^/v[0-9]+/). "@name" stands for what is in the
// zone's list of that name.
//
// What is not known where a rule is asked (the status before there is an
// answer, a country without a file of countries) makes neither a condition
// nor its opposite hold: the rule is passed over.
type ConditionSpec struct {
	// Host is the host asked for, in lower case and without a port.
	Host []string `yaml:"host,omitempty" json:"host,omitempty"`

	// Path is the path, decoded, with dot segments resolved and doubled
	// slashes joined: /assets/*.
	Path []string `yaml:"path,omitempty" json:"path,omitempty"`

	// RawPath is the path as it goes to the origin, with its escapes.
	RawPath []string `yaml:"raw_path,omitempty" json:"raw_path,omitempty"`

	// Extension is what follows the last dot of the path's last segment, in
	// lower case: css.
	Extension []string `yaml:"extension,omitempty" json:"extension,omitempty"`

	// Query is a field of the query and its decoded value: page=*, or debug
	// for any value.
	Query []string `yaml:"query,omitempty" json:"query,omitempty"`

	// Header is a field of the request: "User-Agent: *bot*". Its value matches
	// in either case.
	Header []string `yaml:"header,omitempty" json:"header,omitempty"`

	// Cookie is a cookie and its value: session=*, or session.
	Cookie []string `yaml:"cookie,omitempty" json:"cookie,omitempty"`

	// Method is a method, such as POST.
	Method []string `yaml:"method,omitempty" json:"method,omitempty"`

	// Scheme is http or https.
	Scheme []string `yaml:"scheme,omitempty" json:"scheme,omitempty"`

	// Protocol is HTTP/1.0, HTTP/1.1, HTTP/2.0 or HTTP/3.0.
	Protocol []string `yaml:"protocol,omitempty" json:"protocol,omitempty"`

	// Address is the visitor's: an address or a prefix.
	Address []string `yaml:"address,omitempty" json:"address,omitempty"`

	// Country is the visitor's, two letters (ISO 3166-1): DE.
	Country []string `yaml:"country,omitempty" json:"country,omitempty"`

	// Network is the number of the visitor's network: AS64500.
	Network []string `yaml:"network,omitempty" json:"network,omitempty"`

	// TLS is what the handshake has told.
	TLS TLSConditionSpec `yaml:"tls,omitempty" json:"tls,omitzero"`

	// After and Before are moments (RFC 3339) between which it holds.
	After  Time `yaml:"after,omitempty" json:"after,omitzero"`
	Before Time `yaml:"before,omitempty" json:"before,omitzero"`

	// Hours is a time of day, of days of the week, in UTC: "22:00-06:00" or
	// "mon-fri 08:00-18:00".
	Hours []string `yaml:"hours,omitempty" json:"hours,omitempty"`

	// Status is the answer's: 404, 5xx, 500-599. It is known to rules about
	// answers alone.
	Status []Status `yaml:"status,omitempty" json:"status,omitempty"`

	// Not holds if none of these does.
	Not []ConditionSpec `yaml:"not,omitempty" json:"not,omitempty"`

	// Any holds if one of these does.
	Any []ConditionSpec `yaml:"any,omitempty" json:"any,omitempty"`

	// All holds if each of these does.
	All []ConditionSpec `yaml:"all,omitempty" json:"all,omitempty"`
}

// TLSConditionSpec is about the connection. On a plain one, and where there is
// no client certificate that is believed, nothing of it holds.
type TLSConditionSpec struct {
	// Version is 1.2 or 1.3.
	Version []string `yaml:"version,omitempty" json:"version,omitempty"`

	// JA4 is the fingerprint of the visitor's program: t13d*_8daaf6152771_*.
	JA4 []string `yaml:"ja4,omitempty" json:"ja4,omitempty"`

	// Subject and Issuer are names in the client certificate (RFC 4514):
	// "CN=alice,*". A star stands for any.
	Subject []string `yaml:"subject,omitempty" json:"subject,omitempty"`
	Issuer  []string `yaml:"issuer,omitempty" json:"issuer,omitempty"`

	// Name is one of its alternative names: alice@example.com.
	Name []string `yaml:"name,omitempty" json:"name,omitempty"`

	// Fingerprint is the SHA-256 of it, in lower-case hex.
	Fingerprint []string `yaml:"fingerprint,omitempty" json:"fingerprint,omitempty"`
}

// ListSpec is a list that conditions name: "@name".
type ListSpec struct {
	// Name is letters, digits, - and _.
	Name string `yaml:"name" json:"name"`

	// Entries are exact texts, or addresses and prefixes, as the fact that is
	// compared with them needs. Default: none.
	Entries []string `yaml:"entries,omitempty" json:"entries,omitempty"`

	// File has further ones, one on each line; what follows a # is a remark.
	// Its path begins at the configuration's folder. Default: none.
	File string `yaml:"file,omitempty" json:"file,omitempty"`

	// Text is what is in File. Whoever reads the configuration fills it in.
	Text string `yaml:"-" json:"text,omitempty"`
}

// All yields the entries, those of the file after the others: with each the
// number of its line in the file, or its place in Entries below zero (-1 is
// the first).
func (l ListSpec) All() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, entry := range l.Entries {
			if !yield(-1-i, entry) {
				return
			}
		}
		remarked(l.Text)(yield)
	}
}

// remarked yields the lines of a text that are not empty, with their numbers
// and without remarks: what follows a # at the beginning or after white space.
func remarked(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			for i := strings.IndexByte(line, '#'); i >= 0; {
				if i == 0 || line[i-1] == ' ' || line[i-1] == '\t' {
					line = line[:i]
					break
				}
				next := strings.IndexByte(line[i+1:], '#')
				if next < 0 {
					break
				}
				i += 1 + next
			}
			if line = strings.TrimSpace(line); line != "" && !yield(number, line) {
				return
			}
		}
	}
}
