// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/lean"
)

// quickBytes is the largest body that is read whole before it is decoded: several
// times what a full page is.
const quickBytes = 4 << 20

// reading is what decoding a page quickly takes, kept for the next page.
type reading struct {
	buffer  bytes.Buffer
	decoder lean.Decoder
}

var readings = sync.Pool{New: func() any { return new(reading) }}

// read reads and decodes the one page that b holds: quickly if it looks as pages
// do, else as decodePage does. Errors are those of readPage.
func read[T any](b *body, op *operation[T], maxItems int) (*page[T], error) {
	if op.shape == nil {
		return decodePage(b, op, maxItems)
	}
	r := readings.Get().(*reading)
	defer readings.Put(r)
	r.buffer.Reset()
	if raw, whole := b.readAhead(&r.buffer, quickBytes); whole {
		if p := decodeQuickly(&r.decoder, raw, op, maxItems); p != nil {
			return p, nil
		}
	}
	return decodePage(b, op, maxItems)
}

// decodeQuickly decodes a page in which nothing is unusual, and returns what
// decodePage would; of any other it returns nil.
func decodeQuickly[T any](d *lean.Decoder, raw []byte, op *operation[T], maxItems int) *page[T] {
	var p page[T]
	var kind, next string
	var hasData bool
	d.Reset(raw)
	ok := d.Members(once(func(key []byte) bool {
		switch string(key) {
		case "kind":
			return d.Text(&kind)
		case "metadata":
			return d.Null() || d.Members(once(func(key []byte) bool {
				switch string(key) {
				case "next":
					return d.Text(&next)
				case "total_size":
					return d.Int(&p.totalSize)
				}
				return d.Skip()
			}))
		case "data":
			hasData = true
			p.entries = make([]entry[T], 0, min(op.pageSize, maxItems))
			return d.Elements(func() bool { return len(p.entries) < maxItems && quickItem(d, &p, op) })
		}
		return d.Skip()
	}))
	if !ok || !d.End() || !hasData || kind != op.listKind {
		return nil
	}
	token, err := pageToken(next)
	if err != nil {
		return nil
	}
	p.next = token
	return &p
}

// once refuses a key that comes twice, as decodePage does in the envelope.
func once(member func(key []byte) bool) func(key []byte) bool {
	seen := make(map[string]struct{}, 8)
	return func(key []byte) bool {
		if _, twice := seen[string(key)]; twice {
			return false
		}
		seen[string(key)] = struct{}{}
		return member(key)
	}
}

// quickItem takes in one item that is readable.
func quickItem[T any](d *lean.Decoder, p *page[T], op *operation[T]) bool {
	p.entries = append(p.entries, entry[T]{})
	e := &p.entries[len(p.entries)-1]
	if !op.shape.Decode(d, &e.item) {
		return false
	}
	e.id = op.id(&e.item)
	if e.id == "" || utf8.RuneCountInString(e.id) > maxIDLength {
		return false
	}
	op.compact(&e.item)
	return true
}
