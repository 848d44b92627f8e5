package freshness

import (
	"testing"
	"time"
)

func read(values ...string) Directives {
	d := None()
	for _, value := range values {
		d.Add([]byte(value))
	}
	return d
}

func TestDirectives_readsCacheControl(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		want   func(*Directives)
	}{
		{"nothing", nil, func(*Directives) {}},
		{"max-age", []string{"max-age=60"}, func(d *Directives) { d.MaxAge = 60 }},
		{"case and space", []string{" MAX-Age=60 , Public"}, func(d *Directives) { d.MaxAge, d.Public = 60, true }},
		{"two fields", []string{"max-age=60", "s-maxage=10"}, func(d *Directives) { d.MaxAge, d.SharedMaxAge = 60, 10 }},
		{"conflict: the smaller", []string{"max-age=60, max-age=30"}, func(d *Directives) { d.MaxAge = 30 }},
		{"quoted", []string{`max-age="60"`}, func(d *Directives) { d.MaxAge = 60 }},
		{"a comma in quotes hides nothing", []string{`ext="no-store, private", max-age=5`}, func(d *Directives) { d.MaxAge = 5 }},
		{"an escaped quote", []string{`ext="a\", no-store", public`}, func(d *Directives) { d.Public = true }},
		{"an unclosed quote", []string{`ext="no-store`}, func(*Directives) {}},
		{"not a number", []string{"max-age=abc"}, func(d *Directives) { d.MaxAge = 0 }},
		{"negative", []string{"max-age=-5"}, func(d *Directives) { d.MaxAge = 0 }},
		{"no argument", []string{"max-age"}, func(d *Directives) { d.MaxAge = 0 }},
		{"overflow", []string{"max-age=99999999999999999999"}, func(d *Directives) { d.MaxAge = farFuture }},
		{"fields of no-cache", []string{`no-cache="Set-Cookie"`}, func(d *Directives) { d.NoCache = true }},
		{"fields of private", []string{"private=a"}, func(d *Directives) { d.Private = true }},
		{"max-stale alone", []string{"max-stale"}, func(d *Directives) { d.MaxStale = farFuture }},
		{"the rest", []string{"no-store,must-revalidate,proxy-revalidate,only-if-cached,min-fresh=3,max-stale=4"}, func(d *Directives) {
			d.NoStore, d.MustRevalidate, d.ProxyRevalidate, d.OnlyIfCached, d.MinFresh, d.MaxStale = true, true, true, true, 3, 4
		}},
		{"unknown and empty", []string{"foo, ,bar=1,,"}, func(*Directives) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := None()
			c.want(&want)
			if got := read(c.values...); got != want {
				t.Errorf("%q: %+v; want %+v", c.values, got, want)
			}
		})
	}
}

func TestLifetime_prefersTheSharedThenTheExplicit(t *testing.T) {
	date := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		control  string
		expires  string
		seconds  int64
		explicit bool
	}{
		{"nothing", "", "", 0, false},
		{"s-maxage wins", "max-age=60, s-maxage=10", "Sun, 22 Nov 2026 13:00:00 GMT", 10, true},
		{"max-age wins over Expires", "max-age=60", "Sun, 22 Nov 2026 13:00:00 GMT", 60, true},
		{"Expires", "", "Sun, 22 Nov 2026 13:00:00 GMT", 3600, true},
		{"Expires in the past", "", "Sun, 22 Nov 2026 11:00:00 GMT", 0, true},
		{"Expires: 0", "", "0", 0, true},
	} {
		var expires []byte
		if c.expires != "" {
			expires = []byte(c.expires)
		}
		if seconds, explicit := Lifetime(read(c.control), expires, date); seconds != c.seconds || explicit != c.explicit {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, seconds, explicit, c.seconds, c.explicit)
		}
	}
}

func TestAge_countsWhatTheOriginSaidAndTheWay(t *testing.T) {
	received := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		age             string
		dateAgo, asking time.Duration
		want            int64
	}{
		{"", 0, 0, 0},
		{"10", 0, 0, 10},
		{"10", 0, 5 * time.Second, 15},
		{"", 20 * time.Second, 0, 20},
		{"30", 20 * time.Second, 0, 30},
		{"10, 20", 0, 0, 10},
		{"junk", 0, 0, 0},
		{"", -time.Hour, 0, 0}, // the origin's clock is ahead
	} {
		var age []byte
		if c.age != "" {
			age = []byte(c.age)
		}
		if got := Age(age, received.Add(-c.dateAgo), received.Add(-c.asking), received); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func FuzzDirectives_neverPanicsAndReadsDeterministically(f *testing.F) {
	f.Add([]byte(`max-age="6\"0", no-store`))
	f.Add([]byte(`private="`))
	f.Add([]byte(`=,=;"`))
	f.Fuzz(func(t *testing.T, value []byte) {
		once, twice := None(), None()
		once.Add(value)
		twice.Add(value)
		twice.Add(value)
		if once != twice {
			t.Fatalf("%q: once %+v, twice %+v", value, once, twice)
		}
	})
}
