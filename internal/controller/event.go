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

// maxTold is how many observations of a kind get an event each of what one pass found of
// them. Of more, the source gets one for all.
const maxTold = 100

// reasonCreated is the reason of the event of an observation that was made.
const reasonCreated = "Created"

// turns says of each reason that turn returns what type its event has, and how one for many
// observations begins.
var turns = map[string]struct{ kind, many string }{
	reasonCreated:              {corev1.EventTypeNormal, "Created observations"},
	v1alpha1.ReasonListed:      {corev1.EventTypeNormal, "Listed again: observations"},
	v1alpha1.ReasonMissing:     {corev1.EventTypeWarning, "Not in the last complete listing: observations"},
	v1alpha1.ReasonSourceStale: {corev1.EventTypeWarning, "No complete listing for staleAfter: observations"},
}

// tellObserved records events of observations that a pass made, and of those that it found
// missing, stale, or back. writes are those that succeeded.
func (r *Reconciler) tellObserved(k *kind, source *v1alpha1.InventorySource, writes []mirror.Write) {
	turned := map[string][]v1alpha1.Observation{}
	for _, w := range writes {
		if reason := turn(w); reason != "" {
			turned[reason] = append(turned[reason], w.Desired)
		}
	}
	for reason, observations := range turned {
		t := turns[reason]
		r.tellAll(source, observations, t.kind, reason, "Observe", t.many+" of kind "+k.Name+": ",
			func(o v1alpha1.Observation) string { return (*o.Conditions())[0].Message })
	}
}

// turn returns the reason of the event that a write is worth, "" if it is worth none:
// that the observation was made, or how its condition Observed turned.
func turn(w mirror.Write) string {
	switch {
	case w.Existing == nil, meta.FindStatusCondition(*w.Existing.Conditions(), v1alpha1.ConditionObserved) == nil:
		return reasonCreated // Where its status could not be written at once, it is by now.
	case *w.Existing.Observed() == "", *w.Existing.Observed() == *w.Desired.Observed():
		return "" // The former: of a version that did not write it.
	}
	return *w.Desired.Observed()
}

// tellAll records an event about each observation, with the note that each gives, or where
// they are many one about the source that names the first of them behind summary.
func (r *Reconciler) tellAll(source *v1alpha1.InventorySource, observations []v1alpha1.Observation, kind, reason, action, summary string, note func(v1alpha1.Observation) string) {
	if len(observations) > maxTold {
		r.tellOfMany(source, observations, kind, reason, action, summary)
		return
	}
	for _, o := range observations {
		r.tell(o, kind, reason, action, note(o))
	}
}

// tellPhase records an event where a write shows that the cloud changed the phase.
func (r *Reconciler) tellPhase(w mirror.Write) {
	before, after := w.FormerPhase, w.Desired.Phase()
	if before == "" || before == after {
		return
	}
	kind := corev1.EventTypeNormal
	if w.Desired.Trouble() != "" || meta.IsStatusConditionFalse(*w.Desired.Conditions(), v1alpha1.ConditionReady) &&
		meta.IsStatusConditionTrue(*w.Existing.Conditions(), v1alpha1.ConditionReady) {
		kind = corev1.EventTypeWarning
	}
	r.tell(w.Desired, kind, "PhaseChanged", "Observe", fmt.Sprintf("Phase changed from %s to %s", before, after))
}

// tellReady records an event where Ready of a source or a discovery changed its status or reason,
// and where a prune came to be held.
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

// readyOf returns the condition Ready as it is now, nil if there is none, and reports whether
// its status or reason is another than before.
func readyOf(before, after []metav1.Condition) (is *metav1.Condition, turned bool) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	return is, is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason)
}

// tellPruned records one event for all observations of a kind that a pass deleted.
func (r *Reconciler) tellPruned(k *kind, source *v1alpha1.InventorySource, deleted []v1alpha1.Observation) {
	r.tellOfMany(source, deleted, corev1.EventTypeNormal, "Pruned", "Prune", "Deleted observations of kind "+k.Name+": ")
}

// tellHeld records an event about each observation of a prune that was not held before, or
// not with exactly these observations.
func (r *Reconciler) tellHeld(p *pass, before *v1alpha1.InventorySource) {
	for i := range kinds {
		held, was := p.state.kinds[i].report.Held, heldIn(before, i)
		if held == nil || was != nil && was.Digest == held.Digest {
			continue
		}
		r.tellAll(p.source, held.Observations, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune",
			"Held observations of kind "+kinds[i].Name+": ", func(v1alpha1.Observation) string { return held.Message })
	}
}

// tellOfMany records one event about a source for several of its observations, which it
// names behind summary. It is related to the first of them: events of one reason about one
// version of a source are taken for one event that repeats, whatever they say, unless what
// they are related to differs.
func (r *Reconciler) tellOfMany(source *v1alpha1.InventorySource, observations []v1alpha1.Observation, kind, reason, action, summary string) {
	r.Recorder.Eventf(source, observations[0], kind, reason, action, "%s", mirror.Truncate(summary+mirror.Names(names(observations)), maxNote))
}

// names returns the observations' names, sorted.
func names(observations []v1alpha1.Observation) []string {
	out := make([]string, len(observations))
	for i, o := range observations {
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
