package pattern

import "strings"

// ParseNamed reads a name and a pattern for its value, as in "User-Agent:
// *bot*" with the separator ':' and "page=*" with '='. A name alone means any
// value. The pattern begins after white space. The error is a *Mistake.
func ParseNamed(text string, separator byte, fold bool) (name string, value *Pattern, err error) {
	name, rest, found := strings.Cut(text, string(separator))
	if name == "" {
		return "", nil, &Mistake{0, "there is no name"}
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '*' || r == '"' }); i >= 0 {
		return "", nil, &Mistake{i, "a name has no white space, no star and no quotes in it"}
	}
	if !found {
		rest = "*"
	}
	start := len(rest) - len(strings.TrimLeft(rest, " \t"))
	value, err = Parse(rest[start:], fold)
	if wrong, is := err.(*Mistake); is {
		wrong.At += len(name) + 1 + start
	}
	return name, value, err
}
