package edge

import (
	"net/http"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// ownRules are a zone's own answers, compiled.
type ownRules struct {
	rules []ownRule
	asked rule.Set // of rules
}

// ownRule is a compiled spec.OwnAnswerSpec.
type ownRule struct {
	title  string
	reads  bool // of methods it is about GET and HEAD alone
	status int
	kind   []byte // Content-Type
	body   []byte
}

const plainText = "text/plain; charset=utf-8"

func compileOwn(specs []spec.OwnAnswerSpec, txt spec.SecurityTxtSpec, lists rule.Lists) (own ownRules, err error) {
	for i, s := range specs {
		r := ownRule{title: rewrite.Title("own", s.Name, i), reads: len(s.When.Method) == 0, status: s.Status, kind: []byte(s.Type), body: []byte(s.Body + s.Text)}
		when, err := rule.Compile(s.When, lists)
		if err != nil {
			return ownRules{}, err
		}
		if r.status == 0 {
			r.status = http.StatusOK
		}
		if len(r.kind) == 0 {
			r.kind = []byte(plainText)
		}
		own.add(r, when)
	}
	if len(txt.Contact) == 0 {
		return own, nil
	}
	when, err := rule.Compile(spec.ConditionSpec{Path: []string{"/.well-known/security.txt"}}, nil)
	own.add(ownRule{"security.txt", true, http.StatusOK, []byte(plainText), []byte(securityText(txt))}, when)
	return own, err
}

func (o *ownRules) add(r ownRule, when *rule.Condition) {
	o.rules = append(o.rules, r)
	o.asked.Add(nil, when)
}

// securityText writes a file by RFC 9116, 2.5.
func securityText(s spec.SecurityTxtSpec) string {
	var b strings.Builder
	for _, contact := range s.Contact {
		b.WriteString("Contact: " + contact + "\n")
	}
	b.WriteString("Expires: " + s.Expires.Time().UTC().Format(time.RFC3339) + "\n")
	if len(s.Languages) > 0 {
		b.WriteString("Preferred-Languages: " + strings.Join(s.Languages, ", ") + "\n")
	}
	if s.Policy != "" {
		b.WriteString("Policy: " + s.Policy + "\n")
	}
	return b.String()
}

// ownAnswer returns the rule that answers the request; nil if none does.
func (e *Edge) ownAnswer(c *climb) *ownRule {
	own := &c.zone.rules.own
	if len(own.rules) == 0 {
		return nil
	}
	f := e.facts(c)
	for i := own.asked.Next(f, 0); i >= 0; i = own.asked.Next(f, i+1) {
		if r := &own.rules[i]; !r.reads || reads(c.x.MethodName) {
			return r
		}
	}
	return nil
}

func reads(method []byte) bool {
	return string(method) == http.MethodGet || string(method) == http.MethodHead
}

// sendOwn answers as a rule says.
func (e *Edge) sendOwn(c *climb) {
	x, a, fields, r := c.x, &c.answer, &c.own.fields, c.self.rule
	fields.Clear()
	var scratch [40]byte
	fields.AddKnown(wire.Date, c.now.UTC().AppendFormat(scratch[:0], http.TimeFormat))
	fields.AddKnown(wire.SeawallRequestID, x.Event.ID.AppendTo(scratch[:0]))
	var body []byte
	a.Length = 0
	switch {
	case c.self.preflight:
		a.Status = http.StatusNoContent
		c.zone.rules.cors.AddPreflight(fields, x.Fields)
	default:
		a.Status, body, a.Length = r.status, r.body, int64(len(r.body))
		fields.AddKnown(wire.ContentType, r.kind)
	}
	a.Fields = fields
	x.Event.Status = uint16(a.Status)
	err := e.beginAnswer(c, a)
	if err == nil {
		err = x.Out.Write(body)
	}
	if err == nil {
		err = x.Out.End(nil)
	}
	if err != nil {
		e.cut(c, err)
	}
}
