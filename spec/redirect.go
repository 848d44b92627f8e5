package spec

import "iter"

// RedirectsSpec sends visitors elsewhere. What HTTPS, WWW and TrailingSlash
// want is done in one step; then come the rules, then the lists.
type RedirectsSpec struct {
	// HTTPS sends visitors who come by http to https (308). Default: false.
	HTTPS bool `yaml:"https,omitempty" json:"https,omitempty"`

	// WWW is "add", which sends example.com to www.example.com (308), or
	// "remove", which does the opposite. Default: neither.
	WWW string `yaml:"www,omitempty" json:"www,omitempty"`

	// TrailingSlash is "add", which sends /about to /about/ unless the last
	// segment has a dot (308), or "remove", which does the opposite.
	// Default: neither.
	TrailingSlash string `yaml:"trailing_slash,omitempty" json:"trailing_slash,omitempty"`

	// Rules are asked in their order; the first that holds counts. Default: none.
	Rules []RedirectSpec `yaml:"rules,omitempty" json:"rules,omitempty"`

	// Lists are for many addresses. Default: none.
	Lists []RedirectListSpec `yaml:"lists,omitempty" json:"lists,omitempty"`
}

// What RedirectsSpec.WWW and TrailingSlash may say.
const (
	RedirectAdd    = "add"
	RedirectRemove = "remove"
)

// RedirectSpec sends some visitors elsewhere.
type RedirectSpec struct {
	// Name is how `seawall why` calls the rule. Default: its place in the list.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// When says which requests it is about besides From. Default: all.
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// From is a pattern for the path: /old, /blog/* or ~^/post/([0-9]+)$.
	// Default: every path.
	From string `yaml:"from,omitempty" json:"from,omitempty"`

	// To is a path, or an address with http:// or https://. $1 to $9 are what
	// the stars or groups of From stand for, ${name} a named group, ${host}
	// the host that was asked for, ${path} the whole path. Required.
	To string `yaml:"to" json:"to"`

	// Status is 301, 302, 303, 307 or 308. Default: 302, for a 301 that turns
	// out to be wrong stays in browsers.
	Status int `yaml:"status,omitempty" json:"status,omitempty"`

	// DropQuery leaves the query behind. Otherwise it is kept, unless To has
	// one of its own. Default: false.
	DropQuery bool `yaml:"drop_query,omitempty" json:"drop_query,omitempty"`
}

// RedirectListSpec is a table of exact addresses.
type RedirectListSpec struct {
	// Name is how `seawall why` calls the list. Default: its place.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// Entries are "FROM TO" or "FROM TO STATUS". FROM is a path, or host and
	// path (example.com/old). Default: none.
	Entries []string `yaml:"entries,omitempty" json:"entries,omitempty"`

	// File has further ones, one on each line; what follows a # is a remark.
	// Its path begins at the configuration's folder. Default: none.
	File string `yaml:"file,omitempty" json:"file,omitempty"`

	// Text is what is in File. Whoever reads the configuration fills it in.
	Text string `yaml:"-" json:"text,omitempty"`

	// Status is for entries without one. Default: 301.
	Status int `yaml:"status,omitempty" json:"status,omitempty"`

	// DropQuery is as in RedirectSpec.
	DropQuery bool `yaml:"drop_query,omitempty" json:"drop_query,omitempty"`
}

// All yields the entries as ListSpec.All does.
func (l RedirectListSpec) All() iter.Seq2[int, string] {
	return ListSpec{Entries: l.Entries, Text: l.Text}.All()
}

// RedirectStatus reports whether a status may be a redirect's.
func RedirectStatus(status int) bool {
	return status >= 301 && status <= 303 || status == 307 || status == 308
}
