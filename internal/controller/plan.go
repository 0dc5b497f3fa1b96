// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// sourceField indexes observations by the source named in their spec. The spec
// never changes, so no edit hides an observation from its source, as a change of
// its labels would.
const sourceField = "spec.sourceRef.name"

// remember keeps what a sync's listings said.
func (r *Reconciler) remember(ctx context.Context, p *pass, results []listed) error {
	m := p.memory
	p.synced, p.fresh = true, make([]bool, len(kinds))
	m.attempted, m.generation = true, p.source.Generation
	if requested := p.source.Annotations[v1alpha1.AnnotationRequestedAt]; requested != "" {
		m.requested = requested
	}
	failing := false
	for i, result := range results {
		m.outcomes[i] = result.outcome
		failing = failing || result.outcome.failure != nil
		if f := result.outcome.failure; f != nil {
			log.FromContext(ctx).Info("Listing failed", "kind", kinds[i].Name, "reason", f.reason, "cause", f.message)
		}
		if !kinds[i].Mirrored(p.source) {
			m.ledgers[i] = nil
		}
		if result.listing == nil {
			continue
		}
		existing, err := r.owned(ctx, &kinds[i], p.source)
		if err != nil {
			return err
		}
		there := make(map[string]bool, len(existing))
		for _, o := range existing {
			there[o.GetName()] = true
		}
		m.ledgers[i] = m.ledgers[i].Record(*result.listing, func(name string) bool { return there[name] })
		p.fresh[i] = result.listing.Complete
	}
	m.failures++
	if !failing {
		m.failures, m.lastSync = 0, r.Clock.Now()
	}
	return nil
}

// plan compares what the listings say with the observations there are.
func (r *Reconciler) plan(ctx context.Context, p *pass) error {
	existing := make([][]v1alpha1.Observation, len(kinds))
	for i := range kinds {
		var err error
		if existing[i], err = r.owned(ctx, &kinds[i], p.source); err != nil {
			return err
		}
	}
	desired := mirror.Desire(p.memory.ledgers, existing)
	p.memory.setDesired(desired)
	p.plans = make([]*mirror.Plan, len(kinds))
	for i := range kinds {
		occupied := r.occupants(ctx, &kinds[i], p.source)
		p.plans[i] = mirror.Make(mirror.Facts{
			Kind:      kinds[i].Kind,
			Source:    p.source,
			Ledger:    p.memory.ledgers[i],
			Desired:   desired[i],
			Existing:  existing[i],
			Occupant:  occupied.find,
			Completed: lastListed(&kinds[i], p),
			Fresh:     p.synced && p.fresh[i],
			Now:       r.Clock.Now(),
		})
		if occupied.err != nil {
			return occupied.err
		}
	}
	return nil
}

// owned returns the source's own observations of a kind. They are the cache's:
// nobody may change them.
func (r *Reconciler) owned(ctx context.Context, k *kind, source *v1alpha1.InventorySource) ([]v1alpha1.Observation, error) {
	list := k.objects()
	if err := r.List(ctx, list, client.InNamespace(source.Namespace),
		client.MatchingFields{sourceField: source.Name}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing observations of kind %s: %w", k.Name, err)
	}
	owned := make([]v1alpha1.Observation, 0, meta.LenList(list))
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if o := item.(v1alpha1.Observation); mirror.Owned(o, source) {
			owned = append(owned, o)
		}
		return nil
	})
	return owned, err
}

// occupants finds objects that have a name the source wants.
type occupants struct {
	find func(name string) v1alpha1.Observation
	err  error // of the last find that failed
}

func (r *Reconciler) occupants(ctx context.Context, k *kind, source *v1alpha1.InventorySource) *occupants {
	o := &occupants{}
	o.find = func(name string) v1alpha1.Observation {
		found := k.object()
		err := r.Get(ctx, client.ObjectKey{Namespace: source.Namespace, Name: name}, found, client.DisableReadYourWritesConsistency)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			o.err = fmt.Errorf("looking for %s %s: %w", k.Name, name, err)
			return nil
		}
		return found
	}
	return o
}

// lastListed returns when a kind was last listed whole: by this process, or as
// the status tells of an earlier one.
func lastListed(k *kind, p *pass) time.Time {
	for i := range kinds {
		if kinds[i].Kind == k.Kind && !p.memory.ledgers[i].Completed().IsZero() {
			return p.memory.ledgers[i].Completed()
		}
	}
	if summary := *k.Summary(&p.source.Status); summary != nil && summary.LastListTime != nil {
		return summary.LastListTime.Time
	}
	return time.Time{}
}
