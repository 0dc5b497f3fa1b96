// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// View has the state that a plan wants for the objects of one kind. A View never changes, so it is
// safe for concurrent use. A nil pointer means that there is no plan.
type View struct {
	kind     *Kind
	owner    Owner
	ledger   *Ledger
	question string
	desired  Desired
	// displayNames has the display name of each environment, by cloud ID. It is nil for observations.
	displayNames map[string]string
	// planTime is the time of the plan.
	planTime time.Time
	isStale  bool
	// staleAt is when the last complete listing becomes older than spec.staleAfter allows. It is
	// zero if the listing is already too old, or never becomes too old.
	staleAt time.Time
	// conflicts has the names that the plan needs, but that other objects in the cluster already
	// have. The entries are sorted by name.
	conflicts []Conflict
}

// newView returns the View of a plan, without the conflicts. The function Make adds the conflicts.
func newView(f Facts) *View {
	v := &View{kind: f.Kind, owner: f.Owner, ledger: f.Ledger, question: f.Question, desired: f.Desired, planTime: f.Now}
	if f.Kind.environmentNames != nil {
		v.displayNames = f.Kind.environmentNames(f)
	}
	if !f.Completed.IsZero() && f.Owner.StaleAfter > 0 {
		v.staleAt = f.Completed.Add(f.Owner.StaleAfter)
		if v.isStale = !f.Now.Before(v.staleAt); v.isStale {
			v.staleAt = time.Time{}
		}
	}
	return v
}

// Again returns the View after one more complete listing, which found no changes. l is the Ledger
// after that listing. If the method Stale returns true, do not call Again: the new View would still
// be stale.
func (v *View) Again(l *Ledger) *View {
	next := *v
	next.ledger = l
	if v.owner.StaleAfter > 0 {
		next.staleAt = l.Completed().Add(v.owner.StaleAfter)
	}
	return &next
}

// StaleAt returns when the last complete listing becomes older than spec.staleAfter allows. It
// returns zero if the listing is already too old, or never becomes too old.
func (v *View) StaleAt() time.Time {
	if v == nil {
		return time.Time{}
	}
	return v.staleAt
}

// Stale reports whether the last complete listing was older than spec.staleAfter allows, at the
// time of the plan.
func (v *View) Stale() bool { return v != nil && v.isStale }

// Contested reports whether another object in the cluster has a name that the plan needs.
func (v *View) Contested() bool { return v != nil && len(v.conflicts) > 0 }

// Awaits reports whether the plan needs this name, but another object in the cluster has it.
func (v *View) Awaits(name string) bool {
	return v != nil && slices.ContainsFunc(v.conflicts, func(c Conflict) bool { return c.Name == name })
}

// Drifted returns true if an existing object differs from the object that the plan wants. If the
// plan wants no object with this name and this cloud ID, Drifted returns false. For a source with
// the annotation unmanaged, it returns true if the source still has an ownerReference to the
// discovery.
func (v *View) Drifted(existing Object) bool {
	if v == nil {
		return false
	}
	if v.kind != nil && v.kind.releases(existing) {
		return controlledBy(existing, v.owner)
	}
	desired := v.desired[existing.GetName()]
	return desired != nil && v.kind.id(desired) == v.kind.id(existing) && !v.isShown(existing, desired)
}

// Strange returns true if the plan wants no object with the name and cloud ID of o. This means that
// someone else created o.
func (v *View) Strange(o Object) bool {
	if v == nil {
		return false
	}
	desired := v.desired[o.GetName()]
	return desired == nil || v.kind.id(desired) != v.kind.id(o)
}

// isShown returns true if the existing object already is as the plan wants it.
func (v *View) isShown(existing, desired Object) bool {
	if v.kind.releases(existing) {
		return !controlledBy(existing, v.owner)
	}
	desired = v.renderedObject(desired, existing, v.planTime)
	return v.kind.same(existing, desired) && sameMetadata(existing, desired) &&
		v.kind.hasConditions(existing, v.wantedConditions(desired))
}

// Repair plans writes that undo the changes of other clients. changedObjects are the changed
// objects from the cluster, by name. The value of a deleted object is nil.
//
// In each of these cases, Repair returns nil, and a new plan is necessary:
//
//   - A changed object is not listed or not selected.
//   - A changed object is being deleted.
//   - A changed source was deleted, released or handed over. Repair cannot update status.sources,
//     which has the display name that decided the source's settings.
//   - Another object in the cluster has a name that the plan needs.
//   - The last complete listing has become too old.
func (v *View) Repair(changedObjects map[string]Object, now time.Time) *Changes {
	if v == nil {
		v = &View{}
	}
	if v.Contested() || !v.staleAt.IsZero() && !now.Before(v.staleAt) {
		return nil
	}
	p := &planner{
		Facts:  Facts{Kind: v.kind, Owner: v.owner, Ledger: v.ledger, Question: v.question, Desired: v.desired, Now: now},
		Plan:   Plan{View: v, AppliedNames: AppliedNames{}}, // The caller has the names.
		phases: map[string]int32{},
	}
	for name, existing := range changedObjects {
		switch {
		case v.ledger.sightOf(name) != sightListed || existing != nil && terminating(existing):
			return nil
		case v.displayNames != nil && (existing == nil || v.kind.releases(existing) || !metav1.IsControlledBy(existing, v.owner)):
			return nil
		case existing == nil:
			p.planCreation(v.desired[name])
		default:
			p.planExisting(existing)
		}
	}
	if len(p.Conflicts) > 0 {
		return nil
	}
	p.sort()
	return &p.Changes
}

// renderedObject returns an object as it should be in the cluster. inCluster is the present object
// in the cluster; nil if there is none. lastContent is the object as the cloud last listed it. For
// an object that was not listed since the manager's start, lastContent comes from inCluster.
func (v *View) renderedObject(lastContent, inCluster Object, now time.Time) Object {
	r := rendering{owner: v.owner, lastContent: lastContent, inCluster: inCluster, sight: sightListed}
	r.displayName, r.nameKnown = v.displayNames[v.kind.id(lastContent)]
	if inCluster != nil {
		r.sight, r.since = knownSince(v.kind, v.owner, v.ledger, inCluster, now)
	}
	return v.kind.renderObject(r)
}

// wantedConditions returns the conditions that an object should have; nil for a source.
func (v *View) wantedConditions(o Object) []metav1.Condition {
	if v.kind.conditionsOf == nil {
		return nil
	}
	name := o.GetName()
	return conditionsFor(v.kind, o, v.sightOf(name), v.ledger.sinceOf(name))
}

func (v *View) sightOf(name string) sight {
	if v.isStale {
		return sightStale
	}
	return v.ledger.sightOf(name)
}
