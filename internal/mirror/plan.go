// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Facts are all that a plan for one kind of one owner is made from.
type Facts struct {
	Kind  *Kind
	Owner Owner
	// Ledger is what the listings said; nil if there was none since the start.
	Ledger *Ledger
	// Desired is this kind's part of what Desire returned.
	Desired Desired
	// Existing are the owner's own objects of this kind. They are not
	// changed.
	Existing []Object
	// Occupants are the objects of this kind in the owner's namespace that
	// are not its own and have a name it wants, by name.
	Occupants map[string]Object
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
// tell later whether someone else changed an object.
type Plan struct {
	Changes
	Report
	View *View
}

// Changes are the writes that make one kind's objects what the listings say.
type Changes struct {
	// Writes are the objects to create or to change, sorted by name.
	Writes []Write
	// Deletes are the objects to delete, sorted by name.
	Deletes []Object
	// Deferred are those that would be deleted had the kind just been listed whole, sorted
	// by name: the next such listing decides.
	Deferred []Object
	// Unchanged is the number of objects that are as they should be.
	Unchanged int
}

// Write is one object to create or to change.
type Write struct {
	// Existing is the object as it is, or nil to create it.
	Existing Object
	// Desired is the object as it should be, whole.
	Desired Object
	// Metadata and Content report which parts differ. Both are set to create.
	Metadata, Content bool
	// FormerPhase is the object's phase before the cloud changed it, if this
	// write is what shows the change; else "".
	FormerPhase string
	// wanted is what the plan wants of the object, without what others added to it, and
	// shown the conditions, without times that do not matter.
	wanted Object
	shown  []metav1.Condition
}

// Stored reports whether an object, as the API server answered to the write, is
// what was written. What others added counts for nothing. Otherwise an older CRD or an
// admission policy changed it.
func (k *Kind) Stored(w Write, answer Object) bool {
	return k.same(answer, w.Desired) && k.shows(answer, k.Conditions(w.Desired)) &&
		(!w.Metadata || contains(answer.GetLabels(), w.Desired.GetLabels()) && contains(answer.GetAnnotations(), w.Desired.GetAnnotations()) &&
			len(answer.GetOwnerReferences()) >= len(w.Desired.GetOwnerReferences())) &&
		(w.wanted != nil || equality.Semantic.DeepEqual(answer.GetOwnerReferences(), w.Desired.GetOwnerReferences()))
}

// SameWrite reports whether a write wants the same of an object as a former one, whatever others added
// to it meanwhile. To create an object that was there is another write.
func (k *Kind) SameWrite(a, b Write) bool {
	if a.wanted == nil || b.wanted == nil { // To let an object go is always the same.
		return a.wanted == nil && b.wanted == nil
	}
	if a.Existing != nil && b.Existing == nil {
		return false
	}
	return k.same(a.wanted, b.wanted) &&
		maps.Equal(a.wanted.GetLabels(), b.wanted.GetLabels()) && maps.Equal(a.wanted.GetAnnotations(), b.wanted.GetAnnotations()) &&
		(len(a.shown) == 0 && len(b.shown) == 0 || sameConditions(a.shown, b.shown))
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
	// Withheld is how many listed objects get none in the cluster because only incomplete
	// listings, each with other objects, had them.
	Withheld int
	// Leaving are the names of objects that are being deleted although they are listed,
	// sorted: each is created again once it is gone.
	Leaving []string
	// Outside are the names of objects that the owner's selector no longer takes, sorted.
	Outside []string
	// Held is the prune that waits for a person's approval, or nil.
	Held *Held
	// Undecided reports whether it cannot be told yet if a prune is held: before the
	// first complete listing since the start, and while a missing object is not
	// confirmed to be.
	Undecided bool
	// Waiting reports whether an object out of scope waits for its grace period.
	Waiting bool
	// Unconfirmed reports whether another complete listing is all it takes to prune
	// a missing observation, and whether the kind can be listed completely now:
	// where it cannot, asking sooner would only defeat the back-off.
	Unconfirmed bool
	// Approved is the approval that stands, to be given to the next plan, or nil.
	Approved *Approval
}

// Unfilled returns how many listed objects have none in the cluster that is as it should be,
// because something else has the name or because the object is being deleted.
func (r Report) Unfilled() int { return len(r.Conflicts) + len(r.Clashes) + len(r.Leaving) }

// Again returns the report after a complete listing that had what the last one had.
// The ledger is the one after it.
func (r Report) Again(l *Ledger) Report {
	summary := *r.Summary
	completed := metav1.NewTime(l.Completed())
	summary.LastListTime = &completed
	r.Summary = &summary
	return r
}

// Created takes in that an object was created: after a whole plan it counts, after a repair it
// counted before, too.
func (r *Report) Created(k *Kind, o Object, whole bool) {
	if i, was := slices.BinarySearch(r.Leaving, o.GetName()); was {
		r.Leaving = slices.Delete(slices.Clone(r.Leaving), i, i+1)
	}
	if r.Summary == nil || !whole {
		return
	}
	r.Summary.Observed++
	if k.phase == nil {
		return
	}
	phase, phases := k.phase(o), r.Summary.Phases
	i, found := slices.BinarySearchFunc(phases, phase, func(c v1alpha1.PhaseCount, phase string) int { return cmp.Compare(c.Phase, phase) })
	switch {
	case found:
		phases[i].Count++
	case len(phases) >= maxPhases:
		phases[len(phases)-1].Count++
	default:
		r.Summary.Phases = slices.Insert(phases, i, v1alpha1.PhaseCount{Phase: phase, Count: 1})
	}
}

// Deleted counts a missing object, or one out of scope, that was deleted.
func (r *Report) Deleted(o Object) {
	r.Approved.done(o)
	if i, out := slices.BinarySearch(r.Outside, o.GetName()); out {
		r.Outside = slices.Delete(slices.Clone(r.Outside), i, i+1)
	} else if r.Summary != nil && r.Summary.Missing > 0 {
		r.Summary.Missing--
	}
}

// Conflict is a name that an object has which is not this owner's, or is of another
// object of the cloud.
type Conflict struct {
	// Name is the object's.
	Name string
	// Controller is "Kind/name" of the object's controller, or "" if it has none.
	Controller string
	// Predecessor reports whether that is a deleted owner of this one's name, whose
	// objects the garbage collector is still to delete.
	Predecessor bool
	// ID is the cloud ID of the object that has the name, if that object
	// is this owner's own; else "".
	ID string
}

// planner makes one plan.
type planner struct {
	Facts
	Plan
	missing []absentee
	absent  int // objects that are missing, those out of the owner's hands too
	phases  map[string]int32
	present int // objects that are not being deleted
}

// Make returns the plan for one kind. If the owner ignores the kind, the plan
// deletes all of its objects, since that is what the user asked for. In all
// other cases an object is deleted only if the prune chain allows it.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Owner.Object) {
		p.Deletes = slices.DeleteFunc(slices.Clone(p.Existing), terminating)
		p.sort()
		return &p.Plan
	}
	p.View = newView(p.Facts)
	p.Undecided = p.Ledger.Completed().IsZero()
	there := make(map[string]struct{}, len(p.Existing))
	for _, existing := range p.Existing {
		there[existing.GetName()] = struct{}{}
		if !terminating(existing) && (p.Kind.released == nil || !p.Kind.released(existing)) {
			p.present++
		}
		p.keep(existing)
	}
	var additions []Object
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

// keep plans for an object that is there. The first case that fits decides:
//
//	the object                its cloud object      what happens to it
//	is being deleted          -                     nothing; it is created again once it is gone
//	is of another cloud ID    -                     nothing; a conflict
//	is released by a person   -                     its ownerReference goes, nothing else
//	-                         is missing, or not    its conditions say so; the prune chain decides
//	                          taken any more
//	-                         is listed             it becomes what was listed
//	-                         not listed since      its metadata follow the owner, and all of it
//	                          the start             if it turns stale
func (p *planner) keep(existing Object) {
	name := existing.GetName()
	desired, seen := p.Desired[name], p.Ledger.sight(name)
	switch {
	case terminating(existing):
		if seen == listed {
			p.count(desired)
			p.Leaving = append(p.Leaving, name)
		}
		p.Unchanged++
		return
	case desired != nil && p.Kind.id(desired) != p.Kind.id(existing):
		p.Conflicts = append(p.Conflicts, Conflict{Name: name, ID: p.Kind.id(existing)})
		return
	case desired == nil:
		desired = existing
	}
	released := p.Kind.released != nil && p.Kind.released(existing)
	switch seen {
	case listed:
		p.count(desired)
	case outside:
		p.Outside = append(p.Outside, name)
	case missing:
		p.absent++
	}
	if released {
		p.release(existing)
		return
	}
	if seen == missing || seen == outside {
		p.missing = append(p.missing, p.absentee(existing, seen))
	}
	p.change(existing, p.View.rendered(desired, existing, p.Now))
}

func terminating(o Object) bool { return o.GetDeletionTimestamp() != nil }

// release plans that an object's owner lets it go: it loses the ownerReference, and keeps the label
// by which it can be taken back. Nothing else of it changes.
func (p *planner) release(existing Object) {
	if !controlledBy(existing, p.Owner) {
		p.Unchanged++
		return
	}
	next := existing.DeepCopyObject().(Object)
	labels := maps.Clone(next.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	labels[v1alpha1.LabelDiscovery] = LabelValue(p.Owner.GetName())
	next.SetLabels(labels)
	next.SetOwnerReferences(slices.DeleteFunc(next.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == p.Owner.GetUID() }))
	p.Writes = append(p.Writes, Write{Existing: existing, Desired: next, Metadata: true})
}

// controlledBy reports whether an object has this owner's reference.
func controlledBy(o Object, owner Owner) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() })
}

// change plans the write that makes existing as desired, if it takes one. Conditions of an
// object that nothing is known of stay as they are.
func (p *planner) change(existing, desired Object) {
	want := p.View.conditions(desired)
	if p.View.sight(existing.GetName()) == unknown {
		want = nil
	}
	content := existing != desired && !p.Kind.same(existing, desired) || !p.Kind.shows(existing, want)
	metadata := existing != desired && !sameMetadata(existing, desired)
	if !content && !metadata {
		p.Unchanged++
		return
	}
	next := existing.DeepCopyObject().(Object)
	if metadata {
		restoreMetadata(next, desired)
	}
	had := slices.Clone(p.Kind.Conditions(existing))
	p.Kind.copy(next, desired)
	if p.Kind.conditions != nil {
		if want == nil {
			*p.Kind.conditions(next), *p.Kind.observed(next) = had, p.Kind.Observed(existing)
		} else {
			p.Kind.show(next, timed(had, want, p.Now))
		}
	}
	write := Write{Existing: existing, Desired: next, Metadata: metadata, Content: content, wanted: desired, shown: want}
	if former := p.Ledger.formerPhase(existing.GetName()); former == p.Kind.Phase(existing) {
		write.FormerPhase = former
	}
	p.Writes = append(p.Writes, write)
}

// limited returns those listed objects without one in the cluster that get one. After a
// complete listing those are all; otherwise as many as there is room for, by name.
func (p *planner) limited(additions []Object) []Object {
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

// add plans for a listed object without one in the cluster.
func (p *planner) add(listed Object) {
	if occupant := p.Occupants[listed.GetName()]; occupant != nil {
		p.Conflicts = append(p.Conflicts, NewConflict(occupant, p.Owner))
		return
	}
	desired := p.View.rendered(listed, nil, p.Now)
	next, want := fresh(desired), p.View.conditions(desired)
	if len(want) > 0 {
		p.Kind.show(next, timed(nil, want, p.Now))
	}
	p.Writes = append(p.Writes, Write{Desired: next, Metadata: true, Content: true, wanted: desired, shown: want})
}

// NewConflict returns the conflict with an object that has a name which owner's should have.
func NewConflict(occupant metav1.Object, owner Owner) Conflict {
	conflict := Conflict{Name: occupant.GetName()}
	if controller := metav1.GetControllerOf(occupant); controller != nil {
		conflict.Controller = controller.Kind + "/" + controller.Name
		conflict.Predecessor = SameNamed(*controller, *owner.reference()) && controller.UID != owner.GetUID()
	}
	return conflict
}

// absentee returns what is known of an object whose cloud object is missing or out of scope.
// Since when it is missing is what the ledger knows, else what the cluster says.
func (p *planner) absentee(existing Object, seen sight) absentee {
	name := existing.GetName()
	_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
	return absentee{
		object:     existing,
		misses:     p.Ledger.misses(name),
		since:      since,
		missingFor: p.Now.Sub(since),
		moved:      p.Ledger.moved(name),
		outside:    seen == outside,
	}
}

func (p *planner) count(o Object) {
	p.phases[p.Kind.Phase(o)]++
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
		Missing:      int32(p.absent),
		LastListTime: &completed,
		Scope:        p.Ledger.Scope(),
	}
	for i, phase := range slices.Sorted(maps.Keys(p.phases)) {
		count := p.phases[phase]
		p.Summary.Observed += count
		switch {
		case p.Kind.phase == nil:
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
	slices.SortFunc(p.Deferred, byName)
	slices.Sort(p.Leaving)
	slices.Sort(p.Outside)
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Name, b.Name) })
}

func byName(a, b Object) int { return cmp.Compare(a.GetName(), b.GetName()) }
