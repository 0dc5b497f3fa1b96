// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"k8s.io/apimachinery/pkg/api/meta"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// tellPhase records an event where a write changed an observation's phase.
func (r *Reconciler) tellPhase(w mirror.Write) {
	before, after := w.Existing.Phase(), w.Desired.Phase()
	if before == after || before == "" {
		return // Unchanged, or a creation completed by a later pass.
	}
	kind := corev1.EventTypeNormal
	if w.Desired.Trouble() != "" || meta.IsStatusConditionFalse(*w.Desired.Conditions(), v1alpha1.ConditionReady) &&
		meta.IsStatusConditionTrue(*w.Existing.Conditions(), v1alpha1.ConditionReady) {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(w.Desired, nil, kind, "PhaseChanged", "Observe", "Phase changed from %s to %s", before, after)
}

// tellReady records an event where a source's Ready changed its status or reason,
// and where a prune came to be held.
func (r *Reconciler) tellReady(source *v1alpha1.InventorySource, before []metav1.Condition) {
	after := source.Status.Conditions
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is.Reason != v1alpha1.ReasonProgressing && (was == nil || was.Status != is.Status || was.Reason != is.Reason) {
		kind := corev1.EventTypeNormal
		if is.Status == metav1.ConditionFalse {
			kind = corev1.EventTypeWarning
		}
		r.Recorder.Eventf(source, nil, kind, is.Reason, "Sync", "%s", is.Message)
	}
	held := meta.FindStatusCondition(after, v1alpha1.ConditionPruneHeld)
	heldBefore := meta.FindStatusCondition(before, v1alpha1.ConditionPruneHeld)
	if held != nil && (heldBefore == nil || heldBefore.Message != held.Message) {
		r.Recorder.Eventf(source, nil, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune", "%s", held.Message)
	}
}
