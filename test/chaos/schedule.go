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

// extraTime is how much longer than two intervals a round may take to settle. It depends on what
// happened to the processes: a manager starts again, a manager finds the API server again, or the
// lease of a killed leader (15 s) expires.
var extraTime = map[event]time.Duration{
	noEvent:       0,
	managerKilled: 10 * time.Second,
	apiRestart:    40 * time.Second,
	leaderStops:   10 * time.Second,
	leaderKilled:  30 * time.Second,
}

// plannedRound is the part of a round that the schedule decides. The round itself draws the rest.
type plannedRound struct {
	// pair reports whether two managers elect a leader. If not, one manager works alone.
	pair  bool
	event event
	mode  cloudsim.Mode
	// disturbance is done after the random faults have ended.
	disturbance disturbance
}

// blockLength is the number of rounds in a row with the same number of managers.
const blockLength = 10

// schedule draws the rounds of a run. Every block has its share of the events. The seed decides
// their order. A run of forty rounds has all events.
func schedule(seed uint64, rounds int) []plannedRound {
	r := random(seed, "schedule")
	var planned []plannedRound
	for k := 0; len(planned) < rounds; k++ {
		pair := k%4 == 1
		block := make([]plannedRound, blockLength)
		// Each mode comes with one manager and with two managers.
		mode := cloudsim.Modes()[(k+k/4)%2]
		for i := range block {
			block[i] = plannedRound{pair, noEvent, mode, noDisturbance}
		}
		for i, e := range events(k, pair) {
			block[i].event = e
		}
		// Use three rounds of a block that have no event. Then twenty rounds have every
		// disturbance.
		for i := range 3 {
			block[blockLength-1-i].disturbance = disturbances[(3*k+i)%len(disturbances)]
		}
		r.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
		planned = append(planned, block...)
	}
	return planned[:rounds]
}

// events returns the events of the k-th block. Slow events are rare.
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

// random returns a source of random numbers for one purpose. For the same seed and names the
// numbers are the same, whatever else is drawn in between.
func random(seed uint64, names ...string) *rand.Rand {
	h := fnv.New64a()
	for _, name := range names {
		_, _ = h.Write([]byte(name + "\x00")) // never fails, by its documentation
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// pick returns one of choices, drawn at random.
func pick[T any](r *rand.Rand, choices []T) T { return choices[r.IntN(len(choices))] }

// chance returns true in the given percentage of calls.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }
