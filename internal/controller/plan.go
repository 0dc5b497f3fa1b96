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

// plans has the plan of a pass for each kind of the owner.
type plans []plan

// plan says what a pass does to the objects of one kind.
type plan struct {
	changes *mirror.Changes
	// whole reports whether the pass looked at all objects of the owner. If it did, existing has
	// these objects. Otherwise drift has the names of the objects that it looked at.
	whole    bool
	existing []mirror.Object
	drift    sets.Set[string]
}

// repair plans to undo what someone else changed. It looks only at the objects that the watch
// named, and decides about each of them as a whole pass does. This is enough if the last whole pass
// left nothing to do, and if all listings since then were unchanged.
//
// repair returns nil if this pass must look at all objects. After an error, the next pass must look
// at all objects.
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
			s.settled = 0 // The inbox no longer has the names.
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

// unchanged reports whether a sync needs no reading and no planning. All of this must be true:
//
//   - The listings are complete and equal the last ones.
//   - The last pass left nothing to do and nothing to wait for.
//   - The watches show the objects as the last pass left them. This includes kinds that the owner
//     does not mirror.
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

// look reads all objects of the owner, records the listings in the ledgers, and plans for every
// kind. If look fails, the sync does not count yet, and the next pass goes on with its answers.
func (r *Reconciler) look(ctx context.Context, o owner, s *state, asked answers) (plans, error) {
	s.settled = 0
	if s.unfinished = nil; asked.synced() {
		s.unfinished = &unfinished{termsOf(o), asked}
	}
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
	s.unfinished = nil
	return todo, nil
}

// heard records how the sync of each kind went. If a person asked for the sync, heard makes every
// failed write due at once, because that person may have removed the cause of the failure.
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

// answered records a sync in the schedule, with the spec, annotations and Secret that it answered.
// If the pass made no sync, answered does nothing.
func (s *state) answered(o owner, asked answers) {
	if !asked.synced() {
		return
	}
	whole := !slices.ContainsFunc(asked.listings, func(l listing) bool { return l.outcome.failure != nil })
	s.schedule.answer(termsOf(o), asked, whole)
}

// record records a listing in the kind's ledger, once.
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
	k.index, k.asked, l.sighting = l.index, l.asked, nil
	if !k.ledger.Distinct() {
		k.index = nil // Without the index the next listing has all objects. The ledger then decides again which object gets the name.
	}
}

// plan makes the plan of each kind. decides reports whether the pass may delete objects: it may not
// if its sync was put off. If the owner only previews, the plans have no changes.
func (r *Reconciler) plan(ctx context.Context, o owner, s *state, todo plans, decides bool) error {
	now := r.Clock.Now()
	planned := r.copied(o).planned() // This is a copy, because event filters read it while writeStatus changes the owner.
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
		k.preview = nil
		if o.settings().preview {
			k.preview, made.Changes = made.Preview(), mirror.Changes{}
		}
		k.report, views[i], todo[i].changes = made.Report, made.View, &made.Changes
		k.retries.forgetUnplanned(kinds[i], todo[i].changes, made.Conflicts)
	}
	for i := range s.kinds {
		s.kinds[i].inbox.finish(views[i])
	}
	return nil
}

// fresh reports whether the last attempt to list the kind gave a complete listing that ended less
// than freshFor ago.
func (k *kindState) fresh(now time.Time) bool {
	return k.outcome.tried && k.outcome.failure == nil && now.Sub(k.ledger.Completed()) < freshFor
}

// allHeldIn returns the held prune of each kind in the owner's status, see heldIn.
func allHeldIn(o owner, kinds []kind) []*v1alpha1.HeldPrune {
	all := make([]*v1alpha1.HeldPrune, len(kinds))
	for i := range kinds {
		all[i] = heldIn(o, &kinds[i])
	}
	return all
}
