// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// intent is one write of a plan.
type intent struct {
	existing, desired Object
	metadata, content bool
}

func intents(plan *Changes) map[string]intent {
	out := map[string]intent{}
	for _, w := range plan.Writes {
		out[w.Desired.GetName()] = intent{w.Existing, w.Desired, w.Metadata, w.Content}
	}
	return out
}

func TestRepairPlansForSingleObservationsWhatAWholePlanDoes(t *testing.T) {
	t.Parallel()
	repaired := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawStart(t)
		if rapid.IntRange(0, 3).Draw(t, "unsettled") > 0 {
			s.clear() // Of all kinds together hardly one world is settled as it is drawn.
		}
		s.listAll()
		if rapid.IntRange(0, 3).Draw(t, "stale") == 0 {
			s.now = s.now.Add(s.source.GetStaleAfter())
		}
		plans := s.pass()

		changed := eachKind[Object]()
		for kind := range worldKinds {
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(append(s.names(kind), "")), rapid.ID).Draw(t, "changed") {
				there := s.objects[kind][name]
				if there == nil || !Owned(observation(there), s.source) {
					continue
				}
				o := meddle(t, kind, there)
				switch {
				case o == nil:
					delete(s.objects[kind], name)
					changed[kind][name] = nil
					continue
				case Owned(o, s.source):
					s.objects[kind][name] = o
				default:
					continue // The controller never asks for a stranger's.
				}
				changed[kind][name] = o
			}
		}
		s.now = s.now.Add(time.Second)
		whole, repairs := s.plan(), make([]*Changes, len(worldKinds))
		for kind := range worldKinds {
			if repairs[kind] = plans[kind].View.Repair(changed[kind], s.now); repairs[kind] == nil {
				return // All kinds then get a whole plan.
			}
		}
		for kind, repair := range repairs {
			repaired += len(repair.Writes)
			s.Expect(intents(repair)).To(Equal(intents(&whole[kind].Changes)), "all that changed was named")
			s.Expect(repair.Deletes).To(BeEmpty())
			s.Expect(plans[kind].View.StaleAt()).To(Equal(whole[kind].View.StaleAt()))
			s.apply(kind, whole[kind])
			s.Expect(plans[kind].Summary).To(Equal(whole[kind].Summary), "a repair changes no number")
			for name := range changed[kind] {
				s.Expect(s.records[kind]).To(HaveKey(name), "only what is listed is repaired by itself")
			}
		}
	})
	NewWithT(t).Expect(repaired).NotTo(BeZero(), "nothing was ever repaired")
}

func TestRepairLeavesToAWholePlanWhatOthersHaveASayIn(t *testing.T) {
	t.Parallel()
	edited := func(w *world, name string) map[string]Object {
		w.cluster(name).Status.Phase = "GONE"
		return map[string]Object{name: w.objects[clusters][name]}
	}
	for name, c := range map[string]struct {
		arrange func(*world) map[string]Object
		repairs int // -1: takes a whole plan
	}{
		"nothing changed":  {func(*world) map[string]Object { return nil }, 0},
		"a listed one":     {func(w *world) map[string]Object { return edited(w, "lkc-000") }, 1},
		"one that is gone": {func(*world) map[string]Object { return map[string]Object{"lkc-000": nil} }, 1},
		"a missing one":    {func(w *world) map[string]Object { return edited(w, "lkc-002") }, -1},
		"a missing one that is gone": {func(*world) map[string]Object {
			return map[string]Object{"lkc-002": nil}
		}, -1},
		"one that is not known": {func(w *world) map[string]Object {
			return map[string]Object{"lkc-9": w.stamp("lkc-9")}
		}, -1},
		"two IDs with one name": {func(w *world) map[string]Object {
			w.cluster("lkc-000").Spec.ClusterID = "LKC-000"
			return map[string]Object{"lkc-000": w.objects[clusters]["lkc-000"]}
		}, -1},
		"the time to turn stale": {func(w *world) map[string]Object {
			w.now = w.completed[clusters].Add(w.source.GetStaleAfter())
			return edited(w, "lkc-000")
		}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := settled(t, "lkc-000", "lkc-001", "lkc-002")
			view := w.sync("lkc-000", "lkc-001").View
			plan := view.Repair(c.arrange(w), w.now)
			if c.repairs < 0 {
				w.Expect(plan).To(BeNil())
				return
			}
			w.Expect(plan.Writes).To(HaveLen(c.repairs))
			w.Expect(view.StaleAt()).To(Equal(w.completed[clusters].Add(w.source.GetStaleAfter())))
		})
	}
	w := settled(t, "lkc-000", "lkc-001")
	seize(w.cluster("lkc-001"), "another")
	w.Expect(w.sync("lkc-000", "lkc-001").View.Repair(nil, w.now)).To(BeNil(), "a name in conflict may be free by now")
	var ignored *View
	w.Expect(ignored.Repair(nil, began)).To(Equal(&Changes{}), "a kind without a plan is no obstacle")
	w.Expect(ignored.Repair(map[string]Object{"lkc-1": nil}, began)).To(BeNil())
}
