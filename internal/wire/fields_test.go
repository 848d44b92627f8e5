package wire

import "testing"

func TestFields_firstSharesTheBeginning(t *testing.T) {
	f := &Fields{}
	for _, line := range [][2]string{{"ETag", `"a"`}, {"X-A", "1"}, {"Date", ""}} {
		f.Add(Lookup([]byte(line[0])), []byte(line[0]), []byte(line[1]))
	}
	for n, want := range []string{"", "ETag: \"a\"\r\n", "ETag: \"a\"\r\nX-A: 1\r\n", "ETag: \"a\"\r\nX-A: 1\r\nDate: \r\n"} {
		first := f.First(n)
		if string(first.Lines()) != want || first.Len() != n {
			t.Errorf("the first %d: %q, %d fields", n, first.Lines(), first.Len())
		}
		if first.Has(Date) != (n == 3) {
			t.Errorf("the first %d: Date is there: %v", n, first.Has(Date))
		}
	}
	first := f.First(1)
	first.Add(Other, []byte("X-B"), []byte("2"))
	if value, _ := f.Get(Date); string(value) != "" || f.Len() != 3 || string(f.Name(1)) != "X-A" {
		t.Errorf("what is added to the beginning changes the whole: %q", f.Lines())
	}
}
