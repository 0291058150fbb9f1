package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a list says of a row is in its CSV file, too: whatever of a row is
// changed shows in a column. What is left out is named with its reason.
func TestColumnsSayAllOfARow(t *testing.T) {
	const (
		drawn = "a trend is a picture"
		parts = "a number is the quotient of its parts"
	)
	const ofChange = "is said of the devices of a configuration change"
	check(t, deviceColumns, map[string]string{"Notice": ofChange, "NoticeWhy": ofChange})
	check(t, affectedColumns, nil)
	check(t, deviceSoftwareColumns, map[string]string{"Versions": "Version is all of them"})
	check(t, deviceVulnColumns, map[string]string{"Threats": "EPSS is a column of its own"})
	check(t, closedColumns, nil)
	check(t, softwareColumns, map[string]string{"Trend": drawn})
	check(t, weaknessColumns, map[string]string{"Threats": "EPSS is a column of its own"})
	check(t, weaknessDeviceColumns, nil)
	check(t, weaknessSoftwareColumns, nil)
	check(t, versionColumns, nil)
	check(t, recommendationColumns, map[string]string{"Trend": drawn, "ImpactNum": parts, "ImpactDen": parts, "ImpactAfterNum": parts})
	check(t, deviceRecommendationColumns, nil)
	check(t, deviceCheckColumns, nil)
	check(t, scoreGroupColumns, nil)
	check(t, scoreDeviceColumns, nil)
	check(t, scoreTermColumns, nil)
	check(t, secureCheckColumns, nil)
	check(t, checkDeviceColumns, nil)
	check(t, eventColumns, map[string]string{"Link": "a path of the console"})
	check(t, exceptionColumns, nil)
	check(t, exceptionTargetColumns, nil)
	check(t, updateColumns, nil)
	check(t, remediationColumns, nil)
	check(t, remediationDeviceColumns, nil)
}

// check changes one field of a row after the other and looks for a column that says so.
func check[T any](t *testing.T, cols []column[T], without map[string]string) {
	t.Helper()
	line := func(r *T) string {
		out := make([]string, len(cols))
		for i, c := range cols {
			out[i] = c.text(r)
		}
		return strings.Join(out, "\x00")
	}
	var zero T
	kind := reflect.TypeFor[T]()
	left := map[string]bool{}
	each(kind, nil, "", func(path []int, name string) {
		row := zero
		// What is only said of some rows is said of this one.
		whole := reflect.ValueOf(&row).Elem()
		if f := whole.FieldByName("Tracked"); f.IsValid() && name != "Tracked" {
			f.SetBool(true)
		}
		before := line(&row)
		fill(whole.FieldByIndex(path))
		if line(&row) != before {
			return
		}
		if top := strings.Split(name, ".")[0]; without[top] == "" {
			t.Errorf("%s: no column says %s", kind.Name(), name)
		} else {
			left[top] = true
		}
	})
	for name, why := range without {
		if !left[name] {
			t.Errorf("%s.%s is left out (%s), but a column says it", kind.Name(), name, why)
		}
	}
}

// each yields the fields of a row, those of structures within it one by one.
func each(kind reflect.Type, path []int, name string, yield func(path []int, name string)) {
	for i := range kind.NumField() {
		f := kind.Field(i)
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		at, full := append(slices.Clone(path), i), strings.TrimPrefix(name+"."+f.Name, ".")
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
			each(f.Type, at, full, yield)
			continue
		}
		yield(at, full)
	}
}

// fill gives a field a value that no other has.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("something-else")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(0.7)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Map:
	default:
		panic(fmt.Sprintf("a field of kind %s", v.Kind()))
	}
}
