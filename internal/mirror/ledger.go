// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Sighting is the result of one listing of one kind of cloud object.
type Sighting struct {
	// Objects has the cloud objects that are new or changed since the last listing, converted to
	// Kubernetes objects. The Kubernetes objects have no conditions yet, and no facts about other
	// kinds: for example, a network does not have its clusters.
	Objects []Object
	// Same has the cloud IDs of the objects that did not change since the last listing. The ledger
	// already has the content of these objects.
	Same []string
	// Complete is true if the listing had every cloud object of the kind.
	Complete bool
	// Scope is a hash of the endpoint, the credential and the filters of the listing. If this hash
	// changes, the new listing may lack objects that still exist in the cloud.
	Scope string
	// Question is a hash of what the spec says about the listing: the endpoint, the reference to
	// the credential, the filters, and the discovery's selector.
	Question string
	// End is when the listing ended.
	End time.Time
}

// Ledger has the results of all listings of one kind since the manager's start, for one source or
// discovery. A nil pointer means that the kind was not listed yet. A Ledger never changes after the
// method Record has returned it.
type Ledger struct {
	entries map[string]entry // by the object's name
	// lastCompleted is the end of the last complete listing. It is zero if there was no complete
	// listing.
	lastCompleted time.Time
	// lastEmpty is true if the last complete listing had no objects.
	lastEmpty bool
	// lastScope is a hash of the endpoint, the credential and the filters of the last complete
	// listing.
	lastScope string
	// formerScope is the value that lastScope had before its last change. If lastScope has not
	// changed since the manager's start, formerScope is the hash from before the start. It is "" if
	// that hash is not known.
	formerScope string
	// seq is the number of the last complete listing. The first complete listing after the
	// manager's start has the number 0.
	seq int
	// baseSeq is the number of the last complete listing before lastScope last changed. It is 0 if
	// lastScope never changed. The method missCount counts only the listings after this one.
	baseSeq int
	// absentCount is the number of entries whose object is not listed.
	absentCount int
	// lastCount is the number of objects in the last listing. lastPartial is true if the last listing
	// was incomplete.
	lastCount   int
	lastPartial bool
	// oldPhases has the old phase of each object whose phase changed in the cloud, but not yet in
	// the cluster. The key is the object's name.
	oldPhases map[string]string
	// clashes are the pairs of cloud objects that need the same name in the cluster, in sorted order.
	clashes []Clash
}

// Clash describes two cloud objects that need the same name in the cluster.
type Clash struct {
	// ID is the cloud ID of the object that does not get the name. The cluster has no object for
	// this cloud object.
	ID string
	// Name is the name in the cluster. Owner is the cloud ID of the object that gets the name.
	Name, Owner string
}

// entry is what the ledger knows about one cloud object.
type entry struct {
	// object is the object as it was last listed. It is nil if the object was not listed since the
	// manager's start. If the client's cache has an object with the same content, this is a pointer
	// to the cached object, to save memory.
	object Object
	// outsideSince is the time at which the discovery stopped selecting the environment. It is zero if
	// the discovery selects the environment, or if the object is not an environment.
	outsideSince time.Time
	// lastScope is a hash of the endpoint, the credential and the filters of the last listing that had
	// the object. It is "" if the hash is not known. If no listing had the object, lastScope is
	// neverListed.
	lastScope string
	// question is the field Sighting.Question of the last listing that had the object.
	question string
	// absence is nil if the object is listed.
	absence *absence
}

// absence is what the ledger knows about an object that is not listed.
type absence struct {
	// seq is the number of a complete listing. The method missCount counts only later listings.
	//
	//   - If the object was listed since the manager's start, seq is the last complete listing
	//     before the object was first absent.
	//   - If not, seq is the last complete listing at the time when the operator first saw the
	//     object in the cluster.
	seq int
	// missingSince is the time at which the object went missing. It is zero until a complete listing
	// lacks the object.
	missingSince time.Time
}

func (e entry) listed() bool { return e.absence == nil }

// NewLedger returns the ledger of a kind that was not listed since the manager's start. formerScope
// is a hash of the endpoint, the credential and the filters of the last listing before the start.
// It is "" if this hash is not known.
func NewLedger(formerScope string) *Ledger { return &Ledger{formerScope: formerScope} }

// Record returns a new ledger with the results of one more listing. existingObjects are the objects
// in the cluster that belong to the source or discovery. The new ledger also has entries for
// existing objects that were never listed.
func (l *Ledger) Record(kind *Kind, owner Owner, s Sighting, existingObjects []Object) *Ledger {
	if l == nil {
		l = &Ledger{}
	}
	next := *l
	next.lastCount, next.lastPartial = len(s.Objects)+len(s.Same), !s.Complete
	next.entries = make(map[string]entry, max(next.lastCount, len(existingObjects)))
	next.oldPhases, next.clashes, next.absentCount = nil, nil, 0
	if s.Complete {
		next.noteComplete(s)
	}
	inCluster := make(map[string]Object, len(existingObjects))
	for _, o := range existingObjects {
		inCluster[o.GetName()] = o
	}
	r := recording{kind: kind, owner: owner, Sighting: s, formerLedger: l, inCluster: inCluster}
	if kind.selectorOf != nil {
		r.inScope = kind.selectorOf(owner)
	}
	for _, id := range s.Same {
		next.addListed(r, l.entries[ObjectName(id)].object)
	}
	for _, o := range s.Objects {
		if kind.withLastName != nil {
			o = kind.withLastName(o, l.entries[o.GetName()].object, inCluster[o.GetName()], owner)
		}
		next.addListed(r, o)
	}
	next.carryOver(r)
	for name, o := range inCluster {
		if _, known := next.entries[name]; !known {
			next.entries[name] = entry{lastScope: r.scopeOfUnlisted(o, next.formerScope), absence: &absence{seq: next.seq}}
			if s.Complete {
				next.entries[name].absence.missingSince = r.claimedSince(o, sightMissing)
			}
			next.absentCount++
		}
	}
	next.notePhases(r)
	slices.SortFunc(next.clashes, func(a, b Clash) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return &next
}

// recording is the input of Record.
type recording struct {
	kind  *Kind
	owner Owner
	Sighting
	formerLedger *Ledger
	// inCluster has the objects in the cluster that belong to the source or discovery, by name.
	inCluster map[string]Object
	// inScope reports whether the discovery selects the environment of a listed source. It is nil
	// for observations.
	inScope func(Object) bool
}

// Again returns the ledger after one more complete listing with exactly the same objects as the
// previous listing. The parameter is the time at which the new listing ended. Call Again only if
// Settled returns true.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.lastCompleted = end
	return &next
}

// Distinct reports whether all listed objects have different names in the cluster.
func (l *Ledger) Distinct() bool { return len(l.clashes) == 0 }

// Settled returns true if all of these conditions are true:
//
//   - The last listing was complete.
//   - The last listing had every object in the ledger.
//   - All listed objects have different names in the cluster.
func (l *Ledger) Settled() bool {
	return l != nil && !l.lastCompleted.IsZero() && !l.lastPartial && l.absentCount == 0 && len(l.clashes) == 0
}

// noteComplete updates the ledger after a complete listing.
func (l *Ledger) noteComplete(s Sighting) {
	first := l.lastCompleted.IsZero()
	if !first && l.lastScope != s.Scope {
		l.baseSeq, l.formerScope = l.seq, l.lastScope
	}
	if !first {
		l.seq++
	}
	l.lastCompleted, l.lastEmpty, l.lastScope = s.End, l.lastCount == 0, s.Scope
}

// addListed adds one listed object to the ledger. If two cloud objects need the same name in the
// cluster, the object whose ID is equal to the name gets the name. If neither ID is equal to the
// name, the object with the smaller ID gets the name.
func (l *Ledger) addListed(r recording, o Object) {
	name, id := o.GetName(), r.kind.id(o)
	if other := l.entries[name].object; other != nil && r.kind.id(other) != id {
		owner := r.kind.id(other)
		if owner == name || id != name && owner < id {
			l.clashes = append(l.clashes, Clash{ID: id, Name: name, Owner: owner})
			return
		}
		l.clashes = append(l.clashes, Clash{ID: owner, Name: name, Owner: id})
	}
	e := entry{object: o, lastScope: r.Scope, question: r.Question}
	inCluster := r.inCluster[name]
	if inCluster != nil && inCluster != o && sameAsListed(r.kind, inCluster, o) {
		e.object = inCluster
	}
	if r.inScope != nil && !r.inScope(o) {
		e.outsideSince = r.End
		if former := r.formerLedger.entries[name]; !former.outsideSince.IsZero() {
			e.outsideSince = r.notInFuture(former.outsideSince)
		} else if inCluster != nil && former.object == nil { // This process did not list the object before.
			e.outsideSince = r.claimedSince(inCluster, sightOutside)
		}
	}
	l.entries[name] = e
}

// roomFor returns a limit for the number of entries in the ledger after an incomplete listing with
// lastCount objects. At this limit, carryOver copies an entry only if the cluster has the object.
// limitedAdditions uses the same limit for the objects in the cluster. Without this limit, the
// ledger and the number of objects in the cluster could grow with every incomplete listing.
func roomFor(lastCount int) int { return max(100, 2*lastCount) }

// carryOver copies entries from the former ledger to l, for objects that the new listing lacks.
func (l *Ledger) carryOver(r recording) {
	for name, e := range r.formerLedger.entries {
		if _, seen := l.entries[name]; seen {
			continue
		}
		stillListed := e.listed() && !r.Complete
		if r.inCluster[name] == nil && (!stillListed || len(l.entries) >= roomFor(l.lastCount)) {
			continue
		}
		if !stillListed {
			e.absence = r.absenceAfter(e, r.inCluster[name])
			l.absentCount++
		}
		l.entries[name] = e
	}
}

// neverListed is the value of entry.lastScope if no listing ever had the object. An example is a
// source that a person created and then handed over to a discovery.
const neverListed = "never-listed"

// scopeOfUnlisted returns the value of entry.lastScope for an object in the cluster that was not
// listed since the manager's start. The first case that applies decides:
//
//   - For a source that was never listed, or that appeared in the cluster after a complete listing,
//     the value is neverListed.
//   - If no earlier listing since the manager's start was complete, the value is formerScope, the
//     hash from before the start.
//   - For an observation that is older than its source, the hash is not known, and the value is "".
//   - If formerScope is known and is not the hash of the last complete listing, the value is "".
//   - In all other cases, the value is the hash of the last complete listing.
func (r recording) scopeOfUnlisted(o Object, formerScope string) string {
	appeared, last := !r.formerLedger.lastCompleted.IsZero(), r.formerLedger.lastScope
	switch {
	case r.kind.listedBefore != nil && (appeared || !r.kind.listedBefore(o, r.owner)):
		return neverListed
	case !appeared:
		return formerScope
	case o.GetCreationTimestamp().Time.Before(r.owner.GetCreationTimestamp().Time), formerScope != "" && formerScope != last:
		return ""
	}
	return last
}

// absenceAfter returns the absence of an object after a listing that lacked the object. It sets
// missingSince only once: a later edit in the cluster must not change the time at which the object
// went missing.
func (r recording) absenceAfter(e entry, inCluster Object) *absence {
	a := absence{seq: r.formerLedger.seq}
	if e.absence != nil {
		a = *e.absence
	}
	switch {
	case !r.Complete:
	case e.listed():
		a.missingSince = r.End
	case a.missingSince.IsZero():
		a.missingSince = r.claimedSince(inCluster, sightMissing)
	}
	a.missingSince = r.notInFuture(a.missingSince)
	return &a
}

// notInFuture returns the given time, but not later than the end of the listing. A later time is
// wrong: someone forged it, or the clock was set back.
func (r recording) notInFuture(since time.Time) time.Time {
	if since.After(r.End) {
		return r.End
	}
	return since
}

func (r recording) claimedSince(o Object, seen sight) time.Time {
	return r.notInFuture(claimedSince(r.kind, r.owner, o, seen, r.End))
}

// claimedSince returns the time at which an object went missing, or at which the discovery stopped
// selecting the object. It reads the time from the cluster, with two exceptions:
//
//   - If the cluster does not have the time, claimedSince returns now.
//   - If the time is before the object's creation by more than maxSkew, someone forged the time.
//     Then claimedSince returns the creation time, unless the creation time is after now.
func claimedSince(k *Kind, owner Owner, o Object, seen sight, now time.Time) time.Time {
	since := k.claimedTime(o, owner, seen)
	if since.IsZero() {
		return now
	}
	if created := o.GetCreationTimestamp().Time; since.Before(created.Add(-maxSkew)) && !created.After(now) {
		return created
	}
	return since
}

// maxSkew is how far the clock of the API server may be ahead of the operator's clock.
const maxSkew = time.Minute

// knownSince returns what the listings say about an object, and since when:
//
//   - For a missing object, the time is when the object went missing.
//   - For an object that the discovery does not select, the time is when the discovery stopped
//     selecting it.
//   - For a listed object, the time is zero.
//
// If the listings do not give the time, knownSince reads the time from the cluster. If the cluster
// does not have the time either, the result is zero before the first complete listing. After that
// listing, the result is the value of the parameter now.
func knownSince(k *Kind, owner Owner, l *Ledger, o Object, now time.Time) (sight, time.Time) {
	seen, since := l.sightOf(o.GetName()), l.sinceOf(o.GetName())
	switch {
	case seen == sightListed:
		return seen, time.Time{}
	case since.IsZero() && seen == sightUnknown:
		if since = k.claimedTime(o, owner, sightOutside); !since.IsZero() {
			seen = sightOutside
		} else {
			since = k.claimedTime(o, owner, sightMissing)
		}
	case since.IsZero():
		since = claimedSince(k, owner, o, seen, now)
	}
	return seen, since
}

// missingSince returns the time at which an observation went missing. It returns zero if the
// observation is not missing, or if the time is not known.
//
// It reads the time from the source's status, because a person who may edit the observation can
// forge the observation's conditions. If the status has no room for all missing observations,
// missingSince reads the time from the condition Observed.
func (k *Kind) missingSince(o Object, owner Owner) time.Time {
	summary := *k.summaryOf(owner.Object)
	if summary == nil {
		return time.Time{}
	}
	i, found := slices.BinarySearchFunc(summary.MissingObjects, o.GetName(),
		func(m v1alpha1.MissingObject, name string) int { return cmp.Compare(m.Name, name) })
	switch {
	case found && meta.IsStatusConditionTrue(*k.conditionsOf(o), v1alpha1.ConditionObserved):
		return time.Time{} // The status is old: the observation is listed again.
	case found:
		return summary.MissingObjects[i].Since.Time
	case int(summary.Missing) > len(summary.MissingObjects):
		return missingCondition(*k.conditionsOf(o))
	}
	return time.Time{}
}

// missingCondition returns the time at which the condition Observed became False. It returns zero
// if the condition is not False.
func missingCondition(conditions []metav1.Condition) time.Time {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionObserved)
	if c == nil || c.Status != metav1.ConditionFalse {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// notePhases fills l.oldPhases: it stores the old phase of each object whose phase changed in the
// cloud, but not yet in the cluster. If someone edited the phase in the cluster, notePhases skips
// the object.
func (l *Ledger) notePhases(r recording) {
	if r.kind.phaseOf == nil {
		return
	}
	for name, o := range r.inCluster {
		e := l.entries[name]
		if !e.listed() || o == e.object {
			continue
		}
		is := r.kind.phaseOf(o)
		was, pending := r.formerLedger.oldPhases[name]
		if before := r.formerLedger.entries[name].object; !pending && before != nil {
			was = r.kind.phaseOf(before)
		} else if !pending {
			was = is
		}
		if was != "" && was == is && was != r.kind.phaseOf(e.object) {
			if l.oldPhases == nil {
				l.oldPhases = map[string]string{}
			}
			l.oldPhases[name] = was
		}
	}
}

// entryOf returns the entry of an object. It returns false if the object has no entry.
func (l *Ledger) entryOf(name string) (entry, bool) {
	if l == nil {
		return entry{}, false
	}
	e, known := l.entries[name]
	return e, known
}

// Completed returns the end of the last complete listing. It returns zero if there was no complete
// listing.
func (l *Ledger) Completed() time.Time {
	if l == nil {
		return time.Time{}
	}
	return l.lastCompleted
}

// formerPhase returns the old phase of an object whose phase changed in the cloud, but not yet in
// the cluster. For any other object, formerPhase returns "".
func (l *Ledger) formerPhase(name string) string {
	if l == nil {
		return ""
	}
	return l.oldPhases[name]
}

// missCount returns how many complete listings in a row lacked an object. It does not count these
// listings:
//
//   - the first complete listing since the manager's start
//   - the listings before the last change of the endpoint, the credential or the filters
//   - the listings before the operator first saw the object in the cluster
func (l *Ledger) missCount(name string) int {
	e, known := l.entryOf(name)
	if !known || e.listed() {
		return 0
	}
	return l.seq - max(e.absence.seq, l.baseSeq)
}

// sinceOf returns the time at which an object went missing, or at which the discovery stopped
// selecting the object. It returns zero if neither happened, or if the time is not known.
func (l *Ledger) sinceOf(name string) time.Time {
	e, known := l.entryOf(name)
	if known && !e.listed() {
		return e.absence.missingSince
	}
	return e.outsideSince
}

// notBefore returns the later of a time in the status and the time of Ledger.sinceOf. The status in the
// cache can be old, and still have the time of an absence that ended. The result is nil if the status
// has no time.
func (l *Ledger) notBefore(name string, inStatus *metav1.Time) *metav1.Time {
	since := metav1.NewTime(l.sinceOf(name)).Rfc3339Copy()
	if inStatus != nil && inStatus.Before(&since) {
		return &since
	}
	return inStatus
}

// scopeMoved returns true in these cases:
//
//   - No listing ever had the object.
//   - The endpoint, the credential or a filter changed after the last listing that had the object.
//   - It is not known which endpoint, credential and filters that listing had.
func (l *Ledger) scopeMoved(name string) bool {
	e, _ := l.entryOf(name)
	return e.lastScope != l.lastScope
}

// neverSeen returns true if no listing ever had the object, not even a listing before the manager's
// start.
func (l *Ledger) neverSeen(k *Kind, owner Owner, o Object) bool {
	e, known := l.entryOf(o.GetName())
	if !known {
		return !k.listedBefore(o, owner)
	}
	return e.lastScope == neverListed
}

// severalScopes is the result of Ledger.Scope if the objects were listed with different endpoints,
// credentials or filters.
const severalScopes = "several"

// Scope returns the hash of the endpoint, the credential and the filters with which the objects
// were listed. If objects have different hashes, Scope returns severalScopes. The operator stores
// the result of Scope in the status, and reads the result after a restart.
func (l *Ledger) Scope() string {
	scope, found := l.lastScope, false
	for _, e := range l.entries {
		switch {
		case e.lastScope == neverListed:
		case found && e.lastScope != scope:
			return severalScopes
		default:
			scope, found = e.lastScope, true
		}
	}
	return scope
}

// sightOf returns what the listings say about an object, for example sightMissing. Before the first
// complete listing, it returns sightUnknown for an object that was not listed.
func (l *Ledger) sightOf(name string) sight {
	e, known := l.entryOf(name)
	switch {
	case known && e.listed() && !e.outsideSince.IsZero():
		return sightOutside
	case known && e.listed():
		return sightListed
	case l.Completed().IsZero():
		return sightUnknown
	}
	return sightMissing
}

// Listed reports whether an object was in the last complete listing, or in a later, incomplete
// listing.
func (l *Ledger) Listed(name string) bool {
	e, known := l.entryOf(name)
	return known && e.listed()
}

// Outside reports whether an environment is listed, but not selected by the discovery.
func (l *Ledger) Outside(name string) bool { return l.sightOf(name) == sightOutside }
