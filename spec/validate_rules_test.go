package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func mustTime(text string) (at Time) {
	if err := at.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return at
}

func TestValidate_saysWhereAConditionIsWrong(t *testing.T) {
	deep := ConditionSpec{Path: []string{"/a"}}
	for range 8 {
		deep = ConditionSpec{Not: []ConditionSpec{deep}}
	}
	var many []string
	for i := range 1001 {
		many = append(many, fmt.Sprintf("/%d", i))
	}
	tests := []struct {
		name string
		when ConditionSpec
		want []string
	}{
		{"nothing", ConditionSpec{Path: []string{"/a*", "~^/[a-z]+$", "@list", `\~x`}}, nil},
		{"host in capitals", ConditionSpec{Host: []string{"Example.com"}}, []string{"host[0]: never matches: hosts are in lower case; write example.com"}},
		{"host beyond ASCII", ConditionSpec{Host: []string{"bücher.example"}}, []string{"host[0]: browsers ask for the punycode form; write xn--bcher-kva.example"}},
		{"host with a scheme", ConditionSpec{Host: []string{"https://example.com", "example.com:80", "[2001:db8::1]"}}, []string{"host[0]: a host alone is compared", "host[1]: a host alone is compared"}},
		{"path without a slash", ConditionSpec{Path: []string{"/a", "wp-admin"}}, []string{`path[1]: "wp-admin" never matches: a path begins with a slash; write /wp-admin or *wp-admin`}},
		{"path with a query", ConditionSpec{Path: []string{"/a?b"}}, []string{"path[0]: what follows ? is no part of the path"}},
		{"expression", ConditionSpec{RawPath: []string{"~a(b"}}, []string{`raw_path[0]: not an RE2 expression: missing closing ): "a(b" (at character 2)`}},
		{"extension with a dot", ConditionSpec{Extension: []string{".css"}}, []string{"extension[0]: write it without the dot"}},
		{"header", ConditionSpec{Header: []string{"User Agent: x", "X-A: ~(", "@list"}}, []string{"header[0]: a name has no white space", "header[1]: missing closing )", "header[2]: a list cannot stand here"}},
		{"query and cookie", ConditionSpec{Query: []string{"=a", "a=~["}, Cookie: []string{"a b"}}, []string{"query[0]: there is no name (at character 1)", "query[1]: missing closing ]", "cookie[0]: a name has no white space"}},
		{"method", ConditionSpec{Method: []string{"get", "G T"}}, []string{"method[0]: they have their case; write GET", "method[1]: is not a method"}},
		{"words", ConditionSpec{Scheme: []string{"ftp"}, Protocol: []string{"HTTP/4"}}, []string{`scheme[0]: "ftp" is none of http, https`, "protocol[0]: is none of"}},
		{"address", ConditionSpec{Address: []string{"10.0.0.1/8", "nowhere", "::ffff:10.0.0.0/104"}}, []string{"address[0]: has bits set behind its length", "address[1]: is neither an address"}},
		{"country and network", ConditionSpec{Country: []string{"DEU", "D1", "de"}, Network: []string{"AS0", "ASx", "64500"}}, []string{"country[0]: is not a country", "country[1]: is not a country", "network[0]: is not the number", "network[1]: is not the number"}},
		{"tls", ConditionSpec{TLS: TLSConditionSpec{Version: []string{"1.3", "13"}, JA4: []string{"t13d*", "~("}, Fingerprint: []string{"AB:CD"}, Subject: []string{"@nolist"}}}, []string{"tls.version[1]: is none of 1.2, 1.3", "tls.ja4[1]: missing closing )", "tls.subject[0]: no list called", "tls.fingerprint[0]: lower-case hex"}},
		{"hours", ConditionSpec{Hours: []string{"8-18", "mon-fri", "24:00-01:00", "08:00-08:00", "fri-mon 22:00-06:00"}}, []string{"hours[0]: is not a time of day", "hours[1]: is not a time of day", "hours[2]: is not a time of day", "hours[3]: is not a time of day"}},
		{"status", ConditionSpec{Status: []Status{"99", "6xx", "200-100", "20", "4xx"}}, []string{"status[0]: is not a status", "status[1]: is not a status", "status[2]: is not a status", "status[3]: is not a status"}},
		{"never", ConditionSpec{After: mustTime("2026-01-02T00:00:00Z"), Before: mustTime("2026-01-01T00:00:00Z")}, []string{"before: is not after"}},
		{"no such list", ConditionSpec{Path: []string{"@nolist"}, Address: []string{"@nolist"}}, []string{`path[0]: no list called "nolist"`, `address[0]: no list called "nolist"`}},
		{"what is in a list", ConditionSpec{Address: []string{"@list"}}, []string{`lists[0].entries[0]: "/x" is neither`, "lists[0].file: line 2: \"y\" is neither"}},
		{"within", ConditionSpec{Any: []ConditionSpec{{Path: []string{"/a"}}, {Not: []ConditionSpec{{Method: []string{"get"}}}}}}, []string{"any[1].not[0].method[0]: write GET"}},
		{"too deep", deep, []string{"not[0].not[0].not[0].not[0].not[0].not[0].not[0].not[0]: more than 8 deep"}},
		{"too many", ConditionSpec{Path: many}, []string{"path[1000]: more than 1000 entries in one condition; use a list"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := good()
			z.Lists = []ListSpec{{Name: "list", Entries: []string{"/x"}, Text: "# one\ny # two\n"}}
			z.Cache.Rules = []CacheRuleSpec{{When: test.when, Bypass: true}}
			var want []string
			for _, w := range test.want {
				if !strings.HasPrefix(w, "lists[") {
					w = "cache.rules[0].when." + w
				}
				want = append(want, w)
			}
			checkMistakes(t, z.Validate(), want...)
		})
	}
}

func TestValidate_saysWhatIsWrongInRules(t *testing.T) {
	hour := Duration(time.Hour)
	some := ConditionSpec{Path: []string{"/a"}}
	tests := []struct {
		name   string
		change func(*ZoneSpec)
		want   []string
	}{
		{"a thousand rules", func(z *ZoneSpec) { z.Rewrite.Answers = make([]AnswerRewriteSpec, 1000) }, nil},
		{"more", func(z *ZoneSpec) { z.Rewrite.Answers = make([]AnswerRewriteSpec, 1001) }, []string{"rewrite.answers: 1001 rules, more than 1000"}},
		{"a rule without effect", func(z *ZoneSpec) { z.Cache.Rules = []CacheRuleSpec{{When: some}} }, []string{"cache.rules[0]: the rule has no effect"}},
		{"fractions of a second", func(z *ZoneSpec) {
			z.Cache.Rules = []CacheRuleSpec{{BrowserLifetime: 5, EdgeLifetime: []StatusLifetimeSpec{{For: 5}}}}
		}, []string{"cache.rules[0].edge_lifetime[0].for: less than a second", "cache.rules[0].browser_lifetime: less than a second"}},
		{"keys that the edge writes", func(z *ZoneSpec) {
			z.Origin.ClientAddressField = "X-Visitor"
			z.Cache.Rules = []CacheRuleSpec{{Key: CacheKeySpec{Headers: []string{"x-forwarded-for", "Connection", "Range", "X-Real-IP", "x-visitor", "X-Tenant"}}}}
		}, []string{"cache.rules[0].key.headers[0]: the edge writes it itself", "cache.rules[0].key.headers[1]: frames", "cache.rules[0].key.headers[2]: frames", "cache.rules[0].key.headers[3]: frames", "cache.rules[0].key.headers[4]: (origin.client_address_field)"}},
		{"names", func(z *ZoneSpec) {
			z.Cache.Rules = []CacheRuleSpec{{Name: "a", Bypass: true}, {Name: "a", Bypass: true}, {Name: "é", Bypass: true}, {Name: strings.Repeat("a", 65), Bypass: true}}
		},
			[]string{"cache.rules[1].name: rule 1 is called a, too", "cache.rules[2].name: is not a name", "cache.rules[3].name: is not a name"}},
		{"force without a time", func(z *ZoneSpec) { z.Cache.Rules = []CacheRuleSpec{{Force: true}} }, []string{"cache.rules[0].force: for how long?"}},
		{"bypass and more", func(z *ZoneSpec) { z.Cache.Rules = []CacheRuleSpec{{Bypass: true, Key: CacheKeySpec{Device: true}}} }, []string{"cache.rules[0].bypass: what is not kept"}},
		{"lifetimes", func(z *ZoneSpec) {
			z.Cache.Rules = []CacheRuleSpec{{EdgeLifetime: []StatusLifetimeSpec{{For: hour}, {Status: []Status{"x"}, For: hour, Never: true}, {Status: []Status{"200"}}}}}
		}, []string{"cache.rules[0].edge_lifetime[0]: the entries after it never count", "cache.rules[0].edge_lifetime[1].status[0]: is not a status", "cache.rules[0].edge_lifetime[1]: exclude each other", "cache.rules[0].edge_lifetime[2]: for how long?"}},
		{"words", func(z *ZoneSpec) { z.Cache.Rules = []CacheRuleSpec{{Cookies: "eat", Authorization: "x"}} }, []string{"cache.rules[0].cookies: none of bypass, remove", "cache.rules[0].authorization: none of bypass, share"}},
		{"keys", func(z *ZoneSpec) {
			z.Cache.Rules = []CacheRuleSpec{{Key: CacheKeySpec{Query: []string{"a"}, IgnoreQuery: []string{"~("}, Headers: []string{"a b"}, Cookies: []string{""}}}}
		}, []string{"cache.rules[0].key.ignore_query: nothing left to ignore", "cache.rules[0].key.ignore_query[0]: missing closing", "cache.rules[0].key.headers[0]: is not a name", "cache.rules[0].key.cookies[0]: is not a name"}},
		{"access without a condition", func(z *ZoneSpec) {
			z.Access = AccessSpec{Allow: []AllowSpec{{}}, Block: []BlockSpec{{Action: "bite"}, {When: some}}}
		}, []string{"access.allow[0].when: whom is it about?", "access.block[0].when: whom is it about?", "access.block[0].action: none of block, log"}},
		{"redirects", func(z *ZoneSpec) {
			z.Redirects = RedirectsSpec{WWW: "yes", TrailingSlash: "no", Rules: []RedirectSpec{{From: "a", Status: 200}}, Lists: []RedirectListSpec{{Status: 304}}}
		}, []string{"redirects.www: none of add, remove", "redirects.trailing_slash: none of", "redirects.www: no two hosts", "redirects.rules[0].from: begins with a slash", "redirects.rules[0].to: where to?", "redirects.rules[0].status: is no redirect", "redirects.lists[0].status: is no redirect"}},
		{"own answers", func(z *ZoneSpec) {
			z.Answers = []OwnAnswerSpec{{}, {When: some, Status: 302}, {When: some, Status: 204}, {When: some, Body: "a", File: "b"}, {When: some, Type: "a\r\nb"}, {When: some, Body: strings.Repeat("a", 256<<10+1)}}
		}, []string{"answers[0].when: which requests", "answers[1].status: use redirects", "answers[2].status: is not the status", "answers[3]: exclude each other", "answers[4].type: is not a type", "answers[5]: more than"}},
		{"security.txt", func(z *ZoneSpec) {
			z.SecurityTxt = SecurityTxtSpec{Contact: []string{"me", "http://a/"}, Languages: []string{"e n"}}
		},
			[]string{"security_txt.expires: RFC 9116", "security_txt.contact[0]: is not an address", "security_txt.contact[1]: is not an address", "security_txt.languages[0]: is not a language"}},
		{"cors", func(z *ZoneSpec) {
			z.Rewrite.CORS = CORSSpec{Origins: []string{"*", "example.com", "https://a.b/", "~^https://[a-z]+$"}, Credentials: true, Methods: []string{"P T"}, MaxAge: -1}
		}, []string{"rewrite.cors.origins[0]: every site on the web", "rewrite.cors.origins[1]: is not a site", "rewrite.cors.origins[2]: is not a site", "rewrite.cors.methods[0]: is not a name", "rewrite.cors.max_age: outside"}},
		{"compression", func(z *ZoneSpec) {
			z.Compression = CompressionSpec{Codings: []string{"gzip", "deflate", "gzip"}, Level: 10, MinSize: -1}
		},
			[]string{"compression.codings: entry 2: \"deflate\" is none of zstd, br, gzip", "compression.codings: gzip is in the list twice", "compression.level: outside", "compression.min_size: outside"}},
		{"lists", func(z *ZoneSpec) { z.Lists = []ListSpec{{Name: "a"}, {Name: "a"}, {Name: "a b"}, {}} },
			[]string{"lists[1].name: called a, too", "lists[2].name: is not a name for a list", "lists[3].name: is not a name for a list"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := good()
			test.change(&z)
			checkMistakes(t, z.Validate(), test.want...)
		})
	}
}

func TestHours_containsWhatTheySay(t *testing.T) {
	at := func(text string) time.Time { return mustTime(text).Time() }
	for text, moments := range map[string]map[string]bool{ // 2026-11-25 is a Wednesday
		"22:00-06:00":         {"2026-11-25T22:00:00Z": true, "2026-11-25T21:59:59Z": false, "2026-11-26T05:59:59Z": true, "2026-11-26T06:00:00Z": false},
		"wed 22:00-06:00":     {"2026-11-25T23:00:00Z": true, "2026-11-26T01:00:00Z": true, "2026-11-25T01:00:00Z": false, "2026-11-26T23:00:00Z": false},
		"sat,sun 00:00-24:00": {"2026-11-28T00:00:00Z": true, "2026-11-29T23:59:59Z": true, "2026-11-30T00:00:00Z": false},
		"fri-mon 08:00-09:00": {"2026-11-27T08:30:00Z": true, "2026-11-30T08:30:00Z": true, "2026-11-25T08:30:00Z": false},
		"08:00-18:00":         {"2026-11-25T09:00:00+02:00": false, "2026-11-25T10:00:00+02:00": true}, // UTC
	} {
		hours, wrong := ParseHours(text)
		if wrong != "" {
			t.Fatal(wrong)
		}
		for moment, want := range moments {
			if got := hours.Contains(at(moment)); got != want {
				t.Errorf("%s contains %s: %v", text, moment, got)
			}
		}
	}
}

func TestList_readsItsFile(t *testing.T) {
	l := ListSpec{Entries: []string{"a", "#b"}, Text: "# all\n c # why\n\nd#e\n\tf\t#\n#g"}
	var got []string
	for number, text := range l.All() {
		got = append(got, fmt.Sprintf("%d %s", number, text))
	}
	if want := "-1 a|-2 #b|2 c|4 d#e|5 f"; strings.Join(got, "|") != want {
		t.Errorf("%q, want %s", got, want)
	}
}
