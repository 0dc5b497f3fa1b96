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

// tellReady records an event where a source's Ready changed its status or reason,
// and where a prune came to be held.
func (r *Reconciler) tellReady(source *v1alpha1.InventorySource, before []metav1.Condition) {
	after := source.Status.Conditions
	if is, turned := readyOf(before, after); turned && is.Reason != v1alpha1.ReasonProgressing {
		kind := corev1.EventTypeNormal
		if is.Status == metav1.ConditionFalse {
			kind = corev1.EventTypeWarning
		}
		r.tell(source, kind, is.Reason, "Sync", is.Message)
	}
	held := meta.FindStatusCondition(after, v1alpha1.ConditionPruneHeld)
	heldBefore := meta.FindStatusCondition(before, v1alpha1.ConditionPruneHeld)
	if held != nil && (heldBefore == nil || heldBefore.Message != held.Message) {
		r.tell(source, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune", held.Message)
	}
}

// readyOf returns the condition Ready as it is now, nil if there is none, and reports whether
// its status or reason is another than before.
func readyOf(before, after []metav1.Condition) (is *metav1.Condition, turned bool) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	return is, is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason)
}

// tellPruned records one event for all observations of a kind that a pass deleted. It
// is related to the first of them: events of one reason about one version of a source
// are taken for one event that repeats, whatever they say, unless what they are related
// to differs.
func (r *Reconciler) tellPruned(k *kind, source *v1alpha1.InventorySource, deleted []v1alpha1.Observation) {
	note := fmt.Sprintf("Deleted observations of kind %s: %s", k.Name, mirror.Names(names(deleted)))
	r.Recorder.Eventf(source, deleted[0], corev1.EventTypeNormal, "Pruned", "Prune", "%s", mirror.Truncate(note, maxNote))
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
