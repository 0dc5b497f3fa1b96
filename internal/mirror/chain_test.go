// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// propertyChecks is how many cases each property is held against, unless the flag
// -rapid.checks or RAPID_CHECKS says otherwise. All together take a few seconds.
const propertyChecks = "250"

func TestMain(m *testing.M) {
	if os.Getenv("RAPID_CHECKS") == "" {
		if err := flag.Set("rapid.checks", propertyChecks); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// Every rule by itself, named here once more so that none can be taken out of its
// chain unnoticed.
var (
	eachAbsenteeRule = map[string]func(v1alpha1.Prune, absentee) ruling{
		"retained": retained, "unconfirmed": unconfirmed, "inGrace": inGrace,
	}
	eachBatchRule = map[string]func(batch) ruling{
		"listingEmpty": listingEmpty, "shareExceeded": shareExceeded, "scopeChanged": scopeChanged, "notFresh": notFresh,
	}
)

// drawPlanner draws a planner that has come to its prune: any missing observations
// among others, and any spec.prune. Each rule holds in few cases, so that those where
// one alone does are among them.
func drawPlanner(t *rapid.T) *planner {
	source := newSource()
	source.Spec.Prune = v1alpha1.Prune{
		Policy:      rapid.SampledFrom([]v1alpha1.PrunePolicy{"", "", v1alpha1.PrunePolicyDelete, v1alpha1.PrunePolicyRetain}).Draw(t, "policy"),
		AfterMisses: rapid.Ptr(rapid.Int32Range(1, 4), true).Draw(t, "afterMisses"),
		MaxPercent:  rapid.Ptr(rapid.SampledFrom([]int32{0, 1, 20, 50, 99, 100}), true).Draw(t, "maxPercent"),
	}
	if rapid.Bool().Draw(t, "grace") {
		source.Spec.Prune.GracePeriod = seconds(rapid.IntRange(0, 3).Draw(t, "gracePeriod"))
	}
	p := &planner{Facts: Facts{
		Kind: KafkaCluster, Owner: SourceOwner(source), Fresh: rapid.IntRange(0, 3).Draw(t, "stale") > 0,
		Ledger: &Ledger{lastEmpty: rapid.IntRange(0, 3).Draw(t, "empty") == 0},
	}}
	// A few states and not each its own, so that whole batches are let through.
	states := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) absentee {
		return absentee{
			missCount:  rapid.IntRange(0, 9).Draw(t, "misses"),
			missingFor: time.Duration(rapid.IntRange(0, 9000).Draw(t, "ms")) * time.Millisecond,
			scopeMoved: rapid.IntRange(0, 3).Draw(t, "moved") == 0,
		}
	}), 1, 2).Draw(t, "states")
	absent := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 5}).Draw(t, "missing")
	for i := range absent + rapid.IntRange(0, 30).Draw(t, "present") {
		o := stamped(source, newCluster(fmt.Sprintf("lkc-%03d", i)))
		o.SetUID(types.UID(o.GetName()))
		p.Existing = append(p.Existing, o)
		p.present++
		if i < absent {
			a := rapid.SampledFrom(states).Draw(t, "state")
			a.object = o
			p.absentees = append(p.absentees, a)
		}
	}
	return p
}

// allowed returns those that no rule for one observation holds.
func allowed(p *planner) []absentee {
	var free []absentee
	for _, a := range p.absentees {
		held := false
		for _, rule := range eachAbsenteeRule {
			held = held || rule(p.Owner.Prune, a).verdict != verdictAllow
		}
		if !held {
			free = append(free, a)
		}
	}
	return free
}

func TestTheChainDeletesWhatNoRuleHoldsAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		p := drawPlanner(t)
		free := allowed(p)
		all := batch{
			prune: p.Owner.Prune, absentees: free, missingCount: len(p.absentees), totalCount: len(p.Existing),
			empty: p.Ledger.lastEmpty, fresh: p.Fresh,
		}
		approved := rapid.Bool().Draw(t, "approved")
		if approved {
			p.Owner.SetAnnotations(pairs{v1alpha1.AnnotationApprovePrune: digestOf(occasionLines(p.Kind, free))})
		}
		p.planPrune()

		holds := map[string]ruling{}
		for name, rule := range eachBatchRule {
			if held := rule(all); held.verdict == verdictWait || held.verdict == verdictAsk && !approved {
				holds[name] = held
			}
		}
		if len(holds) > 0 || len(free) == 0 {
			g.Expect(p.Deletes).To(BeEmpty(), "held by %v", sortedKeys(holds))
		} else {
			var want []string
			for _, a := range free {
				want = append(want, a.object.GetName())
			}
			g.Expect(namesOf(p.Deletes)).To(ConsistOf(want), "no rule holds them")
			g.Expect(p.Held).To(BeNil(), "what is deleted is not held")
		}
		if p.Held != nil {
			g.Expect(p.Held.Digest).To(Equal(digestOf(occasionLines(p.Kind, free))), "approving what is printed lets through what is held")
			g.Expect(p.Held.Objects).To(HaveLen(len(free)))
		}
	})
}

// Held or not, an observation that some rule for one of them holds is never among
// those deleted.
func TestNoRuleForOneObservationIsEverOverruled(t *testing.T) {
	t.Parallel()
	for name, rule := range eachAbsenteeRule {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				p := drawPlanner(t)
				p.Owner.Prune.MaxPercent = ptr[int32](100) // No rule for batches holds.
				p.Fresh = true
				p.planPrune()
				for _, a := range p.absentees {
					if rule(p.Owner.Prune, a).verdict != verdictAllow {
						NewWithT(t).Expect(p.Deletes).NotTo(ContainElement(a.object))
					}
				}
			})
		})
	}
}
