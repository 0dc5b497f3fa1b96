// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// room limits the memory of all listings that run in this process at the same time.
// Limits.MaxHeldBytes limits the memory of a single listing.
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

// give frees n reserved bytes.
func (r *room) give(n int64) { r.held.Add(-n) }

// leastRoom and mostRoom limit the size of processRoom, in bytes.
const leastRoom, mostRoom = 64 << 20, 1 << 30

// processRoom returns the room that all Clients of the process share. Its size is three eighths of
// Go's memory limit, but at least leastRoom and at most mostRoom.
var processRoom = sync.OnceValue(func() *room {
	limit := debug.SetMemoryLimit(-1) // -1 returns the limit unchanged
	return &room{most: min(max(limit/8*3, leastRoom), mostRoom)}
})

const (
	// itemCost is the estimated memory of an item without its content, in bytes.
	itemCost = 3 << 9
	// valueCost is the estimated memory of a JSON value without its text, in bytes.
	valueCost = 32
	// oddCost is the estimated memory of an item that is skipped because it cannot be read, in
	// bytes.
	oddCost = 256
)

// countValues estimates how many members and elements an item has. The estimate is never too low.
func countValues(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
