package caching_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// small is a report made by hand: must and can pass, must-too rests on can,
// like is a check that rests on must-too.
func small(t *testing.T, results string) *report {
	t.Helper()
	r, err := readReport([]byte(`{"groups": [
		{"id": "a", "name": "First", "tests": [
			{"id": "must", "kind": "required", "needs": []},
			{"id": "can", "kind": "optimal", "needs": []}]},
		{"id": "b", "name": "Second", "tests": [
			{"id": "must-too", "kind": "required", "needs": ["can"]},
			{"id": "like", "kind": "check", "needs": ["must", "must-too"]}]}],
		"results": {` + results + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	allHold   = `"must": true, "can": true, "must-too": true, "like": true`
	onlyFails = `"must": ["Assertion", "m"], "can": true, "must-too": true, "like": ["Assertion", "l"]`
)

func TestVerdict_isWhatTheSuiteShows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, results string
		want          string // verdicts in the order of the tests
	}{
		{"all hold", allHold, "pass, pass, pass, yes"},
		{"a check does not hold", `"must": true, "can": true, "must-too": true, "like": ["Assertion", "l"]`, "pass, pass, pass, no: l"},
		{"an optimal one fails", `"must": true, "can": ["Assertion", "c"], "must-too": true, "like": true`,
			"pass, optional fail: c, not tested: needs can, not tested: needs must-too"},
		{"a required one fails", `"must": ["Assertion", "m"], "can": true, "must-too": ["Assertion", "t"], "like": true`,
			"fail: m, pass, fail: t, not tested: needs must"},
		{"any other error is a failure", `"must": ["FetchError", "m"], "can": true, "must-too": true, "like": true`,
			"fail: m, pass, pass, not tested: needs must"},
		{"what was to be tested does not come about", `"must": ["Setup", "s"], "can": ["Setup", "s"], "must-too": true, "like": true`,
			"setup failed: s, setup failed: s, not tested: needs can, not tested: needs must"},
		{"asked twice", `"must": ["Setup", "retry"], "can": true, "must-too": true, "like": ["Setup", "retry"]`,
			"retried, pass, pass, not tested: needs must"},
		{"not run", `"must": true, "must-too": true`, "pass, missing, not tested: needs can, missing"},
		{"a failure without a name", `"must": true, "can": false, "must-too": true, "like": true`,
			"pass, harness failed, not tested: needs can, not tested: needs must-too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := small(t, c.results)
			var got []string
			for d := range r.tests {
				v, why := r.judge(d)
				got = append(got, strings.TrimSuffix(fmt.Sprintf("%s: %s", v, why), ": "))
			}
			if is := strings.Join(got, ", "); is != c.want {
				t.Errorf("got  %s\nwant %s", is, c.want)
			}
		})
	}
}

func TestVerdict_ofOneTestAloneIgnoresTheOthers(t *testing.T) {
	t.Parallel()
	r := small(t, `"must-too": true`)
	d, _ := r.find("must-too")
	if v, _ := r.judgeAlone(d); v != passed {
		t.Errorf("got %s", v)
	}
	if v, _ := r.judge(d); v != dependencyFailed {
		t.Errorf("with the others: %s", v)
	}
}

func TestReport_refusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":             ``,
		"two of one name":     `{"groups": [{"tests": [{"id": "a", "kind": "check"}, {"id": "a", "kind": "check"}]}]}`,
		"another kind":        `{"groups": [{"tests": [{"id": "a", "kind": "hopeful"}]}]}`,
		"no kind":             `{"groups": [{"tests": [{"id": "a"}]}]}`,
		"a result of no test": `{"groups": [{"tests": [{"id": "a", "kind": "check"}]}], "results": {"b": true}}`,
		"a strange result":    `{"groups": [{"tests": [{"id": "a", "kind": "check"}]}], "results": {"a": ["x"]}}`,
	} {
		if _, err := readReport([]byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// refuses runs the gate on a report and compares all that it says.
func refuses(t *testing.T, results, exceptions string, want ...string) {
	t.Helper()
	list, err := readExceptions(exceptions)
	if err != nil {
		t.Fatal(err)
	}
	if got := small(t, results).gate(list); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestGate_opensWhenAllPassAndAChecksAnswerIsFree(t *testing.T) {
	t.Parallel()
	refuses(t, allHold, "")
	refuses(t, `"must": true, "can": true, "must-too": true, "like": ["Assertion", "l"]`, "")
}

func TestGate_refusesAFailureThatNobodyExpects(t *testing.T) {
	t.Parallel()
	refuses(t, onlyFails, "", "must (required): fail: m")
	refuses(t, `"must": true, "can": ["Assertion", "c"], "must-too": true, "like": true`, "must-too for another reason",
		"can (optimal): optional fail: c")
	refuses(t, `"must": true, "can": ["Setup", "c"], "must-too": true, "like": true`, "",
		"can (optimal): setup failed: c", "must-too (required): not tested: needs can")
}

func TestGate_opensForAnExceptionThatFails(t *testing.T) {
	t.Parallel()
	refuses(t, onlyFails, "# why\n\nmust  is not built yet\n")
}

func TestGate_refusesAnExceptionThatPasses(t *testing.T) {
	t.Parallel()
	refuses(t, allHold, "must is not built yet", "must is excepted and passes: take it off the list")
}

func TestGate_refusesAnExceptionOfNothing(t *testing.T) {
	t.Parallel()
	refuses(t, allHold, "mist is not built yet\nlike because I do not", "mist is excepted, and there is no such test",
		"like is excepted, and may be as it likes: it is a check")
}

func TestGate_refusesAMissingResultEvenOfAnException(t *testing.T) {
	t.Parallel()
	refuses(t, `"can": true, "must-too": true`, "must is not built yet", "must has no result (missing)", "like has no result (missing)")
}

func TestGate_refusesAnEmptyReport(t *testing.T) {
	t.Parallel()
	r, err := readReport([]byte(`{"groups": [], "results": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"there is no test of kind required", "there is no test of kind optimal", "there is no test of kind check"}
	if got := r.gate(nil); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestExceptions_haveAReasonAndStandOnce(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"must", "must  ", "must a\ncan b\nmust c"} {
		if list, err := readExceptions(text); err == nil {
			t.Errorf("%q was read as %v", text, list)
		}
	}
}

func TestExceptions_keepReasonsWhenRewritten(t *testing.T) {
	t.Parallel()
	r := small(t, `"must": ["Assertion", "m"], "can": ["Assertion", "c"], "must-too": true, "like": true`)
	list, err := readExceptions(r.writeExceptions([]exception{{"can", "we will not"}, {"gone", "long ago"}}))
	want := []exception{{"must", notBuilt}, {"can", "we will not"}, {"must-too", notBuilt}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("got %v, %v", list, err)
	}
	if problems := r.gate(list); len(problems) > 0 {
		t.Errorf("the gate refuses what was written for it: %q", problems)
	}
}

func TestScoreboard_hasTotalsAndALineForEveryTest(t *testing.T) {
	t.Parallel()
	const want = `
required 1 passed of 2
optimal  1 passed of 1
check    0 yes, 0 no, 1 neither

# a: First
fail          required must  Response 2 header Age is {age}
pass          optimal  can

# b: Second
pass          required must-too
not tested    check    like  needs must
`
	got := small(t, `"must": ["Assertion", "Response 2 header Age is 7"], "can": true, "must-too": true, "like": true`).scoreboard()
	if !strings.HasPrefix(got, "#") || !strings.Contains(got, rewrite+"\n") || !strings.HasSuffix(got, want) {
		t.Errorf("got:\n%s", got)
	}
}

func TestScoreboard_saysTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ message, want string }{
		{`Response body is "00000000-a9ef-4b13-8d10-a1b2c3d4e5f6", not "AB"`, `Response body is "{uuid}", not "AB"`},
		{`header Date is "Sun, 06 Nov 1994 08:49:37 GMT", not "Monday, 07-Nov-94 08:49:37 GMT"`, `header Date is "{date}", not "{date}"`},
		{`request to http://127.0.0.90:43211/test/x failed, reason: socket hang up`, `request to http://{address}/test/x failed, reason: socket hang up`},
		{`Response 2 header Age is 33, should be bigger than 34`, `Response 2 header Age is {age}, should be bigger than 34`},
		{`Response 2 header age is "33", not "34"`, `Response 2 header age is "{age}", not "34"`},
		{`Server-Now is 1792345678901`, `Server-Now is {milliseconds}`},
		{"Response 2\n  status is 502, not 200", "Response 2 status is 502, not 200"},
	} {
		if got := stable(c.message); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestScoreboard_showsWhatDiffers(t *testing.T) {
	t.Parallel()
	board := small(t, allHold).scoreboard()
	if lines := differences(board, board); len(lines) > 0 {
		t.Errorf("the same board differs: %q", lines)
	}
	got := differences(board, small(t, onlyFails).scoreboard())
	want := []string{
		"- required 2 passed of 2", "- check    1 yes, 0 no, 0 neither", "- pass          required must", "- yes           check    like",
		"+ required 1 passed of 2", "+ check    0 yes, 0 no, 1 neither", "+ fail          required must  m", "+ not tested    check    like  needs must",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
	for _, other := range []string{"a\na\nb", "b\na"} {
		if len(differences("a\nb", other)) == 0 {
			t.Errorf("%q is taken for the same", other)
		}
	}
}
