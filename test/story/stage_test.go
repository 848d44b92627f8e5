package story

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stage is what one case has on it.
type stage struct {
	edge       *edge
	origin     *origin
	visitors   map[string]*visitor
	names      map[string]string // what each asks for in its handshake
	visitor    string            // who speaks
	request    *forwarded        // claimed last
	connection *originConn       // on which it came
	before     *originConn       // and the one before
	statuses   []int             // final answers received, in order
	unanswered int               // requests that got none
	uncertain  int               // connections closed where a request may or may not have begun
	probes     int
	incomplete bool          // part of a request may have reached the origin
	refused    bool          // an optional request did not come
	peeking    chan struct{} // closed when chooses no longer looks at the visitor's connection
	began      time.Time
	witness    *witness // nil: nobody watches what is stored
	answering  bool     // the origin has begun to answer the request claimed last
}

func newStage(e *edge) *stage {
	g := &stage{edge: e, origin: e.origin, visitors: map[string]*visitor{}, visitor: "one", began: time.Now()}
	if len(e.zones) > 0 {
		g.witness = newWitness()
	}
	return g
}

var relativeDate = regexp.MustCompile(`\{now([+-]\d+)?\}`)

// fill puts addresses and dates into a text.
func (g *stage) fill(text string) string {
	return relativeDate.ReplaceAllStringFunc(g.edge.addresses(text), func(date string) string {
		seconds, _ := strconv.Atoi(strings.Trim(date, "{now}")) // none: now
		return g.began.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
	})
}

func (g *stage) play(c *storyCase) error {
	g.names, _ = c.sites()
	defer g.everybodyLeaves()
	for _, s := range c.steps {
		if err := g.step(s); err != nil {
			return fmt.Errorf("line %d: %w", s.line, err)
		}
	}
	if g.incomplete {
		if err := g.origin.incomplete(); err != nil {
			return err
		}
	}
	if err := g.origin.nothing(); err != nil {
		return err
	}
	g.everybodyLeaves() // what still runs is logged when it ends
	return g.edge.checkLog(g)
}

func (g *stage) everybodyLeaves() {
	for _, v := range g.visitors {
		v.conn.Close()
	}
}

func (g *stage) step(s step) error {
	switch s.arrow {
	case "@":
		return g.control(s.items[0])
	case "->":
		v, err := g.speaker()
		if err != nil {
			return err
		}
		text := g.fill(s.bytes)
		v.send(text)
		g.witness.hear(g.visitor, text)
		return nil
	case "=>":
		if s.has("optional") {
			if err := g.chooses(); err != nil || g.refused {
				return err
			}
		}
		return g.expectRequest(s)
	case "=>|":
		if g.connection == nil {
			return errors.New("no connection to the origin yet")
		}
		g.origin.mu.Lock()
		g.connection.tunnel = true
		g.origin.mu.Unlock()
		return g.origin.raw(g.connection, s.bytes)
	case "<=":
		return g.answerRequest(s)
	case "<=!":
		if g.refused {
			return nil
		}
		if g.connection == nil {
			return errors.New("no connection to the origin yet")
		}
		if s.items[0] == "reset" {
			g.witness.reset(g.request)
		}
		return g.connection.hangUp(s.items[0])
	case "<-|":
		v, err := g.speaker()
		if err != nil {
			return err
		}
		return v.raw(s.bytes)
	}
	return g.expectAnswer(s)
}

func (g *stage) speaker() (*visitor, error) {
	if v := g.visitors[g.visitor]; v != nil {
		return v, nil
	}
	v, err := g.arrive()
	if err == nil {
		g.visitors[g.visitor] = v
	}
	return v, err
}

// arrive connects the one who speaks.
func (g *stage) arrive() (*visitor, error) {
	if g.edge.https == "" {
		return connect(g.edge.http)
	}
	return connectTLS(g.edge.https, g.names[g.visitor])
}

func (g *stage) control(item string) error {
	word, argument, _ := strings.Cut(item, " ")
	switch {
	case word == "visitor":
		g.visitor = argument
		return nil
	case word == "unanswered":
		n, err := strconv.Atoi(argument)
		g.unanswered += n
		return err
	case item == "in two writes", item == "plain":
		return nil
	}
	v, err := g.speaker()
	if err != nil {
		return err
	}
	switch item {
	case "half-close":
		_ = v.endWriting() // the edge may have closed first
		return nil
	case "hang up":
		return v.conn.Close()
	case "reset":
		return errors.Join(v.conn.SetLinger(0), v.conn.Close())
	}
	return fmt.Errorf("no such control: %s", item)
}

func (g *stage) answerRequest(s step) error {
	if g.refused {
		return nil
	}
	if g.connection == nil {
		return errors.New("nothing to answer yet")
	}
	text := g.fill(s.bytes)
	if s.has("ordinary") {
		text = ordinaryAnswer(g.request.method)
	}
	g.witness.give(g.request, text, !g.answering)
	g.answering = true
	g.connection.send(text)
	return nil
}

func ordinaryAnswer(method string) string {
	const head = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n"
	if method == "HEAD" {
		return head
	}
	return head + "ok"
}
