// Package pages says to a visitor that a request was not answered, and why.
//
// An error page is the one thing of Seawall that every visitor sees, and
// mostly at a bad moment: it says in plain sentences what happened, where the
// fault seems to lie, what can be done now, and the number under which the
// owner finds the request. It is also written most often when the edge has
// least to spare, in a flood. So everything that can be known beforehand is
// made once when the program starts, and a page is a row of copies into the
// caller's buffer. Pages load nothing: no script, no picture, no font.
//
// An owner may write pages of their own (Template, Set). They hold values,
// never conditions or code, so that a mistake in one shows when the
// configuration is read and not when the page is needed. Programs that ask
// for JSON and command lines that ask for nothing get the built-in forms all
// the same: what they read must not depend on the site.
package pages

import (
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
)

// Page is what differs from one error page to the next.
type Page struct {
	Reason seawall.Reason    // why; its sentence is on the page
	Status int               // 400 to 599 to replace the reason's own status code; otherwise the reason's own
	ID     seawall.RequestID // what the visitor tells the owner
	Host   []byte            // as received and never trusted; may be empty; only read
	Time   time.Time         // when it happened; zero for the second in ID
}

// How many bytes of a host a page shows. Longer names are cut: the whole one
// is in the Event. On an owner's page, where it may be part of a link, every
// name that can exist is whole (RFC 1035 section 2.3.4).
const (
	hostRoom    = 100
	hostRoomOwn = 255
)

// statusNobody is the status code of requests whose visitor has left.
const statusNobody = 499

// Append appends the page to dst and returns it. It allocates only where dst
// is too short; 6 KiB are always enough. Where nobody is there to read a page
// (status code 499) it returns dst unchanged. A page without a reason that
// also has no status of its own is shown as a fault of the edge, because a
// caller without a reason is one.
func Append(dst []byte, p Page, form Form) []byte {
	if !p.settle() {
		return dst
	}
	if int(form) >= len(sheets) {
		form = Text
	}
	sheet := &sheets[form]
	if p.Reason == seawall.ReasonMaintenance {
		sheet = &calmSheets[form]
	}
	story := &sheet.stories[storyOf(p.Reason, p.Status)]
	for i := range sheet.pieces {
		dst = append(dst, sheet.pieces[i].literal...)
		dst = appendField(dst, sheet.pieces[i].field, &p, form, story)
	}
	return dst
}

// settle fills in what the caller left open and reports whether anybody is
// there to read the page.
func (p *Page) settle() bool {
	if int(p.Reason) >= seawall.Reasons || p.Reason == seawall.ReasonNone && !isError(p.Status) {
		p.Reason = seawall.ReasonInternal
	}
	if !isError(p.Status) {
		p.Status = p.Reason.Status()
	}
	if p.Time.IsZero() {
		p.Time = p.ID.Time()
	}
	p.Time = p.Time.UTC()
	return p.Status != statusNobody
}

func isError(status int) bool { return status >= 400 && status <= 599 }

// appendField appends what stands behind a literal. Texts of stories and
// reasons were escaped for their form when the program started; what comes
// from outside is escaped here.
func appendField(dst []byte, f field, p *Page, form Form, story *story) []byte {
	switch f {
	case fieldStatus:
		return strconv.AppendInt(dst, int64(p.Status), 10)
	case fieldHeading:
		return append(dst, story.heading...)
	case fieldSentence:
		if p.Reason == seawall.ReasonNone {
			return append(dst, story.sentence...)
		}
		return append(dst, sheets[form].sentences[p.Reason]...)
	case fieldFault:
		return append(dst, story.fault...)
	case fieldAdvice:
		return append(dst, story.advice...)
	case fieldPicture:
		return append(dst, pictures[story.broken]...)
	case fieldBroken:
		return append(dst, pieceNames[story.broken]...)
	case fieldCode:
		return append(dst, p.Reason.String()...)
	case fieldHost:
		if len(p.Host) == 0 && form != Problem {
			return append(dst, "not named"...)
		}
		return appendHost(dst, p.Host, hostRoom)
	case fieldTime:
		return p.Time.AppendFormat(dst, "2006-01-02 15:04:05 UTC")
	case fieldStamp:
		return p.Time.AppendFormat(dst, "2006-01-02T15:04:05Z")
	case fieldID:
		return p.ID.AppendTo(dst)
	case fieldYear:
		return strconv.AppendInt(dst, int64(p.Time.Year()), 10)
	default: // fieldNone ends a sheet
		return dst
	}
}

// appendHost appends a host that is safe in every form. It does not escape,
// it allows: letters, digits and what names and addresses are made of (RFC
// 3986 section 3.2.2 without percent-encoding), and a question mark for
// everything else. Nothing of it can be markup, end a string, or change the
// direction of writing.
func appendHost(dst, host []byte, room int) []byte {
	cut := len(host) > room
	if cut {
		host = host[:room]
	}
	for _, c := range host {
		if !inHost[c] {
			c = '?'
		}
		dst = append(dst, c)
	}
	if cut {
		dst = append(dst, "..."...)
	}
	return dst
}

var inHost = func() (in [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") {
		in[c] = true
	}
	return in
}()
