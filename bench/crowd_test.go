package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gather opens so many connections to a server, without a network, so that
// time can be that of synctest.
func gather(t *testing.T, count int, serve func(net.Conn)) (visitors []visitor) {
	t.Helper()
	for range count {
		near, far := net.Pipe()
		t.Cleanup(func() { near.Close() })
		go func() {
			defer far.Close()
			serve(far)
		}()
		visitors = append(visitors, visitor{near, bufio.NewReader(near)})
	}
	return visitors
}

func TestRush_measuresUntilTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		visitors := gather(t, 50, func(conn net.Conn) { o.answerAll(conn) })
		for n, path := range []string{crowdPassed + "1", crowdKept + "1"} {
			versions, last, err := rush(t.Context(), visitors, path)
			if err != nil || last != crowdDelay || len(versions) != 50 {
				t.Errorf("%s: last of %d after %v, %v", path, len(versions), last, err)
			}
			if err := credibleCrowd(form{Prefix: crowdPassed}, versions, 50); err != nil {
				t.Errorf("%s: the origin gave one version twice: %v", path, err)
			}
			if got := o.served.Load(); got != int64(50*(n+1)) {
				t.Errorf("%s: the origin counted %d", path, got)
			}
		}
	})
}

func TestOrigin_saysWhichObjectsOfCrowdsMayBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		for path, want := range map[string]string{crowdKept + "1": "public, max-age=2", crowdPassed + "1": "no-store"} {
			response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(o.late(path))), nil)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got := response.Header.Get("Cache-Control"); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	})
}

func TestRush_refusesACrowdWithAVisitorWithoutItsAnswer(t *testing.T) {
	good := newOrigin().late
	for name, spoil := range map[string]func(string) string{
		"an error":          func(string) string { return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" },
		"closed":            func(string) string { return "" },
		"broken off":        func(answer string) string { return answer[:len(answer)-1] },
		"of two versions":   func(answer string) string { return strings.Replace(answer, `"crowd-`, `"crowd-7`, 1) },
		"with another body": func(answer string) string { return strings.TrimSuffix(answer, ".") + "," },
	} {
		synctest.Test(t, func(t *testing.T) {
			var turn sync.Mutex
			number := 0
			visitors := gather(t, 3, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				answer := string(good(crowdKept))
				turn.Lock()
				if number++; number == 2 {
					answer = spoil(answer)
				}
				turn.Unlock()
				conn.Write([]byte(answer))
			})
			if _, _, err := rush(t.Context(), visitors, crowdKept); err == nil || !strings.Contains(err.Error(), "1 of 3 visitors") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestRush_endsWhenTheRunIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(conn net.Conn) {
			for buffer := make([]byte, 1024); ; {
				if _, err := conn.Read(buffer); err != nil {
					return
				}
			}
		}
		visitors := gather(t, 2, silent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, _, err := rush(ctx, visitors, crowdKept); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want the interruption after a second", err, time.Since(began))
		}
	})
}

// keeper answers from memory what it has, for as long as it likes.
type keeper struct {
	sync.Mutex
	origin *origin
	answer []byte
}

func (k *keeper) serve(conn net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		k.Lock()
		if k.answer == nil {
			k.answer = k.origin.late(request.URL.Path)
		}
		conn.Write(k.answer)
		k.Unlock()
	}
}

func TestExpire_waitsUntilTheObjectHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{origin: newOrigin()}
		visitors := gather(t, 1, k.serve)
		began := time.Now()
		version, err := expire(t.Context(), visitors, crowdKept)
		if took := time.Since(began); err != nil || version != 1 || took != crowdDelay+crowdExpired {
			t.Errorf("version %d after %v, %v", version, took, err)
		}
	})
}

func TestExpire_refusesAServerThatKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		visitors := gather(t, 1, func(conn net.Conn) { o.answerAll(conn) })
		if _, err := expire(t.Context(), visitors, crowdKept); err == nil || !strings.Contains(err.Error(), "still asks the origin") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCredibleCrowd_refusesWhatWasNoCrowd(t *testing.T) {
	for _, c := range []struct {
		name             string
		prefix           string
		versions         []int64
		asked            int64
		wantsToBeRefused bool
	}{
		{"one answer for all", crowdKept, []int64{7, 7, 7}, 1, false},
		{"answered from memory alone", crowdKept, []int64{7, 7, 7}, 0, true},
		{"an answer for each", crowdPassed, []int64{9, 7, 8}, 3, false},
		{"an answer for two that may not be stored", crowdPassed, []int64{7, 8, 7}, 2, true},
	} {
		if err := credibleCrowd(form{Prefix: c.prefix}, c.versions, c.asked); (err != nil) != c.wantsToBeRefused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

var twoCrowds = scenario{Name: "x", Crowds: []form{
	{Name: "new", Prefix: crowdKept, Asked: 1},
	{Name: "old", Prefix: crowdKept, Stored: true, Asked: 1, Last: mark{Against: "nginx", AtMost: 1.1}},
}}

func crowdRounds(all ...crowd) (out []round) {
	for _, c := range all {
		out = append(out, round{Crowds: []crowd{c, c}})
	}
	return out
}

func TestJudge_judgesCrowdsByTheWorstRound(t *testing.T) {
	nginx := outcome{Server: "nginx", Rounds: crowdRounds(crowd{Asked: 1000, LastMillis: 400}, crowd{Asked: 1000, LastMillis: 400})}
	for _, c := range []struct {
		name string
		ours []round
		want [3]string
	}{
		{"once", crowdRounds(crowd{Asked: 1, LastMillis: 400}, crowd{Asked: 1, LastMillis: 440}), [3]string{"reached", "reached", "reached"}},
		{"twice in one round", crowdRounds(crowd{Asked: 1, LastMillis: 800}, crowd{Asked: 2, LastMillis: 800}), [3]string{"not reached", "not reached", "not reached"}},
		{"expired in one round", crowdRounds(crowd{Asked: 1, LastMillis: 4}, crowd{Asked: 1, LastMillis: 4, Expired: 1}), [3]string{"not reached", "not reached", "reached"}},
		{"no rounds", nil, [3]string{"not measured", "not measured", "not measured"}},
	} {
		r := judge(twoCrowds, conditions{Visitors: 1000}, []outcome{nginx, {Server: "seawall", Rounds: c.ours}})
		var got [3]string
		for i, v := range r.Verdicts {
			got[i] = v.Outcome
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMarkdown_showsCrowdsBesideEachOther(t *testing.T) {
	r := judge(twoCrowds, conditions{Visitors: 1234}, []outcome{
		{Server: "nginx", Version: "1", Rounds: crowdRounds(crowd{Asked: 1000, LastMillis: 400, CPUMicros: 70, Expired: 3})},
		{Server: "seawall", Version: "2", Rounds: crowdRounds(crowd{Asked: 1, LastMillis: 200, CPUMicros: 20})},
	})
	page := r.markdown(twoCrowds)
	for _, want := range []string{"1234 visitors", "| server | new: origin requests | last answer ms | CPU us/visitor | old: origin requests | last answer ms | CPU us/visitor | expired answers |",
		"| nginx 1 | 1000 (1000 to 1000) | 400 (400 to 400) | 70 (70 to 70) | 1000 (1000 to 1000) | 400 (400 to 400) | 70 (70 to 70) | 3 (3 to 3) |",
		"| nginx | 0.50 (0.50 to 0.50) | 0.50 (0.50 to 0.50) |", "| new: origin requests at most 1 in every round, and no expired answer | 1.00 (1.00 to 1.00) | reached |"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}
