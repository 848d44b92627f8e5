package cache

import (
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// RFC 9111, 4.2.3.
func TestObject_agesByAClockThatIsNeverSet(t *testing.T) {
	object := prepared(t, offerOf(lasting("Age", "10"), fields()), "x")
	for _, c := range []struct {
		now            Moment
		age, ttl, held int64
	}{
		{then, 10, 50, 0},
		{then + Moment(time.Second) - 1, 10, 50, 0},
		{then + Moment(time.Second), 11, 49, 1},
		{then + Moment(50*time.Second), 60, 0, 50},
		{then + Moment(time.Hour), 3610, -3550, 3600},
		{then - 1, 10, 50, 0},
		{then - Moment(time.Hour), 10, 50, 0}, // another's Moment may be from before
		{0, 10, 50, 0},
	} {
		if age, ttl, held := object.Age(c.now), object.TTL(c.now), object.Held(c.now); age != c.age || ttl != c.ttl || held != c.held {
			t.Errorf("%v after: age %d, ttl %d, held %d; want %d, %d, %d", time.Duration(c.now-then), age, ttl, held, c.age, c.ttl, c.held)
		}
	}
}

func TestObject_ageCountsTheWayAndTheDate(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer *wire.Fields
		way    time.Duration
		want   int64
	}{
		{"no Age", lasting(), 0, 0},
		{"the way", lasting(), 7 * time.Second, 7},
		{"Age and the way", lasting("Age", "5"), 7 * time.Second, 12},
		{"Date shows more", lasting("Age", "5", "Date", httpDate(-40)), 7 * time.Second, 40},
		{"Date shows less", lasting("Age", "50", "Date", httpDate(-40)), 7 * time.Second, 57},
		{"Date in the future", lasting("Date", httpDate(40)), 7 * time.Second, 7},
	} {
		offer := offerOf(c.answer, fields())
		offer.Requested = noon.Add(-c.way)
		if got := prepared(t, offer, "x").Age(then); got != c.want {
			t.Errorf("%s: %d; want %d", c.name, got, c.want)
		}
	}
}

func TestObject_useCountsItsAgeAtTheMoment(t *testing.T) {
	object := prepared(t, offerOf(lasting("Age", "10"), fields()), "x")
	none, atMost20 := freshness.None(), freshness.None()
	atMost20.MaxAge = 20
	for _, c := range []struct {
		request *freshness.Directives
		after   time.Duration
		want    freshness.Use
	}{
		{&none, 49 * time.Second, freshness.UseFresh},
		{&none, 50 * time.Second, freshness.AskStale},
		{&atMost20, 10 * time.Second, freshness.UseFresh},
		{&atMost20, 11 * time.Second, freshness.AskRequest},
	} {
		if got := object.Use(c.request, then+Moment(c.after)); got != c.want {
			t.Errorf("after %v: %d; want %d", c.after, got, c.want)
		}
	}
}

// RFC 9110, 13.2.2; RFC 9111, 4.3.2.
func TestObject_answers304ToAMatchingCondition(t *testing.T) {
	answer := lasting("ETag", `W/"a,b"`, "Last-Modified", httpDate(-7200))
	for _, c := range []struct {
		status  int
		request *wire.Fields
		want    bool
	}{
		{200, fields("If-None-Match", `"a,b"`), true},
		{203, fields("If-None-Match", `"x" , W/"a,b"`), true},
		{404, fields("If-None-Match", `"a,b"`), false},
		{301, fields("If-None-Match", `*`), false},
		{200, fields("If-None-Match", `*`), true},
		{200, fields("If-None-Match", `"x"`, "If-None-Match", `W/"a,b"`), true},
		{404, fields("If-None-Match", `W/"a,b"`), false},
		{404, fields("If-Modified-Since", httpDate(-7200)), false},
		{200, fields("If-None-Match", `"a"`), false},
		{200, fields("If-None-Match", `"a"`, "If-Modified-Since", httpDate(0)), false},
		{200, fields("If-Modified-Since", httpDate(-7200)), true},
		{200, fields("If-Modified-Since", httpDate(-7201)), false},
		{200, fields("If-Modified-Since", "yesterday"), false},
		{200, fields("Accept", "x"), false},
		{200, fields("If-Match", `"z"`), false},
	} {
		offer := offerOf(answer, fields())
		offer.Status = c.status
		if got := prepared(t, offer, "x").Validates(c.request); got != c.want {
			t.Errorf("%d, %q: %v", c.status, c.request.Lines(), got)
		}
	}
}

// RFC 9110, 15.4.5: a 304 says nothing of the body it does not have.
func TestObject_keepsTheFieldsOfA304(t *testing.T) {
	const both, date = "Cache-Control: max-age=60\r\nX-A: 1\r\n", "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
	modified := []string{"Content-Type", "text/plain", "Last-Modified", httpDate(-7200), "X-A", "1"}
	for _, c := range []struct {
		name   string
		answer *wire.Fields
		want   string
	}{
		{"a tag tells versions apart", lasting(append(modified, "ETag", `"a"`)...), both + "ETag: \"a\"\r\n"},
		{"a date does", lasting(modified...), "Cache-Control: max-age=60\r\n" + date + "X-A: 1\r\n"},
		{"the tag is not for visitors", fields("Cache-Control", `max-age=60, no-cache="etag"`, "Last-Modified", httpDate(-7200), "ETag", `"a"`),
			"Cache-Control: max-age=60, no-cache=\"etag\"\r\n" + date},
		{"all of them", lasting("X-A", "1"), both},
	} {
		object := prepared(t, offerOf(c.answer, fields()), "x")
		if got := string(object.NotModified.Lines()); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.name != "the tag is not for visitors" && len(object.Fields.Lines()) != len(c.answer.Lines()) {
			t.Errorf("%s: of %q is stored %q", c.name, c.answer.Lines(), object.Fields.Lines())
		}
	}
}

// RFC 9111, 4.1: fields that mean the same select the same.
func TestObject_selectsByMeaning(t *testing.T) {
	for _, c := range []struct {
		name            string
		answer          *wire.Fields
		stored, request *wire.Fields
		want            bool
	}{
		{"the same bytes", lasting("Vary", "Accept"), fields("Accept", "a, b"), fields("accept", "a, b"), true},
		{"white space", lasting("Vary", "Accept"), fields("Accept", "a, b"), fields("Accept", "a ,b"), true},
		{"joined lines", lasting("Vary", "X-A"), fields("X-A", "a, b"), fields("X-A", "a", "X-a", "b"), true},
		{"parted lines", lasting("Vary", "X-A"), fields("X-A", "a", "X-A", "b"), fields("X-A", "a,b"), true},
		{"another order", lasting("Vary", "X-A"), fields("X-A", "a, b"), fields("X-A", "b, a"), false},
		{"another order of codings", lasting("Vary", "Accept-Encoding"), fields("Accept-Encoding", "gzip, br"), fields("Accept-Encoding", "BR,gzip;q=1"), true},
		{"another weight", lasting("Vary", "Accept-Encoding"), fields("Accept-Encoding", "gzip, br"), fields("Accept-Encoding", "br,gzip;q=0.9"), false},
		{"a value that begins like it", lasting("Vary", "X-A"), fields("X-A", "abc"), fields("X-A", "ab"), false},
		{"a value that goes on", lasting("Vary", "X-A"), fields("X-A", "ab"), fields("X-A", "abc"), false},
		{"one line more", lasting("Vary", "X-A"), fields("X-A", "ab"), fields("X-A", "ab", "X-A", "c"), false},
		{"one line less", lasting("Vary", "X-A"), fields("X-A", "ab", "X-A", "c"), fields("X-A", "ab"), false},
		{"what would be the same without the line's end", lasting("Vary", "X-A"), fields("X-A", "ab;cd"), fields("X-A", "ab", "X-A", "cd"), false},
		{"absent and empty", lasting("Vary", "X-A"), fields(), fields("X-A", ""), false},
		{"empty and absent", lasting("Vary", "X-A"), fields("X-A", ""), fields(), false},
		{"both absent", lasting("Vary", "X-A"), fields("X-B", "1"), fields(), true},
		{"one of two names", lasting("Vary", "X-A, X-B"), fields("X-A", "1", "X-B", "1"), fields("X-A", "1", "X-B", "2"), false},
		{"two Vary lines", lasting("Vary", "X-A", "vary", "X-B"), fields("X-A", "1", "X-B", "1"), fields("X-A", "1"), false},
		{"its language", lasting("Vary", "Accept-Language", "Content-Language", "de"), fields("Accept-Language", "de"), fields("Accept-Language", "fr;q=0.5, DE"), true},
		{"its language, not the best", lasting("Vary", "Accept-Language", "Content-Language", "de"), fields("Accept-Language", "de"), fields("Accept-Language", "fr, de;q=0.9"), false},
		{"its language, but another field differs", lasting("Vary", "Accept-Language, X-A", "Content-Language", "de"), fields("Accept-Language", "de"), fields("Accept-Language", "de, en;q=0.1", "X-A", "1"), false},
		{"compressed, and nothing said", lasting("Content-Encoding", "gzip"), fields("Accept-Encoding", "gzip"), fields("Accept-Encoding", "br, gzip"), true},
		{"compressed, for one who cannot read it", lasting("Content-Encoding", "gzip"), fields("Accept-Encoding", "gzip"), fields("Accept-Encoding", "br"), false},
		{"compressed, for one who says nothing", lasting("Content-Encoding", "gzip"), fields("Accept-Encoding", "gzip"), fields(), false},
		{"compressed for one who says nothing", lasting("Content-Encoding", "gzip"), fields(), fields(), true},
		{"compressed, and another field selects", lasting("Content-Encoding", "gzip", "Vary", "X-A"), fields("Accept-Encoding", "gzip"), fields("Accept-Encoding", "gzip, br", "X-A", "1"), false},
		{"compressed, and it is said what selects", lasting("Content-Encoding", "gzip", "Vary", "accept-encoding"), fields("Accept-Encoding", "gzip"), fields("Accept-Encoding", "br, gzip"), false},
		{"a very long value", lasting("Vary", "X-A"), fields("X-A", string(pattern(1))+long), fields("X-A", long), false},
		{"the same long value in two lines", lasting("Vary", "X-A"), fields("X-A", long+","+long), fields("X-A", long, "X-A", long), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := prepared(t, offerOf(c.answer, c.stored), "x")
			if got := object.Selects(c.request); got != c.want {
				t.Errorf("%v; want %v", got, c.want)
			}
			if !object.Selects(c.stored) {
				t.Error("not even its own request")
			}
			if other := object.For(c.request); !other.Selects(c.request) || object.Selects(c.request) != c.want {
				t.Error("For makes none that the request selects, or changes the stored one")
			}
		})
	}
}

var long = string(make300())

func make300() []byte {
	b := make([]byte, 300)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return b
}

// Whatever is held for an answer is counted.
func TestObject_countsItsMemory(t *testing.T) {
	small := prepared(t, offerOf(lasting(), fields()), "")
	grow := map[string]*Object{
		"body":       prepared(t, offerOf(lasting(), fields()), string(pattern(1000))),
		"fields":     prepared(t, offerOf(lasting("X-A", string(pattern(1000))), fields()), ""),
		"selection":  prepared(t, offerOf(lasting("Vary", "X-A"), fields("X-A", string(pattern(1000)))), ""),
		"for caches": prepared(t, offerOf(lasting("Surrogate-Key", string(pattern(1000))), fields()), ""),
	}
	trailers := prepared(t, offerOf(lasting(), fields()), "")
	trailers.Trailers = fields("X-A", string(pattern(1000)))
	grow["trailers"] = trailers
	part := preparedPart(t, "bytes 0-999/2000", string(pattern(1000)))
	part.settle()
	grow["part"] = part
	for name, object := range grow {
		if more := object.size() - small.size(); more < 1000 || more > 4000 {
			t.Errorf("%s: %d bytes for 1000", name, more)
		}
	}
}
