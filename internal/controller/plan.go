// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// plans has one plan for each kind of object.
type plans []plan

// plan says which objects of one kind to create, change and delete.
type plan struct {
	changes *mirror.Changes
	// allObjects says which objects the plan covers:
	//
	//   - If true, the plan covers all objects of the kind. The field existing has these objects.
	//   - If false, the plan covers only objects that other clients may have changed. The field
	//     driftedNames has their names.
	allObjects   bool
	existing     []mirror.Object
	driftedNames sets.Set[string]
	// dueWrites and dueDeletes are the changes that this reconcile makes. The other changes wait:
	// they failed before, or they are deletions that the first plan of this reconcile did not have
	// (see selectDue).
	dueWrites  []mirror.Write
	dueDeletes []mirror.Object
}

// selectDue decides which of the planned changes are due. Only these are checked and made.
//
// first is the first plan of this reconcile; nil if todo is the first plan. In a later plan, a
// deletion is due only if it was also due in the first plan. Any other deletion may come from a
// spec that is newer than the listing, so the deletion waits for the next listing. A kind that the
// spec ignores has no next listing, so its deletions do not wait.
func (r *Reconciler) selectDue(o owner, s *state, todo, first plans, now time.Time) {
	for i := range todo {
		changes, retries := todo[i].changes, s.kinds[i].retries
		waits := func(mirror.Object) bool { return false }
		if first != nil && r.owners.kinds[i].Mirrored(o.object()) {
			known := sets.New[types.UID]()
			for _, d := range first[i].dueDeletes {
				known.Insert(d.GetUID())
			}
			waits = func(d mirror.Object) bool { return !known.Has(d.GetUID()) }
		}
		todo[i].dueWrites = slices.DeleteFunc(slices.Clone(changes.Writes), func(w mirror.Write) bool { return retries.mustWait(w.Desired.GetName(), now) })
		todo[i].dueDeletes = slices.DeleteFunc(slices.Clone(changes.Deletes), func(d mirror.Object) bool { return retries.mustWait(d.GetName(), now) || waits(d) })
	}
}

// repair makes plans that undo changes by other clients. It reads only the objects that the watch
// reported as changed. Sometimes a plan needs more objects, for example after a change of the spec.
// Then repair returns no plans and no error, and the caller must call readAll.
func (r *Reconciler) repair(ctx context.Context, o owner, s *state, asked syncAnswers) (plans, error) {
	if s.settledGeneration != o.object().GetGeneration() || o.settings().preview || asked.putOff.For > 0 || asked.wasSynced() && !r.unchanged(o, s, asked) {
		return nil, nil
	}
	now, todo := r.Clock.Now(), make(plans, len(s.kinds))
	for i := range s.kinds {
		k := &s.kinds[i]
		todo[i].driftedNames = k.inbox.take()
		changed, err := r.reread(ctx, o, &r.owners.kinds[i], todo[i].driftedNames)
		if err != nil {
			return nil, err
		}
		if changed == nil || len(k.retries) > 0 {
			return nil, nil
		}
		if todo[i].changes = k.inbox.lastView().Repair(changed, now); todo[i].changes == nil {
			return nil, nil
		}
	}
	s.noteListings(asked)
	if !asked.wasSynced() {
		return todo, nil
	}
	for _, i := range mirroredKinds(o, r.owners.kinds) {
		k := &s.kinds[i]
		k.ledger = k.ledger.Again(asked.kindListings[i].sighting.End)
		asked.kindListings[i].sighting = nil // It is recorded.
		k.report = k.report.Again(k.ledger)
		k.inbox.renew(k.inbox.lastView().Again(k.ledger))
		r.Metrics.Skipped(r.owners.kinds[i].Name, int(k.report.Summary.Observed))
	}
	return todo, nil
}

// unchanged returns true if the plan of the last sync is still right. All of these statements must
// be true:
//
//   - Each listing is complete, and has the same content as the previous listing of the same kind.
//   - The last reconcile left no work for later.
//   - The objects in the cluster are as the last reconcile left them. This includes objects of
//     kinds that the spec ignores.
func (r *Reconciler) unchanged(o owner, s *state, asked syncAnswers) bool {
	for i := range s.kinds {
		if r.shownChecksum(i, o.object().GetNamespace(), o.object().GetName()) != s.kinds[i].knownChecksum {
			return false
		}
	}
	for _, i := range mirroredKinds(o, r.owners.kinds) {
		if l := &asked.kindListings[i]; !l.unchanged || l.outcome.failure != nil || !s.kinds[i].isFinished() {
			return false
		}
	}
	return true
}

// readAll reads all objects of the source or discovery, and makes a plan for every kind of object.
func (r *Reconciler) readAll(ctx context.Context, o owner, s *state, asked syncAnswers) (plans, error) {
	s.settledGeneration = 0
	s.noteListings(asked)
	todo := make(plans, len(s.kinds))
	for i := range s.kinds {
		s.kinds[i].inbox.begin()
	}
	for i := range s.kinds {
		var err error
		todo[i].allObjects = true
		if r.rightsFailure(&r.owners.kinds[i]) != nil {
			continue
		}
		if todo[i].existing, s.kinds[i].knownChecksum, err = r.ownedObjects(ctx, o, &r.owners.kinds[i]); err != nil {
			return nil, err
		}
	}
	for i := range asked.kindListings {
		s.kinds[i].record(o, &r.owners.kinds[i], &asked.kindListings[i], todo[i].existing)
	}
	if err := r.plan(ctx, o, s, todo, asked); err != nil {
		return nil, err
	}
	return todo, nil
}

// noteListings records how the listing of each kind went. If a person asked for the sync with the
// annotation requestedAt, noteListings lets the operator repeat failed writes at once.
func (s *state) noteListings(asked syncAnswers) {
	requested := asked.terms.requestedAt
	for i := range asked.kindListings {
		k := &s.kinds[i]
		if requested != "" && requested != s.schedule.usedVersions.requestedAt {
			k.retries.makeAllDue()
		}
		k.outcome = asked.kindListings[i].outcome
	}
}

// record adds a listing to k.ledger, which has the results of all listings of the kind. A second
// call with the same listing does nothing.
func (k *kindState) record(o owner, described *kind, l *listing, existing []mirror.Object) {
	if l.sighting == nil {
		return
	}
	if l.unchanged {
		l.sighting.Same = l.itemIndex.IDs()
	}
	if k.ledger == nil {
		k.ledger = mirror.NewLedger(lastScope(o, described))
	}
	l.sighting.Question = described.question(o)
	k.ledger = k.ledger.Record(described.Kind, o.mirrorOwner(), *l.sighting, existing)
	k.itemIndex, k.sentQuery, l.sighting = l.itemIndex, l.sentQuery, nil
	if !k.ledger.Distinct() {
		// Two cloud objects need the same name in the cluster. After the next listing, the operator
		// decides again which of the two gets the name. This decision needs the content of all
		// objects. Without itemIndex, the next listing decodes the content of all objects.
		k.itemIndex = nil
	}
}

// plan makes a plan for each kind and stores the plans in newPlans. If the rate limit delays the
// sync, the plans keep objects that the cloud no longer lists. If spec.preview is true, the plans
// change nothing.
func (r *Reconciler) plan(ctx context.Context, o owner, s *state, newPlans plans, asked syncAnswers) error {
	now := r.Clock.Now()
	// Use a copy of o, because event filters may read plannedOwner while writeStatus changes o.
	plannedOwner := r.copyOf(o).mirrorOwner()
	kinds, ledgers, existing := make([]*mirror.Kind, len(s.kinds)), make([]*mirror.Ledger, len(s.kinds)), make([][]mirror.Object, len(s.kinds))
	for i := range s.kinds {
		if !r.owners.kinds[i].Mirrored(o.object()) {
			s.kinds[i].forget()
		}
		kinds[i], ledgers[i], existing[i] = r.owners.kinds[i].Kind, s.kinds[i].ledger, newPlans[i].existing
	}
	desired := mirror.Desire(plannedOwner, kinds, ledgers, existing)
	views := make([]*mirror.View, len(s.kinds))
	for i := range s.kinds {
		k := &s.kinds[i]
		occupants, unseen, err := r.occupants(ctx, o, &r.owners.kinds[i], k, desired[i], existing[i])
		if err != nil {
			return err
		}
		newPlans[i].existing = append(newPlans[i].existing, unseen...)
		made := mirror.Make(mirror.Facts{
			Kind:         kinds[i],
			Owner:        plannedOwner,
			Ledger:       k.ledger,
			Question:     r.owners.kinds[i].question(o),
			Desired:      desired[i],
			Existing:     newPlans[i].existing,
			Occupants:    occupants,
			Completed:    k.lastCompleted(now),
			Fresh:        k.isFresh(now, asked) && asked.putOff.For == 0 && !o.settings().suspend,
			Recorded:     asked.wasSynced() && k.listedCompletely(),
			Approval:     k.report.Approved,
			HeldBefore:   heldIn(o, &r.owners.kinds[i]),
			AppliedNames: k.appliedNames,
			FailedWrites: k.retries.failedWrites(),
			Now:          now,
		})
		k.preview = nil
		if o.settings().preview {
			k.preview, made.Changes = made.Preview(), mirror.Changes{}
		}
		k.report, k.appliedNames, views[i], newPlans[i].changes = made.Report, made.AppliedNames, made.View, &made.Changes
		k.retries.forgetUnplanned(kinds[i], newPlans[i].changes, made.Conflicts)
	}
	for i := range s.kinds {
		s.kinds[i].inbox.finish(views[i])
	}
	return nil
}

// listedCompletely reports whether the last listing of the kind was complete.
func (k *kindState) listedCompletely() bool { return k.outcome.tried && k.outcome.failure == nil }

// isFresh reports whether the last listing of the kind was complete and is recent. It is recent in
// these two cases:
//
//   - The listing ended less than freshFor ago.
//   - The listing ended less than freshFor+slowKinds ago, and the sync ended less than freshFor
//     ago.
func (k *kindState) isFresh(now time.Time, asked syncAnswers) bool {
	age := now.Sub(k.ledger.Completed())
	return k.listedCompletely() && (age < freshFor || asked.wasSynced() && now.Sub(asked.endTime) < freshFor && age < freshFor+slowKinds)
}

// allHeldIn reads from the status, for each kind, the deletions that wait for a person's approval.
func allHeldIn(o owner, kinds []kind) []*v1alpha1.HeldPrune {
	all := make([]*v1alpha1.HeldPrune, len(kinds))
	for i := range kinds {
		all[i] = heldIn(o, &kinds[i])
	}
	return all
}
