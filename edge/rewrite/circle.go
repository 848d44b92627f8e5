package rewrite

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// mostHops is after how many redirects browsers are near giving up.
const mostHops = 10

// circles returns what goes round in circles, or does not end: for each rule
// and each entry of a list an address that it is about is followed, as a
// browser would that sends nothing else.
func (r *Redirects) circles(s spec.RedirectsSpec, hosts []string) (wrong []spec.Mistake) {
	host := "example.com"
	for _, h := range hosts {
		if !strings.Contains(h, "*") {
			host = h
			break
		}
	}
	for i, one := range s.Rules {
		path := "/"
		if from := r.rules[i].from; from != nil {
			path = from.Sample()
		}
		at := host
		for _, h := range one.When.Host {
			if !strings.ContainsAny(h, "*~@\\") {
				at = h
				break
			}
		}
		if way := r.follow(at, path); way != "" {
			wrong = append(wrong, spec.Mistake{Path: fmt.Sprintf("redirects.rules[%d].to", i), Text: way})
		}
	}
	const enough = 20
	for i := range r.tables {
		for from := range r.tables[i].entries {
			at, path := host, from
			if from[0] != '/' {
				at, path, _ = strings.Cut(from, "/")
				path = "/" + path
			}
			if way := r.follow(at, path); way != "" && len(wrong) < enough {
				wrong = append(wrong, spec.Mistake{Path: fmt.Sprintf("redirects.lists[%d]", i), Text: way})
			}
		}
	}
	return wrong
}

// follow returns the way that does not end; "" if it does.
func (r *Redirects) follow(host, path string) string {
	at := &url.URL{Scheme: "http", Host: host, Path: path}
	seen := map[string]bool{}
	var way []string
	for {
		here := at.Scheme + "://" + at.Host + at.RequestURI()
		way = append(way, here)
		if seen[here] {
			return "it goes round in a circle: " + strings.Join(way, " -> ")
		}
		if seen[here] = true; len(way) > mostHops {
			return fmt.Sprintf("it does not end: %s -> %s -> %s and so on", way[0], way[1], way[2])
		}
		found := r.Find(nil, &rule.Facts{
			Host: []byte(at.Hostname()), Path: []byte(at.Path), Target: []byte(at.RequestURI()), Method: []byte("GET"),
			Secure: at.Scheme == "https", Fields: &wire.Fields{},
		}, []byte(at.Host))
		if found == nil {
			return ""
		}
		next, err := at.Parse(string(found.Location))
		if err != nil || !r.claims(next.Hostname()) {
			return "" // that is somebody else's
		}
		at = next
	}
}
