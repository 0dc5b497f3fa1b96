// SPDX-License-Identifier: Apache-2.0

// Package controller holds the reconciler of InventorySources. One Reconcile is a
// pass over the steps connect, list, plan, apply, report, each in its own file.
// It knows nothing of HTTP or JSON, and names kinds only in the table in kinds.go.
package controller

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
// must be set.
type Reconciler struct {
	// Client reads from a cache that has seen this client's own writes, and
	// writes to the API server.
	client.Client
	// APIReader reads Secrets from the API server itself.
	APIReader client.Reader
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
	// JitterPercent is how far an interval may be stretched or shortened.
	JitterPercent int

	memories memories
}

// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources,verbs=get;list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations;peeringobservations,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations/status;peeringobservations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes the observations of one source follow the cloud.
//
// It asks the cloud if a sync is due (see due), then compares what all listings so
// far say with the observations there are and writes the difference. Between two
// syncs the same comparison puts back what someone else changed. See report for
// the conditions each outcome sets.
//
// The error is the API server's. What went wrong with the cloud or the credential
// is in the source's status instead, and tried again when nextSyncTime says.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	source := &v1alpha1.InventorySource{}
	if err := r.Get(ctx, req.NamespacedName, source); err != nil {
		if apierrors.IsNotFound(err) {
			r.memories.forget(req.NamespacedName)
			r.Metrics.Forget(req.Namespace, req.Name)
		}
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !source.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil // The garbage collector does the rest.
	}
	p := &pass{source: source, memory: r.memories.of(source)}

	if due(source, p.memory, r.Clock.Now()) {
		if err := r.sync(ctx, p); err != nil {
			return reconcile.Result{}, err
		}
	}
	if err := r.plan(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	if p.synced {
		p.memory.next = nextSync(source, p.memory, p.plans, r.Clock.Now(), r.JitterPercent, r.Random())
	}
	if err := r.apply(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.report(ctx, p); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: wake(p, r.Clock.Now())}, nil
}

// pass is one Reconcile under way.
type pass struct {
	source *v1alpha1.InventorySource
	memory *memory
	// synced tells whether the cloud was asked in this pass.
	synced bool
	// fresh tells, by kind, whether it was listed whole in this pass.
	fresh []bool
	// plans are what to write, by kind.
	plans []*mirror.Plan
}

// sync asks the cloud and keeps in the source's memory what it said.
func (r *Reconciler) sync(ctx context.Context, p *pass) error {
	if err := r.announce(ctx, p.source); err != nil {
		return err
	}
	results, err := r.list(ctx, p.source)
	if err != nil {
		return err
	}
	return r.remember(ctx, p, results)
}

// wake returns how long to wait for the next thing to do: the next sync, or the
// observations turning stale.
func wake(p *pass, now time.Time) time.Duration {
	var at time.Time
	if !p.source.Spec.Suspend {
		at = p.memory.next
	}
	for _, plan := range p.plans {
		if !plan.StaleAt.IsZero() && (at.IsZero() || plan.StaleAt.Before(at)) {
			at = plan.StaleAt
		}
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}
