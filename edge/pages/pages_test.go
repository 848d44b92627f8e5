package pages

import (
	"bytes"
	"encoding/json"
	"html"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

var noon = time.Date(2026, 2, 3, 12, 4, 5, 0, time.FixedZone("", 2*3600))

func page(r seawall.Reason) Page {
	return Page{Reason: r, ID: seawall.MakeRequestID(noon.Unix(), 0x0123456789abcdef), Host: []byte("shop.example"), Time: noon}
}

func TestAppend_hasAPageForEveryReason(t *testing.T) {
	for r := range seawall.Reason(seawall.Reasons) {
		for _, form := range []Form{Text, HTML, Problem} {
			p := page(r)
			p.Host = bytes.Repeat([]byte("long."), 60)
			got := string(Append([]byte("before"), p, form))
			got, kept := strings.CutPrefix(got, "before")
			if !kept {
				t.Fatalf("%v: what was in dst is gone", r)
			}
			if r.Status() == statusNobody {
				if got != "" {
					t.Errorf("%v: a page for nobody: %q", r, got)
				}
				continue
			}
			status, sentence := r.Status(), r.Sentence()
			if r == seawall.ReasonNone {
				status, sentence = 500, seawall.ReasonInternal.Sentence()
			}
			for _, want := range []string{strconv.Itoa(status), p.ID.String(), sentence} {
				if r == seawall.ReasonMaintenance && form == HTML && want == "503" {
					continue // a number means nothing to people who are told that nothing is broken
				}
				if !strings.Contains(html.UnescapeString(got), want) {
					t.Errorf("%v, form %d: the page lacks %q", r, form, want)
				}
			}
			if len(got) > 6<<10 {
				t.Errorf("%v, form %d: %d bytes, want at most 6 KiB", r, form, len(got))
			}
			if strings.Contains(got, "{{") {
				t.Errorf("%v, form %d: a mark was left", r, form)
			}
		}
	}
}

func TestAppend_saysWhereTheFaultLies(t *testing.T) {
	for r := seawall.ReasonRequestLine; int(r) < seawall.Reasons; r++ {
		told := stories[storyOf(r, r.Status())]
		origin := strings.HasPrefix(r.String(), "origin-")
		setup := r == seawall.ReasonUnknownHost || r == seawall.ReasonLoop // the site's, found before the origin is asked
		if atSite := told.broken == pieceRoute || told.broken == pieceSite; atSite != (origin || setup) {
			t.Errorf("%v: the picture marks piece %q", r, pieceNames[told.broken])
		}
		if r.Status() < 500 && told.broken == pieceEdge {
			t.Errorf("%v: a refusal with %d blames the edge", r, r.Status())
		}
	}
}

func TestAppend_tellsTheStoryOfTheReason(t *testing.T) {
	for r, want := range map[seawall.Reason]string{
		seawall.ReasonConnections:       "503 Too much is going on right now",
		seawall.ReasonShortage:          "503 Too much is going on right now",
		seawall.ReasonProxyHeader:       "400 This is not the way in",
		seawall.ReasonLoop:              "508 The site is not set up right",
		seawall.ReasonOriginForbidden:   "502 The site is not set up right",
		seawall.ReasonOriginBusy:        "503 The site is very busy",
		seawall.ReasonOriginDown:        "503 The site is down",
		seawall.ReasonOriginTotal:       "504 The site does not answer",
		seawall.ReasonBlocked:           "403 This site does not let you in",
		seawall.ReasonClientCertificate: "403 This site asks for your certificate",
		seawall.ReasonMaintenance:       "503 The site is taking a break",
	} {
		if got, _, _ := strings.Cut(string(Append(nil, page(r), Text)), "\n"); got != want {
			t.Errorf("%v: %q, want %q", r, got, want)
		}
	}
}

func TestAppend_replacesTheStatus(t *testing.T) {
	cases := []struct {
		name   string
		reason seawall.Reason
		status int
		want   string // how the text form begins; empty for no page
	}{
		{"the reason's own", seawall.ReasonOriginTimeout, 0, "504 The site does not answer"},
		{"another", seawall.ReasonOriginTimeout, 503, "503 The site does not answer"},
		{"not an error", seawall.ReasonOriginTimeout, 200, "504 The site does not answer"},
		{"nobody reads it", seawall.ReasonOriginTimeout, 499, ""},
		{"somebody reads it after all", seawall.ReasonVisitorSlow, 408, "408 Your request took too long"},
		{"no reason, request", seawall.ReasonNone, 404, "404 This request was refused"},
		{"no reason, edge", seawall.ReasonNone, 503, "503 Something went wrong here"},
		{"nothing at all", seawall.ReasonNone, 0, "500 Something went wrong here"},
		{"a reason that does not exist", seawall.Reason(seawall.Reasons), 0, "500 Something went wrong here"},
	}
	for _, c := range cases {
		p := page(c.reason)
		p.Status = c.status
		got, _, _ := strings.Cut(string(Append(nil, p, Text)), "\n")
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAppend_writesTimeInUTC(t *testing.T) {
	if got := string(Append(nil, page(seawall.ReasonInternal), Text)); !strings.Contains(got, "2026-02-03 10:04:05 UTC") {
		t.Errorf("no time in UTC in %q", got)
	}
	p := page(seawall.ReasonInternal)
	p.Time = time.Time{}
	if got := string(Append(nil, p, HTML)); !strings.Contains(got, `datetime="2026-02-03T10:04:05Z"`) {
		t.Errorf("a page without a time does not take the one in its ID: %q", got)
	}
}

func TestAppend_letsNoMarkupThroughTheHost(t *testing.T) {
	for _, form := range []Form{Text, HTML, Problem} {
		p := page(seawall.ReasonUnknownHost)
		p.Host = nil
		plain := Append(nil, p, form)
		for c := range 256 {
			p.Host = []byte{'a', byte(c), 'b'}
			got := Append(nil, p, form)
			for _, special := range "<>&\"'\\\n\r\t\x00{}" {
				if bytes.Count(got, []byte(string(special))) != bytes.Count(plain, []byte(string(special))) {
					t.Errorf("form %d: byte %#x in the host changed the number of %q", form, c, special)
				}
			}
			if c >= 0x80 && bytes.IndexByte(got, byte(c)) >= 0 {
				t.Errorf("form %d: byte %#x passed", form, c)
			}
		}
		p.Host = []byte("<script>alert(1)</script>\u202emoc.elpmaxe")
		if got := Append(nil, p, form); bytes.Contains(got, []byte("<script")) || bytes.Contains(got, []byte("\u202e")) {
			t.Errorf("form %d: hostile host on the page: %s", form, got)
		}
	}
}

func TestAppend_cutsLongHosts(t *testing.T) {
	p := page(seawall.ReasonUnknownHost)
	p.Host = bytes.Repeat([]byte("h"), hostRoom+1)
	got := string(Append(nil, p, Text))
	if want := strings.Repeat("h", hostRoom) + "...\n"; !strings.Contains(got, want) {
		t.Errorf("want a host of %d bytes and three dots in %q", hostRoom, got)
	}
}

func TestAppend_problemIsJSON(t *testing.T) {
	p := page(seawall.ReasonOriginTimeout)
	var got map[string]any
	if err := json.Unmarshal(Append(nil, p, Problem), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "urn:seawall:reason:origin-timeout", "title": "The site does not answer", "status": 504.0,
		"detail": "The site's server did not answer in time.", "instance": "urn:seawall:request:" + p.ID.String(),
		"reason": "origin-timeout", "broken": "site", "host": "shop.example", "time": "2026-02-03T10:04:05Z",
		"request_id": p.ID.String(), "advice": stories[storySilent].advice,
	}
	if len(got) != len(want) {
		t.Errorf("%d members, want %d", len(got), len(want))
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %v, want %v", name, got[name], value)
		}
	}
}

func TestAppend_staysCalmDuringMaintenance(t *testing.T) {
	p := page(seawall.ReasonMaintenance)
	for _, form := range []Form{Text, HTML} {
		got := string(Append(nil, p, form))
		for _, alarming := range []string{"Error", "fault", "Problem", "keeps happening"} {
			if strings.Contains(got, alarming) {
				t.Errorf("form %d says %q: %s", form, alarming, got)
			}
		}
		for _, want := range []string{"The site is taking a break", "Nothing is broken", "Come back a little later", "shop.example", p.ID.String()} {
			if !strings.Contains(got, want) {
				t.Errorf("form %d lacks %q: %s", form, want, got)
			}
		}
	}
	var got map[string]any
	if err := json.Unmarshal(Append(nil, p, Problem), &got); err != nil || got["broken"] != "none" || got["status"] != 503.0 || got["reason"] != "maintenance" {
		t.Errorf("for programs: %v (%v)", got, err)
	}
}

func TestAppend_allocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 6<<10)
	for _, form := range []Form{Text, HTML, Problem} {
		for _, r := range []seawall.Reason{seawall.ReasonOriginUnreachable, seawall.ReasonMaintenance} {
			p := page(r)
			if n := testing.AllocsPerRun(100, func() { dst = Append(dst[:0], p, form) }); n != 0 {
				t.Errorf("%v, form %d: %v allocations, want none", r, form, n)
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, form := range map[string]Form{"html": HTML, "problem": Problem, "text": Text} {
		b.Run(name, func(b *testing.B) {
			p, dst := page(seawall.ReasonOriginUnreachable), make([]byte, 0, 6<<10)
			b.ReportAllocs()
			for b.Loop() {
				dst = Append(dst[:0], p, form)
			}
		})
	}
}
