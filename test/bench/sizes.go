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
	// clusters and peerings are what one large source mirrors.
	clusters, peerings int
	// runs is how often cold and its floor are measured each.
	runs int
	// writers is how many writes are under way at once, the manager's and the
	// floor's.
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

// sizeFlags are the sizes as given, before the defaults are known.
type sizeFlags struct{ sizes }

var (
	fullSizes = sizes{clusters: 10_000, peerings: 10_000, runs: 2, writers: 32, syncs: 10,
		memory: numbers{1000, 10_000, 20_000, 100_000}, sources: 500, rate: 5, samples: 100}
	quickSizes = sizes{clusters: 1000, peerings: 1000, runs: 1, writers: 32, syncs: 5,
		memory: numbers{1000, 2000}, sources: 30, rate: 5, samples: 10}
)

// bindSizes declares a flag for each size.
func bindSizes(flags *flag.FlagSet) *sizeFlags {
	s := &sizeFlags{fullSizes}
	flags.IntVar(&s.clusters, "clusters", s.clusters, "Clusters of the large source.")
	flags.IntVar(&s.peerings, "peerings", s.peerings, "Peerings of the large source.")
	flags.IntVar(&s.runs, "runs", s.runs, "How often cold and its floor are measured each.")
	flags.IntVar(&s.writers, "writers", s.writers, "Writes under way at once.")
	flags.IntVar(&s.syncs, "syncs", s.syncs, "Syncs that a steady source is measured over.")
	flags.Var(&s.memory, "memory", "Numbers of observations whose memory is measured, ascending, separated by commas.")
	flags.IntVar(&s.sources, "sources", s.sources, "Sources that share a credential.")
	flags.Float64Var(&s.rate, "requests-per-second", s.rate, "The manager's flag, where sources share a credential.")
	flags.IntVar(&s.samples, "samples", s.samples, "How often each latency is measured.")
	return s
}

// of returns the sizes: those given on the command line, and for the others the
// defaults, which are small in a quick run.
func (s *sizeFlags) of(flags *flag.FlagSet, quick bool) sizes {
	if !quick {
		return s.sizes
	}
	given := map[string]string{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	s.sizes = quickSizes
	for name, value := range given {
		// It was parsed once, so that it can be again.
		_ = flags.Set(name, value)
	}
	return s.sizes
}

// numbers is a flag.
type numbers []int

// String implements flag.Value.
func (n *numbers) String() string {
	words := make([]string, len(*n))
	for i, one := range *n {
		words[i] = strconv.Itoa(one)
	}
	return strings.Join(words, ",")
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
