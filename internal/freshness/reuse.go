package freshness

// Use is what may be done with a stored answer.
type Use uint8

const (
	UseFresh             Use = iota // it answers
	UseStale                        // it answers although it is stale: the visitor allows it (RFC 9111, 5.2.1.2)
	UseWhileRevalidating            // it answers, and the origin is asked meanwhile (RFC 5861, 3)
	AskStale                        // the origin is asked: it is stale, or is never used unasked
	AskRequest                      // the origin is asked: the request's directives want it (5.2.1)
)

// Serves reports whether the stored answer may be sent without waiting.
func (u Use) Serves() bool { return u <= UseWhileRevalidating }

// Use decides about a stored answer of an age in seconds (RFC 9111, 4).
func (t *Terms) Use(age int64, request *Directives) Use {
	staleness := age - t.Lifetime
	switch {
	case t.AlwaysAsk:
		return AskStale
	case request.NoCache, request.MaxAge >= 0 && age > request.MaxAge:
		if staleness >= 0 {
			return AskStale
		}
		return AskRequest
	case staleness < 0:
		if request.MinFresh >= 0 && -staleness < request.MinFresh {
			return AskRequest
		}
		return UseFresh
	case t.NeverStale, request.MinFresh >= 0, request.MaxAge >= 0 && request.MaxStale < 0:
		return AskStale // who sets a bound wants nothing stale (5.2.1.1, 5.2.1.3)
	case request.MaxStale >= 0 && staleness <= request.MaxStale:
		return UseStale
	case staleness < t.StaleWhileRevalidate:
		return UseWhileRevalidating
	}
	return AskStale
}

// Failure is how asking the origin ended.
type Failure uint8

const (
	FailedToConnect Failure = iota // no answer came: the cache is disconnected (RFC 9111, 4.2.4)
	FailedByStatus                 // the origin answered 500, 502, 503 or 504 (RFC 5861, 4)
)

// IsFailure reports whether a status is an error in the sense of stale-if-error.
func IsFailure(status int) bool {
	return status == 500 || status == 502 || status == 503 || status == 504
}

// OnError reports whether a stored answer of an age may be sent although it
// is stale, because asking failed (RFC 9111, 4.2.4; RFC 5861, 4).
// disconnected is for how many seconds beyond its lifetime a cache may help
// itself while it cannot reach the origin.
func (t *Terms) OnError(age int64, request *Directives, failure Failure, disconnected int64) bool {
	staleness := age - t.Lifetime
	switch {
	case t.AlwaysAsk, request.NoCache:
		return false
	case staleness < 0:
		return true // it was fresh all along; the visitor would have liked a newer one
	case t.NeverStale:
		return false
	}
	allowed := max(t.StaleIfError, request.StaleIfError, t.StaleWhileRevalidate)
	if failure == FailedToConnect {
		allowed = max(allowed, disconnected)
	}
	return staleness < allowed
}
