// SPDX-License-Identifier: Apache-2.0

// Package controller has the engine that keeps objects in the cluster equal to what the cloud
// lists. An owner is an InventorySource or an EnvironmentDiscovery. An owner has a credential, a
// schedule, and kinds that it mirrors. The engine is the same for both kinds of owners: it lists
// each kind, plans, writes and reports. One call of Reconcile is a pass: ask, then repair or look,
// then apply, then report. The files source.go and discovery.go describe the owners. The file
// kinds.go describes the kinds that they mirror. Only package cloudapi knows the cloud's HTTP and
// JSON.
package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// NewSources returns the reconciler of InventorySources. The reconciler keeps their observations.
func NewSources(o *Options) *Reconciler { return newReconciler(o, sources) }

// NewDiscoveries returns the reconciler of EnvironmentDiscoveries. The reconciler keeps their
// InventorySources.
func NewDiscoveries(o *Options) *Reconciler { return newReconciler(o, discoveries) }

func newReconciler(o *Options, kind ownerKind) *Reconciler {
	r := &Reconciler{Options: o, owners: kind}
	r.watched = func(kind int, namespace, owner string) checksum {
		return r.census.sum(kind, namespace, r.owners.kinds[kind].claimed(owner))
	}
	return r
}

// Three features need more rights than these: endpoint-configmaps, secret-watch and
// workload-identity. The rights of each feature are in the folder of config with the feature's
// name.
//
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/status;inventorysources/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/finalizers;inventorysources/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources;kafkaclusterobservations;peeringobservations;networkobservations;schemaregistryobservations;transitgatewayattachmentobservations;privatelinkaccessobservations,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations/status;peeringobservations/status;networkobservations/status;schemaregistryobservations/status;transitgatewayattachmentobservations/status;privatelinkaccessobservations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile makes the objects of one owner equal to what the cloud lists.
//
// If a sync is due, see schedule, Reconcile asks the cloud. Then it compares the objects in the
// cluster with what the listings so far had, and writes the differences. Between two syncs this
// comparison undoes what someone else changed. If possible, Reconcile looks only at the objects
// that the watch named, see repair. The comment of report says which conditions each result sets.
//
// An error comes from the API server. A failure of the cloud, of the credential or of a single
// object is not an error: the owner's status reports it, and a later pass tries again.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	o, err := r.get(ctx, req.NamespacedName)
	switch {
	case err != nil:
		return ended(ctx, err)
	case o == nil:
		r.states.forget(req.NamespacedName)
		r.Metrics.Forget(r.owners.name, req.Namespace, req.Name)
		return reconcile.Result{}, nil
	case !o.object().GetDeletionTimestamp().IsZero():
		r.Metrics.Forget(r.owners.name, req.Namespace, req.Name)
		return reconcile.Result{}, nil // The garbage collector does the rest.
	}
	s := r.states.get(o, r.owners.kinds, r.Clock.Now())
	if wait, err := r.holdOff(ctx, o, s); err != nil || wait > 0 {
		result, err := ended(ctx, err)
		result.RequeueAfter = wait
		return result, err
	}
	asked, err := r.ask(ctx, o, s)
	if err != nil {
		return ended(ctx, err)
	}
	todo, err := r.repair(ctx, o, s, asked)
	if todo == nil && err == nil {
		todo, err = r.look(ctx, o, s, asked)
	}
	if err != nil {
		return ended(ctx, err)
	}
	if wait := r.restrain(s, asked, todo); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	if gone, err := r.gone(ctx, o, asked, todo); err != nil || gone {
		return ended(ctx, err) // The watch shows the deletion soon.
	}
	done := r.apply(ctx, o, s, todo)
	if asked.synced() {
		s.schedule.plan(termsOf(o), s.attempts(), r.spread)
	}
	if err := r.report(ctx, o, s, asked, done); err != nil {
		return ended(ctx, err)
	}
	s.settle(o)
	return reconcile.Result{RequeueAfter: r.wake(o, s, asked)}, nil
}

// ended returns the result of a pass that ends early. err may be nil. If the manager stops, ended
// drops the error, because the next manager goes on.
func ended(ctx context.Context, err error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// ask lists the owner's kinds in the cloud, if a sync is due. Before an owner's first sync, ask
// announces the sync in the status. If other owners wait for the same request budget, ask puts off
// the sync, so that no worker waits. An error comes from the API server or from the context.
func (r *Reconciler) ask(ctx context.Context, o owner, s *state) (answers, error) {
	schedule, now := &s.schedule, r.Clock.Now()
	if !schedule.due(termsOf(o), now) && !r.rotated(ctx, o, schedule) {
		return answers{}, nil
	}
	if asked, ok := s.unfinished.answersFor(termsOf(o), now); ok {
		return asked, nil
	}
	if err := r.announce(ctx, o); err != nil {
		return answers{}, err
	}
	asked, err := r.list(ctx, o, s)
	if err != nil {
		return answers{}, err
	}
	asked.early = now.Before(schedule.next)
	if asked.putOff.For > 0 && (schedule.waiting.IsZero() || schedule.waiting.After(now)) {
		schedule.waiting = now
	}
	return asked, nil
}

// restrain returns how long to wait before the next writes and deletions if someone else changes the objects
// again and again; 0 if no wait is needed. The pass after the wait looks at the same objects.
func (r *Reconciler) restrain(s *state, asked answers, todo plans) time.Duration {
	now, writes := r.Clock.Now(), false
	for i, plan := range todo {
		for _, w := range plan.changes.Writes {
			writes = writes || !s.kinds[i].retries.waiting(w.Desired.GetName(), now)
		}
		for _, d := range plan.changes.Deletes {
			writes = writes || !s.kinds[i].retries.waiting(d.GetName(), now)
		}
	}
	if asked.synced() || !writes || s.repairs.AllowN(now, 1) {
		return 0
	}
	for i, plan := range todo {
		s.kinds[i].inbox.put(plan.drift.UnsortedList()...)
	}
	return repairEvery
}

// spread adds jitter to a wait.
func (r *Reconciler) spread(wait time.Duration) time.Duration {
	return jittered(wait, r.JitterPercent, r.Random())
}

// wake returns how long to wait until the next thing to do: a sync, a check whether a refused
// credential was replaced, objects that turn stale, or another try of a failed write. It returns 0
// if there is nothing to wait for.
func (r *Reconciler) wake(o owner, s *state, asked answers) time.Duration {
	now, schedule := r.Clock.Now(), &s.schedule
	var at time.Time
	earlier := func(other time.Time) {
		if !other.IsZero() && (at.IsZero() || other.Before(at)) {
			at = other
		}
	}
	switch {
	case asked.putOff.For > 0:
		earlier(now.Add(asked.putOff.For))
	case !o.settings().suspend:
		earlier(schedule.next)
		if schedule.refused > 0 && o.settings().credentials.APIKey != nil && r.secrets() == nil {
			earlier(schedule.look)
		}
	}
	for i := range s.kinds {
		earlier(s.kinds[i].inbox.viewed().StaleAt())
		earlier(s.kinds[i].retries.earliest())
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}
