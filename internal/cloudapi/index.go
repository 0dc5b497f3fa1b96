// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"hash/maphash"
	"maps"
	"slices"
)

// Index remembers the items of one listing by their bytes, so that the next listing of
// the same question decodes only what changed. It is never changed, and safe for
// concurrent use. The nil Index knows nothing.
type Index struct {
	// ids are the items' IDs, by what their bytes are told by.
	ids map[mark]string
}

// mark tells an item's bytes: their hash, under a seed of this process, and their
// length.
type mark struct {
	hash uint64
	size uint32
}

var seed = maphash.MakeSeed()

func markOf(raw []byte) mark { return mark{maphash.Bytes(seed, raw), uint32(len(raw))} }

// find returns the ID of the item with these bytes, "" if there is none.
func (x *Index) find(m mark) string {
	if x == nil {
		return ""
	}
	return x.ids[m]
}

// IDs returns the items' IDs, in no order.
func (x *Index) IDs() []string { return slices.Collect(maps.Values(x.ids)) }

// size returns the number of items.
func (x *Index) size() int {
	if x == nil {
		return 0
	}
	return len(x.ids)
}
