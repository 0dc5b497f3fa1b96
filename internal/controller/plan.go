// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// remember keeps what a sync's listings said.
func (r *Reconciler) remember(ctx context.Context, p *pass, results []listed) {
	m := p.memory
	m.attempted, m.generation, m.secret = true, p.source.Generation, p.secret
	if requested := p.source.Annotations[v1alpha1.AnnotationRequestedAt]; requested != "" {
		m.requested = requested
	}
	failing := false
	for i, result := range results {
		m.outcomes[i] = result.outcome
		if f := result.outcome.failure; f != nil {
			failing = true
			log.FromContext(ctx).Info("Listing failed", "kind", kinds[i].Name, "reason", f.reason, "cause", f.message)
		}
		switch {
		case !kinds[i].Mirrored(p.source):
			m.ledgers[i] = nil
		case result.listing != nil:
			if m.ledgers[i] == nil {
				m.ledgers[i] = mirror.NewLedger(lastScope(p, i))
			}
			m.ledgers[i] = m.ledgers[i].Record(*result.listing, p.existing[i])
		}
	}
	m.failures++
	if !failing {
		m.failures, m.lastSync = 0, r.Clock.Now()
	}
}

// plan compares what the listings say with the observations there are.
func (r *Reconciler) plan(ctx context.Context, p *pass) error {
	desired := mirror.Desire(p.memory.ledgers, p.existing)
	p.plans = make([]*mirror.Plan, len(kinds))
	for i := range kinds {
		occupants, err := r.occupants(ctx, &kinds[i], p.source, desired[i], p.existing[i])
		if err != nil {
			return err
		}
		p.plans[i] = mirror.Make(mirror.Facts{
			Kind:      kinds[i].Kind,
			Source:    p.source,
			Ledger:    p.memory.ledgers[i],
			Desired:   desired[i],
			Existing:  p.existing[i],
			Occupants: occupants,
			Completed: lastListed(p, i),
			Fresh:     r.fresh(p, i),
			Now:       r.Clock.Now(),
		})
	}
	p.memory.endPlan(p.plans)
	return nil
}

// fresh tells whether a kind was listed whole at the last attempt, and just now.
func (r *Reconciler) fresh(p *pass, i int) bool {
	o := p.memory.outcomes[i]
	return o.tried && o.failure == nil && !p.source.Spec.Suspend &&
		r.Clock.Since(p.memory.ledgers[i].Completed()) < freshFor
}

// lastScope returns the scope that an earlier process saw a kind's observations
// under, "" if none did.
func lastScope(p *pass, i int) string {
	if summary := *kinds[i].Summary(&p.source.Status); summary != nil {
		return summary.Scope
	}
	return ""
}

// lastListed returns when a kind was last listed whole: by this process, or as
// the status tells of an earlier one, or else when the source began.
func lastListed(p *pass, i int) time.Time {
	if completed := p.memory.ledgers[i].Completed(); !completed.IsZero() {
		return completed
	}
	return kinds[i].LastListed(p.source)
}
