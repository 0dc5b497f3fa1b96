// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// figure is one measured number.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Unit is "" for a count or a ratio.
	Unit string `json:"unit,omitempty"`
	// Goal is nil for a figure that only informs.
	Goal *goal `json:"goal,omitempty"`
	// MayBeZero is set where zero is an answer and not a sign of nothing measured.
	MayBeZero bool `json:"-"`
}

// goal is what a figure should be.
type goal struct {
	// Relation is "<=", ">=" or "=".
	Relation string  `json:"relation"`
	Value    float64 `json:"value"`
	Met      bool    `json:"met"`
}

// figures are those of one scenario, in the order of the table.
type figures []figure

// add adds a figure without goal. Zero is an error, see check.
func (f *figures) add(name string, value float64, unit string) {
	*f = append(*f, figure{Name: name, Value: value, Unit: unit})
}

// goal adds a figure that should be in a relation ("<=", ">=", "=") to a value. It
// may be zero where zero meets the goal.
func (f *figures) goal(name string, value float64, unit, relation string, want float64) {
	g := &goal{Relation: relation, Value: want}
	switch relation {
	case "<=":
		g.Met = value <= want
	case ">=":
		g.Met = value >= want
	case "=":
		g.Met = value == want
	}
	*f = append(*f, figure{Name: name, Value: value, Unit: unit, Goal: g, MayBeZero: relation != ">=" && want == 0})
}

// check returns an error that names the first figure that cannot be true: zero
// where something must have been measured, or no number at all.
func (f *figures) check() error {
	if len(*f) == 0 {
		return fmt.Errorf("nothing was measured")
	}
	for _, one := range *f {
		if math.IsNaN(one.Value) || math.IsInf(one.Value, 0) || one.Value < 0 {
			return fmt.Errorf("%s: %v was measured, which cannot be", one.Name, one.Value)
		}
		if one.Value == 0 && !one.MayBeZero {
			return fmt.Errorf("%s: 0 was measured, so nothing was", one.Name)
		}
	}
	return nil
}

// String writes the value and its unit for people.
func (f *figure) String() string { return number(f.Value, f.Unit) }

// number writes a value with three digits that count, and its unit.
func number(value float64, unit string) string {
	text := strconv.FormatFloat(value, 'f', decimals(value), 64)
	if unit == "" {
		return text
	}
	return text + " " + unit
}

// decimals returns how many digits to show behind the point.
func decimals(value float64) int {
	switch size := math.Abs(value); {
	case size >= 100 || value == math.Trunc(value):
		return 0
	case size >= 10:
		return 1
	case size >= 1:
		return 2
	}
	return 3
}

// quantile returns the smallest value that at least a share of the values do not
// exceed, and 0 of none.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(int(math.Ceil(share*float64(len(sorted))))-1, 0)]
}

// median returns the middle value, or the mean of the middle two.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

const mebibyte = 1 << 20
