// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxIDLength is the longest ID of the API, in characters.
const maxIDLength = 255

// UnreadableItem is an item of a listing that could not be read. The caller must keep the last
// known state of the item's object.
type UnreadableItem struct {
	// ID is the item's ID; "" if it could not be read.
	ID string
	// Page is the number of the page, from 1. Index is the item's place in the page, from 0.
	Page, Index int
	// Reason says what is wrong, such as "spec.config.cku: string, want int32". It never quotes
	// data of the item.
	Reason string
}

// entry is one element of a page's data. It has an item, or the reason why the item cannot be read.
type entry[T any] struct {
	id   string
	mark mark
	// value is the item's projected record. It is zero if known, leftOut or unreadable is set.
	value T
	// known reports whether the index has the item's bytes.
	known bool
	// leftOut reports whether the local filter leaves the item out.
	leftOut bool
	// unreadable says why the item cannot be read; "" if it can.
	unreadable string
}

// strict has the options for decoding an item: names match exactly, no name comes twice, and text
// is UTF-8. Only whole numbers may be written in several ways, see wholeNumber.
var strict = json.JoinOptions(json.WithUnmarshalers(json.UnmarshalFromFunc(wholeNumber)))

// readItem decodes one element of a page and projects its record.
func readItem[Record, Filter, T any](raw jsontext.Value, op *Operation[Record, Filter], q query, project func(*Record) T) (e entry[T]) {
	if kind := raw.Kind(); kind != '{' {
		return entry[T]{unreadable: kindName(kind) + ", want object"}
	}
	record := new(Record)
	if values(raw) > maxValues {
		e.unreadable, e.id = tooMany, itemID(raw)
	} else if err := json.Unmarshal(raw, record, strict); err != nil {
		e.unreadable, e.id = mismatch(err), itemID(raw)
	} else {
		e.id = op.id(record)
	}
	switch {
	case utf8.RuneCountInString(e.id) > maxIDLength:
		// A cut ID could be the ID of another item, so this item gets no ID.
		e.id, e.unreadable = "", fmt.Sprintf("id: longer than %d characters", maxIDLength)
		return e
	case e.unreadable != "":
		return e
	case e.id == "":
		e.unreadable = "id: missing or empty"
		return e
	}
	op.compact(record)
	value := func(param string) string { return op.value(record, param) }
	// Reject an item of another environment or network before the local filter runs. Such an item
	// was not asked for, so the answer is wrong. The local filter could leave the item out and so
	// hide that.
	if e.unreadable = q.foreign(value); e.unreadable != "" {
		return e
	}
	if e.leftOut = q.leavesOut(value); !e.leftOut {
		e.value = project(record)
	}
	return e
}

// wholeNumber reads a whole number that may be written as 2, 2.0 or "2". It leaves a value of
// another kind to the decoder, whose error says what is wrong.
func wholeNumber(dec *jsontext.Decoder, n *int32) error {
	if kind := dec.PeekKind(); kind != '0' && kind != '"' {
		return errors.ErrUnsupported
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	kind := token.Kind()
	value, err := strconv.ParseFloat(token.String(), 64)
	if err != nil || value != math.Trunc(value) || math.Abs(value) > math.MaxInt32 {
		return &json.SemanticError{JSONKind: kind, GoType: reflect.TypeFor[int32]()}
	}
	*n = int32(value)
	return nil
}

// itemID returns the ID of an item that could not be decoded; "" if there is no ID, or more than
// one.
func itemID(raw jsontext.Value) string {
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)), lenient...)
	if _, err := dec.ReadToken(); err != nil {
		return ""
	}
	id, found := "", 0
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		if name.String() != "id" {
			if dec.SkipValue() != nil {
				return ""
			}
			continue
		}
		value, err := dec.ReadValue()
		found++
		if err != nil || json.Unmarshal(value, &id) != nil {
			return ""
		}
	}
	if found != 1 {
		return ""
	}
	return id
}

// mismatch returns which member is wrong, and how. It does not use the text of the decoder's error,
// because that text could quote the value.
func mismatch(err error) string {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return "a member comes twice"
		case strings.Contains(syntax.Err.Error(), "UTF-8") || strings.Contains(syntax.Err.Error(), "surrogate"):
			return "text that is not unicode"
		}
		return "not valid JSON"
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return "cannot be decoded"
	}
	text := kindName(semantic.JSONKind) + ", want " + typeName(semantic.GoType)
	if path := memberPath(semantic.JSONPointer); path != "" {
		return path + ": " + text
	}
	return text
}

// memberPath returns the path of pointer, with dots. The path ends before the first key that is not
// a name of the API, because only names of the API may be shown.
func memberPath(pointer jsontext.Pointer) string {
	var path []string
	for name := range pointer.Tokens() {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
			break
		}
		path = append(path, name)
	}
	return strings.Join(path, ".")
}

// typeName returns the name of the expected type. For an object or an array it returns JSON's word.
func typeName(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	}
	return t.Kind().String()
}
