// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// weather is how the cloud fails: for each source and kind on its own. It is given to
// the simulator as its interceptor.
type weather struct {
	mu    sync.Mutex
	skies map[place]*sky
}

// place is one kind of one source's environment.
type place struct{ environment, path string }

// sky is what a place's requests may meet in a round.
type sky struct {
	percent int
	faults  []cloudsim.Fault
	// silent is a fault that no client can tell, to be met once; 0 for none. Two that
	// agreed would be as good as a deletion in the cloud, and the operator would be
	// right to delete.
	silent cloudsim.Fault
	random *rand.Rand
}

// climate is a kind of weather: how many percent of requests fail, and how.
type climate struct {
	// weight is how often it comes.
	weight  int
	percent []int
	faults  []cloudsim.Fault
}

// Faults that cost a pause of the whole credential, that go on until a timeout, and
// that say the key is no good. One asks to wait for ages, and is heeded for five
// minutes: no round can wait for that.
var (
	limiting = []cloudsim.Fault{cloudsim.FaultRateLimited, cloudsim.FaultRateLimitedBare, cloudsim.FaultRateLimitedReset,
		cloudsim.FaultRateLimitedDate, cloudsim.FaultRateLimitedNegative}
	slow     = []cloudsim.Fault{cloudsim.FaultNoAnswer, cloudsim.FaultHangInBody, cloudsim.FaultEndlessPaging}
	refusing = []cloudsim.Fault{cloudsim.FaultUnauthorized, cloudsim.FaultForbidden, cloudsim.FaultForbiddenKey}
	tooSlow  = []cloudsim.Fault{cloudsim.FaultRateLimitedAbsurd}
	// A single item that is left out is what no rule for many holds.
	silent = append(cloudsim.Faults(cloudsim.Silent), cloudsim.FaultItemSkipped, cloudsim.FaultItemSkipped, cloudsim.FaultItemSkipped)
)

// climates are the kinds of weather there are. Of an outage, every request meets the
// same few faults.
var climates = []climate{
	{weight: 35, percent: []int{0}, faults: quick()},
	{weight: 44, percent: []int{10, 25, 50}, faults: quick()},
	{weight: 10, percent: []int{100}, faults: quick()},
	{weight: 7, percent: []int{50, 100}, faults: refusing},
	{weight: 3, percent: []int{15}, faults: limiting},
	{weight: 1, percent: []int{30}, faults: slow},
}

// quick returns all faults that a client can tell and that cost no time.
func quick() []cloudsim.Fault {
	return slices.DeleteFunc(cloudsim.Faults(cloudsim.Loud, cloudsim.Harmless), func(f cloudsim.Fault) bool {
		return slices.Contains(slices.Concat(limiting, slow, tooSlow), f)
	})
}

// silentPercent is in how many rounds a source's kind meets a silent fault.
const silentPercent = 30

// gather draws the weather of a place for a round.
func (w *weather) gather(at place, r *rand.Rand) {
	n := r.IntN(100)
	i := slices.IndexFunc(climates, func(c climate) bool { n -= c.weight; return n < 0 })
	c := climates[i]
	s := &sky{percent: pick(r, c.percent), faults: c.faults, random: rand.New(rand.NewPCG(r.Uint64(), 1))}
	if s.percent == 100 {
		s.faults = []cloudsim.Fault{pick(r, c.faults)}
	}
	if chance(r, silentPercent) {
		s.silent = pick(r, silent)
	}
	w.put(at, s)
}

// set has every request of a place meet a fault.
func (w *weather) set(at place, f cloudsim.Fault) {
	w.put(at, &sky{percent: 100, faults: []cloudsim.Fault{f}, random: random(0)})
}

func (w *weather) put(at place, s *sky) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.skies == nil {
		w.skies = map[place]*sky{}
	}
	w.skies[at] = s
}

// clear ends the weather of a place.
func (w *weather) clear(at place) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.skies, at)
}

// intercept is what the simulator asks for the fault of a request. It returns nil for
// none. The k-th request of a place draws the same for the same seed.
func (w *weather) intercept(_ int, r *http.Request) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.skies[place{r.URL.Query().Get("environment"), r.URL.Path}]
	if s == nil {
		return nil
	}
	fails, fault := chance(s.random, s.percent), pick(s.random, s.faults)
	if fails {
		return fault
	}
	if s.silent != 0 && chance(s.random, 40) {
		fault, s.silent = s.silent, 0
		return fault
	}
	return nil
}
