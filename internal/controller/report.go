// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
	c := conditionSetter{source, r.now()}
	c.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "the first sync is under way")
	c.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, "the first sync is under way")
	return r.writeStatus(ctx, source, before)
}

// report writes the source's status, if it changed: what the last sync found
// (conditions, numbers, times) and what the plans say.
//
// Conditions set:
//   - KafkaClustersSynced, PeeringsSynced: how the kind's last sync went; absent
//     for a kind that is not mirrored.
//   - Ready: True if every mirrored kind was listed whole and written and no name
//     was taken, else False with the reason of the first kind that failed; Unknown
//     while suspended or before the first sync.
//   - Stalled where only a person can help, else Reconciling where Ready is False.
//   - PruneHeld while a prune waits for approval.
func (r *Reconciler) report(ctx context.Context, p *pass) error {
	if p.putOff > 0 && p.memory.generation != p.source.Generation {
		return nil // Nothing is known of this spec yet; what was said of the last stays.
	}
	before := p.source.DeepCopy()
	c := conditionSetter{p.source, r.now()}
	p.source.Status.ObservedGeneration = p.source.Generation
	var verdicts []verdict
	for i := range kinds {
		r.summarize(p, i)
		v := kindVerdict(p, i)
		if !v.known {
			if !kinds[i].Mirrored(p.source) { // Else it stays as an earlier process set it.
				c.remove(kinds[i].Condition)
			}
			continue
		}
		verdicts = append(verdicts, v)
		c.set(kinds[i].Condition, status(v.reason == v1alpha1.ReasonSucceeded), v.reason, v.message)
	}
	c.setReady(p, verdicts)
	c.setPruneHeld(p.plans)
	for i, plan := range p.plans {
		p.memory.digests[i] = ""
		if plan.Held != nil {
			p.memory.digests[i] = plan.Held.Digest
		}
		r.Metrics.Held(p.source.Namespace, p.source.Name, kinds[i].Name, plan.Held != nil)
	}
	setTimes(p)
	if err := r.writeStatus(ctx, p.source, before); err != nil {
		return err
	}
	r.tellReady(p.source, before.Status.Conditions)
	return nil
}

// summarize puts a kind's numbers in the status. Before its first complete
// listing since the start those of an earlier process stay.
func (r *Reconciler) summarize(p *pass, i int) {
	summary := kinds[i].Summary(&p.source.Status)
	switch {
	case !kinds[i].Mirrored(p.source):
		*summary = nil
	case p.plans[i].Summary != nil:
		*summary = p.plans[i].Summary
	}
}

// verdict is how one kind's last sync went.
type verdict struct {
	known           bool // false if no sync was tried
	reason, message string
}

func kindVerdict(p *pass, i int) verdict {
	o, plan := p.memory.outcomes[i], p.plans[i]
	switch {
	case !o.tried || !kinds[i].Mirrored(p.source):
		return verdict{}
	case o.failure != nil:
		return verdict{true, o.failure.reason, o.failure.message}
	case o.unwritten != nil:
		return verdict{true, o.unwritten.reason, o.unwritten.message}
	case len(plan.Conflicts) > 0:
		return verdict{true, v1alpha1.ReasonNameConflict, conflictMessage(kinds[i].Name, plan.Conflicts)}
	}
	return verdict{true, v1alpha1.ReasonSucceeded, fmt.Sprintf("%s: %d observed", kinds[i].Name, observed(plan.Summary))}
}

func observed(summary *v1alpha1.InventorySummary) int32 {
	if summary == nil {
		return 0
	}
	return summary.Observed
}

func conflictMessage(kind string, conflicts []mirror.Conflict) string {
	names := make([]string, len(conflicts))
	for i, c := range conflicts {
		names[i] = c.Name + " (no controller)"
		if c.Controller != "" {
			names[i] = fmt.Sprintf("%s (controlled by %s)", c.Name, c.Controller)
		}
	}
	return fmt.Sprintf("%s: objects that are not this source's have the names of its observations: %s; delete them, or the source that controls them",
		kind, mirror.Names(names))
}

// setTimes sets when the source was and will be synced. What a sync earned is kept
// in memory until it is reported, since a failed write may come in between.
func setTimes(p *pass) {
	s, m := &p.source.Status, p.memory
	s.NextSyncTime, s.CredentialBackoff = nil, nil
	if !p.source.Spec.Suspend && m.attempted {
		s.NextSyncTime = &metav1.Time{Time: m.next}
		if m.refused > 0 {
			s.CredentialBackoff = &v1alpha1.CredentialBackoff{Delay: metav1.Duration{Duration: m.refused}, SecretVersion: m.secret}
		}
	}
	if m.requested != "" {
		s.LastHandledReconcileAt = m.requested
	}
	if !m.lastSync.IsZero() {
		s.LastSyncTime = &metav1.Time{Time: m.lastSync}
	}
}

func (r *Reconciler) now() metav1.Time { return metav1.NewTime(r.Clock.Now()) }

// writeStatus patches the status if it differs from before. Times are compared in
// seconds, as the API keeps them.
func (r *Reconciler) writeStatus(ctx context.Context, source, before *v1alpha1.InventorySource) error {
	roundTimes(&source.Status)
	if equality.Semantic.DeepEqual(before.Status, source.Status) {
		return nil
	}
	// The patch then names the UID, so that it never lands on a source that was
	// made anew. One deleted meanwhile needs no status.
	before.SetUID("")
	if err := client.IgnoreNotFound(r.Cluster.Status().Patch(ctx, source, client.MergeFrom(before))); err != nil {
		return fmt.Errorf("writing the source's status: %w", err)
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
	for i := range s.Conditions {
		times = append(times, &s.Conditions[i].LastTransitionTime)
	}
	for _, t := range times {
		if t != nil {
			*t = t.Rfc3339Copy()
		}
	}
}

// conditionSetter sets conditions of a source, all at one time.
type conditionSetter struct {
	source *v1alpha1.InventorySource
	now    metav1.Time
}

func (c conditionSetter) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&c.source.Status.Conditions, metav1.Condition{
		Type: conditionType, Status: status, Reason: reason, Message: message,
		ObservedGeneration: c.source.Generation, LastTransitionTime: c.now,
	})
}

func (c conditionSetter) remove(conditionType string) {
	meta.RemoveStatusCondition(&c.source.Status.Conditions, conditionType)
}

// setReady sets Ready, and Reconciling and Stalled with it.
func (c conditionSetter) setReady(p *pass, verdicts []verdict) {
	if len(verdicts) == 0 && mirrorsAny(p.source) && !p.source.Spec.Suspend {
		return // A back-off goes on that an earlier process began, and told why.
	}
	c.remove(v1alpha1.ConditionReconciling)
	c.remove(v1alpha1.ConditionStalled)
	if p.source.Spec.Suspend {
		c.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonSuspended,
			"spec.suspend is true: the cloud is not asked, and observations turn Unknown after staleAfter")
		return
	}
	var messages []string
	for _, v := range verdicts {
		if v.reason != v1alpha1.ReasonSucceeded {
			c.setFailed(v)
			return
		}
		messages = append(messages, v.message)
	}
	message := strings.Join(messages, "; ")
	if message == "" {
		message = "nothing is mirrored: every kind's policy is Ignore"
	}
	c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSucceeded, message)
}

func (c conditionSetter) setFailed(v verdict) {
	c.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v.reason, v.message)
	if needsPerson(v.reason) {
		c.set(v1alpha1.ConditionStalled, metav1.ConditionTrue, v.reason, v.message)
		return
	}
	c.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v.reason, "trying again, at status.nextSyncTime at the latest")
}

// setPruneHeld sets PruneHeld from all plans, with the reason of the first kind
// that is held. While a listing is to be confirmed, as after each start, what was
// said stays: the confirming one follows soon.
func (c conditionSetter) setPruneHeld(plans []*mirror.Plan) {
	var reason string
	confirming := false
	var messages []string
	for _, plan := range plans {
		confirming = confirming || plan.Unconfirmed
		if plan.Held == nil {
			continue
		}
		if reason == "" {
			reason = plan.Held.Reason
		}
		messages = append(messages, plan.Held.Message)
	}
	switch {
	case reason == "" && confirming:
		return
	case reason == "":
		c.remove(v1alpha1.ConditionPruneHeld)
		return
	}
	c.set(v1alpha1.ConditionPruneHeld, metav1.ConditionTrue, reason, strings.Join(messages, "; "))
}

func status(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}
