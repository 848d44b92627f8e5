package servers_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// part is a question about some of a file, and the answer that is right.
type part struct {
	name   string
	fields []string
	status int    // 0: what the server itself says is right
	body   []byte // nil: likewise
}

// parts asks for all that resuming clients, players and readers of documents
// ask for.
func parts(content []byte, tag, changed string) []part {
	return []part{
		{"the beginning", []string{"Range: bytes=0-99"}, 206, content[:100]},
		{"one byte", []string{"Range: bytes=0-0"}, 206, content[:1]},
		{"the middle", []string{"Range: bytes=100000-199999"}, 206, content[100000:200000]},
		{"from here on", []string{"Range: bytes=299990-"}, 206, content[299990:]},
		{"beyond the end", []string{"Range: bytes=299990-999999"}, 206, content[299990:]},
		{"the end", []string{"Range: bytes=-7"}, 206, content[pageSize-7:]},
		{"everything", []string{"Range: bytes=0-"}, 206, content},
		{"nothing that is there", []string{"Range: bytes=300000-"}, 416, nil},
		{"nonsense", []string{"Range: bytes=x-y"}, 0, nil},
		{"another unit", []string{"Range: lines=1-2"}, 0, nil},
		{"if it is the same", []string{"Range: bytes=10-19", "If-Range: " + tag}, 206, content[10:20]},
		{"if it were another", []string{"Range: bytes=10-19", `If-Range: "another"`}, 200, content},
		{"if of that date", []string{"Range: bytes=10-19", "If-Range: " + changed}, 0, nil},
		{"if of another date", []string{"Range: bytes=10-19", "If-Range: Wed, 28 Feb 2024 12:00:00 GMT"}, 0, nil},
		{"if newer than this", []string{"If-None-Match: " + tag}, 304, []byte{}},
		{"if newer than some", []string{`If-None-Match: "another", ` + tag}, 0, nil},
		{"if newer than another", []string{`If-None-Match: "another"`}, 200, content},
		{"if newer than this date", []string{"If-Modified-Since: " + changed}, 0, nil},
		{"if newer than an older date", []string{"If-Modified-Since: Wed, 28 Feb 2024 12:00:00 GMT"}, 200, content},
		{"a range and the same", []string{"Range: bytes=0-9", "If-None-Match: " + tag}, 304, []byte{}},
		{"a range if not another", []string{"Range: bytes=0-9", `If-None-Match: "another"`}, 206, content[:10]},
	}
}

// TestDownload_inParts: ranges and conditions get the answers that the server
// gives, where the edge has no copy.
func TestDownload_inParts(t *testing.T) {
	content := pattern(pageSize)
	story(t, append(slices.Clone(static), "node.test"), func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) { v.askForParts("/files/page.bin?in-parts", content) })
	})
}

// askForParts asks for a file, and then for parts of it.
func (v *visitor) askForParts(target string, content []byte) {
	v.t.Helper()
	const unkept = "Cache-Control: no-store"
	whole := v.get(target, unkept)
	tag, changed := whole.header.Get("ETag"), whole.header.Get("Last-Modified")
	if whole.status != http.StatusOK || !bytes.Equal(whole.body, content) || tag == "" || changed == "" {
		v.t.Fatalf("%s: the whole file: %d, %d bytes, ETag %q, Last-Modified %q", v.way(), whole.status, len(whole.body), tag, changed)
	}
	for _, ask := range parts(content, tag, changed) {
		got := v.get(target, append(slices.Clone(ask.fields), unkept)...)
		if ask.status != 0 && got.status != ask.status || ask.body != nil && !bytes.Equal(got.body, ask.body) {
			v.t.Errorf("%s: %s: %d, %d bytes, want %d, %d", v.way(), ask.name, got.status, len(got.body), ask.status, len(ask.body))
		}
	}
	if v.server.host != "node.test" {
		got := v.get(target, "Range: bytes=0-9,1000-1099,-5", unkept)
		if got.status != http.StatusPartialContent || !strings.HasPrefix(got.header.Get("Content-Type"), "multipart/byteranges") {
			v.t.Errorf("%s: several ranges: %d %s", v.way(), got.status, got.header.Get("Content-Type"))
		}
	}
	v.get(target, "Range: bytes=0-9, 1000-1099, -5", unkept) // not all servers understand the blanks
	head := v.send(v.request(http.MethodHead, target, nil))
	if head.status != http.StatusOK || head.length != pageSize || len(head.body) > 0 {
		v.t.Errorf("%s: HEAD: %d, length %d, %d bytes", v.way(), head.status, head.length, len(head.body))
	}
	v.send(v.request(http.MethodHead, target, nil, "Range: bytes=0-9"))
	v.send(v.request(http.MethodHead, "/files/nowhere", nil))
	v.send(v.request(http.MethodHead, "/app/login", nil))
}

// TestDownload_keptInParts: of a file that the edge keeps, too, a part is the
// right part (RFC 9110, 14.2), and what is the same is not sent again. A range
// that makes no sense may be answered with the whole.
func TestDownload_keptInParts(t *testing.T) {
	content := pattern(pageSize)
	story(t, []string{"nginx.test"}, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		whole := v.get("/kept/page.bin")
		for _, ask := range parts(content, whole.header.Get("ETag"), whole.header.Get("Last-Modified")) {
			got := v.get("/kept/page.bin", ask.fields...)
			right := (ask.status == 0 || got.status == ask.status) && (ask.body == nil || bytes.Equal(got.body, ask.body))
			instead := ask.status == 0 && got.status == http.StatusOK && bytes.Equal(got.body, content) && got.header.Get("Content-Range") == ""
			if !right && !instead {
				t.Errorf("%s: %d, %d bytes, want %d, %d", ask.name, got.status, len(got.body), ask.status, len(ask.body))
			}
			if !strings.Contains(got.header.Get("Cache-Status"), "; hit") {
				t.Errorf("%s: %q, not a copy", ask.name, got.header.Get("Cache-Status"))
			}
		}
		several := v.get("/kept/page.bin", "Range: bytes=0-9,1000-1099,-5")
		if several.status != http.StatusPartialContent || !strings.HasPrefix(several.header.Get("Content-Type"), "multipart/byteranges") {
			t.Errorf("several ranges: %d %s", several.status, several.header.Get("Content-Type"))
		}
	})
}

// TestDownload_compressedStaysAsItIs: with the bytes that the server made,
// and the plain form for whoever does not understand the other.
func TestDownload_compressedStaysAsItIs(t *testing.T) {
	plain := bytes.Repeat([]byte("the same line again\n"), 5000)
	story(t, applications, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			for range 2 { // the second may come from the edge's memory
				got := v.get("/app/gzip", "Accept-Encoding: gzip")
				unpacked, err := unpack(got.body)
				if err != nil || got.header.Get("Content-Encoding") != "gzip" || !bytes.Equal(unpacked, plain) {
					v.t.Errorf("%s: %q of %d bytes, %d unpacked: %v", v.way(), got.header.Get("Content-Encoding"), len(got.body), len(unpacked), err)
				}
			}
		})
	})
	story(t, []string{"nginx.test", "apache.test"}, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			for _, accept := range []string{"gzip", "identity", "gzip", "identity", "br, gzip;q=0"} {
				got := v.get("/files/small.txt", "Accept-Encoding: "+accept)
				if packed := got.header.Get("Content-Encoding") == "gzip"; packed != (accept == "gzip") {
					v.t.Errorf("%s: asked for %s, got %q", v.way(), accept, got.header.Get("Content-Encoding"))
				}
			}
		})
	})
}

func unpack(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// TestDownload_largeTakesNoMemory: 64 MiB stream through a program that may
// collect its garbage, and that grows by much less.
func TestDownload_largeTakesNoMemory(t *testing.T) {
	require(t)
	const most = 24 << 20
	e, err := world.startEdge("memory", "GOGC=100")
	if err != nil {
		t.Fatal(err)
	}
	memory := func(name string) int64 {
		t.Helper()
		n, err := program.Memory(e.process.PID(), name)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	want := sha256.Sum256(pattern(largeSize))
	load := func(host, target string, size int64) (sum []byte) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, "http://"+e.http+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		digest := sha256.New()
		if n, err := io.Copy(digest, response.Body); err != nil || size >= 0 && n != size {
			t.Fatalf("%s%s: %d bytes: %v", host, target, n, err)
		}
		return digest.Sum(nil)
	}
	for _, host := range applications {
		load(host, "/files/nowhere", -1) // buffers and stacks that stay
	}
	before := memory("VmHWM")
	for _, host := range applications {
		if sum := load(host, "/files/large.bin", largeSize); !bytes.Equal(sum, want[:]) {
			t.Errorf("%s: other bytes came than are there: %x", host, sum)
		}
	}
	after := memory("VmHWM")
	t.Logf("peak %d MiB, %d before", after>>20, before>>20)
	if after-before > most {
		t.Errorf("the program grew by %d MiB while %d x %d MiB passed, more than %d",
			(after-before)>>20, len(applications), largeSize>>20, most>>20)
	}
	e.check(t)
	if err := e.process.Stop(patience); err != nil {
		t.Error(err)
	}
}

// TestDownload_brokenOffStaysBroken: an answer that the application does not
// finish is never passed off as whole, and one that it ends is whole.
func TestDownload_brokenOffStaysBroken(t *testing.T) {
	half := strings.Repeat("half ", 1000)
	// What lighttpd and Apache themselves make of PHP's death depends on which
	// comes first, its last bytes or its end; Apache besides forgets what length
	// PHP had promised.
	hosts := []string{"nginx.test", "node.test", "python10.test", "python11.test"}
	story(t, hosts, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			for _, target := range []string{"/app/leaves", "/app/short", "/app/dies", "/app/leaves"} {
				got := v.tryToGet(target)
				broken := target == "/app/dies" || target == "/app/short"
				if got.broken != broken || !strings.HasPrefix(half, string(got.body)) || !broken && len(got.body) != len(half) {
					v.t.Errorf("%s: %s: %d bytes, broken off: %v", v.way(), target, len(got.body), got.broken)
				}
			}
		})
	})
}

// tryToGet is get for an answer that may be broken off.
func (v *visitor) tryToGet(target string) sight {
	v.t.Helper()
	response, err := v.client.Do(v.request(http.MethodGet, target, nil))
	if err != nil {
		v.t.Fatalf("%s: %s: %v", v.way(), target, err)
	}
	_ = response.Body.Close() // the sight has it
	return v.sights[len(v.sights)-1]
}
