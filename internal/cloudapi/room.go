// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room bounds the memory of all listings that the process makes at the same time. Limits bounds
// only a single listing.
type room struct {
	most int64
	held atomic.Int64
}

// take reserves n bytes. If fewer bytes are free, it reserves nothing and returns false.
func (r *room) take(n int64) bool {
	if r.held.Add(n) <= r.most {
		return true
	}
	r.held.Add(-n)
	return false
}

// give gives n bytes back.
func (r *room) give(n int64) { r.held.Add(-n) }

// All listings of a process together may use three eighths of its memory limit, but at least
// leastRoom and at most mostRoom bytes. The rest is for everything else in memory.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the memory bound that all Clients of the process share.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // -1 only reads the limit
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is the estimated memory of an item without its content, in bytes.
	itemCost = 3 << 9
	// valueCost is the estimated memory that each JSON value needs besides its text, in bytes.
	valueCost = 32
	// oddCost is the estimated memory of an item that is skipped, in bytes.
	oddCost = 256
)

// values estimates how many members and elements an item has. The estimate is never too low.
func values(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
