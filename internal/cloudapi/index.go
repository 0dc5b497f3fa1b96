// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"hash/maphash"
	"maps"
	"slices"
)

// Index remembers the items of one listing by their bytes, so that the next listing with the same
// filter decodes only new and changed items. An Index never changes, so it is safe for concurrent
// use. The nil Index is empty.
type Index struct {
	// ids maps the mark of an item's bytes to the item's ID.
	ids map[mark]string
	// leftOut does the same for the items that the local filter left out.
	leftOut map[mark]string
}

// mark identifies a text by its length and its hash. The seed of the hash differs in each process.
type mark struct {
	hash uint64
	size uint32
}

var seed = maphash.MakeSeed()

func markOf(raw []byte) mark { return mark{maphash.Bytes(seed, raw), uint32(len(raw))} }

func markOfText(text string) mark { return mark{maphash.String(seed, text), uint32(len(text))} }

// find returns the ID of the item with these bytes, and whether the local filter left it out. The
// ID is "" if the index does not have the item.
func (x *Index) find(m mark) (id string, leftOut bool) {
	if x == nil {
		return "", false
	}
	if id = x.ids[m]; id == "" && x.leftOut != nil {
		id = x.leftOut[m]
		leftOut = id != ""
	}
	return id, leftOut
}

// IDs returns the items' IDs, in any order. x must not be nil.
func (x *Index) IDs() []string { return slices.Collect(maps.Values(x.ids)) }

// size returns the number of items. It does not count items that the local filter left out.
func (x *Index) size() int {
	if x == nil {
		return 0
	}
	return len(x.ids)
}
