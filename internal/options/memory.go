// SPDX-License-Identifier: Apache-2.0

package options

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is how far the heap may grow before a garbage collection, in percent. It is half of
// Go's default, so the manager needs less memory, but little more processor time.
const gcPercent = 50

// SpareMemory applies gcPercent, unless the environment variable GOGC is set.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// LimitMemory sets Go's memory limit to nine tenths of the container's limit, unless the
// environment variable GOMEMLIMIT is set. So Go collects more garbage before the kernel ends the
// process. LimitMemory returns the limit in bytes, or a text that says why there is no limit.
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
