package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

// cached answers like a server that has the origin's object: 304 to its
// tag, unless spoilt.
func cached(spoil string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			head := "ETag: " + originTag(path1K) + "\r\n"
			matches := request.Header.Get("If-None-Match") == originTag(path1K)
			switch {
			case spoil == "no tag":
				head = ""
			case spoil == "always 200":
				matches = false
			case spoil == "always 304":
				matches = true
			}
			if matches && spoil == "an empty 200" {
				conn.Write([]byte("HTTP/1.1 200 OK\r\n" + head + "Content-Length: 0\r\n\r\n"))
				continue
			}
			if matches {
				conn.Write([]byte("HTTP/1.1 304 Not Modified\r\n" + head + "\r\n"))
				continue
			}
			status := "200 OK"
			if spoil == "another status" {
				status = "404 Not Found"
			}
			conn.Write([]byte("HTTP/1.1 " + status + "\r\n" + head + "Content-Length: 1024\r\n\r\n"))
			body := originBody(path1K)
			if spoil == "another body" {
				body[1000] ^= 1
			}
			conn.Write(body)
		}
	}
}

func TestCheckNotModified_measuresA304AndRefusesWhatIsNone(t *testing.T) {
	length, err := checkNotModified(t.Context(), listen(t, cached("")), path1K)
	if want := len("HTTP/1.1 304 Not Modified\r\nETag: \"5f3a-1024\"\r\n\r\n"); err != nil || length != want {
		t.Errorf("got %d bytes and %v, want %d", length, err, want)
	}
	for spoil, complaint := range map[string]string{
		"no tag":         "not the origin's",
		"always 200":     "want 304",
		"an empty 200":   "want 304",
		"always 304":     "want 200",
		"another body":   "want 200",
		"another status": "want 200",
	} {
		if _, err := checkNotModified(t.Context(), listen(t, cached(spoil)), path1K); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%s: %v", spoil, err)
		}
	}
}

func TestAllNotModified_noticesBodiesInARun(t *testing.T) {
	const length = 400
	for _, c := range []struct {
		name             string
		requests         int64
		bytes            float64
		length           int
		wantsToBeRefused bool
	}{
		{"all 304", 1000, 1000 * length, length, false},
		{"as wrk rounds, with a longer Age", 1000, 1000*length + 4000, length, false},
		{"one in twenty with a body", 1000, 1000*length + 50*1024, length, true},
		{"all with a body", 1000, 1000 * (length + 1024), length, true},
		{"cut off", 1000, 900 * length, length, true},
		{"none", 0, 0, length, true},
		{"never checked", 1000, 1000 * length, 0, true},
	} {
		if err := allNotModified(load{Requests: c.requests, Bytes: c.bytes}, c.length); (err != nil) != c.wantsToBeRefused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestJudge_comparesA304WithItsOwnHit(t *testing.T) {
	page := scenario{Name: "x", Match: true, Marks: []mark{{Against: ownHit, AtMost: 1}}}
	theirs, ours := rounds(10, 10, 10), rounds(6, 8, 9)
	for i := range ours {
		theirs[i].HitCPUMicros, ours[i].HitCPUMicros = 10, 8
	}
	outcomes := []outcome{{Server: "nginx", Rounds: theirs}, {Server: "seawall", Rounds: ours}}
	r := judge(page, conditions{}, outcomes)
	if got := r.Verdicts[0]; got.Outcome != "reached" || got.Figure != (spread{1, 0.75, 1.125}) || r.Ratios["nginx"].Median != 0.8 {
		t.Errorf("got %+v, and %+v of nginx", got, r.Ratios)
	}
	text := r.markdown(page)
	for _, want := range []string{"| CPU per 304 at most 1 of its own hit | 1.00 (0.75 to 1.12) | reached |", "| nginx | 0.80 (0.60 to 0.90) |", "304 to own 200, CPU"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	for i := range ours {
		ours[i].HitCPUMicros = 7
	}
	if got := judge(page, conditions{}, outcomes).Verdicts[0]; got.Outcome != "not reached" {
		t.Errorf("a 304 that costs more than a hit: %+v", got)
	}
	if got := judge(page, conditions{}, outcomes[:1]).Verdicts[0]; got.Outcome != "not measured" {
		t.Errorf("without Seawall: %+v", got)
	}
}
