// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

const (
	// maxText is the largest size of a text in an observation, in bytes. The operator cuts longer
	// texts, so that the observation fits into etcd.
	maxText = 4096
	// maxPhase is the largest size of a phase, in bytes.
	maxPhase = 256
	// maxNames is the largest number of names in a message. maxNamesText is the largest total size
	// of the names in a message, in bytes.
	maxNames     = 10
	maxNamesText = 512
)

// Truncate cuts a text to at most n bytes. It never cuts inside a character. A text that was cut
// ends in "…".
func Truncate(s string, n int) string {
	const ellipsis = "…"
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len(ellipsis)], "") + ellipsis
}

// Names joins names for a message. It shortens a long list, for example to "a, b and 3 more".
func Names(names []string) string {
	shown, size := 0, 0
	for shown < min(len(names), maxNames) && (shown == 0 || size+len(names[shown]) <= maxNamesText) {
		size += len(names[shown]) + len(", ")
		shown++
	}
	text := strings.Join(names[:shown], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// jsonSize returns the total size of some values in JSON, in bytes. The values must be texts or
// numbers, or structs and lists that contain only texts and numbers.
func jsonSize[T any](values ...T) (size int) {
	for _, value := range values {
		encoded, _ := json.Marshal(value) // Texts and numbers always encode.
		size += len(encoded)
	}
	return size
}

// cutTexts cuts the texts in a status: the phase to maxPhase bytes, and every other text to maxText
// bytes. statusPointer is a pointer to the status.
func cutTexts(statusPointer any) {
	status := reflect.ValueOf(statusPointer).Elem()
	if phase := status.FieldByName("Phase"); phase.Kind() == reflect.String {
		cutText(phase, maxPhase)
	}
	cutAll(status)
}

func cutAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		cutText(v, maxText)
	case reflect.Pointer:
		if !v.IsNil() {
			cutAll(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			cutAll(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() { // A value in a map cannot be changed in place, so change a copy.
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			cutAll(value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() {
				cutAll(field)
			}
		}
	}
}

func cutText(v reflect.Value, limit int) {
	if v.Len() > limit {
		v.SetString(Truncate(v.String(), limit))
	}
}
