package origin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/seawall-edge/seawall/spec"
)

// checkState is what the checks found about a server.
type checkState struct {
	down  bool
	since time.Time
	why   string
	inRow int // checks in a row that disagree with down

	answered bool // the server answered a visitor while it counted as down
}

// startChecks starts one goroutine for each server, if there are checks.
func (g *Group) startChecks() {
	if g.origin.Check.Type == "" {
		return
	}
	for _, s := range g.servers {
		g.work.Go(func() { g.checkRegularly(s) })
	}
}

func (g *Group) checkRegularly(s *server) {
	interval := g.origin.Check.Interval.Duration()
	// The first at once: visitors may be waiting.
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-timer.C:
		}
		err := s.checkOnce(g.ctx)
		if g.ctx.Err() != nil {
			return // the zone is closed; a check that ran is no failure
		}
		g.checked(s, err)
		// A tenth of chance keeps a thousand zones from asking in step.
		timer.Reset(interval - interval/20 + rand.N(interval/10+1))
	}
}

// checked notes what a check found.
func (g *Group) checked(s *server, err error) {
	now := time.Now()
	spec := &g.origin.Check
	var problem *Error
	if errors.As(err, &problem) {
		err = problem.cause
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &s.check
	if (err != nil) == c.down {
		c.inRow = 0
		if err != nil {
			c.why = err.Error()
		}
		return
	}
	c.inRow++
	switch {
	case err != nil && c.inRow >= spec.Failures:
		c.down, c.since, c.why, c.inRow, c.answered = true, now, err.Error(), 0, false
		g.log.Warn("a server is down, its check says", "server", s.name, "cause", err)
	case err == nil && c.inRow >= spec.Passes:
		c.down, c.since, c.inRow = false, now, 0
		g.log.Info("a server is well again, its check says", "server", s.name)
		if !g.origin.Breaker.Off && !c.answered {
			// A crowd may be waiting for its return.
			s.breaker.Resume(now)
			s.era.Store(&era{})
			g.wakeAfter(s, g.origin.Breaker.Return.Duration())
		}
	}
	s.judge()
	g.dispatch(now)
}

// checkOnce asks the server once. The error is a sentence for the operator.
func (s *server) checkOnce(ctx context.Context) error {
	check := &s.group.origin.Check
	ctx, cancel := context.WithTimeout(ctx, check.Timeout.Duration())
	defer cancel()
	if check.Type == spec.CheckTCP {
		conn, err := s.dialTCP(ctx)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	in, err := statuses(check.Status)
	if err != nil {
		return err
	}
	most := checkBytes
	if check.Text == "" {
		most = 0 // a body that hangs is not looked at
	}
	page, err := s.fetch(ctx, check.Path, check.Host, most)
	switch {
	case err != nil:
		return err
	case !in(page.Status):
		return fmt.Errorf("%s answers with status %d, not %s", check.Path, page.Status, check.Status)
	case check.Text != "" && !bytes.Contains(page.Body, []byte(check.Text)):
		return fmt.Errorf("the text %q is not in the answer to %s", check.Text, check.Path)
	}
	return nil
}

// checkBytes is how much of a checked answer is looked at.
const checkBytes = 64 << 10

func statuses(text string) (func(int) bool, error) {
	in, wrong := spec.ParseStatuses(text)
	if wrong != "" {
		return nil, errors.New(wrong)
	}
	return in, nil
}

// Page is what Fetch brings.
type Page struct {
	Status      int
	ContentType string
	Body        []byte
	Whole       bool // all of the body is there
}

// Fetch asks a server for a page on the edge's own behalf, at most so many
// bytes of it.
func (g *Group) Fetch(ctx context.Context, path string, most int) (Page, error) {
	var last error
	for _, s := range g.servers {
		page, err := s.fetch(ctx, path, "", most)
		if err == nil {
			return page, nil
		}
		last = err
	}
	return Page{}, last
}

// fetch makes one request on a connection of its own.
func (s *server) fetch(ctx context.Context, path, host string, most int) (Page, error) {
	if host == "" {
		host = s.host
	}
	if host == "" {
		host = s.group.config.Host
	}
	if host == "" || host == spec.HostServer {
		host = string(s.authority)
	}
	conn, err := s.connect(ctx, asker{host: []byte(hostOf(host))})
	if err != nil {
		return Page{}, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.ReadBefore(deadline, 0)
	stop := context.AfterFunc(ctx, conn.Abort)
	defer stop()
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: seawall\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		return Page{}, fmt.Errorf("ask for %s: %w", path, err)
	}
	from := bufio.NewReader(io.LimitReader(conn, int64(most)+maxHead))
	var answer *http.Response
	for interim := 0; interim < maxInterim; interim++ {
		answer, err = http.ReadResponse(from, &http.Request{Method: http.MethodGet})
		if err != nil {
			return Page{}, fmt.Errorf("read the answer to %s: %w", path, err)
		}
		if answer.StatusCode >= 200 {
			break
		}
	}
	defer func() {
		conn.Abort() // or Close would read the rest of a body that may have no end
		_ = answer.Body.Close()
	}()
	if most == 0 {
		return Page{Status: answer.StatusCode}, nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(most)+1))
	page := Page{Status: answer.StatusCode, ContentType: answer.Header.Get("Content-Type"), Body: body, Whole: err == nil && len(body) <= most}
	if len(page.Body) > most {
		page.Body = page.Body[:most]
	}
	return page, nil
}
