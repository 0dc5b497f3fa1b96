// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// If one pass finds more than maxTold objects of a kind, one event of the owner reports all of
// them; otherwise each gets its own.
const maxTold = 100

// reasonCreated is the reason of the event for a new object.
const reasonCreated = "Created"

// turns maps a reason that turn returns to its event type and the opening words of an event about
// many objects.
var turns = map[string]struct{ kind, many string }{
	reasonCreated:              {corev1.EventTypeNormal, "Created"},
	v1alpha1.ReasonListed:      {corev1.EventTypeNormal, "Listed again:"},
	v1alpha1.ReasonMissing:     {corev1.EventTypeWarning, "Not in the last complete listing:"},
	v1alpha1.ReasonSourceStale: {corev1.EventTypeWarning, "No complete listing for staleAfter:"},
}

// tellObserved records events of objects that a pass created, and of those that it found missing,
// stale, or back. writes are the writes that succeeded. Objects without conditions get one event
// together.
func (r *Reconciler) tellObserved(k *kind, o owner, writes []mirror.Write) {
	turned := map[string][]mirror.Object{}
	for _, w := range writes {
		if reason := turn(k, w); reason != "" {
			turned[reason] = append(turned[reason], w.Desired)
		}
	}
	for reason, objects := range turned {
		t := turns[reason]
		r.tellAll(o, objects, t.kind, reason, "Observe", t.many+" "+k.noun+": ", func(object mirror.Object) string {
			if conditions := k.Conditions(object); len(conditions) > 0 {
				return conditions[0].Message
			}
			return ""
		})
	}
}

// turn returns the reason of the event for a write, "" if it gets none. Events report that an
// object was created, or how its condition Observed changed.
func turn(k *kind, w mirror.Write) string {
	switch {
	case w.Existing == nil:
		return reasonCreated
	case k.Observed(w.Desired) == "":
		return ""
	case meta.FindStatusCondition(k.Conditions(w.Existing), v1alpha1.ConditionObserved) == nil:
		return reasonCreated // Its status could not be written at first; now it is.
	case k.Observed(w.Existing) == "", k.Observed(w.Existing) == k.Observed(w.Desired):
		return "" // An older version wrote it without Observed, or nothing changed.
	}
	return k.Observed(w.Desired)
}

// tellAll records an event about each object, with the object's note. If there are many objects, or
// the first has no note, it records one event about the owner, which names some of them after
// summary.
func (r *Reconciler) tellAll(o owner, objects []mirror.Object, kind, reason, action, summary string, note func(mirror.Object) string) {
	if len(objects) > maxTold || note(objects[0]) == "" {
		r.tellOfMany(o, objects, kind, reason, action, summary)
		return
	}
	for _, object := range objects {
		r.tell(object, kind, reason, action, note(object))
	}
}

// tellPhase records an event if a write shows that the cloud changed the phase.
func (r *Reconciler) tellPhase(k *kind, w mirror.Write) {
	before, after := w.FormerPhase, k.Phase(w.Desired)
	if before == "" || before == after {
		return
	}
	kind := corev1.EventTypeNormal
	if k.Trouble(w.Desired) != "" || meta.IsStatusConditionFalse(k.Conditions(w.Desired), v1alpha1.ConditionReady) &&
		meta.IsStatusConditionTrue(k.Conditions(w.Existing), v1alpha1.ConditionReady) {
		kind = corev1.EventTypeWarning
	}
	r.tell(w.Desired, kind, "PhaseChanged", "Observe", fmt.Sprintf("Phase changed from %s to %s", before, after))
}

// tellReady records an event if an owner's Ready changed its status or reason, and one if a prune
// is newly held.
func (r *Reconciler) tellReady(about runtime.Object, after, before []metav1.Condition) {
	if is, turned := readyOf(before, after); turned && is.Reason != v1alpha1.ReasonProgressing {
		kind := corev1.EventTypeNormal
		if is.Status == metav1.ConditionFalse {
			kind = corev1.EventTypeWarning
		}
		r.tell(about, kind, is.Reason, "Sync", is.Message)
	}
	held := meta.FindStatusCondition(after, v1alpha1.ConditionPruneHeld)
	heldBefore := meta.FindStatusCondition(before, v1alpha1.ConditionPruneHeld)
	if held != nil && (heldBefore == nil || heldBefore.Message != held.Message) {
		r.tell(about, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune", held.Message)
	}
}

// readyOf returns the condition Ready as it is now, nil if there is none. turned reports whether
// its status or reason changed.
func readyOf(before, after []metav1.Condition) (is *metav1.Condition, turned bool) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	return is, is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason)
}

// tellPruned records one event for all objects of a kind that a pass deleted.
func (r *Reconciler) tellPruned(k *kind, o owner, deleted []mirror.Object) {
	r.tellOfMany(o, deleted, corev1.EventTypeNormal, "Pruned", "Prune", "Deleted "+k.noun+": ")
}

// tellHeld records an event about each object of a held prune, unless the same prune with exactly
// these objects was held before.
func (r *Reconciler) tellHeld(o owner, s *state, before owner) {
	for i := range r.owners.kinds {
		k, held := &r.owners.kinds[i], s.kinds[i].report.Held
		if was := heldIn(before, k); held == nil || was != nil && was.Digest == held.Digest {
			continue
		}
		r.tellAll(o, held.Objects, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune",
			"Held "+k.noun+": ", func(mirror.Object) string { return held.Message })
	}
}

// tellOfMany records one event about an owner for several of its objects, which it names after
// summary. The event is related to the first object. Otherwise the API server would take events of
// one reason about one version of an owner for one event that repeats, even if their notes differ.
func (r *Reconciler) tellOfMany(o owner, objects []mirror.Object, kind, reason, action, summary string) {
	r.Recorder.Eventf(o.object(), objects[0], kind, reason, action, "%s", mirror.Truncate(summary+mirror.Names(names(objects)), maxNote))
}

// names returns the objects' names, sorted.
func names(objects []mirror.Object) []string {
	out := make([]string, len(objects))
	for i, o := range objects {
		out[i] = o.GetName()
	}
	slices.Sort(out)
	return out
}

// maxNote is the length of a note, in bytes, that the API server still takes.
const maxNote = 1000

func (r *Reconciler) tell(about runtime.Object, kind, reason, action, note string) {
	r.Recorder.Eventf(about, nil, kind, reason, action, "%s", mirror.Truncate(note, maxNote))
}
