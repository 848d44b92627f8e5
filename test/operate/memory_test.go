package operate_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The stories about memory run one after the other, with the plain program.

const mebi = 1 << 20

// growth measures how much the peak of the program's memory rises.
func (p *program) growth(t *testing.T) func() int64 {
	t.Helper()
	before, err := p.memory("VmHWM")
	if err != nil {
		t.Fatal(err)
	}
	return func() int64 {
		t.Helper()
		after, err := p.memory("VmHWM")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("peak %d MiB, %d before", after/mebi, before/mebi)
		return after - before
	}
}

// TestMemory_bodiesStream both ways, with and without a length, in memory
// that has nothing to do with their size.
func TestMemory_bodiesStream(t *testing.T) {
	size := int64(1024 * mebi)
	if full {
		size = 10 * 1024 * mebi
	}
	const most = 100 * mebi
	digest := sha256.New()
	if _, err := io.Copy(digest, stream(size)); err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", digest.Sum(nil))
	s := newSite(t, "site")
	p := start(t, setup{plain: true, config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	grown := p.growth(t)

	upload := func(body io.Reader, length int64) {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "http://"+p.http+"/upload", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Host, r.ContentLength = "site.test", length
		text, err := readAll(r, nil)
		if want := fmt.Sprintf("%d %s <nil>", size, sum); err != nil || string(text) != want {
			t.Errorf("the site got %q, not %q: %v", text, want, err)
		}
	}
	download := func(query string, size int64, slow bool) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/download?size=%d%s", p.http, size, query), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "site.test"
		got, want := sha256.New(), sha256.New()
		if _, err := readAll(r, consumer(got, slow)); err != nil {
			t.Errorf("download%s: %v", query, err)
		}
		if _, err := io.Copy(want, stream(size)); err != nil || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
			t.Errorf("download%s: other bytes came than were sent: %v", query, err)
		}
	}
	upload(stream(size), size)
	upload(struct{ io.Reader }{stream(size)}, -1)
	download("", size, false)
	download("&chunked=1", size, false)
	download("", size/16, true)
	download("&chunked=1", size/16, true)
	if n := grown(); n > most {
		t.Errorf("the program's memory grew by %d MiB, more than %d", n/mebi, most/mebi)
	}
	p.checkWorld(t)
}

// readAll makes a request on a connection of its own. The body goes to w, or
// is returned when there is none.
func readAll(r *http.Request, w io.Writer) ([]byte, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", response.Status)
	}
	if w == nil {
		return io.ReadAll(io.LimitReader(response.Body, mebi))
	}
	_, err = io.Copy(w, response.Body)
	return nil, err
}

// consumer takes what is written at its leisure.
func consumer(w io.Writer, slow bool) io.Writer {
	if !slow {
		return w
	}
	return &leisure{w: w, tick: time.NewTicker(2 * time.Millisecond)}
}

type leisure struct {
	w     io.Writer
	tick  *time.Ticker
	since int
}

// Write waits a moment for every 64 KiB.
func (l *leisure) Write(b []byte) (int, error) {
	if l.since += len(b); l.since >= 64<<10 {
		l.since = 0
		<-l.tick.C
	}
	return l.w.Write(b)
}

// TestMemory_pipelinedAnswersWaitInBoundedMemory: a thousand answers are asked
// for before the first is read.
func TestMemory_pipelinedAnswersWaitInBoundedMemory(t *testing.T) {
	const requests, size, most = 1000, 60 << 10, 32 * mebi
	s := newSite(t, "site")
	p := start(t, setup{plain: true, config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	target := fmt.Sprintf("/kept?size=%d", size)
	p.enter(t).mustGet(t, "site.test", target, http.StatusOK)
	p.await(t, "the page to be kept", p.metricIs("seawall_cache_objects", 1))
	grown := p.growth(t)
	v := p.enter(t)
	sent := make(chan error, 1)
	go func() { sent <- v.send(strings.Repeat(request("site.test", target), requests)) }()
	// The edge has written what the sockets hold and waits for the visitor:
	// nothing more is answered between two looks.
	last := -1
	p.await(t, "the edge to wait", func() error {
		n, err := p.metric(`seawall_cache_results_total{result="hit"}`)
		if err == nil && (n == 0 || n != last) {
			err = fmt.Errorf("%d answers, %d before", n, last)
		}
		last = n
		return err
	})
	if last >= requests {
		t.Errorf("%d answers fit into the sockets; this proves nothing", last)
	}
	if n := grown(); n > most {
		t.Errorf("the program's memory grew by %d MiB while nobody read, more than %d", n/mebi, most/mebi)
	}
	want := string(pattern(size))
	for i := range requests {
		if a, err := v.receive(); err != nil || a.status != http.StatusOK || a.body != want {
			t.Fatalf("answer %d: status %d, %d bytes: %v", i, a.status, len(a.body), err)
		}
	}
	if err := <-sent; err != nil {
		t.Errorf("send: %v", err)
	}
	if n := grown(); n > most {
		t.Errorf("the program's memory grew by %d MiB, more than %d", n/mebi, most/mebi)
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the site was asked %d times", n)
	}
	p.checkWorld(t)
}
