// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// page is one page of a listing, checked whole.
type page[T any] struct {
	entries []entry[T]
	// next is the token of the next page, empty on the last.
	next string
	// totalSize is the number of items the whole listing should have, by the
	// cloud's word; 0 where it gave none, which asks for as little.
	totalSize int64
	call      Call
}

// readPage checks the answer's headers and decodes its body, which it reads to
// the end. An error is an *Error, or a *readError where the body did not come
// whole.
func readPage[T any](resp *http.Response, op *operation[T], limits Limits) (*page[T], error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, malformed("the media type is not JSON")
	}
	// The transport undoes what it asked for itself.
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, malformed("the body has an encoding that was not asked for")
	}
	return read(newBody(resp.Body, limits.MaxBodyBytes), op, limits.MaxItems)
}

// isJSON says whether a media type is application/json or one derived from it.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// malformed returns an *Error for an answer that is not a page.
func malformed(format string, args ...any) *Error {
	return newError(Malformed, "malformed response: "+fmt.Sprintf(format, args...))
}

// pageDecoder decodes one page member by member, so that an odd item or an
// unknown member costs nothing else.
type pageDecoder[T any] struct {
	op       *operation[T]
	json     *json.Decoder
	maxItems int
	page     page[T]
	kind     string
	hasData  bool
}

// decodePage decodes the one JSON object that b holds. Errors are those of
// readPage.
func decodePage[T any](b *body, op *operation[T], maxItems int) (*page[T], error) {
	d := pageDecoder[T]{op: op, json: json.NewDecoder(b), maxItems: maxItems}
	if err := d.decode(); err != nil {
		return nil, b.explain(err)
	}
	if d.kind != op.listKind {
		return nil, malformed("kind is not %s", op.listKind)
	}
	if !d.hasData {
		return nil, malformed("no data member")
	}
	return &d.page, nil
}

// decode reads the envelope and what may follow it, which is nothing.
func (d *pageDecoder[T]) decode() error {
	start, err := d.json.Token()
	switch {
	case err == io.EOF:
		return malformed("the body is empty")
	case err != nil:
		return err
	case start != json.Delim('{'):
		return malformed("the body is not a JSON object")
	}
	if err := members(d.json, d.member); err != nil {
		return err
	}
	switch _, err := d.json.Token(); {
	case err == nil:
		return malformed("something follows the JSON object")
	case err != io.EOF:
		return err
	}
	return nil
}

// member decodes the value of one member of the envelope. Keys are compared
// exactly, unlike in encoding/json.
func (d *pageDecoder[T]) member(key string) error {
	switch key {
	case "kind":
		return d.value("kind", &d.kind)
	case "metadata":
		return d.metadata()
	case "data":
		return d.data()
	}
	return d.json.Decode(&ignored{})
}

// metadata decodes the list's metadata. Absent and null mean the same here as
// an empty object, since every member of it is optional.
func (d *pageDecoder[T]) metadata() error {
	if there, err := d.open('{', "metadata is not an object"); !there {
		return err
	}
	return members(d.json, func(key string) error {
		switch key {
		case "next":
			var next string
			if err := d.value("metadata.next", &next); err != nil {
				return err
			}
			token, err := pageToken(next)
			d.page.next = token
			return err
		case "total_size":
			return d.value("metadata.total_size", &d.page.totalSize)
		}
		return d.json.Decode(&ignored{})
	})
}

// open takes the beginning of an object or an array and tells whether there is
// one: null is none. Anything else is malformed, as otherwise says.
func (d *pageDecoder[T]) open(delim json.Delim, otherwise string) (bool, error) {
	start, err := d.json.Token()
	switch {
	case err != nil || start == nil:
		return false, err
	case start != delim:
		return false, malformed("%s", otherwise)
	}
	return true, nil
}

// data decodes the items. null is an empty page.
func (d *pageDecoder[T]) data() error {
	d.hasData = true
	if there, err := d.open('[', "data is not an array"); !there {
		return err
	}
	d.page.entries = make([]entry[T], 0, min(d.op.pageSize, d.maxItems))
	for d.json.More() {
		// Checked here too, not only over the listing: an element may cost one
		// byte in the body and some hundred decoded.
		if len(d.page.entries) == d.maxItems {
			return tooManyItems(d.maxItems)
		}
		d.page.entries = append(d.page.entries, entry[T]{})
		if err := d.page.entries[len(d.page.entries)-1].decode(d.json, d.op); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return err
}

// value decodes a member of the envelope. A value of the wrong type is
// malformed; null leaves into as it is.
func (d *pageDecoder[T]) value(name string, into any) error {
	err := d.json.Decode(into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return malformed("%s: %s, want %s", name, jsonType(wrong), goType(wrong))
	}
	return err
}

// members calls member with each key of the object whose opening brace was
// read. member reads the value. A key that comes twice is malformed: which of
// the two counts is nobody's to guess.
func members(dec *json.Decoder, member func(key string) error) error {
	seen := make(map[string]struct{}, 8)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if _, twice := seen[key]; twice {
			return malformed("the envelope has a member twice")
		}
		seen[key] = struct{}{}
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// ignored takes any JSON value and keeps nothing of it.
type ignored struct{}

// UnmarshalJSON never fails.
func (*ignored) UnmarshalJSON([]byte) error { return nil }
