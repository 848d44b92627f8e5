package rule

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// request is what the tests ask about unless they say otherwise.
func request() *Facts {
	return &Facts{
		Host: []byte("www.example.com"), Path: []byte("/shop/Böll/a.CSS"), Target: []byte("/shop//B%C3%B6ll/a.CSS?page=2&q=a+b%26&flag"),
		Method: []byte("GET"), Protocol: seawall.ProtocolHTTP11, Address: netip.MustParseAddr("192.0.2.7"),
		Country: [2]byte{'D', 'E'}, Network: 64500, Time: time.Date(2026, 11, 25, 23, 30, 0, 0, time.UTC), // a Wednesday
		Secure: true, Version: tls.VersionTLS13, JA4: []byte("t13d1516h2_8daaf6152771_b0da82dd1658"),
		Credential: &seawall.Credential{Subject: []byte("CN=alice,O=Club"), Issuer: []byte("CN=ca"), Fingerprint: []byte("abcd"), Names: [][]byte{[]byte("alice@club.test"), []byte("192.0.2.1")}},
		Fields:     fields("User-Agent", "Mozilla/5.0 (ExampleBot)", "X-A", "1", "X-A", "2", "Cookie", `session=abc; theme="dark"`, "Cookie", "last=x=y"),
	}
}

type tlsWhen = spec.TLSConditionSpec

func fields(pairs ...string) *wire.Fields {
	f := &wire.Fields{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(wire.Lookup([]byte(pairs[i])), []byte(pairs[i]), []byte(pairs[i+1]))
	}
	return f
}

func compile(t testing.TB, when spec.ConditionSpec, lists ...spec.ListSpec) *Condition {
	t.Helper()
	zone := spec.ZoneSpec{Name: "example.com", Origin: spec.OriginSpec{URL: "http://127.0.0.1:1"}, Lists: lists}
	zone.Cache.Rules = []spec.CacheRuleSpec{{When: when, Bypass: true}}
	if wrong := zone.Validate(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	c, err := Compile(when, NewLists(lists))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type when = spec.ConditionSpec

func moment(text string) (at spec.Time) {
	if err := at.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return at
}

func TestCondition_holds(t *testing.T) {
	lists := []spec.ListSpec{
		{Name: "people", Entries: []string{"alice@club.test"}},
		{Name: "bad", Entries: []string{"192.0.2.0/28", "2001:db8::/32"}, Text: "# from elsewhere\n198.51.100.1 # one\n\n::ffff:203.0.113.0/120\n"},
		{Name: "hosts", Entries: []string{"www.example.com"}},
		{Name: "kinds", Entries: []string{"Css", "js"}},
		{Name: "far", Entries: []string{"DE", "fr"}},
		{Name: "nets", Entries: []string{"AS64500", "64501"}},
	}
	for name, c := range map[string]struct {
		when spec.ConditionSpec
		want bool
	}{
		"nothing set":                     {when{}, true},
		"host":                            {when{Host: []string{"*.example.com"}}, true},
		"another host":                    {when{Host: []string{"example.com"}}, false},
		"a host of a list":                {when{Host: []string{"@hosts"}}, true},
		"path":                            {when{Path: []string{"/shop/Böll/*"}}, true},
		"path has its case":               {when{Path: []string{"/Shop/*"}}, false},
		"raw path":                        {when{RawPath: []string{"/shop//B%C3%B6ll/*"}}, true},
		"raw path has no query":           {when{RawPath: []string{"*flag*"}}, false},
		"extension in either case":        {when{Extension: []string{"css"}}, true},
		"extension of a list":             {when{Extension: []string{"@kinds"}}, true},
		"another extension":               {when{Extension: []string{"js", "png"}}, false},
		"query field":                     {when{Query: []string{"page=2"}}, true},
		"query field decoded":             {when{Query: []string{"q=a b&"}}, true},
		"query field there":               {when{Query: []string{"flag"}}, true},
		"query field empty":               {when{Query: []string{"flag="}}, true},
		"query field not empty":           {when{Query: []string{"page="}}, false},
		"another query field":             {when{Query: []string{"pag=*", "age=2"}}, false},
		"header in either case":           {when{Header: []string{"user-agent: *examplebot*"}}, true},
		"second line of a header":         {when{Header: []string{"X-A: 2"}}, true},
		"header that is not there":        {when{Header: []string{"X-B"}}, false},
		"one of several":                  {when{Header: []string{"X-B", "X-A: 1"}}, true},
		"cookie":                          {when{Cookie: []string{"session"}}, true},
		"cookie with its quotes":          {when{Cookie: []string{`theme="dark"`}}, true},
		"cookie on a second line":         {when{Cookie: []string{"last=x=y"}}, true},
		"a cookie's end is not its name":  {when{Cookie: []string{"ession"}}, false},
		"cookies have their case":         {when{Cookie: []string{"Session"}}, false},
		"method":                          {when{Method: []string{"POST", "GET"}}, true},
		"another method":                  {when{Method: []string{"POST"}}, false},
		"scheme":                          {when{Scheme: []string{"https"}}, true},
		"another scheme":                  {when{Scheme: []string{"http"}}, false},
		"protocol":                        {when{Protocol: []string{"HTTP/1.1", "HTTP/1.0"}}, true},
		"another protocol":                {when{Protocol: []string{"HTTP/2.0"}}, false},
		"address":                         {when{Address: []string{"192.0.2.7"}}, true},
		"prefix":                          {when{Address: []string{"10.0.0.0/8", "192.0.2.0/24"}}, true},
		"another prefix":                  {when{Address: []string{"10.0.0.0/8"}}, false},
		"address of a list":               {when{Address: []string{"@bad"}}, true},
		"country":                         {when{Country: []string{"de"}}, true},
		"another country":                 {when{Country: []string{"FR"}}, false},
		"country of a list":               {when{Country: []string{"@far"}}, true},
		"network":                         {when{Network: []string{"AS64500"}}, true},
		"another network":                 {when{Network: []string{"64501"}}, false},
		"network of a list":               {when{Network: []string{"@nets"}}, true},
		"after":                           {when{After: moment("2026-11-25T23:30:00Z")}, true},
		"not yet":                         {when{After: moment("2026-11-25T23:30:01Z")}, false},
		"before":                          {when{Before: moment("2026-11-26T01:00:00+01:00")}, true},
		"over":                            {when{Before: moment("2026-11-25T23:30:00Z")}, false},
		"hours past midnight":             {when{Hours: []string{"22:00-06:00"}}, true},
		"hours of a day":                  {when{Hours: []string{"wed 23:30-24:00"}}, true},
		"hours of another day":            {when{Hours: []string{"thu-tue 00:00-24:00"}}, false},
		"all of several facts":            {when{Path: []string{"/shop/*"}, Method: []string{"GET"}, Country: []string{"DE"}}, true},
		"all but one of several facts":    {when{Path: []string{"/shop/*"}, Method: []string{"POST"}, Country: []string{"DE"}}, false},
		"not":                             {when{Not: []spec.ConditionSpec{{Path: []string{"/api/*"}}}}, true},
		"not what is":                     {when{Not: []spec.ConditionSpec{{Path: []string{"/api/*"}}, {Path: []string{"/shop/*"}}}}, false},
		"any":                             {when{Any: []spec.ConditionSpec{{Path: []string{"/api/*"}}, {Method: []string{"GET"}}}}, true},
		"none of any":                     {when{Any: []spec.ConditionSpec{{Path: []string{"/api/*"}}, {Method: []string{"PUT"}}}}, false},
		"all":                             {when{All: []spec.ConditionSpec{{Path: []string{"/shop/*"}}, {Method: []string{"GET"}}}}, true},
		"not all":                         {when{All: []spec.ConditionSpec{{Path: []string{"/shop/*"}}, {Method: []string{"PUT"}}}}, false},
		"status before there is one":      {when{Status: []spec.Status{"404"}}, false},
		"nor its opposite":                {when{Not: []spec.ConditionSpec{{Status: []spec.Status{"404"}}}}, false},
		"unless something else decides":   {when{Any: []spec.ConditionSpec{{Status: []spec.Status{"404"}}, {Method: []string{"GET"}}}}, true},
		"an unknown fact beside a no":     {when{Not: []spec.ConditionSpec{{Status: []spec.Status{"404"}, Method: []string{"PUT"}}}}, true},
		"version of TLS":                  {when{TLS: tlsWhen{Version: []string{"1.2", "1.3"}}}, true},
		"another version of TLS":          {when{TLS: tlsWhen{Version: []string{"1.2"}}}, false},
		"JA4":                             {when{TLS: tlsWhen{JA4: []string{"t13d*_8daaf6152771_*"}}}, true},
		"another JA4":                     {when{TLS: tlsWhen{JA4: []string{"t12*"}}}, false},
		"subject and issuer":              {when{TLS: tlsWhen{Subject: []string{"CN=alice,*"}, Issuer: []string{"CN=ca"}}}, true},
		"another subject":                 {when{TLS: tlsWhen{Subject: []string{"CN=bob,*"}}}, false},
		"name":                            {when{TLS: tlsWhen{Name: []string{"@people"}}}, true},
		"another name":                    {when{TLS: tlsWhen{Name: []string{"*.example.com"}}}, false},
		"fingerprint":                     {when{TLS: tlsWhen{Fingerprint: []string{"abcd"}}}, true},
		"many exact texts go by hash":     {when{Path: []string{"/1", "/2", "/3", "/4", "/5", "/6", "/7", "/shop/Böll/a.CSS"}}, true},
		"many exact texts, and a pattern": {when{Path: []string{"/1", "/2", "/3", "/4", "/5", "/6", "/7", "~CSS$"}}, true},
		"many exact texts, none of them":  {when{Path: []string{"/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			condition, f := compile(t, c.when, lists...), request()
			if got := condition.Holds(f); got != c.want {
				t.Errorf("%+v: %v", c.when, got)
			}
			if why := condition.Why(f); c.want != (len(why) > 0) || strings.Contains(strings.Join(why, ""), "%!") {
				t.Errorf("why: %q", why)
			}
		})
	}
}

func TestCondition_addressesOfEveryKind(t *testing.T) {
	list := spec.ListSpec{Name: "bad", Entries: []string{"192.0.2.0/28", "2001:db8::/32"}, Text: "198.51.100.1 # one\n::ffff:203.0.113.0/120\n10.0.0.0/8\n10.1.0.0/16\n"}
	condition := compile(t, when{Address: []string{"@bad"}}, list)
	for address, want := range map[string]bool{
		"192.0.2.15": true, "192.0.2.16": false, "2001:db8::1": true, "2001:db9::1": false, "::ffff:192.0.2.1": true, "198.51.100.1": true, "198.51.100.2": false,
		"203.0.113.9": true, "::ffff:203.0.113.9": true, "10.1.2.3": true, "10.2.2.3": true,
	} {
		f := request()
		f.Address = netip.MustParseAddr(address)
		if got := condition.Holds(f); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// Kleene's three values: what is not known makes neither a condition nor its
// opposite hold.
func TestCondition_isPassedOverWhereAFactIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		when   spec.ConditionSpec
		forget func(*Facts)
	}{
		"country": {when{Country: []string{"DE"}}, func(f *Facts) { f.Country = [2]byte{} }},
		"network": {when{Network: []string{"AS64500"}}, func(f *Facts) { f.Network = 0 }},
		"address": {when{Address: []string{"192.0.2.7"}}, func(f *Facts) { f.Address = netip.Addr{} }},
		"status":  {when{Status: []spec.Status{"200"}}, func(f *Facts) { f.Status = 0 }},
		"version": {when{TLS: tlsWhen{Version: []string{"1.3"}}}, func(f *Facts) { f.Version, f.Recorded = 0, true }},
		"JA4":     {when{TLS: tlsWhen{JA4: []string{"t13*"}}}, func(f *Facts) { f.JA4, f.Recorded = nil, true }},
		"subject": {when{TLS: tlsWhen{Subject: []string{"CN=*"}}}, func(f *Facts) { f.Credential, f.Recorded = nil, true }},
		"name":    {when{TLS: tlsWhen{Name: []string{"alice*"}}}, func(f *Facts) { f.Credential, f.Recorded = nil, true }},
	} {
		known := request()
		known.Status = 200
		forgotten := request()
		c.forget(forgotten)
		is, isNot := compile(t, c.when), compile(t, when{Not: []spec.ConditionSpec{c.when}})
		if !is.Holds(known) || isNot.Holds(known) {
			t.Errorf("%s, known: %v, its opposite %v", name, is.Holds(known), isNot.Holds(known))
		}
		if is.Holds(forgotten) || isNot.Holds(forgotten) {
			t.Errorf("%s, not known: %v, its opposite %v", name, is.Holds(forgotten), isNot.Holds(forgotten))
		}
	}
}

// Who has shown nothing is one of all the others.
func TestCondition_takesAMissingCertificateForANo(t *testing.T) {
	for name, t13 := range map[string]tlsWhen{"subject": {Subject: []string{"*"}}, "name": {Name: []string{"*"}}, "fingerprint": {Fingerprint: []string{"*"}}, "JA4": {JA4: []string{"*"}}} {
		for _, secure := range []bool{true, false} {
			f := request()
			f.Secure, f.Credential, f.JA4, f.Version = secure, nil, nil, 0
			if compile(t, when{TLS: t13}).Holds(f) || !compile(t, when{Not: []spec.ConditionSpec{{TLS: t13}}}).Holds(f) {
				t.Errorf("%s, secure %v: a missing one is none of the others", name, secure)
			}
		}
	}
}

func TestCondition_saysWhy(t *testing.T) {
	condition := compile(t, when{
		Path: []string{"/api/*", "/shop/*"}, Header: []string{"User-Agent: *bot*"}, Address: []string{"@bad"},
		Any: []spec.ConditionSpec{{Method: []string{"PUT"}}, {Country: []string{"DE"}}},
	}, spec.ListSpec{Name: "bad", Entries: []string{"192.0.2.0/24"}})
	got := strings.Join(condition.Why(request()), "; ")
	const want = "path /shop/Böll/a.CSS is /shop/*; country is DE; field User-Agent is *bot*; address 192.0.2.7 is @bad"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestCompile_refusesWhatIsNotThere(t *testing.T) {
	for _, c := range []when{
		{Path: []string{"@none"}}, {Address: []string{"@none"}}, {Country: []string{"@none"}}, {Path: []string{"~("}}, {Address: []string{"x"}}, {Address: []string{"@texts"}},
		{Header: []string{"X: ~"}}, {Not: []spec.ConditionSpec{{Path: []string{"~("}}}}, {Status: []spec.Status{"x"}}, {Hours: []string{"x"}}, {Network: []string{"@texts"}}, {Country: []string{"@texts"}},
	} {
		if _, err := Compile(c, NewLists([]spec.ListSpec{{Name: "texts", Entries: []string{"a text"}}})); err == nil {
			t.Errorf("%+v compiles", c)
		}
	}
}
