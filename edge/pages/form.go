package pages

import "bytes"

// Form is the way a page is written.
type Form uint8

const (
	Text    Form = iota // plain text, for command lines and everything that did not say what it reads
	HTML                // for people
	Problem             // application/problem+json (RFC 9457), for programs
)

// ContentType returns the value of the Content-Type field.
func (f Form) ContentType() string {
	switch f {
	case HTML:
		return "text/html; charset=utf-8"
	case Problem:
		return "application/problem+json"
	default:
		return "text/plain; charset=utf-8"
	}
}

// Choose returns the form for the value of an Accept field (RFC 9110 section
// 12.5.1): what is named counts, wildcards do not, because a browser names
// text/html for a page and a wildcard for the pictures on it, and a command
// line names nothing. Of two named forms the one with the higher weight is
// taken, HTML before Problem where they are equal.
func Choose(accept []byte) Form {
	html, problem := 0, 0
	for len(accept) > 0 {
		var member []byte
		member, accept = cutUnquoted(accept, ',')
		name, parameters := cutUnquoted(member, ';')
		switch name = bytes.TrimSpace(name); {
		case equalFold(name, "text/html"):
			html = max(html, weight(parameters))
		case equalFold(name, "application/problem+json"), equalFold(name, "application/json"):
			problem = max(problem, weight(parameters))
		}
	}
	switch {
	case html > 0 && html >= problem:
		return HTML
	case problem > 0:
		return Problem
	default:
		return Text
	}
}

// cutUnquoted cuts b at the first separator outside a quoted string.
func cutUnquoted(b []byte, separator byte) (before, after []byte) {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == separator && !quoted:
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// weight returns the q parameter in thousandths (RFC 9110 section 12.4.2),
// and 1000 where there is none or it cannot be read: whoever names a form can
// read it.
func weight(parameters []byte) int {
	for len(parameters) > 0 {
		var parameter []byte
		parameter, parameters = cutUnquoted(parameters, ';')
		name, value, _ := bytes.Cut(bytes.TrimSpace(parameter), []byte("="))
		if equalFold(name, "q") {
			return thousandths(value)
		}
	}
	return 1000
}

func thousandths(value []byte) int {
	if len(value) == 0 || value[0] != '0' || len(value) > 1 && value[1] != '.' || len(value) > 5 {
		return 1000
	}
	n, unit := 0, 100
	for _, c := range value[min(2, len(value)):] {
		if c < '0' || c > '9' {
			return 1000
		}
		n += int(c-'0') * unit
		unit /= 10
	}
	return n
}

// equalFold compares with a lower-case ASCII name without allocating.
func equalFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}
