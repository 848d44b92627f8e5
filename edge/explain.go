package edge

import (
	"fmt"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// thinking gathers what rungs would do.
type thinking struct {
	*Edge
	c     *climb
	steps []Step
	whys  map[string]func(*rule.Facts) []string
	last  verdict

	withoutCache bool
}

func (t *thinking) say(rung seawall.Rung, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n := len(t.steps); n > 0 && t.steps[n-1].Rung == rung {
		t.steps[n-1].Does = append(t.steps[n-1].Does, text)
		return
	}
	t.steps = append(t.steps, Step{rung, []string{text}})
}

// reasons says which rules had a say since the last time, and why.
func (t *thinking) reasons(rung seawall.Rung) {
	c := t.c
	if t.whys == nil {
		t.whys = c.zone.reasons()
	}
	for _, title := range c.titles {
		if why := t.whys[title]; why != nil {
			t.say(rung, "%s holds: %s", title, strings.Join(why(t.facts(c)), "; "))
		} else {
			t.say(rung, "%s holds", title)
		}
	}
	c.titles = c.titles[:0]
}

// note says what a rung has decided. ends is true when that is the answer.
func (t *thinking) note(v verdict) (ends bool) {
	c, rung := t.c, t.c.x.Event.Rung
	switch {
	case c.zone == nil && v.kind == goOn:
	case rung == seawall.RungZone && v.kind == goOn:
		t.say(rung, "the host %s belongs to zone %s", c.x.Host, c.zone.name)
	case rung == seawall.RungClient:
		t.say(rung, "the visitor is %s", c.x.Client.Addr())
	case rung == seawall.RungNormalise && v.kind == goOn:
		t.say(rung, "the target is %s, rules see the path %s", c.x.Target, c.x.Path)
	}
	if c.zone != nil {
		t.reasons(rung)
	}
	switch v.kind {
	case goOn:
		if rung == seawall.RungRules && c.toldTarget {
			t.say(rung, "from here on it is %s", c.x.Target)
		}
		return false
	case refuse:
		t.say(rung, "it is refused with %d: %s (%s)", v.reason.Status(), strings.TrimSuffix(v.reason.Sentence(), "."), v.reason)
	case answerRedirect:
		t.say(rung, "the visitor is sent to %s with %d", c.location, c.self.status)
	case answerOwn:
		if c.self.preflight {
			t.say(rung, "the edge answers the preflight with 204")
		} else {
			t.say(rung, "the edge answers with %d, %d bytes of %s", c.self.rule.status, len(c.self.rule.body), c.self.rule.kind)
		}
	case answerSelf:
		t.say(rung, "the edge answers OPTIONS itself")
	}
	return true
}

// cache says what the zone's rules want of the cache.
func (t *thinking) cache() {
	const rung = seawall.RungCache
	c, x := t.c, t.c.x
	t.askCaching(c)
	t.reasons(rung)
	said := &c.caching
	switch {
	case c.zone.spec.Cache.Off, t.withoutCache:
		c.caching = caching{removeCookies: said.removeCookies}
		t.say(rung, "there is no cache for this zone")
		if said.removeCookies {
			t.say(rung, "neither the origin nor the visitor gets cookies")
		}
		return
	case c.now.Unix() < c.zone.cache.bypassUntil, said.bypass:
		t.say(rung, "the cache is passed by: nothing stored answers and nothing is stored")
		return
	case x.Method != exchange.MethodGet && x.Method != exchange.MethodHead:
		t.say(rung, "%s is never answered from the cache", x.MethodName)
	}
	before := string(x.Target)
	c.phraseForRules()
	if string(x.Target) != before {
		t.say(rung, "what is kept, and what the origin is asked for, is %s", x.Target)
	}
	if k := said.key; k != nil && k.separates() {
		t.say(rung, "besides the address, answers are told apart by %s", strings.Join(k.parts(), ", "))
	}
	for _, l := range said.lifetimes {
		which := fmt.Sprintf("with %d to %d", l.low, l.high)
		switch {
		case l.low == 100 && l.high == 599:
			which = "others"
		case l.low == l.high:
			which = fmt.Sprintf("with %d", l.low)
		}
		if l.seconds < 0 {
			t.say(rung, "answers %s are not kept", which)
		} else {
			t.say(rung, "answers %s are fresh for %s%s", which, inSeconds(l.seconds), map[bool]string{true: ", even if they forbid to be kept"}[said.force])
		}
	}
	if len(said.lifetimes) == 0 {
		t.say(rung, "what the answer says decides whether it is kept, and for how long")
	}
	if said.browser > 0 {
		t.say(rung, "browsers may keep what is kept here for %s", inSeconds(said.browser))
	}
	if said.removeCookies {
		t.say(rung, "neither the origin nor the visitor gets cookies")
	}
}

// parts names what tells answers apart.
func (k *keyRule) parts() (parts []string) {
	for _, name := range k.headers {
		parts = append(parts, "the field "+string(name))
	}
	for _, name := range k.cookies {
		parts = append(parts, "the cookie "+string(name))
	}
	if k.device {
		parts = append(parts, "the kind of device")
	}
	return parts
}

// answer says what would be changed about the origin's answer.
func (t *thinking) answer(q Question) {
	const rung = seawall.RungStore
	c := t.c
	if q.Status == 0 {
		q.Status = 200
	}
	if q.Type == "" {
		q.Type = "text/html"
	}
	said := &wire.Fields{}
	said.AddKnown(wire.ContentType, []byte(q.Type))
	a := &exchange.Answer{Status: q.Status, Fields: said, Length: -1}
	t.say(rung, "an answer with %d and %s is taken for granted", q.Status, q.Type)
	t.chooseCoding(c, a.Status, said, 1<<20)
	switch {
	case !c.encoding.varies && (c.x.Fields.Has(wire.Cookie) || carriesCredentials(c.x.Fields)):
		t.say(rung, "it goes out as it is, not compressed, unless it is kept: the visitor sends cookies or credentials")
	case !c.encoding.varies:
		t.say(rung, "it goes out as it is, not compressed")
	case c.encoding.in == coding.Identity:
		t.say(rung, "it would be compressed for those who ask for it, and this visitor does not")
	default:
		t.say(rung, "it is compressed (%s) unless it is small", c.encoding.in)
	}
	c.dressEncoded(a)
	if rules := &c.zone.rules; !rules.answers.Empty() || rules.cors != nil {
		t.dressByRules(c, a)
		c.known.Status = q.Status
		t.reasons(rung)
	}
	for i := range a.More.Len() {
		t.say(rung, "the visitor gets %s: %s", a.More.Name(i), a.More.Value(i))
	}
}

// reasons says for each rule, by its title, why it holds.
func (z *zone) reasons() map[string]func(*rule.Facts) []string {
	all := map[string]func(*rule.Facts) []string{}
	r := &z.rules
	note := func(title string, asked *rule.Set, i int) {
		all[title] = func(f *rule.Facts) []string { return asked.Why(i, f) }
	}
	for _, list := range []*accessEntries{&r.access.allow, &r.access.block} {
		for i := range list.entries {
			note(list.entries[i].title, &list.asked, i)
		}
	}
	for i := range r.own.rules {
		note(r.own.rules[i].title, &r.own.asked, i)
	}
	for i := range z.cache.rules {
		note(z.cache.rules[i].title, &z.cache.asked, i)
	}
	r.redirects.Whys(all)
	r.requests.Whys(all)
	r.answers.Whys(all)
	return all
}

func inSeconds(n int64) spec.Duration { return spec.Duration(time.Duration(n) * time.Second) }
