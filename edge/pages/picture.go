package pages

import "strings"

// pictures shows the way from the visitor to the site, one picture for each
// piece that can be broken. A screen reader hears one sentence instead of
// five drawings; colour is never the only sign (a cross, a broken line and
// a word say the same).
var pictures = func() (all [pieces]string) {
	for broken := range all {
		all[broken] = draw(piece(broken))
	}
	all[pieceNone] = harbour
	return all
}()

// harbour is the picture where nothing is broken: a boat on a calm sea, a
// lighthouse on its wall. It says nothing that the words do not say, so a
// screen reader passes it by.
const harbour = `<svg viewBox="0 0 320 128" aria-hidden="true">` +
	`<path class="far" d="M10 66h28M146 62h18M62 22h36M112 36h18M226 31.5h-38M227 25l-32-11M227 38l-32 11"/>` +
	`<path class="fill" d="M54 86h48l-9 13H63zM80 86V48l20 29H80"/>` +
	`<path d="M4 106q9-7 18 0t18 0 18 0 18 0 18 0 18 0 18 0 18 0 15 0M22 119q9-7 18 0t18 0 18 0 18 0 18 0 18 0"/>` +
	`<path class="fill" d="M163 121l13-37h140v37zM171.8 96.3H316M167.5 108.6H316M214 84v12.3M270 84v12.3M192 96.3v12.3M242 96.3v12.3M294 96.3v12.3M216 108.6V121M268 108.6V121"/>` +
	`<path class="fill" d="M232 84l5-46h20l5 46zM235.3 54h23.4M233.7 69h26.6M231 38h32M239 38V25h16v13M236 25l11-10 11 10z"/>` +
	`<circle class="light" cx="247" cy="31.5" r="2.5"/>` +
	`</svg>`

// drawings are paths on a grid of 24 by 24: a screen, a wall over waves, two
// drawers of a rack.
var drawings = [pieces]string{
	pieceYou:  "M4 5h16v11H4zM9 20h6M12 16v4",
	pieceEdge: "M4 4h16v9H4zM4 8.5h16M9.5 4v4.5M14.5 8.5V13M3 18q2.3-2.6 4.5 0t4.5 0 4.5 0 4.5 0",
	pieceSite: "M4 4h16v7H4zM4 13h16v7H4zM7.5 7.5h.01M7.5 16.5h.01M11 7.5h5M11 16.5h5",
}

var labels = [pieces]string{pieceYou: "You", pieceEdge: "Edge", pieceSite: "Site"}

// spoken is the picture in words.
var spoken = [pieces]string{
	pieceYou:   "The request stopped at you; the edge and the site are not involved.",
	pieceLine:  "The connection between you and the edge is at fault; the site was not asked.",
	pieceEdge:  "You reached the edge; the edge is at fault; the site was not asked.",
	pieceRoute: "You reached the edge; the edge could not reach the site.",
	pieceSite:  "You reached the edge; the edge works; the site is at fault.",
}

func draw(broken piece) string {
	var b strings.Builder
	b.WriteString(`<div class="way" role="img" aria-label="` + spoken[broken] + `">`)
	for p := pieceYou; p <= pieceSite; p++ {
		class, word := state(p, broken)
		if labels[p] == "" { // a line between two drawings
			b.WriteString(`<i class="wire ` + class + `">` + sign(class) + `</i>`)
			continue
		}
		b.WriteString(`<div class="stop ` + class + `"><span><svg viewBox="0 0 24 24"><path d="` + drawings[p] + `"/></svg>` + sign(class) + `</span>`)
		b.WriteString(`<b>` + labels[p] + `</b><small>` + word + `</small></div>`)
	}
	b.WriteString(`</div>`)
	return b.String()
}

// state returns the class and the word of a piece when another is broken.
func state(p, broken piece) (class, word string) {
	switch {
	case p < broken:
		return "ok", "Working"
	case p == broken:
		return "bad", "Problem"
	case broken == pieceRoute:
		return "off", "Not reached"
	default:
		return "off", "Not asked"
	}
}

// sign is the small cross on a broken piece.
func sign(class string) string {
	if class != "bad" {
		return ""
	}
	return `<svg class="x" viewBox="0 0 24 24"><path d="M7 7l10 10M17 7L7 17"/></svg>`
}
