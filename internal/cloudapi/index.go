// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"hash/maphash"
	"maps"
	"slices"
)

// Index has the ID and a hash of each item that one call of the function List read from the cloud.
// The next call with the same filter skips the decoding of items whose hash is in the Index. An
// Index never changes. A nil Index is empty.
type Index struct {
	// itemIDs maps the mark (hash and length) of an item's bytes to the item's ID.
	itemIDs map[mark]string
	// leftOutIDs has the items that the filter left out. It maps the mark of such an item to the
	// item's ID. itemIDs does not have these items.
	leftOutIDs map[mark]string
}

// mark identifies a text by its hash and its length. The hash of a text is different in each
// process.
type mark struct {
	hash uint64
	size uint32
}

var seed = maphash.MakeSeed()

func markOf(raw []byte) mark { return mark{maphash.Bytes(seed, raw), uint32(len(raw))} }

func markOfText(text string) mark { return mark{maphash.String(seed, text), uint32(len(text))} }

// findID returns the ID of the item with the given mark (hash and length); "" if the Index does not
// have the item. isLeftOut is true if the filter of the listing left the item out.
func (x *Index) findID(m mark) (id string, isLeftOut bool) {
	if x == nil {
		return "", false
	}
	if id = x.itemIDs[m]; id == "" && x.leftOutIDs != nil {
		id = x.leftOutIDs[m]
		isLeftOut = id != ""
	}
	return id, isLeftOut
}

// IDs returns the IDs of the items, in any order, without the items that the filter left out. The
// Index must not be nil.
func (x *Index) IDs() []string { return slices.Collect(maps.Values(x.itemIDs)) }

// itemCount returns the number of items, without the items that the filter left out.
func (x *Index) itemCount() int {
	if x == nil {
		return 0
	}
	return len(x.itemIDs)
}
