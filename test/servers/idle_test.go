package servers_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestIdle_connectionsThatServersCloseAreNoFailure: after every answer, after
// some, or when they have been idle for a moment that is just about as long as
// ours. Two hundred requests, one after the other, all get their answer.
func TestIdle_connectionsThatServersCloseAreNoFailure(t *testing.T) {
	require(t)
	const requests = 200
	content := pattern(pageSize)
	newBefore, againBefore := world.edge.connections(t)
	story(t, []string{
		"zero.nginx.test", "once.nginx.test", "third.nginx.test", "brief.nginx.test",
		"third.apache.test", "brief.apache.test", "third.lighttpd.test", "python10.test", "node.test",
	}, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		// Where the server closes what has been idle for 20 ms, the waits go
		// from 15 to 25: the race is what is wanted here.
		wait := time.NewTimer(0)
		defer wait.Stop()
		for i := range requests {
			if strings.HasPrefix(s.host, "brief.") {
				<-wait.C
				wait.Reset(15*time.Millisecond + time.Duration(i%11)*time.Millisecond)
			}
			got := v.get("/files/page.bin", "Range: bytes=0-99", "Cache-Control: no-cache")
			if !bytes.HasPrefix(got.body, content[:100]) || got.broken || got.status >= 300 {
				t.Fatalf("request %d: %d, %d bytes, broken off: %v", i, got.status, len(got.body), got.broken)
			}
		}
	})
	fresh, again := world.edge.connections(t)
	fresh, again = fresh-newBefore, again-againBefore
	t.Logf("%d connections opened, %d times used again", fresh, again)
	// Three close after every answer, three after some.
	if fresh < 3*requests+3*requests/4 || again < 3*requests/4 {
		t.Errorf("%d connections opened, %d times used again: the servers did not do as they were told", fresh, again)
	}
}

// connections returns how many to servers the edge has opened, and how often
// one was used again.
func (e *edge) connections(t *testing.T) (opened, reused int64) {
	t.Helper()
	return e.sample(t, `seawall_origin_connections_total{result="opened"}`), e.sample(t, `seawall_origin_connections_total{result="reused"}`)
}

// TestIdle_connectionsAreUsedAgain where a server keeps them, and by others:
// ten visitors with twenty requests each open few.
func TestIdle_connectionsAreUsedAgain(t *testing.T) {
	require(t)
	const visitors, requests = 10, 20
	newBefore, againBefore := world.edge.connections(t)
	hosts := []string{"nginx.test", "apache.test", "lighttpd.test", "node.test", "python11.test"}
	story(t, hosts, func(t *testing.T, s *server) {
		var all sync.WaitGroup
		for range visitors {
			v := enter(t, s, true)
			all.Go(func() {
				for range requests {
					r := v.request(http.MethodGet, "/app/login", nil)
					response, err := v.client.Do(r)
					if err != nil {
						t.Errorf("%v", err)
						return
					}
					_ = response.Body.Close() // the sight has it
					v.want(v.sights[len(v.sights)-1], http.StatusOK, "who are you?")
				}
			})
		}
		all.Wait()
	})
	asked := int64(len(hosts) * visitors * requests)
	fresh, again := world.edge.connections(t)
	fresh, again = fresh-newBefore, again-againBefore
	t.Logf("%d connections opened, %d times used again", fresh, again)
	if most := int64(len(hosts) * visitors * 4); fresh > most || fresh+again < asked {
		t.Errorf("%d connections opened and %d times used again for %d requests; at most %d new ones were needed", fresh, again, asked, most)
	}
}
