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
	calm        event = "calm"
	crash       event = "the manager is killed"
	restartAPI  event = "the API server restarts"
	handOver    event = "the leader stops"
	crashLeader event = "the leader is killed"
)

// allowance is how long a round may take to settle beyond two intervals, for what
// happened to the processes in it: starting again, finding the API server again, or
// waiting for a dead leader's lease (15 s) to run out.
var allowance = map[event]time.Duration{
	calm:        0,
	crash:       10 * time.Second,
	restartAPI:  40 * time.Second,
	handOver:    10 * time.Second,
	crashLeader: 30 * time.Second,
}

// turn is what a round is given by the agenda; the rest it draws itself.
type turn struct {
	// pair reports whether two managers elect a leader, or one works alone.
	pair  bool
	event event
	mode  cloudsim.Mode
}

// stretch is how many rounds in a row have the same managers.
const stretch = 10

// agenda draws the turns of a run. Every stretch has its share of events, in an order
// that the seed decides: a run of forty rounds has them all.
func agenda(seed uint64, rounds int) []turn {
	r := random(seed, "agenda")
	var turns []turn
	for k := 0; len(turns) < rounds; k++ {
		pair := k%4 == 1
		deck := make([]turn, stretch)
		// Both modes come with one manager and with two.
		mode := cloudsim.Modes()[(k+k/4)%2]
		for i := range deck {
			deck[i] = turn{pair, calm, mode}
		}
		for i, e := range events(k, pair) {
			deck[i].event = e
		}
		r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		turns = append(turns, deck...)
	}
	return turns[:rounds]
}

// events are those of the k-th stretch. What takes long comes seldom.
func events(k int, pair bool) []event {
	switch {
	case pair && k%8 == 1:
		return []event{handOver, handOver, crashLeader}
	case pair:
		return []event{handOver, handOver, restartAPI}
	case k%8 == 2:
		return []event{crash, crash, restartAPI}
	}
	return []event{crash, crash}
}

// random returns the source of chance for a purpose: the same for the same seed and
// names, whatever else is drawn meanwhile.
func random(seed uint64, names ...string) *rand.Rand {
	h := fnv.New64a()
	for _, name := range names {
		_, _ = h.Write([]byte(name + "\x00")) // never fails, by its documentation
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// pick returns any one of choices.
func pick[T any](r *rand.Rand, choices []T) T { return choices[r.IntN(len(choices))] }

// chance is true in percent of cases.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }
