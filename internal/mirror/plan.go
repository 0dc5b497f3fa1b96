// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"time"

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
	// Fresh reports whether the last attempt to list the kind gave a complete
	// listing, and a moment ago. Nothing is pruned otherwise.
	Fresh bool
	// Approval is what the last plan returned as Approved.
	Approval *Approval
	// Now is the time of the plan.
	Now time.Time
}

// Plan is what follows from the facts: what to write, what to report, and how to
// tell later whether someone else changed an observation.
type Plan struct {
	Changes
	Report
	View *View
}

// Changes are the writes that make one kind's observations what the listings say.
type Changes struct {
	// Writes are the observations to create or to change, sorted by name.
	Writes []Write
	// Deletes are the observations to delete, sorted by name.
	Deletes []v1alpha1.Observation
	// Unchanged is the number of observations that are as they should be.
	Unchanged int
}

// Write is one observation to create or to change.
type Write struct {
	// Existing is the observation as it is, or nil to create it.
	Existing v1alpha1.Observation
	// Desired is the observation as it should be, whole.
	Desired v1alpha1.Observation
	// Metadata and Status report which parts differ. Both are set to create.
	Metadata, Status bool
	// FormerPhase is the object's phase before the cloud changed it, where this
	// write is what shows the change; else "".
	FormerPhase string
}

// Stored reports whether an observation, as the API server answered to the write, is
// what was written. What others added counts for nothing. Otherwise an older CRD or an
// admission policy changed it.
func (w Write) Stored(answer v1alpha1.Observation) bool {
	return answer.SameStatus(w.Desired) && shows(answer, *w.Desired.Conditions()) &&
		(!w.Metadata || contains(answer.GetLabels(), w.Desired.GetLabels()) && contains(answer.GetAnnotations(), w.Desired.GetAnnotations()) &&
			len(answer.GetOwnerReferences()) >= len(w.Desired.GetOwnerReferences()))
}

// contains reports whether all of some pairs are among others.
func contains(all, some map[string]string) bool {
	for key, value := range some {
		if got, ok := all[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// Report is what a plan has to tell of one kind.
type Report struct {
	// Summary is the kind in numbers, as they are before the changes are carried out;
	// Created and Deleted keep them right. It is nil where nothing is known since
	// the manager's start.
	Summary *v1alpha1.InventorySummary
	// Conflicts are the names that someone else's objects have, sorted.
	Conflicts []Conflict
	// Clashes are the listed objects whose name another object of the cloud has.
	Clashes []Clash
	// Withheld is how many listed objects get no observation because only incomplete
	// listings, each with other objects, told of them.
	Withheld int
	// Held is the prune that waits for a person's approval, or nil.
	Held *Held
	// Undecided reports whether it cannot be told yet if a prune is held: before the
	// first complete listing since the start, and while a missing object is not
	// confirmed to be.
	Undecided bool
	// Unconfirmed reports whether another complete listing is all it takes to prune
	// a missing observation, and whether the kind can be listed completely now:
	// where it cannot, asking sooner would only defeat the back-off.
	Unconfirmed bool
	// Approved is the approval that stands, to be given to the next plan, or nil.
	Approved *Approval
}

// Again returns the report after a complete listing that told what the last one told.
// The ledger is the one after it.
func (r Report) Again(l *Ledger) Report {
	summary := *r.Summary
	completed := metav1.NewTime(l.Completed())
	summary.LastListTime = &completed
	r.Summary = &summary
	return r
}

// Created counts an observation that was created.
func (r *Report) Created(o v1alpha1.Observation) {
	if r.Summary == nil {
		return
	}
	r.Summary.Observed++
	phases := r.Summary.Phases
	i, found := slices.BinarySearchFunc(phases, o.Phase(), func(c v1alpha1.PhaseCount, phase string) int { return cmp.Compare(c.Phase, phase) })
	switch {
	case found:
		phases[i].Count++
	case len(phases) >= maxPhases:
		phases[len(phases)-1].Count++
	default:
		r.Summary.Phases = slices.Insert(phases, i, v1alpha1.PhaseCount{Phase: o.Phase(), Count: 1})
	}
}

// Deleted counts a missing observation that was deleted.
func (r *Report) Deleted(o v1alpha1.Observation) {
	r.Approved.done(o)
	if r.Summary != nil && r.Summary.Missing > 0 {
		r.Summary.Missing--
	}
}

// Conflict is a name that an object has which is not this source's, or is of another
// object of the cloud.
type Conflict struct {
	// Name is the object's.
	Name string
	// Controller is "Kind/name" of the object's controller, or "" if it has none.
	Controller string
	// Predecessor reports whether that is a deleted source of this one's name, whose
	// observations the garbage collector is still to delete.
	Predecessor bool
	// ID is the cloud ID of the object that has the observation, where the
	// observation is this source's own; else "".
	ID string
}

// planner makes one plan.
type planner struct {
	Facts
	Plan
	missing []absentee
	phases  map[string]int32
	present int // observations that are not being deleted
}

// Make returns the plan for one kind. Where the source ignores the kind, the plan
// deletes all of its observations, since that is what the user asked for. In all
// other cases an observation is deleted only if the prune chain allows it.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Source) {
		p.Deletes = slices.DeleteFunc(slices.Clone(p.Existing), terminating)
		p.sort()
		return &p.Plan
	}
	p.View = newView(p.Facts)
	p.Undecided = p.Ledger.Completed().IsZero()
	there := make(map[string]struct{}, len(p.Existing))
	for _, existing := range p.Existing {
		there[existing.GetName()] = struct{}{}
		if !terminating(existing) {
			p.present++
		}
		p.keep(existing)
	}
	var additions []v1alpha1.Observation
	for name, desired := range p.Desired {
		if _, ok := there[name]; !ok {
			additions = append(additions, desired)
		}
	}
	for _, desired := range p.limited(additions) {
		p.add(desired)
	}
	if p.Ledger != nil {
		p.Clashes = p.Ledger.clashes
	}
	p.prune()
	p.summarize()
	p.sort()
	p.View.conflicts = p.Conflicts
	return &p.Plan
}

// keep plans for an observation that is there. The first case that fits decides:
//
//	the observation                    its object         what happens to it
//	is being deleted                   -                  nothing; it is created again once it is gone
//	is of another cloud ID             -                  nothing; a conflict
//	-                                  is missing         its conditions say so; the prune chain decides
//	-                                  is listed          it becomes what was listed
//	-                                  not listed since   nothing, unless it turns stale
//	                                   the start
func (p *planner) keep(existing v1alpha1.Observation) {
	name := existing.GetName()
	desired := p.Desired[name]
	switch {
	case terminating(existing):
		if p.Ledger.listed(name) {
			p.count(desired)
		}
		p.Unchanged++
		return
	case desired != nil && desired.CloudID() != existing.CloudID():
		p.Conflicts = append(p.Conflicts, Conflict{Name: name, ID: existing.CloudID()})
		return
	case p.Ledger.isMissing(name):
		p.missing = append(p.missing, p.Ledger.absentee(existing, p.Now))
		if desired == nil {
			desired = restamped(existing, p.Source)
		}
	case desired != nil:
		p.count(desired)
	case p.View.stale:
		desired = existing
	default:
		p.Unchanged++
		return
	}
	p.change(existing, desired)
}

func terminating(o v1alpha1.Observation) bool { return o.GetDeletionTimestamp() != nil }

// change plans the write that makes existing as desired, if it takes one.
func (p *planner) change(existing, desired v1alpha1.Observation) {
	want := p.View.conditions(desired)
	status := existing != desired && !existing.SameStatus(desired) || !shows(existing, want)
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
	show(next, timed(*existing.Conditions(), want, p.Now))
	write := Write{Existing: existing, Desired: next, Metadata: metadata, Status: status}
	if former := p.Ledger.formerPhase(existing.GetName()); former == existing.Phase() {
		write.FormerPhase = former
	}
	p.Writes = append(p.Writes, write)
}

// limited returns those listed objects without an observation that get one. After a
// complete listing those are all; otherwise as many as there is room for, by name.
func (p *planner) limited(additions []v1alpha1.Observation) []v1alpha1.Observation {
	if p.Ledger == nil || !p.Ledger.partial {
		return additions
	}
	room := max(0, roomFor(p.Ledger.told)-len(p.Existing))
	if len(additions) <= room {
		return additions
	}
	slices.SortFunc(additions, byName)
	p.Withheld = len(additions) - room
	return additions[:room]
}

// add plans for a listed object without an observation.
func (p *planner) add(desired v1alpha1.Observation) {
	if occupant := p.Occupants[desired.GetName()]; occupant != nil {
		p.Conflicts = append(p.Conflicts, newConflict(occupant, ownerReference(p.Source)))
		return
	}
	next := fresh(desired)
	show(next, timed(nil, p.View.conditions(desired), p.Now))
	p.Writes = append(p.Writes, Write{Desired: next, Metadata: true, Status: true})
}

// newConflict returns the conflict with an object that has a name which owner's should have.
func newConflict(occupant metav1.Object, owner *metav1.OwnerReference) Conflict {
	conflict := Conflict{Name: occupant.GetName()}
	if controller := metav1.GetControllerOf(occupant); controller != nil {
		conflict.Controller = controller.Kind + "/" + controller.Name
		conflict.Predecessor = SameNamed(*controller, *owner)
	}
	return conflict
}

// absentee returns what is known of an observation whose object is missing.
func (l *Ledger) absentee(existing v1alpha1.Observation, now time.Time) absentee {
	name := existing.GetName()
	since := l.missingSince(name)
	if since.IsZero() || since.After(now) {
		since = now
	}
	return absentee{
		observation: existing,
		misses:      l.misses(name),
		since:       since,
		missingFor:  now.Sub(since),
		moved:       l.moved(name),
	}
}

func (p *planner) count(o v1alpha1.Observation) {
	p.phases[o.Phase()]++
}

const (
	// maxPhases is how many phases a summary tells apart.
	maxPhases = 100
	// otherPhases stands for all others. It sorts behind any word of the API.
	otherPhases = "…"
)

func (p *planner) summarize() {
	if p.Ledger.Completed().IsZero() {
		return
	}
	completed := metav1.NewTime(p.Ledger.Completed())
	p.Summary = &v1alpha1.InventorySummary{
		Missing:      int32(len(p.missing)),
		LastListTime: &completed,
		Scope:        p.Ledger.Scope(),
	}
	for i, phase := range slices.Sorted(maps.Keys(p.phases)) {
		count := p.phases[phase]
		p.Summary.Observed += count
		switch {
		case i < maxPhases-1 || len(p.phases) == maxPhases:
			p.Summary.Phases = append(p.Summary.Phases, v1alpha1.PhaseCount{Phase: phase, Count: count})
		case i == maxPhases-1:
			p.Summary.Phases = append(p.Summary.Phases, v1alpha1.PhaseCount{Phase: otherPhases, Count: count})
		default:
			p.Summary.Phases[maxPhases-1].Count += count
		}
	}
}

func (p *planner) sort() {
	slices.SortFunc(p.Writes, func(a, b Write) int { return cmp.Compare(a.Desired.GetName(), b.Desired.GetName()) })
	slices.SortFunc(p.Deletes, byName)
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Name, b.Name) })
}

func byName(a, b v1alpha1.Observation) int { return cmp.Compare(a.GetName(), b.GetName()) }
