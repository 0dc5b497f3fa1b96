// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// maxTold is the largest number of objects that get one event each. For more objects, there is a
// single event about the source or discovery.
const maxTold = 100

// reasonCreated is the reason of the event for a new object.
const reasonCreated = "Created"

// eventTexts describes the events that tellObserved records. The map key is the event's reason.
// eventType is Normal or Warning. If one event reports many objects, its text begins with
// textStart.
var eventTexts = map[string]struct{ eventType, textStart string }{
	reasonCreated:              {corev1.EventTypeNormal, "Created"},
	v1alpha1.ReasonListed:      {corev1.EventTypeNormal, "Listed again:"},
	v1alpha1.ReasonMissing:     {corev1.EventTypeWarning, "Not in the last complete listing:"},
	v1alpha1.ReasonSourceStale: {corev1.EventTypeWarning, "No complete listing for staleAfter:"},
}

// tellObserved records events about new objects, and about objects that are now missing, stale or
// listed again. doneWrites has the writes that succeeded. The sources of a discovery get no
// separate events: for each reason, there is one event about the discovery.
func (r *Reconciler) tellObserved(k *kind, o owner, doneWrites []mirror.Write) {
	turned := map[string][]mirror.Object{}
	for _, w := range doneWrites {
		if reason := eventReason(k, w); reason != "" {
			turned[reason] = append(turned[reason], w.Desired)
		}
	}
	for reason, objects := range turned {
		t := eventTexts[reason]
		r.tellAll(o, objects, t.eventType, reason, "Observe", t.textStart+" "+k.noun+": ", func(object mirror.Object) string {
			if conditions := k.Conditions(object); len(conditions) > 0 {
				return conditions[0].Message
			}
			return ""
		})
	}
}

// eventReason returns the reason of the event about a write. A write gets an event if it created
// the object or changed the condition Observed. If the write gets no event, the result is "".
func eventReason(k *kind, w mirror.Write) string {
	switch {
	case w.Existing == nil:
		return reasonCreated
	case k.Observed(w.Desired) == "":
		return ""
	case meta.FindStatusCondition(k.Conditions(w.Existing), v1alpha1.ConditionObserved) == nil:
		return reasonCreated // The object is new: this write sets its first status.
	case k.Observed(w.Existing) == "", k.Observed(w.Existing) == k.Observed(w.Desired):
		return "" // An older operator did not set Observed, or Observed did not change.
	}
	return k.Observed(w.Desired)
}

// tellAll records one event about each object. textOf returns the text of the event. In two cases
// tellAll records a single event about the source or discovery:
//
//   - There are more than maxTold objects.
//   - The objects have no text of their own: textOf returns "" for the first object.
func (r *Reconciler) tellAll(o owner, objects []mirror.Object, kind, reason, action, textStart string, textOf func(mirror.Object) string) {
	if len(objects) > maxTold || textOf(objects[0]) == "" {
		r.tellOfMany(o, objects, kind, reason, action, textStart)
		return
	}
	for _, object := range objects {
		r.tell(object, kind, reason, action, textOf(object))
	}
}

// tellPhase records an event if the object's phase changed in the cloud, for example from
// PROVISIONING to PROVISIONED.
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

// tellReady records events about a source or discovery in these cases:
//
//   - The condition Ready has a new status or a new reason, and the reason is not Progressing.
//   - The condition PruneHeld is new or has a new message. This condition means that a deletion
//     waits for a person's approval.
func (r *Reconciler) tellReady(about runtime.Object, after, before []metav1.Condition) {
	if is, turned := readyOf(before, after); turned && is.Reason != v1alpha1.ReasonProgressing {
		kind := corev1.EventTypeNormal
		if is.Status == metav1.ConditionFalse {
			kind = corev1.EventTypeWarning
		}
		r.tell(about, kind, is.Reason, "Sync", shortenMessage(is.Message, maxNote, is.Type))
	}
	held := meta.FindStatusCondition(after, v1alpha1.ConditionPruneHeld)
	heldBefore := meta.FindStatusCondition(before, v1alpha1.ConditionPruneHeld)
	if held != nil && (heldBefore == nil || heldBefore.Message != held.Message) {
		r.tell(about, corev1.EventTypeWarning, held.Type, "Prune", shortenMessage(held.Message, maxNote, held.Type))
	}
}

// readyOf returns the condition Ready as it is after a reconcile; nil if there is none. The second
// result is true if the reconcile changed the status or the reason of Ready.
func readyOf(before, after []metav1.Condition) (is *metav1.Condition, turned bool) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	return is, is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason)
}

// tellPruned logs the names of the deleted objects, and records one event about them. Objects with
// finalizers still exist, so they get a separate log line and a separate event.
func (r *Reconciler) tellPruned(ctx context.Context, k *kind, o owner, deleted []mirror.Object) {
	var gone, kept []mirror.Object
	for _, d := range deleted {
		if len(d.GetFinalizers()) > 0 {
			kept = append(kept, d)
		} else {
			gone = append(gone, d)
		}
	}
	for _, part := range []struct {
		objects []mirror.Object
		text    string
	}{{gone, "Deleted " + k.noun}, {kept, "Began to delete " + k.noun + ", which finalizers keep"}} {
		if len(part.objects) > 0 {
			log.FromContext(ctx).Info(part.text, "kind", k.Name, "names", objectNames(part.objects))
			r.tellOfMany(o, part.objects, corev1.EventTypeNormal, "Pruned", "Prune", part.text+": ")
		}
	}
}

// tellHeld records events about objects whose deletion waits for a person's approval. ownerBefore
// has the status from before this reconcile. If that status already reported the same objects,
// tellHeld records no event.
func (r *Reconciler) tellHeld(o owner, s *state, ownerBefore owner) {
	for i := range r.owners.kinds {
		k, held := &r.owners.kinds[i], s.kinds[i].report.Held
		if was := heldIn(ownerBefore, k); held == nil || was != nil && was.Digest == held.Digest {
			continue
		}
		r.tellAll(o, held.Objects, corev1.EventTypeWarning, v1alpha1.ConditionPruneHeld, "Prune",
			"Held "+k.noun+": ", func(mirror.Object) string { return held.Message })
	}
}

// tellOfMany records one event about a source or discovery. The text is textStart, followed by
// names of the objects. A long list of names is shortened. The event refers to the first object.
// Without this reference, the recorder could merge two events about the same source or discovery.
func (r *Reconciler) tellOfMany(o owner, objects []mirror.Object, kind, reason, action, textStart string) {
	r.Recorder.Eventf(o.object(), objects[0], kind, reason, action, "%s", mirror.Truncate(textStart+mirror.Names(objectNames(objects)), maxNote))
}

// objectNames returns the objects' names, sorted.
func objectNames(objects []mirror.Object) []string {
	out := make([]string, len(objects))
	for i, o := range objects {
		out[i] = o.GetName()
	}
	slices.Sort(out)
	return out
}

// maxNote is the largest length of an event's text, in bytes. The API server refuses a text of more
// than 1024 bytes.
const maxNote = 1000

func (r *Reconciler) tell(about runtime.Object, kind, reason, action, note string) {
	r.Recorder.Eventf(about, nil, kind, reason, action, "%s", mirror.Truncate(note, maxNote))
}
