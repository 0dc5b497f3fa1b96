// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Facts are all that a plan for one kind of one source is made from.
type Facts struct {
	Kind   *Kind
	Source *v1alpha1.InventorySource
	// Ledger is what the listings said; nil if there was none since the start.
	Ledger *Ledger
	// Desired is this kind's part of what Desire returned.
	Desired Desired
	// Existing are the source's own observations of this kind. They are not
	// changed.
	Existing []v1alpha1.Observation
	// Occupants are the observations of this kind in the source's namespace that
	// are not its own and have a name it wants, by name.
	Occupants map[string]v1alpha1.Observation
	// Completed is when this kind's last complete listing ended, before the
	// manager's start too; zero if never.
	Completed time.Time
	// Fresh tells whether the last attempt to list the kind gave a complete
	// listing, and a moment ago. Only then is anything pruned: neither a failed
	// listing nor a repair between two syncs ever deletes.
	Fresh bool
	// Now is the time of the plan.
	Now time.Time
}

// Plan is what to write so that one kind's observations become what the listings
// say, and what to report.
type Plan struct {
	// Writes are the observations to create or to change, sorted by name.
	Writes []Write
	// Deletes are the observations to delete, sorted by name.
	Deletes []v1alpha1.Observation
	// Conflicts are the names that someone else's objects have, sorted.
	Conflicts []Conflict
	// Held is the prune that waits for a person's approval, or nil.
	Held *Held
	// Unconfirmed tells whether another complete listing is all it takes to prune
	// a missing observation, and whether the kind can be listed completely now:
	// where it cannot, asking sooner would only defeat the back-off.
	Unconfirmed bool
	// Unchanged is the number of observations that are as they should be.
	Unchanged int
	// Summary is the kind in numbers, once the plan is carried out; nil where
	// nothing is known since the manager's start.
	Summary *v1alpha1.InventorySummary
	// View tells drift from what the plan makes of the observations.
	View *View
	// StaleAt is when the observations turn stale unless there is a complete
	// listing; zero if they are stale, or if there are none.
	StaleAt time.Time
}

// Write is one observation to create or to change.
type Write struct {
	// Existing is the observation as it is, or nil to create it.
	Existing v1alpha1.Observation
	// Desired is the observation as it should be, whole.
	Desired v1alpha1.Observation
	// Metadata and Status tell which parts differ. Both are set to create.
	Metadata, Status bool
}

// Conflict is a name that an object of someone else's has.
type Conflict struct {
	// Name is the object's.
	Name string
	// Controller is "Kind/name" of the object's controller, or "" if it has none.
	Controller string
}

// planner makes one plan.
type planner struct {
	Facts
	Plan
	missing []absentee
	phases  map[string]int32
}

// Make returns the plan for one kind. Where the source ignores the kind, the plan
// deletes all of its observations, since that is what the user asked for. In all
// other cases an observation is deleted only if the prune rules allow it.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Source) {
		p.Deletes = slices.DeleteFunc(slices.Clone(p.Existing), terminating)
		p.sort()
		return &p.Plan
	}
	p.View = &View{kind: p.Kind, ledger: p.Ledger, desired: p.Desired}
	if !p.Completed.IsZero() {
		p.StaleAt = p.Completed.Add(p.Source.GetStaleAfter())
		if p.View.stale = !p.Now.Before(p.StaleAt); p.View.stale {
			p.StaleAt = time.Time{}
		}
	}
	p.View.staleAt = p.StaleAt
	there := make(map[string]struct{}, len(p.Existing))
	for _, existing := range p.Existing {
		there[existing.GetName()] = struct{}{}
		p.keep(existing)
	}
	for name, desired := range p.Desired {
		if _, ok := there[name]; !ok {
			p.add(desired)
		}
	}
	p.View.conflicting = len(p.Conflicts) > 0
	p.prune()
	p.summarize()
	p.sort()
	return &p.Plan
}

// keep plans for an observation that is there.
func (p *planner) keep(existing v1alpha1.Observation) {
	name := existing.GetName()
	desired := p.Desired[name]
	switch {
	case terminating(existing): // Made anew once it is gone.
		if p.Ledger.listed(name) {
			p.count(desired)
		}
		p.Unchanged++
		return
	case desired != nil && desired.CloudID() != existing.CloudID(): // Two IDs make one name.
		p.Conflicts = append(p.Conflicts, newConflict(existing))
		return
	case p.Ledger.isMissing(name):
		p.missing = append(p.missing, p.absentee(existing))
	case desired != nil:
		p.count(desired)
	case !p.View.stale: // Not listed since the start: nobody knows better.
		p.Unchanged++
		return
	}
	if desired == nil { // Never listed since the start: only its conditions change.
		desired = existing
	}
	p.change(existing, desired)
}

func terminating(o v1alpha1.Observation) bool { return o.GetDeletionTimestamp() != nil }

// change plans the write that makes existing as desired, if it takes one.
func (p *planner) change(existing, desired v1alpha1.Observation) {
	want := conditions(p.Kind, desired, p.View.sight(existing.GetName()))
	status := !existing.SameStatus(desired) || !sameConditions(*existing.Conditions(), want)
	metadata := existing != desired && !sameMetadata(existing, desired)
	if !status && !metadata {
		p.Unchanged++
		return
	}
	next := existing.DeepCopyObject().(v1alpha1.Observation)
	if metadata {
		restoreMetadata(next, desired)
	}
	next.CopyStatus(desired)
	*next.Conditions() = timed(*existing.Conditions(), want, p.Now)
	p.Writes = append(p.Writes, Write{Existing: existing, Desired: next, Metadata: metadata, Status: status})
}

// add plans for a listed object without an observation.
func (p *planner) add(desired v1alpha1.Observation) {
	if occupant := p.Occupants[desired.GetName()]; occupant != nil {
		p.Conflicts = append(p.Conflicts, newConflict(occupant))
		return
	}
	p.count(desired)
	next := anew(desired)
	*next.Conditions() = timed(nil, conditions(p.Kind, desired, p.View.sight(desired.GetName())), p.Now)
	p.Writes = append(p.Writes, Write{Desired: next, Metadata: true, Status: true})
}

func newConflict(occupant v1alpha1.Observation) Conflict {
	conflict := Conflict{Name: occupant.GetName()}
	if controller := metav1.GetControllerOf(occupant); controller != nil {
		conflict.Controller = controller.Kind + "/" + controller.Name
	}
	return conflict
}

func (p *planner) absentee(existing v1alpha1.Observation) absentee {
	since := p.missingSince(existing)
	return absentee{
		observation: existing,
		misses:      p.Ledger.misses(existing.GetName()),
		since:       since,
		missingFor:  p.Now.Sub(since),
		moved:       p.Ledger.moved(existing.GetName()),
	}
}

// missingSince returns since when an observation is known to be missing: now, if
// only this plan says so. The time is the observation's own, so that it outlives a
// restart of the manager.
func (p *planner) missingSince(existing v1alpha1.Observation) time.Time {
	c := meta.FindStatusCondition(*existing.Conditions(), v1alpha1.ConditionObserved)
	if c != nil && c.Status == metav1.ConditionFalse {
		return c.LastTransitionTime.Time
	}
	return p.Now
}

func (p *planner) count(o v1alpha1.Observation) {
	p.phases[o.Phase()]++
}

func (p *planner) summarize() {
	if p.Ledger.Completed().IsZero() {
		return
	}
	completed := metav1.NewTime(p.Ledger.Completed())
	p.Summary = &v1alpha1.InventorySummary{
		Missing:      int32(len(p.missing) - len(p.Deletes)),
		LastListTime: &completed,
		Scope:        p.Ledger.Scope(),
	}
	for _, phase := range slices.Sorted(maps.Keys(p.phases)) {
		p.Summary.Observed += p.phases[phase]
		p.Summary.Phases = append(p.Summary.Phases, v1alpha1.PhaseCount{Phase: phase, Count: p.phases[phase]})
	}
}

func (p *planner) sort() {
	slices.SortFunc(p.Writes, func(a, b Write) int { return cmp.Compare(a.Desired.GetName(), b.Desired.GetName()) })
	slices.SortFunc(p.Deletes, byName)
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Name, b.Name) })
}

func byName(a, b v1alpha1.Observation) int { return cmp.Compare(a.GetName(), b.GetName()) }
