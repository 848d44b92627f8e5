package rewrite

import (
	"fmt"
	"strings"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// changes is a compiled spec.FieldsSpec.
type changes struct {
	gone  []fieldName  // what is removed and what is set
	take  wire.NameSet // the same
	new   []newField
	lines *wire.Fields // new, where nothing has to be filled in; nil: something has
}

type fieldName struct {
	known wire.Name
	name  []byte // compared where it is not known
}

type newField struct {
	fieldName
	fixed []byte // the value, unless it has places to fill in
	value template
}

func nameOf(name string) fieldName { return fieldName{wire.Lookup([]byte(name)), []byte(name)} }

// fieldValues are what a field's value may name.
var fieldValues = []string{"client_address", "country", "network", "request_id", "host", "path", "client_subject", "client_fingerprint"}

// Values gives what a field's value names; nil where it is not known.
type Values func(name string) []byte

// kept are fields that no rule changes: those that frame the message or
// belong to one connection, that the cache answers for, and those that say
// who has handled it.
var kept = map[wire.Name]bool{
	wire.Connection: true, wire.ContentLength: true, wire.TransferEncoding: true, wire.Trailer: true, wire.Upgrade: true, wire.TE: true, wire.KeepAlive: true,
	wire.Age: true, wire.CacheStatus: true, wire.SeawallRequestID: true, wire.SeawallKey: true, wire.SeawallDevice: true, wire.Via: true, wire.CDNLoop: true,
	wire.ContentRange: true, wire.ContentEncoding: true, wire.Date: true, wire.Host: true, wire.Expect: true,
	wire.Range: true, wire.IfRange: true, wire.IfMatch: true, wire.IfNoneMatch: true, wire.IfModifiedSince: true, wire.IfUnmodifiedSince: true,
	wire.XForwardedFor: true, wire.XForwardedHost: true, wire.XForwardedProto: true, wire.Forwarded: true, wire.HTTP2Settings: true, wire.ClientCert: true, wire.ClientCertChain: true,
}

// newChanges compiles changes of fields; groups and names are those that a
// rule's From has.
func newChanges(s spec.FieldsSpec) (c changes, err error) {
	for i, name := range s.Remove {
		if err := checkName(name); err != nil {
			return c, wrongIn(fmt.Sprintf("fields.remove[%d]", i), "%w", err)
		}
		c.gone = append(c.gone, nameOf(name))
	}
	for i, text := range s.Set {
		field, err := parseField(text)
		if err != nil {
			return c, wrongIn(fmt.Sprintf("fields.set[%d]", i), "%w", err)
		}
		c.gone = append(c.gone, field.fieldName)
		c.new = append(c.new, field)
	}
	for i, text := range s.Add {
		field, err := parseField(text)
		if err != nil {
			return c, wrongIn(fmt.Sprintf("fields.add[%d]", i), "%w", err)
		}
		c.new = append(c.new, field)
	}
	for _, name := range c.gone {
		c.take |= wire.SetOf(name.known)
	}
	c.lines = fixedLines(c.new)
	return c, nil
}

// fixedLines returns fields as they are sent; nil where a value is not fixed.
func fixedLines(fields []newField) *wire.Fields {
	var lines wire.Fields
	for i := range fields {
		if fields[i].fixed == nil {
			return nil
		}
		fields[i].addTo(&lines, nil)
	}
	return &lines
}

func checkName(name string) error {
	if !wire.IsToken([]byte(name)) {
		return fmt.Errorf("%q is not the name of a field", name)
	}
	if kept[wire.Lookup([]byte(name))] {
		return fmt.Errorf("%s frames the message, or says how it came here, and is not for rules to change", name)
	}
	return nil
}

// parseField reads "Name: value".
func parseField(text string) (newField, error) {
	name, value, found := strings.Cut(text, ":")
	if !found {
		return newField{}, fmt.Errorf("%q is not a field; write Name: value", text)
	}
	if err := checkName(name); err != nil {
		return newField{}, err
	}
	value = strings.Trim(value, " \t")
	if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
		return newField{}, fmt.Errorf("%q has a control character in its value", text)
	}
	t, err := parseTemplate(value, 0, nil, fieldValues)
	field := newField{fieldName: nameOf(name), value: t}
	if text, is := t.fixed(); is {
		field.fixed = append([]byte{}, text...)
	}
	return field, err
}

// takes reports whether a field goes.
func (c *changes) takes(known wire.Name, name []byte) bool { return isAmong(c.gone, known, name) }

// isAmong reports whether a field's name is one of several.
func isAmong(names []fieldName, known wire.Name, name []byte) bool {
	for i := range names {
		if n := &names[i]; n.known == known && (known != wire.Other || wire.EqualFold(name, n.name)) {
			return true
		}
	}
	return false
}

// addTo adds the new fields. A value that is not known is empty; what a
// visitor sent cannot end the line.
func (c *changes) addTo(f *wire.Fields, values Values) {
	for i := range c.new {
		c.new[i].addTo(f, values)
	}
}

func (n *newField) addTo(f *wire.Fields, values Values) {
	value := n.fixed
	if value == nil {
		value = n.value.appendPlain(nil, values)
	}
	f.Add(n.known, n.name, value)
}

// appendPlain appends the template as the value of a field.
func (t *template) appendPlain(dst []byte, values Values) []byte {
	for _, part := range t.parts {
		if part.text != "" {
			dst = append(dst, part.text...)
			continue
		}
		for _, c := range values(part.value) {
			if c < ' ' || c == 0x7f {
				c = ' '
			}
			dst = append(dst, c)
		}
	}
	return dst
}
