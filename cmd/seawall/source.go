package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/seawall-edge/seawall/internal/strictyaml"
	"github.com/seawall-edge/seawall/spec"
)

// source is where a configuration comes from: a file, flags, or both.
type source struct {
	File string // empty: flags alone

	HTTP, HTTPS, State, Admin, Debug, Metrics string // override the file where they are not empty
	AccessLog, AccessFormat, AccessWhat       string
	Resolver                                  []string // in place of those of the file
	Zones                                     []string // NAME=ORIGIN_URL, added to those of the file
}

// complaint is a mistake with the place where it can be corrected.
type complaint struct {
	Where string // FILE:LINE:COL or a flag; empty when something is missing altogether
	spec.Mistake
	line, column int
}

// String returns "FILE:LINE:COL: path: sentence".
func (c complaint) String() string {
	text := c.Text
	if c.Path != "" {
		text = c.Path + ": " + text
	}
	if c.Where != "" {
		text = c.Where + ": " + text
	}
	return text
}

// read returns what is in the file, nothing when there is none to read. Its
// errors are sentences for the operator.
func (s source) read() ([]byte, error) {
	if s.File == "" {
		return nil, nil
	}
	file, err := os.Open(s.File)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	defer file.Close()
	src, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	return src, nil
}

// parse makes the resolved configuration of what is in the file and of the
// flags, or returns every mistake in the order of the file, flags last.
func (s source) parse(src []byte) (Config, []complaint) {
	var c Config
	var wrong []complaint
	if s.File != "" {
		for _, m := range strictyaml.Decode(src, &c) {
			wrong = append(wrong, s.inFile(spec.Mistake{Path: m.Path, Text: m.Text}, m.Position))
		}
	}
	inFile := len(c.Zones)
	unread := s.readListFiles(&c)
	wrong = append(wrong, s.override(&c)...)
	c = c.resolved()
	decoded := wrong
	var lines strictyaml.Lines
	for _, m := range append(unread, c.validate()...) {
		if lines == nil && s.File != "" {
			lines = strictyaml.Locate[Config](src)
		}
		if !explained(decoded, m.Path) {
			wrong = append(wrong, s.place(m, lines, inFile))
		}
	}
	slices.SortStableFunc(wrong, func(a, b complaint) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return c, wrong
}

// flagOf names the flag that has overridden a setting.
func (s source) flagOf(path string) string {
	for _, f := range []struct{ path, flag, value string }{
		{"http", "--http", s.HTTP}, {"https", "--https", s.HTTPS}, {"state", "--state", s.State}, {"admin", "--admin", s.Admin},
		{"debug", "--debug", s.Debug}, {"metrics", "--metrics", s.Metrics},
		{"access_log.file", "--access-log", s.AccessLog}, {"access_log.format", "--access-log-format", s.AccessFormat},
		{"access_log.what", "--access-log-what", s.AccessWhat},
	} {
		if f.path == path && f.value != "" {
			return f.flag
		}
	}
	if len(s.Resolver) > 0 && strings.HasPrefix(path, "resolver[") {
		return "--resolver"
	}
	return ""
}

// override puts the flags over what the file says.
func (s source) override(c *Config) (wrong []complaint) {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&c.HTTP, s.HTTP}, {&c.HTTPS, s.HTTPS}, {&c.State, s.State}, {&c.Admin, s.Admin}, {&c.Debug, s.Debug}, {&c.Metrics, s.Metrics},
		{&c.AccessLog.File, s.AccessLog}, {&c.AccessLog.Format, s.AccessFormat}, {&c.AccessLog.What, s.AccessWhat},
	} {
		if f.value != "" {
			*f.field = f.value
		}
	}
	if len(s.Resolver) > 0 {
		c.Resolver = s.Resolver
	}
	for _, text := range s.Zones {
		name, url, found := strings.Cut(text, "=")
		z := spec.ZoneSpec{Name: name}
		z.Origin.URL = url
		c.Zones = append(c.Zones, z)
		if !found {
			if strings.Contains(text, "@") {
				text = "" // what stands before it may be a password
			}
			wrong = append(wrong, s.atFlag(spec.Mistake{
				Path: fmt.Sprintf("zones[%d]", len(c.Zones)-1), Text: "a zone is written as NAME=ORIGIN_URL, such as example.com=http://127.0.0.1:3000",
			}, "--zone", text))
		}
	}
	return wrong
}

// place finds where a mistake of the whole can be corrected.
func (s source) place(m spec.Mistake, lines strictyaml.Lines, inFile int) complaint {
	var index int
	if n, err := fmt.Sscanf(m.Path, "zones[%d]", &index); n == 1 && err == nil && index >= inFile {
		m.Path = strings.TrimPrefix(m.Path, fmt.Sprintf("zones[%d].", index))
		name, _, _ := strings.Cut(s.Zones[index-inFile], "=")
		return s.atFlag(m, "--zone", name) // a URL may have a password in it
	}
	if flag := s.flagOf(m.Path); flag != "" {
		return s.atFlag(spec.Mistake{Text: m.Text}, flag, "")
	}
	if s.File == "" {
		return s.atFlag(m, "", "")
	}
	return s.inFile(m, lines.At(m.Path))
}

func (s source) inFile(m spec.Mistake, at strictyaml.Position) complaint {
	return complaint{Where: fmt.Sprintf("%s:%d:%d", s.File, at.Line, at.Column), Mistake: m, line: at.Line, column: at.Column}
}

func (s source) atFlag(m spec.Mistake, flag, value string) complaint {
	if value != "" {
		flag += " " + value
	}
	return complaint{Where: flag, Mistake: m, line: 1 << 30}
}

// explained reports whether a mistake follows from one that is known: the
// setting itself, what holds it or what is in it could not be read.
func explained(known []complaint, path string) bool {
	return slices.ContainsFunc(known, func(c complaint) bool {
		return c.Path == "" || c.Path == path || within(c.Path, path) || within(path, c.Path)
	})
}

// within reports whether the setting at path is a part of the one at outer.
func within(outer, path string) bool {
	rest, found := strings.CutPrefix(path, outer)
	return found && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// load reads and parses; every complaint is in the error.
func (s source) load() (Config, []byte, error) {
	src, err := s.read()
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = fmt.Errorf("the configuration %s cannot be read: %w", s.File, pathError.Err)
		}
		return Config{}, nil, err
	}
	c, wrong := s.parse(src)
	if len(wrong) > 0 {
		return c, src, complaints(wrong)
	}
	return c, src, nil
}

// complaints are one error with a line for each.
type complaints []complaint

func (c complaints) Error() string {
	lines := make([]string, len(c))
	for i := range c {
		lines[i] = c[i].String()
	}
	return strings.Join(lines, "\n")
}
