// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// page is one page of a listing, decoded and checked.
type page[T any] struct {
	entries []entry[T]
	// nextToken is the token of the next page; "" on the last page.
	nextToken string
	// totalSize is the number of items in the whole listing, as the cloud reports it. It is 0 if
	// the cloud reports no number.
	totalSize int64
	call      Call
}

// readPage checks the headers of an answer and decodes its body. If the connection fails, the error
// is a *readError. Any other error is an *Error.
func readPage[T any](ctx context.Context, resp *http.Response, a *listCall[T]) (*page[T], error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, malformed("the media type is not JSON")
	}
	// The transport decodes gzip and removes the header Content-Encoding. If the header is still
	// there, the body has another encoding, which the request did not allow.
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, malformed("the body has an encoding that was not asked for")
	}
	return decodePage(newBody(ctx, resp.Body, a.limits.MaxBodyBytes), a)
}

// isJSON reports whether a media type is application/json or ends with +json.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// malformed returns an *Error of class Malformed.
func malformed(format string, args ...any) *Error {
	return newError(Malformed, "malformed response: "+fmt.Sprintf(format, args...))
}

const (
	// A page may have at most maxItemsFactor times as many items as the request asked for. Without
	// this limit, a small body with very many tiny items could fill the memory.
	maxItemsFactor = 10
	// maxMembers is the largest number of members in the JSON object of a page. The page's member
	// "metadata" is also an object, and has the same limit.
	maxMembers = 100
	// maxValueBytes is the largest size of an item of a page, in bytes. A JSON value outside the
	// items, such as the address of the next page, has the same limit.
	maxValueBytes = 1 << 20
	// maxValues is the largest number of members and elements of an item, including nested ones.
	maxValues = 10_000
	// maxRead is the largest number of bytes that one call of Read gives to the decoder.
	maxRead = 64 << 10
)

// Reasons why an item is not decoded.
const (
	tooDeep = "nests deeper than JSON is decoded"
	tooLong = "longer than an item may be"
	tooMany = "more members than an item may have"
)

// lenientOptions are the decoder options for a page. They allow duplicate names and invalid UTF-8,
// so that one bad item does not make the whole page unreadable. Later, each item is decoded with
// strictOptions.
var lenientOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// decoderPool keeps JSON decoders for reuse. With a small buffer, reading takes twice as long. So
// each new decoder first reads a long value, which makes its buffer large.
var decoderPool = sync.Pool{New: func() any {
	d := jsontext.NewDecoder(strings.NewReader(`"` + strings.Repeat("x", maxRead/2) + `"`))
	_ = d.SkipValue()
	return d
}}

// errTooLong is the error of a value that is longer than maxValueBytes.
var errTooLong = errors.New("a value is too long")

// pageDecoder decodes one page while the body of the page arrives.
type pageDecoder[T any] struct {
	*listCall[T]
	body *body
	json *jsontext.Decoder
	// bytesFed is how many bytes Read has given to the decoder.
	bytesFed int64
	page     page[T]
	kind     string
	// hasData is true if the page has the member "data".
	hasData bool
}

// Read gives the next bytes of the body to the JSON decoder. It fails if one value is longer than
// maxValueBytes.
func (d *pageDecoder[T]) Read(p []byte) (int, error) {
	free := maxValueBytes - (d.bytesFed - d.json.InputOffset())
	if free <= 0 {
		return 0, errTooLong
	}
	n, err := d.body.Read(p[:min(int64(len(p)), free, maxRead)])
	d.bytesFed += int64(n)
	return n, err
}

// decodePage decodes and checks the body of one page.
func decodePage[T any](b *body, a *listCall[T]) (*page[T], error) {
	d := pageDecoder[T]{listCall: a, body: b, json: decoderPool.Get().(*jsontext.Decoder)}
	defer func() {
		a.bodyBytes += b.bytesRead
		d.json.Reset(strings.NewReader(""))
		decoderPool.Put(d.json)
	}()
	d.json.Reset(&d, lenientOptions...)
	switch err := d.readObject(); {
	case errors.Is(err, errTooLong):
		return nil, malformed("the envelope has a value longer than %d bytes", maxValueBytes)
	case err != nil:
		return nil, b.classifyError(err)
	case d.kind != a.listKind:
		return nil, malformed("kind is not %s", a.listKind)
	case !d.hasData:
		return nil, malformed("no data member")
	case a.bodyBytes+b.bytesRead > a.limits.MaxBodiesBytes:
		return nil, newError(Incomplete, fmt.Sprintf("incomplete listing: its pages take more than %d MiB", a.limits.MaxBodiesBytes>>20))
	}
	return &d.page, nil
}

// readObject reads the JSON object of the page and checks that nothing follows the object.
func (d *pageDecoder[T]) readObject() error {
	start, err := d.json.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return malformed("the body is empty")
	case err != nil:
		return err
	case start.Kind() != '{':
		return malformed("the body is not a JSON object")
	}
	if err := d.eachMember(d.readMember); err != nil {
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

// eachMember reads the rest of an object after its opening brace. It calls visitMember with the
// name of each member, and visitMember must read the member's value. A name that comes twice is an
// error.
func (d *pageDecoder[T]) eachMember(visitMember func(name string) error) error {
	// seenNames has hashes of the names, because a name may be very long.
	seenNames := make(map[mark]struct{}, 8)
	for d.json.PeekKind() == '"' {
		token, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		m := markOfText(name)
		if _, twice := seenNames[m]; twice {
			return malformed("the envelope has a member twice")
		}
		if len(seenNames) == maxMembers {
			return malformed("the envelope has an object of more than %d members", maxMembers)
		}
		seenNames[m] = struct{}{}
		if err := visitMember(name); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// readMember reads the value of one member of the page object.
func (d *pageDecoder[T]) readMember(name string) error {
	switch name {
	case "kind":
		return d.readString("kind", &d.kind)
	case "metadata":
		return d.readMetadata()
	case "data":
		return d.readData()
	}
	return d.json.SkipValue()
}

// readMetadata reads the member "metadata" of a page. null counts as an empty object.
func (d *pageDecoder[T]) readMetadata() error {
	if there, err := d.openValue('{', "metadata is not an object"); !there {
		return err
	}
	return d.eachMember(func(name string) error {
		switch name {
		case "next":
			var next string
			if err := d.readString("metadata.next", &next); err != nil {
				return err
			}
			token, err := pageToken(next)
			d.page.nextToken = token
			return err
		case "total_size":
			raw, err := d.json.ReadValue()
			d.page.totalSize = totalSize(raw)
			return err
		}
		return d.json.SkipValue()
	})
}

// totalSize reads the total number of items from a JSON number or string. An invalid number counts
// as 0, because the number is optional.
func totalSize(raw jsontext.Value) int64 {
	n, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > math.MaxInt32 {
		return 0
	}
	return int64(n)
}

// openValue reads the start of a JSON value. wantKind says whether the value must be an object or
// an array. If the value is null, openValue returns false. If the value has a different kind,
// openValue returns an error with the given message.
func (d *pageDecoder[T]) openValue(wantKind jsontext.Kind, message string) (bool, error) {
	start, err := d.json.ReadToken()
	switch {
	case err != nil || start.Kind() == 'n':
		return false, err
	case start.Kind() != wantKind:
		return false, malformed("%s", message)
	}
	return true, nil
}

// readString reads a string and stores it in *target. If the value is null, *target stays
// unchanged.
func (d *pageDecoder[T]) readString(name string, target *string) error {
	token, err := d.json.ReadToken()
	switch {
	case err != nil || token.Kind() == 'n':
		return err
	case token.Kind() != '"':
		return malformed("%s: %s, want string", name, kindName(token.Kind()))
	}
	*target = token.String()
	return nil
}

// readData reads the member "data", which has the items of the page. null counts as an empty list.
func (d *pageDecoder[T]) readData() error {
	d.hasData = true
	if there, err := d.openValue('[', "data is not an array"); !there {
		return err
	}
	most := min(maxItemsFactor*d.pageSize, d.limits.MaxItems)
	if d.entryBuffer == nil {
		d.entryBuffer = make([]entry[T], 0, min(d.pageSize, most))
	}
	d.page.entries = d.entryBuffer[:0]
	for d.json.PeekKind() != ']' {
		e, err := d.readElement()
		switch {
		case err != nil:
			return err
		case len(d.page.entries) == most:
			return newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items on a page, %d were asked for", most, d.pageSize))
		}
		d.page.entries = append(d.page.entries, e)
	}
	d.entryBuffer = d.page.entries
	_, err := d.json.ReadToken()
	return err
}

// readElement reads one item of the page. If this item cannot be read, readElement returns an entry
// with the reason. If the rest of the page cannot be read either, readElement returns an error.
func (d *pageDecoder[T]) readElement() (entry[T], error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		if reason := d.reasonToSkip(err); reason != "" {
			return entry[T]{whyUnreadable: reason}, errors.Join(d.holdMemory(skippedCost), d.skipElement())
		}
		return entry[T]{}, err
	}
	m := markOf(raw)
	if id, leftOut := d.index.findID(m); id != "" {
		return entry[T]{id: id, mark: m, isKnown: true, isLeftOut: leftOut}, nil
	}
	if err := d.holdMemory(itemCost + int64(len(raw)) + valueCost*min(countValues(raw), maxValues)); err != nil {
		return entry[T]{}, err
	}
	e := d.decodeItem(raw)
	e.mark = m
	return e, nil
}

// reasonToSkip returns why one item of a page cannot be read. It returns "" if the rest of the page
// cannot be read either.
func (d *pageDecoder[T]) reasonToSkip(err error) string {
	element := bytes.TrimLeft(d.json.UnreadBuffer(), " \t\r\n,")
	if d.json.StackDepth() != len("{[") || len(element) == 0 || !strings.ContainsRune(`{["`, rune(element[0])) {
		return ""
	}
	if errors.Is(err, errTooLong) {
		return tooLong
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok && strings.Contains(e.Err.Error(), "max depth") {
		return tooDeep
	}
	return ""
}

// skipElement skips an item that the decoder cannot read, and restarts the decoder after this item.
// The decoder can only start at the beginning of a page. So skipElement puts the beginning of a
// page with one item, `{"data":[0`, in front of the bytes that are left.
func (d *pageDecoder[T]) skipElement() error {
	var s skipper
	rest := bytes.Clone(d.json.UnreadBuffer())
	for {
		if rest = rest[s.skipBytes(rest):]; s.atEnd {
			break
		}
		rest = make([]byte, maxRead)
		n, err := d.body.Read(rest)
		if n == 0 && errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if n == 0 && err != nil {
			return err
		}
		rest = rest[:n]
	}
	const start = `{"data":[0`
	d.body.pushBack(slices.Concat([]byte(start), rest))
	d.bytesFed = 0
	d.json.Reset(d, lenientOptions...)
	for range 4 { // the tokens of start
		if _, err := d.json.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

// skipper finds the end of a JSON array, object or string by its brackets and quotes.
type skipper struct {
	depth           int
	quoted, escaped bool
	atEnd           bool
}

// skipBytes returns how many bytes at the start of a chunk belong to the skipped value. If the
// value ends in this chunk, skipBytes sets atEnd.
func (s *skipper) skipBytes(chunk []byte) int {
	for i := 0; i < len(chunk); i++ {
		switch c := chunk[i]; {
		case s.escaped:
			s.escaped = false
		case s.quoted && c == '\\':
			s.escaped = true
		case c == '"':
			s.quoted = !s.quoted
			s.atEnd = !s.quoted && s.depth == 0
		case s.quoted:
		case c == '[' || c == '{':
			s.depth++
		case c == ']' || c == '}':
			s.depth--
			s.atEnd = s.depth == 0
		}
		if s.atEnd {
			return i + 1
		}
	}
	return len(chunk)
}

// kindName returns the name of a kind of JSON value for a message, such as "object".
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
