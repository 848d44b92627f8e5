package hostile_test

import (
	"fmt"
	"slices"
)

// What an origin has noted about its connections.

// hasPlayed reports whether the row was played wherever it was asked for; the
// lock is held.
func (o *origin) hasPlayed(target string) bool {
	found := false
	for _, l := range o.links {
		if i := slices.Index(l.asked, target); i >= 0 {
			found = true
			if l.played <= i && !l.ended {
				return false
			}
		}
	}
	return found
}

// judgeAsking counts how often the row was asked for. Once is right; twice,
// when a used connection has ended without a byte and the request may be
// repeated (RFC 9110, 9.2.2).
func (o *origin) judgeAsking(target string, w way) (wrong []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	times, may, used := 0, 1, false
	for _, l := range o.links {
		for i, asked := range l.asked {
			if asked != target {
				continue
			}
			if times == 0 {
				used = i > 0
				if used && l.said == 0 && w.ask.method != "POST" {
					may = 2
				}
			}
			times++
		}
	}
	if times > may {
		wrong = append(wrong, fmt.Sprintf("the origin was asked %d times", times))
	}
	if used != w.used {
		wrong = append(wrong, "the connections are not those that the row is about")
	}
	return wrong
}

// closed reports whether every connection over which the row was played is
// closed, or was used again, which later tells.
func (o *origin) closed(target string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.links {
		if l.carried(target) && !l.ended && len(l.after(target)) == 0 {
			return false
		}
	}
	return true
}

// later returns what came over such a connection after the row.
func (o *origin) later(target string) (all []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.links {
		if l.carried(target) {
			all = append(all, l.after(target)...)
		}
	}
	return all
}

func (l *link) carried(target string) bool { return l.greeted || slices.Contains(l.asked, target) }

func (l *link) after(target string) []string { return l.asked[slices.Index(l.asked, target)+1:] }

// speakUp says something on the connection over which the row was played.
func (o *origin) speakUp(target, text string, e ending) {
	o.mu.Lock()
	links := slices.Clone(o.links)
	o.mu.Unlock()
	for _, l := range links {
		o.mu.Lock()
		played := slices.Contains(l.asked, target)
		o.mu.Unlock()
		if played && l.say(text) {
			l.end(e)
			l.delivered()
		}
	}
}

// takeFaults returns what links complain about, and forgets the links: they
// are closed.
func (o *origin) takeFaults() (all []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.links {
		all = append(all, l.faults...)
	}
	o.links = slices.DeleteFunc(o.links, func(l *link) bool { return l.ended })
	return all
}
