package edge

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/geo"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// Question is a request that is only thought of.
type Question struct {
	Method string // GET when empty
	URL    string
	Fields []string // "Name: value"
	From   netip.Addr
	JA4    string // empty: not known
	Status int    // what the origin would answer; 200 when zero
	Type   string // its Content-Type; text/html when empty
	Now    time.Time
}

// Step is what one rung would do.
type Step struct {
	Rung seawall.Rung
	Does []string // sentences without an end
}

// Rehearsal is the rules of a configuration without anything that is opened,
// asked or written: requests that are only thought of climb its ladder.
type Rehearsal struct {
	edge         *Edge
	withoutCache bool // for every zone
}

// NewRehearsal compiles the rules of zones and those of the node. places may
// be nil.
func NewRehearsal(zones []spec.ZoneSpec, node spec.AccessSpec, nodeLists []spec.ListSpec, places *geo.Files, withoutCache bool) (*Rehearsal, error) {
	e := &Edge{counters: make([]Counters, 1)}
	e.knowPlaces(places)
	if err := e.SetAccess(node, nodeLists); err != nil {
		return nil, err
	}
	table := &zoneTable{exact: map[string]*zone{}, below: map[string]*zone{}}
	for _, s := range zones {
		z, err := e.outline(s.Resolved())
		if err != nil {
			return nil, err
		}
		table.add(z)
	}
	e.zones.Store(table)
	return &Rehearsal{e, withoutCache}, nil
}

// Explain says what each rung would do with a request.
func (r *Rehearsal) Explain(q Question) ([]Step, error) {
	t, err := r.climb(q)
	return t.steps, err
}

// Outcome is what would become of a request.
type Outcome struct {
	Zone   string         // empty: none
	Rung   seawall.Rung   // where its way ends; RungCache where the rules let it go on
	Status int            // of what the edge answers by itself
	Reason seawall.Reason // why it is refused
	Rules  string         // which had a say, as in Events
}

// Outcome says what would become of a request.
func (r *Rehearsal) Outcome(q Question) (Outcome, error) {
	t, err := r.climb(q)
	if err != nil {
		return Outcome{}, err
	}
	c := t.c
	o := Outcome{Rung: c.x.Event.Rung, Reason: t.last.reason, Rules: string(c.ruled)}
	if c.zone != nil {
		o.Zone = c.zone.name
	}
	switch t.last.kind {
	case refuse:
		o.Status = t.last.reason.Status()
	case answerRedirect:
		o.Status = c.self.status
	case answerOwn:
		if o.Status = 204; c.self.rule != nil {
			o.Status = c.self.rule.status
		}
	}
	return o, nil
}

// climb walks the ladder as far as rules go.
func (r *Rehearsal) climb(q Question) (*thinking, error) {
	x, err := q.exchange()
	if err != nil {
		return &thinking{}, err
	}
	c := r.edge.begin(x)
	c.explains = true
	t := &thinking{Edge: r.edge, c: c, withoutCache: r.withoutCache}
	for i := range ladder {
		if x.Event.Rung = ladder[i].rung; x.Event.Rung == seawall.RungCache {
			break
		}
		if t.last = ladder[i].step(r.edge, c); t.note(t.last) {
			return t, nil
		}
	}
	t.cache()
	t.answer(q)
	return t, nil
}

// exchange makes the request.
func (q Question) exchange() (*exchange.Exchange, error) {
	u, err := url.Parse(q.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an address; write one such as https://example.com/path", q.URL)
	}
	if q.Method == "" {
		q.Method = "GET"
	}
	if q.Status != 0 && (q.Status < 200 || q.Status > 599) {
		return nil, fmt.Errorf("%d is not the status of an answer", q.Status)
	}
	if !wire.IsToken([]byte(q.Method)) {
		return nil, fmt.Errorf("%q is not a method", q.Method)
	}
	x := &exchange.Exchange{Fields: &wire.Fields{}, Minor: 1, Out: exchange.Nobody{}, MethodName: []byte(q.Method), Method: exchange.ParseMethod([]byte(q.Method))}
	for _, text := range q.Fields {
		name, value, found := strings.Cut(text, ":")
		if !found || !wire.IsToken([]byte(name)) || strings.ContainsAny(value, "\r\n\x00") {
			return nil, fmt.Errorf("%q is not a field; write Name: value", text)
		}
		x.Fields.Add(wire.Lookup([]byte(name)), []byte(name), []byte(strings.TrimSpace(value)))
	}
	x.Event.Secure, x.Event.Protocol, x.Event.Time = u.Scheme == "https", seawall.ProtocolHTTP11, q.Now.UnixNano()
	if reason := x.SetHost([]byte(u.Host), x.Event.Secure); reason != seawall.ReasonNone {
		return nil, fmt.Errorf("%s: %s", u.Host, reason.Sentence())
	}
	if x.Event.Secure {
		x.TLS = &exchange.TLS{ServerName: string(x.Host), Recorded: true}
		copy(x.TLS.JA4[:], q.JA4)
	}
	x.Target = []byte(u.RequestURI())
	x.Client = netip.AddrPortFrom(q.From, 0)
	x.Peer, x.Event.Client = x.Client, q.From
	return x, nil
}
