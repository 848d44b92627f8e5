package edge

import (
	"errors"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// consultation is what the cache has said about one request, and what was
// asked of the origin on its behalf.
type consultation struct {
	at         cache.Moment
	directives freshness.Directives // of the request, as far as the zone heeds them
	missed     seawall.CacheResult  // why the origin is asked
	answered   int                  // the status of the origin's answer where the visitor gets another; 0: the same

	stored *cache.Object   // the answer that was found and could not serve as it is
	asked  []*cache.Object // those that the origin is asked about
	epoch  cache.Epoch     // of the key, when the origin was asked
	gap    byterange.Span  // what is missing to stored
	fills  bool            // gap is asked for
	again  bool            // the origin is asked for the second time

	requested time.Time // when the origin was asked

	flight *cache.Flight
	leads  bool
	alone  bool // it neither waits for others nor lets them wait
	own    bool // the leader's fields differ from what is stored: they are in climb.own
	aged   bool // the origin said Age
	stand  standIn
}

func (k *consultation) begin() {
	k.directives = freshness.None()
	k.missed, k.answered = seawall.CacheNone, 0
	k.epoch = cache.Epoch{}
	k.stored, k.asked, k.fills, k.again = nil, k.asked[:0], false, false
	k.flight, k.leads, k.alone, k.own, k.aged = nil, false, false, false, false
}

// lookup asks the cache (RFC 9111, 4).
func (e *Edge) lookup(c *climb) verdict {
	x, rules := c.x, &c.zone.cache
	if !x.Bare {
		e.askCaching(c)
	}
	if rules.zone == nil || x.Bare || c.now.Unix() < rules.bypassUntil || c.zone.state.switches.off(SwitchCache, x.Event.Time) || c.caching.bypass {
		c.caching = caching{removeCookies: c.caching.removeCookies}
		c.phraseForRules()
		c.key = appendKey(c.key[:0], c.zone, x, nil)
		c.miss(seawall.CacheBypass)
		return verdict{}
	}
	c.cached.at = cache.Clock()
	c.key = appendKey(c.key[:0], c.zone, x, c.caching.key)
	c.phraseForRules()
	switch {
	case x.Method != exchange.MethodGet && x.Method != exchange.MethodHead:
		c.miss(seawall.CacheMethod)
		return verdict{}
	}
	if !rules.ignore && (x.Fields.Has(wire.CacheControl) || x.Fields.Has(wire.Pragma)) {
		c.cached.directives = freshness.Request(x.Fields)
	}
	if x.Fields.Has(wire.IfMatch) || x.Fields.Has(wire.IfUnmodifiedSince) || origin.Switches(x) {
		// The origin alone can judge these conditions (RFC 9111, 4.3.2), or
		// change the protocol; nobody may wait for what becomes of a tunnel.
		c.cached.alone = true
		c.miss(seawall.CacheMissRequest)
		return c.mayAsk()
	}
	return e.consult(c)
}

func (c *climb) miss(why seawall.CacheResult) { c.x.Event.Cache, c.cached.missed = why, why }

// consult finds a stored answer, or joins those who wait for one.
func (e *Edge) consult(c *climb) verdict {
	const mostTries = 4 // each after an answer that fitted others
	for range mostTries {
		if v := e.judge(c); v.kind != goOn {
			return v
		}
		if v := c.mayAsk(); v.kind != goOn {
			return v
		}
		if !c.mayJoin() {
			return verdict{}
		}
		k := &c.cached
		if k.flight, k.leads = c.zone.cache.zone.Join(c.key, c.x.Fields, k.at, c.mayLead()); k.flight == nil {
			return verdict{}
		}
		if k.leads {
			// The flight before may have landed since we looked.
			if v := e.judge(c); v.kind == goOn {
				return v
			}
			c.leaveFlight()
			return e.judge(c)
		}
		v, again := e.await(c)
		if !again {
			return v
		}
	}
	return verdict{}
}

// mayAsk refuses what is to be answered from the cache or not at all (RFC
// 9111, 5.2.1.7).
func (c *climb) mayAsk() verdict {
	if c.cached.directives.OnlyIfCached {
		return verdict{refuse, seawall.ReasonNotStored}
	}
	return verdict{}
}

// judge decides whether a stored answer may serve.
func (e *Edge) judge(c *climb) verdict {
	x, k, rules := c.x, &c.cached, &c.zone.cache
	object, result := rules.zone.Lookup(c.key, x.Fields)
	k.stored = nil
	if object == nil {
		c.miss(result)
		return verdict{}
	}
	directives := &k.directives
	var bounded freshness.Directives
	if rules.interval > 0 && object.Held(k.at) < rules.interval {
		bounded = *directives
		bounded.NoCache, bounded.MaxAge, bounded.MinFresh = false, -1, -1
		directives = &bounded
	}
	use := object.Use(directives, k.at)
	if rules.neverStale && use != freshness.UseFresh && use.Serves() {
		use = freshness.AskStale
	}
	switch {
	case !object.Whole() && (!use.Serves() || !covers(object, x)):
		c.miss(seawall.CacheMissPartial)
	case use == freshness.UseFresh:
		x.Event.Cache = seawall.CacheHit
	case use == freshness.UseWhileRevalidating:
		x.Event.Cache = seawall.CacheStale
		e.refresh(c, object)
	case use.Serves():
		x.Event.Cache = seawall.CacheStale
	case use == freshness.AskRequest:
		c.miss(seawall.CacheMissRequest)
	default:
		c.miss(seawall.CacheMissStale)
	}
	if x.Event.Cache.FromCache() {
		c.object = object
		return verdict{kind: answerStored}
	}
	k.stored = object
	return verdict{}
}

// mayJoin reports whether the request may share an answer with others.
func (c *climb) mayJoin() bool {
	if c.x.Fields.Has(wire.CDNLoop) && c.zone.origin.Loops(c.x) {
		return false // it would wait for itself
	}
	return !c.cached.alone && !c.cached.directives.NoCache && !c.cached.directives.NoStore && !c.x.Nominates && c.x.Body == nil
}

// mayLead reports whether others may wait for what this request asks: the
// whole answer, and one that is likely to be for all.
func (c *climb) mayLead() bool {
	x := c.x
	switch {
	case x.Method != exchange.MethodGet, carriesCredentials(x.Fields):
		return false
	case c.cached.stored != nil && c.cached.stored.Whole():
		return true // its own conditions and range give way to ours
	}
	return !x.Fields.Has(wire.Range) && !x.Fields.Has(wire.IfNoneMatch) && !x.Fields.Has(wire.IfModifiedSince)
}

// await waits for the flight's answer. again is true when it is better to
// look again.
func (e *Edge) await(c *climb) (v verdict, again bool) {
	k := &c.cached
	if !c.waitFor(k.flight.Decided()) {
		c.leaveFlight()
		c.cause = errWaiterGone
		return verdict{refuse, seawall.ReasonVisitorGone}, false
	}
	outcome, object, err := k.flight.Outcome()
	k.at = cache.Clock()
	switch outcome {
	case cache.Answered:
		if object.Selects(c.x.Fields) {
			if object.Use(&k.directives, k.at).Serves() {
				c.x.Event.Cache = seawall.CacheCollapsed
				return verdict{kind: answerFlight}, false
			}
			c.leaveFlight()
			return verdict{}, false // it has to be asked for again and again
		}
		c.leaveFlight()
		return verdict{}, true
	case cache.Again:
		c.leaveFlight()
		return verdict{}, true
	case cache.Failed:
		c.leaveFlight()
		failure := freshness.FailedToConnect
		if errors.Is(err, errFailing) {
			failure = freshness.FailedByStatus
		}
		if c.staleServes(failure) {
			c.cause = err
			return verdict{kind: answerStored}, false
		}
		if failure == freshness.FailedByStatus {
			return verdict{}, false // the origin's own answer is for the visitor
		}
		c.cause = err
		c.x.Event.Rung = seawall.RungOrigin
		return verdict{refuse, reasonOf(err)}, false
	}
	c.leaveFlight()
	return verdict{}, false
}

// errWaiterGone ends the wait for another's answer.
var errWaiterGone = errors.New("the visitor cut the connection")

// errFailing tells those who wait that the origin answers with an error.
var errFailing = errors.New("the origin answers with an error")

// lookUp is how often a wait looks whether the visitor is still there.
const lookUp = time.Second

// waitFor waits for a channel to be closed; false when the visitor left.
func (c *climb) waitFor(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	timer := time.NewTimer(lookUp)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return true
		case <-timer.C:
			if c.x.Out.Gone() {
				return false
			}
			timer.Reset(lookUp)
		}
	}
}

func (c *climb) leaveFlight() {
	if k := &c.cached; k.flight != nil {
		k.flight.Leave(k.leads)
		k.flight, k.leads = nil, false
	}
}

// staleServes decides whether the stored answer serves because asking failed,
// and makes it the answer.
func (c *climb) staleServes(failure freshness.Failure) bool {
	k, rules := &c.cached, &c.zone.cache
	if k.stored == nil || !k.stored.Whole() || rules.neverStale && k.stored.TTL(k.at) <= 0 {
		return false
	}
	if !k.stored.Terms.OnError(k.stored.Age(k.at), &k.directives, failure, rules.whenDown) {
		return false
	}
	c.object, c.x.Event.Cache = k.stored, seawall.CacheStale
	return true
}
