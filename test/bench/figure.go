// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// figure is one measured number.
type figure struct {
	name  string
	value float64
	unit  string // "" for a count or a ratio
	goal  *goal  // nil for a figure that only informs
}

// goal is what a figure should be.
type goal struct {
	relation string // "<=", ">=" or "="
	value    float64
	met      bool
}

// words writes a goal for people.
func (g *goal) words(unit string) string {
	return map[string]string{"<=": "at most ", ">=": "at least ", "=": "exactly "}[g.relation] + number(g.value, unit)
}

// figures are those of one scenario, in the order of the table.
type figures []figure

// add adds a figure without goal. Zero is an error, see check.
func (f *figures) add(name string, value float64, unit string) {
	*f = append(*f, figure{name: name, value: value, unit: unit})
}

// goal adds a figure that should be in a relation ("<=", ">=", "=") to a value. It
// may be zero where the goal is zero.
func (f *figures) goal(name string, value float64, unit, relation string, want float64) {
	met := map[string]bool{"<=": value <= want, ">=": value >= want, "=": value == want}[relation]
	*f = append(*f, figure{name, value, unit, &goal{relation, want, met}})
}

// check returns an error that names the first figure that cannot be true: zero
// where something must have been measured, or no number at all.
func (f *figures) check() error {
	if len(*f) == 0 {
		return errors.New("nothing was measured")
	}
	for _, one := range *f {
		if math.IsNaN(one.value) || math.IsInf(one.value, 0) || one.value < 0 {
			return fmt.Errorf("%s: %v was measured, which cannot be", one.name, one.value)
		}
		if mayBeZero := one.goal != nil && one.goal.relation != ">=" && one.goal.value == 0; one.value == 0 && !mayBeZero {
			return fmt.Errorf("%s: 0 was measured, so nothing was", one.name)
		}
	}
	return nil
}

// number writes a value with three digits that count, and its unit.
func number(value float64, unit string) string {
	decimals := 3
	switch size := math.Abs(value); {
	case size >= 100 || value == math.Trunc(value):
		decimals = 0
	case size >= 10:
		decimals = 1
	case size >= 1:
		decimals = 2
	}
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	if unit == "" {
		return text
	}
	return text + " " + unit
}

// median returns the middle value, or the mean of the middle two, so that ways which were
// measured an odd and an even number of times compare; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

const mebibyte = 1 << 20
