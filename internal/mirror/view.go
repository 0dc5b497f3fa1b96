// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// View is what a plan makes of one kind's observations. It is safe for concurrent
// use. The nil View is that of a kind without a plan.
type View struct {
	kind    *Kind
	ledger  *Ledger
	desired Desired
	stale   bool
	// staleAt is the plan's StaleAt.
	staleAt time.Time
	// conflicting tells whether the plan has Conflicts.
	conflicting bool
}

// Drifted tells whether an observation differs from what the plan made of it:
// whether someone else changed it since. Of one never listed, and of one whose name
// another cloud ID has, nobody can tell.
func (v *View) Drifted(existing v1alpha1.Observation) bool {
	if v == nil {
		return false
	}
	desired := v.desired[existing.GetName()]
	return desired != nil && desired.CloudID() == existing.CloudID() &&
		(!existing.SameStatus(desired) || !sameMetadata(existing, desired) ||
			!sameConditions(*existing.Conditions(), conditions(v.kind, desired, v.sight(existing.GetName()))))
}

// Repair plans for single observations as Make would for them among all others.
// changed are the source's own by name, as they are now, nil for one that is gone.
// It deletes nothing, and the plan has no Summary: the kind's numbers stay as they
// were.
//
// It returns nil where only a whole plan will do: for an object that is not listed,
// since its observation has a say in what its peers tell and in what is pruned; where
// names are in conflict, by then or by now; and once the observations turn stale.
func (v *View) Repair(changed map[string]v1alpha1.Observation, now time.Time) *Plan {
	if v == nil {
		v = &View{}
	}
	if v.conflicting || !v.staleAt.IsZero() && !now.Before(v.staleAt) {
		return nil
	}
	p := &planner{
		Facts:  Facts{Kind: v.kind, Ledger: v.ledger, Desired: v.desired, Now: now},
		Plan:   Plan{View: v, StaleAt: v.staleAt},
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
	return &p.Plan
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
