package spec

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seawall-edge/seawall/internal/pattern"
)

// largestAnswer is the largest body of an own answer.
const largestAnswer = 256 << 10

// rewrites checks what does not need the rules compiled.
func (l *mistakes) rewrites(r RewriteSpec, conditions *conditions) {
	l.names("rewrite.requests", len(r.Requests), func(i int) string { return r.Requests[i].Name })
	l.names("rewrite.answers", len(r.Answers), func(i int) string { return r.Answers[i].Name })
	for i, one := range r.Requests {
		path := fmt.Sprintf("rewrite.requests[%d]", i)
		conditions.check(path+".when", one.When)
		if one.From != "" {
			if err := checkPath(one.From); err != nil {
				l.add(path+".from", "%v", err)
			}
		} else if one.To != "" {
			l.add(path+".from", "which path is to become %s? Write /* for every one", one.To)
		}
	}
	for i, one := range r.Answers {
		conditions.check(fmt.Sprintf("rewrite.answers[%d].when", i), one.When)
	}
	l.cors(r.CORS)
}

func (l *mistakes) cors(c CORSSpec) {
	for i, origin := range c.Origins {
		path := fmt.Sprintf("rewrite.cors.origins[%d]", i)
		switch p, err := pattern.Parse(origin, true); {
		case err != nil:
			l.add(path, "%v", err)
		case c.Credentials && (origin == "null" || p.Match([]byte("https://a.invalid")) || p.Match([]byte("http://b.invalid"))):
			l.add(path, "%s: with credentials every site on the web could act for your visitors; name the sites", origin)
		case strings.HasPrefix(origin, "~"), origin == "*", origin == "null":
		case !strings.Contains(origin, "://") || strings.HasSuffix(origin, "/"):
			l.add(path, "%q is not a site; write scheme and host without a slash at the end, such as https://app.example.com", origin)
		}
	}
	for _, list := range []struct {
		name    string
		entries []string
	}{{"methods", c.Methods}, {"headers", c.Headers}, {"expose", c.Expose}} {
		for i, entry := range list.entries {
			if !isToken(entry) {
				l.add(fmt.Sprintf("rewrite.cors.%s[%d]", list.name, i), "%q is not a name", entry)
			}
		}
	}
	l.timeout("rewrite.cors.max_age", c.MaxAge)
}

func (l *mistakes) ownAnswers(answers []OwnAnswerSpec, conditions *conditions) {
	l.names("answers", len(answers), func(i int) string { return answers[i].Name })
	for i, a := range answers {
		path := fmt.Sprintf("answers[%d]", i)
		conditions.check(path+".when", a.When)
		switch {
		case a.When.isZero():
			l.add(path+".when", "which requests is it about? Without a condition nothing would reach the origin")
		case a.Status != 0 && (a.Status < 200 || a.Status > 599 || a.Status == 204 || a.Status == 304 || a.Status == 206):
			l.add(path+".status", "%d is not the status of an answer with a text; use one from 200 to 599", a.Status)
		case a.Status >= 300 && a.Status < 400:
			l.add(path+".status", "%d sends visitors elsewhere; use redirects", a.Status)
		case a.Body != "" && a.File != "":
			l.add(path, "body and file exclude each other; use one of them")
		case len(a.Body)+len(a.Text) > largestAnswer:
			l.add(path, "the answer has %d bytes, more than %d", len(a.Body)+len(a.Text), largestAnswer)
		case strings.ContainsAny(a.Type, "\r\n\x00"):
			l.add(path+".type", "%q is not a type", a.Type)
		}
	}
}

func (l *mistakes) securityTxt(s SecurityTxtSpec) {
	if len(s.Contact) == 0 {
		return
	}
	if s.Expires.IsZero() {
		l.add("security_txt.expires", "until when does this hold? RFC 9116 wants a date")
	}
	for i, contact := range append(append([]string(nil), s.Contact...), s.Policy) {
		path := fmt.Sprintf("security_txt.contact[%d]", i)
		if i == len(s.Contact) {
			if path = "security_txt.policy"; contact == "" {
				continue
			}
		}
		if u, err := url.Parse(contact); err != nil || u.Scheme == "" || u.Scheme == "http" {
			l.add(path, "%q is not an address; write mailto:..., https://... or tel:...", contact)
		}
	}
	for i, language := range s.Languages {
		if !isToken(language) {
			l.add(fmt.Sprintf("security_txt.languages[%d]", i), "%q is not a language; write one such as en", language)
		}
	}
}
