package spec

import (
	"reflect"
	"sync"
)

// clone returns a copy that shares no memory with v: settings are made of
// structs, lists and values.
func clone[T any](v T) T {
	unshare(reflect.ValueOf(&v).Elem())
	return v
}

// unshare gives a copy lists of its own.
func unshare(v reflect.Value) {
	for _, place := range listsIn(v.Type()) {
		list := v.FieldByIndex(place)
		if list.IsNil() {
			continue
		}
		own := reflect.MakeSlice(list.Type(), list.Len(), list.Len())
		reflect.Copy(own, list)
		list.Set(own)
		if len(listsIn(list.Type().Elem())) > 0 {
			for i := range own.Len() {
				unshare(own.Index(i))
			}
		}
	}
}

// known are the places of lists by type: looking for them takes longer than
// copying.
var known sync.Map // of reflect.Type to [][]int

// listsIn returns the places of all lists in a struct and the structs within
// it, as FieldByIndex takes them; none for other types.
func listsIn(t reflect.Type) (places [][]int) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if found, ok := known.Load(t); ok {
		return found.([][]int)
	}
	for i := range t.NumField() {
		field := t.Field(i)
		switch {
		case !field.IsExported():
		case field.Type.Kind() == reflect.Slice:
			places = append(places, []int{i})
		case field.Type.Kind() == reflect.Struct:
			for _, place := range listsIn(field.Type) {
				places = append(places, append([]int{i}, place...))
			}
		}
	}
	known.Store(t, places)
	return places
}
