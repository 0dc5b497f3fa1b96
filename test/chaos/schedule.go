// SPDX-License-Identifier: Apache-2.0

package main

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// event is what happens to the processes in a round.
type event string

const (
	noEvent       event = "no process is disturbed"
	managerKilled event = "the manager is killed"
	apiRestart    event = "the API server restarts"
	leaderStops   event = "the leader stops"
	leaderKilled  event = "the leader is killed"
)

// extraTime is how long a round may take to settle beyond two intervals, by what happened
// to the processes: a manager starts again, it finds the API server again, or the lease of
// a killed leader (15 s) runs out.
var extraTime = map[event]time.Duration{
	noEvent:       0,
	managerKilled: 10 * time.Second,
	apiRestart:    40 * time.Second,
	leaderStops:   10 * time.Second,
	leaderKilled:  30 * time.Second,
}

// plannedRound is what the schedule decides for a round. The round draws the rest.
type plannedRound struct {
	// pair reports whether two managers elect a leader; else one works alone.
	pair  bool
	event event
	mode  cloudsim.Mode
	// disturbance is done once the random faults have ended.
	disturbance disturbance
}

// blockLength is how many rounds in a row have the same managers.
const blockLength = 10

// schedule draws the rounds of a run. Every block has its share of events, in an order that
// the seed decides: a run of forty rounds has all of them.
func schedule(seed uint64, rounds int) []plannedRound {
	r := random(seed, "schedule")
	var planned []plannedRound
	for k := 0; len(planned) < rounds; k++ {
		pair := k%4 == 1
		block := make([]plannedRound, blockLength)
		// Both modes come with one manager and with two.
		mode := cloudsim.Modes()[(k+k/4)%2]
		for i := range block {
			block[i] = plannedRound{pair, noEvent, mode, noDisturbance}
		}
		for i, e := range events(k, pair) {
			block[i].event = e
		}
		// Three rounds of a block without an event: twenty rounds have every disturbance.
		for i := range 3 {
			block[blockLength-1-i].disturbance = disturbances[(3*k+i)%len(disturbances)]
		}
		r.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
		planned = append(planned, block...)
	}
	return planned[:rounds]
}

// events returns those of the k-th block. Slow ones are rare.
func events(k int, pair bool) []event {
	switch {
	case pair && k%8 == 1:
		return []event{leaderStops, leaderStops, leaderKilled}
	case pair:
		return []event{leaderStops, leaderStops, apiRestart}
	case k%8 == 2:
		return []event{managerKilled, managerKilled, apiRestart}
	}
	return []event{managerKilled, managerKilled}
}

// random replanned the source of chance for a purpose: the same for the same seed and
// names, whatever else is drawn meanwhile.
func random(seed uint64, names ...string) *rand.Rand {
	h := fnv.New64a()
	for _, name := range names {
		_, _ = h.Write([]byte(name + "\x00")) // never fails, by its documentation
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// pick replanned any one of choices.
func pick[T any](r *rand.Rand, choices []T) T { return choices[r.IntN(len(choices))] }

// chance reports true in that percentage of calls.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }
