package seawall

// Reason says why a request was refused or failed. Every refusal in the
// program has one; its sentence is what the visitor and the owner read.
type Reason uint8

const (
	ReasonNone Reason = iota

	// The door: what the parser would not take (RFC 9112).
	ReasonRequestLine
	ReasonTarget
	ReasonTargetClimbs
	ReasonTargetEnds
	ReasonTargetTooLong
	ReasonVersion
	ReasonField
	ReasonFieldsTooLarge
	ReasonHostMissing
	ReasonHostRepeated
	ReasonHostMalformed
	ReasonLength
	ReasonLengthConflict
	ReasonTransferCoding
	ReasonTransferCodingUnknown
	ReasonBody
	ReasonMethod
	ReasonExpectation
	ReasonHeadTimeout
	ReasonBodyTimeout
	ReasonConnections
	ReasonConnectionsPerAddress
	ReasonProxyHeader
	ReasonShortage

	// The zone.
	ReasonUnknownHost
	ReasonWrongScheme
	ReasonOtherName
	ReasonMaintenance
	ReasonLoop
	ReasonBlocked
	ReasonClientCertificate

	// The cache.
	ReasonNotStored

	// The origin.
	ReasonOriginName
	ReasonOriginUnreachable
	ReasonOriginConnectTimeout
	ReasonOriginTLS
	ReasonOriginForbidden
	ReasonOriginBusy
	ReasonOriginDown
	ReasonOriginTimeout
	ReasonOriginTotal
	ReasonOriginClosed
	ReasonOriginMalformed
	ReasonOriginHeadTooLarge
	ReasonOriginShort
	ReasonOriginStalled

	// The visitor.
	ReasonVisitorGone
	ReasonVisitorSlow

	// The edge itself.
	ReasonDraining
	ReasonInternal
)

// Reasons is the number of reasons.
const Reasons = int(ReasonInternal) + 1

type reasonText struct {
	code     string
	status   int
	sentence string
}

var reasons = [Reasons]reasonText{
	ReasonNone:                  {"none", 200, ""},
	ReasonRequestLine:           {"request-line", 400, "The request line is malformed."},
	ReasonTarget:                {"target", 400, "The address in the request line is malformed."},
	ReasonTargetClimbs:          {"target-climbs", 400, "The path climbs above the root of the site."},
	ReasonTargetEnds:            {"target-nul", 400, "The path contains an encoded NUL."},
	ReasonTargetTooLong:         {"target-too-long", 414, "The address in the request line is too long."},
	ReasonVersion:               {"version", 505, "This version of HTTP is not supported."},
	ReasonField:                 {"field", 400, "A header field is malformed."},
	ReasonFieldsTooLarge:        {"fields-too-large", 431, "The header fields are too large or too many."},
	ReasonHostMissing:           {"host-missing", 400, "The Host field is missing or empty."},
	ReasonHostRepeated:          {"host-repeated", 400, "There is more than one Host field."},
	ReasonHostMalformed:         {"host-malformed", 400, "The Host field is malformed."},
	ReasonLength:                {"length", 400, "The Content-Length field is malformed."},
	ReasonLengthConflict:        {"length-conflict", 400, "The length of the body is given more than once."},
	ReasonTransferCoding:        {"transfer-coding", 400, "The Transfer-Encoding field is malformed."},
	ReasonTransferCodingUnknown: {"transfer-coding-unknown", 501, "This transfer coding is not supported."},
	ReasonBody:                  {"body", 400, "The body is malformed."},
	ReasonMethod:                {"method", 405, "This method is not served here."},
	ReasonExpectation:           {"expectation", 417, "This expectation cannot be met."},
	ReasonHeadTimeout:           {"head-timeout", 408, "The request took too long to arrive."},
	ReasonBodyTimeout:           {"body-timeout", 408, "The body took too long to arrive."},
	ReasonConnections:           {"connections", 503, "There are too many connections at the moment."},
	ReasonConnectionsPerAddress: {"connections-per-address", 429, "There are too many connections from this address."},
	ReasonProxyHeader:           {"proxy-header", 400, "This connection must begin with a PROXY protocol header."},
	ReasonShortage:              {"shortage", 503, "This server is short of memory at the moment."},
	ReasonUnknownHost:           {"unknown-host", 421, "No site with this name is served here."},
	ReasonOtherName:             {"other-name", 421, "The connection was made for another site."},
	ReasonWrongScheme:           {"wrong-scheme", 421, "This scheme is not served on this connection."},
	ReasonMaintenance:           {"maintenance", 503, "The site is closed for maintenance."},
	ReasonLoop:                  {"loop", 508, "The request goes round in a circle: the site's server leads back here."},
	ReasonBlocked:               {"blocked", 403, "The owner of the site does not let in requests like this one."},
	ReasonClientCertificate:     {"client-certificate", 403, "The site wants a certificate of you, and has seen none that it believes."},
	ReasonNotStored:             {"not-stored", 504, "The request wants a stored copy only, and there is none."},
	ReasonOriginName:            {"origin-name", 502, "The name of the site's server could not be resolved."},
	ReasonOriginUnreachable:     {"origin-unreachable", 502, "The site's server could not be reached."},
	ReasonOriginConnectTimeout:  {"origin-connect-timeout", 504, "The site's server did not accept a connection in time."},
	ReasonOriginTLS:             {"origin-tls", 502, "No secure connection to the site's server could be made."},
	ReasonOriginForbidden:       {"origin-forbidden", 502, "The site's server has an address that may not be asked."},
	ReasonOriginBusy:            {"origin-busy", 503, "The site's server has too much to do at the moment."},
	ReasonOriginDown:            {"origin-down", 503, "The site's server is out of order."},
	ReasonOriginTimeout:         {"origin-timeout", 504, "The site's server did not answer in time."},
	ReasonOriginTotal:           {"origin-total", 504, "The site's server did not finish its answer in time."},
	ReasonOriginClosed:          {"origin-closed", 502, "The site's server closed the connection without an answer."},
	ReasonOriginMalformed:       {"origin-malformed", 502, "The site's server sent an answer that cannot be understood."},
	ReasonOriginHeadTooLarge:    {"origin-head-too-large", 502, "The site's server sent header fields that are too large."},
	ReasonOriginShort:           {"origin-short", 502, "The site's server stopped in the middle of its answer."},
	ReasonOriginStalled:         {"origin-stalled", 504, "The site's server fell silent in the middle of its answer."},
	ReasonVisitorGone:           {"visitor-gone", 499, "The visitor closed the connection."},
	ReasonVisitorSlow:           {"visitor-slow", 499, "The visitor did not take the answer in time."},
	ReasonDraining:              {"draining", 503, "This server is about to stop."},
	ReasonInternal:              {"internal", 500, "Something went wrong inside the edge."},
}

// String returns the code used in logs, metrics and `seawall why`.
func (r Reason) String() string { return reasons[r].code }

// Status returns the HTTP status code that goes with the reason; 499 means
// that nobody was there to read one.
func (r Reason) Status() int { return reasons[r].status }

// Sentence returns one English sentence for the visitor.
func (r Reason) Sentence() string { return reasons[r].sentence }

// Action returns whether the reason is a refusal or a failure.
func (r Reason) Action() Action {
	switch {
	case r == ReasonNone:
		return ActionPassed
	case r < ReasonOriginName || r == ReasonDraining:
		return ActionRefused
	default:
		return ActionFailed
	}
}
