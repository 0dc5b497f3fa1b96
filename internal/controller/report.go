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

// announce says, once in a source's life, that its first sync is under way:
// Ready=Unknown and Reconciling=True, reason Progressing. Later syncs are not
// announced, so that each costs one write of the status at most.
func (r *Reconciler) announce(ctx context.Context, source *v1alpha1.InventorySource) error {
	if meta.FindStatusCondition(source.Status.Conditions, v1alpha1.ConditionReady) != nil {
		return nil
	}
	before := source.DeepCopy()
	c := conditionSetter{&source.Status.Conditions, source.Generation, r.now()}
	c.setReady(verdict{reason: v1alpha1.ReasonProgressing, message: "the first sync is under way"})
	return r.writeSourceStatus(ctx, source, before)
}

// report writes the source's status, if it changed: what the last sync found
// (conditions, numbers, times) and what the plans say.
//
// Conditions set:
//   - KafkaClustersSynced, PeeringsSynced: how the kind's last sync went; absent
//     for a kind that is not mirrored.
//   - Ready: True if every mirrored kind was listed whole and written and no name
//     was taken, else False with the reason of the first kind that failed; Unknown
//     while suspended, before the first sync, and while a deleted source's
//     observations are in the way.
//   - Stalled where only a person can help, else Reconciling where Ready is not True.
//   - PruneHeld while a prune waits for approval.
//
// A sync that is due and waits for its credential's request budget is reported once it
// waits for long: Ready is False, RateLimited, or still Progressing before the first.
func (r *Reconciler) report(ctx context.Context, p *pass) error {
	before := p.source.DeepCopy()
	p.configMaps = r.configMapsOf(p.source)
	c := conditionSetter{&p.source.Status.Conditions, p.source.Generation, r.now()}
	unseen := p.putOff.For > 0 && p.state.schedule.answered.generation != p.source.Generation
	if !unseen { // Else what was said of the last spec stays.
		p.source.Status.ObservedGeneration = p.source.Generation
		r.setSummaries(p)
		c.setPruneHeld(allHeldIn(p.source)...)
		if ready := c.setSynced(p); ready != nil {
			c.setReady(*ready)
		}
		setTimes(p)
	}
	if waits := r.overdue(p); waits != nil {
		c.setReady(*waits)
		p.source.Status.NextSyncTime = &metav1.Time{Time: c.now.Add(p.putOff.For)}
	}
	if err := r.writeSourceStatus(ctx, p.source, before); err != nil {
		return err
	}
	r.tellReady(p.source, p.source.Status.Conditions, before.Status.Conditions)
	r.tellHeld(p, before)
	logPass(ctx, p, before.Status.Conditions)
	return nil
}

// logPass logs one line of a pass that changed something: observations, or whether and why
// the source is ready. One that changed nothing, as most are, is logged at debug level.
func logPass(ctx context.Context, p *pass, before []metav1.Condition) {
	did := "Repaired"
	if p.syncing {
		did = "Synced"
	}
	ready, turned := readyOf(before, p.source.Status.Conditions)
	reason := ""
	if ready != nil {
		reason = ready.Reason
	}
	logger := log.FromContext(ctx)
	if p.written+p.deleted == 0 && !turned {
		logger = logger.V(1)
	}
	logger.Info(did, "written", p.written, "deleted", p.deleted, "ready", reason)
}

// overdue returns what to say of a sync that waits for long, or because the cloud asked
// for a pause; nil if none does.
func (r *Reconciler) overdue(p *pass) *verdict {
	wait := p.putOff
	waited := r.Clock.Now().Add(wait.For).Sub(p.state.schedule.waiting)
	if wait.For == 0 || waited < min(p.source.GetTimeout(), patience) && (!wait.Cloud || wait.For < firstRetry) {
		return nil
	}
	reason := v1alpha1.ReasonRateLimited
	if ready := meta.FindStatusCondition(p.source.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.Reason == v1alpha1.ReasonProgressing {
		reason = v1alpha1.ReasonProgressing
	}
	return &verdict{reason: reason, message: "the sync that is due waits for the request budget of its API key: " + wait.Cause + "; it is tried again at status.nextSyncTime"}
}

// setSummaries puts each kind's numbers in the status, and the prune that is held.
// Before its first complete listing since the start those of an earlier process stay.
func (r *Reconciler) setSummaries(p *pass) {
	for i := range kinds {
		summary, report := kinds[i].Summary(&p.source.Status), &p.state.kinds[i].report
		held := heldIn(p.source, i)
		switch {
		case report.Held != nil:
			held = &v1alpha1.HeldPrune{Reason: report.Held.Reason, Digest: report.Held.Digest,
				Count: int32(len(report.Held.Observations)), Message: mirror.Truncate(report.Held.Message, maxMessage)}
		case !report.Undecided:
			held = nil
		}
		switch {
		case !kinds[i].Mirrored(p.source):
			*summary, held = nil, nil
		case report.Summary != nil:
			*summary = report.Summary.DeepCopy()
		}
		if *summary != nil {
			(*summary).Held = held
		}
		r.Metrics.Held(p.source.Namespace, p.source.Name, kinds[i].Name, held != nil)
	}
}

// setTimes sets when the source was and will be synced. What a sync earned is kept
// in the schedule until it is reported, since a failed write may come in between.
func setTimes(p *pass) {
	status, schedule := &p.source.Status, &p.state.schedule
	status.NextSyncTime, status.CredentialBackoff = nil, nil
	if !p.source.Spec.Suspend && schedule.answered.generation != 0 {
		status.NextSyncTime = &metav1.Time{Time: schedule.next}
		if schedule.refused > 0 {
			status.CredentialBackoff = &v1alpha1.CredentialBackoff{
				Delay: metav1.Duration{Duration: schedule.refused}, SecretVersion: schedule.answered.secret}
		}
	}
	if schedule.answered.requestedAt != "" {
		status.LastHandledReconcileAt = schedule.answered.requestedAt
	}
	if !schedule.lastSync.IsZero() {
		status.LastSyncTime = &metav1.Time{Time: schedule.lastSync}
	}
}

func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now()) }

// writeSourceStatus replaces the status if it differs from before, and takes what the API
// server made of it. Times are compared in seconds, as the API keeps them.
func (r *Reconciler) writeSourceStatus(ctx context.Context, source, before *v1alpha1.InventorySource) error {
	roundTimes(&source.Status)
	if equality.Semantic.DeepEqual(before.Status, source.Status) {
		return nil
	}
	return r.writeStatus(ctx, source, source.Status)
}

// writeStatus replaces an object's status, and takes what the API server made of it.
//
// The patch first tests the UID, so that it never lands on an object that was created
// again under a former one's name: the API server ignores a UID in a merge patch of a
// custom resource. An object deleted meanwhile needs no status.
func (r *Reconciler) writeStatus(ctx context.Context, object client.Object, status any) error {
	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": object.GetUID()},
		{"op": "add", "path": "/status", "value": status},
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

func roundTimes(s *v1alpha1.InventorySourceStatus) {
	times := []*metav1.Time{s.LastSyncTime, s.NextSyncTime}
	for i := range kinds {
		if summary := *kinds[i].Summary(s); summary != nil {
			times = append(times, summary.LastListTime)
		}
	}
	inSeconds(s.Conditions, times...)
}

// inSeconds rounds the times of conditions, and others, to what the API keeps.
func inSeconds(conditions []metav1.Condition, times ...*metav1.Time) {
	for i := range conditions {
		times = append(times, &conditions[i].LastTransitionTime)
	}
	for _, t := range times {
		if t != nil {
			*t = t.Rfc3339Copy()
		}
	}
}
