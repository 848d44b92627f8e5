package pages

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seawall-edge/seawall"
)

// Classes of reasons, the keys under which an owner's own pages stand. Apart
// from the two that have names, a class is the status code of the answer.
const (
	ClassMisdirected = "421"         // the host or the scheme is not served here
	ClassBadGateway  = "502"         // the origin failed
	ClassUnavailable = "503"         // the origin is down or has too much to do
	ClassTimeout     = "504"         // the origin is too slow
	ClassLimits      = "limits"      // a limit of the edge or of the visitor's address is reached
	ClassMaintenance = "maintenance" // the owner has closed the site
)

// ClassOf returns the class of a reason, and "" for reasons whose page nobody
// reads.
func ClassOf(reason seawall.Reason) string {
	if int(reason) >= seawall.Reasons {
		reason = seawall.ReasonInternal
	}
	return classOf[reason]
}

var classOf = func() (classes [seawall.Reasons]string) {
	for i := range classes {
		switch reason := seawall.Reason(i); {
		case reason == seawall.ReasonMaintenance:
			classes[i] = ClassMaintenance
		case reason == seawall.ReasonConnections, reason == seawall.ReasonShortage, reason.Status() == 429:
			classes[i] = ClassLimits
		case isError(reason.Status()) && reason.Status() != statusNobody:
			classes[i] = strconv.Itoa(reason.Status())
		}
	}
	return classes
}()

// Classes returns every key that a Set takes: the two with names, and every
// status code the edge answers with on its own account. A page for another
// one, 404 for example, would never be shown: such answers are the origin's.
func Classes() []string { return slices.Clone(classes) }

var classes = func() []string {
	all := []string{ClassLimits, ClassMaintenance}
	for i := range seawall.Reasons {
		if status := seawall.Reason(i).Status(); isError(status) && status != statusNobody {
			all = append(all, strconv.Itoa(status))
		}
	}
	slices.Sort(all) // digits before letters
	return slices.Compact(all)
}()

// Set is the own pages of one zone. It does not change and is safe for
// concurrent use; a nil Set has the built-in pages only.
type Set struct {
	limits, maintenance *Template
	byStatus            map[int]*Template
}

// NewSet puts the pages of a zone together, by class. A nil Template is a
// page that is not there yet. The error names all keys that are no class.
func NewSet(own map[string]*Template) (*Set, error) {
	s := &Set{byStatus: map[int]*Template{}}
	var unknown []string
	for _, class := range slices.Sorted(maps.Keys(own)) {
		if !s.put(class, own[class]) {
			unknown = append(unknown, strconv.Quote(class))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("own pages: the edge has no page %s; it has %s", strings.Join(unknown, ", "), strings.Join(classes, ", "))
	}
	return s, nil
}

// With returns a copy of the Set with one page more or another one in its
// place: a page that was fetched from the origin has come. A nil Set is an
// empty one.
func (s *Set) With(class string, t *Template) (*Set, error) {
	more, err := NewSet(map[string]*Template{class: t})
	if err != nil || s == nil {
		return more, err
	}
	both := &Set{s.limits, s.maintenance, maps.Clone(s.byStatus)}
	both.put(class, t)
	return both, nil
}

func (s *Set) put(class string, t *Template) bool {
	if !slices.Contains(classes, class) {
		return false
	}
	switch class {
	case ClassLimits:
		s.limits = t
	case ClassMaintenance:
		s.maintenance = t
	default:
		status, _ := strconv.Atoi(class) // classes holds nothing but numbers besides the two names
		s.byStatus[status] = t
	}
	return true
}

// For returns the owner's page for an answer, nil for the built-in one: the
// page of the reason's class if the class has a name, otherwise the page of
// the status code, so a page 503 also stands for "limits" and "maintenance"
// where those have none. Status is as in Page: 0 for the reason's own.
func (s *Set) For(status int, reason seawall.Reason) *Template {
	if s == nil {
		return nil
	}
	p := Page{Reason: reason, Status: status}
	if !p.settle() {
		return nil
	}
	var t *Template
	switch ClassOf(p.Reason) {
	case ClassLimits:
		t = s.limits
	case ClassMaintenance:
		t = s.maintenance
	}
	if t == nil {
		t = s.byStatus[p.Status]
	}
	return t
}

// Append is the function Append with the owner's page in place of the
// built-in one where there is one for the HTML form; own says that it was.
//
// An own page is the owner's, like every other page of the site: it may have
// styles, scripts and pictures from where the owner wants, so it does not get
// ContentSecurityPolicy and no other policy of ours. An owner who wants one
// writes it into the page (<meta http-equiv>). ContentTypeOptions belongs to
// both.
func (s *Set) Append(dst []byte, p Page, form Form) (page []byte, own bool) {
	if form == HTML {
		if t := s.For(p.Status, p.Reason); t != nil {
			return t.Append(dst, p), true
		}
	}
	return Append(dst, p, form), false
}
