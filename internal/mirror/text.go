// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

const (
	// maxText is the most bytes of a text of the cloud in an observation. The API documents no text
	// that is nearly as long, and with this bound an object fits into etcd.
	maxText = 4096
	// maxPhase is the most bytes of a phase. The source's status and the metrics repeat phases.
	maxPhase = 256
	// maxNames is the most names in a message, maxNamesText the most bytes of names. A message only
	// counts the other names.
	maxNames     = 10
	maxNamesText = 512
)

// Truncate cuts a text to at most n bytes, between two runes. "…" stands for the rest.
func Truncate(s string, n int) string {
	const ellipsis = "…"
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len(ellipsis)], "") + ellipsis
}

// Names joins names for a message: at most ten, and as many as fit. It counts the others.
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

// jsonSize returns how many bytes texts take as JSON strings, in which a character may take six.
func jsonSize(texts ...string) (size int) {
	for _, text := range texts {
		encoded, _ := json.Marshal(text) // A text always encodes.
		size += len(encoded)
	}
	return size
}

// cutTexts cuts every text in a status to what its field holds. pointer points to the status.
func cutTexts(pointer any) {
	status := reflect.ValueOf(pointer).Elem()
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
		for _, key := range v.MapKeys() { // A value in a map cannot be set in place.
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
