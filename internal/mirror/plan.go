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

// Facts is the input of the function Make: facts about the objects of one kind that belong to one
// InventorySource or EnvironmentDiscovery.
type Facts struct {
	Kind  *Kind
	Owner Owner
	// Ledger has the results of all listings of this kind since the manager's start. It is nil if
	// there was no listing.
	Ledger *Ledger
	// Question is a hash of what the spec says about listings: see Sighting.Question.
	Question string
	// Desired has the objects as they should be in the cluster. See [Desire].
	Desired Desired
	// Existing has the objects in the cluster that belong to the source or discovery. The code must
	// not modify these objects, because they come from a shared cache.
	Existing []Object
	// Occupants has objects in the cluster that do not belong to the source or discovery, but have the
	// name of a desired object. The key is the name.
	Occupants map[string]Object
	// Completed is the time at which the last complete listing of this kind ended, possibly before
	// the manager's start. It is zero if there was no complete listing.
	Completed time.Time
	// Fresh is true if a complete listing of this kind is recent enough to delete missing objects. If
	// Fresh is false, the plan deletes no missing objects.
	Fresh bool
	// Recorded is true if the plan follows a new, complete listing of this kind. Fresh can still be
	// false: if earlier reconciles failed, the plan comes late, and the listing may be too old.
	Recorded bool
	// Approval is a person's approval of a deletion; nil if there is no valid approval. It is the
	// field Report.Approved of the previous plan.
	Approval *Approval
	// HeldBefore is the deletion that waits for a person's approval, as the status of the source or
	// discovery shows it. It is nil if no deletion waits.
	HeldBefore *v1alpha1.HeldPrune
	// AppliedNames is the field Plan.AppliedNames of the previous plan, updated after each write
	// that followed. For the first plan after the manager's start, AppliedNames is the result of
	// AppliedNamesOf.
	AppliedNames AppliedNames
	// FailedWrites has the last write of each object whose last write failed. The key is the object's
	// name. If the API server's answer was lost, the API server may have stored the write.
	FailedWrites map[string]Write
	// Now is the time of the plan.
	Now time.Time
}

// Plan is the result of Make:
//
//   - Changes are the writes and deletions.
//   - Report has facts for the status, such as counts and conflicts.
//   - View has the wanted state of the objects, to detect later changes by others.
//   - AppliedNames are facts about the sources before the writes. After each write, the caller calls
//     AppliedNames.Add.
type Plan struct {
	Changes
	Report
	View         *View
	AppliedNames AppliedNames
	// absentees are the objects that the plan may have to delete: missing objects, and sources
	// whose environment the discovery no longer selects. occupantsByName is the same map as
	// Facts.Occupants.
	absentees       []absentee
	occupantsByName map[string]Object
}

// Changes has the writes and deletions of a plan.
type Changes struct {
	// Writes are the writes that create or change objects, sorted by the object's name.
	Writes []Write
	// Deletes are the objects to delete, sorted by name.
	Deletes []Object
	// Deferred are objects that may be deleted, but only right after the next complete listing.
	// They are sorted by name.
	Deferred []Object
	// Unchanged is the number of objects that need no write.
	Unchanged int
}

// Write creates or changes one object.
type Write struct {
	// Existing is the object in the cluster; nil if the write creates the object.
	Existing Object
	// Desired is the whole object after the write.
	Desired Object
	// Metadata is true if the write changes the object's metadata. Content is true if the write
	// changes the object's spec or status. For a new object, Metadata and Content are true.
	Metadata, Content bool
	// If the phase of the object changed in the cloud, FormerPhase is the phase before the change.
	// Otherwise, FormerPhase is "".
	FormerPhase string
	// wantedObject is the object as the plan wants it; nil if the write removes the ownerReference.
	// Desired also has the labels, annotations and ownerReferences that someone else added to the
	// object. wantedConditions are the conditions that the write sets.
	wantedObject     Object
	wantedConditions []metav1.Condition
	// appliedName is the display name that decided the settings of the source in Desired. It is nil
	// for an observation, and if the write removes the ownerReference.
	appliedName *appliedName
}

// Stored reports whether the API server stored all values of the write w. If the CRD in the cluster
// is too old, the API server drops a field, and Stored returns false. fromServer is the object that
// the API server returned.
func (k *Kind) Stored(w Write, fromServer Object) bool {
	return k.same(fromServer, w.Desired) && k.hasConditions(fromServer, k.Conditions(w.Desired)) &&
		(!w.Metadata || containsPairs(fromServer.GetLabels(), w.Desired.GetLabels()) && containsPairs(fromServer.GetAnnotations(), w.Desired.GetAnnotations()) &&
			len(fromServer.GetOwnerReferences()) >= len(w.Desired.GetOwnerReferences())) &&
		(w.wantedObject != nil || equality.Semantic.DeepEqual(fromServer.GetOwnerReferences(), w.Desired.GetOwnerReferences()))
}

// SameWrite reports whether two writes set the same content, metadata and conditions. Two writes
// that remove the ownerReference are also the same. If write a changes an existing object, but
// write b creates an object, the writes are different.
func (k *Kind) SameWrite(a, b Write) bool {
	if a.wantedObject == nil || b.wantedObject == nil { // Two writes that remove the ownerReference are the same.
		return a.wantedObject == nil && b.wantedObject == nil
	}
	if a.Existing != nil && b.Existing == nil {
		return false
	}
	return k.same(a.wantedObject, b.wantedObject) &&
		maps.Equal(a.wantedObject.GetLabels(), b.wantedObject.GetLabels()) && maps.Equal(a.wantedObject.GetAnnotations(), b.wantedObject.GetAnnotations()) &&
		(len(a.wantedConditions) == 0 && len(b.wantedConditions) == 0 || sameConditions(a.wantedConditions, b.wantedConditions))
}

// containsPairs reports whether superset has all keys of subset, with the same values.
func containsPairs(superset, subset map[string]string) bool {
	for key, value := range subset {
		if got, ok := superset[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// Report has the facts that a plan found about the objects of one kind.
type Report struct {
	// Summary has counts, for example the number of missing objects. It is nil if there was no
	// complete listing since the manager's start. The methods Created and Deleted update the counts
	// after each creation and deletion.
	Summary *v1alpha1.InventorySummary
	// Conflicts has one entry for each name that the plan needs, but that an object in the cluster
	// already has. The entries are sorted by name.
	Conflicts []Conflict
	// Clashes has the pairs of cloud objects that need the same name in the cluster.
	Clashes []Clash
	// Withheld is the number of listed objects that exceed the limit for creations after an
	// incomplete listing. This plan leaves out these objects. A later plan creates them.
	Withheld int
	// Leaving has the sorted names of objects that are being deleted although the cloud still lists
	// them. A later plan creates these objects again.
	Leaving []string
	// Kept has one text for each object whose deletion waits for finalizers: the object's name and
	// finalizers. The texts are sorted. There is no text for the objects in Leaving.
	Kept []string
	// Outside has the sorted names of sources whose environment the discovery's selector no longer
	// selects.
	Outside []string
	// Held describes the deletion that waits for a person's approval; nil if no deletion waits.
	Held *Held
	// Undecided is true if only a further listing can show whether a person must approve a
	// deletion. Until then, the status keeps a deletion that already waits for approval.
	Undecided bool
	// Waiting is true if the discovery no longer selects the environment of a source, and the
	// source stays until its grace period ends.
	Waiting bool
	// Unconfirmed is true if the next listing should come early, to confirm that an object is
	// missing.
	Unconfirmed bool
	// Approved is a person's approval of a deletion; nil if there is no valid approval. The next
	// plan gets this value in Facts.Approval.
	Approved *Approval
	// Remarks has messages for people about the spec of a discovery. It is nil for a source.
	Remarks []string
}

// Unfilled returns how many listed cloud objects cannot get an object in the cluster yet. The name
// of such an object is taken (Conflicts, Clashes), or the old object with this name is still being
// deleted (Leaving).
func (r Report) Unfilled() int { return len(r.Conflicts) + len(r.Clashes) + len(r.Leaving) }

// Again returns the report after one more complete listing, which found no changes. l is the ledger
// after that listing.
func (r Report) Again(l *Ledger) Report {
	summary := *r.Summary
	completed := metav1.NewTime(l.Completed())
	summary.LastListTime = &completed
	r.Summary = &summary
	return r
}

// Created updates the report after an object was created.
//
// plannedByMake is true if the function Make planned the creation, and false if View.Repair did.
// Repair creates an object again that someone else deleted. The counts still include this object,
// so Created does not count it again.
func (r *Report) Created(k *Kind, o Object, plannedByMake bool) {
	if i, was := slices.BinarySearch(r.Leaving, o.GetName()); was {
		r.Leaving = slices.Delete(slices.Clone(r.Leaving), i, i+1)
	}
	if r.Summary == nil || !plannedByMake {
		return
	}
	r.Summary.Observed++
	if k.phaseOf == nil {
		return
	}
	phase, phases := k.phaseOf(o), r.Summary.Phases
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

// Deleted updates the report after the API server accepted the deletion of an object. An object
// with finalizers still counts as missing, because it still exists.
func (r *Report) Deleted(o Object) {
	r.Approved.noteDeleted(o)
	kept := len(o.GetFinalizers()) > 0
	r.addKept(o)
	slices.Sort(r.Kept)
	if i, out := slices.BinarySearch(r.Outside, o.GetName()); out {
		r.Outside = slices.Delete(slices.Clone(r.Outside), i, i+1)
	} else if !kept && r.Summary != nil && r.Summary.Missing > 0 {
		r.Summary.Missing--
		r.Summary.MissingObjects = slices.DeleteFunc(slices.Clone(r.Summary.MissingObjects),
			func(m v1alpha1.MissingObject) bool { return m.Name == o.GetName() })
	}
}

// Conflict is a name that the plan needs, but that an object in the cluster already has.
type Conflict struct {
	Name string
	// Controller is the controller of the object in the cluster, in the form "Kind/name". It is ""
	// if the object has no controller.
	Controller string
	// Predecessor is true if the object in the cluster belongs to a deleted source or discovery
	// that had the same name as the plan's source or discovery. The garbage collector will delete
	// the object.
	Predecessor bool
	// ID is the cloud ID of the object in the cluster. It is "" if the plan needs the name for an
	// object with the same cloud ID.
	ID string
	// Own is true if the object in the cluster belongs to the same source or discovery as the plan.
	Own bool
}

// Movable returns true if a person can solve the conflict by handing the existing source over to
// the plan's discovery. All of these conditions must be true:
//
//   - The existing source is for the same environment as the source that the plan needs.
//   - The controller of the existing source is another discovery, or there is no controller.
//   - The controller is not a deleted discovery with the name of the plan's discovery (see
//     Predecessor).
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
	present int // prune.maxPercent is a percentage of this number of objects
}

// Make returns the plan for one kind of objects. If the source's policy for this kind is Ignore,
// the plan deletes all objects of this kind. If not, the rules in pruneChain decide which objects
// the plan deletes.
func Make(facts Facts) *Plan {
	p := &planner{Facts: facts, phases: map[string]int32{}}
	if !p.Kind.Mirrored(p.Owner.Object) {
		for _, existing := range p.Existing {
			if terminating(existing) {
				p.addKept(existing)
			} else {
				p.Deletes = append(p.Deletes, existing)
			}
		}
		p.sort()
		return &p.Plan
	}
	p.Facts.AppliedNames = p.keptNames()
	p.View, p.occupantsByName, p.Plan.AppliedNames = newView(p.Facts), p.Occupants, p.Facts.AppliedNames
	p.Undecided = p.Ledger.Completed().IsZero()
	there := make(map[string]struct{}, len(p.Existing))
	for _, existing := range p.Existing {
		there[existing.GetName()] = struct{}{}
		if !terminating(existing) && !p.Kind.releases(existing) && p.Ledger.sightOf(existing.GetName()) != sightOutside {
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
	for _, desired := range p.limitedAdditions(additions) {
		p.planCreation(desired)
	}
	if p.Ledger != nil {
		p.Clashes = p.Ledger.clashes
	}
	p.planPrune()
	if p.Kind.remarksFor != nil {
		p.Remarks = p.Kind.remarksFor(p.Facts, p.View.displayNames, p.Writes)
	}
	p.summarize()
	p.sort()
	p.View.conflicts = p.Conflicts
	return &p.Plan
}

// planExisting plans what happens to an existing object. The first case that applies decides:
//
//   - The object is being deleted: the plan reports the object.
//   - The object has the name of a desired object, but another cloud ID: the plan reports a
//     conflict.
//   - The source has the annotation unmanaged: the plan removes the ownerReference.
//   - The cloud lists the object: the plan writes the listed content.
//   - The object is missing in the cloud: the plan marks the object as missing, and the rules in
//     pruneChain decide about the deletion.
//   - The discovery no longer selects the environment: the rules in pruneChain decide about the
//     deletion of the source.
//   - There was no complete listing since the manager's start: the plan updates metadata, the spec
//     of a source, and facts about other cloud objects. If the last complete listing is older than
//     spec.staleAfter, the plan also updates the conditions.
func (p *planner) planExisting(existing Object) {
	name := existing.GetName()
	desired, seen := p.Desired[name], p.Ledger.sightOf(name)
	switch {
	case terminating(existing):
		p.reportTerminating(existing, desired, seen)
		return
	case desired != nil && p.Kind.id(desired) != p.Kind.id(existing):
		p.Conflicts = append(p.Conflicts, Conflict{Name: name, ID: p.Kind.id(existing), Own: true})
		return
	case desired == nil:
		desired = existing
	}
	switch seen {
	case sightListed:
		p.count(desired)
	case sightOutside:
		p.Outside = append(p.Outside, name)
	case sightMissing:
		p.countMissing(existing)
	}
	if p.Kind.releases(existing) {
		p.planRelease(existing)
		return
	}
	if seen == sightMissing || seen == sightOutside {
		p.absentees = append(p.absentees, p.absenteeOf(existing, seen))
	}
	p.planChange(existing, p.View.renderedObject(desired, existing, p.Now))
}

func terminating(o Object) bool { return o.GetDeletionTimestamp() != nil }

// reportTerminating reports an object that is being deleted.
func (p *planner) reportTerminating(existing, desired Object, seen sight) {
	switch {
	case seen == sightListed:
		p.count(desired)
		p.Leaving = append(p.Leaving, existing.GetName())
	case !p.Kind.releases(existing):
		p.addKept(existing)
	}
	if seen == sightMissing {
		p.countMissing(existing)
	}
	p.Unchanged++
}

// countMissing counts a missing object. For an observation, it also notes the name and the time at
// which the observation went missing.
func (p *planner) countMissing(existing Object) {
	p.absent++
	if p.Kind.conditionsOf != nil {
		_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
		p.lacking = append(p.lacking, v1alpha1.MissingObject{Name: existing.GetName(), Since: metav1.NewTime(since).Rfc3339Copy()})
	}
}

// addKept adds a text for an object to r.Kept if the object has finalizers. It ignores the two
// finalizers of the garbage collector.
func (r *Report) addKept(o Object) {
	finalizers := slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool {
		return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
	})
	if len(finalizers) > 0 {
		r.Kept = append(r.Kept, fmt.Sprintf("%s (%s)", o.GetName(), Names(finalizers)))
	}
}

// planRelease plans to remove the ownerReference of a source with the annotation unmanaged. If the
// source has no label with a discovery's name, planRelease adds the label. By this label, the
// discovery finds the source again when the annotation is gone.
func (p *planner) planRelease(existing Object) {
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

// planChange plans a write if the existing object differs from the desired object.
func (p *planner) planChange(existing, desired Object) {
	want := p.View.wantedConditions(desired)
	if p.View.sightOf(existing.GetName()) == sightUnknown {
		want = nil
	}
	content := existing != desired && !p.Kind.same(existing, desired) || !p.Kind.hasConditions(existing, want)
	metadata := existing != desired && !sameMetadata(existing, desired)
	if !content && !metadata {
		p.Unchanged++
		p.Plan.AppliedNames.Add(Write{Desired: desired, appliedName: p.appliedNameOf(desired, existing)})
		return
	}
	next := existing.DeepCopyObject().(Object)
	if metadata {
		restoreMetadata(next, desired)
	}
	had := slices.Clone(p.Kind.Conditions(existing))
	p.Kind.copy(next, desired)
	if p.Kind.conditionsOf != nil {
		if want == nil {
			*p.Kind.conditionsOf(next), *p.Kind.observedOf(next) = had, p.Kind.Observed(existing)
		} else {
			p.Kind.setConditions(next, withTimes(had, want, p.Now))
		}
	}
	write := Write{Existing: existing, Desired: next, Metadata: metadata, Content: content, wantedObject: desired, wantedConditions: want, appliedName: p.appliedNameOf(desired, existing)}
	if former := p.Ledger.formerPhase(existing.GetName()); former == p.Kind.Phase(existing) {
		write.FormerPhase = former
	}
	p.Writes = append(p.Writes, write)
}

// limitedAdditions returns the objects to create now. After an incomplete listing, roomFor limits
// the number of objects in the cluster. limitedAdditions then leaves out the additions above the
// limit.
func (p *planner) limitedAdditions(additions []Object) []Object {
	if p.Ledger == nil || !p.Ledger.lastPartial {
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

// planCreation plans to create an object that the cloud lists. If an object in the cluster already
// has the same name, planCreation reports a conflict.
//
// If the last listing that had the object was for an older spec (see Facts.Question), planCreation
// plans nothing: the listing for the new spec may lack the object.
func (p *planner) planCreation(listedObject Object) {
	if e, _ := p.Ledger.entryOf(listedObject.GetName()); e.question != p.Question {
		return
	}
	if occupant := p.Occupants[listedObject.GetName()]; occupant != nil {
		p.Conflicts = append(p.Conflicts, p.conflictOf(occupant, listedObject))
		return
	}
	desired := p.View.renderedObject(listedObject, nil, p.Now)
	next, want := creationCopy(desired), p.View.wantedConditions(desired)
	if len(want) > 0 {
		p.Kind.setConditions(next, withTimes(nil, want, p.Now))
	}
	p.Writes = append(p.Writes, Write{Desired: next, Metadata: true, Content: true, wantedObject: desired, wantedConditions: want, appliedName: p.appliedNameOf(desired, nil)})
}

// conflictOf returns a conflict about a name. inCluster is the object that has the name in the
// cluster. listedObject is the object that needs the name.
func (p *planner) conflictOf(inCluster, listedObject Object) Conflict {
	conflict := Conflict{Name: inCluster.GetName()}
	if id := p.Kind.id(inCluster); id != p.Kind.id(listedObject) {
		conflict.ID = id
	}
	if controller := metav1.GetControllerOf(inCluster); controller != nil {
		conflict.Controller = controller.Kind + "/" + controller.Name
		conflict.Predecessor = SameNamed(*controller, *p.Owner.reference()) && controller.UID != p.Owner.GetUID()
	}
	return conflict
}

// absenteeOf returns the facts that the rules in pruneChain need about an object. The object is
// missing, or is a source that the discovery no longer selects.
func (p *planner) absenteeOf(existing Object, seen sight) absentee {
	name := existing.GetName()
	_, since := knownSince(p.Kind, p.Owner, p.Ledger, existing, p.Now)
	return absentee{
		object:      existing,
		missCount:   p.Ledger.missCount(name),
		since:       since,
		missingFor:  max(0, p.Now.Sub(since)), // The difference is negative if the clock was set back.
		scopeMoved:  p.Ledger.scopeMoved(name) || p.Kind.environmentNames != nil && !p.Facts.AppliedNames[p.Kind.id(existing)].decided,
		notSelected: seen == sightOutside,
	}
}

func (p *planner) count(o Object) {
	p.phases[p.Kind.Phase(o)]++
}

const (
	// maxPhases is the largest number of entries in InventorySummary.Phases.
	maxPhases = 100
	// If there are more than maxPhases phases, the last entry of InventorySummary.Phases has the
	// phase otherPhases. This entry counts the objects in all phases without an entry of their own.
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
		case p.Kind.phaseOf == nil:
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
