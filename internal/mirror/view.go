// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// View is how a plan wants one kind's objects. It is never changed, and is safe for concurrent use.
// The nil View is that of a kind without a plan.
type View struct {
	kind    *Kind
	owner   Owner
	ledger  *Ledger
	desired Desired
	// now is when the plan was made.
	now   time.Time
	stale bool
	// staleAt is when the objects turn stale unless a complete listing comes first; zero if they
	// are stale already, if nothing was ever listed, or if they never turn stale.
	staleAt time.Time
	// conflicts are those of the plan, sorted by name.
	conflicts []Conflict
}

// newView returns the view of a plan made from these facts, without conflicts.
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

// Again returns the view after a complete listing that equals the last one. The view must not be
// stale.
func (v *View) Again(l *Ledger) *View {
	next := *v
	next.ledger = l
	if v.owner.StaleAfter > 0 {
		next.staleAt = l.Completed().Add(v.owner.StaleAfter)
	}
	return &next
}

// StaleAt returns when the objects turn stale unless a complete listing comes first; zero if they
// are stale already, if nothing was ever listed, or if they never turn stale.
func (v *View) StaleAt() time.Time {
	if v == nil {
		return time.Time{}
	}
	return v.staleAt
}

// Stale reports whether the objects are stale.
func (v *View) Stale() bool { return v != nil && v.stale }

// Contested reports whether another object has a name that the owner wants.
func (v *View) Contested() bool { return v != nil && len(v.conflicts) > 0 }

// Awaits reports whether an object waits until its name is free.
func (v *View) Awaits(name string) bool {
	return v != nil && slices.ContainsFunc(v.conflicts, func(c Conflict) bool { return c.Name == name })
}

// Drifted reports whether an object differs from what the plan wants, because someone else changed
// it since. It is false for an object that was never listed, and for one whose name another cloud
// ID has: nothing says how that should be.
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

// Strange reports whether the plan neither made nor knew an object: someone else created it.
func (v *View) Strange(o Object) bool {
	if v == nil {
		return false
	}
	desired := v.desired[o.GetName()]
	return desired == nil || v.kind.id(desired) != v.kind.id(o)
}

// shown reports whether an object is as it should be.
func (v *View) shown(existing, desired Object) bool {
	if v.kind.releases(existing) {
		return !controlledBy(existing, v.owner)
	}
	desired = v.rendered(desired, existing, v.now)
	return v.kind.same(existing, desired) && sameMetadata(existing, desired) &&
		v.kind.shows(existing, v.conditions(desired))
}

// Repair plans for single objects as Make would for them among all others. changed are the owner's
// own objects by name, as they are now; nil for one that is gone. Repair deletes nothing, and makes
// no Summary.
//
// It returns nil if only a whole plan will do. That is so for a cloud object that is not listed,
// because its object matters for the lists of its peers and for pruning. It is so if names are in
// conflict, at the last plan or now, and for an object that is being deleted, which the plan
// reports. And it is so once the objects turn stale.
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
			p.keep(existing)
		}
	}
	if len(p.Conflicts) > 0 {
		return nil
	}
	p.sort()
	return &p.Changes
}

// rendered returns the object that should replace existing, which is nil if the object is to be
// created. base is the object as last listed, or existing itself.
func (v *View) rendered(base, existing Object, now time.Time) Object {
	r := rendering{owner: v.owner, base: base, existing: existing, sight: listed}
	if existing != nil {
		r.sight, r.since = knownSince(v.kind, v.owner, v.ledger, existing, now)
	}
	return v.kind.render(r)
}

// conditions returns the conditions that an object should have, see the function conditions; none
// if its kind has none.
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
