// SPDX-License-Identifier: Apache-2.0

// Package controller holds the reconciler of InventorySources. One Reconcile is a
// pass over the steps connect, list, repair or plan, apply, report, each in its own
// file. It knows nothing of HTTP or JSON, and names kinds only in the table in kinds.go.
package controller

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// Reconciler mirrors the inventory that each InventorySource names. All fields
// must be set, but where they say what their zero value means.
type Reconciler struct {
	// Cluster reads from a cache that has seen this client's own writes, and
	// writes to the API server.
	Cluster client.Client
	// APIReader reads Secrets from the API server itself.
	APIReader client.Reader
	// Secrets reads the metadata of Secrets from a watch. It is nil where the
	// manager does not watch them; SetupWithManager sets it where it may.
	Secrets client.Reader
	// Recorder records events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Random returns numbers in [0, 1), for jitter.
	Random func() float64
	// Metrics counts what is done.
	Metrics *metrics.Metrics
	// Budgets hands out the request budget of each credential.
	Budgets *cloudapi.Budgets
	// Retry says how often a request is sent again within a listing; zero is
	// cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent names the operator and its version to the cloud.
	UserAgent string
	// AllowedOrigins are the origins a source's endpoint may have, as
	// cloudapi.Origin writes them.
	AllowedOrigins []string
	// ConcurrentSyncs is how many sources are reconciled at once.
	ConcurrentSyncs int
	// Writers bounds the writes under way at once, of all sources together, by
	// its capacity.
	Writers chan struct{}
	// Namespaces are those the manager works in; none means all.
	Namespaces []string
	// JitterPercent is how far an interval may be stretched or shortened.
	JitterPercent int

	memories memories
}

// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations;peeringobservations,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations/status;peeringobservations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes the observations of one source follow the cloud.
//
// It asks the cloud if a sync is due (see due), then compares what all listings so
// far say with the observations there are and writes the difference. Between two
// syncs the same comparison puts back what someone else changed; where it can, it
// looks at those observations alone that the watch named, see repair. See report for
// the conditions each outcome sets.
//
// The error is the API server's. What went wrong with the cloud, the credential or
// an observation is in the source's status instead, and tried again in time.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	source, err := r.get(ctx, req.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err
	}
	if source == nil {
		r.memories.forget(req.NamespacedName)
		r.Metrics.Forget(req.Namespace, req.Name)
		return reconcile.Result{}, nil
	}
	if !source.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil // The garbage collector does the rest.
	}
	p := &pass{source: source, memory: r.memories.of(source, r.Clock.Now())}
	p.secret = p.memory.secret

	var results []listed
	if p.syncing = due(source, p.memory, r.Clock.Now()) || r.rotated(ctx, p); p.syncing {
		if results, err = r.ask(ctx, p); err != nil {
			return reconcile.Result{}, err
		}
	}
	if done, result, err := r.repair(ctx, p); done || err != nil {
		return result, err
	}
	if err := r.read(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	if p.syncing {
		r.remember(ctx, p, results)
	}
	if err := r.plan(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	if wait := tooMany(p, r.Clock.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	r.apply(ctx, p)
	if p.syncing {
		r.schedule(p)
	}
	if err := r.report(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	// Not the source's generation, which may have come with the answer to the report.
	p.memory.settled = p.source.Status.ObservedGeneration
	return reconcile.Result{RequeueAfter: r.wake(p)}, nil
}

// pass is one Reconcile under way.
type pass struct {
	source *v1alpha1.InventorySource
	memory *memory
	// syncing tells whether the cloud is asked in this pass.
	syncing bool
	// putOff is how long a sync that is due has to wait for its credential's
	// request budget; 0 if there is none.
	putOff time.Duration
	// secret is the resourceVersion of the Secret the sync uses, "" if there is none.
	secret string
	// existing are the source's own observations, by kind.
	existing [][]v1alpha1.Observation
	// plans are what to write, by kind.
	plans []*mirror.Plan
}

// ask lists what the cloud has, and says so first where it is the first time. Where
// others are before this source in the line for the request budget, it puts the
// sync off: a source that waits holds no worker.
func (r *Reconciler) ask(ctx context.Context, p *pass) ([]listed, error) {
	if err := r.announce(ctx, p.source); err != nil {
		return nil, err
	}
	early := r.Clock.Now().Before(p.memory.next)
	results, wait, err := r.list(ctx, p)
	switch {
	case wait > 0:
		p.syncing, p.putOff = false, wait
	case early: // Someone changed something: a back-off begins anew.
		p.memory.refused = 0
	}
	return results, err
}

// tooMany returns how long to wait before undoing again what someone else does
// again and again, or 0 to go on.
func tooMany(p *pass, now time.Time) time.Duration {
	writes := 0
	for _, plan := range p.plans {
		writes += len(plan.Writes)
	}
	if p.syncing || p.memory.unfinished > 0 || writes == 0 || p.memory.repairs.AllowN(now, 1) {
		return 0
	}
	return repairEvery
}

// wake returns how long to wait for the next thing to do: the next sync, a look at
// a Secret that was refused, the observations turning stale, or writing again what
// could not be written.
func (r *Reconciler) wake(p *pass) time.Duration {
	now, m := r.Clock.Now(), p.memory
	var at time.Time
	earlier := func(other time.Time) {
		if at.IsZero() || other.Before(at) {
			at = other
		}
	}
	switch {
	case p.putOff > 0:
		earlier(now.Add(p.putOff))
	case !p.source.Spec.Suspend:
		earlier(m.next)
		if m.refused > 0 && r.Secrets == nil {
			earlier(m.look)
		}
	}
	for _, plan := range p.plans {
		if !plan.StaleAt.IsZero() {
			earlier(plan.StaleAt)
		}
	}
	if m.unfinished > 0 {
		earlier(now.Add(backoff(m.unfinished, rewriteFirst, rewriteMost)))
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}
