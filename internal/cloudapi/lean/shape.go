// SPDX-License-Identifier: Apache-2.0

package lean

import (
	"fmt"
	"reflect"
	"strings"
)

// Shape is how values of type T are decoded. It is safe for concurrent use.
type Shape[T any] struct{ root *shape }

// form says what a value is.
type form int

const (
	text    form = iota // string
	whole               // int32, int64
	flag                // *bool
	texts               // []string
	members             // a struct
	table               // map[string] of a struct
)

type shape struct {
	form form
	// byName finds a struct's field by the name of its member.
	byName map[string]*field
	names  []string
	// elem is what a table holds.
	elem *shape
	typ  reflect.Type
}

type field struct {
	index int
	bit   uint64 // tells the fields of one struct apart
	shape *shape
}

// maxFields is how many fields a struct may have.
const maxFields = 64

// For returns the shape of T, a struct whose fields are strings, int32, int64,
// *bool, []string, structs of such, and maps from strings to structs, each with a
// json tag that is a lower-case name and nothing else. It panics on any other type:
// that is a mistake in the program.
func For[T any]() *Shape[T] { return &Shape[T]{shapeOf(reflect.TypeFor[T]())} }

func shapeOf(t reflect.Type) *shape {
	s := &shape{typ: t}
	switch {
	case t.Kind() == reflect.String:
		s.form = text
	case t.Kind() == reflect.Int32, t.Kind() == reflect.Int64:
		s.form = whole
	case t == reflect.TypeFor[*bool]():
		s.form = flag
	case t == reflect.TypeFor[[]string]():
		s.form = texts
	case t.Kind() == reflect.Struct && t.NumField() <= maxFields:
		s.form, s.byName = members, map[string]*field{}
		for i := range t.NumField() {
			name := t.Field(i).Tag.Get("json")
			if name == "" || strings.ToLower(name) != name || strings.ContainsAny(name, ",-") {
				panic(fmt.Sprintf("lean: field %s.%s: json tag %q", t, t.Field(i).Name, name))
			}
			s.names = append(s.names, name)
			s.byName[name] = &field{index: i, bit: 1 << i, shape: shapeOf(t.Field(i).Type)}
		}
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.Struct:
		s.form, s.elem = table, shapeOf(t.Elem())
	default:
		panic(fmt.Sprintf("lean: no way to decode a %s", t))
	}
	return s
}

// Decode takes in an object, which must not be null. into must be the zero value.
// Where it refuses, into holds part of the object.
func (s *Shape[T]) Decode(d *Decoder, into *T) bool {
	return d.object(s.root, reflect.ValueOf(into).Elem())
}

// value takes in a value of a shape. null leaves v as it is: zero.
func (d *Decoder) value(s *shape, v reflect.Value) bool {
	if d.Null() {
		return true
	}
	switch s.form {
	case text:
		value, ok := d.text()
		v.SetString(value)
		return ok
	case whole:
		n, ok := d.int()
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	case flag:
		value, ok := d.bool()
		*v.Addr().Interface().(**bool) = &value
		return ok
	case texts:
		return d.list(v.Addr().Interface().(*[]string))
	case table:
		return d.table(s, v)
	}
	return d.object(s, v)
}

// object takes in a struct's members. Those it has no field for are skipped.
func (d *Decoder) object(s *shape, v reflect.Value) bool {
	var seen uint64
	return d.Members(func(key []byte) bool {
		f := s.byName[string(key)]
		switch {
		case f == nil:
			return !s.foldsTo(key) && d.Skip()
		case seen&f.bit != 0:
			return false
		}
		seen |= f.bit
		return d.value(f.shape, v.Field(f.index))
	})
}

// foldsTo tells whether encoding/json would take a key for one of the struct's, for
// being the same but for capitals. key is ASCII.
func (s *shape) foldsTo(key []byte) bool {
	for _, name := range s.names {
		if len(name) == len(key) && strings.EqualFold(name, string(key)) {
			return true
		}
	}
	return false
}

// list takes in strings; null among them is an empty one.
func (d *Decoder) list(into *[]string) bool {
	d.strings = d.strings[:0]
	ok := d.Elements(func() bool {
		var one string
		ok := d.Text(&one)
		d.strings = append(d.strings, one)
		return ok
	})
	*into = append(make([]string, 0, len(d.strings)), d.strings...)
	return ok
}

// table takes in a map; null in it is a zero member, and the last of two members of
// one name counts.
func (d *Decoder) table(s *shape, v reflect.Value) bool {
	v.Set(reflect.MakeMap(s.typ))
	key, elem := reflect.New(s.typ.Key()).Elem(), reflect.New(s.elem.typ).Elem()
	return d.Members(func(name []byte) bool {
		key.SetString(d.words.of(name))
		elem.SetZero()
		if !d.Null() && !d.object(s.elem, elem) {
			return false
		}
		v.SetMapIndex(key, elem)
		return true
	})
}
