// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room bounds the memory that all listings under way hold together. One listing has a bound of its
// own, see Limits, but many listings run at once: of several sources, with several kinds each.
type room struct {
	most int64
	held atomic.Int64
}

// take takes so many bytes, and reports whether they were free.
func (r *room) take(n int64) bool {
	if r.held.Add(n) <= r.most {
		return true
	}
	r.held.Add(-n)
	return false
}

// give gives bytes back.
func (r *room) give(n int64) { r.held.Add(-n) }

// The room of a process is three eighths of its memory limit. A manager with 20,000 observations
// uses less than half of the 512Mi that it ships with, and garbage needs some memory too. Without a
// limit the room is mostRoom.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the room that all Clients of the process share.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // a negative limit is not set: the call only reads
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is what an item of any size holds, in bytes: its struct, its labels, its place in
	// the index and in the listing.
	itemCost = 3 << 9
	// valueCost is what a member or element holds in addition to its text. An empty one takes 3
	// bytes of JSON; decoded, it takes a string header and more.
	valueCost = 32
	// oddCost is what an item holds that is not decoded.
	oddCost = 256
)

// values returns an upper bound of the members and elements of an item.
func values(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
