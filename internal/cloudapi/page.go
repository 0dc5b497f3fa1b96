// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
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
func readPage[T any](resp *http.Response, a *asking[T]) (*page[T], error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, malformed("the media type is not JSON")
	}
	// The transport undoes what it asked for itself.
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, malformed("the body has an encoding that was not asked for")
	}
	return decodePage(newBody(resp.Body, a.limits.MaxBodyBytes), a)
}

// isJSON reports whether a media type is application/json or one derived from it.
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

// lenient is how the envelope is read. A name that comes twice or text that is not
// UTF-8 costs the item it is in, not the page: names of the envelope are checked here,
// and items are decoded strictly.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// maxKeptBuffer is the capacity up to which a buffer is kept for another page.
const maxKeptBuffer = 4 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// pageDecoder walks the envelope of one page token by token.
type pageDecoder[T any] struct {
	asking *asking[T]
	json   *jsontext.Decoder
	page   page[T]
	kind   string
	// hasData reports whether there was a data member.
	hasData bool
	// tooDeep are the items, by where they begin, whose text was taken out because
	// it nests deeper than JSON is decoded.
	tooDeep map[int64]bool
}

// decodePage decodes the one JSON object that b holds. Errors are those of
// readPage.
func decodePage[T any](b *body, a *asking[T]) (*page[T], error) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= maxKeptBuffer {
			buffers.Put(buffer)
		}
	}()
	buffer.Reset()
	_, readErr := buffer.ReadFrom(b)
	raw := buffer.Bytes()
	if len(raw) == 0 && readErr != nil {
		return nil, b.explain(readErr)
	}
	tooDeep := map[int64]bool{}
	for {
		d := pageDecoder[T]{asking: a, json: jsontext.NewDecoder(bytes.NewBuffer(raw), lenient...), tooDeep: tooDeep}
		err := d.decode()
		if err == nil {
			err = readErr // The body's end may prove it cut, or compressed wrong.
		}
		switch start, is := d.deepItem(err); {
		case is && !tooDeep[start] && takeOut(raw, start):
			tooDeep[start] = true
		case err != nil:
			return nil, b.explain(err)
		case d.kind != a.op.listKind:
			return nil, malformed("kind is not %s", a.op.listKind)
		case !d.hasData:
			return nil, malformed("no data member")
		default:
			return &d.page, nil
		}
	}
}

// decode reads the envelope and what may follow it, which is nothing.
func (d *pageDecoder[T]) decode() error {
	start, err := d.json.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return malformed("the body is empty")
	case err != nil:
		return err
	case start.Kind() != '{':
		return malformed("the body is not a JSON object")
	}
	if err := d.members(d.member); err != nil {
		return err
	}
	switch _, err := d.json.ReadToken(); {
	case err == nil:
		return malformed("something follows the JSON object")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// members calls member with each name of the object whose opening brace was read.
// member reads the value. A name that comes twice is malformed: which of the two counts
// is nobody's to guess.
func (d *pageDecoder[T]) members(member func(name string) error) error {
	seen := make(map[string]struct{}, 8)
	for d.json.PeekKind() == '"' {
		token, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if _, twice := seen[name]; twice {
			return malformed("the envelope has a member twice")
		}
		seen[name] = struct{}{}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// member reads the value of one member of the envelope.
func (d *pageDecoder[T]) member(name string) error {
	switch name {
	case "kind":
		return d.text("kind", &d.kind)
	case "metadata":
		return d.metadata()
	case "data":
		return d.data()
	}
	return d.json.SkipValue()
}

// metadata reads the list's metadata. Absent and null mean the same here as
// an empty object, since every member of it is optional.
func (d *pageDecoder[T]) metadata() error {
	if there, err := d.open('{', "metadata is not an object"); !there {
		return err
	}
	return d.members(func(name string) error {
		switch name {
		case "next":
			var next string
			if err := d.text("metadata.next", &next); err != nil {
				return err
			}
			token, err := pageToken(next)
			d.page.next = token
			return err
		case "total_size":
			raw, err := d.json.ReadValue()
			d.page.totalSize = totalSize(raw)
			return err
		}
		return d.json.SkipValue()
	})
}

// totalSize reads a number of items, in quotes or not. What is none asks for nothing:
// it is optional and only ever makes a listing incomplete.
func totalSize(raw jsontext.Value) int64 {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		return 0
	}
	return int64(n)
}

// open takes the beginning of an object or an array and reports whether there is
// one: null is none. Anything else is malformed, as otherwise says.
func (d *pageDecoder[T]) open(kind jsontext.Kind, otherwise string) (bool, error) {
	start, err := d.json.ReadToken()
	switch {
	case err != nil || start.Kind() == 'n':
		return false, err
	case start.Kind() != kind:
		return false, malformed("%s", otherwise)
	}
	return true, nil
}

// text reads a string of the envelope. null leaves into as it is.
func (d *pageDecoder[T]) text(name string, into *string) error {
	token, err := d.json.ReadToken()
	switch {
	case err != nil || token.Kind() == 'n':
		return err
	case token.Kind() != '"':
		return malformed("%s: %s, want string", name, kindName(token.Kind()))
	}
	*into = token.String()
	return nil
}

// data reads the items. null is an empty page.
func (d *pageDecoder[T]) data() error {
	d.hasData = true
	if there, err := d.open('[', "data is not an array"); !there {
		return err
	}
	a := d.asking
	most := min(itemsPerPage*a.pageSize, a.limits.MaxItems)
	if a.entries == nil {
		a.entries = make([]entry[T], 0, min(a.pageSize, most))
	}
	d.page.entries = a.entries[:0]
	for d.json.PeekKind() != ']' {
		start := d.start()
		raw, err := d.json.ReadValue()
		switch {
		case err != nil:
			return err
		case len(d.page.entries) == most:
			return newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items on a page, %d were asked for", most, a.pageSize))
		}
		if e, counts := d.entry(raw, start); counts {
			d.page.entries = append(d.page.entries, e)
		}
	}
	a.entries = d.page.entries
	_, err := d.json.ReadToken()
	return err
}

// itemsPerPage is how many times the items asked for a page may hold. An element may
// cost one byte in the body and some hundred decoded.
const itemsPerPage = 10

// entry returns the entry of an item that begins at start, and whether it counts: an
// item that a filter applied here leaves out does not.
func (d *pageDecoder[T]) entry(raw jsontext.Value, start int64) (entry[T], bool) {
	if d.tooDeep[start] {
		return entry[T]{unreadable: "nests deeper than JSON is decoded"}, true
	}
	m := markOf(raw)
	if id := d.asking.index.find(m); id != "" {
		return entry[T]{id: id, mark: m}, true
	}
	return decodeItem(raw, m, d.asking)
}

// start returns where the next value begins, of which the kind was looked at.
func (d *pageDecoder[T]) start() int64 {
	blank := bytes.IndexFunc(d.json.UnreadBuffer(), func(r rune) bool { return !strings.ContainsRune(" \t\r\n,", r) })
	return d.json.InputOffset() + int64(max(blank, 0))
}

// deepItem reports whether err is that of an item which nests deeper than JSON is
// decoded, and where that begins.
func (d *pageDecoder[T]) deepItem(err error) (start int64, is bool) {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok || !strings.Contains(syntax.Err.Error(), "max depth") || d.json.StackDepth() != len("{[") {
		return 0, false
	}
	return d.start(), true
}

// takeOut replaces the array or object that begins at start by null and blanks, and
// reports whether it has an end.
func takeOut(raw []byte, start int64) bool {
	depth, quoted := 0, false
	for i := start; i < int64(len(raw)); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				copy(raw[start:], "null")
				for at := start + int64(len("null")); at <= i; at++ {
					raw[at] = ' '
				}
				return true
			}
		}
	}
	return false
}

// kindName names a kind of JSON value.
func kindName(k jsontext.Kind) string {
	switch k {
	case 't', 'f':
		return "bool"
	case '{':
		return "object"
	case '[':
		return "array"
	}
	return k.String()
}
