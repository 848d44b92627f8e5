package collapse_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// origin is the server behind all zones. It keeps every request until the
// story answers it.
type origin struct {
	server *httptest.Server
	over   chan struct{} // closed when the story has ended

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something below changes
	asked   []*question
	given   []*given
	auto    map[string]func(*question) // by path: answers without the story
}

// question is one request that has reached the origin.
type question struct {
	origin               *origin
	method, zone, target string
	fields               http.Header
	gone                 <-chan struct{} // closed when the edge has hung up

	claimed bool // by a story; guarded by origin.mu
	acts    chan func(http.ResponseWriter)
	given   *given
}

// given is an answer of the origin as far as it has been sent. It is guarded
// by origin.mu.
type given struct {
	question *question
	status   int
	header   http.Header
	first    int64 // position of the first byte
	size     int64 // bytes of the whole; -1 when not known yet
	body     []byte
	whole    bool
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{over: make(chan struct{}), changed: make(chan struct{}), auto: map[string]func(*question){}}
	o.server = httptest.NewServer(o)
	t.Cleanup(func() {
		o.server.CloseClientConnections()
		o.server.Close()
	})
	return o
}

func (o *origin) change() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// ServeHTTP implements http.Handler.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &question{
		origin: o, method: r.Method, zone: r.Host, target: r.URL.RequestURI(), fields: r.Header,
		gone: r.Context().Done(), acts: make(chan func(http.ResponseWriter), 16),
	}
	o.mu.Lock()
	o.asked = append(o.asked, q)
	auto := o.automatic(q.target)
	q.claimed = auto != nil
	o.change()
	o.mu.Unlock()
	if auto != nil {
		go auto(q)
	}
	for {
		select {
		case act, more := <-q.acts:
			if !more {
				return
			}
			act(w)
		case <-o.over:
			panic(http.ErrAbortHandler)
		}
	}
}

// count returns how often something was asked for, or all when the target is empty.
func (o *origin) count(zone, target string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.asked {
		if q.zone == zone && (target == "" || q.target == target) {
			n++
		}
	}
	return n
}

// next waits for a request that no story has answered yet.
func (o *origin) next(t *testing.T, zone, target string) *question {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		o.mu.Lock()
		changed := o.changed
		for _, q := range o.asked {
			if !q.claimed && q.zone == zone && q.target == target {
				q.claimed = true
				o.mu.Unlock()
				return q
			}
		}
		o.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("the origin waited in vain for %s%s", zone, target)
		}
	}
}

// unanswered fails when there is a request that the story does not know of.
func (o *origin) unanswered() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.asked {
		if !q.claimed {
			return fmt.Errorf("the origin was asked %s %s%s %v, and the story knows nothing of it", q.method, q.zone, q.target, q.fields)
		}
	}
	return nil
}

// answers has all requests for a path, or below one that ends with a slash,
// answered without the story; story leaves them to it again.
func (o *origin) answers(path string, auto func(*question)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.auto[path] = auto
}

func (o *origin) story(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.auto, path)
}

// rest answers the requests that have come already as those that are to come.
func (o *origin) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.asked {
		if auto := o.automatic(q.target); auto != nil && !q.claimed {
			q.claimed = true
			go auto(q)
		}
	}
}

// automatic finds what answers without the story; o.mu is held.
func (o *origin) automatic(target string) func(*question) {
	target, _, _ = strings.Cut(target, "?")
	if auto := o.auto[target]; auto != nil {
		return auto
	}
	return o.auto[target[:strings.LastIndexByte(target, '/')+1]]
}

// begin sends the head. Each field is "Name: value".
func (q *question) begin(status int, fields ...string) {
	header := http.Header{}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		header.Add(name, strings.TrimSpace(value))
	}
	g := &given{question: q, status: status, header: header, size: -1}
	if length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil {
		g.size = length
	}
	if first, size, ok := contentRange(header); ok {
		g.first, g.size = first, size
	}
	q.origin.mu.Lock()
	q.given = g
	q.origin.given = append(q.origin.given, g)
	q.origin.mu.Unlock()
	q.acts <- func(w http.ResponseWriter) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_ = http.NewResponseController(w).Flush() // the edge may have gone
	}
}

// write sends bytes of the body.
func (q *question) write(text string) {
	q.origin.mu.Lock()
	q.given.body = append(q.given.body, text...)
	q.origin.mu.Unlock()
	q.acts <- func(w http.ResponseWriter) {
		_, _ = w.Write([]byte(text)) // the edge may have gone
		_ = http.NewResponseController(w).Flush()
	}
}

// end completes the answer.
func (q *question) end() {
	q.origin.mu.Lock()
	q.given.whole = true
	if q.given.size < 0 {
		q.given.size = q.given.first + int64(len(q.given.body))
	}
	q.origin.mu.Unlock()
	close(q.acts)
}

// cut breaks the answer off.
func (q *question) cut() {
	q.acts <- func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	close(q.acts)
}

// reset breaks the connection off so that its end is no end.
func (q *question) reset() {
	q.acts <- func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(interface{ SetLinger(int) error }).SetLinger(0)
			_ = conn.Close()
		}
	}
	close(q.acts)
}

// answer sends a whole answer, framed by its length.
func (q *question) answer(status int, body string, fields ...string) {
	if status != http.StatusNotModified && status != http.StatusNoContent {
		fields = append(fields, "Content-Length: "+strconv.Itoa(len(body)))
	}
	q.begin(status, fields...)
	if body != "" && q.method != http.MethodHead {
		q.write(body)
	}
	q.end()
}
