// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Facts are the input of Make: everything that decides the plan for one kind of one owner.
type Facts struct {
	Kind  *Kind
	Owner Owner
	// Ledger has the results of the listings; nil if the kind was not listed since the manager's
	// start.
	Ledger *Ledger
	// Desired has the objects of this kind that Desire returned.
	Desired Desired
	// Existing are the owner's own objects of this kind. Make does not change these objects.
	Existing []Object
	// Occupants are objects of this kind in the owner's namespace that do not belong to the owner,
	// but have a name that the owner wants. The map key is the name.
	Occupants map[string]Object
	// Completed is when this kind's last complete listing ended, in this process or an earlier one;
	// zero if there was no complete listing.
	Completed time.Time
	// Fresh reports whether the last attempt to list the kind gave a complete listing that just
	// ended. If Fresh is false, nothing is pruned.
	Fresh bool
	// Approval is the value of Report.Approved in the last plan.
	Approval *Approval
	// Now is the time of the plan.
	Now time.Time
}

// Plan is the result of Make: what to write (Changes), what to report (Report), and how to see
// later whether someone else changed an object (View).
type Plan struct {
	Changes
	Report
	View *View
	// missing are the owner's objects that are missing or out of scope. occupants are those of the
	// facts.
	missing   []absentee
	occupants map[string]Object
}

// Changes are the writes and deletions that make one kind's objects agree with the listings.
type Changes struct {
	// Writes are the objects to create or to change, sorted by name.
	Writes []Write
	// Deletes are the objects to delete, sorted by name.
	Deletes []Object
	// Deferred are the objects that would be deleted if the kind had just been listed completely,
	// sorted by name. The next complete listing decides about them.
	Deferred []Object
	// Unchanged is the number of objects that need no write.
	Unchanged int
}

// Write creates or changes one object.
type Write struct {
	// Existing is the object in the cluster; nil if the write creates the object.
	Existing Object
	// Desired is the whole object as it should be.
	Desired Object
	// Metadata and Content report which of these two parts differ. For a new object both are true.
	Metadata, Content bool
	// FormerPhase is the object's phase before the cloud changed the phase. It is "" unless this
	// write shows the new phase.
	FormerPhase string
	// wanted is the object as the plan wants it, without metadata that others added; nil if the
	// write releases the object. shown are the wanted conditions, as the function conditions
	// returns them.
	wanted Object
	shown  []metav1.Condition
}

// Stored reports whether the API server stored the object as it was written. answer is the API
// server's answer to the write. Metadata that others added to the object does not count. If Stored
// returns false, an older CRD or an admission policy changed the object.
func (k *Kind) Stored(w Write, answer Object) bool {
	return k.same(answer, w.Desired) && k.shows(answer, k.Conditions(w.Desired)) &&
		(!w.Metadata || contains(answer.GetLabels(), w.Desired.GetLabels()) && contains(answer.GetAnnotations(), w.Desired.GetAnnotations()) &&
			len(answer.GetOwnerReferences()) >= len(w.Desired.GetOwnerReferences())) &&
		(w.wanted != nil || equality.Semantic.DeepEqual(answer.GetOwnerReferences(), w.Desired.GetOwnerReferences()))
}

// SameWrite reports whether two writes want the same state of an object. Metadata that others added
// between the writes does not count. If a changes the object and b creates it again, they are
// different writes.
func (k *Kind) SameWrite(a, b Write) bool {
	if a.wanted == nil || b.wanted == nil { // Two releases of an object are always the same write.
		return a.wanted == nil && b.wanted == nil
	}
	if a.Existing != nil && b.Existing == nil {
		return false
	}
	return k.same(a.wanted, b.wanted) &&
		maps.Equal(a.wanted.GetLabels(), b.wanted.GetLabels()) && maps.Equal(a.wanted.GetAnnotations(), b.wanted.GetAnnotations()) &&
		(len(a.shown) == 0 && len(b.shown) == 0 || sameConditions(a.shown, b.shown))
}

// contains reports whether superset has every key of subset, with the same value.
func contains(superset, subset map[string]string) bool {
	for key, value := range subset {
		if got, ok := superset[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// Report is what a plan reports about one kind.
type Report struct {
	// Summary counts the kind's objects as they are before the plan's writes and deletions. Created
	// and Deleted update the counts. Summary is nil if there was no complete listing since the
	// manager's start.
	Summary *v1alpha1.InventorySummary
	// Conflicts are the wanted names that are taken, sorted by name.
	Conflicts []Conflict
	// Clashes are the listed objects without an object in the cluster, because another cloud object
	// has their name.
	Clashes []Clash
	// Withheld is the number of listed objects that get no object in the cluster for lack of room,
	// see roomFor. Withheld is 0 after a complete listing.
	Withheld int
	// Leaving has the sorted names of listed objects whose object in the cluster is being deleted.
	// After the deletion a later plan creates the object again.
	Leaving []string
	// Kept has the other objects that are being deleted, because finalizers keep them. Each entry has
	// the object's name and finalizers. The entries are sorted.
	Kept []string
	// Outside has the sorted names of objects that the owner's selector no longer selects.
	Outside []string
	// Held is the prune that waits for a person's approval, or nil.
	Held *Held
	// Undecided reports whether the plan cannot yet say if a prune must be held. This is the case
	// before the first complete listing since the start, and while further listings must confirm
	// that an object is missing.
	Undecided bool
	// Waiting reports whether an object out of scope waits for the end of its grace period.
	Waiting bool
	// Unconfirmed reports whether an early listing can confirm that an object is missing.
	// Unconfirmed is false if the last attempt to list the kind failed, because an early listing
	// would then bypass the back-off.
	Unconfirmed bool
	// Approved is the approval that is valid now; nil if there is none. The next plan gets it as
	// Facts.Approval.
	Approved *Approval
	// Remarks are notes about the owner's spec, for people to read.
	Remarks []string
}

// Unfilled returns the number of listed objects without an object in the cluster, because their
// name is taken or because their object is being deleted.
func (r Report) Unfilled() int { return len(r.Conflicts) + len(r.Clashes) + len(r.Leaving) }

// Gone returns the number of objects that are missing or out of scope. If there was no complete
// listing since the manager's start, it returns the largest int32.
func (r Report) Gone() int32 {
	if r.Summary == nil {
		return math.MaxInt32
	}
	return r.Summary.Missing + int32(len(r.Outside))
}

// Again returns the report after another complete listing with the same content. l is the ledger
// after that listing.
func (r Report) Again(l *Ledger) Report {
	summary := *r.Summary
	completed := metav1.NewTime(l.Completed())
	summary.LastListTime = &completed
	r.Summary = &summary
	return r
}

// Created updates the report after an object was created. whole is true if the plan came from Make,
// and false if it came from Repair. After Repair the summary already counts the object.
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

// Deleted updates the report after the API server accepted the deletion of an object. If the object
// has finalizers, it still exists.
func (r *Report) Deleted(o Object) {
	r.Approved.done(o)
	kept := len(o.GetFinalizers()) > 0
	if kept {
		r.Kept = append(r.Kept, withFinalizers(o))
		slices.Sort(r.Kept)
	}
	if i, out := slices.BinarySearch(r.Outside, o.GetName()); out {
		r.Outside = slices.Delete(slices.Clone(r.Outside), i, i+1)
	} else if !kept && r.Summary != nil && r.Summary.Missing > 0 {
		r.Summary.Missing--
		r.Summary.MissingObjects = slices.DeleteFunc(slices.Clone(r.Summary.MissingObjects),
			func(m v1alpha1.MissingObject) bool { return m.Name == o.GetName() })
	}
}

// Conflict is a wanted name that is taken. Either an object that does not belong to the owner has
// the name, or the owner's object of another cloud ID has it.
type Conflict struct {
	// Name is the name of the object.
	Name string
	// Controller is "Kind/name" of the object's controller; "" if the object has no controller.
	Controller string
	// Predecessor reports whether the controller is a deleted owner that had the same name as this
	// owner. The garbage collector will then delete the object.
	Predecessor bool
	// ID is the cloud ID of the object that has the name; "" if it is the cloud ID that the owner
	// wants the name for.
	ID string
	// Own reports whether the object belongs to the owner.
	Own bool
}

// Movable reports whether a person can hand the object over to the discovery that wants its name:
// the object stands for the wanted environment, and has no controller or another discovery as its
// controller.
func (c Conflict) Movable() bool {
	return c.ID == "" && !c.Predecessor && (c.Controller == "" || strings.HasPrefix(c.Controller, DiscoveryKind+"/"))
}

// planner makes one plan.
type planner struct {
	Facts
	Plan
	absent  int                      // number of missing objects, also released ones
	lacking []v1alpha1.MissingObject // the missing observations
	phases  map[string]int32
	present int // number of objects that are not being deleted, not released and not out of scope
}

// Make returns the plan for one kind. If the owner ignores the kind, the plan deletes all of the
// owner's objects of this kind. Otherwise the plan deletes an object only if the prune chain allows
// the deletion.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Owner.Object) {
		for _, existing := range p.Existing {
			if terminating(existing) {
				p.Kept = append(p.Kept, withFinalizers(existing))
			} else {
				p.Deletes = append(p.Deletes, existing)
			}
		}
		p.sort()
		return &p.Plan
	}
	p.View, p.occupants = newView(p.Facts), p.Occupants
	p.Undecided = p.Ledger.Completed().IsZero()
	there := make(map[string]struct{}, len(p.Existing))
	for _, existing := range p.Existing {
		there[existing.GetName()] = struct{}{}
		if !terminating(existing) && !p.Kind.releases(existing) && p.Ledger.sight(existing.GetName()) != outside {
			p.present++
		}
		p.planExisting(existing)
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
	if p.Kind.remarks != nil {
		p.Remarks = p.Kind.remarks(p.Facts, p.Writes)
	}
	p.summarize()
	p.sort()
	p.View.conflicts = p.Conflicts
	return &p.Plan
}

// planExisting plans what happens to an existing object. The first row that fits decides:
//
//	the object                the cloud object       what happens to the object
//	is being deleted          -                      nothing; it is reported, and created again later,
//	                                                 if listed
//	has another cloud ID      -                      nothing; the plan reports a conflict
//	was released by a person  -                      it loses the ownerReference
//	-                         is missing, or out     its conditions are set; the prune chain decides
//	                          of scope               about its deletion
//	-                         is listed              it gets the listed content
//	-                         is unknown: not        its metadata is updated; its conditions change
//	                          listed since the       only when they turn stale
//	                          start
func (p *planner) planExisting(existing Object) {
	name := existing.GetName()
	desired, seen := p.Desired[name], p.Ledger.sight(name)
	switch {
	case terminating(existing):
		p.leave(existing, desired, seen)
		return
	case desired != nil && p.Kind.id(desired) != p.Kind.id(existing):
		p.Conflicts = append(p.Conflicts, Conflict{Name: name, ID: p.Kind.id(existing), Own: true})
		return
	case desired == nil:
		desired = existing
	}
	switch seen {
	case listed:
		p.count(desired)
	case outside:
		p.Outside = append(p.Outside, name)
	case missing:
		p.lack(existing)
	}
	if p.Kind.releases(existing) {
		p.release(existing)
		return
	}
	if seen == missing || seen == outside {
		p.missing = append(p.missing, p.absentee(existing, seen))
	}
	p.change(existing, p.View.rendered(desired, existing, p.Now))
}

func terminating(o Object) bool { return o.GetDeletionTimestamp() != nil }

// leave reports an object that is being deleted.
func (p *planner) leave(existing, desired Object, seen sight) {
	switch {
	case seen == listed:
		p.count(desired)
		p.Leaving = append(p.Leaving, existing.GetName())
	case !p.Kind.releases(existing):
		p.Kept = append(p.Kept, withFinalizers(existing))
	}
	if seen == missing {
		p.lack(existing)
	}
	p.Unchanged++
}

// lack counts a missing object. If it is an observation, the summary gets its name and since when it
// is missing.
func (p *planner) lack(existing Object) {
	p.absent++
	if p.Kind.conditions != nil {
		_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
		p.lacking = append(p.lacking, v1alpha1.MissingObject{Name: existing.GetName(), Since: metav1.NewTime(since)})
	}
}

// withFinalizers returns the name and the finalizers of an object, for a message.
func withFinalizers(o Object) string {
	return fmt.Sprintf("%s (%s)", o.GetName(), Names(o.GetFinalizers()))
}

// release plans the release of an object: the object loses the owner's ownerReference. If the object
// has no label with a discovery's name, it gets the label with the owner's name, so that the owner
// can take the object back. Nothing else changes.
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
	if labels[v1alpha1.LabelDiscovery] == "" { // A person may have set the label of the next discovery.
		labels[v1alpha1.LabelDiscovery] = LabelValue(p.Owner.GetName())
	}
	next.SetLabels(labels)
	next.SetOwnerReferences(slices.DeleteFunc(next.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == p.Owner.GetUID() }))
	p.Writes = append(p.Writes, Write{Existing: existing, Desired: next, Metadata: true})
}

// controlledBy reports whether an object has an ownerReference to this owner.
func controlledBy(o Object, owner Owner) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() })
}

// change plans the write that makes existing equal to desired, if they differ. If the sight of the
// object is unknown, the write keeps the object's conditions.
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

// limited returns the additions that get an object in the cluster. After a complete listing it
// returns all additions. After an incomplete listing it returns the first additions by name, as
// many as there is room for.
func (p *planner) limited(additions []Object) []Object {
	if p.Ledger == nil || !p.Ledger.partial {
		return additions
	}
	room := max(0, roomFor(p.Ledger.lastCount)-len(p.Existing))
	if len(additions) <= room {
		return additions
	}
	slices.SortFunc(additions, byName)
	p.Withheld = len(additions) - room
	return additions[:room]
}

// add plans to create the object in the cluster for a listed object. If the name is taken, add
// reports a conflict.
func (p *planner) add(listed Object) {
	if occupant := p.Occupants[listed.GetName()]; occupant != nil {
		p.Conflicts = append(p.Conflicts, p.conflict(occupant, listed))
		return
	}
	desired := p.View.rendered(listed, nil, p.Now)
	next, want := fresh(desired), p.View.conditions(desired)
	if len(want) > 0 {
		p.Kind.show(next, timed(nil, want, p.Now))
	}
	p.Writes = append(p.Writes, Write{Desired: next, Metadata: true, Content: true, wanted: desired, shown: want})
}

// conflict returns the conflict about the name of a listed object that occupant has.
func (p *planner) conflict(occupant, listed Object) Conflict {
	conflict := Conflict{Name: occupant.GetName()}
	if id := p.Kind.id(occupant); id != p.Kind.id(listed) {
		conflict.ID = id
	}
	if controller := metav1.GetControllerOf(occupant); controller != nil {
		conflict.Controller = controller.Kind + "/" + controller.Name
		conflict.Predecessor = SameNamed(*controller, *p.Owner.reference()) && controller.UID != p.Owner.GetUID()
	}
	return conflict
}

// absentee describes an object that is missing or out of scope.
func (p *planner) absentee(existing Object, seen sight) absentee {
	name := existing.GetName()
	_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
	return absentee{
		object:     existing,
		misses:     p.Ledger.misses(name),
		since:      since,
		missingFor: max(0, p.Now.Sub(since)), // The clock may have been set back since the last listing.
		moved:      p.Ledger.moved(name),
		outside:    seen == outside,
	}
}

func (p *planner) count(o Object) {
	p.phases[p.Kind.Phase(o)]++
}

const (
	// maxPhases is the largest number of entries for phases in a summary.
	maxPhases = 100
	// otherPhases is the phase of the last entry in a summary of more than maxPhases phases. This
	// entry counts the objects in all other phases. otherPhases sorts after every phase of the API.
	otherPhases = "…"
)

func (p *planner) summarize() {
	if p.Ledger.Completed().IsZero() {
		return
	}
	completed := metav1.NewTime(p.Ledger.Completed())
	slices.SortFunc(p.lacking, func(a, b v1alpha1.MissingObject) int { return cmp.Compare(a.Name, b.Name) })
	p.Summary = &v1alpha1.InventorySummary{
		Missing:        int32(p.absent),
		MissingObjects: p.lacking[:min(len(p.lacking), MaxJoined)],
		LastListTime:   &completed,
		Scope:          p.Ledger.Scope(),
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
	slices.Sort(p.Kept)
	slices.Sort(p.Outside)
	slices.SortFunc(p.Conflicts, func(a, b Conflict) int { return cmp.Compare(a.Name, b.Name) })
}

func byName(a, b Object) int { return cmp.Compare(a.GetName(), b.GetName()) }
