// SPDX-License-Identifier: Apache-2.0

// Package filled gives values to every field of an API object, for tests that must not miss one.
package filled

import (
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Fill sets every field of v, and those of its fields, to a value that is not zero. So a field that a
// comparison misses, or that the schema lacks and the API server drops, shows. path is the
// field's name, for the failure of a type that has no value yet.
func Fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[metav1.Time]():
		v.Set(reflect.ValueOf(metav1.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC).Rfc3339Copy()))
	case v.Type() == reflect.TypeFor[metav1.Duration]():
		v.Set(reflect.ValueOf(metav1.Duration{Duration: time.Minute}))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		Fill(t, v.Elem(), path)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		Fill(t, v.Index(0), path)
	case v.Kind() == reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		Fill(t, value, path)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("any"), value)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			Fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.String && strings.HasSuffix(path, ".Status"):
		v.SetString("True") // The status of a condition is an enumeration.
	case v.Kind() == reflect.String:
		v.SetString("any")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(1)
	default:
		t.Fatalf("%s: no value for a %s", path, v.Type())
	}
}
