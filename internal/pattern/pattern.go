// Package pattern compares texts with what people write to mean several: an
// exact text, one with stars, or a regular expression.
//
// One notation for hosts, paths, fields and agents, so that nobody has to
// know which of five half-languages a setting speaks:
//
//	/about        the text itself
//	/assets/*     a star stands for any characters, none included
//	~^/v[0-9]+/   after a tilde, an RE2 expression that is found anywhere
//
// A backslash takes its meaning from the character after it. Matching takes at
// most the text's length times the pattern's, and no memory.
package pattern

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"regexp"
	"strings"
)

// MaxLength is how long a pattern may be, in bytes.
const MaxLength = 1024

// maxStars bounds the stars in one pattern.
const maxStars = 16

// Mistake is what is wrong in a pattern.
type Mistake struct {
	At   int    // byte of the pattern, from 0
	Text string // one sentence without an end
}

// Error says where the mistake is, counted as people count.
func (m *Mistake) Error() string { return fmt.Sprintf("%s (at character %d)", m.Text, m.At+1) }

// Pattern is a compiled pattern. It is safe for any number of readers.
type Pattern struct {
	kind   kind
	fold   bool
	text   []byte   // of exact, prefix, suffix, inside; in lower case with fold
	pieces [][]byte // of starred: what stands between the stars
	re     *regexp.Regexp
	must   []byte // what every match of re has in it; empty: unknown
	begin  []byte // what every match of re begins with; likewise
	source string
}

type kind uint8

const (
	exact kind = iota
	prefix
	suffix
	inside
	everything
	starred
	expression
)

// Parse reads a pattern. With fold, letters of ASCII match in either case.
// The error is a *Mistake.
func Parse(text string, fold bool) (*Pattern, error) {
	if len(text) > MaxLength {
		return nil, &Mistake{MaxLength, fmt.Sprintf("the pattern has %d bytes, more than %d", len(text), MaxLength)}
	}
	if rest, is := strings.CutPrefix(text, "~"); is {
		return parseExpression(rest, fold)
	}
	pieces, err := split(text)
	if err != nil {
		return nil, err
	}
	p := &Pattern{fold: fold, source: text}
	for i := range pieces {
		if fold {
			for j, c := range pieces[i] {
				pieces[i][j] = lower(c)
			}
		}
	}
	last := len(pieces) - 1
	switch {
	case last == 0:
		p.kind, p.text = exact, pieces[0]
	case last > maxStars:
		return nil, &Mistake{0, fmt.Sprintf("%d stars, more than %d", last, maxStars)}
	case allEmpty(pieces):
		p.kind = everything
	case last == 1 && len(pieces[1]) == 0:
		p.kind, p.text = prefix, pieces[0]
	case last == 1 && len(pieces[0]) == 0:
		p.kind, p.text = suffix, pieces[1]
	case last == 2 && len(pieces[0]) == 0 && len(pieces[2]) == 0:
		p.kind, p.text = inside, pieces[1]
	default:
		p.kind = starred
	}
	p.pieces = pieces
	return p, nil
}

// split cuts a text at its stars and takes the backslashes away.
func split(text string) (pieces [][]byte, err error) {
	piece := []byte{}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			if i++; i == len(text) {
				return nil, &Mistake{i - 1, `a backslash at the end; write \\ for one that is meant`}
			}
			piece = append(piece, text[i])
		case '*':
			pieces, piece = append(pieces, piece), []byte{}
		case 0, '\r', '\n':
			return nil, &Mistake{i, "a control character, which no request can have"}
		default:
			piece = append(piece, c)
		}
	}
	return append(pieces, piece), nil
}

func allEmpty(pieces [][]byte) bool {
	for _, piece := range pieces {
		if len(piece) > 0 {
			return false
		}
	}
	return true
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.source }

// Exact returns the only text that matches; in lower case where letters match
// in either.
func (p *Pattern) Exact() (text []byte, ok bool) { return p.text, p.kind == exact }

// Beginning returns what every text that matches begins with; nil where that
// is not known. Letters have the case that texts must have.
func (p *Pattern) Beginning() []byte {
	switch {
	case p.kind == expression:
		return p.begin
	case p.fold:
		return nil
	}
	return p.pieces[0]
}

// Costly reports whether matching takes more than a comparison or a search.
func (p *Pattern) Costly() bool { return p.kind >= starred }

// Match reports whether the pattern matches a text.
func (p *Pattern) Match(text []byte) bool {
	switch p.kind {
	case exact:
		if !p.fold {
			return string(text) == string(p.text)
		}
		return len(text) == len(p.text) && p.same(text, p.text)
	case prefix:
		if !p.fold {
			return bytes.HasPrefix(text, p.text)
		}
		return len(text) >= len(p.text) && p.same(text[:len(p.text)], p.text)
	case suffix:
		return len(text) >= len(p.text) && p.same(text[len(text)-len(p.text):], p.text)
	case inside:
		return p.find(text, p.text) >= 0
	case everything:
		return true
	case expression:
		return (len(p.must) == 0 || bytes.Contains(text, p.must)) && p.re.Match(text)
	}
	return p.matchStars(text, nil)
}

// matchStars finds the pieces from left to right, each as early as it goes:
// if that does not lead to a match, nothing does. Captures gets what the
// stars stand for, unless it is nil.
func (p *Pattern) matchStars(text []byte, captures *[][]byte) bool {
	first, last := p.pieces[0], p.pieces[len(p.pieces)-1]
	if len(text) < len(first)+len(last) || !p.same(text[:len(first)], first) || !p.same(text[len(text)-len(last):], last) {
		return false
	}
	rest := text[len(first) : len(text)-len(last)]
	for _, piece := range p.pieces[1 : len(p.pieces)-1] {
		at := p.find(rest, piece)
		if at < 0 {
			return false
		}
		if captures != nil {
			*captures = append(*captures, rest[:at])
		}
		rest = rest[at+len(piece):]
	}
	if captures != nil {
		*captures = append(*captures, rest)
	}
	return true
}

// Captures appends what the stars of the pattern, or the groups of its
// expression, stand for in a text that it matches. ok is false where it does
// not match. A group that took no part is nil.
func (p *Pattern) Captures(dst [][]byte, text []byte) (captures [][]byte, ok bool) {
	switch {
	case p.kind == expression:
		if !p.Match(text) {
			return dst, false
		}
		groups := p.re.FindSubmatch(text)
		return append(dst, groups[1:]...), true
	case p.kind == exact:
		return dst, p.Match(text)
	}
	captures = dst
	ok = p.matchStars(text, &captures)
	return captures, ok
}

// Groups returns how many texts Captures appends, and the number of each that
// has a name, from 0.
func (p *Pattern) Groups() (count int, names map[string]int) {
	if p.kind != expression {
		return len(p.pieces) - 1, nil
	}
	names = map[string]int{}
	for i, name := range p.re.SubexpNames() {
		if name != "" {
			names[name] = i - 1
		}
	}
	return p.re.NumSubexp(), names
}

// same compares two texts of one length; b is in lower case with fold.
func (p *Pattern) same(a, b []byte) bool {
	if !p.fold {
		return string(a) == string(b)
	}
	for i, c := range a {
		if lower(c) != b[i] {
			return false
		}
	}
	return true
}

// find is bytes.Index, in either case with fold.
func (p *Pattern) find(text, piece []byte) int {
	if !p.fold {
		return bytes.Index(text, piece)
	}
	if len(piece) == 0 {
		return 0
	}
	for at := 0; ; at++ {
		if at += perhaps(text[at:], piece); at+len(piece) > len(text) {
			return -1
		}
		if p.same(text[at:at+len(piece)], piece) {
			return at
		}
	}
}

// perhaps returns the first place where a text may have a piece, in either
// case; at worst the text's length. It looks at eight places at once, and at
// the piece's first two bytes there.
func perhaps(text, piece []byte) int {
	const ones, highs, small = 0x0101010101010101, 0x8080808080808080, 0x2020202020202020
	at := 0
	if len(piece) > 1 {
		first, second := uint64(piece[0]|0x20)*ones, uint64(piece[1]|0x20)*ones
		for ; at+9 <= len(text); at += 8 {
			eight := text[at : at+9]
			differs := (binary.LittleEndian.Uint64(eight) | small) ^ first | (binary.LittleEndian.Uint64(eight[1:]) | small) ^ second
			if zeros := (differs - ones) &^ differs & highs; zeros != 0 {
				return at + bits.TrailingZeros64(zeros)/8
			}
		}
	}
	for ; at < len(text) && lower(text[at]) != piece[0]; at++ {
	}
	return at
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
