// SPDX-License-Identifier: Apache-2.0

// Package controller holds the reconciler of InventorySources. One Reconcile is a
// pass over the steps connect, list, repair or record and plan, apply, report, each in
// its own file. It knows nothing of HTTP or JSON, and names kinds only in the table in kinds.go.
package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
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
	Budgets *budget.Budgets
	// Retry says how often a request is sent again within a listing; zero is
	// cloudapi.DefaultRetry.
	Retry cloudapi.Retry
	// UserAgent names the operator and its version to the cloud.
	UserAgent string
	// Transport reaches the cloud; nil takes one with the system's certificate authorities.
	Transport cloudapi.Transport
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
	// ConfigMaps reports whether ConfigMaps with endpoints are kept, for sources that ask
	// for them.
	ConfigMaps bool

	states     states
	configMaps configMaps
}

// The rights that some features need beside these are in folders of config of their own:
// endpoint-configmaps, secret-watch and workload-identity.
//
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources,verbs=list;watch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/status,verbs=patch
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=inventorysources/finalizers,verbs=update
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations;peeringobservations;networkobservations,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=inventory.ccloud.dev,resources=kafkaclusterobservations/status;peeringobservations/status;networkobservations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile makes the observations of one source follow the cloud.
//
// It asks the cloud if a sync is due (see schedule), then compares what all listings so
// far say with the observations there are and writes the difference. Between two
// syncs the same comparison puts back what someone else changed. Where it can, it
// looks at those observations alone that the watch named, see repair. See report for
// the conditions each outcome sets.
//
// The error is the API server's. What went wrong with the cloud, the credential or
// an observation is in the source's status instead, and tried again in time.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	source, err := r.get(ctx, req.NamespacedName)
	switch {
	case err != nil:
		return ended(ctx, err)
	case source == nil:
		r.states.forget(req.NamespacedName)
		r.Metrics.Forget(req.Namespace, req.Name)
		return reconcile.Result{}, nil
	case !source.DeletionTimestamp.IsZero():
		r.Metrics.Forget(req.Namespace, req.Name)
		return reconcile.Result{}, nil // The garbage collector does the rest.
	}
	p := &pass{source: source, state: r.states.of(source, r.Clock.Now())}
	if wait, err := r.holdOff(ctx, p); err != nil || wait > 0 {
		result, err := ended(ctx, err)
		result.RequeueAfter = wait
		return result, err
	}
	if err := r.ask(ctx, p); err != nil {
		return ended(ctx, err)
	}
	narrow, err := r.repair(ctx, p)
	if err != nil {
		return ended(ctx, err)
	}
	if !narrow {
		if err := r.look(ctx, p); err != nil {
			return ended(ctx, err)
		}
	}
	if wait := p.restrained(r.Clock.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	r.apply(ctx, p)
	if p.syncing {
		p.state.schedule.plan(termsOf(p.source), attempts(p.source, p.state.kinds), r.spread)
	}
	if err := r.report(ctx, p); err != nil {
		return ended(ctx, err)
	}
	p.settle()
	return reconcile.Result{RequeueAfter: r.wake(p)}, nil
}

// ended returns what a pass ends with that met an error. When the manager stops, there
// is nothing to report: the next one goes on.
func ended(ctx context.Context, err error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// pass is one Reconcile under way.
type pass struct {
	source *v1alpha1.InventorySource
	state  *state
	// syncing reports whether the cloud is asked in this pass, early whether before
	// that was due.
	syncing, early bool
	// putOff is how long, and why, a sync that is due has to wait for its credential's
	// request budget; zero if none does.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret the sync uses, "" if there is none.
	secret string
	// told is what the listings told, by kind.
	told []told
	// existing are the source's own observations, by kind, in a whole pass.
	existing [][]v1alpha1.Observation
	// drift names the observations that a pass which is not whole looks at, by kind.
	drift []sets.Set[string]
	// changes are what to write, by kind.
	changes []*mirror.Changes
	// configMaps says why ConfigMaps of the source are not written, nil if all are.
	configMaps *failure
	// written and deleted count the observations that were.
	written, deleted int
}

// ask lists what the cloud has, if that is due, and says so first where it is the
// first time. Where others are before this source in the queue for the request budget,
// it puts the sync off: a source that waits holds no worker.
func (r *Reconciler) ask(ctx context.Context, p *pass) error {
	schedule, now := &p.state.schedule, r.Clock.Now()
	p.secret = schedule.answered.secret
	if !schedule.due(termsOf(p.source), now) && !r.rotated(ctx, p) {
		return nil
	}
	if err := r.announce(ctx, p.source); err != nil {
		return err
	}
	p.early = now.Before(schedule.next)
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
	r.answer(p)
	return nil
}

// look reads all the source's observations, takes in what the listings told, and plans
// for all.
func (r *Reconciler) look(ctx context.Context, p *pass) error {
	p.drift = nil
	if err := r.read(ctx, p); err != nil {
		return err
	}
	r.record(p)
	return r.plan(ctx, p)
}

// restrained returns how long to wait before undoing again what someone else does
// again and again, or 0 to go on.
func (p *pass) restrained(now time.Time) time.Duration {
	writes := false
	for i, changes := range p.changes {
		for _, w := range changes.Writes {
			writes = writes || !p.state.kinds[i].retries.waiting(w.Desired.GetName(), now)
		}
	}
	if p.syncing || !writes || p.state.repairs.AllowN(now, 1) {
		return 0
	}
	for i := range p.drift {
		p.state.inbox.put(i, p.drift[i].UnsortedList()...)
	}
	return repairEvery
}

// settle notes for which spec all was done, or that something is left over.
func (p *pass) settle() {
	// Not the source's generation, which may have come with the answer to the report.
	p.state.settled = p.source.Status.ObservedGeneration
	for i := range p.state.kinds {
		if len(p.state.kinds[i].retries) > 0 {
			p.state.settled = 0
		}
	}
}

// spread adds jitter to a wait.
func (r *Reconciler) spread(wait time.Duration) time.Duration {
	return jittered(wait, r.JitterPercent, r.Random())
}

// wake returns how long to wait for the next thing to do: the next sync, a look at
// a Secret that was refused, the observations turning stale, or writing again what
// could not be written. It is 0 if there is nothing.
func (r *Reconciler) wake(p *pass) time.Duration {
	now, schedule := r.Clock.Now(), &p.state.schedule
	var at time.Time
	earlier := func(other time.Time) {
		if !other.IsZero() && (at.IsZero() || other.Before(at)) {
			at = other
		}
	}
	switch {
	case p.putOff.For > 0:
		earlier(now.Add(p.putOff.For))
	case !p.source.Spec.Suspend:
		earlier(schedule.next)
		if schedule.refused > 0 && r.Secrets == nil {
			earlier(schedule.look)
		}
	}
	for i := range kinds {
		earlier(p.state.inbox.view(i).StaleAt())
		earlier(p.state.kinds[i].retries.earliest())
	}
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(now), time.Millisecond)
}
