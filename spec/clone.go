package spec

import "reflect"

// clone returns a copy that shares no memory with v: settings are made of
// structs, lists and values.
func clone[T any](v T) T {
	copied := reflect.New(reflect.TypeFor[T]()).Elem()
	deepCopy(copied, reflect.ValueOf(v))
	return copied.Interface().(T)
}

func deepCopy(to, from reflect.Value) {
	to.Set(from) // what is not exported, too
	switch from.Kind() {
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				deepCopy(to.Field(i), from.Field(i))
			}
		}
	case reflect.Slice:
		if from.IsNil() {
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			deepCopy(to.Index(i), from.Index(i))
		}
	}
}
