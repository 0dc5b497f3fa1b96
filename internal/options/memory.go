// SPDX-License-Identifier: Apache-2.0

package options

import (
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is how far the heap may grow before the next garbage collection, in percent of the
// heap's size after the last collection. The value is half of Go's default. So the manager needs
// less memory, and a little more CPU time.
const gcPercent = 50

// SpareMemory sets Go's garbage collection percentage to gcPercent. If the environment variable
// GOGC is set, SpareMemory does nothing.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// LimitMemory sets Go's memory limit to nine tenths of the container's limit. If the environment
// variable GOMEMLIMIT is set, LimitMemory changes nothing. LimitMemory returns Go's memory limit
// in bytes. If there is no limit, LimitMemory returns "none". If LimitMemory fails, it returns the
// error text.
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
