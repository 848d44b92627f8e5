package spec

// CacheRuleSpec is what differs from the rest of the zone for some requests.
// All rules whose condition holds count; where two say something about the
// same, the first does.
type CacheRuleSpec struct {
	// Name is how `seawall why` calls the rule. Default: its place in the list.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// When says which requests it is about. Default: all.
	When ConditionSpec `yaml:"when,omitempty" json:"when,omitzero"`

	// Bypass answers nothing from the cache and keeps nothing. Default: false.
	Bypass bool `yaml:"bypass,omitempty" json:"bypass,omitempty"`

	// Force keeps answers for EdgeLifetime although they say no-store, private
	// or no-cache, without the cookies that they set. Answers to requests with
	// Authorization stay as they are. Default: false.
	Force bool `yaml:"force,omitempty" json:"force,omitempty"`

	// EdgeLifetime is for how long answers are fresh here, whatever they say
	// themselves, by their status. The first entry that names it counts.
	// Default: what answers say.
	EdgeLifetime []StatusLifetimeSpec `yaml:"edge_lifetime,omitempty" json:"edge_lifetime,omitempty"`

	// BrowserLifetime is for how long browsers may keep what this cache may
	// keep. Default: what answers say.
	BrowserLifetime Duration `yaml:"browser_lifetime,omitempty" json:"browser_lifetime,omitzero"`

	// Cookies is what a request's cookies mean: "bypass" has requests with any
	// go to the origin and their answers not be kept, "remove" takes cookies
	// away from requests and answers. Default: what the standard says.
	Cookies string `yaml:"cookies,omitempty" json:"cookies,omitempty"`

	// Authorization is what a request's credentials mean: "bypass" has such
	// requests go to the origin and their answers not be kept, "share" keeps
	// their answers for everybody. Default: what the standard says.
	Authorization string `yaml:"authorization,omitempty" json:"authorization,omitempty"`

	// Key says what else, or what less, tells two answers apart.
	Key CacheKeySpec `yaml:"key,omitempty" json:"key,omitzero"`
}

// What CacheRuleSpec.Cookies and Authorization may say.
const (
	CookiesBypass       = "bypass"
	CookiesRemove       = "remove"
	AuthorizationBypass = "bypass"
	AuthorizationShare  = "share"
)

// StatusLifetimeSpec is a lifetime for answers with some status.
type StatusLifetimeSpec struct {
	// Status is a list such as 200, 404, 5xx or 500-599. Default: every status.
	Status []Status `yaml:"status,omitempty" json:"status,omitempty"`

	// For is how long they are fresh.
	For Duration `yaml:"for,omitempty" json:"for,omitzero"`

	// Never does not keep them. Default: false.
	Never bool `yaml:"never,omitempty" json:"never,omitempty"`
}

// CacheKeySpec says what tells two answers with one path apart. What of the
// query is left out here is left out of the request to the origin, too: what
// the origin cannot see cannot get into a copy that others are given.
type CacheKeySpec struct {
	// Query names the query fields that count; the others are taken away. "*"
	// stands for any characters. Default: all.
	Query []string `yaml:"query,omitempty" json:"query,omitempty"`

	// IgnoreQuery names query fields that are taken away: utm_*, gclid.
	// Default: none.
	IgnoreQuery []string `yaml:"ignore_query,omitempty" json:"ignore_query,omitempty"`

	// SortQuery puts the query fields in one order. Default: false.
	SortQuery bool `yaml:"sort_query,omitempty" json:"sort_query,omitempty"`

	// Headers names fields of the request that tell answers apart. Default: none.
	Headers []string `yaml:"headers,omitempty" json:"headers,omitempty"`

	// Cookies names cookies that do. Default: none.
	Cookies []string `yaml:"cookies,omitempty" json:"cookies,omitempty"`

	// Device tells telephones, tablets and other devices apart; the origin is
	// told in the field Seawall-Device. Default: false.
	Device bool `yaml:"device,omitempty" json:"device,omitempty"`
}
