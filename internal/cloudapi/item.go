// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxIDLength is the longest ID of the API, in characters.
const maxIDLength = 255

// UnreadableItem is an item of a listing that could not be read. What is known
// of its object must stay as it was.
type UnreadableItem struct {
	// ID is the item's own, empty where it has none that could be read.
	ID string
	// Page counts from 1, Index from 0 within the page.
	Page, Index int
	// Reason says what is wrong, such as "spec.config.cku: string, want
	// int32". It never holds a value.
	Reason string
}

// entry is one element of a page's data: an item, or why it is none.
type entry[T any] struct {
	item T
	id   string
	// unreadable is the reason, empty for a readable item.
	unreadable string
}

// decode decodes the next element of the array that dec is in. An element that
// is valid JSON but no item is no error: it makes the entry unreadable.
func (e *entry[T]) decode(dec *json.Decoder, op *operation[T]) error {
	item := &e.item
	// Through the pointer's own address, so that a null is seen.
	err := dec.Decode(&item)
	e.id = op.id(&e.item)
	if utf8.RuneCountInString(e.id) > maxIDLength {
		// Cut short it might be another item's ID, so it has none.
		e.id = ""
		e.unreadable = fmt.Sprintf("id: longer than %d characters", maxIDLength)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The decoder took in the whole element and left decoded what it
		// could, the ID among it.
		e.unreadable = mismatch(wrong)
		return nil
	}
	switch {
	case err != nil:
		return err
	case item == nil:
		e.unreadable = "null, want object"
	case e.unreadable == "" && e.id == "":
		e.unreadable = "id: missing or empty"
	}
	op.compact(&e.item)
	return nil
}

// mismatch says which member has which type instead of which. The error itself
// quotes the value where that is a number.
func mismatch(e *json.UnmarshalTypeError) string {
	text := jsonType(e) + ", want " + goType(e)
	if e.Field == "" {
		return text
	}
	return e.Field + ": " + text
}

// jsonType is the JSON type that was found.
func jsonType(e *json.UnmarshalTypeError) string {
	found, _, _ := strings.Cut(e.Value, " ")
	return found
}

// goType is the type that was wanted, in JSON's words where it has one.
func goType(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	}
	return e.Type.Kind().String()
}
