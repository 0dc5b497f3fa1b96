// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestASeedDrawsTheSameSchedule(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(schedule(1, 200)).To(Equal(schedule(1, 200)))
	g.Expect(schedule(1, 200)).NotTo(Equal(schedule(2, 200)))
	g.Expect(schedule(1, 200)[:40]).To(Equal(schedule(1, 40)))
}

func TestFortyRoundsHaveEveryEvent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	seen := map[event]int{}
	for _, planned := range schedule(7, 40) {
		seen[planned.event]++
		if planned.event == managerKilled {
			g.Expect(planned.pair).To(BeFalse())
		}
		if planned.event == leaderStops || planned.event == leaderKilled {
			g.Expect(planned.pair).To(BeTrue())
		}
	}
	g.Expect(seen).To(HaveLen(len(extraTime)))
}

// faultsMet returns the faults that the first requests of a target meet.
func faultsMet(seed uint64, requests int) []http.Handler {
	schedule := &faultSchedule{}
	schedule.draw(target{environment, clusters.path}, random(seed, "faults"))
	var met []http.Handler
	for i := range requests {
		met = append(met, schedule.intercept(i, httptest.NewRequest(http.MethodGet, clusters.path+"?environment="+environment, nil)))
	}
	return met
}

func TestFaultsRepeatAndOneAtMostIsSilent(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	all := map[http.Handler]bool{}
	for seed := range uint64(200) {
		met := faultsMet(seed, 100)
		g.Expect(met).To(Equal(faultsMet(seed, 100)))
		silents := 0
		for _, h := range met {
			if h == nil {
				continue
			}
			all[h] = true
			if h.(cloudsim.Fault).Verdict() == cloudsim.Silent {
				silents++
			}
		}
		g.Expect(silents).To(BeNumerically("<=", 1))
	}
	for _, f := range cloudsim.Faults() {
		g.Expect(all[f]).To(Equal(f != cloudsim.FaultRateLimitedAbsurd), f.String())
	}
}

func TestFaultMixesAddUp(t *testing.T) {
	t.Parallel()
	sum := 0
	for _, c := range faultMixes {
		sum += c.weight
	}
	NewWithT(t).Expect(sum).To(Equal(100))
}

func TestAViewMustHideSomethingThatIsHeld(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var seen, hidden []string
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		if cloudsim.ViewPart.Shows(id) {
			seen = append(seen, id)
		} else {
			hidden = append(hidden, id)
		}
	}
	g.Expect(len(seen)).To(BeNumerically(">=", 4))
	g.Expect(len(hidden)).To(BeNumerically(">=", 2))
	observed := map[string]types.UID{}
	for _, id := range append(slices.Clone(seen), hidden...) {
		observed[id] = "uid"
	}
	g.Expect(hides(cloudsim.ViewNone, seen, observed)).To(BeTrue())
	g.Expect(hides(cloudsim.ViewPart, nil, observed)).To(BeTrue())
	g.Expect(hides(cloudsim.ViewPart, seen, observed)).To(BeFalse(), "hides nothing")
	g.Expect(hides(cloudsim.ViewPart, []string{hidden[0], seen[0]}, observed)).To(BeFalse(), "one of two is not held")
	two := append(slices.Clone(hidden[:2]), seen[:4]...)
	g.Expect(hides(cloudsim.ViewPart, two, observed)).To(BeTrue())
	delete(observed, hidden[1])
	g.Expect(hides(cloudsim.ViewPart, two, observed)).To(BeFalse(), "one of two was never seen")
	g.Expect(hides(cloudsim.ViewPart, hidden[:2], observed)).To(BeTrue(), "an empty listing is held whatever was seen")
}

func TestBadFlagsAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--rounds", "0"}, {"--every", "0"}, {"--seed", "-1"}, {"more"}} {
		var stderr bytes.Buffer
		NewWithT(t).Expect(execute(t.Context(), args, &bytes.Buffer{}, &stderr)).To(Equal(exitUsage))
		NewWithT(t).Expect(stderr.String()).NotTo(BeEmpty())
	}
}

func TestTwentyRoundsHaveEveryDisturbance(t *testing.T) {
	t.Parallel()
	seen := map[disturbance]bool{noDisturbance: true}
	for _, planned := range schedule(7, 20) {
		seen[planned.disturbance] = true
		if planned.event != noEvent {
			NewWithT(t).Expect(planned.disturbance).To(Equal(noDisturbance), "a restart takes time that the steps have not")
		}
	}
	NewWithT(t).Expect(seen).To(HaveLen(1 + len(disturbances)))
}
