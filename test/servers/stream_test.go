package servers_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// channel is a way to tell an application what to say next: it reads lines
// from a named pipe.
type channel struct {
	t    *testing.T
	path string
	pipe *os.File
}

// makePipe makes a named pipe that applications may read.
func makePipe(t *testing.T) (path string) {
	t.Helper()
	world.mu.Lock()
	world.pipes++
	path = world.path(fmt.Sprintf("%d.pipe", world.pipes))
	world.mu.Unlock()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

func openChannel(t *testing.T) *channel {
	t.Helper()
	path := makePipe(t)
	// For both, so that opening waits for nobody.
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("open a pipe: %v", err)
	}
	t.Cleanup(func() { pipe.Close() })
	return &channel{t, path, pipe}
}

func (c *channel) tell(line string) {
	c.t.Helper()
	if _, err := c.pipe.WriteString(line + "\n"); err != nil {
		c.t.Fatalf("tell the application: %v", err)
	}
}

// end is the end of the stream.
func (c *channel) end() {
	c.t.Helper()
	if err := c.pipe.Close(); err != nil {
		c.t.Fatalf("close a pipe: %v", err)
	}
}

// stream makes a request whose answer is read as it comes.
func (v *visitor) stream(target string) *http.Response {
	v.t.Helper()
	client := http.Client{Timeout: patience, Transport: v.client.Transport.(watched).transport}
	response, err := client.Do(v.request(http.MethodGet, target, nil))
	if err != nil {
		v.t.Fatalf("%s: %s: %v", v.way(), target, err)
	}
	v.t.Cleanup(func() { response.Body.Close() })
	return response
}

// eachWay tells a story to the server itself and through the edge, without
// comparing.
func eachWay(t *testing.T, s *server, tell func(v *visitor)) {
	t.Helper()
	tell(enter(t, s, false))
	tell(enter(t, s, true))
}

// TestEvents_arriveOneByOne: each event is there before the application is
// told the next one, so nobody on the way holds any back.
func TestEvents_arriveOneByOne(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		eachWay(t, s, func(v *visitor) {
			c := openChannel(t)
			response := v.stream("/app/events?channel=" + url.QueryEscape(c.path))
			if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
				t.Fatalf("%s: the stream is %s", v.way(), kind)
			}
			lines := bufio.NewScanner(response.Body)
			next := func() string {
				for lines.Scan() {
					if lines.Text() != "" {
						return lines.Text()
					}
				}
				return fmt.Sprintf("the end: %v", lines.Err())
			}
			if got := next(); got != ": here" {
				t.Fatalf("%s: the stream begins with %q", v.way(), got)
			}
			for i := range 20 {
				event := fmt.Sprintf("event %d %s", i, strings.Repeat("x", i*i))
				c.tell(event)
				if got := next(); got != "data: "+event {
					t.Fatalf("%s: told %q, got %q", v.way(), event, got)
				}
			}
			c.end()
			if got := next(); got != "the end: <nil>" {
				t.Errorf("%s: after the end: %q", v.way(), got)
			}
		})
	})
}

// TestEvents_endWithTheVisitor: whoever closes the page in the middle leaves
// nothing behind at the edge, which the checker sees.
func TestEvents_endWithTheVisitor(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		v, c := enter(t, s, true), openChannel(t)
		response := v.stream("/app/events?channel=" + url.QueryEscape(c.path))
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err != nil || line != ": here\n" {
			t.Errorf("the stream begins with %q: %v", line, err)
		}
		// The visitor leaves when the test ends, and then the pipe is closed.
	})
}

// TestPoll_waitsForTheNews: what is asked for is known only when somebody
// asks already.
func TestPoll_waitsForTheNews(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			path := makePipe(t)
			told := make(chan error, 1)
			go func() {
				// It opens when the application has opened it.
				pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err == nil {
					_, err = pipe.WriteString("spring\n")
					err = errors.Join(err, pipe.Close())
				}
				told <- err
			}()
			v.want(v.get("/app/poll?channel="+url.QueryEscape(path)), http.StatusOK, "it is spring")
			if err := <-told; err != nil {
				t.Error(err)
			}
		})
	})
}

// TestSlow_isWaitedFor: two seconds of thought are no failure. All think at
// the same time.
func TestSlow_isWaitedFor(t *testing.T) {
	require(t)
	t.Run("all", func(t *testing.T) {
		var all sync.WaitGroup
		for _, host := range applications {
			v := enter(t, world.servers[host], true)
			r := v.request(http.MethodGet, "/app/slow", nil)
			all.Go(func() {
				response, err := v.client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close() // the sight has it
				v.want(v.sights[0], http.StatusOK, "at last")
			})
		}
		all.Wait()
	})
	world.edge.check(t)
}
