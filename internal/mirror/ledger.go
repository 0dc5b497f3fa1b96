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

// Sighting is the result of one listing of one kind. The objects are already projected and stamped.
type Sighting struct {
	// Objects are the objects that are new or changed since the last listing. They are as they
	// should be in the cluster, but without conditions and without the parts that are joined from
	// other kinds.
	Objects []Object
	// Same has the cloud IDs of the objects that are unchanged since the last listing. The ledger
	// that records this Sighting must already have these objects as listed.
	Same []string
	// Complete reports whether every object was listed and read. If Complete is false, the absence
	// of an object means nothing.
	Complete bool
	// Scope is a hash of the endpoint, the credential and the filters. These decide which objects a
	// listing can show. Misses under different scopes are not added up.
	Scope string
	// End is when the listing ended.
	End time.Time
}

// Ledger has the results of the listings since the manager's start, for one kind of one owner. A
// Ledger never changes: Record returns a new Ledger. The nil Ledger stands for a kind that was not
// listed yet.
type Ledger struct {
	entries map[string]entry // by the object's name
	// completed is when the last complete listing ended; zero if there was no complete listing.
	completed time.Time
	// empty reports whether the last complete listing had no objects.
	empty bool
	// scope is the scope of the last complete listing.
	scope string
	// former is the scope under which an earlier process last saw the existing objects.
	former string
	// seq is the number of the last complete listing. The first complete listing since the start
	// has the number 0 and counts no misses: a manager that just started has not seen any object
	// before.
	seq int
	// base is the number of the last complete listing under another scope; 0 if no listing had
	// another scope. That listing and earlier listings do not count as misses.
	base int
	// absent is the number of entries whose object is not listed.
	absent int
	// lastCount is the number of objects in the last listing. partial reports whether the last
	// listing was incomplete.
	lastCount int
	partial   bool
	// phases has the former phase of each object whose phase changed, if the object's observation
	// does not show the change yet. The key is the object's name.
	phases map[string]string
	// clashes are the listed objects whose name another listed object has, sorted.
	clashes []Clash
}

// Clash is a cloud object that cannot have an object in the cluster, because another cloud object
// has the same name.
type Clash struct {
	// ID is the cloud ID of the object that cannot have an object in the cluster.
	ID string
	// Name is the name that both cloud objects need. Owner is the cloud ID of the object that has
	// the name.
	Name, Owner string
}

// entry is what the ledger knows about one cloud object.
type entry struct {
	// object is the object as it was last listed; nil if it was never listed. If the object in the
	// cache equals it, the ledger uses the cached object, so that memory holds the object only
	// once.
	object Object
	// outside is when the owner's selector stopped selecting the listed object; zero while the
	// selector selects it.
	outside time.Time
	// scope is the scope of the last listing that had the object, in this process or an earlier
	// one. scope is "" if that scope is not known, and neverListed if no listing had the object.
	scope string
	// absence is nil if the object is listed: it was in the last complete listing or in a later
	// listing.
	absence *absence
}

// absence is what the ledger knows about an object that is not listed.
type absence struct {
	// seq is the value of Ledger.seq when the object was last listed. If the object was never
	// listed, seq is the value when the object was first found in the cluster.
	seq int
	// since is when the object was first known to be missing; zero if no complete listing lacked
	// the object yet.
	since time.Time
}

func (e entry) listed() bool { return e.absence == nil }

// NewLedger returns the ledger of a kind that was not listed yet. former is the scope under which
// an earlier process last saw the kind's objects; "" if that scope is not known.
func NewLedger(former string) *Ledger { return &Ledger{former: former} }

// Record returns the ledger after one more listing. existing are the owner's objects in the
// cluster. Record drops a cloud object that is neither listed nor in the cluster. If an object in
// the cluster was never listed, its misses are counted from now on, even if the operator did not
// create the object.
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
			o = kind.withLastName(o, l.entries[o.GetName()].object, inCluster[o.GetName()])
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
	// inCluster are the owner's objects in the cluster, by name.
	inCluster map[string]Object
	// inScope reports whether the owner's selector selects a listed object; nil if the kind has no
	// selector.
	inScope func(Object) bool
}

// Again returns the ledger after another complete listing with the same scope and the same content.
// The ledger must be settled, see Settled.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.completed = end
	return &next
}

// Distinct reports whether each listed object has a name of its own.
func (l *Ledger) Distinct() bool { return len(l.clashes) == 0 }

// Settled reports whether the last listing was complete and had every known object, and whether
// each of these objects has a name of its own.
func (l *Ledger) Settled() bool {
	return l != nil && !l.completed.IsZero() && !l.partial && l.absent == 0 && len(l.clashes) == 0
}

// noteComplete updates the ledger's counters and scope after a complete listing.
func (l *Ledger) noteComplete(s Sighting) {
	first := l.completed.IsZero()
	if !first && l.scope != s.Scope {
		l.base = l.seq
	}
	if !first {
		l.seq++
	}
	l.completed, l.empty, l.scope = s.End, l.lastCount == 0, s.Scope
}

// see records one listed object. If two cloud IDs lead to the same name, the ID that equals the
// name gets the name. If neither ID equals the name, the lower ID gets the name.
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
		} else if inCluster != nil && former.object == nil { // This process did not see the object go out of scope.
			e.outside = r.claimedSince(inCluster, outside)
		}
	}
	l.entries[name] = e
}

// roomFor returns how many entries in the ledger, or objects in the cluster, a kind may have while
// its listings are incomplete. lastCount is the number of objects in the last listing. There is
// always room for the objects of one listing. The bound matters if each incomplete listing has
// other objects: without a bound, the ledger would grow with every listing.
func roomFor(lastCount int) int { return max(100, 2*lastCount) }

// carryOver takes from the former ledger the entries of objects that this listing lacks.
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

// neverListed is the scope of an object that a person handed over to its owner and that no listing
// ever had. The cloud object may belong to an organization that the credential cannot see.
const neverListed = "never-listed"

// unlisted returns the scope of an object that no listing of this process had. This is the
// parameter former, the scope under which an earlier process saw the kind's objects. It is another
// scope, so that a person is asked before the object is deleted, if one of these is true:
//
//   - People can hand over objects of the kind, and this process already had a complete listing, or
//     the owner's status does not have the object as listed.
//   - The earlier process did not say its scope.
//
// An observation that appears after a complete listing counts as seen by that listing, so it is
// pruned after its misses.
func (r recording) unlisted(o Object, former string) string {
	appeared := !r.former.completed.IsZero()
	switch {
	case r.kind.listedBefore != nil && (appeared || !r.kind.listedBefore(o, r.owner)):
		return neverListed
	case appeared:
		return r.former.scope
	}
	return former
}

// absenceAfter returns the absence of an object after a listing that lacked it. inCluster is the
// object in the cluster. If this process listed the object before, the absence begins when this
// process first missed the object. Otherwise the absence begins at the time from claimedSince. This
// time is read from the cluster only once, so later edits of it have no effect.
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

// past returns a time, but not one after the listing: the time is forged then, or the clock was set
// back. Only here a time in the future becomes the present. The ledger keeps the result, so it stays
// the same until the next listing at least.
func (r recording) past(since time.Time) time.Time {
	if since.After(r.End) {
		return r.End
	}
	return since
}

func (r recording) claimedSince(o Object, seen sight) time.Time {
	return r.past(claimedSince(r.kind, r.owner, o, seen, r.End))
}

// claimedSince returns when an object went missing or out of scope, as Kind.claim reads it from the
// cluster. It returns now if the cluster has no such time. An object cannot be missing before it is
// created. So a time that is earlier than the creation by more than [maxSkew] is forged. Then
// claimedSince returns the time of creation, which only the API server can set.
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

// maxSkew is how far the API server's clock may be ahead of the operator's clock. A time that the
// operator wrote can be up to maxSkew earlier than the object's creation. Such a time does not
// count as forged.
const maxSkew = time.Minute

// knownSince returns the sight of an object, and when the object went missing or out of scope. This
// time comes from the listings of this process, or else from the cluster, see Kind.claim. The time
// is zero for a listed object, and for an unknown object if the cluster has no such time.
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

// missingSince returns since when an observation is missing; zero if it is not missing. The source's
// status has the time. If the status lacks the observation, its condition counts: the manager may have
// ended before it wrote the status. But a person who may edit the observation can forge the condition.
// So its time counts from the last complete listing at the earliest, unless the status has room for a
// part of the missing observations only.
func (k *Kind) missingSince(o Object, owner Owner) time.Time {
	since, last := missingCondition(*k.conditions(o)), k.LastListed(owner.Object)
	if summary := *k.summary(owner.Object); summary != nil {
		i, found := slices.BinarySearchFunc(summary.MissingObjects, o.GetName(),
			func(m v1alpha1.MissingObject, name string) int { return cmp.Compare(m.Name, name) })
		switch {
		case found:
			return summary.MissingObjects[i].Since.Time
		case int(summary.Missing) > len(summary.MissingObjects):
			return since
		}
	}
	if !since.IsZero() && since.Before(last) {
		return last
	}
	return since
}

// missingCondition returns when condition Observed turned False; zero if Observed is not False.
func missingCondition(conditions []metav1.Condition) time.Time {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionObserved)
	if c == nil || c.Status != metav1.ConditionFalse {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// notePhases fills l.phases: it finds the objects whose phase changed since their observation was
// written. A phase that someone else wrote into the observation does not count as a former phase.
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

// entry returns an object's entry, and whether the ledger has an entry for the object.
func (l *Ledger) entry(name string) (entry, bool) {
	if l == nil {
		return entry{}, false
	}
	e, known := l.entries[name]
	return e, known
}

// Completed returns when the last complete listing ended; zero if there was no complete listing.
func (l *Ledger) Completed() time.Time {
	if l == nil {
		return time.Time{}
	}
	return l.completed
}

// formerPhase returns the phase that an object had before the cloud changed the phase. It returns
// "" if the phase did not change, or if the object's observation already shows the change.
func (l *Ledger) formerPhase(name string) string {
	if l == nil {
		return ""
	}
	return l.phases[name]
}

// misses returns how many complete listings in a row lacked an object. Listings under another scope
// do not count, and neither does the first complete listing since the start.
func (l *Ledger) misses(name string) int {
	e, known := l.entry(name)
	if !known || e.listed() {
		return 0
	}
	return l.seq - max(e.absence.seq, l.base)
}

// since returns when an object was first known to be missing or out of scope; zero if it is
// neither.
func (l *Ledger) since(name string) time.Time {
	e, known := l.entry(name)
	if known && !e.listed() {
		return e.absence.since
	}
	return e.outside
}

// moved reports whether the scope under which an object was last seen differs from the scope of the
// last complete listing.
func (l *Ledger) moved(name string) bool {
	e, _ := l.entry(name)
	return e.scope != l.scope
}

// neverSeen reports whether no listing ever had an object, in this process or in an earlier one.
func (l *Ledger) neverSeen(k *Kind, owner Owner, o Object) bool {
	e, known := l.entry(o.GetName())
	if !known {
		return !k.listedBefore(o, owner)
	}
	return e.scope == neverListed
}

// several is the scope in the owner's status if objects were last seen under different scopes. No
// listing has this scope, so after a restart a person is asked about each missing object.
const several = "several"

// Scope returns the scope for the owner's status. After a restart the next process uses it as the
// scope under which each of the existing objects was last seen. Objects with the scope neverListed
// do not count, because the owner's status names them.
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

// sight returns what the listings say about an object. Before the first complete listing no object
// is missing.
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

// Listed reports whether an object was in the last complete listing or in a later listing.
func (l *Ledger) Listed(name string) bool {
	e, known := l.entry(name)
	return known && e.listed()
}
