package server

import (
	"encoding/json"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

// hostileArgs is JSON of a type in which every text and every number is a hostile one.
func hostileArgs(t *testing.T, of any, text string, number int64) string {
	t.Helper()
	v := reflect.New(reflect.TypeOf(of)).Elem()
	fillHostile(t, v, strings.ToValidUTF8(text, "\ufffd"), number)
	raw, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func fillHostile(t *testing.T, v reflect.Value, text string, number int64) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(number)
	case reflect.Uint64, reflect.Uint, reflect.Uint32:
		v.SetUint(uint64(number))
	case reflect.Bool:
		v.SetBool(number > 0)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillHostile(t, v.Index(i), text, number)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillHostile(t, key, text, number)
		fillHostile(t, value, text, number)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fillHostile(t, v.Field(i), text, number)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillHostile(t, v.Elem(), text, number)
	default:
		t.Fatalf("a %s cannot be filled", v.Type())
	}
}
