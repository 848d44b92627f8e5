package pages

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// mistake is something in a text that cannot be used, and where it stands.
type mistake struct {
	at    int // byte of the text
	what  string
	names bool // the names of the placeholders help
}

// maxMarks is the most marks of one text, so that no page becomes much longer
// than it was written: a host of 255 bytes stands behind eight.
const maxMarks = 100

// longestMark is the most bytes between two pairs of braces that are taken
// for an attempt at a placeholder; what is longer was never closed.
const longestMark = 64

// takeApart cuts a text into what never changes and what is filled in for
// each page. The last piece has no field. A pair of braces that names none of
// the marks is a mistake, or a part of the text where strict is false.
func takeApart(text string, marks map[string]field, strict bool) (pieces []literalThenField, mistakes []mistake) {
	start, at := 0, 0 // of the literal; of the search
	for {
		n := strings.Index(text[at:], "{{")
		if n < 0 {
			return append(pieces, literalThenField{literal: text[start:]}), mistakes
		}
		open := at + n
		name, length, closed := readMark(text[open:])
		f, known := marks[name]
		switch {
		case closed && known:
			if len(pieces) == maxMarks {
				mistakes = append(mistakes, mistake{at: open, what: fmt.Sprintf("more than %d placeholders", maxMarks)})
			}
			pieces = append(pieces, literalThenField{literal: text[start:open], field: f})
			start = open + length
		case strict && closed:
			mistakes = append(mistakes, mistake{open, fmt.Sprintf("%q is no placeholder", text[open:open+length]), true})
		case strict:
			mistakes = append(mistakes, mistake{open, `"{{" is not closed by "}}"`, true})
		}
		if closed && (known || strict) {
			at = open + length
			continue
		}
		for at = open; at < len(text) && text[at] == '{'; { // three braces are not a mark behind one
			at++
		}
	}
}

// readMark reads a mark at the start of text: its name without the white
// space around it, and the length of the whole mark.
func readMark(text string) (name string, length int, closed bool) {
	inside := text[len("{{"):]
	end := strings.IndexAny(inside, "{}<>")
	if end < 0 || end > longestMark || !strings.HasPrefix(inside[end:], "}}") {
		return "", 0, false
	}
	return strings.Trim(inside[:end], " \t\r\n"), len("{{") + end + len("}}"), true
}

// position returns the line and the column of a byte, both from one. Columns
// are counted in characters, as editors do.
func position(text string, at int) (line, column int) {
	before := text[:at]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[1+strings.LastIndexByte(before, '\n'):])
}
