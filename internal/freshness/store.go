package freshness

import "time"

// Policy is what the owner of a cache decides where the standard leaves room.
type Policy struct {
	// Heuristic is for how many seconds at most an answer that says nothing is
	// taken to be fresh (RFC 9111, 4.2.2); 0: no heuristic.
	Heuristic int64
	// Cookies says what becomes of answers that set a cookie although they say
	// for how long they are fresh.
	Cookies Cookies
	// IgnoreRequest has the request's own directives mean nothing.
	IgnoreRequest bool
	// Fixed: the owner says for how long answers are fresh, whatever they say:
	// Lifetime seconds from when they are received.
	Fixed    bool
	Lifetime int64
	// Force stores, with a Fixed lifetime, what the answer forbids to store
	// (no-store, private, no-cache), without the cookies that it sets.
	Force bool
	// Share stores answers to requests with credentials for everybody.
	Share bool
}

// Cookies is what becomes of Set-Cookie in an answer that may be stored.
type Cookies uint8

const (
	CookiesReplayed Cookies = iota // stored and sent again, as RFC 9111, 7.3 has it
	CookiesRemoved                 // the answer is stored without them
	CookiesRefused                 // the answer is not stored
)

// Offer is an answer that may be stored, and what decides about it.
type Offer struct {
	Method          []byte // of the request
	Status          int
	Request, Answer Fields

	// Itself: Content-Location names the very address that was asked for.
	Itself bool
	// Part: the answer is one part of a representation, of which the place is
	// known (RFC 9111, 3.3).
	Part bool

	Requested, Received time.Time
	Policy              Policy
}

// Terms say how a stored answer may be used.
type Terms struct {
	Age      int64 // seconds, when it was received (RFC 9111, 4.2.3)
	Lifetime int64 // seconds from its generation for which it is fresh (4.2.1)
	Date     int64 // Unix seconds at which it was generated

	Explicit      bool // its lifetime is the origin's word and not a guess
	AlwaysAsk     bool // no-cache: validated before each use (5.2.2.4)
	NeverStale    bool // must-revalidate and its like (4.2.4)
	WithoutCookie bool // Set-Cookie is not kept
	FieldsNamed   bool // some fields must not be kept, see Named

	StaleWhileRevalidate int64 // seconds beyond its lifetime (RFC 5861, 3); -1: none
	StaleIfError         int64 // likewise (RFC 5861, 4)
}

// Refusal is why an answer is not stored.
type Refusal uint8

const (
	Storable             Refusal = iota
	RefusedByMethod              // answers to this method are not stored (RFC 9110, 9.2.3)
	RefusedByStatus              // the status hangs on this very request
	RefusedByNoStore             // 5.2.2.5
	RefusedByPrivate             // 5.2.2.7
	RefusedByRequest             // the request's no-store (5.2.1.5)
	RefusedByCredentials         // Authorization without permission (3.5)
	RefusedByVary                // Vary: * (4.1)
	RefusedByCookie              // by Policy
	RefusedAsUnclear             // must-understand and a status that is not known (5.2.2.3)
	RefusedWithoutTerms          // no lifetime, and nothing to validate it with or a status that is not stored without one
	RefusedAsExpired             // its lifetime is over and nothing can validate it
	RefusedAlwaysAsk             // no-cache and nothing to validate it with
)

// Judge decides whether an answer may be stored, and on which terms (RFC
// 9111, 3).
func (o Offer) Judge() (Terms, Refusal) {
	d, targeted := Response(o.Answer)
	if refusal := o.allowed(d); refusal != Storable {
		return Terms{}, refusal
	}
	t := o.terms(d, targeted)
	post := !isMethod(o.Method, "GET")
	window := max(t.StaleWhileRevalidate, t.StaleIfError, 0)
	if t.NeverStale {
		window = 0
	}
	switch {
	case post && !t.Explicit:
		return t, RefusedByMethod
	case o.Policy.Fixed:
	case !t.Explicit && !d.Public && !heuristically(o.Status):
		return t, RefusedWithoutTerms
	case t.AlwaysAsk && !o.validator():
		return t, RefusedAlwaysAsk
	case t.Lifetime == 0 && !t.Explicit && !t.AlwaysAsk && (!o.validator() || !o.plain()):
		return t, RefusedWithoutTerms
	case t.Age >= t.Lifetime+window && !o.validator():
		return t, RefusedAsExpired
	}
	if has(o.Answer, nameSetCookie) {
		switch {
		case o.Policy.Cookies == CookiesRefused:
			return t, RefusedByCookie
		case o.Policy.Cookies == CookiesRemoved, o.Policy.Fixed, !t.Explicit, t.Lifetime == 0, t.AlwaysAsk:
			t.WithoutCookie = true
		}
	}
	return t, Storable
}

// allowed applies what needs no arithmetic.
func (o Offer) allowed(d Directives) Refusal {
	noStore, private := d.NoStore, d.Private
	if o.Policy.Force {
		noStore, private = false, false
	}
	if d.MustUnderstand {
		if !understood(o.Status) {
			return RefusedAsUnclear
		}
		noStore = false // for caches that do not understand
	}
	switch {
	case !isMethod(o.Method, "GET") && !(isMethod(o.Method, "POST") && o.Itself && o.Status == 200):
		return RefusedByMethod
	case o.Status < 200, bound(o.Status) && !(o.Part && o.Status == 206):
		return RefusedByStatus
	case !o.Policy.IgnoreRequest && Request(o.Request).NoStore:
		return RefusedByRequest
	case noStore:
		return RefusedByNoStore
	case private:
		return RefusedByPrivate
	case (has(o.Request, nameAuthorization) || has(o.Request, nameClientCert)) && !o.Policy.Share && !d.Public && !d.MustRevalidate && d.SharedMaxAge < 0:
		return RefusedByCredentials
	case variesOnAll(o.Answer):
		return RefusedByVary
	}
	return Storable
}

func (o Offer) terms(d Directives, targeted bool) Terms {
	date := generated(o.Answer, o.Received)
	t := Terms{
		Date: date.Unix(), AlwaysAsk: d.NoCache, FieldsNamed: d.FieldsNamed,
		NeverStale:           d.MustRevalidate || d.ProxyRevalidate || d.SharedMaxAge >= 0 || d.NoCache,
		StaleWhileRevalidate: d.StaleWhileRevalidate, StaleIfError: d.StaleIfError,
	}
	t.Age = age(o.Answer, date, o.Requested, o.Received)
	t.Lifetime, t.Explicit = lifetime(d, targeted, o.Answer, date, o.Received)
	if !t.Explicit && !t.AlwaysAsk && o.plain() && (heuristically(o.Status) || d.Public) {
		t.Lifetime = heuristic(o.Answer, date, o.Received, o.Policy.Heuristic)
	}
	if o.Policy.Fixed {
		t.Lifetime = t.Age + o.Policy.Lifetime
		if o.Policy.Force {
			t.AlwaysAsk, t.NeverStale = false, false
		}
	}
	return t
}

// plain reports whether nothing suggests that the answer was made for one
// visitor: what may be guessed about pages that are the same for all must not
// be guessed about one that saw a cookie.
func (o Offer) plain() bool { return !has(o.Request, nameCookie) }

// validator reports whether a later answer could say that this one is still
// good (RFC 9110, 8.8).
func (o Offer) validator() bool { return has(o.Answer, nameETag) || has(o.Answer, nameLastModified) }

func isMethod(method []byte, name string) bool { return string(method) == name }

// Invalidates reports whether an answer makes what is stored for its address
// doubtful: one without an error to a method that is not known to be safe
// (RFC 9111, 4.4; RFC 9110, 9.2.1).
func Invalidates(method []byte, status int) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	}
	return status >= 200 && status < 400
}
