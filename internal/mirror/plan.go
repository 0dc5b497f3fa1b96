// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Facts is the input of Make, for the objects of one kind that belong to one source or discovery.
type Facts struct {
	Kind  *Kind
	Owner Owner
	// Ledger has the results of the listings of the cloud; nil if the kind was not listed since the
	// manager's start.
	Ledger *Ledger
	// Desired has the objects of this kind as they should be in the cluster, see the function
	// Desire.
	Desired Desired
	// Existing are the objects in the cluster that belong to Owner. Make does not change these
	// objects.
	Existing []Object
	// Occupants are objects in the cluster that have a name that the plan needs, but do not belong
	// to Owner. The map key is the name.
	Occupants map[string]Object
	// Completed is when the last complete listing of this kind ended, also if the manager was
	// restarted since then. It is zero if there was no complete listing.
	Completed time.Time
	// Fresh is true if a complete listing of this kind has just ended. Otherwise the plan deletes
	// no missing objects.
	Fresh bool
	// Approval is the value of Report.Approved in the previous plan.
	Approval *Approval
	// HeldBefore is the deletion that waits for a person's approval according to the status; nil if
	// no deletion waits.
	HeldBefore *v1alpha1.HeldPrune
	// FormerNames is the result of View.Names of the previous plan.
	FormerNames map[string]string
	// Now is the time of the plan.
	Now time.Time
}

// Plan is the result of Make:
//
//   - Changes are the writes and deletions.
//   - Report has facts for the status, such as counts and conflicts.
//   - View detects later whether someone else changed an object.
type Plan struct {
	Changes
	Report
	View *View
	// missing are the objects that the last complete listing lacked, and the sources that the
	// discovery's selector no longer selects. occupants is Facts.Occupants.
	missing   []absentee
	occupants map[string]Object
}

// Changes are the writes and deletions that make the objects of one kind agree with the cloud.
type Changes struct {
	// Writes are the objects to create or to change, sorted by name.
	Writes []Write
	// Deletes are the objects to delete, sorted by name.
	Deletes []Object
	// Deferred are the objects whose deletion waits for the next complete listing, sorted by name.
	Deferred []Object
	// Unchanged is the number of objects that need no write.
	Unchanged int
}

// Write creates or changes one object.
type Write struct {
	// Existing is the object in the cluster; nil if the write creates the object.
	Existing Object
	// Desired is the complete object as it should be after the write.
	Desired Object
	// Metadata reports whether the object's metadata differs. Content reports whether its spec or
	// status differs. For a new object both are true.
	Metadata, Content bool
	// FormerPhase is the object's old phase if the cloud changed the phase and this write shows the
	// change. Otherwise FormerPhase is "".
	FormerPhase string
	// wanted is Desired without metadata that others added; nil if the write removes the
	// ownerReference. shown are the conditions that the write sets; empty if it sets no conditions.
	wanted Object
	shown  []metav1.Condition
}

// Stored reports whether the API server stored what w wrote. answer is the object that the API
// server returned. Stored ignores metadata that others added. It returns false if, for example, an
// older CRD dropped a field.
func (k *Kind) Stored(w Write, answer Object) bool {
	return k.same(answer, w.Desired) && k.shows(answer, k.Conditions(w.Desired)) &&
		(!w.Metadata || contains(answer.GetLabels(), w.Desired.GetLabels()) && contains(answer.GetAnnotations(), w.Desired.GetAnnotations()) &&
			len(answer.GetOwnerReferences()) >= len(w.Desired.GetOwnerReferences())) &&
		(w.wanted != nil || equality.Semantic.DeepEqual(answer.GetOwnerReferences(), w.Desired.GetOwnerReferences()))
}

// SameWrite reports whether two writes want the same state of an object. It ignores metadata that
// others added. If a changes the object but b creates it, SameWrite returns false.
func (k *Kind) SameWrite(a, b Write) bool {
	if a.wanted == nil || b.wanted == nil { // Two writes that remove the ownerReference are the same.
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

// Report is what a plan found out about the objects of one kind.
type Report struct {
	// Summary counts the objects before the plan's writes and deletions. The methods Created and
	// Deleted update the counts. Summary is nil before the first complete listing since the
	// manager's start.
	Summary *v1alpha1.InventorySummary
	// Conflicts are the names that the plan needs but another object in the cluster has. They are
	// sorted.
	Conflicts []Conflict
	// Clashes are the cloud objects that get no object in the cluster, because another cloud object
	// needs the same name.
	Clashes []Clash
	// Withheld is the number of objects that the plan does not create yet. After an incomplete
	// listing, a plan creates only a limited number of objects, see roomFor.
	Withheld int
	// Leaving has the sorted names of objects that are being deleted although the cloud lists them.
	// A later plan creates them again.
	Leaving []string
	// Kept has the objects that are deleted but still exist because they have finalizers. Objects of
	// the field Leaving are not in Kept. Each entry is an object's name and finalizers, without those
	// of the garbage collector. The entries are sorted.
	Kept []string
	// Outside has the sorted names of sources whose environment the discovery's selector no longer
	// selects.
	Outside []string
	// Held describes the deletion that waits for a person's approval; nil if no deletion waits.
	Held *Held
	// Undecided is true while the plan cannot know whether a person must approve a deletion. This
	// is the case before the first complete listing since the manager's start, and while more
	// listings must confirm that an object is missing. Undecided is false if an
	// object of Facts.HeldBefore is listed again.
	Undecided bool
	// Waiting is true if a source waits for the end of its grace period, because the discovery's
	// selector no longer selects the source.
	Waiting bool
	// Unconfirmed is true if the next listing should come early, to confirm that an object is
	// missing. It is false after a failed listing, because the next listing must then wait for the
	// back-off.
	Unconfirmed bool
	// Approved is a person's approval of a deletion, while the approval is valid; otherwise nil.
	// The next plan gets it as Facts.Approval.
	Approved *Approval
	// Remarks are notes about the discovery's spec, for people to read.
	Remarks []string
}

// Unfilled returns how many cloud objects lack an object in the cluster. Another object has their
// name, or the object with their name is being deleted.
func (r Report) Unfilled() int { return len(r.Conflicts) + len(r.Clashes) + len(r.Leaving) }

// Again returns the report after a new complete listing that found no changes. l is the ledger
// after this listing.
func (r Report) Again(l *Ledger) Report {
	summary := *r.Summary
	completed := metav1.NewTime(l.Completed())
	summary.LastListTime = &completed
	r.Summary = &summary
	return r
}

// Created updates the report after an object was created. whole is true if the plan came from Make,
// and false if it came from Repair. After Repair, Summary already counts the object.
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
	r.keep(o)
	slices.Sort(r.Kept)
	if i, out := slices.BinarySearch(r.Outside, o.GetName()); out {
		r.Outside = slices.Delete(slices.Clone(r.Outside), i, i+1)
	} else if !kept && r.Summary != nil && r.Summary.Missing > 0 {
		r.Summary.Missing--
		r.Summary.MissingObjects = slices.DeleteFunc(slices.Clone(r.Summary.MissingObjects),
			func(m v1alpha1.MissingObject) bool { return m.Name == o.GetName() })
	}
}

// Conflict is a name that the plan needs, but that an object in the cluster already has. That
// object belongs to someone else, or stands for another cloud object.
type Conflict struct {
	// Name is the name of the object.
	Name string
	// Controller is the controller of the object that has the name, in the form "Kind/name". It is
	// "" if the object has no controller.
	Controller string
	// Predecessor is true if this controller was deleted, and had the same kind and name as the
	// plan's source or discovery. The garbage collector will delete the object.
	Predecessor bool
	// ID is the cloud ID of the object that has the name. It is "" if the plan needs the name for
	// the same cloud ID.
	ID string
	// Own is true if the object that has the name belongs to the plan's source or discovery.
	Own bool
}

// Movable reports whether a person can hand the source over to the discovery that needs its name.
// The source must stand for the same environment. Its controller must be another discovery, or it
// must have no controller.
func (c Conflict) Movable() bool {
	return c.ID == "" && !c.Predecessor && (c.Controller == "" || strings.HasPrefix(c.Controller, DiscoveryKind+"/"))
}

// planner makes one plan.
type planner struct {
	Facts
	Plan
	absent  int                      // number of missing objects, including unmanaged sources
	lacking []v1alpha1.MissingObject // the missing observations
	phases  map[string]int32
	present int // number of objects that are 100 % for prune.maxPercent
}

// Make returns the plan for one kind of objects. If the source's policy for the kind is Ignore, the
// plan deletes all objects of this kind. Otherwise the rules in pruneChain decide about each
// deletion.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Owner.Object) {
		for _, existing := range p.Existing {
			if terminating(existing) {
				p.keep(existing)
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
		p.Remarks = p.Kind.remarks(p.Facts, p.View.names, p.Writes)
	}
	p.summarize()
	p.sort()
	p.View.conflicts = p.Conflicts
	return &p.Plan
}

// planExisting plans what happens to an existing object. The first row that fits decides. "-" means
// that every object fits.
//
//	if the object            and the cloud object     then the plan
//	is being deleted         -                        reports the object
//	has the cloud ID A       has the cloud ID B       reports a conflict
//	is marked as unmanaged   -                        removes the ownerReference
//	-                        is listed                writes the listed content
//	-                        is missing               marks the object; pruneChain may delete it
//	-                        is no longer selected    lets pruneChain decide about the deletion
//	-                        was not listed since the applies the template; it updates the
//	                         manager's start          conditions if they are stale
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
		p.keep(existing)
	}
	if seen == missing {
		p.lack(existing)
	}
	p.Unchanged++
}

// lack counts a missing object. For an observation, lack also notes the name and when the
// observation went missing.
func (p *planner) lack(existing Object) {
	p.absent++
	if p.Kind.conditions != nil {
		_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
		p.lacking = append(p.lacking, v1alpha1.MissingObject{Name: existing.GetName(), Since: metav1.NewTime(since).Rfc3339Copy()})
	}
}

// keep notes a deleted object in Kept, if someone else must remove its finalizers. The garbage
// collector removes its own ones.
func (r *Report) keep(o Object) {
	finalizers := slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool {
		return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
	})
	if len(finalizers) > 0 {
		r.Kept = append(r.Kept, fmt.Sprintf("%s (%s)", o.GetName(), Names(finalizers)))
	}
}

// release plans to remove the ownerReference of a source that has the annotation unmanaged. If the
// source has no label with a discovery's name, release adds the label, so that the discovery can
// take the source back later.
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
	if labels[v1alpha1.LabelDiscovery] == "" { // Keep a label that a person has set for another discovery.
		labels[v1alpha1.LabelDiscovery] = LabelValue(p.Owner.GetName())
	}
	next.SetLabels(labels)
	next.SetOwnerReferences(slices.DeleteFunc(next.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == p.Owner.GetUID() }))
	p.Writes = append(p.Writes, Write{Existing: existing, Desired: next, Metadata: true})
}

// controlledBy reports whether an object has an ownerReference to the owner.
func controlledBy(o, owner metav1.Object) bool {
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.UID == owner.GetUID() })
}

// change plans a write if existing differs from desired. If this process has not listed the object
// yet, the write keeps the object's conditions.
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

// limited returns the objects to create now. After a complete listing these are all additions.
// After an incomplete listing they are the first additions by name, as many as roomFor allows.
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

// add plans to create an object that the cloud lists. If another object in the cluster has the
// name, add reports a conflict instead.
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

// conflict describes the conflict of two objects over one name: occupant has the name, and listed
// needs the name.
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

// absentee returns the facts that pruneChain needs about an object that may be deleted.
func (p *planner) absentee(existing Object, seen sight) absentee {
	name := existing.GetName()
	_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
	return absentee{
		object:     existing,
		misses:     p.Ledger.misses(name),
		since:      since,
		missingFor: max(0, p.Now.Sub(since)), // since is in the future if the clock was set back.
		moved:      p.Ledger.moved(name),
		outside:    seen == outside,
	}
}

func (p *planner) count(o Object) {
	p.phases[p.Kind.Phase(o)]++
}

const (
	// maxPhases is the largest number of entries in the list Phases of a summary.
	maxPhases = 100
	// otherPhases is the name of the last entry if there are more than maxPhases phases. This entry
	// counts the objects in all remaining phases. The entries are sorted, and this name sorts last.
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
