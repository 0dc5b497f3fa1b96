// SPDX-License-Identifier: Apache-2.0

package options

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is by how much the heap may grow beyond its live objects before garbage is collected,
// in percent. It is half of Go's default. The live objects are the observations, and syncs leave
// short-lived garbage. Collecting it twice as often costs little processor time, compared to
// reading the listings.
const gcPercent = 50

// SpareMemory applies gcPercent, unless the environment variable GOGC is set.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// LimitMemory makes the garbage collector work harder when the process uses nine tenths of the
// container's memory limit, so that the kernel does not end the process. It returns that number of
// bytes, for the log, or the reason why there is none. If the environment variable GOMEMLIMIT is
// set, that counts instead.
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
