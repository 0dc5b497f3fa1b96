// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// history plays one life of a source at random: the cloud changes, listings come
// whole or not, the manager restarts, the user turns every knob, strangers meddle.
// An oracle keeps its own account of it, and holds every plan against the rules.
type history struct {
	*world
	cloud     [kindCount]map[string]any // what there is, by kind and ID
	oracle    *oracle
	suspended bool
	tally     tally
}

// tally counts what a life held against the rules, by name.
type tally map[string]int

// poolOf are few IDs for each kind, so that what goes often comes back. They are no more than the
// ten that Held.Message names, because the oracle reads the names there.
var poolOf = rapid.SampledFrom([]string{"lkc-1", "lkc-2", "lkc-3", "lkc-4", "n-1", "n-2", "ID_1", "ID_2", "ID_3", "ID_4"})

var anyKind = rapid.IntRange(0, kindCount-1)

// drawRecord draws an object of a kind with this ID.
func drawRecord(t *rapid.T, kind int, id string) any {
	phase := rapid.SampledFrom(allKinds[kind].phases).Draw(t, "phase")
	network := rapid.SampledFrom([]string{"", "n-1", "n-2"}).Draw(t, "network")
	return allKinds[kind].draw(t, id, phase, network)
}

// Put makes a cloud object again, or changes it.
func (h *history) Put(t *rapid.T) {
	kind, id := anyKind.Draw(t, "kind"), poolOf.Draw(t, "id")
	h.cloud[kind][id] = drawRecord(t, kind, id)
}

// PutMany is how an inventory comes to be. The objects are of one kind, because a share of few
// objects is seldom a share that is held.
func (h *history) PutMany(t *rapid.T) {
	kind := anyKind.Draw(t, "kind")
	for _, id := range rapid.SliceOfNDistinct(poolOf, 3, 8, rapid.ID[string]).Draw(t, "ids") {
		h.cloud[kind][id] = drawRecord(t, kind, id)
	}
}

// Remove takes a cloud object away.
func (h *history) Remove(t *rapid.T) {
	kind := anyKind.Draw(t, "kind")
	if len(h.cloud[kind]) == 0 {
		t.Skip("nothing is there")
	}
	delete(h.cloud[kind], rapid.SampledFrom(sortedKeys(h.cloud[kind])).Draw(t, "id"))
}

// RemoveAll takes away all of a kind.
func (h *history) RemoveAll(t *rapid.T) { clear(h.cloud[anyKind.Draw(t, "kind")]) }

// Sync lists all there is of every kind, up to three times.
func (h *history) Sync(t *rapid.T) {
	h.skipUnlessAwake(t)
	for range rapid.IntRange(1, 3).Draw(t, "times") {
		for kind := range worldKinds {
			h.listKind(kind, true, func(string) bool { return true })
		}
		h.Check(t)
	}
}

// SyncAgain makes syncs twice as frequent as anything else.
func (h *history) SyncAgain(t *rapid.T) { h.Sync(t) }

// ListPart is a listing that says it is whole and lacks some, as a key gets that
// may not see all.
func (h *history) ListPart(t *rapid.T) {
	h.skipUnlessAwake(t)
	kind := anyKind.Draw(t, "kind")
	for range rapid.IntRange(1, 3).Draw(t, "times") {
		h.listKind(kind, true, func(string) bool { return rapid.IntRange(0, 3).Draw(t, "seen") > 0 })
		h.Check(t)
	}
}

// ListIncomplete is a listing that was cut short, or that has unreadable items.
func (h *history) ListIncomplete(t *rapid.T) {
	h.skipUnlessAwake(t)
	kind := anyKind.Draw(t, "kind")
	for range rapid.IntRange(1, 5).Draw(t, "times") {
		h.listKind(kind, false, func(string) bool { return rapid.Bool().Draw(t, "read") })
		h.Check(t)
	}
}

// skipUnlessAwake: a suspended source lists nothing.
func (h *history) skipUnlessAwake(t *rapid.T) {
	if h.suspended {
		t.Skip("suspended")
	}
}

// listKind lists those of a kind that are seen. An ignored kind is never listed.
func (h *history) listKind(kind int, complete bool, seen func(id string) bool) {
	if !worldKinds[kind].Mirrored(h.source) {
		return
	}
	var listed []any
	names := map[string]bool{}
	for _, id := range sortedKeys(h.cloud[kind]) {
		if seen(id) {
			listed = append(listed, h.cloud[kind][id])
			names[ObjectName(id)] = true
		}
	}
	h.list(kind, complete, listed...)
	h.oracle.hear(kind, hearing{complete: complete, scope: h.scope, names: names, end: h.now})
	if complete { // An object that is not the source's now and comes back later counts as one that someone else made.
		known := maps.Clone(names)
		for _, o := range h.owned(kind) {
			known[o.GetName()] = true
		}
		maps.DeleteFunc(h.oracle.seen[kind], func(name, _ string) bool { return !known[name] })
	}
}

// Outage takes the first few of a kind away for up to three syncs, and then they come
// back. What was approved in one outage must not count in the next.
func (h *history) Outage(t *rapid.T) {
	h.skipUnlessAwake(t)
	kind := anyKind.Draw(t, "kind")
	whole := h.cloud[kind]
	h.cloud[kind] = map[string]any{}
	for i, id := range sortedKeys(whole) {
		if i >= len(whole)/2 {
			h.cloud[kind][id] = whole[id]
		}
	}
	h.Sync(t)
	if rapid.Bool().Draw(t, "approved") {
		approve(h.world, h.oracle.latest)
	}
	for id, r := range whole {
		h.cloud[kind][id] = r
	}
	h.Sync(t)
}

// Check plans, holds the plan against the rules, and carries it out.
func (h *history) Check(*rapid.T) {
	fresh := slices.Clone(h.fresh)
	before := make([]map[string]Object, len(worldKinds))
	strangers := make([]map[string]Object, len(worldKinds))
	for kind := range worldKinds {
		before[kind], strangers[kind] = map[string]Object{}, h.strangers(kind)
		for _, o := range h.owned(kind) {
			before[kind][o.GetName()] = o
		}
	}
	for kind, plan := range h.pass() {
		h.oracle.judge(h, kind, plan, fresh[kind], before[kind])
		h.oracle.compare(h, kind)
		for name, o := range strangers[kind] {
			h.Expect(h.objects[kind][name]).To(BeIdenticalTo(o), "a stranger's %s stays as it is", name)
		}
	}
}

// settle ends all that keeps the mirror from the cloud, lists until the last prune
// is confirmed, and holds what there is then against the cloud.
func (h *history) settle(t *rapid.T) {
	h.Vacate(t)
	h.suspended, h.source.Spec.Suspend = false, false
	h.source.Spec.Prune = v1alpha1.Prune{MaxPercent: ptr[int32](100), AfterMisses: ptr[int32](2)}
	for _, policy := range policiesOf(h.source) {
		*policy = v1alpha1.MirrorPolicyMirror
	}
	for range 5 { // The first since a start counts no miss, nor does one under another scope.
		h.Sync(t)
	}
	for kind, records := range h.cloud {
		h.Expect(h.objects[kind]).To(HaveLen(len(records)))
		for id, r := range records {
			o := h.objects[kind][ObjectName(id)]
			h.Expect(o).NotTo(BeNil(), id)
			h.Expect(observation(o).Phase()).To(Equal(project(r).Phase()), id)
			h.Expect(brief(o, v1alpha1.ConditionObserved)).To(Equal("True/Listed"), id)
		}
	}
}

func TestAnyHistoryPrunesByTheRulesAndConvergesToTheCloud(t *testing.T) {
	t.Parallel()
	total := tally{}
	rapid.Check(t, func(t *rapid.T) {
		h := &history{world: newWorld(t), cloud: eachKind[any](), oracle: newOracle(), tally: total}
		for range 3 {
			h.PutMany(t)
		}
		h.Sync(t)
		t.Repeat(rapid.StateMachineActions(h))
		h.settle(t)
	})
	t.Logf("held against the rules: %v", total)
	for _, name := range []string{
		"pruned", "approved", "ignored", v1alpha1.ReasonListingEmpty, v1alpha1.ReasonShareExceeded, v1alpha1.ReasonScopeChanged,
	} {
		NewWithT(t).Expect(total).To(HaveKey(name), "no life came that far")
	}
}
