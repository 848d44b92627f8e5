package edge

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

var longText = strings.Repeat("All work and no play makes a dull page. ", 200)

// compressible is an origin whose paths say what it answers.
func compressible(t *testing.T) *httptest.Server {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("ETag", `"v1"`)
		for _, word := range strings.Split(r.URL.Path, "/")[1:] {
			switch word {
			case "fresh":
				h.Set("Cache-Control", "max-age=60")
			case "untransformed":
				h.Set("Cache-Control", "max-age=60, no-transform")
			case "picture":
				h.Set("Content-Type", "image/png")
			case "coded":
				h.Set("Content-Encoding", "br")
			case "cookie":
				h.Set("Set-Cookie", "a=1")
			case "vary-cookie":
				h.Add("Vary", "Cookie")
			case "vary":
				h.Add("Vary", "X-A, accept-encoding")
			case "weak":
				h.Set("ETag", `W/"v1"`)
			case "ranges":
				h.Set("Accept-Ranges", "bytes")
				h.Set("Content-MD5", "x")
			}
		}
		switch {
		case strings.Contains(r.URL.Path, "/tiny"):
			fmt.Fprint(w, "tiny")
		case strings.Contains(r.URL.Path, "/pieces"):
			for i := 0; i < len(longText); i += 1000 {
				io.WriteString(w, longText[i:min(i+1000, len(longText))])
				w.(http.Flusher).Flush()
			}
		case strings.Contains(r.URL.Path, "/none"):
			w.WriteHeader(404)
			io.WriteString(w, longText)
		default:
			h.Set("Content-Length", fmt.Sprint(len(longText)))
			io.WriteString(w, longText)
		}
	}))
	t.Cleanup(origin.Close)
	return origin
}

func (s *stage) fetch(t *testing.T, method, path string, fields ...string) (*http.Response, []byte) {
	t.Helper()
	request := method + " " + path + " HTTP/1.1\r\nHost: a.test\r\n"
	for _, field := range fields {
		request += field + "\r\n"
	}
	response := s.ask(t, request+"\r\n")
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	s.events.next(t)
	return response, body
}

func unzip(t *testing.T, body []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCompression_encodesWhatIsWorthIt(t *testing.T) {
	s := newStage(t, zoneFor("a.test", compressible(t).URL))
	const gzips = "Accept-Encoding: gzip"
	for _, c := range []struct {
		path, fields  string
		encoded, vary bool // Vary: Accept-Encoding is there
		etag          string
	}{
		{"/fresh", gzips, true, true, `W/"v1"`},
		{"/fresh/weak", gzips, true, true, `W/"v1"`},
		{"/fresh/pieces", gzips, true, true, `W/"v1"`},
		{"/fresh/none", gzips, true, true, `W/"v1"`},
		{"/fresh/vary", gzips, true, true, `W/"v1"`},
		{"/passed", gzips, true, true, `W/"v1"`},
		{"/passed/pieces", gzips, true, true, `W/"v1"`},
		{"/fresh/tiny", gzips, false, false, `"v1"`},
		{"/fresh/picture", gzips, false, false, `"v1"`},
		{"/fresh/coded", "Accept-Encoding: gzip, br", false, false, `"v1"`},
		{"/untransformed", gzips, false, false, `"v1"`},
		{"/fresh/cookie", gzips, false, false, `"v1"`},
		{"/fresh/vary-cookie", gzips, false, false, `"v1"`},
		{"/passed/mine", gzips + "\r\nCookie: a=b", false, false, `"v1"`},
		{"/passed/mine", gzips + "\r\nAuthorization: Basic YTpi", false, false, `"v1"`},
		{"/fresh/identity", "Accept-Encoding: gzip;q=0.5, identity", false, true, `"v1"`},
		{"/fresh/refused", "Accept-Encoding: gzip;q=0, *;q=0", false, true, `"v1"`},
		{"/fresh/silent", "Accept: */*", false, true, `"v1"`},
	} {
		for turn := range 2 {
			response, body := s.fetch(t, "GET", c.path, c.fields)
			name := fmt.Sprintf("%s, %s, turn %d", c.path, c.fields, turn+1)
			text := string(body)
			if encoded := response.Header.Get("Content-Encoding") == "gzip"; encoded != c.encoded {
				t.Errorf("%s: Content-Encoding %q", name, response.Header.Get("Content-Encoding"))
				continue
			} else if encoded {
				text = unzip(t, body)
			}
			if text != longText && !strings.Contains(c.path, "tiny") {
				t.Errorf("%s: the body is another", name)
			}
			if varies := strings.Contains(strings.ToLower(strings.Join(response.Header.Values("Vary"), ",")), "accept-encoding"); varies != c.vary {
				t.Errorf("%s: Vary %q", name, response.Header.Values("Vary"))
			}
			if got := response.Header.Values("ETag"); len(got) != 1 || got[0] != c.etag {
				t.Errorf("%s: ETag %q", name, got)
			}
			if hit := strings.Contains(response.Header.Get("Cache-Status"), "hit"); hit != (turn == 1 && (strings.HasPrefix(c.path, "/fresh") || strings.HasPrefix(c.path, "/untr"))) {
				t.Errorf("%s: Cache-Status %q", name, response.Header.Get("Cache-Status"))
			}
			if turn == 1 && c.encoded && strings.HasPrefix(c.path, "/fresh") && response.ContentLength != int64(len(body)) {
				t.Errorf("%s: %d bytes, said %d", name, len(body), response.ContentLength)
			}
		}
	}
}

// RFC 9110, 8.8.3.3, 13.1 and 14.2: conditions and ranges about the encoded form.
func TestCompression_answersConditionsAndRanges(t *testing.T) {
	s := newStage(t, zoneFor("a.test", compressible(t).URL))
	const path, gzips = "/fresh/ranges", "Accept-Encoding: gzip"
	s.fetch(t, "GET", path)
	response, body := s.fetch(t, "GET", path, gzips)
	if response.Header.Get("Content-Encoding") != "gzip" || response.Header.Get("Accept-Ranges") != "" || response.Header.Get("Content-MD5") != "" || unzip(t, body) != longText {
		t.Errorf("%v", response.Header)
	}
	response, body = s.fetch(t, "HEAD", path, gzips)
	if response.Header.Get("Content-Encoding") != "gzip" || len(body) != 0 || response.Header.Get("ETag") != `W/"v1"` {
		t.Errorf("HEAD: %v", response.Header)
	}
	for _, tag := range []string{`"v1"`, `W/"v1"`} {
		response, _ = s.fetch(t, "GET", path, gzips, "If-None-Match: "+tag)
		if response.StatusCode != 304 || response.Header.Get("ETag") != `W/"v1"` || response.Header.Get("Vary") != "Accept-Encoding" || response.Header.Get("Content-Encoding") != "" {
			t.Errorf("If-None-Match %s: %d, %v", tag, response.StatusCode, response.Header)
		}
	}
	response, body = s.fetch(t, "GET", path, gzips, "Range: bytes=2-5")
	if response.StatusCode != 206 || string(body) != longText[2:6] || response.Header.Get("Content-Encoding") != "" || response.Header.Get("ETag") != `"v1"` {
		t.Errorf("a range: %d, %q, %v", response.StatusCode, body, response.Header)
	}
	response, body = s.fetch(t, "GET", path, gzips, "Range: bytes=2-5", `If-Range: W/"v1"`)
	if response.StatusCode != 200 || len(body) < 1000 {
		t.Errorf("a range of what was encoded: %d, %d bytes", response.StatusCode, len(body))
	}
}

func TestCompression_isMadeOnceForEachObject(t *testing.T) {
	s := newStage(t, zoneFor("a.test", compressible(t).URL))
	s.fetch(t, "GET", "/fresh")
	before := s.edge.Totals().Memory.Bytes
	var wait sync.WaitGroup
	var wrong atomic.Int64
	for range 8 {
		wait.Go(func() {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				wrong.Add(1)
				return
			}
			defer conn.Close()
			for range 20 {
				fmt.Fprintf(conn, "GET /fresh HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: gzip\r\n\r\n")
			}
			reader := bufio.NewReader(conn)
			for range 20 {
				response, err := http.ReadResponse(reader, nil)
				if err != nil || response.Header.Get("Content-Encoding") != "gzip" {
					wrong.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
			}
		})
	}
	wait.Wait()
	for range 160 {
		s.events.next(t)
	}
	after := s.edge.Totals().Memory.Bytes
	if wrong.Load() > 0 || after <= before || after > before+int64(len(longText)) {
		t.Errorf("%d wrong answers; %d bytes stored before, %d after", wrong.Load(), before, after)
	}
	key := []byte("a.test\x00ha.test/fresh")
	z := s.edge.zones.Load().list[0]
	object, _ := z.cache.zone.Lookup(key, &wire.Fields{})
	if object == nil {
		t.Fatal("nothing is stored")
	}
	first := z.cache.zone.Encoded(key, object, z.compression.codings[2], 5)
	if again := z.cache.zone.Encoded(key, object, z.compression.codings[2], 5); len(first) == 0 || &first[0] != &again[0] {
		t.Error("it was made twice")
	}
}

// What there is reaches the visitor before the next piece is sent.
func TestCompression_holdsNothingBack(t *testing.T) {
	for _, kind := range []string{"text/event-stream", "text/html"} {
		t.Run(kind, func(t *testing.T) { holdsNothingBack(t, kind) })
	}
}

func holdsNothingBack(t *testing.T, kind string) {
	next := make(chan string)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for event := range next {
			io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
	}))
	t.Cleanup(origin.Close)
	s := newStage(t, zoneFor("a.test", origin.URL))
	response := make(chan *http.Response, 1)
	go func() { next <- "data: 0\n\n" }()
	response <- s.ask(t, "GET /events HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: gzip\r\n\r\n")
	r := <-response
	if r.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%v", r.Header)
	}
	zipped, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(zipped)
	for i := range 5 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = lines.ReadString('\n')
		if i < 4 {
			next <- fmt.Sprintf("data: %d\n\n", i+1) // only now
		}
	}
	close(next)
	if _, err := io.ReadAll(lines); err != nil {
		t.Error(err)
	}
	if streams.Load() != 0 || encoders.Load() != 0 {
		s.events.next(t)
		t.Errorf("%d streams and %d encoders are still counted", streams.Load(), encoders.Load())
	}
}

func TestCompression_switchesAndLevels(t *testing.T) {
	origin := compressible(t).URL
	for name, c := range map[string]struct {
		set  func(*spec.CompressionSpec)
		ask  string
		path string
		want string
	}{
		"off":              {func(s *spec.CompressionSpec) { s.Off = true }, "gzip, br", "/fresh", ""},
		"the best liked":   {func(*spec.CompressionSpec) {}, "gzip, br, zstd", "/fresh", "zstd"},
		"its weight first": {func(*spec.CompressionSpec) {}, "gzip, br;q=0.9, zstd;q=0.9", "/fresh", "gzip"},
		"another order":    {func(s *spec.CompressionSpec) { s.Codings = []string{"br", "gzip"} }, "gzip, br, zstd", "/fresh", "br"},
		"cookies, too":     {func(s *spec.CompressionSpec) { s.Cookies = true }, "gzip", "/fresh/cookie", "gzip"},
		"only large ones":  {func(s *spec.CompressionSpec) { s.MinSize = 1 << 20 }, "gzip", "/fresh", ""},
	} {
		z := zoneFor("a.test", origin)
		c.set(&z.Compression)
		s := newStage(t, z)
		for turn := range 2 {
			if response, _ := s.fetch(t, "GET", c.path, "Accept-Encoding: "+c.ask); response.Header.Get("Content-Encoding") != c.want {
				t.Errorf("%s, turn %d: %q, want %q", name, turn+1, response.Header.Get("Content-Encoding"), c.want)
			}
		}
	}
}
