package strictyaml

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// fields are the settings of one struct.
type fields struct {
	index map[string]int // by key
	names []string       // in the order of the struct
}

// known are the fields of each type, which are looked for once.
var known sync.Map // of reflect.Type to *fields

func fieldsOf(t reflect.Type) *fields {
	if found, ok := known.Load(t); ok {
		return found.(*fields)
	}
	f := &fields{index: map[string]int{}}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			f.index[name] = i
			f.names = append(f.names, name)
		}
	}
	known.Store(t, f)
	return f
}

// unknown is the sentence for a key that no field has.
func (f *fields) unknown(key string) string {
	if len(key) > 60 {
		key = strings.ToValidUTF8(key[:60], "") + "..."
	}
	text := fmt.Sprintf("there is no setting called %q here", key)
	nearest, least := "", len(key)/2+1
	for _, name := range f.names {
		if d := distance(strings.ToLower(key), name); d < least && d <= 3 {
			nearest, least = name, d
		}
	}
	switch {
	case nearest != "":
		return fmt.Sprintf("%s; did you mean %s?", text, nearest)
	case len(f.names) > 0:
		return fmt.Sprintf("%s; there are %s", text, strings.Join(f.names, ", "))
	}
	return text
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour until a is b (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
