package origin

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// fieldRules says which fields pass, in either direction. It is compiled
// once for a zone.
type fieldRules struct {
	pass [][]byte // of requests, though they usually do not
	hide [][]byte // of answers, besides those that reveal the server
	show [][]byte // of answers, though they reveal the server

	client   []byte // the field that gets the visitor's address; nil: none
	keepURLs bool

	loopID   []byte // this edge in CDN-Loop
	loopLine []byte // what this zone adds to it
}

func compileFields(o *spec.OriginSpec, loopID, zone string) fieldRules {
	rules := fieldRules{pass: names(o.Pass), hide: names(o.Hide), show: names(o.Show), keepURLs: o.KeepURLs}
	if o.ClientAddressField != "" {
		rules.client = []byte(o.ClientAddressField)
	}
	if loopID != "" {
		rules.loopID = []byte(loopID)
		rules.loopLine = []byte(loopID + `; zone="` + zone + `"`)
	}
	return rules
}

func names(list []string) (names [][]byte) {
	for _, name := range list {
		names = append(names, []byte(name))
	}
	return names
}

func among(list [][]byte, name []byte) bool {
	for _, n := range list {
		if wire.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// forwards reports whether a visitor's field is sent on, as far as its name
// decides. A trusted proxy may make claims about the visitor.
func (r *fieldRules) forwards(known wire.Name, name []byte, trusted bool) bool {
	if r.client != nil && wire.EqualFold(name, r.client) {
		return false // the edge writes it itself
	}
	switch {
	case known.Claim():
		return trusted || among(r.pass, name)
	case known.Order():
		return among(r.pass, name)
	case known == wire.Other && bytes.IndexByte(name, '_') >= 0:
		// Applications behind CGI and its heirs read "_" as "-": this could be
		// any field, and all of the above.
		return among(r.pass, name)
	}
	return true
}

// answers reports whether a field of an answer goes to the visitor, as far as
// its name decides.
func (r *fieldRules) answers(known wire.Name, name []byte) bool {
	if known.Reveals() {
		return among(r.show, name)
	}
	return len(r.hide) == 0 || !among(r.hide, name)
}

// loops reports whether the request has been in this zone of this edge
// before (RFC 8586), or in more zones of it than anybody needs.
func (r *fieldRules) loops(f *wire.Fields) bool {
	const most = 8
	seen := 0
	for i := f.Next(wire.CDNLoop, -1); i >= 0; i = f.Next(wire.CDNLoop, i) {
		wire.EachElement(f.Value(i), func(element []byte) bool {
			id, _, _ := bytes.Cut(element, []byte(";"))
			if len(r.loopID) > 0 && bytes.Equal(bytes.TrimSpace(id), r.loopID) {
				seen++
				if bytes.Equal(element, r.loopLine) {
					seen = most + 1
				}
			}
			return true
		})
	}
	return seen > most
}
