package story

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (g *stage) expectRequest(s step) error {
	switch s.items[0] {
	case "nothing":
		return g.origin.nothing()
	case "incomplete":
		g.incomplete = true // and again at the end, for the edge may not even have begun
		return g.origin.incomplete()
	case "closed":
		if g.connection == nil {
			return errors.New("no connection to the origin yet")
		}
		return g.origin.closed(g.connection)
	}
	get := g.origin.request
	if s.has("unfinished") {
		get = g.origin.head
	}
	c, f, err := get()
	if err != nil {
		return err
	}
	g.before, g.connection, g.request, g.answering = g.connection, c, f, false
	var wrong []error
	for _, item := range s.items {
		wrong = append(wrong, g.checkRequest(f, g.fill(item)))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("%w\n    the origin got %s %s HTTP/%s %v body %s", err, f.method, f.target, f.version, f.fields, short(f.body))
	}
	return nil
}

func (g *stage) checkRequest(f *forwarded, item string) error {
	word, rest, _ := strings.Cut(item, " ")
	switch {
	case requestLine.MatchString(item):
		want, err := unescape(item)
		return errors.Join(err, same("request line", want, f.method+" "+f.target+" HTTP/"+f.version))
	case item == "unfinished", item == "unanswered", item == "optional":
		return nil
	case item == "on a new connection" && (g.before == nil || g.before == g.connection),
		item == "on the same connection" && g.before != g.connection:
		return errors.New("not " + item)
	case strings.HasPrefix(item, "on "):
		return nil
	case item == "body" || word == "body":
		want, err := unescape(rest)
		return errors.Join(err, same("body", want, string(f.body)))
	case word == "trailer":
		return checkField(f.trailers, rest)
	}
	return checkField(f.fields, item)
}

func same(what, want, got string) error {
	if want != got {
		return fmt.Errorf("%s is %s, not %s", what, short([]byte(got)), short([]byte(want)))
	}
	return nil
}

// checkField reads `Name: value`, `Name: ~regexp` and `!Name`.
func checkField(h map[string][]string, item string) error {
	name, want, found := strings.Cut(item, ":")
	absent := strings.HasPrefix(name, "!")
	if absent == found {
		return fmt.Errorf("neither a field nor anything else: %q", item)
	}
	values, present := fieldValues(h, strings.TrimPrefix(name, "!"))
	got, want := strings.Join(values, ", "), strings.TrimSpace(want)
	if absent {
		if present {
			return fmt.Errorf("has %s: %s", name[1:], got)
		}
		return nil
	}
	if !present {
		return fmt.Errorf("has no %s", name)
	}
	if pattern, is := strings.CutPrefix(want, "~"); is {
		re, err := regexp.Compile(pattern)
		if err == nil && !re.MatchString(got) {
			err = fmt.Errorf("%s is %q, which does not match %s", name, got, pattern)
		}
		return err
	}
	want, err := unescape(want)
	return errors.Join(err, same(name, want, got))
}

func fieldValues(h map[string][]string, name string) (values []string, present bool) {
	for key, v := range h {
		if strings.EqualFold(key, name) {
			values, present = append(values, v...), true
		}
	}
	return values, present
}

// chooses waits until the origin has a request or the visitor an answer
// without one, where the RFC leaves the edge a choice.
func (g *stage) chooses() error {
	v, err := g.speaker()
	if err != nil {
		return err
	}
	if err := v.patient(); err != nil {
		return err
	}
	answered := false
	g.peeking = make(chan struct{})
	go func() {
		defer close(g.peeking)
		_, _ = v.reader.Peek(1) // the next step meets the same error
		g.origin.mu.Lock()
		answered = true
		g.origin.change()
		g.origin.mu.Unlock()
	}()
	return g.origin.wait("a request or a refusal", func() (bool, error) {
		g.refused, g.incomplete = answered, g.incomplete || answered
		return answered || g.origin.whole(), nil
	})
}

func (g *stage) expectAnswer(s step) error {
	v, err := g.speaker()
	if err != nil {
		return err
	}
	if g.peeking != nil {
		<-g.peeking
	}
	items, a := s.items, v.last
	if statusLine.MatchString(items[0]) {
		if a, err = v.head(); err == nil && a.status == 100 && s.has("perhaps after 100") {
			a, err = v.head()
		}
		if err != nil {
			return g.noAnswer(items, err)
		}
		if a.status >= 200 || a.status == 101 {
			g.statuses = append(g.statuses, a.status)
			a.question = g.witness.pop(g.visitor)
		}
		if !slices.Contains(strings.Split(items[0], " or "), strconv.Itoa(a.status)) {
			_ = v.body()
			return fmt.Errorf("status %d, not %s\n    %v %s", a.status, items[0], a.fields, short(a.body))
		}
		if !s.has("no body") && !s.has("head only") && !s.has("cut") {
			if err := v.body(); err != nil {
				return fmt.Errorf("body of the %d: %w, after %s", a.status, err, short(a.body))
			}
		}
		items = items[1:]
	}
	for _, item := range items {
		if err := g.checkAnswer(v, a, g.fill(item)); err != nil {
			if a != nil {
				err = fmt.Errorf("%w\n    the visitor got %d %v %s", err, a.status, a.fields, short(a.body))
			}
			return err
		}
	}
	return g.watch(a)
}

// noAnswer accepts the end of the connection where the script allows it; a
// request may have been logged for it or not.
func (g *stage) noAnswer(items []string, err error) error {
	if !errors.Is(err, errEnded) || !slices.Contains(strings.Split(items[0], " or "), "nothing") {
		return err
	}
	g.uncertain++
	return nil
}

func (g *stage) checkAnswer(v *visitor, a *answer, item string) error {
	word, rest, _ := strings.Cut(item, " ")
	switch {
	case item == "closed":
		return v.closed()
	case item == "reusable", item == "closed or reusable" && a != nil && a.fields.Get("Connection") != "close":
		return g.reuse(v)
	case item == "closed or reusable":
		return v.closed()
	case a == nil:
		return errors.New("no answer yet")
	case item == "no body", item == "head only", item == "perhaps after 100":
		return nil
	case item == "rest":
		return v.body()
	case item == "cut":
		if err := v.body(); !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the answer was not cut: %v", err)
		}
		return nil
	case word == "version":
		return same("version", rest, "HTTP/"+a.version)
	case word == "reason":
		return same("reason phrase", rest, a.reason)
	case word == "trailer":
		return checkField(a.trailers, rest)
	case item == "body" || word == "body":
		return checkBody(string(a.body), rest)
	}
	return checkField(a.fields, item)
}

func checkBody(got, want string) error {
	if pattern, is := strings.CutPrefix(want, "~"); is {
		re, err := regexp.Compile(pattern)
		if err == nil && !re.MatchString(got) {
			err = fmt.Errorf("the body does not match %s: %s", pattern, short([]byte(got)))
		}
		return err
	}
	if fragment, is := strings.CutPrefix(want, "has "); is {
		if !strings.Contains(got, fragment) {
			return fmt.Errorf("the body lacks %q: %s", fragment, short([]byte(got)))
		}
		return nil
	}
	want, err := unescape(want)
	return errors.Join(err, same("body", want, got))
}

// reuse asks for something else on the same connection; what was left over
// of the exchange before it would be taken for the answer or spoil the request.
func (g *stage) reuse(v *visitor) error {
	g.probes++
	target := fmt.Sprintf("/probe/%d", g.probes)
	v.send("GET " + target + " HTTP/1.1\r\nHost: one.test\r\n\r\n")
	c, f, err := g.origin.request()
	if err != nil {
		return fmt.Errorf("the connection is not reusable: %w", err)
	}
	g.before, g.connection, g.request, g.answering = g.connection, c, f, false
	if f.target != target {
		return fmt.Errorf("instead of the next request the origin got %s %s", f.method, f.target)
	}
	c.send(ordinaryAnswer("GET"))
	a, err := v.head()
	if err == nil {
		err = v.body()
	}
	if err != nil {
		return fmt.Errorf("the next request got no answer: %w", err)
	}
	g.statuses = append(g.statuses, a.status)
	if a.status != 200 || string(a.body) != "ok" {
		return fmt.Errorf("the next request got %d %s", a.status, short(a.body))
	}
	return nil
}
