// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answer notes that a sync was tried.
func (r *Reconciler) answer(p *pass) {
	whole := true
	requested := p.source.Annotations[v1alpha1.AnnotationRequestedAt]
	asked := requested != "" && requested != p.state.schedule.answered.requestedAt
	for i := range p.told {
		if asked { // By a person, who may have removed the cause.
			p.state.kinds[i].retries.hurry()
		}
		p.state.kinds[i].outcome = p.told[i].outcome
		whole = whole && p.told[i].outcome.failure == nil
	}
	p.state.schedule.answer(termsOf(p.source), p.secret, p.early, r.Clock.Now(), whole)
}

// again takes in a sync whose listings told what the last ones told, and reports
// whether this was one. It takes in nothing where the last pass left anything to do or to
// wait for.
func (r *Reconciler) again(p *pass) bool {
	if p.state.settled != p.source.Generation {
		return false
	}
	for i := range kinds {
		if kinds[i].Mirrored(p.source) && (!p.told[i].unchanged || !p.state.finished(i)) {
			return false
		}
	}
	for i := range kinds {
		if !kinds[i].Mirrored(p.source) {
			continue
		}
		k := &p.state.kinds[i]
		k.ledger = k.ledger.Again(p.told[i].sighting.End)
		k.report = k.report.Again(k.ledger)
		p.state.inbox.renew(i, p.state.inbox.view(i).Again(k.ledger))
		r.Metrics.Skipped(kinds[i].Name, int(k.report.Summary.Observed))
	}
	return true
}

// finished reports whether the last pass left nothing of a kind to do or to wait for. An
// object may be missing that no listing was lacking yet: someone made its observation
// between two.
func (s *state) finished(i int) bool {
	k, view := &s.kinds[i], s.inbox.view(i)
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		!view.Contested() && !view.Stale()
}

// record keeps what a sync's listings said.
func (r *Reconciler) record(p *pass) {
	for i := range p.told {
		t, k := &p.told[i], &p.state.kinds[i]
		if t.sighting == nil {
			continue
		}
		if t.unchanged {
			t.sighting.Same = t.index.IDs()
		}
		if k.ledger == nil {
			k.ledger = mirror.NewLedger(lastScope(p, i))
		}
		for _, o := range t.sighting.Observations {
			if !k.ledger.Tells(o) {
				delete(k.retries, o.GetName()) // It is another write now.
			}
		}
		k.ledger = k.ledger.Record(kinds[i].Kind, *t.sighting, p.existing[i])
		k.index, k.asked = t.index, t.asked
		if !k.ledger.Distinct() {
			k.index = nil // Who has a name is decided with all that want it.
		}
	}
}

// plan compares what the listings say with the observations there are.
func (r *Reconciler) plan(ctx context.Context, p *pass) error {
	now := r.Clock.Now()
	ledgers, all := make([]*mirror.Ledger, len(kinds)), make([]*mirror.Kind, len(kinds))
	for i := range kinds {
		if !kinds[i].Mirrored(p.source) {
			p.state.forgetKind(i)
		}
		ledgers[i], all[i] = p.state.kinds[i].ledger, kinds[i].Kind
	}
	desired := mirror.Desire(all, p.source, ledgers, p.existing)
	p.changes = make([]*mirror.Changes, len(kinds))
	views := make([]*mirror.View, len(kinds))
	for i := range kinds {
		k := &p.state.kinds[i]
		occupants, err := r.occupants(ctx, &kinds[i], p.source, desired[i], p.existing[i])
		if err != nil {
			return err
		}
		plan := mirror.Make(mirror.Facts{
			Kind:      kinds[i].Kind,
			Source:    p.source,
			Ledger:    k.ledger,
			Desired:   desired[i],
			Existing:  p.existing[i],
			Occupants: occupants,
			Completed: k.completed(now),
			Fresh:     r.fresh(p, i),
			Approval:  k.report.Approved,
			Now:       now,
		})
		k.report, views[i], p.changes[i] = plan.Report, plan.View, &plan.Changes
		k.retries.keep(p.changes[i])
	}
	p.state.inbox.done(views)
	return nil
}

// fresh reports whether a kind was listed whole at the last attempt, and just now.
func (r *Reconciler) fresh(p *pass, i int) bool {
	k := &p.state.kinds[i]
	return k.outcome.tried && k.outcome.failure == nil && !p.source.Spec.Suspend &&
		r.Clock.Since(k.ledger.Completed()) < freshFor
}

// lastScope returns the scope that an earlier process saw a kind's observations
// under, "" if none did.
func lastScope(p *pass, i int) string {
	if summary := *kinds[i].Summary(&p.source.Status); summary != nil {
		return summary.Scope
	}
	return ""
}

// allHeldIn returns what heldIn does for each kind.
func allHeldIn(source *v1alpha1.InventorySource) []*v1alpha1.HeldPrune {
	all := make([]*v1alpha1.HeldPrune, len(kinds))
	for i := range kinds {
		all[i] = heldIn(source, i)
	}
	return all
}

// heldIn returns the prune of a kind that a source's status says is held, or nil.
func heldIn(source *v1alpha1.InventorySource, i int) *v1alpha1.HeldPrune {
	if summary := *kinds[i].Summary(&source.Status); summary != nil {
		return summary.Held
	}
	return nil
}
