// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// announce reports that an owner's first sync is under way: Ready=Unknown and Reconciling=True,
// both with reason Progressing. If the owner has a condition Ready already, announce does nothing.
// So a later sync costs at most one write of the status.
func (r *Reconciler) announce(ctx context.Context, o owner) error {
	if meta.FindStatusCondition(o.status().Conditions, v1alpha1.ConditionReady) != nil {
		return nil
	}
	before := r.copied(o)
	r.conditionsOf(o).setReady(verdict{reason: v1alpha1.ReasonProgressing, message: r.owners.words.first})
	return r.writeStatus(ctx, o, before)
}

// copied returns a copy of an owner.
func (r *Reconciler) copied(o owner) owner {
	return r.owners.wrap(o.object().DeepCopyObject().(client.Object))
}

// report updates the owner's status and writes it if it changed. The status has the conditions,
// counts and times of the last sync, and what the plans report.
//
// Conditions set:
//
//   - KafkaClustersSynced, PeeringsSynced and so on (of a source): how the kind's last sync went.
//     The condition is absent if the kind is not mirrored.
//   - Ready: True if every mirrored kind was listed completely and written, and no wanted name is
//     taken. Otherwise False, with the reason of the first kind that failed. Unknown while
//     suspended, before the first sync, and while all taken names will be free soon.
//   - Stalled: True if only a person can help.
//   - Reconciling: True if the operator tries again by itself.
//   - PruneHeld: True while a prune waits for approval.
//
// If a due sync waits long for its credential's request budget, Ready becomes False with reason
// RateLimited. Before the first sync, Ready keeps the reason Progressing.
func (r *Reconciler) report(ctx context.Context, o owner, s *state, asked answers, did done) error {
	before := r.copied(o)
	c := r.conditionsOf(o)
	unseen := asked.putOff.For > 0 && s.schedule.answered.generation != o.object().GetGeneration()
	if !unseen { // An unseen spec was not synced yet, so the status still describes the former spec.
		o.status().ObservedGeneration = o.object().GetGeneration()
		r.setSummaries(o, s)
		o.setOwnStatus(ctx, r.Options, s, did)
		c.setPruneHeld(o.held()...)
		if ready := r.setSynced(c, o, s); ready != nil {
			c.setReady(*ready)
		}
		s.schedule.setTimes(o)
	}
	if waits := r.overdue(o, s, asked); waits != nil {
		c.setReady(*waits)
		o.status().NextSyncTime = &metav1.Time{Time: c.now.Add(asked.putOff.For)}
	}
	if err := r.writeStatus(ctx, o, before); err != nil {
		return err
	}
	r.tellReady(o.object(), o.status().Conditions, before.status().Conditions)
	r.tellHeld(o, s, before)
	logPass(ctx, o, asked, did, before.status().Conditions)
	return nil
}

// logPass logs one line for a pass. If the pass changed neither objects nor Ready, the line is at
// debug level.
func logPass(ctx context.Context, o owner, asked answers, did done, before []metav1.Condition) {
	what := "Repaired"
	if asked.synced() {
		what = "Synced"
	}
	ready, turned := readyOf(before, o.status().Conditions)
	reason := ""
	if ready != nil {
		reason = ready.Reason
	}
	logger := log.FromContext(ctx)
	if did.written+did.deleted == 0 && !turned {
		logger = logger.V(1)
	}
	logger.Info(what, "written", did.written, "deleted", did.deleted, "ready", reason)
}

// overdue returns the verdict on a due sync that waits long for its request budget, or because the
// cloud asked for the wait. It returns nil if no sync waits, or if the wait is too short to report.
func (r *Reconciler) overdue(o owner, s *state, asked answers) *verdict {
	wait := asked.putOff
	waited := r.Clock.Now().Add(wait.For).Sub(s.schedule.waiting)
	if wait.For == 0 || waited < min(o.settings().timeout, patience) && (!wait.Cloud || wait.For < firstRetry) {
		return nil
	}
	reason := v1alpha1.ReasonRateLimited
	if ready := meta.FindStatusCondition(o.status().Conditions, v1alpha1.ConditionReady); ready == nil || ready.Reason == v1alpha1.ReasonProgressing {
		reason = v1alpha1.ReasonProgressing
	}
	return &verdict{reason: reason, message: r.owners.words.waiting + wait.Cause + "; it is tried again at status.nextSyncTime"}
}

// setSummaries sets the counts and the held prune of each kind in the status. Counts of an earlier
// process stay until the kind's first complete listing since the start. While it is not known
// whether a prune is still held, the prune stays in the status. But if fewer objects are missing or
// out of scope than the prune has, the prune is removed.
func (r *Reconciler) setSummaries(o owner, s *state) {
	for i := range r.owners.kinds {
		k, report := &r.owners.kinds[i], &s.kinds[i].report
		summary, held := k.Summary(o.object()), heldIn(o, k)
		switch {
		case report.Held != nil:
			held = &v1alpha1.HeldPrune{Reason: report.Held.Reason, Digest: report.Held.Digest,
				Count: int32(len(report.Held.Objects)), Message: mirror.Truncate(report.Held.Message, maxMessage)}
		case !report.Undecided || held != nil && report.Gone() < held.Count:
			held = nil
		}
		switch {
		case !k.Mirrored(o.object()):
			*summary, held = nil, nil
		case report.Summary != nil:
			*summary = report.Summary.DeepCopy()
		case *summary != nil && s.kinds[i].ledger != nil: // An incomplete listing may have had objects that no other scope shows.
			(*summary).Scope = s.kinds[i].ledger.Scope()
		}
		if *summary != nil {
			(*summary).Held = held
		}
	}
}

// setTimes sets in the status: the times of the last complete sync and of the next sync, the
// back-off after a refused credential, and the last value of the annotation requestedAt that a sync
// answered.
func (s *schedule) setTimes(o owner) {
	status := o.status()
	status.NextSyncTime, status.CredentialBackoff = nil, nil
	if !o.settings().suspend && s.answered.generation != 0 {
		status.NextSyncTime = &metav1.Time{Time: s.next}
		if s.refused > 0 {
			status.CredentialBackoff = &v1alpha1.CredentialBackoff{
				Delay: metav1.Duration{Duration: s.refused}, SecretVersion: s.answered.secret}
		}
	}
	if s.answered.requestedAt != "" {
		status.LastHandledReconcileAt = s.answered.requestedAt
	}
	if !s.lastSync.IsZero() {
		status.LastSyncTime = &metav1.Time{Time: s.lastSync}
	}
}

// writeStatus writes the status of o if it differs from the status of before. After a write, o is
// what the API server answered. Times are compared in seconds, because the API stores no fractions.
//
// The patch first tests the UID. So it never changes an object that was created later with the same
// name. A merge patch cannot do that: the API server ignores the UID in a merge patch to a custom
// resource. If the object does not exist any more, that is no error.
func (r *Reconciler) writeStatus(ctx context.Context, o, before owner) error {
	r.inSeconds(o)
	if equality.Semantic.DeepEqual(before.wholeStatus(), o.wholeStatus()) {
		return nil
	}
	object := o.object()
	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": object.GetUID()},
		{"op": "add", "path": "/status", "value": o.wholeStatus()},
	})
	if err != nil {
		return fmt.Errorf("encoding the status of %s: %w", object.GetName(), err)
	}
	err = r.Cluster.Status().Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch))
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("writing the status of %s: %w", object.GetName(), err)
	}
	return nil
}

// inSeconds cuts the times in an owner's status to seconds, because the API stores no fractions.
func (r *Reconciler) inSeconds(o owner) {
	status := o.status()
	times := []*metav1.Time{status.LastSyncTime, status.NextSyncTime}
	for i := range r.owners.kinds {
		if summary := *r.owners.kinds[i].Summary(o.object()); summary != nil {
			times = append(times, summary.LastListTime)
		}
	}
	for i := range status.Conditions {
		times = append(times, &status.Conditions[i].LastTransitionTime)
	}
	for _, t := range times {
		if t != nil {
			*t = t.Rfc3339Copy()
		}
	}
}
