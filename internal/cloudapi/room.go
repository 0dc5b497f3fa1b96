// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room bounds the memory that all listings under way hold together. One listing has a
// bound of its own, see Limits, but many run at once: several sources, several kinds of
// each.
type room struct {
	most int64
	held atomic.Int64
}

// take takes so many bytes, and reports whether there were so many.
func (r *room) take(n int64) bool {
	if r.held.Add(n) <= r.most {
		return true
	}
	r.held.Add(-n)
	return false
}

// give gives back what was taken.
func (r *room) give(n int64) { r.held.Add(-n) }

// The room of a process is three eighths of its memory limit: a manager with 20,000
// observations uses less than half of the 512Mi that it ships with, and garbage needs
// some, too. Without a limit it is the most.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the room that all Clients of the process share.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // a negative limit is not set: the call only reads
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is what an item holds whatever its size, in bytes: its struct, its labels,
	// its place in the index and in the listing.
	itemCost = 3 << 9
	// valueCost is what a member or element holds beside its text. An empty one takes 3
	// bytes of JSON, and a string header and more once it is decoded.
	valueCost = 32
	// oddCost is what an item holds that is not decoded.
	oddCost = 256
)

// values returns how many members and elements an item has at most.
func values(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
