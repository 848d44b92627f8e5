package main

import (
	"encoding"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/strictyaml"
	"github.com/seawall-edge/seawall/spec"
)

const exampleFile = "../../doc/config.example.yaml"

// fromYAML parses a file's content as `seawall run --config seawall.yaml` does.
func fromYAML(text string) (Config, []complaint) {
	return source{File: "seawall.yaml"}.parse([]byte(text))
}

func zone(name, url string) spec.ZoneSpec {
	return spec.ZoneSpec{Name: name, Origin: spec.OriginSpec{URL: url}}
}

func TestConfig_exampleFileHasTheDefaults(t *testing.T) {
	src, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	c, wrong := fromYAML(string(src))
	if len(wrong) > 0 {
		t.Fatalf("the example has mistakes: %v", wrong)
	}
	minimal, wrong := fromYAML("zones: [{name: example.com, origin: {url: 'http://127.0.0.1:3000'}}]")
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	for i := range minimal.Zones {
		minimal.Zones[i] = minimal.Zones[i].Resolved()
	}
	c.Zones, c.Listeners = c.Zones[:1], nil // what follows shows settings that have no default
	// As text, for a list with nothing in it is the same as none.
	if says, are := fmt.Sprintf("%+v", c), fmt.Sprintf("%+v", minimal); says != are {
		t.Errorf("the example says\n%s\nbut the defaults are\n%s", says, are)
	}
}

func TestConfig_exampleFileHasEverySetting(t *testing.T) {
	src, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strictyaml.Locate[Config](src)
	paths := settings("", reflect.TypeFor[Config]())
	if len(paths) < 30 {
		t.Fatalf("only %d settings were found: %v", len(paths), paths)
	}
	for path, at := range maps.Clone(lines) { // a rule of a list shows what the others do not
		lines[regexp.MustCompile(`(rules|edge_lifetime|requests|answers)\[[0-9]+\]`).ReplaceAllString(path, "$1[0]")] = at
	}
	for _, path := range paths {
		_, there := lines[path]
		if _, second := lines[strings.Replace(path, "zones[0]", "zones[1]", 1)]; !there && !second && !commented(src, path) {
			t.Errorf("%s is not in the example", path)
		}
	}
}

// commented reports whether a setting is shown in a comment, as those are
// that cannot stand in the file at their default.
func commented(src []byte, path string) bool {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return regexp.MustCompile(`(?m)^ *# +` + regexp.QuoteMeta(name) + `: `).Match(src)
}

// settings returns the paths of all settings, in lists those of the first
// entry. A condition within a condition has the settings of any condition,
// and so has every other condition: they are to be shown once.
func settings(path string, t reflect.Type) (paths []string) {
	condition := reflect.TypeFor[spec.ConditionSpec]()
	switch {
	case (t == condition || t == reflect.SliceOf(condition)) && path != "zones[0].access.block[0].when":
		return []string{path}
	case strings.HasPrefix(path, "node.") && strings.Count(path, ".") == 1:
		return []string{path} // written like those of zones
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return []string{path}
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if name == "-" {
				continue // nobody writes it
			}
			paths = append(paths, settings(strings.TrimPrefix(path+"."+name, "."), t.Field(i).Type)...)
		}
		return paths
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return settings(path+"[0]", t.Elem())
	}
	return []string{path}
}

func TestConfig_flagsOverrideTheFileAndAddZones(t *testing.T) {
	s := source{
		File: "f", HTTP: ":81", State: "/s", Metrics: "127.0.0.1:82", AccessLog: "-", AccessFormat: "plain", AccessWhat: "errors",
		Zones: []string{"b.com=http://b", "*=https://c"},
	}
	c, wrong := s.parse([]byte("http: ':80'\nstate: /t\ndebug: 127.0.0.1:83\nlimits: {idle_timeout: 1s}\nzones: [{name: a.com, origin: {url: 'http://a'}}]"))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if c.HTTP != ":81" || c.State != "/s" || c.Admin != "/s/admin.sock" || c.Metrics != "127.0.0.1:82" || c.Debug != "127.0.0.1:83" ||
		c.AccessLog != (AccessSettings{"-", "plain", "errors", 100}) || c.Limits.IdleTimeout != spec.Duration(time.Second) {
		t.Errorf("%+v", c)
	}
	want := []spec.ZoneSpec{zone("a.com", "http://a"), zone("b.com", "http://b"), zone("*", "https://c")}
	if !reflect.DeepEqual(c.Zones, want) {
		t.Errorf("zones %+v, want %+v", c.Zones, want)
	}
}

func TestConfig_mistakesComeAllAtOnceWithTheirPlaces(t *testing.T) {
	const one = "\nzones: [{name: a.com, origin: {url: 'http://a'}}]\n"
	tests := []struct {
		name, file string
		flags      source
		want       []string // where: path: part of the text
	}{
		{"nothing wrong", one, source{}, nil},
		{"no zone", "http: ':80'\n", source{}, []string{"f:1:1: zones: there is no zone"}},
		{"no zone at all", "", source{}, []string{"f:1:1: there is nothing in it"}},
		{"flags alone", "-", source{Zones: []string{"a.com=http://a"}}, nil},
		{"no flags", "-", source{}, []string{"zones: there is no zone"}},
		{"syntax hides the rest", "http: [\n", source{}, []string{"f:2:1: this is not YAML"}},
		{"in the order of the file", "limits: {head_timeout: 5, max_head: 1B}\nhttp: x" + one + "chache: {}\n", source{}, []string{
			"f:1:24: limits.head_timeout: has no unit", "f:1:27: limits.max_head: 1B is outside", "f:1:1: limits.max_target: does not fit",
			"f:2:1: http: is not an address", "f:4:1: chache: did you mean cache"}},
		{"wrong type is not missing, too", "zones: [{name: a.com, origin: {url: 5}}]", source{}, []string{"f:1:37: zones[0].origin.url: text is expected"}},
		{"wrong group", "zones: [{name: a.com, origin: 5}]", source{}, []string{"f:1:31: zones[0].origin: settings"}},
		{"debug from outside", one + "debug: 0.0.0.0:1\n", source{}, []string{"f:3:1: debug: loopback only"}},
		{"debug everywhere", one + "debug: :1\n", source{}, []string{"f:3:1: debug: loopback only"}},
		{"debug by name", one + "debug: example.com:1\n", source{}, []string{"f:3:1: debug: loopback only"}},
		{"debug inside", one + "debug: '[::1]:1'\n", source{}, nil},
		{"debug by a known name", one + "debug: localhost:1\n", source{}, nil},
		{"admin from outside", one + "admin: ':1'\n", source{}, []string{"f:3:1: admin: loopback only"}},
		{"admin is a socket", one + "admin: unix:sock\n", source{}, nil},
		{"long socket", one + "admin: /" + strings.Repeat("a", 108) + "\n", source{}, []string{"f:3:1: admin: more than 107"}},
		{"long state", one, source{State: "/" + strings.Repeat("a", 100)}, []string{"--state: too long for the admin socket"}},
		{"one address twice", one + "http: ':80'\nmetrics: ':80'\n", source{}, []string{"f:4:1: metrics: is the address of http"}},
		{"any port twice", one, source{HTTP: "127.0.0.1:0", Metrics: "127.0.0.1:0"}, nil},
		{"bad port", one + "http: ':65536'\n", source{}, []string{`f:3:1: http: "65536" is not a port`}},
		{"words", one + "access_log: {format: jsn, what: some, sample: -1}\n", source{}, []string{
			"f:3:14: access_log.format: json, combined or plain", "f:3:27: access_log.what: all, sample or errors", "f:3:39: access_log.sample: outside"}},
		{"limits", one + "limits: {connections: -1, drain_timeout: 25h, max_target: 2MiB}\n", source{}, []string{
			"f:3:10: limits.connections: outside", "f:3:27: limits.drain_timeout: outside", "f:3:47: limits.max_target: 2MiB is outside",
			"f:3:47: limits.max_target: does not fit"}},
		{"flag instead of file", "http: ':80'" + one, source{HTTP: "nowhere", AccessFormat: "xml"}, []string{"--http: is not an address", "--access-log-format: none of"}},
		{"zones of flags", one, source{Zones: []string{"a.com=http://b", "b.com", "c.com=htp://c", "=http://d"}}, []string{
			"--zone b.com: zones[2]: written as NAME=ORIGIN_URL", "--zone a.com: name: called a.com, too", "--zone c.com: origin.url: htp is not a scheme", "--zone: name: needs a name"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := test.flags
			if test.file != "-" {
				s.File = "f"
			}
			_, wrong := s.parse([]byte(test.file))
			if len(wrong) != len(test.want) {
				t.Fatalf("%d mistakes, want %d:\n%v", len(wrong), len(test.want), complaints(wrong))
			}
			for _, want := range test.want {
				i := strings.LastIndex(want, ": ")
				if text := complaints(wrong).Error(); !hasLine(text, want[:i]+": ", want[i+2:]) {
					t.Errorf("no mistake %q in\n%s", want, text)
				}
			}
		})
	}
}

// hasLine reports whether a line begins with one text and contains another.
func hasLine(text, begin, part string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, begin) && strings.Contains(line, part) {
			return true
		}
	}
	return false
}

func TestConfig_mistakesDoNotShowPasswords(t *testing.T) {
	s := source{Zones: []string{"a.com=http://u:secret@a", "http://u:secret@b", "b.com=u:secret@c"}}
	_, wrong := s.parse(nil)
	if text := complaints(wrong).Error(); len(wrong) < 3 || strings.Contains(text, "secret") {
		t.Error(text)
	}
}

func TestAdminNetwork_knowsSocketsFromAddresses(t *testing.T) {
	for admin, want := range map[string][2]string{
		"/run/seawall/admin.sock": {"unix", "/run/seawall/admin.sock"},
		"state/admin.sock":        {"unix", "state/admin.sock"},
		"admin.sock":              {"unix", "admin.sock"},
		"unix:a:1":                {"unix", "a:1"},
		"127.0.0.1:9":             {"tcp", "127.0.0.1:9"},
	} {
		if network, address := adminNetwork(admin); network != want[0] || address != want[1] {
			t.Errorf("%s: %s %s, want %v", admin, network, address, want)
		}
	}
}

func TestConfig_namesEveryMistakeAboutOrigins(t *testing.T) {
	_, wrong := fromYAML(`
proxy_protocol: [10.0.0.1/8]
listeners: [{address: nowhere}, {address: ":8080"}]
resolver: [dns.example]
limits: {memory: 1MiB}
unknown_host_page: "{{nonsense}}"
zones:
  - name: a.com
    origin:
      url: http://a
      servers: [{url: http://b, weight: -1}, {url: ftp://c, name: "x y", backup: true}]
      sticky: always
      check: {type: icmp, path: nopath, status: 99}
      breaker: {rest: 1m, longest_rest: 1s}
      pass: [Content-Length, "a b"]
      roots: nothing
      host: "a:b"
    trusted_hops: {addresses: [10.0.0.256], field: X-Real-IP}
    maintenance: {allow: [everybody]}
    cache: {bypass_until: tomorrow}
    pages: {"502": {html: "{{x}}"}, "503": {html: a, path: /b}, "504": {path: b}}
`)
	var paths []string
	for _, m := range wrong {
		paths = append(paths, m.Path)
	}
	for _, want := range []string{
		"proxy_protocol[0]", "listeners[0].address", "listeners[1].address", "resolver[0]", "limits.memory", "unknown_host_page",
		"zones[0].origin.servers", "zones[0].origin.servers[0].weight", "zones[0].origin.servers[1].url", "zones[0].origin.servers[1].name",
		"zones[0].origin.sticky", "zones[0].origin.check.type", "zones[0].origin.check.path", "zones[0].origin.check.status",
		"zones[0].origin.breaker.longest_rest", "zones[0].origin.pass[0]", "zones[0].origin.pass[1]", "zones[0].origin.roots", "zones[0].origin.host",
		"zones[0].trusted_hops.addresses[0]", "zones[0].trusted_hops.field", "zones[0].maintenance.allow[0]", "zones[0].cache.bypass_until",
		"zones[0].pages.502.html", "zones[0].pages.503", "zones[0].pages.504.path",
	} {
		if !slices.Contains(paths, want) {
			t.Errorf("nothing is said about %s; what is said:\n%s", want, complaints(wrong))
		}
	}
}
