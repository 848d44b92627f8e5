package freshness

import (
	"strings"
	"testing"
	"time"
)

// RFC 9111, 4.3.4.
func TestFreshens_findsTheAnswerThatIsMeant(t *testing.T) {
	const (
		early = "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT"
		late  = "Last-Modified: Sun, 22 Nov 2026 11:00:00 GMT"
	)
	for _, c := range []struct {
		name, notModified, stored string
		want                      Likeness
	}{
		{"4.3.4 the same strong tag", `ETag: "a"`, `ETag: "a"`, StronglySame},
		{"4.3.4 whatever the date says", "ETag: \"a\"\n" + late, "ETag: \"a\"\n" + early, StronglySame},
		{"4.3.4 another strong tag", `ETag: "b"`, `ETag: "a"`, Unlike},
		{"4.3.4 another strong tag, the same date", "ETag: \"b\"\n" + early, "ETag: \"a\"\n" + early, Unlike},
		{"4.3.4 a strong tag is no weak one", `ETag: "a"`, `ETag: W/"a"`, Unlike},
		{"4.3.4 a strong tag, and none is stored", "ETag: \"a\"\n" + early, early, Unlike},
		{"4.3.4 a weak tag of a strong one", `ETag: W/"a"`, `ETag: "a"`, WeaklySame},
		{"4.3.4 a weak tag of a weak one", `ETag: W/"a"`, `ETag: W/"a"`, WeaklySame},
		{"4.3.4 another weak tag", `ETag: W/"b"`, `ETag: W/"a"`, Unlike},
		{"4.3.4 a weak tag, and none is stored", "ETag: W/\"a\"\n" + early, early, Unlike},
		{"8.8.3 a tag without quotes is not strong", `ETag: a`, `ETag: a`, WeaklySame},
		{"4.3.4 the same date", early, early, SameDate},
		{"4.3.4 the same date, and a tag is stored", early, "ETag: \"a\"\n" + early, SameDate},
		{"4.3.4 another date", late, early, Unlike},
		{"4.3.4 a date, and none is stored", early, `ETag: "a"`, Unlike},
		{"4.3.4 no validator", "Cache-Control: max-age=5", "ETag: \"a\"\n" + early, Nameless},
		{"4.3.4 no validator of an answer without", "", "", Nameless},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Freshens(fields(c.notModified), fields(c.stored)); got != c.want {
				t.Errorf("%q of %q: %d; want %d", c.notModified, c.stored, got, c.want)
			}
		})
	}
	if Unlike >= Nameless || Nameless >= SameDate || SameDate >= WeaklySame || WeaklySame >= StronglySame {
		t.Error("4.3.4: a better likeness is not the greater one")
	}
}

// RFC 9111, 3.2.
func TestUpdates_leavesWhatDescribesTheStoredBytes(t *testing.T) {
	for name, want := range map[string]bool{
		"Content-Length": false, "content-length": false, "CONTENT-LENGTH": false,
		"Content-Encoding": false, "Content-Range": false, "Content-MD5": false, "Content-Digest": false, "ETag": false,
		"Cache-Control": true, "Date": true, "Expires": true, "Last-Modified": true, "Set-Cookie": true, "Age": true,
		"Content-Type": true, "Content-Language": true, "Content-Location": true, "Content-Security-Policy": true, // 3.2: the prefix is no signal
		"Content-Lengths": true, "X-Content-Length": true, "X-Anything": true,
	} {
		if got := Updates([]byte(name)); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// RFC 9111, 4.3.5.
func TestStillDescribes_comparesWhatAHeadSays(t *testing.T) {
	const (
		early = "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\n"
		late  = "Last-Modified: Sun, 22 Nov 2026 11:00:00 GMT\n"
		tag   = "ETag: \"a\"\n"
	)
	for _, c := range []struct {
		name, head, stored   string
		length, storedLength int64
		want                 bool
	}{
		{"4.3.5 all the same", tag + early, tag + early, 5, 5, true},
		{"4.3.5 it says nothing", "", tag + early, -1, 5, true},
		{"4.3.5 it says less", early, tag + early, -1, 5, true},
		{"4.3.5 another tag", "ETag: \"b\"\n" + early, tag + early, 5, 5, false},
		{"4.3.5 the tag is weak now", "ETag: W/\"a\"\n", tag, 5, 5, false},
		{"4.3.5 a tag, and none is stored", tag, early, 5, 5, false},
		{"4.3.5 another date", tag + late, tag + early, 5, 5, false},
		{"4.3.5 a date, and none is stored", early, tag, 5, 5, false},
		{"4.3.5 another length", tag, tag, 6, 5, false},
		{"4.3.5 a length alone", "", "", 5, 5, true},
		{"4.3.5 another length alone", "", "", 0, 5, false},
		{"4.3.5 another length than none", "", "", 5, 0, false},
		{"4.3.5 the stored length is not known", tag, tag, 5, -1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := StillDescribes(fields(c.head), fields(c.stored), c.length, c.storedLength); got != c.want {
				t.Errorf("%q, %d of %q, %d: %v", c.head, c.length, c.stored, c.storedLength, got)
			}
		})
	}
}

// RFC 9111, 4.3.1.
func TestValidators_areWhatTheAnswerHas(t *testing.T) {
	tag, modified := Validators(fields("Last-Modified: x\nETag: W/\"a\""))
	if string(tag) != `W/"a"` || string(modified) != "x" {
		t.Errorf("%q, %q", tag, modified)
	}
	if tag, modified = Validators(fields("Date: x")); tag != nil || modified != nil {
		t.Errorf("%q, %q of an answer without", tag, modified)
	}
}

// RFC 9111, 3.4; RFC 9110, 8.8.1, 8.8.2.2 and 15.3.7.3.
func TestSameVersion_wantsAStrongValidator(t *testing.T) {
	date := "Date: " + stamp(0) + "\n"
	early, late := "Last-Modified: "+stamp(-2*time.Hour)+"\n", "Last-Modified: "+stamp(-time.Hour)+"\n"
	now := "Last-Modified: " + stamp(0) + "\n"
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"3.4 the same strong tag", `ETag: "a"`, `ETag: "a"`, true},
		{"3.4 another", `ETag: "a"`, `ETag: "b"`, false},
		{"3.4 another, the same date", date + early + `ETag: "a"`, date + early + `ETag: "b"`, false},
		{"3.4 a strong tag decides, whatever the date is", date + early + `ETag: "a"`, date + late + `ETag: "a"`, true},
		{"3.4 weak tags", `ETag: W/"a"`, `ETag: W/"a"`, false},
		{"3.4 weak tags and the same date", date + early + `ETag: W/"a"`, date + early + `ETag: W/"a"`, false},
		{"3.4 weak and strong", `ETag: W/"a"`, `ETag: "a"`, false},
		{"3.4 no quotes", `ETag: a`, `ETag: a`, false},
		{"3.4 one tag, the same date", date + early + `ETag: "a"`, date + early, false},
		{"8.8.2.2 the same date", date + early, date + early, true},
		{"8.8.2.2 another date", date + early, date + late, false},
		{"8.8.2.2 the same date in another form", date + early, date + "Last-Modified: Sunday, 22-Nov-26 10:00:00 GMT", false},
		{"8.8.2.2 a date that may change yet", date + now, date + now, false},
		{"8.8.2.2 one of both may have changed yet", date + late, "Date: " + stamp(-time.Hour) + "\n" + late, false},
		{"8.8.2.2 and turned", "Date: " + stamp(-time.Hour) + "\n" + late, date + late, false},
		{"8.8.2.2 no Date", early, early, false},
		{"8.8.2.2 no date at all", "Last-Modified: x\n" + date, "Last-Modified: x\n" + date, false},
		{"3.4 no validator", date, date, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := fields(c.a), fields(c.b)
			if got := SameVersion(a, b, noon); got != c.want || got != SameVersion(b, a, noon) {
				t.Errorf("%q and %q: %v", c.a, c.b, got)
			}
			// What is the same as another is the same as itself, and Certain says so.
			for _, f := range []Fields{a, b} {
				if Certain(f, noon) != SameVersion(f, f, noon) {
					t.Errorf("%q, %q: certain %v, but it is the same as itself: %v", c.a, c.b, Certain(f, noon), SameVersion(f, f, noon))
				}
			}
			if c.want && !Certain(a, noon) {
				t.Errorf("%q is not certain", c.a)
			}
		})
	}
}

// RFC 9111, 3.4: the same as something is certain, in both directions.
func FuzzSameVersion(f *testing.F) {
	f.Add("ETag: \"a\"", "ETag: \"a\"")
	f.Add("Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT\nDate: Sun, 22 Nov 2026 10:00:01 GMT", "ETag: W/\"a\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, two := fields(a), fields(b)
		same := SameVersion(one, two, noon)
		if same != SameVersion(two, one, noon) || Certain(one, noon) != SameVersion(one, one, noon) {
			t.Errorf("%q and %q: %v", a, b, same)
		}
		if same && !(Certain(one, noon) && Certain(two, noon)) {
			t.Errorf("%q and %q are the same without a strong validator", a, b)
		}
		if tag, _ := first(one, nameETag); same && strings.HasPrefix(string(tag), "W/") {
			t.Errorf("%q and %q are the same by a weak tag", a, b)
		}
		if Freshens(one, two) == StronglySame && !SameVersion(one, two, noon) {
			t.Errorf("%q freshens %q without being the same", a, b)
		}
	})
}
