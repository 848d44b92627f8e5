package spec

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/internal/idna"
	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/prefix"
)

// The bounds of what one condition may be made of.
const (
	deepestCondition = 8
	mostTests        = 1000 // patterns and the like in one condition, with all that is in it
	mostListEntries  = 2_000_000
	largestListText  = 64 << 20
	mostComplaints   = 20 // about one list
)

// conditions checks the conditions of one zone.
type conditions struct {
	*mistakes
	specs   []ListSpec
	lists   map[string]int
	entered map[string]bool // lists that were checked, and what for
	tests   int
}

func (l *mistakes) conditions(lists []ListSpec) *conditions {
	c := &conditions{mistakes: l, specs: lists, lists: map[string]int{}, entered: map[string]bool{}}
	for i, list := range lists {
		c.lists[list.Name] = i
	}
	return c
}

// check checks one condition; path is its own.
func (c *conditions) check(path string, when ConditionSpec) {
	c.tests = 0
	c.within(path, when, 1)
}

func (c *conditions) within(path string, when ConditionSpec, depth int) {
	if depth > deepestCondition {
		c.add(path, "conditions within conditions more than %d deep", deepestCondition)
		return
	}
	for _, fact := range []struct {
		name    string
		entries []string
		check   func(string) error
	}{
		{"host", when.Host, checkHostPattern}, {"path", when.Path, checkPath}, {"raw_path", when.RawPath, checkPath},
		{"extension", when.Extension, checkExtension}, {"query", when.Query, checkQuery}, {"header", when.Header, checkHeader}, {"cookie", when.Cookie, checkCookie},
		{"method", when.Method, checkMethod}, {"scheme", when.Scheme, oneOf("http", "https")}, {"protocol", when.Protocol, oneOf("HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0")},
		{"address", when.Address, checkAddress}, {"country", when.Country, parsed(ParseCountry)}, {"network", when.Network, parsed(ParseNetwork)},
		{"tls.version", when.TLS.Version, oneOf(TLS12, TLS13)}, {"tls.ja4", when.TLS.JA4, checkText}, {"tls.subject", when.TLS.Subject, checkText},
		{"tls.issuer", when.TLS.Issuer, checkText}, {"tls.name", when.TLS.Name, checkText}, {"tls.fingerprint", when.TLS.Fingerprint, checkFingerprint},
		{"hours", when.Hours, parsed(ParseHours)}, {"status", textsOf(when.Status), checkStatus},
	} {
		for i, entry := range fact.entries {
			c.entry(fmt.Sprintf("%s.%s[%d]", path, fact.name, i), fact.name, entry, fact.check)
		}
	}
	if !when.After.IsZero() && !when.Before.IsZero() && !when.After.Time().Before(when.Before.Time()) {
		c.add(path+".before", "%s is not after %s, so it never holds", when.Before.Time().Format(time.RFC3339), when.After.Time().Format(time.RFC3339))
	}
	for _, part := range []struct {
		name string
		list []ConditionSpec
	}{{"not", when.Not}, {"any", when.Any}, {"all", when.All}} {
		for i, inner := range part.list {
			c.within(fmt.Sprintf("%s.%s[%d]", path, part.name, i), inner, depth+1)
		}
	}
}

func (c *conditions) entry(path, fact, entry string, check func(string) error) {
	if c.tests++; c.tests > mostTests {
		if c.tests == mostTests+1 {
			c.add(path, "more than %d entries in one condition; use a list and name it as @name", mostTests)
		}
		return
	}
	if name, is := strings.CutPrefix(entry, "@"); is {
		c.named(path, fact, name, check)
		return
	}
	if err := check(entry); err != nil {
		c.add(path, "%v", err)
	}
}

// named checks the mention of a list.
func (c *conditions) named(path, fact, name string, check func(string) error) {
	switch fact {
	case "header", "query", "cookie", "hours", "status", "scheme", "protocol", "method", "tls.version":
		c.add(path, "a list cannot stand here")
		return
	}
	list, known := c.lists[name]
	switch {
	case !known:
		c.add(path, "the zone has no list called %q", name)
	case fact == "address" || fact == "country" || fact == "network":
		c.entries(list, fact, check)
	}
}

func checkHostPattern(text string) error {
	if _, err := pattern.Parse(text, false); err != nil {
		return err
	}
	if strings.HasPrefix(text, "~") {
		return nil
	}
	if plain := strings.ReplaceAll(text, "*", ""); plain != strings.ToLower(plain) {
		return fmt.Errorf("%q never matches: hosts are in lower case; write %s", text, strings.ToLower(text))
	}
	for _, r := range text {
		if r > 0x7f {
			if ascii, err := idna.ToASCII(text); err == nil {
				return fmt.Errorf("%q never matches: browsers ask for the punycode form; write %s", text, ascii)
			}
			return fmt.Errorf("%q never matches: browsers ask for the punycode form", text)
		}
		if r == '/' || r == ':' && !strings.HasPrefix(text, "[") {
			return fmt.Errorf("%q never matches: a host alone is compared, without scheme, port and path", text)
		}
	}
	return nil
}

func checkPath(text string) error {
	if _, err := pattern.Parse(text, false); err != nil {
		return err
	}
	if text == "" || text[0] != '/' && text[0] != '*' && text[0] != '~' && text[0] != '\\' {
		return fmt.Errorf("%q never matches: a path begins with a slash; write /%s or *%s", text, text, text)
	}
	if text[0] == '/' && strings.Contains(text, "?") {
		return fmt.Errorf("%q never matches: what follows ? is no part of the path; use query", text)
	}
	return nil
}

func checkExtension(text string) error {
	if strings.HasPrefix(text, ".") {
		return fmt.Errorf("%q never matches: write it without the dot", text)
	}
	_, err := pattern.Parse(text, true)
	return err
}

func checkText(text string) error {
	_, err := pattern.Parse(text, false)
	return err
}

func checkFingerprint(text string) error {
	if strings.ContainsAny(text, ":ABCDEF") && !strings.HasPrefix(text, "~") {
		return fmt.Errorf("%q never matches: it is written in lower-case hex without colons", text)
	}
	return checkText(text)
}

func checkQuery(text string) error {
	_, _, err := pattern.ParseNamed(text, '=', false)
	return err
}

func checkCookie(text string) error { return checkQuery(text) }

func checkHeader(text string) error {
	name, _, err := pattern.ParseNamed(text, ':', true)
	if err == nil && !isToken(name) {
		return fmt.Errorf("%q is not the name of a field", name)
	}
	return err
}

func checkMethod(text string) error {
	if !isToken(text) {
		return fmt.Errorf("%q is not a method", text)
	}
	if upper := strings.ToUpper(text); upper != text {
		return fmt.Errorf("%q is not a method that anybody uses: they have their case; write %s", text, upper)
	}
	return nil
}

func checkAddress(text string) error {
	if _, wrong := prefix.Parse([]string{text}); len(wrong) > 0 {
		return errors.New(wrong[0].Text)
	}
	return nil
}

func checkStatus(text string) error {
	if _, _, wrong := ParseStatus(Status(text)); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}

func textsOf(statuses []Status) (texts []string) {
	for _, s := range statuses {
		texts = append(texts, string(s))
	}
	return texts
}

func oneOf(words ...string) func(string) error {
	return func(text string) error {
		for _, word := range words {
			if text == word {
				return nil
			}
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(words, ", "))
	}
}

func parsed[T any](parse func(string) (T, string)) func(string) error {
	return func(text string) error {
		if _, wrong := parse(text); wrong != "" {
			return errors.New(wrong)
		}
		return nil
	}
}

// lists checks what lists are, not yet what is in them: that depends on who
// names them.
func (l *mistakes) lists(lists []ListSpec) {
	seen := map[string]bool{}
	for i, list := range lists {
		path := fmt.Sprintf("lists[%d]", i)
		switch {
		case list.Name == "" || strings.Trim(list.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "":
			l.add(path+".name", "%q is not a name for a list; use letters, digits, - and _", list.Name)
		case seen[list.Name]:
			l.add(path+".name", "another list is called %s, too", list.Name)
		}
		seen[list.Name] = true
		if len(list.Text) > largestListText {
			l.add(path+".file", "%s has %d bytes, more than %d", list.File, len(list.Text), largestListText)
		}
		count := 0
		for range list.All() {
			if count++; count > mostListEntries {
				l.add(path, "more than %d entries", mostListEntries)
				break
			}
		}
	}
}

// entries checks what is in a list against a fact that it is compared with.
func (c *conditions) entries(list int, fact string, check func(string) error) {
	key := fmt.Sprintf("%d %s", list, fact)
	if c.entered[key] {
		return
	}
	c.entered[key] = true
	found := 0
	for number, text := range c.specs[list].All() {
		err := check(text)
		if err == nil {
			continue
		}
		path := fmt.Sprintf("lists[%d].file", list)
		if number < 0 {
			path = fmt.Sprintf("lists[%d].entries[%d]", list, -1-number)
			c.add(path, "%v", err)
		} else {
			c.add(path, "line %d: %v", number, err)
		}
		if found++; found == mostComplaints {
			c.add(fmt.Sprintf("lists[%d]", list), "and so on: the first %d mistakes are enough", mostComplaints)
			return
		}
	}
}

// isZero reports whether the condition has nothing that has to hold.
func (c ConditionSpec) isZero() bool {
	return len(c.Host)+len(c.Path)+len(c.RawPath)+len(c.Extension)+len(c.Query)+len(c.Header)+len(c.Cookie)+
		len(c.Method)+len(c.Scheme)+len(c.Protocol)+len(c.Address)+len(c.Country)+len(c.Network)+
		len(c.TLS.Version)+len(c.TLS.JA4)+len(c.TLS.Subject)+len(c.TLS.Issuer)+len(c.TLS.Name)+len(c.TLS.Fingerprint)+
		len(c.Hours)+len(c.Status)+len(c.Not)+len(c.Any)+len(c.All) == 0 && c.After.IsZero() && c.Before.IsZero()
}
