package seawall

import "net/netip"

// Action is what the edge did with a request in the end.
type Action uint8

const (
	ActionPassed  Action = iota // answered: from the cache, by the origin or by the edge itself
	ActionRefused               // the edge would not: malformed, unknown host, a limit
	ActionFailed                // the edge or the origin could not: unreachable, cut short, too slow
)

// String returns the word used in logs, metrics and `seawall why`.
func (a Action) String() string { return [...]string{"passed", "refused", "failed"}[a] }

// Rung is a step of the ladder, in the order in which a request meets them.
type Rung uint8

const (
	RungDoor        Rung = iota // the protocol loop: connection limits and parsing
	RungZone                    // which zone does the host belong to?
	RungClient                  // who is asking?
	RungMaintenance             // is the site open?
	RungNormalise               // one canonical form, made once
	RungAccess                  // is this visitor let in?
	RungRules                   // does the zone answer by itself, or ask for something else?
	RungCache                   // may a stored answer serve?
	RungOrigin                  // ask the origin
	RungStore                   // may the answer be kept?
	RungEvent                   // say what happened
)

// Rungs is the number of rungs.
const Rungs = int(RungEvent) + 1

// String returns the word used in logs, metrics and `seawall why`.
func (r Rung) String() string {
	return [...]string{"door", "zone", "client", "maintenance", "normalise", "access", "rules", "cache", "origin", "store", "event"}[r]
}

// CacheResult says how the cache took part in an answer (RFC 9211 in short).
type CacheResult uint8

const (
	CacheNone        CacheResult = iota // the cache was not asked
	CacheHit                            // answered from the cache
	CacheMissURI                        // fwd=uri-miss: nothing stored under this key
	CacheMissVary                       // fwd=vary-miss: stored, but for other request fields
	CacheMissStale                      // fwd=stale: stored, but no longer fresh
	CacheMissRequest                    // fwd=request: the request's own directives forbid the stored answer
	CacheMethod                         // fwd=method: the method is never answered from a cache
	CacheBypass                         // fwd=bypass: the zone or the request keeps the cache out
	CacheMissPartial                    // fwd=partial: stored, but not all of what was asked for
	CacheStale                          // answered from the cache although it was no longer fresh
	CacheRevalidated                    // the origin was asked and said that what is stored is still good
	CacheCollapsed                      // answered by what another request had asked for
)

// CacheResults is the number of cache results.
const CacheResults = int(CacheCollapsed) + 1

// FromCache reports whether no byte of the answer's body was asked for on
// behalf of this request.
func (c CacheResult) FromCache() bool {
	return c == CacheHit || c == CacheStale || c == CacheRevalidated || c == CacheCollapsed
}

var cacheResults = [CacheResults]string{
	"none", "hit", "uri-miss", "vary-miss", "stale", "request", "method", "bypass", "partial", "served-stale", "revalidated", "collapsed",
}

// String returns the word used in logs, metrics and `seawall why`.
func (c CacheResult) String() string {
	return cacheResults[c]
}

// StoreResult says whether an origin's answer was kept and, if not, why.
type StoreResult uint8

const (
	StoreNone          StoreResult = iota // there was nothing to decide
	StoreStored                           // kept
	StoreMethod                           // only answers to GET are kept
	StoreStatus                           // this status code is not kept
	StoreNoFreshness                      // the answer names no lifetime
	StoreNoStore                          // Cache-Control: no-store in the answer
	StorePrivate                          // Cache-Control: private
	StoreNoCache                          // Cache-Control: no-cache
	StoreAuthorization                    // the request carried Authorization and the answer does not allow sharing
	StoreRequest                          // Cache-Control: no-store in the request
	StoreVaryStar                         // Vary: *
	StoreTooLarge                         // larger than one object may be
	StorePartial                          // the answer was cut short or is a part
	StoreExpired                          // its lifetime was over on arrival
	StoreSetCookie                        // it sets a cookie
	StoreUndecided                        // the cache could not take it
	StoreUnclear                          // must-understand, and the status is not one that is known
	StoreFreshened                        // what was stored was brought up to date
	StoreInvalidated                      // what was stored was dropped: the request may have changed it
	StoreRule                             // a rule of the zone does not keep it
	StoreArmour                           // its type is not what its path promises
)

var storeResults = [...]string{
	"none", "stored", "method", "status", "no-freshness", "no-store", "private", "no-cache",
	"authorization", "request-no-store", "vary-star", "too-large", "partial", "expired", "set-cookie", "undecided",
	"must-understand", "freshened", "invalidated", "rule", "armour",
}

// StoreResults is the number of store results.
const StoreResults = int(StoreArmour) + 1

// String returns the word used in logs, metrics and `seawall why`.
func (s StoreResult) String() string { return storeResults[s] }

// Protocol is the version of HTTP the visitor spoke.
type Protocol uint8

const (
	ProtocolUnknown Protocol = iota
	ProtocolHTTP10
	ProtocolHTTP11
	ProtocolHTTP2
	ProtocolHTTP3
)

// String returns the form used in access logs.
func (p Protocol) String() string {
	return [...]string{"-", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}[p]
}

// EventText names one of the texts an Event carries.
type EventText uint8

const (
	EventMethod EventText = iota
	EventHost
	EventTarget
	EventUserAgent
	EventReferer
	EventServer // which server of the zone was asked last; empty when none was
	EventCause  // what went wrong, for the operator alone: it may name addresses
	EventRule   // which of the zone's rules had a say; empty when none had
	EventJA4    // the fingerprint of the visitor's program; empty without TLS
	EventTexts  = iota
)

// eventRoom is where each text ends in Event.text; a text begins where the one before ends.
var eventRoom = [EventTexts + 1]uint16{0, 16, 80, 256, 352, 416, 448, 576, 704, 744}

// Event is what happened to one request. It has a fixed size so that rings
// of Events cost nothing to the garbage collector's peace; texts that do not
// fit are cut and marked. Exactly one Event exists for each request.
type Event struct {
	Time     int64  // Unix nanoseconds at which the request's head was complete (or was refused)
	Duration int64  // nanoseconds from there until the answer was handed to the kernel
	BytesIn  int64  // bytes of the request's body that were read
	BytesOut int64  // bytes of head and body that were sent
	Zone     string // the zone's name, or ZoneNone; shared with the zone, never built per request
	Client   netip.Addr
	ID       RequestID
	Status   uint16 // as sent to the visitor; 0 when the connection was closed without an answer
	Rung     Rung   // where the request's way ended
	Action   Action
	Reason   Reason // why it was refused or failed
	Cache    CacheResult
	Store    StoreResult
	Protocol Protocol
	Secure   bool // TLS

	cut  uint16
	used [EventTexts]uint16
	text [744]byte
}

// SetText copies as much of b as fits and marks the text as cut otherwise.
func (e *Event) SetText(which EventText, b []byte) {
	room := e.text[eventRoom[which]:eventRoom[which+1]]
	n := copy(room, b)
	e.used[which] = uint16(n)
	e.cut &^= 1 << which
	if n < len(b) {
		e.cut |= 1 << which
	}
}

// Text returns one text; the slice belongs to the Event.
func (e *Event) Text(which EventText) []byte {
	start := eventRoom[which]
	return e.text[start : start+e.used[which]]
}

// Cut reports whether a text was longer than the Event could hold.
func (e *Event) Cut(which EventText) bool { return e.cut&(1<<which) != 0 }

// Reset empties the Event without touching the bytes of old texts, which
// `used` hides.
func (e *Event) Reset() {
	e.Time, e.Duration, e.BytesIn, e.BytesOut = 0, 0, 0, 0
	e.Zone, e.Client, e.ID, e.Status = ZoneNone, netip.Addr{}, RequestID{}, 0
	e.Rung, e.Action, e.Reason, e.Cache, e.Store = 0, 0, 0, 0, 0
	e.Protocol, e.Secure, e.cut, e.used = 0, false, 0, [EventTexts]uint16{}
}
