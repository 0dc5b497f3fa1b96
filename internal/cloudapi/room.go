// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room bounds the memory that all listings under way take together. Each listing also has a bound
// of its own, see Limits. But many listings run at once: for several sources, and for several kinds
// of each.
type room struct {
	most int64
	held atomic.Int64
}

// take takes n bytes, and reports whether they were free.
func (r *room) take(n int64) bool {
	if r.held.Add(n) <= r.most {
		return true
	}
	r.held.Add(-n)
	return false
}

// give gives n bytes back.
func (r *room) give(n int64) { r.held.Add(-n) }

// The room of a process is three eighths of its memory limit, at least leastRoom and at most
// mostRoom. A manager with 20,000 observations uses less than half of the 512Mi that it ships with,
// and garbage needs some memory too.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the room that all Clients of the process share.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // a negative limit is not set: the call only reads
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is what an item of any size takes, in bytes: its struct, its labels, its place in
	// the index and in the listing.
	itemCost = 3 << 9
	// valueCost is what a member or element takes besides its text, in bytes. An empty one takes 3
	// bytes of JSON; decoded, it takes a string header and more.
	valueCost = 32
	// oddCost is what an item takes that is not decoded, in bytes.
	oddCost = 256
)

// values returns an upper bound for the number of members and elements of an item.
func values(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
