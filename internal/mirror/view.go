// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// View is what a plan makes of one kind's observations. It is never changed, and safe
// for concurrent use. The nil View is that of a kind without a plan.
type View struct {
	kind    *Kind
	source  *v1alpha1.InventorySource
	ledger  *Ledger
	desired Desired
	stale   bool
	// staleAt is when the observations turn stale unless there is a complete listing;
	// zero if they are stale, or if nothing was ever listed.
	staleAt time.Time
	// conflicts are the plan's, sorted by name.
	conflicts []Conflict
}

// newView returns the view of a plan made from these facts, without conflicts.
func newView(f Facts) *View {
	v := &View{kind: f.Kind, source: f.Source, ledger: f.Ledger, desired: f.Desired}
	if !f.Completed.IsZero() {
		v.staleAt = f.Completed.Add(f.Source.GetStaleAfter())
		if v.stale = !f.Now.Before(v.staleAt); v.stale {
			v.staleAt = time.Time{}
		}
	}
	return v
}

// Again returns the view after a complete listing that told what the last one told.
// The view must not be stale.
func (v *View) Again(l *Ledger) *View {
	next := *v
	next.ledger = l
	next.staleAt = l.Completed().Add(v.source.GetStaleAfter())
	return &next
}

// StaleAt returns when the observations turn stale unless there is a complete
// listing; zero if they are stale, or if nothing was ever listed.
func (v *View) StaleAt() time.Time {
	if v == nil {
		return time.Time{}
	}
	return v.staleAt
}

// Stale reports whether the observations say that nobody knows.
func (v *View) Stale() bool { return v != nil && v.stale }

// Contested reports whether someone else has a name that an observation should have.
func (v *View) Contested() bool { return v != nil && len(v.conflicts) > 0 }

// Awaits reports whether an observation waits for its name to be free.
func (v *View) Awaits(name string) bool {
	return v != nil && slices.ContainsFunc(v.conflicts, func(c Conflict) bool { return c.Name == name })
}

// Drifted reports whether an observation differs from what the plan made of it:
// whether someone else changed it since. Of one never listed, and of one whose name
// another cloud ID has, nobody can tell.
func (v *View) Drifted(existing v1alpha1.Observation) bool {
	if v == nil {
		return false
	}
	desired := v.desired[existing.GetName()]
	return desired != nil && desired.CloudID() == existing.CloudID() && !v.shown(existing, desired)
}

// Strange reports whether an observation is none that the plan made or knew: someone
// else's creation.
func (v *View) Strange(o v1alpha1.Observation) bool {
	if v == nil {
		return false
	}
	desired := v.desired[o.GetName()]
	return desired == nil || desired.CloudID() != o.CloudID()
}

// shown reports whether an observation is as it should be.
func (v *View) shown(existing, desired v1alpha1.Observation) bool {
	return existing.SameStatus(desired) && sameMetadata(existing, desired) &&
		shows(existing, v.conditions(desired))
}

// Repair plans for single observations as Make would for them among all others.
// changed are the source's own by name, as they are now, nil for one that is gone.
// It deletes nothing, and the plan has no Summary.
//
// It returns nil where only a whole plan will do: for an object that is not listed,
// since its observation has a say in what its peers tell and in what is pruned; where
// names are in conflict, by then or by now; and once the observations turn stale.
func (v *View) Repair(changed map[string]v1alpha1.Observation, now time.Time) *Changes {
	if v == nil {
		v = &View{}
	}
	if v.Contested() || !v.staleAt.IsZero() && !now.Before(v.staleAt) {
		return nil
	}
	p := &planner{
		Facts:  Facts{Kind: v.kind, Source: v.source, Ledger: v.ledger, Desired: v.desired, Now: now},
		Plan:   Plan{View: v},
		phases: map[string]int32{},
	}
	for name, existing := range changed {
		switch {
		case !v.ledger.listed(name):
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

// conditions returns the conditions that an observation should have, see conditions.
func (v *View) conditions(o v1alpha1.Observation) []metav1.Condition {
	name := o.GetName()
	return conditions(v.kind, o, v.sight(name), v.ledger.missingSince(name))
}

func (v *View) sight(name string) sight {
	switch {
	case v.stale:
		return stale
	case v.ledger.isMissing(name):
		return missing
	}
	return listed
}
