// SPDX-License-Identifier: Apache-2.0

// Package lean decodes JSON into structs of plain members, faster than
// encoding/json does and with a fraction of its allocations.
//
// It knows less, on purpose. Whatever is unusual (a member twice, a value of
// another type, a number with a fraction, text that is no UTF-8, anything that is no
// JSON at all) it refuses, without saying why; the caller then has encoding/json
// decode the same bytes, and that one's word counts. So it needs to be right only
// where it accepts: there its result is that of encoding/json, to which the fuzz
// targets hold it.
package lean

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"unicode/utf8"
)

// maxDepth bounds how deep what is skipped may be nested.
const maxDepth = 64

// Decoder reads one JSON text from its beginning to its end. Each method takes in
// the next value, member or end, and tells whether it could. After one that could
// not the Decoder is of no more use until Reset. A Decoder is used by one goroutine
// at a time.
type Decoder struct {
	data    []byte
	at      int
	words   words
	strings []string // scratch for lists
}

// Reset begins with another text. The strings of the former are not touched.
func (d *Decoder) Reset(data []byte) { d.data, d.at = data, 0 }

// Members takes in an object: member is called with each key, which is valid until
// it returns, and takes in the value. Keys with escapes, or with anything but
// ASCII, are refused. Keys that come twice are the caller's to notice.
func (d *Decoder) Members(member func(key []byte) bool) bool {
	return d.each('{', '}', func() bool {
		key, how := d.quoted()
		return how == ascii && d.take(':') && member(key)
	})
}

// Elements takes in an array: element is called to take in each of its values.
func (d *Decoder) Elements(element func() bool) bool { return d.each('[', ']', element) }

// each takes in what stands between two delimiters, separated by commas.
func (d *Decoder) each(begin, end byte, one func() bool) bool {
	if !d.take(begin) {
		return false
	}
	if d.take(end) {
		return true
	}
	for one() {
		if !d.take(',') {
			return d.take(end)
		}
	}
	return false
}

// Null takes in null, if that is what comes next.
func (d *Decoder) Null() bool { return d.literal("null") }

// End tells whether nothing but blanks is left.
func (d *Decoder) End() bool {
	d.blanks()
	return d.at == len(d.data)
}

// Text takes in a string; null leaves into as it is.
func (d *Decoder) Text(into *string) bool {
	if d.Null() {
		return true
	}
	text, ok := d.text()
	if ok {
		*into = text
	}
	return ok
}

// text takes in a string.
func (d *Decoder) text() (string, bool) {
	d.blanks()
	start := d.at
	raw, how := d.quoted()
	switch how {
	case ascii:
		return d.words.of(raw), true
	case wide:
		// encoding/json would mend what is no UTF-8.
		return d.words.of(raw), utf8.Valid(raw)
	case escaped:
		var text string
		err := json.Unmarshal(d.data[start:d.at], &text)
		return text, err == nil
	}
	return "", false
}

// Int takes in a whole number; null leaves into as it is.
func (d *Decoder) Int(into *int64) bool {
	if d.Null() {
		return true
	}
	n, ok := d.int()
	if ok {
		*into = n
	}
	return ok
}

// maxDigits is how many digits surely fit into an int64.
const maxDigits = 18

func (d *Decoder) int() (int64, bool) {
	d.blanks()
	negative := d.at < len(d.data) && d.data[d.at] == '-'
	if negative {
		d.at++
	}
	start := d.at
	var n int64
	for ; d.at < len(d.data) && isDigit(d.data[d.at]); d.at++ {
		if d.at-start == maxDigits {
			return 0, false
		}
		n = 10*n + int64(d.data[d.at]-'0')
	}
	digits := d.at - start
	if digits == 0 || digits > 1 && d.data[start] == '0' {
		return 0, false
	}
	if negative {
		n = -n
	}
	// What may follow, a fraction say, is no delimiter and refused for that.
	return n, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// bool takes in true or false.
func (d *Decoder) bool() (value, ok bool) {
	if d.literal("true") {
		return true, true
	}
	return false, d.literal("false")
}

// take takes in one delimiter, if that is what comes next.
func (d *Decoder) take(delimiter byte) bool {
	d.blanks()
	if d.at < len(d.data) && d.data[d.at] == delimiter {
		d.at++
		return true
	}
	return false
}

func (d *Decoder) literal(word string) bool {
	d.blanks()
	if len(d.data)-d.at < len(word) || string(d.data[d.at:d.at+len(word)]) != word {
		return false
	}
	d.at += len(word)
	return true
}

func (d *Decoder) blanks() {
	for d.at < len(d.data) {
		switch d.data[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// How a string is written.
type writing int

const (
	refused writing = iota
	ascii           // as it is, in ASCII
	wide            // as it is, with bytes outside of ASCII
	escaped         // with escapes
)

// quoted takes in a string and returns what is between its quotes.
func (d *Decoder) quoted() ([]byte, writing) {
	if !d.take('"') {
		return nil, refused
	}
	start, how := d.at, ascii
	for ; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; {
		case c == '"':
			d.at++
			return d.data[start : d.at-1], how
		case c == '\\':
			how = escaped
			if !d.escape() {
				return nil, refused
			}
		case c < ' ':
			return nil, refused
		case c >= utf8.RuneSelf && how == ascii:
			how = wide
		}
	}
	return nil, refused
}

// escape takes in an escape but for its last byte.
func (d *Decoder) escape() bool {
	d.at++
	if d.at == len(d.data) {
		return false
	}
	if d.data[d.at] != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), d.data[d.at]) >= 0
	}
	for range 4 {
		d.at++
		if d.at == len(d.data) || !isHex(d.data[d.at]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// Skip takes in any value and keeps nothing of it.
func (d *Decoder) Skip() bool { return d.skip(maxDepth) }

func (d *Decoder) skip(depth int) bool {
	d.blanks()
	if d.at == len(d.data) || depth == 0 {
		return false
	}
	switch c := d.data[d.at]; c {
	case '"':
		_, how := d.quoted()
		return how != refused
	case '{':
		return d.each('{', '}', func() bool {
			_, how := d.quoted()
			return how != refused && d.take(':') && d.skip(depth-1)
		})
	case '[':
		return d.each('[', ']', func() bool { return d.skip(depth - 1) })
	case 't', 'f':
		_, ok := d.bool()
		return ok
	case 'n':
		return d.Null()
	}
	return d.skipNumber()
}

// skipNumber takes in a number: a sign, digits without a leading zero, a fraction,
// an exponent.
func (d *Decoder) skipNumber() bool {
	if d.at < len(d.data) && d.data[d.at] == '-' {
		d.at++
	}
	start := d.at
	if !d.digits() || d.at-start > 1 && d.data[start] == '0' {
		return false
	}
	if d.at < len(d.data) && d.data[d.at] == '.' {
		d.at++
		if !d.digits() {
			return false
		}
	}
	if d.at < len(d.data) && (d.data[d.at] == 'e' || d.data[d.at] == 'E') {
		d.at++
		if d.at < len(d.data) && (d.data[d.at] == '+' || d.data[d.at] == '-') {
			d.at++
		}
		return d.digits()
	}
	return true
}

// digits takes in at least one digit.
func (d *Decoder) digits() bool {
	start := d.at
	for d.at < len(d.data) && isDigit(d.data[d.at]) {
		d.at++
	}
	return d.at > start
}

// words gives strings that come again and again the same copy. Which ones it has
// is chance: a string that falls on another's place takes it.
type words struct {
	places [wordPlaces]string
}

const wordPlaces = 1024

var seed = maphash.MakeSeed()

func (w *words) of(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	place := &w.places[maphash.Bytes(seed, raw)%wordPlaces]
	if *place != string(raw) {
		*place = string(raw)
	}
	return *place
}
