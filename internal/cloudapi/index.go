// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"hash/maphash"
	"maps"
	"slices"
)

// Index remembers the items of one listing by their bytes. So the next listing with the same filter
// decodes only new and changed items. It is never changed, and is safe for concurrent use. The nil
// Index is empty.
type Index struct {
	// ids are the items' IDs. The key is the mark of the item's bytes.
	ids map[mark]string
	// leftOut are the IDs of items that the local filter left out. The key is the mark of the
	// item's bytes.
	leftOut map[mark]string
}

// mark identifies a text by its length and by a hash whose seed is this process's own.
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

// IDs returns the items' IDs, in any order.
func (x *Index) IDs() []string { return slices.Collect(maps.Values(x.ids)) }

// size returns the number of items, without those that were left out.
func (x *Index) size() int {
	if x == nil {
		return 0
	}
	return len(x.ids)
}
