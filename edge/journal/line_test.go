package journal

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

func stamps() (combined, js, plain *stamp) {
	return &stamp{layout: combinedSecond, location: time.UTC},
		&stamp{layout: jsonSecond, location: time.UTC},
		&stamp{layout: plainSecond, location: time.UTC}
}

func TestLine_hasTheFormsTheDocumentationPromises(t *testing.T) {
	combined, js, plain := stamps()
	hit, refused := event(seawall.ActionPassed, 1), event(seawall.ActionRefused, 1)
	unparsed := event(seawall.ActionRefused, 1)
	for which := range texts {
		unparsed.SetText(seawall.EventText(which), nil)
	}
	unparsed.Status, unparsed.Client, unparsed.Protocol = 0, netip.Addr{}, seawall.ProtocolUnknown
	long := event(seawall.ActionPassed, 1)
	long.SetText(seawall.EventMethod, []byte("ABCDEFGHIJKLMNOPQ"))
	long.Client, long.BytesOut, long.Duration = netip.MustParseAddr("2001:db8:1:2::3%eth0"), 5<<20, 12e9
	id := hit.ID.String()
	const agent = `Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`
	for _, c := range []struct{ name, got, want string }{
		{"combined", string(appendCombined(nil, hit, combined)),
			`192.0.2.77 - - [01/Mar/2026:12:34:56 +0000] "GET /path?q=1 HTTP/1.1" 200 1234 "https://example.org/" "` + agent + `"` + "\n"},
		{"combined without a request", string(appendCombined(nil, unparsed, combined)),
			`- - - [01/Mar/2026:12:34:56 +0000] "-" 000 1234 "-" "-"` + "\n"},
		{"combined cut", string(appendCombined(nil, long, combined)),
			`2001:db8:1:2::3 - - [01/Mar/2026:12:34:56 +0000] "ABCDEFGHIJKLMNOP... /path?q=1 HTTP/1.1" 200 5242880 "https://example.org/" "` + agent + `"` + "\n"},
		{"plain", string(appendPlain(nil, hit, plain)),
			`12:34:56.789 hit  200 1.2 KiB 0.3ms GET example.com/path?q=1  (` + id + ")\n"},
		{"plain refused", string(appendPlain(nil, refused, plain)),
			`12:34:56.789 refused target-nul 400 1.2 KiB 0.3ms GET example.com/path?q=1  (` + id + ")\n"},
		{"plain large and slow", string(appendPlain(nil, long, plain)),
			`12:34:56.789 hit  200 5.0 MiB 12.0s ABCDEFGHIJKLMNOP... example.com/path?q=1  (` + id + ")\n"},
		{"json", string(appendJSON(nil, hit, js, false)),
			`{"id":"` + id + `","time":"2026-03-01T12:34:56.789012Z","duration_us":300,"client":"192.0.2.77","zone":"example",` +
				`"method":"GET","host":"example.com","target":"/path?q=1","user_agent":"` + agent + `","referer":"https://example.org/",` +
				`"protocol":"HTTP/1.1","tls":false,"status":200,"bytes_in":7,"bytes_out":1234,` +
				`"rung":"door","action":"passed","reason":"none","cache":"hit","store":"none"}` + "\n"},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s want %s", c.name, c.got, c.want)
		}
	}
	if got := string(appendJSON(nil, long, js, true)); !strings.Contains(got, `"client":"2001:db8:1::/48"`) || !strings.HasSuffix(got, `,"cut":["method"]}`+"\n") {
		t.Errorf("json cut: %s", got)
	}
	if got := string(appendJSON(nil, hit, js, true)); !strings.Contains(got, `"client":"192.0.2.0/24"`) {
		t.Errorf("json network: %s", got)
	}
}

func TestLine_padsNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "000", 7: "007", 10: "010", 99: "099", 100: "100", 1234: "1234"} {
		if got := string(padded(nil, n, 3)); got != want {
			t.Errorf("%d became %q, want %q", n, got, want)
		}
	}
}

func TestLine_timeFollowsTheSecond(t *testing.T) {
	s, _, _ := stamps()
	for _, second := range []int64{1, 1, 2, -1} {
		got, _ := s.at(second*1e9 + 5)
		if want := time.Unix(second, 5).UTC().Format(combinedSecond); string(got) != want {
			t.Errorf("%d became %s, want %s", second, got, want)
		}
	}
	if got, ns := s.at(-1); string(got) != time.Unix(-1, 0).UTC().Format(combinedSecond) || ns != 999999999 {
		t.Errorf("one nanosecond before 1970 became %s and %d", got, ns)
	}
}

var (
	combinedLine = regexp.MustCompile(`^192\.0\.2\.77 - - \[[^]"]+\] "(-|[!-~]+ [!-~]+ HTTP/1\.1)" 200 1234 "[^"]+" "[^"]+"\n$`)
	plainLine    = regexp.MustCompile(`^12:34:56\.789 hit  200 1\.2 KiB 0\.3ms [!-~]+ [!-~]+  \([0-9a-z]{20}\)\n$`)
	strayEscape  = regexp.MustCompile(`\\($|[^x])`)
)

// FuzzLine_cannotBeForged puts arbitrary bytes in every text.
func FuzzLine_cannotBeForged(f *testing.F) {
	f.Add([]byte("GET"), []byte("a.example"), []byte("/"), []byte("agent"), []byte("referer"))
	f.Add([]byte("G\" \n"), []byte("\r\n\x00"), []byte(`/" 200 1 "-" "-"`+"\n"), []byte(`\`), []byte("\x1b[2J\x7f\xff\u2028\u00e9"))
	f.Fuzz(func(t *testing.T, method, host, target, agent, referer []byte) {
		e := event(seawall.ActionPassed, 1)
		for which, text := range [][]byte{method, host, target, agent, referer} {
			e.SetText(seawall.EventText(which), text)
		}
		combined, js, plain := stamps()
		for name, line := range map[string][]byte{"combined": appendCombined(nil, e, combined), "plain": appendPlain(nil, e, plain), "json": appendJSON(nil, e, js, false)} {
			for i, c := range line {
				if (c < ' ' || c > '~') && (c != '\n' || i != len(line)-1) {
					t.Fatalf("%s: byte %#x at %d of %q", name, c, i, line)
				}
			}
			if len(line) > lineRoom {
				t.Fatalf("%s: a line of %d bytes", name, len(line))
			}
			if name != "json" && strayEscape.Match(line) {
				t.Fatalf("%s: a backslash as it came: %q", name, line)
			}
		}
		if line := appendCombined(nil, e, combined); !combinedLine.Match(line) {
			t.Fatalf("combined: %q", line)
		}
		if line := appendPlain(nil, e, plain); !plainLine.Match(line) {
			t.Fatalf("plain: %q", line)
		}
		line := appendJSON(nil, e, js, false)
		if !json.Valid(line) {
			t.Fatalf("json: %q", line)
		}
		record, err := parseLine(line)
		if err != nil {
			t.Fatal(err)
		}
		for which, got := range []string{record.Method, record.Host, record.Target, record.UserAgent, record.Referer} {
			if want := string(e.Text(seawall.EventText(which))); got != want {
				t.Fatalf("%s %q came back as %q", texts[which], want, got)
			}
		}
	})
}
