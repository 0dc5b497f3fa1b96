// SPDX-License-Identifier: Apache-2.0

package options

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is how far the heap may grow over what lives before garbage is collected,
// where GOGC does not say. Half of Go's own: what lives are the observations, syncs
// leave short-lived garbage, and collecting it twice as often costs little processor
// time beside what reading the listings takes.
const gcPercent = 50

// SpareMemory sets how far the heap may grow, unless the environment variable GOGC does.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// LimitMemory has the garbage collector work harder before the kernel kills: from
// nine tenths of the container's limit on. It returns that in bytes, for the log, or
// why there is none. Where GOMEMLIMIT is set, that counts.
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
