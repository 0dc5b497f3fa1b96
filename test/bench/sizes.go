// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
)

// sizes say how much each scenario does. Each is a flag.
type sizes struct {
	// objects is what the large source mirrors, half of them clusters, half peerings.
	objects int
	// cold are the numbers of objects that are mirrored into an empty namespace, runs
	// is how often each of them and its floor is measured.
	cold numbers
	runs int
	// writers is how many writes are under way at once, the manager's and the floor's.
	writers int
	// syncs is how many syncs a steady source is measured over.
	syncs int
	// memory are the numbers of observations whose memory is measured.
	memory numbers
	// sources is how many share a credential.
	sources int
	// rate is the manager's --requests-per-second where it is not lifted.
	rate float64
	// samples is how often each latency is measured.
	samples int
}

// bindSizes declares a flag for each size.
func bindSizes(flags *flag.FlagSet) *sizes {
	s := &sizes{cold: numbers{2000, 20_000}, memory: numbers{1000, 10_000, 20_000, 100_000}}
	flags.IntVar(&s.objects, "objects", 20_000, "Objects of the large source.")
	flags.Var(&s.cold, "cold", "Numbers of objects mirrored into an empty namespace, ascending, separated by commas.")
	flags.IntVar(&s.runs, "runs", 2, "How often cold and its floor are measured each.")
	flags.IntVar(&s.writers, "writers", 32, "Writes under way at once.")
	flags.IntVar(&s.syncs, "syncs", 10, "Syncs that a steady source is measured over.")
	flags.Var(&s.memory, "memory", "Numbers of observations whose memory is measured, ascending, separated by commas.")
	flags.IntVar(&s.sources, "sources", 500, "Sources that share a credential.")
	flags.Float64Var(&s.rate, "requests-per-second", 5, "The manager's flag, where sources share a credential.")
	flags.IntVar(&s.samples, "samples", 100, "How often each latency is measured.")
	return s
}

// numbers is a flag.
type numbers []int

// String implements flag.Value.
func (n *numbers) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint([]int(*n)), "[]"), " ", ",")
}

// Set implements flag.Value.
func (n *numbers) Set(text string) error {
	var parsed numbers
	for word := range strings.SplitSeq(text, ",") {
		one, err := strconv.Atoi(word)
		if err != nil || one <= 0 || len(parsed) > 0 && one <= parsed[len(parsed)-1] {
			return fmt.Errorf("%q: write ascending numbers, as 1000,10000", text)
		}
		parsed = append(parsed, one)
	}
	*n = parsed
	return nil
}
