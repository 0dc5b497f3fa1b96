// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room bounds the memory of all listings under way together. Limits bounds only each single
// listing, but many listings run at once: for several sources, and for several kinds of each
// source.
type room struct {
	most int64
	held atomic.Int64
}

// take takes n bytes of the room. If fewer bytes are free, it takes none and returns false.
func (r *room) take(n int64) bool {
	if r.held.Add(n) <= r.most {
		return true
	}
	r.held.Add(-n)
	return false
}

// give gives n bytes back.
func (r *room) give(n int64) { r.held.Add(-n) }

// The room of a process is three eighths of its memory limit, but at least leastRoom and at most
// mostRoom. The rest is for other needs: a manager with 20,000 observations uses less than half of
// its default limit, 512Mi, and garbage needs some memory too.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the room that all Clients of the process share.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // with a negative value the call only reads
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is the memory of an item besides its content, in bytes: its struct, its labels, its
	// place in the index and its place in the listing.
	itemCost = 3 << 9
	// valueCost is the memory of a member or an element besides its text, in bytes. In JSON an
	// empty string takes 3 bytes, but decoded it takes more: at least a string header.
	valueCost = 32
	// oddCost is the memory of an item that the decoder has to skip, in bytes.
	oddCost = 256
)

// values returns an upper bound for the number of members and elements of an item.
func values(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
