package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// wait is a type that reads itself.
type wait time.Duration

func (w *wait) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*w = wait(d)
	return err
}

type sample struct {
	Name  string `yaml:"name"`
	Count int    `yaml:"count"`
	Large int64  `yaml:"large"`
	On    bool   `yaml:"on"`
	Wait  wait   `yaml:"wait"`
	Group struct {
		Size    int      `yaml:"size,omitempty"`
		Timeout wait     `yaml:"timeout"`
		Words   []string `yaml:"words"`
	} `yaml:"group"`
	List   []entry `yaml:"list"`
	hidden string
	Unset  string
}

type entry struct {
	Name string   `yaml:"name"`
	Tags []string `yaml:"tags"`
}

func TestDecode_reads(t *testing.T) {
	const text = `# a comment
name: "80"
count: -3
large: 9000000000
on: true
wait: 5s
group:
  size: 7
  timeout: 1m
  words: [a, "b", 2024-01-01x]
list:
- name: one
- {name: two, tags: [x, y]}
`
	want := sample{Name: "80", Count: -3, Large: 9000000000, On: true, Wait: wait(5 * time.Second)}
	want.Group.Size, want.Group.Timeout, want.Group.Words = 7, wait(time.Minute), []string{"a", "b", "2024-01-01x"}
	want.List = []entry{{Name: "one"}, {Name: "two", Tags: []string{"x", "y"}}}
	var got sample
	mistakes := Decode([]byte(text), &got)
	lines := Locate[sample]([]byte(text))
	if len(mistakes) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v; mistakes %v", got, want, mistakes)
	}
	for path, want := range map[string]Position{
		"name": {2, 1}, "group.size": {8, 3}, "group.words[1]": {10, 14}, "list[0]": {12, 3}, "list[1].tags": {13, 15},
		"group.sizes": {7, 1}, "list[1].tags[9].more": {13, 15}, "list[7].name": {11, 1}, "nowhere": {1, 1}, "": {1, 1},
	} {
		if got := lines.At(path); got != want {
			t.Errorf("%s is at %v, want %v", path, got, want)
		}
	}
}

func TestDecode_keepsWhatIsNotThere(t *testing.T) {
	got := sample{Count: 9, hidden: "x", Unset: "y", List: []entry{{Name: "old"}}}
	mistakes := Decode([]byte("name: a\ngroup:\nlist:\n"), &got)
	want := sample{Name: "a", Count: 9, hidden: "x", Unset: "y", List: []entry{{Name: "old"}}}
	if len(mistakes) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v; mistakes %v", got, want, mistakes)
	}
}

func TestDecode_findsEachMistake(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"1:1 : nothing in it"}},
		{"comment", "# x\n", []string{"1:1 : nothing in it"}},
		{"null", "~\n", []string{"1:1 : nothing in it"}},
		{"begin and end", "---\n...\n", []string{"1:1 : nothing in it"}},
		{"text", "hello\n", []string{`1:1 : this is the text "hello"`}},
		{"list", "- name: a\n", []string{"1:1 : this is a list"}},
		{"syntax", "name: a\ncount: [1\nlist: x\n", []string{"3:5 : this is not YAML"}},
		{"tab", "group:\n\tsize: 1\n", []string{"2:1 : this is not YAML"}},
		{"control", "count: 1\nname: ä\x01\n", []string{"2:8 : control character 0x01"}},
		{"not UTF-8", "count: 1\nname: \xff\n", []string{"2:7 : the byte 0xff"}},
		{"unknown anchor", "name: *x\n", []string{"1:7 : this is not YAML"}},
		{"typo", "nmae: a\n", []string{"1:1 nmae: did you mean name?"}},
		{"case", "Name: a\n", []string{"1:1 Name: did you mean name?"}},
		{"unknown", "elephant: a\n", []string{"1:1 elephant: there are name, count"}},
		{"unexported", "hidden: a\nUnset: b\n", []string{"1:1 hidden: no setting", "2:1 Unset: no setting"}},
		{"typo below", "list:\n- name: a\n- nam: b\n", []string{"3:3 list[1].nam: did you mean name?"}},
		{"twice", "name: a\ncount: 1\nname: b\n", []string{"3:1 name: first is on line 1"}},
		{"twice below", "list:\n- name: a\n  name: b\n", []string{"3:3 list[0].name: first is on line 2"}},
		{"number for text", "name: 80\n", []string{"1:7 name: text is expected here; this is the number 80; put it in quotes"}},
		{"truth for text", "name: true\n", []string{"1:7 name: truth value true; put it in quotes"}},
		{"nothing for text", "name:\n", []string{"1:6 name: text is expected here; this is empty"}},
		{"list for text", "name: [a]\n", []string{"1:7 name: this is a list"}},
		{"text for number", "count: many\n", []string{`1:8 count: a whole number is expected here; this is the text "many"`}},
		{"quoted number", `count: "5"`, []string{`1:8 count: this is the text "5"`}},
		{"fraction", "count: 1.5\n", []string{"1:8 count: the number 1.5"}},
		{"octal", "count: 010\n", []string{"1:8 count: a whole number"}},
		{"underscore", "count: 1_000\n", []string{"1:8 count: a whole number"}},
		{"too large", "count: 99999999999999999999\n", []string{"1:8 count: a whole number"}},
		{"yes", "on: yes\n", []string{"1:5 on: true or false is expected"}},
		{"loud", "on: TRUE\n", []string{"1:5 on: true or false is expected"}},
		{"own type", "wait: soon\n", []string{"1:7 wait: invalid duration"}},
		{"own type empty", "wait:\n", []string{"1:6 wait: this is empty"}},
		{"own type list", "wait: []\n", []string{"1:7 wait: this is a list"}},
		{"text for group", "group: x\n", []string{"1:8 group: settings, each as name: value is expected"}},
		{"group for list", "list: {name: a}\n", []string{"1:7 list: a list, each entry"}},
		{"key", "1: a\n[a]: b\n", []string{"1:1 : the number 1", "2:1 : this is a list"}},
		{"merge", "list:\n- &a {name: x}\n- <<: *a\n", []string{"3:3 list[1]: merging with <<"}},
		{"second document", "name: a\n---\nname: b\n", []string{"2:1 : a second document"}},
		{"second document after a mistake", "nmae: a\n---\nname: b\n", []string{"1:1 nmae: no setting", "2:1 : a second document"}},
		{"tag", "name: !thing a\n", []string{`1:7 name: "a", a value of type !thing`}},
		{"all at once", "nmae: a\ncount: x\ngroup:\n  size: y\n  words: [1, a, 2]\nlist:\n- tags: z\n- 5\non: 1\n", []string{
			"1:1 nmae: no setting", "2:8 count: a whole number", "4:9 group.size: a whole number", "5:11 group.words[0]: text",
			"5:17 group.words[2]: text", "7:9 list[0].tags: a list", "8:3 list[1]: settings", "9:5 on: true or false"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got sample
			mistakes := Decode([]byte(test.text), &got)
			if len(mistakes) != len(test.want) {
				t.Fatalf("%d mistakes, want %d: %v", len(mistakes), len(test.want), mistakes)
			}
			for i, m := range mistakes {
				place, part, _ := strings.Cut(test.want[i], ": ")
				if at := fmt.Sprintf("%d:%d %s", m.Line, m.Column, m.Path); at != place || !strings.Contains(m.Text, part) {
					t.Errorf("%s: %s, want %s", at, m.Text, test.want[i])
				}
			}
		})
	}
}

func TestDecode_followsAliases(t *testing.T) {
	var got sample
	mistakes := Decode([]byte("group:\n  words: &w [a, b]\nlist:\n- tags: *w\n"), &got)
	if len(mistakes) > 0 || !reflect.DeepEqual(got.List, []entry{{Tags: []string{"a", "b"}}}) {
		t.Errorf("%+v; mistakes %v", got, mistakes)
	}
}

func TestDecode_isBounded(t *testing.T) {
	bomb := "group:\n  words: &w [" + strings.Repeat("a,", 1000) + "]\nlist:\n" + strings.Repeat("- tags: *w\n", 10_000)
	tests := []struct{ name, text, want string }{
		{"bomb", bomb, "repeat too much"},
		{"huge", strings.Repeat(" ", MaxSize+1), "more than"},
		{"deep", "name: " + strings.Repeat("[", 1_000_000), "not YAML"},
		{"self", "list: &a [*a]\n", ""},
		{"many", strings.Repeat("list: 1\n", 5000), "and 4900 more mistakes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got sample
			mistakes := Decode([]byte(test.text), &got)
			if len(mistakes) == 0 || len(mistakes) > mostMistakes+1 || !strings.Contains(mistakes[len(mistakes)-1].Text, test.want) {
				t.Errorf("%d mistakes: %.200v", len(mistakes), mistakes)
			}
			made := 0
			for _, e := range got.List {
				made += len(e.Tags)
			}
			if made > 2*mostRepeated {
				t.Errorf("%d values were made", made)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"name: a\n", "list:\n- name: a\n  tags: [x]\n", "group: {words: &w [a]}\nlist: [{tags: *w}]", "a: b: c", "---\n---\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var got, again sample
		mistakes := Decode(src, &got)
		lines := Locate[sample](src)
		second := Decode(src, &again)
		if !reflect.DeepEqual(got, again) || !reflect.DeepEqual(mistakes, second) {
			t.Errorf("two readings differ: %+v %+v", got, again)
		}
		for path, position := range lines {
			if position.Line < 1 || position.Column < 1 {
				t.Errorf("%s is at %v", path, position)
			}
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Text == "" {
				t.Errorf("mistake %+v", m)
			}
		}
	})
}
