// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// DiscoveryReconciler keeps an InventorySource for each environment that an
// EnvironmentDiscovery takes. Client, budgets, clock, writers and metrics are those of the
// Reconciler of sources, and so are the rules: see mirror.Discover for what is planned.
type DiscoveryReconciler struct {
	*Reconciler

	mu     sync.Mutex
	states map[types.NamespacedName]*discoveryState
}

// discoveryState is what the manager knows of one discovery beyond what is in the cluster.
// It begins empty at every start, as that of a source does. Only the worker that reconciles
// the discovery touches it.
type discoveryState struct {
	uid      types.UID
	schedule schedule
	tokens   tokens
	// environments are the one kind that is listed.
	environments kindState
	repairs      *rate.Limiter
}

// discoveryPass is one Reconcile under way.
type discoveryPass struct {
	discovery *v1alpha1.EnvironmentDiscovery
	state     *discoveryState
	// syncing, putOff and secret are as in pass.
	syncing bool
	putOff  budget.Wait
	secret  string
	told    told
	plan    *mirror.DiscoveryPlan
}

// Reconcile makes the sources of one discovery follow the organization's environments. It
// lists them if that is due, then compares what all listings so far say with the sources
// there are and writes the difference. See report for the conditions each outcome sets.
//
// The error is the API server's. What went wrong with the cloud, the credential or a source
// is in the discovery's status instead, and tried again in time.
func (r *DiscoveryReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	d := &v1alpha1.EnvironmentDiscovery{}
	err := caughtUp(ctx, func(ctx context.Context, consistency ...client.GetOption) error {
		return r.Cluster.Get(ctx, req.NamespacedName, d, consistency...)
	}, client.GetOption(client.DisableReadYourWritesConsistency))
	switch {
	case apierrors.IsNotFound(err), err == nil && !d.DeletionTimestamp.IsZero():
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil // The garbage collector does the rest.
	case err != nil:
		return ended(ctx, err)
	}
	p := &discoveryPass{discovery: d, state: r.of(d)}
	if err := r.ask(ctx, p); err != nil {
		return ended(ctx, err)
	}
	if err := r.look(ctx, p); err != nil {
		return ended(ctx, err)
	}
	if !p.syncing && len(p.plan.Writes) > 0 && !p.state.repairs.AllowN(r.Clock.Now(), 1) {
		return reconcile.Result{RequeueAfter: repairEvery}, nil
	}
	r.apply(ctx, p)
	if p.syncing {
		p.state.schedule.plan(p.terms(), []attempt{{p.state.environments.outcome.failure, p.plan.Unconfirmed}}, r.spread)
	}
	if err := r.report(ctx, p); err != nil {
		return ended(ctx, err)
	}
	return reconcile.Result{RequeueAfter: r.wake(p)}, nil
}

// of returns the state of a discovery, a new one for a discovery created again under a
// former one's name.
func (r *DiscoveryReconciler) of(d *v1alpha1.EnvironmentDiscovery) *discoveryState {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(d)
	if s := r.states[key]; s != nil && s.uid == d.UID {
		return s
	}
	if r.states == nil {
		r.states = map[types.NamespacedName]*discoveryState{}
	}
	s := &discoveryState{uid: d.UID, environments: kindState{retries: retries{}}, repairs: rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce)}
	r.states[key] = s
	return s
}

func (r *DiscoveryReconciler) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.states[key]; known {
		delete(r.states, key)
		r.Metrics.Forget(key.Namespace, key.Name)
	}
}

func (p *discoveryPass) terms() terms {
	d := p.discovery
	return newTerms(d, d.Spec.Suspend, d.GetInterval(), d.Spec.Prune.AsPrune(), p.held())
}

// summary returns the numbers that the status tells, empty where there are none.
func (p *discoveryPass) summary() v1alpha1.InventorySummary {
	return ptr.Deref(p.discovery.Status.Environments, v1alpha1.InventorySummary{})
}

// held returns the prune that the status says is held, or nil.
func (p *discoveryPass) held() *v1alpha1.HeldPrune { return p.summary().Held }

// ask lists the environments, if that is due, and says so first where it is the first time.
func (r *DiscoveryReconciler) ask(ctx context.Context, p *discoveryPass) error {
	schedule, now := &p.state.schedule, r.Clock.Now()
	p.secret = schedule.answered.secret
	if !schedule.due(p.terms(), now) {
		return nil
	}
	if err := r.announce(ctx, p.discovery); err != nil {
		return err
	}
	early := now.Before(schedule.next)
	if err := r.list(ctx, p); err != nil {
		return err
	}
	if p.putOff.For > 0 {
		if schedule.waiting.IsZero() || schedule.waiting.After(now) {
			schedule.waiting = now
		}
		return nil
	}
	p.syncing = true
	k := &p.state.environments
	if asked := p.terms().requestedAt; asked != "" && asked != schedule.answered.requestedAt {
		k.retries.hurry() // A person may have removed the cause.
	}
	k.outcome = p.told.outcome
	schedule.answer(p.terms(), p.secret, early, r.Clock.Now(), k.outcome.failure == nil)
	return nil
}

// list asks the cloud for the environments. Where it is not the discovery's turn to use its
// credential's request budget, it asks nothing and notes how long to wait. The error is the
// context's.
func (r *DiscoveryReconciler) list(ctx context.Context, p *discoveryPass) error {
	d := p.discovery
	connection, err := r.connect(ctx, login{d.Namespace, d.Name, d.GetEndpoint(), d.Spec.Credentials, &p.state.tokens, &p.secret})
	var failed *failure
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	if failed == nil {
		if p.putOff = connection.budget.Turn("environmentdiscovery/" + d.Namespace + "/" + d.Name); p.putOff.For > 0 {
			return nil
		}
		failed = r.authorize(ctx, d.GetTimeout(), connection)
	}
	if failed == nil {
		p.told = r.listEnvironments(ctx, p, connection)
	} else {
		p.told.outcome = outcome{tried: true, failure: failed}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.Metrics.Synced(mirror.Environment.Name, resultOf(p.told.outcome))
	if f := p.told.outcome.failure; f != nil {
		log.FromContext(ctx).Info("Listing failed", "kind", mirror.Environment.Name, "reason", f.reason, "cause", f.message)
	}
	return nil
}

// listEnvironments lists the environments within the discovery's timeout, and keeps those
// that its selector takes.
func (r *DiscoveryReconciler) listEnvironments(ctx context.Context, p *discoveryPass, c *connection) told {
	ctx, cancel := context.WithTimeout(ctx, p.discovery.GetTimeout())
	defer cancel()
	start := r.Clock.Now()
	listing, err := cloudapi.List(ctx, c.Client, cloudapi.Environments, cloudapi.EnvironmentFilter{}, nil,
		func(e *wire.Environment) string { return e.DisplayName })
	end := r.Clock.Now()
	r.Metrics.Listed(mirror.Environment.Name, end.Sub(start))
	if err != nil {
		return told{outcome: outcome{tried: true, failure: failed(err)}}
	}
	incomplete := listing.Complete()
	t := told{outcome: outcome{tried: true, failure: failed(incomplete)}}
	t.sighting = &mirror.Sighting{Complete: incomplete == nil, Scope: c.scope(p.discovery.Spec.Selector), End: end}
	for _, item := range listing.Items {
		if mirror.Selects(p.discovery.Spec.Selector, item.ID, item.Value) {
			t.sighting.Observations = append(t.sighting.Observations, mirror.NewSource(p.discovery, item.ID, item.Value))
		}
	}
	return t
}

// look reads the discovery's sources, takes in what the listing told, and plans.
func (r *DiscoveryReconciler) look(ctx context.Context, p *discoveryPass) error {
	existing, occupants, err := r.sources(ctx, p.discovery)
	if err != nil {
		return err
	}
	k := &p.state.environments
	if p.told.sighting != nil {
		if k.ledger == nil {
			k.ledger = mirror.NewLedger(p.summary().Scope)
		}
		var there []v1alpha1.Observation
		for _, c := range existing {
			there = append(there, c)
		}
		k.ledger = k.ledger.Record(mirror.Environment, *p.told.sighting, there)
	}
	now := r.Clock.Now()
	p.plan = mirror.Discover(mirror.DiscoveryFacts{
		Discovery: p.discovery,
		Ledger:    k.ledger,
		Existing:  existing,
		Occupants: occupants,
		Fresh:     k.outcome.tried && k.outcome.failure == nil && !p.discovery.Spec.Suspend && now.Sub(k.ledger.Completed()) < freshFor,
		Approval:  k.report.Approved,
		Now:       now,
	})
	k.report = p.plan.Report
	k.retries.keep(&mirror.Changes{Writes: p.plan.Writes, Deletes: p.plan.Deletes})
	return nil
}

// sources returns the discovery's own sources, and the others of its namespace by name. They
// are the cache's: nobody may change them.
func (r *DiscoveryReconciler) sources(ctx context.Context, d *v1alpha1.EnvironmentDiscovery) (own []*mirror.Child, others map[string]*v1alpha1.InventorySource, err error) {
	list := &v1alpha1.InventorySourceList{}
	err = caughtUp(ctx, func(ctx context.Context, consistency ...client.ListOption) error {
		return r.Cluster.List(ctx, list, append(consistency, client.InNamespace(d.Namespace), client.UnsafeDisableDeepCopy)...)
	}, client.ListOption(client.DisableReadYourWritesConsistency))
	if err != nil {
		return nil, nil, fmt.Errorf("listing sources: %w", err)
	}
	others = map[string]*v1alpha1.InventorySource{}
	for i := range list.Items {
		if source := &list.Items[i]; mirror.Discovered(source, d) {
			own = append(own, mirror.NewChild(source))
		} else {
			others[source.Name] = source
		}
	}
	return own, others, nil
}

// wake returns how long to wait for the next thing to do, 0 if there is nothing.
func (r *DiscoveryReconciler) wake(p *discoveryPass) time.Duration {
	now, at := r.Clock.Now(), p.state.environments.retries.earliest()
	next := p.state.schedule.next
	if p.putOff.For > 0 {
		next = now.Add(p.putOff.For)
	}
	if !p.discovery.Spec.Suspend && !next.IsZero() && (at.IsZero() || next.Before(at)) {
		at = next
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}

// announce says, once in a discovery's life, that its first listing is under way.
func (r *DiscoveryReconciler) announce(ctx context.Context, d *v1alpha1.EnvironmentDiscovery) error {
	if meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady) != nil {
		return nil
	}
	c := conditionSetter{&d.Status.Conditions, d.Generation, r.now()}
	c.setReady(verdict{reason: v1alpha1.ReasonProgressing, message: "the first listing of environments is under way"})
	return r.writeStatus(ctx, d, d.Status)
}
