package pages

import (
	"crypto/sha256"
	_ "embed" // for the sheets
	"encoding/base64"
	"encoding/json"
	"html"
	"strings"

	"github.com/seawall-edge/seawall"
)

//go:embed sheet/page.html
var sheetHTML string

//go:embed sheet/page.css
var sheetStyle string

//go:embed sheet/page.json
var sheetProblem string

//go:embed sheet/page.txt
var sheetText string

// ContentSecurityPolicy is the value of the Content-Security-Policy field
// that belongs to the HTML form: nothing may run or load, and of styles only
// the page's own, named by its hash (CSP Level 3, section 2.3.1). An empty
// icon in a data: URL keeps browsers from asking a site that is already in
// trouble for one. Framing stays allowed: there is nothing on the page to
// click, and a broken part of a larger page should be able to say so.
var ContentSecurityPolicy = "default-src 'none'; style-src '" + styleHash() + "'; img-src data:; base-uri 'none'; form-action 'none'"

func styleHash() string {
	sum := sha256.Sum256([]byte(joinLines(sheetStyle)))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// field is a place in a sheet that is filled for each page.
type field uint8

const (
	fieldNone field = iota
	fieldStatus
	fieldHeading
	fieldSentence
	fieldFault
	fieldAdvice
	fieldPicture
	fieldBroken
	fieldCode
	fieldHost
	fieldTime
	fieldStamp
	fieldID
)

// fieldMarks are the fields as they are written in a sheet.
var fieldMarks = map[string]field{
	"status": fieldStatus, "heading": fieldHeading, "sentence": fieldSentence, "fault": fieldFault,
	"advice": fieldAdvice, "picture": fieldPicture, "broken": fieldBroken, "code": fieldCode,
	"host": fieldHost, "time": fieldTime, "stamp": fieldStamp, "id": fieldID,
}

// sheet is one form, taken apart into what never changes and what does.
// Nothing in it changes after the program has started.
type sheet struct {
	pieces    []literalThenField
	stories   [storyCount]story
	sentences [seawall.Reasons]string
}

type literalThenField struct {
	literal string
	field   field
}

var sheets = [...]sheet{
	Text:    parse(sheetText, func(s string) string { return s }),
	HTML:    parse(strings.Replace(joinLines(sheetHTML), "{{style}}", joinLines(sheetStyle), 1), html.EscapeString),
	Problem: parse(sheetProblem, escapeJSON),
}

// parse takes a sheet apart. A mark that does not exist is a mistake of ours
// that no visitor should find, so it stops the program at once.
func parse(text string, escape func(string) string) sheet {
	var s sheet
	for {
		literal, rest, found := strings.Cut(text, "{{")
		if !found {
			s.pieces = append(s.pieces, literalThenField{literal: text})
			break
		}
		mark, after, _ := strings.Cut(rest, "}}")
		f, known := fieldMarks[mark]
		if !known {
			panic("pages: unknown mark " + mark)
		}
		s.pieces = append(s.pieces, literalThenField{literal: literal, field: f})
		text = after
	}
	for i, told := range stories {
		s.stories[i] = story{escape(told.heading), escape(told.sentence), escape(told.fault), escape(told.advice), told.broken}
	}
	for r := range s.sentences {
		s.sentences[r] = escape(seawall.Reason(r).Sentence())
	}
	return s
}

// joinLines takes indentation and line ends out of a sheet that is laid out
// for people to edit.
func joinLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line))
	}
	return b.String()
}

func escapeJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("pages: " + err.Error()) // a string always has a JSON form
	}
	return string(quoted[1 : len(quoted)-1])
}
