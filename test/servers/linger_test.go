package servers_test

import (
	"net/http"
	"testing"
)

// TestEarly_refusalReachesAClientThatStopsSending: a client that gives up as
// soon as it cannot send has no eye for an answer then, so the edge must go on
// taking what comes for as long as the servers do (RFC 9112, 9.6).
func TestEarly_refusalReachesAClientThatStopsSending(t *testing.T) {
	const size = 20 << 20
	story(t, []string{"small.nginx.test", "small.lighttpd.test"}, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			for _, length := range []int64{size, -1} {
				r := v.request(http.MethodPost, "/app/upload", &counted{left: size})
				r.ContentLength = length
				v.want(v.send(r), http.StatusRequestEntityTooLarge, "")
			}
		})
	})
}
