package story

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// script is one file of testdata.
type script struct {
	path   string
	args   []string
	config []string
	cases  []storyCase
}

type storyCase struct {
	name  string
	line  int
	steps []step
}

// step is a run of lines with one arrow; the lines of one `->` or `<=` step
// travel in one write.
type step struct {
	line  int
	arrow string // "->", "=>", "<=", "<-", "=>|", "<-|", "<=!" or "@"
	bytes string // what is sent, or what must have been received raw
	items []string
}

// arrows in an order in which no one hides another.
var arrows = []string{"->|", "=>|", "<=|", "<-|", "<=!", "->", "=>", "<=", "<-", ">>", "<<", "@"}

var (
	requestLine = regexp.MustCompile(`^[A-Za-z-]+ \S+ HTTP/\d`)
	statusLine  = regexp.MustCompile(`^\d{3}\b|^nothing$`)
	repetition  = regexp.MustCompile(`\{([^{}]*)\*(\d+)\}`)
	shortAsking = regexp.MustCompile(`^[A-Za-z-]+ \S+$`)
	shortAnswer = regexp.MustCompile(`^(\d{3})(?: (.*))?$`)
)

// loadScript reads a script; secure is for visitors who speak TLS.
func loadScript(path string, secure bool) (*script, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if secure {
		text = []byte(exchangeSchemes(string(text)))
	}
	return parseScript(path, string(text))
}

var schemes = regexp.MustCompile(`(?i)(http)(s?)(://|%3a//)([a-z0-9.@%-]+test)(:80|:443)?|(proto[:=] ?"?http)(s?)`)

// exchangeSchemes makes a script about http one about https: what is the
// connection's own scheme and port, and what is another, change places. What
// is said to the program and about its origin stays.
func exchangeSchemes(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "%") {
			continue
		}
		lines[i] = schemes.ReplaceAllStringFunc(line, func(found string) string {
			m := schemes.FindStringSubmatch(found)
			other := map[string]string{"": "s", "s": "", "S": ""}
			if m[6] != "" {
				return m[6] + other[m[7]]
			}
			return m[1] + other[m[2]] + m[3] + m[4] + map[string]string{":80": ":443", ":443": ":80"}[m[5]]
		})
	}
	return strings.Join(lines, "\n")
}

// parseScript reports the first line that means nothing.
func parseScript(path, text string) (*script, error) {
	s := &script{path: path}
	prose := false
	for i, line := range strings.Split(text, "\n") {
		if err := s.add(i+1, line, &prose); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", filepath.Base(path), i+1, err)
		}
	}
	if len(s.cases) == 0 {
		return nil, fmt.Errorf("%s: no case", filepath.Base(path))
	}
	seen := map[string]bool{}
	for i := range s.cases {
		c := &s.cases[i]
		if seen[c.name] {
			return nil, fmt.Errorf("%s:%d: a second case %q", filepath.Base(path), c.line, c.name)
		}
		seen[c.name] = true
		if err := c.spellOut(); err != nil {
			return nil, fmt.Errorf("%s: case %q: %w", filepath.Base(path), c.name, err)
		}
		c.steps = answerEverything(c.steps)
	}
	return s, nil
}

func (s *script) add(number int, line string, prose *bool) error {
	switch {
	case line == "":
	case strings.HasPrefix(line, "#"):
		*prose = true
	case strings.HasPrefix(line, "%% ") || line == "%%":
		s.config = append(s.config, strings.TrimPrefix(line[2:], " "))
	case strings.HasPrefix(line, "% "):
		s.args = append(s.args, strings.Fields(line[2:])...)
	case strings.HasPrefix(line, "== "):
		if !*prose {
			return errors.New("a group of cases begins with a line of prose")
		}
		s.cases = append(s.cases, storyCase{name: line[3:], line: number})
	case len(s.cases) == 0:
		return errors.New("a step before the first case")
	default:
		return s.cases[len(s.cases)-1].add(number, line)
	}
	return nil
}

func (c *storyCase) add(number int, line string) error {
	for _, arrow := range arrows {
		rest, found := strings.CutPrefix(line, arrow)
		if !found {
			continue
		}
		rest = strings.TrimPrefix(rest, " ")
		raw := strings.HasSuffix(arrow, "|")
		if arrow == "->|" || arrow == "<=|" {
			arrow = arrow[:2]
		}
		return c.step(number, arrow, rest, raw)
	}
	return fmt.Errorf("no arrow in %q", line)
}

func (c *storyCase) step(number int, arrow, rest string, raw bool) error {
	begins := len(c.steps) == 0 || c.steps[len(c.steps)-1].arrow != arrow ||
		arrow == "@" || arrow == "<=!" ||
		arrow == "=>" && (requestLine.MatchString(rest) || rest == "nothing" || rest == "incomplete" || rest == "closed") ||
		arrow == "<-" && statusLine.MatchString(rest) ||
		arrow == ">>" && shortAsking.MatchString(rest) || arrow == "<<" && shortAnswer.MatchString(rest)
	if begins {
		c.steps = append(c.steps, step{line: number, arrow: arrow})
	}
	last := &c.steps[len(c.steps)-1]
	switch arrow {
	case "->", "<=", "=>|", "<-|":
		text, err := unescape(rest)
		if err != nil {
			return err
		}
		if !raw {
			text += "\r\n"
		}
		last.bytes += text
	default:
		last.items = append(last.items, rest)
	}
	return nil
}

// spellOut turns the short forms of requests and answers into the long ones.
func (c *storyCase) spellOut() error {
	method := ""
	for i := range c.steps {
		s := &c.steps[i]
		switch s.arrow {
		case "=>":
			method, _, _ = strings.Cut(s.items[0], " ")
		case ">>":
			text, err := unescape(askingOf(s.items))
			if err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
			s.arrow, s.bytes, s.items = "->", text, nil
		case "<<":
			text, err := answerOf(s.items, method)
			if err != nil {
				return fmt.Errorf("line %d: %w", s.line, err)
			}
			s.arrow, s.bytes, s.items = "<=", text, nil
		}
	}
	return nil
}

func askingOf(items []string) string {
	host := "Host: one.test\r\n"
	for _, item := range items[1:] {
		if strings.HasPrefix(item, "Host:") {
			host = ""
		}
	}
	return items[0] + " HTTP/1.1\r\n" + host + strings.Join(append(items[1:], "", ""), "\r\n")
}

// answerOf frames the body by its length, unless a field says otherwise.
func answerOf(items []string, method string) (string, error) {
	m := shortAnswer.FindStringSubmatch(items[0])
	if m == nil {
		return "", fmt.Errorf("no status in %q", items[0])
	}
	body, err := unescape(m[2])
	if err != nil {
		return "", err
	}
	head := "HTTP/1.1 " + m[1] + " -\r\n"
	for _, item := range items[1:] {
		line, err := unescape(item)
		if err != nil {
			return "", err
		}
		head += line + "\r\n"
	}
	if m[1][0] != '1' && m[1] != "204" && m[1] != "304" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if method == "HEAD" {
		body = ""
	}
	return head + "\r\n" + body, nil
}

var zoneNames = regexp.MustCompile(`^(?:--zone )?\s*(?:- \{name: )?([a-z0-9-]+\.test)[=,]`)

var asksAnyway = regexp.MustCompile(`ignore_directives|off: true|bypass_until`)

// zones names the zones of a script that ask no origin where a visitor wants
// only what is stored.
func (s *script) zones() (names []string) {
	for _, line := range append(slices.Clone(s.args), s.config...) {
		if m := zoneNames.FindStringSubmatch(line); m != nil && !asksAnyway.MatchString(line) {
			names = append(names, m[1])
		}
	}
	return names
}

// answerEverything lets the origin give its ordinary answer to each request
// for which the script says nothing else.
func answerEverything(steps []step) []step {
	var out []step
	for i, s := range steps {
		out = append(out, s)
		if s.arrow != "=>" || !requestLine.MatchString(s.items[0]) || s.has("unfinished") || s.has("unanswered") {
			continue
		}
		if i+1 < len(steps) && strings.HasPrefix(steps[i+1].arrow, "<=") {
			continue
		}
		out = append(out, step{line: s.line, arrow: "<=", items: []string{"ordinary"}})
	}
	return out
}

func (s step) has(item string) bool {
	for _, i := range s.items {
		if i == item {
			return true
		}
	}
	return false
}

// unescape turns a script's text into bytes; addresses stay for the run.
func unescape(text string) (string, error) {
	var failed error
	text = repetition.ReplaceAllStringFunc(text, func(all string) string {
		m := repetition.FindStringSubmatch(all)
		n, err := strconv.Atoi(m[2])
		if err != nil || n > 64<<20 {
			failed = fmt.Errorf("repetition %q", all)
			return ""
		}
		return strings.Repeat(m[1], n)
	})
	if failed != nil || !strings.Contains(text, `\`) {
		return text, failed
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		i++
		if i == len(text) {
			return "", errors.New("a backslash at the end")
		}
		if at := strings.IndexByte(`rnt0\`, text[i]); at >= 0 {
			b.WriteByte("\r\n\t\x00\\"[at])
			continue
		}
		if text[i] != 'x' || i+2 >= len(text) {
			return "", fmt.Errorf("unknown escape \\%c", text[i])
		}
		v, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("escape: %w", err)
		}
		b.WriteByte(byte(v))
		i += 2
	}
	return b.String(), nil
}

func TestScript_readsEscapesAndRepetition(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`a\r\n\t\0\\b`, "a\r\n\t\x00\\b"},
		{`\x7f\xFF`, "\x7f\xff"},
		{`x{ab*3}y`, "xabababy"},
		{`{\r\n*2}`, "\r\n\r\n"},
		{`{"json": 1}`, `{"json": 1}`},
	} {
		got, err := unescape(c.in)
		if err != nil || got != c.want {
			t.Errorf("unescape(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestScript_spellsOutTheShortForms(t *testing.T) {
	s, err := parseScript("x.txt", "# p\n== a\n>> GET /a\n>> X: y\n=> GET /a HTTP/1.1\n<< 103\n<< Link: l\n<< 200 hi\\n\n<< A: b\n"+
		">> HEAD /b\n>> Host: two.test\n>> X: \\\\\n=> HEAD /b HTTP/1.1\n<< 200 hi\n>> GET /c\n=> GET /c HTTP/1.1\n<< 304\n")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, step := range s.cases[0].steps {
		got += step.arrow + step.bytes
	}
	want := "->GET /a HTTP/1.1\r\nHost: one.test\r\nX: y\r\n\r\n=>" +
		"<=HTTP/1.1 103 -\r\nLink: l\r\n\r\n<=HTTP/1.1 200 -\r\nA: b\r\nContent-Length: 3\r\n\r\nhi\n" +
		"->HEAD /b HTTP/1.1\r\nHost: two.test\r\nX: \\\r\n\r\n=><=HTTP/1.1 200 -\r\nContent-Length: 2\r\n\r\n" +
		"->GET /c HTTP/1.1\r\nHost: one.test\r\n\r\n=><=HTTP/1.1 304 -\r\n\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestScript_refusesWhatMeansNothing(t *testing.T) {
	for name, text := range map[string]string{
		"a case without prose": "== a\n-> GET\n",
		"no arrow":             "# p\n== a\nGET\n",
		"a step without case":  "# p\n-> GET\n",
		"no case":              "# p\n",
		"a bad escape":         "# p\n== a\n-> \\q\n",
		"a case named twice":   "# p\n== a\n-> x\n== a\n-> x\n",
	} {
		if _, err := parseScript("x.txt", text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestScript_readsTopToBottom(t *testing.T) {
	s, err := parseScript("x.txt", "# p\n% --zone a=b\n%% limits:\n== a\n-> GET / HTTP/1.1\n->\n=> GET / HTTP/1.1\n=> !Te\n<- 103\n<- 200\n<- closed\n")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(s.args, s.config, s.cases[0].steps)
	want := "[--zone a=b] [limits:] [{5 -> GET / HTTP/1.1\r\n\r\n []} {7 =>  [GET / HTTP/1.1 !Te]} {7 <=  [ordinary]} {9 <-  [103]} {10 <-  [200 closed]}]"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

var hostLine = regexp.MustCompile(`(?mi)^(?:host: *|[A-Z]+ http://)([a-z0-9.-]+\.test)`)

// sites returns the site that each visitor asks for first. Apart is false where
// one asks for several on its connection, which it cannot do in TLS, and where
// the case says that it is about plain connections.
func (c *storyCase) sites() (names map[string]string, apart bool) {
	names, apart = map[string]string{}, true
	visitor := "one"
	for _, s := range c.steps {
		switch s.arrow {
		case "@":
			if name, found := strings.CutPrefix(s.items[0], "visitor "); found {
				visitor = name
			}
			apart = apart && s.items[0] != "plain"
		case "->":
			for _, found := range hostLine.FindAllStringSubmatch(s.bytes, -1) {
				site := strings.ToLower(found[1])
				if names[visitor] == "" {
					names[visitor] = site
				}
				apart = apart && names[visitor] == site
			}
		}
	}
	for _, name := range []string{visitor, "one"} {
		if names[name] == "" {
			names[name] = "one.test"
		}
	}
	return names, apart
}
