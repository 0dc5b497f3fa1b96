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

// maxIDLength is the largest length of an item's ID, in characters. An item with a longer ID counts
// as unreadable.
const maxIDLength = 255

// UnreadableItem is an item that List could not read. The item's cloud object exists, so do not
// treat this object as deleted.
type UnreadableItem struct {
	// ID is the item's ID; "" if the ID could not be read either.
	ID string
	// Page is the number of the item's page, counted from 1. Index is the item's place in the page,
	// counted from 0.
	Page, Index int
	// Reason says what is wrong, such as "spec.config.cku: string, want int32". It never contains a
	// value of the item.
	Reason string
}

// entry is the result of reading one item from a page of a cloud answer.
type entry[T any] struct {
	id   string
	mark mark
	// value is the part of the item that the caller keeps. It is zero if isKnown, isLeftOut or
	// whyUnreadable is set.
	value T
	// isKnown is true if the previous listing had the same item, byte for byte.
	isKnown bool
	// isLeftOut is true if List filtered the item out.
	isLeftOut bool
	// whyUnreadable says why the item cannot be read; "" if it can be read.
	whyUnreadable string
}

// strictOptions are the options for decoding the JSON of an item:
//
//   - Member names are case-sensitive, and no name may occur twice.
//   - Text must be valid UTF-8.
//   - decodeWholeNumber decodes each int32.
var strictOptions = json.JoinOptions(json.WithUnmarshalers(json.UnmarshalFromFunc(decodeWholeNumber)))

// readItem decodes and checks one item of a page. projectItem returns the part of the item that the
// caller keeps.
func readItem[Record, Filter, T any](raw jsontext.Value, op *Operation[Record, Filter], q query, projectItem func(*Record) T) (e entry[T]) {
	if kind := raw.Kind(); kind != '{' {
		return entry[T]{whyUnreadable: kindName(kind) + ", want object"}
	}
	record := new(Record)
	if countValues(raw) > maxValues {
		e.whyUnreadable, e.id = tooMany, itemID(raw)
	} else if err := json.Unmarshal(raw, record, strictOptions); err != nil {
		e.whyUnreadable, e.id = describeMismatch(err), itemID(raw)
	} else {
		e.id = op.itemID(record)
	}
	switch {
	case utf8.RuneCountInString(e.id) > maxIDLength:
		// Do not shorten the ID, because the shortened ID could be the ID of another item.
		e.id, e.whyUnreadable = "", fmt.Sprintf("id: longer than %d characters", maxIDLength)
		return e
	case e.whyUnreadable != "":
		return e
	case e.id == "":
		e.whyUnreadable = "id: missing or empty"
		return e
	}
	op.compactItem(record)
	value := func(param string) string { return op.paramValue(record, param) }
	// Check the environment before the filter. In the other order, the filter could drop an item of
	// a wrong environment, and no error would report this item.
	if e.whyUnreadable = q.foreignProblem(value); e.whyUnreadable != "" {
		return e
	}
	if e.isLeftOut = q.leavesOut(value); !e.isLeftOut {
		e.value = projectItem(record)
	}
	return e
}

// decodeWholeNumber decodes an int32 that may be written as 2, 2.0 or "2".
func decodeWholeNumber(dec *jsontext.Decoder, n *int32) error {
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

// itemID finds the ID in the JSON of an item that could not be decoded. If the JSON has no readable
// ID or several IDs, itemID returns "".
func itemID(raw jsontext.Value) string {
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)), lenientOptions...)
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

// describeMismatch says which JSON member of an item cannot be decoded, and why. The text never has
// the member's value.
func describeMismatch(err error) string {
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

// memberPath returns the path to a JSON member, such as "spec.config.cku". A name with characters
// outside a-z and "_" could be customer data, so the path ends before this name.
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

// typeName returns the name of a type for a message, such as "object" or "int32".
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
