// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// apply carries out the plan. A write that fails stops no other; it is noted, and a pass soon
// after tries it again without asking the cloud.
func (r *DiscoveryReconciler) apply(ctx context.Context, p *discoveryPass) {
	k, now := &p.state.environments, r.Clock.Now()
	r.Metrics.Skipped(mirror.Environment.Name, p.plan.Unchanged)
	k.planned = len(p.plan.Writes) + len(p.plan.Deletes)
	writes := slices.DeleteFunc(slices.Clone(p.plan.Writes), func(w mirror.Write) bool { return k.retries.waiting(w.Desired.GetName(), now) })
	errs := r.each(ctx, len(writes), func(n int) error { return r.writeSource(ctx, writes[n]) })
	var created []string
	for n, w := range writes {
		k.note(w.Desired.GetName(), errs[n], now)
		if w.Existing == nil && !notCreated(errs[n]) {
			child := w.Desired.(*mirror.Child)
			created = append(created, child.Name)
			p.plan.Kept = append(p.plan.Kept, v1alpha1.DiscoveredSource{Environment: child.CloudID(), Name: child.Name,
				DisplayName: child.Annotations[v1alpha1.AnnotationEnvironmentName]})
			if k.report.Summary != nil {
				k.report.Summary.Observed++
			}
		}
	}
	deletes := slices.DeleteFunc(slices.Clone(p.plan.Deletes), func(o v1alpha1.Observation) bool { return k.retries.waiting(o.GetName(), now) })
	errs = r.each(ctx, len(deletes), func(n int) error { return r.deleteSource(ctx, deletes[n]) })
	var deleted []string
	for n, o := range deletes {
		k.note(o.GetName(), errs[n], now)
		if errs[n] == nil {
			deleted = append(deleted, o.GetName())
			k.report.Deleted(o)
			p.plan.Kept = slices.DeleteFunc(p.plan.Kept, func(s v1alpha1.DiscoveredSource) bool { return s.Name == o.GetName() })
		}
	}
	r.tellSources(ctx, p, created, deleted)
}

// tellSources records an event for the sources that a pass made, and one for those that it
// deleted.
func (r *DiscoveryReconciler) tellSources(ctx context.Context, p *discoveryPass, created, deleted []string) {
	if len(created) > 0 {
		r.tell(p.discovery, corev1.EventTypeNormal, reasonCreated, "Discover", "Created sources: "+mirror.Names(created))
	}
	if len(deleted) > 0 {
		r.tell(p.discovery, corev1.EventTypeNormal, "Pruned", "Prune", "Deleted sources: "+mirror.Names(deleted))
	}
	if len(created)+len(deleted) > 0 {
		log.FromContext(ctx).Info("Discovered", "created", len(created), "deleted", len(deleted))
	}
	if f := p.state.environments.unwritten(mirror.Environment.Name); f != nil {
		log.FromContext(ctx).Info("Writing failed", "kind", mirror.Environment.Name, "cause", f.message)
	}
}

// writeSource creates or changes one source. The request fails if the source is no longer
// the one that the plan was made from.
func (r *DiscoveryReconciler) writeSource(ctx context.Context, w mirror.Write) error {
	answer := w.Desired.(*mirror.Child).DeepCopy()
	name := answer.Name
	if w.Existing == nil {
		if err := r.wrote("create", r.Cluster.Create(ctx, answer)); err != nil {
			return creation{fmt.Errorf("creating source %s: %w", name, err)}
		}
	} else if err := r.wrote("patch", r.Cluster.Patch(ctx, answer, optimistic(w.Existing.(*mirror.Child).InventorySource))); err != nil {
		return fmt.Errorf("changing source %s: %w", name, err)
	}
	if !mirror.NewChild(answer).SameStatus(w.Desired) {
		return fmt.Errorf("source %s was stored otherwise than it was sent: an older CRD drops a field, or an admission policy changes one", name)
	}
	return nil
}

func (r *DiscoveryReconciler) deleteSource(ctx context.Context, o v1alpha1.Observation) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	source := o.(*mirror.Child).InventorySource
	err := client.IgnoreNotFound(r.Cluster.Delete(ctx, source, client.Preconditions{UID: &uid, ResourceVersion: &version}))
	if r.wrote("delete", err) != nil {
		return fmt.Errorf("deleting source %s: %w", o.GetName(), err)
	}
	return nil
}

// wrote counts a write and returns its error.
func (r *DiscoveryReconciler) wrote(verb string, err error) error {
	r.Metrics.Wrote(mirror.Environment.Name, verb, err)
	return err
}

// report writes the discovery's status, if it changed.
//
// Conditions set:
//   - Ready: True if the environments were listed whole and each has its source; False with
//     the reason of what failed; Unknown while suspended and before the first listing.
//   - Stalled where only a person can help, else Reconciling where Ready is not True.
//   - PruneHeld while a prune waits for approval.
func (r *DiscoveryReconciler) report(ctx context.Context, p *discoveryPass) error {
	d := p.discovery
	before := d.DeepCopy()
	c := conditionSetter{&d.Status.Conditions, d.Generation, r.now()}
	if p.putOff.For == 0 || p.state.schedule.answered.generation == d.Generation {
		d.Status.ObservedGeneration = d.Generation
		r.setNumbers(p)
		c.setPruneHeld(p.held())
		if v := p.verdict(); v != nil {
			c.setReady(*v)
		}
		p.setTimes()
	}
	if p.putOff.For > 0 {
		d.Status.NextSyncTime = &metav1.Time{Time: c.now.Add(p.putOff.For)}
		if r.Clock.Now().Add(p.putOff.For).Sub(p.state.schedule.waiting) >= min(d.GetTimeout(), patience) {
			c.setReady(verdict{reason: v1alpha1.ReasonRateLimited, message: "the listing that is due waits for the request budget of its API key: " +
				p.putOff.Cause + "; it is tried again at status.nextSyncTime"})
		}
	}
	r.Metrics.Held(d.Namespace, d.Name, mirror.Environment.Name, p.held() != nil)
	roundDiscoveryTimes(&d.Status)
	if equality.Semantic.DeepEqual(before.Status, d.Status) {
		return nil
	}
	after := slices.Clone(d.Status.Conditions)
	if err := r.writeStatus(ctx, d, d.Status); err != nil {
		return err
	}
	r.tellReady(d, after, before.Status.Conditions)
	return nil
}

// maxSources is how many sources a discovery's status names.
const maxSources = 500

func (r *DiscoveryReconciler) setNumbers(p *discoveryPass) {
	status, report := &p.discovery.Status, &p.state.environments.report
	held := p.held()
	switch {
	case report.Held != nil:
		held = &v1alpha1.HeldPrune{Reason: report.Held.Reason, Digest: report.Held.Digest,
			Count: int32(len(report.Held.Observations)), Message: mirror.Truncate(report.Held.Message, maxMessage)}
	case !report.Undecided:
		held = nil
	}
	if report.Summary != nil {
		status.Environments = report.Summary.DeepCopy()
	}
	if status.Environments != nil {
		status.Environments.Held = held
	}
	kept := p.plan.Kept
	slices.SortFunc(kept, func(a, b v1alpha1.DiscoveredSource) int { return strings.Compare(a.Environment, b.Environment) })
	kept = slices.CompactFunc(kept, func(a, b v1alpha1.DiscoveredSource) bool { return a.Environment == b.Environment })
	status.SourceCount = int32(len(kept))
	status.Sources = kept[:min(len(kept), maxSources)]
}

func (p *discoveryPass) setTimes() {
	status, schedule := &p.discovery.Status, &p.state.schedule
	status.NextSyncTime = nil
	if !p.discovery.Spec.Suspend && schedule.answered.generation != 0 {
		status.NextSyncTime = &metav1.Time{Time: schedule.next}
	}
	if schedule.answered.requestedAt != "" {
		status.LastHandledReconcileAt = schedule.answered.requestedAt
	}
	if !schedule.lastSync.IsZero() {
		status.LastSyncTime = &metav1.Time{Time: schedule.lastSync}
	}
}

func roundDiscoveryTimes(s *v1alpha1.EnvironmentDiscoveryStatus) {
	times := []*metav1.Time{s.LastSyncTime, s.NextSyncTime}
	if s.Environments != nil {
		times = append(times, s.Environments.LastListTime)
	}
	inSeconds(s.Conditions, times...)
}

// verdict returns what Ready is to say, nil if that stays as an earlier process set it.
func (p *discoveryPass) verdict() *verdict {
	k := &p.state.environments
	unwritten := k.unwritten(mirror.Environment.Name)
	switch f := k.outcome.failure; {
	case p.discovery.Spec.Suspend:
		return &verdict{reason: v1alpha1.ReasonSuspended, message: "spec.suspend is true: environments are not listed; the sources there are go on"}
	case !k.outcome.tried:
		return nil
	case f != nil && k.report.Withheld > 0:
		return &verdict{reason: f.reason, message: mirror.Truncate(fmt.Sprintf(
			"%s; %d environments that only such listings told of get no source until one is complete", f.message, k.report.Withheld), maxMessage)}
	case f != nil:
		return &verdict{reason: f.reason, message: f.message}
	case unwritten != nil:
		return &verdict{reason: unwritten.reason, message: unwritten.message}
	case len(k.report.Conflicts)+len(k.report.Clashes) > 0:
		return k.takenNames()
	}
	message := fmt.Sprintf("%d environments", observed(k.report.Summary))
	if summary := k.report.Summary; summary != nil && summary.Missing > 0 {
		message += fmt.Sprintf(", %d sources whose environment is missing", summary.Missing)
	}
	return &verdict{reason: v1alpha1.ReasonSucceeded, message: message}
}

var takenSources = taken{
	theirs:  "sources that are not this discovery's have the names of its own: %s; delete them, or exclude their environments",
	formers: "waiting for the garbage collector to delete the sources of the deleted discovery that had this one's name: %s",
	others:  "sources of other environments have the names of listed ones: %s; delete them to let the listed ones take their place",
	clashes: "environments without a source, since its name is another one's: %s",
}

// takenNames says which sources cannot be, because something else has their names.
func (k *kindState) takenNames() *verdict {
	v := &verdict{reason: v1alpha1.ReasonNameConflict, message: takenSources.message(k.report)}
	if waitsForPredecessor(k.report.Conflicts) {
		v.reason = v1alpha1.ReasonProgressing
	}
	return v
}
