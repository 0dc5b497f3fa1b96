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

// announce reports in the status that the first sync has begun. It sets Ready to Unknown and
// Reconciling to True, with the reason Progressing. If o already has the condition Ready, announce
// does nothing.
func (r *Reconciler) announce(ctx context.Context, o owner) error {
	if meta.FindStatusCondition(o.status().Conditions, v1alpha1.ConditionReady) != nil {
		return nil
	}
	before := r.copyOf(o)
	r.conditionsOf(o).setReady(verdict{reason: v1alpha1.ReasonProgressing, message: r.owners.words.firstSync})
	return r.writeStatus(ctx, o, before)
}

// If the cloud lists a missing object again, endAbsences removes from the status the time at which
// the object went missing. See mirror.Kind.EndAbsences. endAbsences writes the status, and returns
// the source or discovery with the new status. If the write fails, endAbsences returns o, and the
// old times stay in the status until a later write.
func (r *Reconciler) endAbsences(ctx context.Context, o owner, s *state) owner {
	next := r.copyOf(o)
	for i := range r.owners.kinds {
		r.owners.kinds[i].EndAbsences(next.object(), s.kinds[i].ledger)
	}
	// After the write, the written object has the newest spec and annotations. The plan is for the
	// older spec and annotations, and this reconcile still needs these. So write a copy.
	if err := r.writeStatus(ctx, r.copyOf(next), o); err != nil {
		log.FromContext(ctx).Info("The times of ended absences stay in the status", "cause", err.Error())
		return o
	}
	return next
}

// copyOf returns a copy of a source or discovery.
func (r *Reconciler) copyOf(o owner) owner {
	return r.owners.wrap(o.object().DeepCopyObject().(client.Object))
}

// report updates the status of o, a source or discovery. If the status changed, report writes it to
// the API server. report sets these conditions:
//
//   - KafkaClustersSynced, PeeringsSynced and so on: how the last sync of one kind went. A source
//     has one such condition for each kind that it mirrors. A discovery has none.
//   - Ready: True if every kind was listed completely and all objects were written. If a kind
//     failed, Ready is False and has the reason of the first failed kind. Ready is Unknown before
//     the first sync, while spec.suspend is true, and while the operator waits for object names
//     that will soon be free.
//   - Stalled: True if o cannot become Ready before a person changes something.
//   - Reconciling: True if o is not Ready, but the operator tries again by itself.
//   - PruneHeld: True while deletions wait for a person's approval.
//
// For a sync that the rate limit delays, see overdueVerdict.
func (r *Reconciler) report(ctx context.Context, o owner, s *state, asked syncAnswers, did writeResult) error {
	before := r.copyOf(o)
	c := r.conditionsOf(o)
	if asked.putOff.For == 0 && !o.settings().suspend {
		// A person may have changed the spec during the reconcile. The new spec still needs a sync, so
		// the status does not say yet that the operator has observed it.
		c.generation = max(s.schedule.usedVersions.generation, min(o.status().ObservedGeneration, o.object().GetGeneration()))
	}
	// The rate limit can delay the sync for a changed spec. Until this sync, the status must
	// describe the old spec.
	describesOldSpec := asked.putOff.For > 0 && s.schedule.usedVersions.generation != o.object().GetGeneration()
	if !describesOldSpec {
		o.status().ObservedGeneration = c.generation
		r.setSummaries(o, s)
		o.setOwnStatus(ctx, r.Options, s, did)
		c.setPruneHeld(o.heldPrunes()...)
		if ready := r.setSynced(c, o, s); ready != nil {
			c.setReady(*ready)
		}
		s.schedule.setTimes(o)
	}
	if waits := r.overdueVerdict(o, s, asked); waits != nil {
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

// logPass logs one line for each reconcile. If neither the objects nor the condition Ready changed,
// the line has debug level.
func logPass(ctx context.Context, o owner, asked syncAnswers, did writeResult, before []metav1.Condition) {
	what := "Repaired"
	if asked.wasSynced() {
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

// overdueVerdict returns what the condition Ready must report while a rate limit delays a sync. The
// result is nil if there is no delay, or only a short delay. A delay is long in these cases:
//
//   - The whole delay of this sync is at least one minute, or at least spec.timeout if spec.timeout
//     is shorter.
//   - The cloud's own rate limit delays the sync until 10 seconds from now, or later.
//
// The reason of the result is RateLimited. For the first sync, the reason is Progressing.
func (r *Reconciler) overdueVerdict(o owner, s *state, asked syncAnswers) *verdict {
	wait := asked.putOff
	waited := r.Clock.Now().Add(wait.For).Sub(s.schedule.delayedSince)
	if wait.For == 0 || waited < min(o.settings().timeout, patience) && (!wait.Cloud || wait.For < firstRetry) {
		return nil
	}
	reason := v1alpha1.ReasonRateLimited
	if ready := meta.FindStatusCondition(o.status().Conditions, v1alpha1.ConditionReady); ready == nil || ready.Reason == v1alpha1.ReasonProgressing {
		reason = v1alpha1.ReasonProgressing
	}
	return &verdict{reason: reason, message: r.owners.words.rateLimited + wait.Cause + "; it is tried again at status.nextSyncTime"}
}

// setSummaries sets the summary of each kind in the status: the counts of objects, and the
// deletions that wait for a person's approval. In these cases, old values stay:
//
//   - No listing was complete after the manager's start: the old counts stay.
//   - Another listing must show whether a person must approve the deletions: the waiting deletions
//     stay.
//   - The spec ignores the kind, but the manager has no right to read the kind's objects: the
//     counts stay, because the objects still exist.
func (r *Reconciler) setSummaries(o owner, s *state) {
	for i := range r.owners.kinds {
		k, report := &r.owners.kinds[i], &s.kinds[i].report
		summary, held := k.Summary(o.object()), heldIn(o, k)
		switch {
		case report.Held != nil:
			held = &v1alpha1.HeldPrune{Reason: report.Held.Reason, Digest: report.Held.Digest,
				Count: int32(len(report.Held.Objects)), Message: mirror.Truncate(report.Held.Message, maxMessage)}
		case !report.Undecided:
			held = nil
		}
		switch {
		case !k.Mirrored(o.object()):
			if held = nil; r.unreadableLeft(o, k) == nil {
				*summary = nil
			}
		case report.Summary != nil:
			*summary = report.Summary.DeepCopy()
		// No listing was complete after the manager's start, so keep the old counts. Change only
		// Scope, which is a hash of the endpoint, the credential and the filter of the listings.
		case *summary != nil && s.kinds[i].ledger != nil:
			(*summary).Scope = s.kinds[i].ledger.Scope()
		}
		if *summary != nil {
			(*summary).Held = held
		}
	}
}

// setTimes sets lastSyncTime, nextSyncTime, credentialBackoff and lastHandledReconcileAt in the
// status.
func (s *schedule) setTimes(o owner) {
	s.setNext(o)
	status := o.status()
	if s.usedVersions.requestedAt != "" {
		status.LastHandledReconcileAt = s.usedVersions.requestedAt
	}
	if !s.lastSync.IsZero() {
		status.LastSyncTime = &metav1.Time{Time: s.lastSync}
	}
}

// setNext sets nextSyncTime and credentialBackoff in the status.
func (s *schedule) setNext(o owner) {
	status := o.status()
	status.NextSyncTime, status.CredentialBackoff = nil, nil
	if o.settings().suspend || s.usedVersions.generation == 0 {
		return
	}
	status.NextSyncTime = &metav1.Time{Time: s.nextSync}
	if s.refusalWait > 0 {
		status.CredentialBackoff = &v1alpha1.CredentialBackoff{
			Delay: metav1.Duration{Duration: s.refusalWait}, SecretVersion: s.usedVersions.secretVersion}
	}
}

// writeStatus writes the status of o if it differs from the status of ownerBefore. After the write,
// o is the object that the API server returned. If the object no longer exists, writeStatus returns
// nil.
//
// The patch tests the UID, so it never changes a new object with the same name. It must be a JSON
// patch, because the API server does not check the UID in a merge patch of a custom resource.
func (r *Reconciler) writeStatus(ctx context.Context, o, ownerBefore owner) error {
	r.inSeconds(o)
	if equality.Semantic.DeepEqual(ownerBefore.wholeStatus(), o.wholeStatus()) {
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

// inSeconds cuts the times in the status to whole seconds, as the API server stores them.
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
