// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// memoryLimit limits the memory of all listings that run in this process at the same time.
// Limits.MaxHeldBytes limits the memory of a single listing.
type memoryLimit struct {
	maxBytes      int64
	reservedBytes atomic.Int64
}

// reserveBytes reserves n bytes. If fewer bytes are free, it reserves nothing and returns false.
func (r *memoryLimit) reserveBytes(n int64) bool {
	if r.reservedBytes.Add(n) <= r.maxBytes {
		return true
	}
	r.reservedBytes.Add(-n)
	return false
}

// releaseBytes frees n reserved bytes.
func (r *memoryLimit) releaseBytes(n int64) { r.reservedBytes.Add(-n) }

// minProcessMemory and maxProcessMemory are the smallest and the largest possible memory limit for
// all listings of the process, in bytes.
const minProcessMemory, maxProcessMemory = 64 << 20, 1 << 30

// processMemory returns the memoryLimit that all Clients of the process share. It allows three
// eighths of Go's memory limit, but at least minProcessMemory and at most maxProcessMemory.
var processMemory = sync.OnceValue(func() *memoryLimit {
	limit := debug.SetMemoryLimit(-1) // -1 changes nothing and returns the limit
	return &memoryLimit{maxBytes: min(max(limit/8*3, minProcessMemory), maxProcessMemory)}
})

const (
	// itemCost is the estimated memory that each item needs in addition to its JSON text and its
	// JSON values, in bytes.
	itemCost = 3 << 9
	// valueCost is the estimated memory of a JSON value in addition to its text, in bytes.
	valueCost = 32
	// skippedCost is the estimated memory of an unreadable item that the decoder skips, in bytes.
	skippedCost = 256
)

// countValues estimates how many JSON members and array elements an item has. The estimate is never
// too low.
func countValues(raw []byte) int64 {
	return int64(bytes.Count(raw, []byte{','}) + bytes.Count(raw, []byte{'{'}) + bytes.Count(raw, []byte{'['}))
}
