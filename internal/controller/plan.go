// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// plans are what a pass will do, by kind; nil if there is none.
type plans []plan

// plan is what a pass will do to one kind.
type plan struct {
	changes *mirror.Changes
	// whole reports whether the pass looked at all of the owner's objects. If so, existing are
	// those objects; otherwise drift are the names of the objects that it looked at.
	whole    bool
	existing []mirror.Object
	drift    sets.Set[string]
}

// repair plans to put back what someone else changed. It looks only at the objects that the watch
// named, and decides about each as a whole pass would. That is enough if the last whole pass left
// nothing over and no listing since had anything new.
//
// It returns nil if the pass must look at everything. After an error the next pass must.
func (r *Reconciler) repair(ctx context.Context, o owner, s *state, asked answers) (plans, error) {
	if s.settled != o.object().GetGeneration() || o.settings().preview || asked.putOff.For > 0 || asked.synced() && !r.unchanged(o, s, asked) {
		return nil, nil
	}
	now, todo := r.Clock.Now(), make(plans, len(s.kinds))
	for i := range s.kinds {
		k := &s.kinds[i]
		todo[i].drift = k.inbox.take()
		changed, err := r.reread(ctx, o, &r.owners.kinds[i], todo[i].drift)
		if err != nil {
			s.settled = 0 // The inbox has lost the names.
			return nil, err
		}
		if changed == nil || len(k.retries) > 0 {
			return nil, nil
		}
		if todo[i].changes = k.inbox.viewed().Repair(changed, now); todo[i].changes == nil {
			return nil, nil
		}
	}
	s.heard(o, asked)
	s.answered(o, asked)
	for _, i := range mirrored(o, r.owners.kinds) {
		if k := &s.kinds[i]; asked.synced() {
			k.ledger = k.ledger.Again(asked.listings[i].sighting.End)
			k.report = k.report.Again(k.ledger)
			k.inbox.renew(k.inbox.viewed().Again(k.ledger))
			r.Metrics.Skipped(r.owners.kinds[i].Name, int(k.report.Summary.Observed))
		}
	}
	return todo, nil
}

// unchanged reports whether a sync can skip reading and planning. Its listings must equal the last
// ones. The last pass must have left nothing to do or to wait for. The watches must show the
// objects that it left, for kinds that are not mirrored too.
func (r *Reconciler) unchanged(o owner, s *state, asked answers) bool {
	for i := range s.kinds {
		if r.watched(i, o.object().GetNamespace(), o.object().GetName()) != s.kinds[i].shown {
			return false
		}
	}
	for _, i := range mirrored(o, r.owners.kinds) {
		if l := &asked.listings[i]; !l.unchanged || l.outcome.failure != nil || !s.kinds[i].finished() {
			return false
		}
	}
	return true
}

// look reads all the owner's objects, records what the listings had, and plans for every kind. If it
// fails, the sync does not count as made: the next pass asks again.
func (r *Reconciler) look(ctx context.Context, o owner, s *state, asked answers) (plans, error) {
	s.settled = 0
	todo := make(plans, len(s.kinds))
	for i := range s.kinds {
		s.kinds[i].inbox.begin()
	}
	for i := range s.kinds {
		var err error
		todo[i].whole = true
		if r.denied(&r.owners.kinds[i]) != nil {
			continue
		}
		if todo[i].existing, s.kinds[i].shown, err = r.owned(ctx, o, &r.owners.kinds[i]); err != nil {
			return nil, err
		}
	}
	s.heard(o, asked)
	for i := range asked.listings {
		s.kinds[i].record(o, &r.owners.kinds[i], &asked.listings[i], todo[i].existing)
	}
	if err := r.plan(ctx, o, s, todo, asked.putOff.For == 0); err != nil {
		return nil, err
	}
	s.answered(o, asked)
	return todo, nil
}

// heard keeps how a sync's listings went. If a person asked for the sync, every failed write is due
// at once, because that person may have removed the cause.
func (s *state) heard(o owner, asked answers) {
	requested := termsOf(o).requestedAt
	for i := range asked.listings {
		k := &s.kinds[i]
		if requested != "" && requested != s.schedule.answered.requestedAt {
			k.retries.hurry()
		}
		k.outcome = asked.listings[i].outcome
	}
}

// answered notes in the schedule that a sync was made, if the pass asked the cloud.
func (s *state) answered(o owner, asked answers) {
	if !asked.synced() {
		return
	}
	whole := !slices.ContainsFunc(asked.listings, func(l listing) bool { return l.outcome.failure != nil })
	s.schedule.answer(termsOf(o), asked, whole)
}

// record keeps what a listing had.
func (k *kindState) record(o owner, described *kind, l *listing, existing []mirror.Object) {
	if l.sighting == nil {
		return
	}
	if l.unchanged {
		l.sighting.Same = l.index.IDs()
	}
	if k.ledger == nil {
		k.ledger = mirror.NewLedger(lastScope(o, described))
	}
	k.ledger = k.ledger.Record(described.Kind, o.planned(), *l.sighting, existing)
	k.index, k.asked = l.index, l.asked
	if !k.ledger.Distinct() {
		k.index = nil // The next listing must name every object, to decide who gets a name.
	}
}

// plan compares what the listings had with the objects in the cluster. decides reports whether the
// pass may delete; one whose sync is put off may not. A plan that is only previewed changes nothing.
func (r *Reconciler) plan(ctx context.Context, o owner, s *state, todo plans, decides bool) error {
	now := r.Clock.Now()
	planned := r.copied(o).planned() // Event filters read it while the answer to the report is read into the owner.
	kinds, ledgers, existing := make([]*mirror.Kind, len(s.kinds)), make([]*mirror.Ledger, len(s.kinds)), make([][]mirror.Object, len(s.kinds))
	for i := range s.kinds {
		if !r.owners.kinds[i].Mirrored(o.object()) {
			s.kinds[i].forget()
		}
		kinds[i], ledgers[i], existing[i] = r.owners.kinds[i].Kind, s.kinds[i].ledger, todo[i].existing
	}
	desired := mirror.Desire(kinds, ledgers, existing)
	views := make([]*mirror.View, len(s.kinds))
	for i := range s.kinds {
		k := &s.kinds[i]
		occupants, unseen, err := r.occupants(ctx, o, &r.owners.kinds[i], k, desired[i], existing[i])
		if err != nil {
			return err
		}
		todo[i].existing = append(todo[i].existing, unseen...)
		made := mirror.Make(mirror.Facts{
			Kind:      kinds[i],
			Owner:     planned,
			Ledger:    k.ledger,
			Desired:   desired[i],
			Existing:  todo[i].existing,
			Occupants: occupants,
			Completed: k.completed(now),
			Fresh:     k.fresh(now) && decides && !o.settings().suspend,
			Approval:  k.report.Approved,
			Now:       now,
		})
		if k.preview = nil; o.settings().preview {
			k.preview, made.Changes = made.Preview(), mirror.Changes{}
		}
		k.report, views[i], todo[i].changes = made.Report, made.View, &made.Changes
		k.retries.keep(kinds[i], todo[i].changes, made.Conflicts)
	}
	for i := range s.kinds {
		s.kinds[i].inbox.done(views[i])
	}
	return nil
}

// fresh reports whether the last attempt listed a kind whole, and just now.
func (k *kindState) fresh(now time.Time) bool {
	return k.outcome.tried && k.outcome.failure == nil && now.Sub(k.ledger.Completed()) < freshFor
}

// allHeldIn returns the held prune of each kind, see heldIn.
func allHeldIn(o owner, kinds []kind) []*v1alpha1.HeldPrune {
	all := make([]*v1alpha1.HeldPrune, len(kinds))
	for i := range kinds {
		all[i] = heldIn(o, &kinds[i])
	}
	return all
}
