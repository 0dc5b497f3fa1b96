// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// faultSchedule says how the cloud fails. Each source and each kind has its own plan. The simulator
// asks the schedule before it answers a request.
type faultSchedule struct {
	mu    sync.Mutex
	plans map[target]*faultPlan
}

// target is one kind in one environment.
type target struct{ environment, path string }

// faultPlan has the faults that requests of a target may meet in a round.
type faultPlan struct {
	percent int
	faults  []cloudsim.Fault
	// silent is a fault that no client can detect; 0 if there is none. It happens only once. Two
	// such answers that agree would look like a deletion in the cloud, and the operator would
	// rightly delete.
	silent cloudsim.Fault
	random *rand.Rand
}

// faultMix says how many percent of the requests fail, and how.
type faultMix struct {
	// weight is how often this mix is drawn, compared with the others.
	weight  int
	percent []int
	faults  []cloudsim.Fault
}

// rateLimitFaults pause the whole credential. slowFaults last until a timeout. refusalFaults refuse
// the key. tooSlowFaults are never drawn: after such a fault the operator waits five minutes, which
// is longer than a round.
var (
	rateLimitFaults = []cloudsim.Fault{cloudsim.FaultRateLimited, cloudsim.FaultRateLimitedBare, cloudsim.FaultRateLimitedReset,
		cloudsim.FaultRateLimitedDate, cloudsim.FaultRateLimitedNegative}
	slowFaults    = []cloudsim.Fault{cloudsim.FaultNoAnswer, cloudsim.FaultHangInBody, cloudsim.FaultEndlessPaging}
	refusalFaults = []cloudsim.Fault{cloudsim.FaultUnauthorized, cloudsim.FaultForbidden, cloudsim.FaultForbiddenKey}
	tooSlowFaults = []cloudsim.Fault{cloudsim.FaultRateLimitedAbsurd}
	// A single missing item is drawn most often, because the prune rules for many objects do not
	// hold its deletion.
	silentFaults = append(cloudsim.Faults(cloudsim.Silent), cloudsim.FaultItemSkipped, cloudsim.FaultItemSkipped, cloudsim.FaultItemSkipped)
)

// faultMixes has the mixes to draw from. 100 percent is an outage: every request meets the same
// fault.
var faultMixes = []faultMix{
	{weight: 35, percent: []int{0}, faults: quickFaults()},
	{weight: 44, percent: []int{10, 25, 50}, faults: quickFaults()},
	{weight: 10, percent: []int{100}, faults: quickFaults()},
	{weight: 7, percent: []int{50, 100}, faults: refusalFaults},
	{weight: 3, percent: []int{15}, faults: rateLimitFaults},
	{weight: 1, percent: []int{30}, faults: slowFaults},
}

// quickFaults returns all faults that a client can detect and that cost no time.
func quickFaults() []cloudsim.Fault {
	return slices.DeleteFunc(cloudsim.Faults(cloudsim.Loud, cloudsim.Harmless), func(f cloudsim.Fault) bool {
		return slices.Contains(slices.Concat(rateLimitFaults, slowFaults, tooSlowFaults), f)
	})
}

// silentPercent is the percentage of rounds in which a target meets a silent fault.
const silentPercent = 30

// draw draws the plan of a target for one round.
func (f *faultSchedule) draw(at target, r *rand.Rand) {
	n := r.IntN(100)
	i := slices.IndexFunc(faultMixes, func(c faultMix) bool { n -= c.weight; return n < 0 })
	mix := faultMixes[i]
	plan := &faultPlan{percent: pick(r, mix.percent), faults: mix.faults, random: rand.New(rand.NewPCG(r.Uint64(), 1))}
	if plan.percent == 100 {
		plan.faults = []cloudsim.Fault{pick(r, mix.faults)}
	}
	if chance(r, silentPercent) {
		plan.silent = pick(r, silentFaults)
	}
	f.put(at, plan)
}

// set makes every request of a target meet a fault.
func (f *faultSchedule) set(at target, fault cloudsim.Fault) {
	f.put(at, &faultPlan{percent: 100, faults: []cloudsim.Fault{fault}, random: random(0)})
}

func (f *faultSchedule) put(at target, plan *faultPlan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.plans == nil {
		f.plans = map[target]*faultPlan{}
	}
	f.plans[at] = plan
}

// clear ends the faults of a target.
func (f *faultSchedule) clear(at target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.plans, at)
}

// intercept returns the fault that a request meets; nil if it meets none. For the same seed, the
// k-th request of a target always draws the same.
func (f *faultSchedule) intercept(_ int, r *http.Request) http.Handler {
	f.mu.Lock()
	defer f.mu.Unlock()
	plan := f.plans[target{r.URL.Query().Get("environment"), r.URL.Path}]
	if plan == nil {
		return nil
	}
	fails, fault := chance(plan.random, plan.percent), pick(plan.random, plan.faults)
	if fails {
		return fault
	}
	if plan.silent != 0 && chance(plan.random, 40) {
		fault, plan.silent = plan.silent, 0
		return fault
	}
	return nil
}
