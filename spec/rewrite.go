package spec

// RewriteSpec changes what is asked of the origin and what visitors get. All
// rules whose condition holds count, in their order; conditions are about the
// request as it came.
type RewriteSpec struct {
	// Requests changes requests on their way to the cache and the origin.
	// Default: none.
	Requests []RequestRewriteSpec `yaml:"requests,omitempty" json:"requests,omitempty"`

	// Answers changes answers on their way to visitors, those from the cache
	// too. Default: none.
	Answers []AnswerRewriteSpec `yaml:"answers,omitempty" json:"answers,omitempty"`

	// SecurityHeaders adds, where the origin says nothing about it:
	// X-Content-Type-Options: nosniff, X-Frame-Options: SAMEORIGIN and
	// Referrer-Policy: strict-origin-when-cross-origin. Default: false.
	SecurityHeaders bool `yaml:"security_headers,omitempty" json:"security_headers,omitempty"`

	// CORS lets pages of other sites use this one.
	CORS CORSSpec `yaml:"cors,omitempty" json:"cors,omitzero"`
}

// RequestRewriteSpec changes some requests. In values, ${client_address},
// ${country}, ${network}, ${request_id}, ${host}, ${path}, ${client_subject} and
// ${client_fingerprint} (of a client certificate) are filled in.
type RequestRewriteSpec struct {
	// Name is how `seawall why` calls the rule. Default: its place in the list.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// When says which requests it is about. Default: all.
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// From is a pattern for the path, To what takes its place: $1 to $9 are
	// what stars or groups stand for. Default: the path stays.
	From string `yaml:"from,omitempty" json:"from,omitempty"`
	To   string `yaml:"to,omitempty" json:"to,omitempty"`

	// Query is query fields that are set: "name=value". Default: none.
	Query []string `yaml:"query,omitempty" json:"query,omitempty"`

	// RemoveQuery is patterns for query fields that are taken away. Default: none.
	RemoveQuery []string `yaml:"remove_query,omitempty" json:"remove_query,omitempty"`

	// Fields changes fields of the request.
	Fields FieldsSpec `yaml:"fields,omitempty" json:"fields,omitzero"`
}

// AnswerRewriteSpec changes some answers.
type AnswerRewriteSpec struct {
	// Name and When are as in RequestRewriteSpec; When may ask for the status.
	Name string        `yaml:"name,omitempty" json:"name,omitempty"`
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// Fields changes fields of the answer.
	Fields FieldsSpec `yaml:"fields,omitempty" json:"fields,omitzero"`
}

// FieldsSpec changes fields: first Remove, then Set, then Add.
type FieldsSpec struct {
	// Set is fields that take the place of any with their name: "X-A: 1".
	// Default: none.
	Set []string `yaml:"set,omitempty" json:"set,omitempty"`

	// Add is fields that come in addition. Default: none.
	Add []string `yaml:"add,omitempty" json:"add,omitempty"`

	// Remove is the names of fields that are taken away. Default: none.
	Remove []string `yaml:"remove,omitempty" json:"remove,omitempty"`
}

// CORSSpec lets pages of other sites use this one (WHATWG Fetch, 3.3).
// Preflights are answered at the edge.
type CORSSpec struct {
	// Origins is patterns for the sites: https://app.example.com,
	// https://*.example.com or *. Default: none, and nothing is done.
	Origins []string `yaml:"origins,omitempty" json:"origins,omitempty"`

	// Methods besides GET, HEAD and POST. Default: none.
	Methods []string `yaml:"methods,omitempty" json:"methods,omitempty"`

	// Headers that pages may send. Default: none.
	Headers []string `yaml:"headers,omitempty" json:"headers,omitempty"`

	// Expose is fields of answers that pages may read. Default: none.
	Expose []string `yaml:"expose,omitempty" json:"expose,omitempty"`

	// Credentials lets pages send cookies. Default: false.
	Credentials bool `yaml:"credentials,omitempty" json:"credentials,omitempty"`

	// MaxAge is for how long a browser may remember a preflight's answer.
	// Default: 10m.
	MaxAge Duration `yaml:"max_age,omitempty" json:"max_age,omitzero"`
}

// OwnAnswerSpec answers some requests at the edge.
type OwnAnswerSpec struct {
	// Name is how `seawall why` calls the rule. Default: its place in the list.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// When says which requests it is about; of methods, GET and HEAD unless it
	// names others. Something must be set.
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// Status is the answer's. Default: 200.
	Status int `yaml:"status,omitempty" json:"status,omitempty"`

	// Type is its Content-Type. Default: text/plain; charset=utf-8.
	Type string `yaml:"type,omitempty" json:"type,omitempty"`

	// Body is the answer's text, at most 256 KiB. Default: empty.
	Body string `yaml:"body,omitempty" json:"body,omitempty"`

	// File has the body in place of Body. Its path begins at the
	// configuration's folder. Default: none.
	File string `yaml:"file,omitempty" json:"file,omitempty"`

	// Text is what is in File. Whoever reads the configuration fills it in.
	Text string `yaml:"-" json:"text,omitempty"`
}

// SecurityTxtSpec tells people how to report a weakness: the edge answers
// /.well-known/security.txt (RFC 9116).
type SecurityTxtSpec struct {
	// Contact is addresses: mailto:security@example.com, https://..., tel:...
	// Default: none, and the origin is asked.
	Contact []string `yaml:"contact,omitempty" json:"contact,omitempty"`

	// Expires is when the file is not to be believed any more. Required with
	// Contact; at most a year ahead is recommended.
	Expires Time `yaml:"expires,omitempty" json:"expires,omitzero"`

	// Policy is the address of a policy. Default: none.
	Policy string `yaml:"policy,omitempty" json:"policy,omitempty"`

	// Languages is what reports may be written in: en, de. Default: none.
	Languages []string `yaml:"languages,omitempty" json:"languages,omitempty"`
}
