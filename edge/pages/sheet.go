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

// The style of an HTML page is baseStyle with the page's own behind it.
var (
	//go:embed sheet/base.css
	baseStyle string
	//go:embed sheet/page.html
	sheetHTML string
	//go:embed sheet/page.css
	sheetStyle string
	//go:embed sheet/page.json
	sheetProblem string
	//go:embed sheet/page.txt
	sheetText string
	//go:embed sheet/maintenance.html
	maintenanceHTML string
	//go:embed sheet/maintenance.css
	maintenanceStyle string
	//go:embed sheet/maintenance.txt
	maintenanceText string
)

// ContentSecurityPolicy is the value of the Content-Security-Policy field
// that belongs to the HTML form of the built-in pages: nothing may run or
// load, and of styles only the pages' own, named by their hashes (CSP Level 3,
// section 2.3.1). An empty icon in a data: URL keeps browsers from asking a
// site that is already in trouble for one. Framing stays allowed: there is
// nothing on a page to click, and a broken part of a larger page should be
// able to say so.
//
// An owner's own page does not get it (see [Set.Append]).
var ContentSecurityPolicy = "default-src 'none'; style-src '" + hash(sheetStyle) + "' '" + hash(maintenanceStyle) +
	"'; img-src data:; base-uri 'none'; form-action 'none'"

// ContentTypeOptions is the value of the X-Content-Type-Options field that
// belongs to every page, built-in or an owner's own: what is said to be text
// stays text (Fetch standard, section 3.6).
const ContentTypeOptions = "nosniff"

func hash(style string) string {
	sum := sha256.Sum256([]byte(joinLines(baseStyle + style)))
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
	fieldYear
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
	HTML:    parse(dress(sheetHTML, sheetStyle), html.EscapeString),
	Problem: parse(sheetProblem, escapeJSON),
}

// calmSheets are for maintenance, where nobody needs to be told what is
// broken. Programs read the same as ever.
var calmSheets = [...]sheet{
	Text:    parse(maintenanceText, func(s string) string { return s }),
	HTML:    parse(dress(maintenanceHTML, maintenanceStyle), html.EscapeString),
	Problem: sheets[Problem],
}

// dress puts a style into a sheet.
func dress(text, style string) string {
	return strings.Replace(joinLines(text), "{{style}}", joinLines(baseStyle+style), 1)
}

// parse takes one of our own sheets apart. A mistake in it is a mistake of
// ours that no visitor should find, so it stops the program at once.
func parse(text string, escape func(string) string) sheet {
	pieces, mistakes := takeApart(text, fieldMarks, true)
	if len(mistakes) > 0 {
		panic("pages: " + mistakes[0].what)
	}
	s := sheet{pieces: pieces}
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
