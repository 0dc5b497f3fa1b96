// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// View is the state that a plan wants for one kind's objects. A View never changes, so concurrent
// use is safe. The nil View stands for a kind without a plan.
type View struct {
	kind    *Kind
	owner   Owner
	ledger  *Ledger
	desired Desired
	// now is when the plan was made.
	now   time.Time
	stale bool
	// staleAt is when the objects turn stale if there is no complete listing before. It is zero if
	// the objects are already stale, if there never was a complete listing, or if the objects never
	// turn stale.
	staleAt time.Time
	// conflicts are the plan's conflicts, sorted by name.
	conflicts []Conflict
}

// newView returns the view of a plan with these facts, without the plan's conflicts.
func newView(f Facts) *View {
	v := &View{kind: f.Kind, owner: f.Owner, ledger: f.Ledger, desired: f.Desired, now: f.Now}
	if !f.Completed.IsZero() && f.Owner.StaleAfter > 0 {
		v.staleAt = f.Completed.Add(f.Owner.StaleAfter)
		if v.stale = !f.Now.Before(v.staleAt); v.stale {
			v.staleAt = time.Time{}
		}
	}
	return v
}

// Again returns the view after another complete listing with the same content. l is the ledger
// after that listing. The view must not be stale.
func (v *View) Again(l *Ledger) *View {
	next := *v
	next.ledger = l
	if v.owner.StaleAfter > 0 {
		next.staleAt = l.Completed().Add(v.owner.StaleAfter)
	}
	return &next
}

// StaleAt returns when the objects turn stale if there is no complete listing before. It returns
// zero if the objects are already stale, if there never was a complete listing, or if the objects
// never turn stale.
func (v *View) StaleAt() time.Time {
	if v == nil {
		return time.Time{}
	}
	return v.staleAt
}

// Stale reports whether the objects are stale.
func (v *View) Stale() bool { return v != nil && v.stale }

// Contested reports whether any name that the owner wants is taken.
func (v *View) Contested() bool { return v != nil && len(v.conflicts) > 0 }

// Awaits reports whether the owner wants this name but another object has it.
func (v *View) Awaits(name string) bool {
	return v != nil && slices.ContainsFunc(v.conflicts, func(c Conflict) bool { return c.Name == name })
}

// Drifted reports whether someone else changed an object, so that it differs from what the plan
// wants. Drifted returns false for an object that was never listed, and for an object whose name
// the plan wants for another cloud ID. The plan does not say how such objects should be.
func (v *View) Drifted(existing Object) bool {
	if v == nil {
		return false
	}
	if v.kind != nil && v.kind.releases(existing) {
		return controlledBy(existing, v.owner)
	}
	desired := v.desired[existing.GetName()]
	return desired != nil && v.kind.id(desired) == v.kind.id(existing) && !v.shown(existing, desired)
}

// Strange reports whether someone else must have created an object: the plan wants no object of
// this name, or wants one with another cloud ID.
func (v *View) Strange(o Object) bool {
	if v == nil {
		return false
	}
	desired := v.desired[o.GetName()]
	return desired == nil || v.kind.id(desired) != v.kind.id(o)
}

// shown reports whether an object is as the plan wants it.
func (v *View) shown(existing, desired Object) bool {
	if v.kind.releases(existing) {
		return !controlledBy(existing, v.owner)
	}
	desired = v.rendered(desired, existing, v.now)
	return v.kind.same(existing, desired) && sameMetadata(existing, desired) &&
		v.kind.shows(existing, v.conditions(desired))
}

// Repair plans the writes for the changed objects. For each of them it plans the same as Make.
// changed has the owner's own objects as they are now. The map key is the name; the value is nil if
// the object no longer exists. Repair deletes nothing, and makes no Summary.
//
// Repair returns nil if only Make can decide. That is so if
//
//   - a cloud object is not listed: this affects the lists of other objects, and pruning,
//   - names are in conflict, in the last plan or now,
//   - an object is being deleted: only Make reports such objects,
//   - the objects have turned stale since the plan.
func (v *View) Repair(changed map[string]Object, now time.Time) *Changes {
	if v == nil {
		v = &View{}
	}
	if v.Contested() || !v.staleAt.IsZero() && !now.Before(v.staleAt) {
		return nil
	}
	p := &planner{
		Facts:  Facts{Kind: v.kind, Owner: v.owner, Ledger: v.ledger, Desired: v.desired, Now: now},
		Plan:   Plan{View: v},
		phases: map[string]int32{},
	}
	for name, existing := range changed {
		switch {
		case v.ledger.sight(name) != listed || existing != nil && terminating(existing):
			return nil
		case existing == nil:
			p.add(v.desired[name])
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

// rendered returns an object as it should be. base is the object as it was last listed. If it was
// never listed, base is existing. existing is the object in the cluster; nil if the object is to be
// created.
func (v *View) rendered(base, existing Object, now time.Time) Object {
	r := rendering{owner: v.owner, base: base, existing: existing, sight: listed}
	if existing != nil {
		r.sight, r.since = knownSince(v.kind, v.owner, v.ledger, existing, now)
	}
	return v.kind.render(r)
}

// conditions returns the conditions that an object should have; nil if its kind has no conditions.
// See the function conditions.
func (v *View) conditions(o Object) []metav1.Condition {
	if v.kind.conditions == nil {
		return nil
	}
	name := o.GetName()
	return conditions(v.kind, o, v.sight(name), v.ledger.since(name))
}

func (v *View) sight(name string) sight {
	if v.stale {
		return stale
	}
	return v.ledger.sight(name)
}
