// SPDX-License-Identifier: Apache-2.0

// Package controller keeps objects in the cluster equal to what the cloud lists.
//
// An owner is an InventorySource (source.go) or an EnvironmentDiscovery (discovery.go). The spec of
// an owner has a credential, a schedule, and the kinds of cloud objects to mirror (kinds.go).
//
// A pass is one call of Reconcile. It has these steps:
//
//   - ask: if a sync is due, list the cloud objects
//   - repair: plan how to undo changes by other clients
//   - readAll: if repair cannot make a plan, read all objects and plan all changes
//   - endAbsences: if the cloud lists a missing object again, remove from the owner's status the
//     time at which the object went missing
//   - apply: make the planned changes
//   - report: write the owner's status
//
// Package cloudapi sends the HTTP requests to the cloud and reads the answers.
package controller

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// NewSources returns the Reconciler for InventorySources and their observations.
func NewSources(o *Options) *Reconciler { return newReconciler(o, sources) }

// NewDiscoveries returns the Reconciler for EnvironmentDiscoveries and the InventorySources that
// they create.
func NewDiscoveries(o *Options) *Reconciler { return newReconciler(o, discoveries) }

func newReconciler(o *Options, kind ownerKind) *Reconciler {
	r := &Reconciler{Options: o, owners: kind}
	r.shownChecksum = func(kind int, namespace, owner string) checksum {
		return r.census.sum(kind, namespace, r.owners.kinds[kind].comparableName(owner))
	}
	return r
}

// These are the rights that the manager always needs. The optional features endpoint-configmaps,
// secret-watch and workload-identity need more rights. See the folder config/<feature>.
//
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/status;inventorysources/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=environmentdiscoveries/finalizers;inventorysources/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources;kafkaclusterobservations;peeringobservations;networkobservations;schemaregistryobservations;transitgatewayattachmentobservations;privatelinkaccessobservations,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations/status;peeringobservations/status;networkobservations/status;schemaregistryobservations/status;transitgatewayattachmentobservations/status;privatelinkaccessobservations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile makes the objects of one source or discovery equal to what the cloud lists.
//
//   - If a sync is due, Reconcile lists the objects in the cloud.
//   - Between two syncs, Reconcile undoes changes that other clients made to the objects.
//   - At the end, Reconcile updates the status.
//
// Reconcile returns an error in these cases:
//
//   - Reconcile cannot read from the API server, or cannot write the status.
//   - During the reconcile, a person changes the spec, and the new spec needs a new listing.
//   - During the reconcile, a person changes the spec or takes an approval back, mostPlans times in
//     total.
//
// If the cloud or the credential fails, or if a single object cannot be written, Reconcile returns no
// error. The status reports this failure, and Reconcile tries again later.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	o, err := r.get(ctx, req.NamespacedName)
	switch {
	case err != nil:
		return endEarly(ctx, err)
	case o == nil:
		r.states.forget(req.NamespacedName)
		r.Metrics.Forget(r.owners.name, req.Namespace, req.Name)
		return reconcile.Result{}, nil
	case !o.object().GetDeletionTimestamp().IsZero():
		r.Metrics.Forget(r.owners.name, req.Namespace, req.Name)
		return reconcile.Result{}, nil // The garbage collector deletes the objects.
	}
	s := r.states.get(o, r.owners.kinds, r.Clock.Now())
	if wait, err := r.holdOff(ctx, o, s); err != nil || wait > 0 {
		result, err := endEarly(ctx, err)
		result.RequeueAfter = wait
		return result, err
	}
	asked, err := r.ask(ctx, o, s)
	if err != nil {
		return endEarly(ctx, err)
	}
	var todo, first plans
	for planned, tries := owner(nil), 1; planned != o; tries++ {
		planned = o
		todo, err = r.repair(ctx, o, s, asked)
		if todo == nil && err == nil {
			todo, err = r.readAll(ctx, o, s, asked)
		}
		if err != nil {
			return r.fail(ctx, o, s, asked, err)
		}
		r.selectDue(o, s, todo, first, r.Clock.Now())
		if tries == 1 {
			first = todo
			if wait := r.restrain(s, asked, todo); wait > 0 {
				return reconcile.Result{RequeueAfter: wait}, nil
			}
		}
		switch o, err = r.checkOwner(ctx, planned, todo); {
		case err != nil:
			return r.fail(ctx, planned, s, asked, err)
		case o == nil: // The watch will report that the owner was deleted.
			return reconcile.Result{}, nil
		case o != planned && (tries == mostPlans || !r.owners.asksTheSame(planned, o)):
			return r.fail(ctx, planned, s, asked, errOwnerChanges)
		}
		if o != planned {
			s.settledGeneration = 0 // The inbox is empty now, so the next plan needs all objects.
		}
	}
	o = r.endAbsences(ctx, o, s)
	done := r.apply(ctx, o, s, todo)
	r.finish(o, s, asked)
	if err := r.report(ctx, o, s, asked, done); err != nil {
		return endEarly(ctx, err)
	}
	s.settle(o)
	return reconcile.Result{RequeueAfter: r.wakeAfter(o, s, asked)}, nil
}

// endEarly returns the result of a reconcile that ends early, with or without an error. If the
// manager is stopping, the result has no error.
func endEarly(ctx context.Context, err error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// ask lists the cloud objects of o if a sync is due, and returns the cloud's answers.
//
//   - If no sync is due, the result is empty. There is one exception: if the reconcile with the
//     last sync failed before it could write, the result has the answers of this sync again.
//   - If the credential's rate limit does not let the sync begin yet, ask does not wait. The field
//     putOff of the result says how long the sync must wait.
//   - If the cloud fails, or the Secret cannot be read, the result has the failure, and the error
//     is nil.
//   - The error is set if the status cannot be written or ctx ends.
func (r *Reconciler) ask(ctx context.Context, o owner, s *state) (syncAnswers, error) {
	s.dropOutdatedAnswers(termsOf(o))
	schedule, now := &s.schedule, r.Clock.Now()
	if !schedule.isDue(termsOf(o), now) && !r.secretRotated(ctx, o, schedule) {
		return s.unfinishedSync.answers(), nil
	}
	if err := r.announce(ctx, o); err != nil {
		return syncAnswers{}, err
	}
	asked, err := r.listCloud(ctx, o, s)
	if err != nil {
		return syncAnswers{}, err
	}
	asked.terms = termsOf(o)
	used := schedule.usedVersions.generation
	asked.beganEarly = now.Before(schedule.nextSync) || used != 0 && used != asked.terms.generation
	if asked.wasSynced() {
		s.unfinishedSync = nil
	}
	if asked.putOff.For > 0 && (schedule.delayedSince.IsZero() || schedule.delayedSince.After(now)) {
		schedule.delayedSince = now
	}
	return asked, nil
}

// restrain limits how often the operator undoes changes of other clients. It returns how long this
// reconcile must wait before it may write; 0 if no wait is needed. After the wait, a new reconcile
// looks at the same objects.
func (r *Reconciler) restrain(s *state, asked syncAnswers, todo plans) time.Duration {
	writes := slices.ContainsFunc(todo, func(p plan) bool { return len(p.dueWrites)+len(p.dueDeletes) > 0 })
	if asked.wasSynced() || !writes || s.repairs.AllowN(r.Clock.Now(), 1) {
		return 0
	}
	for i, plan := range todo {
		s.kinds[i].inbox.put(plan.driftedNames.UnsortedList()...)
	}
	return repairEvery
}

// spread adds jitter to a wait.
func (r *Reconciler) spread(wait time.Duration) time.Duration {
	return withJitter(wait, r.JitterPercent, r.Random())
}

// wakeAfter returns how long to wait before the next reconcile; 0 if there is nothing to wait for.
// The wait ends at the first of these times:
//
//   - The next sync is due.
//   - It is time to check whether a person replaced a refused credential.
//   - Objects become stale, because the last complete listing is too old.
//   - A failed write is due again.
func (r *Reconciler) wakeAfter(o owner, s *state, asked syncAnswers) time.Duration {
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
		earlier(schedule.nextSync)
		if schedule.refusalWait > 0 && o.settings().credentials.APIKey != nil && r.secretReader() == nil {
			earlier(schedule.checkSecretAt)
		}
	}
	for i := range s.kinds {
		earlier(s.kinds[i].inbox.lastView().StaleAt())
		earlier(s.kinds[i].retries.earliestTry())
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}
