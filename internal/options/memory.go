// SPDX-License-Identifier: Apache-2.0

package options

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is by how many percent the heap may grow before garbage is collected. It is half of
// Go's default, so there is half as much garbage in memory. Garbage is collected twice as often,
// but this costs little processor time, compared to reading the listings.
const gcPercent = 50

// SpareMemory applies gcPercent, unless the environment variable GOGC is set.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// LimitMemory sets Go's memory limit to nine tenths of the container's memory limit. Close to this
// limit the garbage collector works harder, so that the kernel does not end the process.
// LimitMemory returns the limit in bytes, or a text that says why there is none. Both are for the
// log. If the environment variable GOMEMLIMIT is set, LimitMemory changes nothing and returns that
// limit.
func LimitMemory() any {
	limit, err := memlimit.Set()
	if err != nil {
		return err.Error()
	}
	if limit == math.MaxInt64 {
		return "none"
	}
	return limit
}
