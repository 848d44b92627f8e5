package servers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// visitor is somebody with a browser: cookies, redirects that are followed,
// connections that are kept.
type visitor struct {
	t       *testing.T
	server  *server
	door    string // where the host is: the server itself or the edge
	through bool   // the edge
	client  *http.Client
	sights  []sight
}

// sight is one answer as the visitor saw it.
type sight struct {
	request string
	status  int
	length  int64 // -1: not said
	header  http.Header
	body    []byte
	broken  bool // the answer had no end
}

// enter opens a browser; the connections are closed when the test ends.
func enter(t *testing.T, s *server, through bool) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, server: s, door: s.address, through: through}
	if through {
		v.door = world.edge.http
	}
	s.busy.add(1)
	transport := &http.Transport{
		DisableCompression:    true,
		ExpectContinueTimeout: patience,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, v.door)
		},
	}
	v.client = &http.Client{Jar: jar, Timeout: patience, Transport: watched{transport, v}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.busy.add(-1)
	})
	return v
}

// watched remembers every answer, those that redirect as well.
type watched struct {
	transport *http.Transport
	v         *visitor
}

func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // read to its end, or broken
	header := response.Header.Clone()
	for name, value := range response.Trailer {
		header["trailer "+name] = value
	}
	w.v.sights = append(w.v.sights, sight{
		r.Method + " " + r.URL.RequestURI(), response.StatusCode, response.ContentLength, header, body, err != nil})
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	return response, nil
}

// failing is the end of a body that broke, or a proper end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func (v *visitor) way() string {
	if v.through {
		return "through the edge"
	}
	return "directly"
}

// request makes one; fields are "Name: value".
func (v *visitor) request(method, target string, body io.Reader, fields ...string) *http.Request {
	v.t.Helper()
	r, err := http.NewRequest(method, "http://"+v.server.host+target, body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// send makes a request, follows where it leads, and returns the last answer.
func (v *visitor) send(r *http.Request) sight {
	v.t.Helper()
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatalf("%s: %s %s: %v", v.way(), r.Method, r.URL, err)
	}
	_ = response.Body.Close() // the sight has it
	return v.sights[len(v.sights)-1]
}

func (v *visitor) get(target string, fields ...string) sight {
	v.t.Helper()
	return v.send(v.request(http.MethodGet, target, nil, fields...))
}

// want fails unless the answer has a status and, unless text is empty, it as its body.
func (v *visitor) want(got sight, status int, text string) {
	v.t.Helper()
	if got.status != status || text != "" && string(got.body) != text+"\n" {
		v.t.Errorf("%s: %s: %d %.100q, want %d %q", v.way(), got.request, got.status, got.body, status, text)
	}
}

// bothWays tells a story to the server itself and through the edge, and
// compares what was seen.
func bothWays(t *testing.T, s *server, tell func(v *visitor)) {
	t.Helper()
	direct, through := enter(t, s, false), enter(t, s, true)
	tell(direct)
	tell(through)
	if len(direct.sights) == 0 || len(direct.sights) != len(through.sights) {
		t.Fatalf("%d answers directly, %d through the edge", len(direct.sights), len(through.sights))
	}
	for i := range direct.sights {
		if err := same(direct.sights[i], through.sights[i]); err != nil {
			t.Errorf("%s: %v", direct.sights[i].request, err)
		}
	}
}

// same compares an answer of the server with what came through the edge.
func same(direct, through sight) error {
	var problems []error
	differs := func(what string, a, b any) {
		problems = append(problems, fmt.Errorf("%s: directly %v, through the edge %v", what, a, b))
	}
	if direct.status != through.status {
		differs("status", direct.status, through.status)
	}
	if direct.length != through.length && !through.told(direct) {
		differs("length", direct.length, through.length)
	}
	if direct.broken != through.broken {
		differs("broken off", direct.broken, through.broken)
	}
	if a, b := direct.plainBody(), through.plainBody(); !direct.broken && !bytes.Equal(a, b) {
		differs("body", summary(a), summary(b))
	}
	a, b := direct.plainHeader(), through.plainHeader()
	if through.told(direct) {
		b.Del("Content-Length")
	}
	sameFields(a, b, differs)
	problems = append(problems, signed(through.header))
	return errors.Join(problems...)
}

// told reports whether the edge knew what the server did not say beforehand:
// the length of an answer that it has a copy of.
func (s sight) told(direct sight) bool {
	return direct.length < 0 && s.length == int64(len(s.body)) && strings.Contains(s.header.Get("Cache-Status"), "; hit")
}

func summary(b []byte) string {
	return fmt.Sprintf("%d bytes, %.12x, %.60q", len(b), sha256.Sum256(b), b)
}

// ours are the fields that the edge adds, or writes itself (doc/ladder.md).
var ours = []string{"Age", "Cache-Status", "Connection", "Date", "Keep-Alive", "Seawall-Request-Id", "Via"}

// tellsOrigin are the fields that only tell what the origin runs.
var tellsOrigin = []string{"Server", "X-Powered-By"}

func sameFields(direct, through http.Header, differs func(string, any, any)) {
	names := maps.Clone(direct)
	maps.Copy(names, through)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if slices.Contains(ours, name) || slices.Contains(tellsOrigin, name) && through[name] == nil {
			continue
		}
		if !slices.Equal(direct[name], through[name]) {
			differs(name, direct[name], through[name])
		}
	}
}

// signed fails unless the fields are there that the edge adds.
func signed(header http.Header) error {
	for name, want := range map[string]string{"Via": "1.1 seawall", "Cache-Status": "seawall;", "Seawall-Request-Id": "", "Date": "GMT"} {
		if got := strings.Join(header[name], ", "); got == "" || !strings.Contains(got, want) {
			return fmt.Errorf("%s is %q", name, got)
		}
	}
	return nil
}

// What is drawn by lot: the names of sessions and what separates ranges.
var (
	session  = regexp.MustCompile(`session=[^;]+`)
	boundary = regexp.MustCompile(`boundary="?([^";]+)"?`)
)

func (s sight) plainHeader() http.Header {
	h := s.header.Clone()
	for i, cookie := range h["Set-Cookie"] {
		h["Set-Cookie"][i] = session.ReplaceAllString(cookie, "session=*")
	}
	if kind := h.Get("Content-Type"); strings.HasPrefix(kind, "multipart/") {
		h.Set("Content-Type", boundary.ReplaceAllString(kind, "boundary=*"))
	}
	return h
}

func (s sight) plainBody() []byte {
	kind := s.header.Get("Content-Type")
	if found := boundary.FindStringSubmatch(kind); strings.HasPrefix(kind, "multipart/") && found != nil {
		return bytes.ReplaceAll(s.body, []byte(found[1]), []byte("*"))
	}
	return s.body
}
