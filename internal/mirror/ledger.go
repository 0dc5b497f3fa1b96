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

// Sighting is the result of one listing of one kind. It has objects for the cluster, converted from
// cloud objects.
type Sighting struct {
	// Objects are the objects that are new or changed since the last listing. These objects have no
	// conditions and no facts about other kinds.
	Objects []Object
	// Same has the cloud IDs of the objects that are unchanged since the last listing. Record takes
	// these objects from the former ledger.
	Same []string
	// Complete is true if the listing had every cloud object of the kind. If Complete is false, the
	// cloud may have objects that the listing lacks.
	Complete bool
	// Scope is a hash of the endpoint, the credential and the filters of the listing. If the hash
	// changes, the new listing may lack objects that still exist in the cloud.
	Scope string
	// End is when the listing ended.
	End time.Time
}

// Ledger has the results of all listings of one kind since the manager's start, for one source or
// discovery. A value of type Ledger never changes: the method Record returns a new value. A nil
// pointer means that the kind was not listed yet.
type Ledger struct {
	entries map[string]entry // by the object's name
	// completed is the end of the last complete listing. It is zero if there was no complete
	// listing.
	completed time.Time
	// empty is true if the last complete listing had no objects.
	empty bool
	// scope is a hash of the endpoint, the credential and the filters of the last complete
	// listing.
	scope string
	// former is the value of scope before its last change. If scope never changed since the start,
	// former is the value from before the start; "" if the value is not known.
	former string
	// seq is the number of the last complete listing since the manager's start. The first complete
	// listing has the number 0.
	seq int
	// base is the value of seq at the last change of the endpoint, the credential or the filters.
	// It is 0 if there was no change. The method misses ignores the listings before this change.
	base int
	// absent is the number of entries with an object that is not listed.
	absent int
	// lastCount is the number of objects in the last listing. partial is true if the last listing
	// was incomplete.
	lastCount int
	partial   bool
	// phases has the old phase of each object whose phase changed in the cloud but not yet in the
	// observation. The key is the object's name.
	phases map[string]string
	// clashes are the listed objects that get no object in the cluster, because another listed
	// object has the same name. The list is sorted.
	clashes []Clash
}

// Clash is a cloud object that gets no object in the cluster, because the name already belongs to
// another cloud object.
type Clash struct {
	// ID is the cloud ID of the object that gets no object in the cluster.
	ID string
	// Name is the name in the cluster that two cloud objects need. Owner is the cloud ID of the
	// cloud object that gets the name.
	Name, Owner string
}

// entry is what the ledger knows about one cloud object.
type entry struct {
	// object is the version from the last listing that had the object. It is nil if this process
	// never listed the object. If the object in the cache has the same content, the field points to
	// the cached object, to save memory.
	object Object
	// outside is the time at which the selector of the discovery stopped selecting the object. It
	// is zero while the selector selects the object.
	outside time.Time
	// scope is a hash of the endpoint, the credential and the filters of the last listing with the
	// object. It is "" if the hash is not known. It is neverListed if no listing had the object.
	scope string
	// absence is nil if the object is listed.
	absence *absence
}

// absence is what the ledger knows about an object that is not listed.
type absence struct {
	// seq is the value of Ledger.seq at the last listing with the object. If this process never
	// listed the object, seq is the value at the time when the operator first saw the object in the
	// cluster.
	seq int
	// since is the time at which the object went missing. It is zero until a complete listing lacks
	// the object.
	since time.Time
}

func (e entry) listed() bool { return e.absence == nil }

// NewLedger returns the ledger of a kind that was not listed yet. The parameter former is the hash
// of the endpoint, the credential and the filters before the operator restarted; "" if the hash is
// not known.
func NewLedger(former string) *Ledger { return &Ledger{former: former} }

// Record returns the ledger after one more listing. The parameter existing has the objects in the
// cluster that belong to the source or discovery. The ledger has an entry for every existing
// object, even for an object that no listing had.
func (l *Ledger) Record(kind *Kind, owner Owner, s Sighting, existing []Object) *Ledger {
	if l == nil {
		l = &Ledger{}
	}
	next := *l
	next.lastCount, next.partial = len(s.Objects)+len(s.Same), !s.Complete
	next.entries = make(map[string]entry, max(next.lastCount, len(existing)))
	next.phases, next.clashes, next.absent = nil, nil, 0
	if s.Complete {
		next.noteComplete(s)
	}
	inCluster := make(map[string]Object, len(existing))
	for _, o := range existing {
		inCluster[o.GetName()] = o
	}
	r := recording{kind: kind, owner: owner, Sighting: s, former: l, inCluster: inCluster}
	if kind.scope != nil {
		r.inScope = kind.scope(owner)
	}
	for _, id := range s.Same {
		next.see(r, l.entries[ObjectName(id)].object)
	}
	for _, o := range s.Objects {
		if kind.withLastName != nil {
			o = kind.withLastName(o, l.entries[o.GetName()].object, inCluster[o.GetName()], owner)
		}
		next.see(r, o)
	}
	next.carryOver(r)
	for name, o := range inCluster {
		if _, known := next.entries[name]; !known {
			next.entries[name] = entry{scope: r.unlisted(o, next.former), absence: &absence{seq: next.seq}}
			if s.Complete {
				next.entries[name].absence.since = r.claimedSince(o, missing)
			}
			next.absent++
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
	former *Ledger
	// inCluster has the objects in the cluster that belong to the source or discovery, by name.
	inCluster map[string]Object
	// inScope reports whether the selector of the discovery selects a listed object. It is nil for
	// a kind without a selector.
	inScope func(Object) bool
}

// Again returns the ledger after another complete listing with the same result. Callers may call
// Again only after Settled returned true.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.completed = end
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
	return l != nil && !l.completed.IsZero() && !l.partial && l.absent == 0 && len(l.clashes) == 0
}

// noteComplete updates the ledger after a complete listing.
func (l *Ledger) noteComplete(s Sighting) {
	first := l.completed.IsZero()
	if !first && l.scope != s.Scope {
		l.base, l.former = l.seq, l.scope
	}
	if !first {
		l.seq++
	}
	l.completed, l.empty, l.scope = s.End, l.lastCount == 0, s.Scope
}

// see records one listed object. If two objects need the same name in the cluster, the object whose
// ID equals the name gets the name. If there is no such object, the object with the lower ID gets
// the name.
func (l *Ledger) see(r recording, o Object) {
	name, id := o.GetName(), r.kind.id(o)
	if other := l.entries[name].object; other != nil && r.kind.id(other) != id {
		owner := r.kind.id(other)
		if owner == name || id != name && owner < id {
			l.clashes = append(l.clashes, Clash{ID: id, Name: name, Owner: owner})
			return
		}
		l.clashes = append(l.clashes, Clash{ID: owner, Name: name, Owner: id})
	}
	e := entry{object: o, scope: r.Scope}
	inCluster := r.inCluster[name]
	if inCluster != nil && inCluster != o && carries(r.kind, inCluster, o) {
		e.object = inCluster
	}
	if r.inScope != nil && !r.inScope(o) {
		e.outside = r.End
		if former := r.former.entries[name]; !former.outside.IsZero() {
			e.outside = r.past(former.outside)
		} else if inCluster != nil && former.object == nil { // This process did not list the object before.
			e.outside = r.claimedSince(inCluster, outside)
		}
	}
	l.entries[name] = e
}

// roomFor returns the largest number of objects of one kind after an incomplete listing. The
// parameter lastCount is the number of objects in this listing. Without a largest number, the
// ledger could grow with every incomplete listing.
func roomFor(lastCount int) int { return max(100, 2*lastCount) }

// carryOver copies entries of the former ledger to l, for objects that the new listing lacks.
func (l *Ledger) carryOver(r recording) {
	for name, e := range r.former.entries {
		if _, seen := l.entries[name]; seen {
			continue
		}
		stillListed := e.listed() && !r.Complete
		if r.inCluster[name] == nil && (!stillListed || len(l.entries) >= roomFor(l.lastCount)) {
			continue
		}
		if !stillListed {
			e.absence = r.absenceAfter(e, r.inCluster[name])
			l.absent++
		}
		l.entries[name] = e
	}
}

// neverListed is the value of entry.scope if no listing ever had the object. An example is a source
// that a person handed over to a discovery.
const neverListed = "never-listed"

// unlisted returns the value of entry.scope for an object in the cluster that was not listed since
// the operator started. The first line that fits decides:
//
//   - For a source that was never listed before the start: neverListed. A source that appeared in
//     the cluster after a complete listing counts as never listed.
//   - If there was no complete listing since the start: the parameter former, which is the scope of
//     the listings before the start.
//   - For an observation that is older than its source, or if the scope has changed: "".
//   - For all other observations: the scope of the last complete listing.
func (r recording) unlisted(o Object, former string) string {
	appeared, last := !r.former.completed.IsZero(), r.former.scope
	switch {
	case r.kind.listedBefore != nil && (appeared || !r.kind.listedBefore(o, r.owner)):
		return neverListed
	case !appeared:
		return former
	case o.GetCreationTimestamp().Time.Before(r.owner.GetCreationTimestamp().Time), former != "" && former != last:
		return ""
	}
	return last
}

// absenceAfter returns the absence of an object after a listing without the object. If this process
// has listed the object before, absence.since is the end of the first complete listing without the
// object. If not, absenceAfter reads absence.since from the cluster once. So later edits in the
// cluster have no effect.
func (r recording) absenceAfter(e entry, inCluster Object) *absence {
	a := absence{seq: r.former.seq}
	if e.absence != nil {
		a = *e.absence
	}
	switch {
	case !r.Complete:
	case e.listed():
		a.since = r.End
	case a.since.IsZero():
		a.since = r.claimedSince(inCluster, missing)
	}
	a.since = r.past(a.since)
	return &a
}

// past returns the given time, or the end of the listing if the given time is later. A time after
// the listing is wrong: a person forged it, or the clock was set back.
func (r recording) past(since time.Time) time.Time {
	if since.After(r.End) {
		return r.End
	}
	return since
}

func (r recording) claimedSince(o Object, seen sight) time.Time {
	return r.past(claimedSince(r.kind, r.owner, o, seen, r.End))
}

// claimedSince returns the time at which an object went missing or was no longer selected. It reads
// the time from the cluster with Kind.claim. If the cluster does not have the time, claimedSince
// returns the parameter now.
//
// If the time is more than maxSkew before the creation of the object, the time is forged. Then
// claimedSince returns the creation time.
func claimedSince(k *Kind, owner Owner, o Object, seen sight, now time.Time) time.Time {
	since := k.claim(o, owner, seen)
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

// knownSince returns what the listings say about an object, and the time at which the object went
// missing or was no longer selected. For all other objects, the time is zero. If the listings of
// this process do not show the time, knownSince reads the time from the cluster.
func knownSince(k *Kind, owner Owner, l *Ledger, o Object, now time.Time) (sight, time.Time) {
	seen, since := l.sight(o.GetName()), l.since(o.GetName())
	switch {
	case seen == listed:
		return seen, time.Time{}
	case since.IsZero() && seen == unknown:
		if since = k.claim(o, owner, outside); !since.IsZero() {
			seen = outside
		} else {
			since = k.claim(o, owner, missing)
		}
	case since.IsZero():
		since = claimedSince(k, owner, o, seen, now)
	}
	return seen, since
}

// missingSince returns the time at which an observation went missing. It returns zero if the time
// is not known, or if the condition Observed is True. It reads the time from the source's status.
// If the status has no room for all missing observations, missingSince may read the time from the
// observation's condition. The status is safer, because a person who may edit the observation can
// forge the condition.
func (k *Kind) missingSince(o Object, owner Owner) time.Time {
	summary := *k.summary(owner.Object)
	if summary == nil {
		return time.Time{}
	}
	i, found := slices.BinarySearchFunc(summary.MissingObjects, o.GetName(),
		func(m v1alpha1.MissingObject, name string) int { return cmp.Compare(m.Name, name) })
	switch {
	case found && meta.IsStatusConditionTrue(*k.conditions(o), v1alpha1.ConditionObserved):
		return time.Time{} // It came back, and the manager ended before it wrote the status.
	case found:
		return summary.MissingObjects[i].Since.Time
	case int(summary.Missing) > len(summary.MissingObjects):
		return missingCondition(*k.conditions(o))
	}
	return time.Time{}
}

// missingCondition returns the time at which the condition Observed turned False. It returns zero
// if the condition is not False.
func missingCondition(conditions []metav1.Condition) time.Time {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionObserved)
	if c == nil || c.Status != metav1.ConditionFalse {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// notePhases fills the map l.phases: the old phases of objects whose phase changed in the cloud but
// not yet in the observation. If someone edited the phase in an observation, notePhases leaves out
// the observation.
func (l *Ledger) notePhases(r recording) {
	if r.kind.phase == nil {
		return
	}
	for name, o := range r.inCluster {
		e := l.entries[name]
		if !e.listed() || o == e.object {
			continue
		}
		is := r.kind.phase(o)
		was, pending := r.former.phases[name]
		if before := r.former.entries[name].object; !pending && before != nil {
			was = r.kind.phase(before)
		} else if !pending {
			was = is
		}
		if was != "" && was == is && was != r.kind.phase(e.object) {
			if l.phases == nil {
				l.phases = map[string]string{}
			}
			l.phases[name] = was
		}
	}
}

// entry returns the entry of an object. The second result is false if there is no entry.
func (l *Ledger) entry(name string) (entry, bool) {
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
	return l.completed
}

// formerPhase returns the old phase of an object if the phase changed in the cloud and the
// observation does not show the new phase yet. If not, formerPhase returns "".
func (l *Ledger) formerPhase(name string) string {
	if l == nil {
		return ""
	}
	return l.phases[name]
}

// misses returns how many complete listings in a row lacked an object. Listings before the last
// change of the endpoint, the credential or the filters do not count. The first complete listing
// since the manager's start does not count.
func (l *Ledger) misses(name string) int {
	e, known := l.entry(name)
	if !known || e.listed() {
		return 0
	}
	return l.seq - max(e.absence.seq, l.base)
}

// since returns the time at which an object went missing or was no longer selected. It returns zero
// for all other objects.
func (l *Ledger) since(name string) time.Time {
	e, known := l.entry(name)
	if known && !e.listed() {
		return e.absence.since
	}
	return e.outside
}

// moved returns true if an object was never listed, or if the endpoint, the credential or a filter
// changed after its last listing.
func (l *Ledger) moved(name string) bool {
	e, _ := l.entry(name)
	return e.scope != l.scope
}

// neverSeen returns true if no listing ever had the object. It considers the listings before and
// after the operator's start.
func (l *Ledger) neverSeen(k *Kind, owner Owner, o Object) bool {
	e, known := l.entry(o.GetName())
	if !known {
		return !k.listedBefore(o, owner)
	}
	return e.scope == neverListed
}

// several is the result of Ledger.Scope if the entries of the ledger have different scopes.
const several = "several"

// Scope returns the scope of all entries: a hash of the endpoint, the credential and the filters.
// It returns the constant several if entries have different scopes. It ignores objects that were
// never listed. The operator stores the result in the status, and reads the status after a restart.
func (l *Ledger) Scope() string {
	scope, found := l.scope, false
	for _, e := range l.entries {
		switch {
		case e.scope == neverListed:
		case found && e.scope != scope:
			return several
		default:
			scope, found = e.scope, true
		}
	}
	return scope
}

// sight returns what the listings say about an object. Before the first complete listing, it
// returns unknown for an object that is not listed.
func (l *Ledger) sight(name string) sight {
	e, known := l.entry(name)
	switch {
	case known && e.listed() && !e.outside.IsZero():
		return outside
	case known && e.listed():
		return listed
	case l.Completed().IsZero():
		return unknown
	}
	return missing
}

// Listed reports whether an object was in the last complete listing, or in a later, incomplete
// listing.
func (l *Ledger) Listed(name string) bool {
	e, known := l.entry(name)
	return known && e.listed()
}
