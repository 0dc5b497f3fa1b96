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

// Sighting is the result of one listing of one kind, projected and stamped.
type Sighting struct {
	// Objects are those that are new or changed since the last listing. Each is as it should be in
	// the cluster, without conditions and without what is joined from other kinds.
	Objects []Object
	// Same are the cloud IDs of the objects that are as in the last listing. The ledger that
	// records the sighting must know each of them as listed.
	Same []string
	// Complete reports whether every object was listed and read. Only then does the absence of an
	// object mean something.
	Complete bool
	// Scope is a hash of what could be seen: endpoint, credential and filters. Absences under
	// different scopes do not add up.
	Scope string
	// End is when the listing ended.
	End time.Time
}

// Ledger is what the listings since the manager's start say about one kind of one owner. A Ledger
// is never changed: Record makes a new one. The nil Ledger is that of a kind not listed yet.
type Ledger struct {
	entries map[string]entry // by the object's name
	// completed is when the last complete listing ended; zero if there was none.
	completed time.Time
	// empty reports whether the last complete listing had no object.
	empty bool
	scope string
	// former is the scope under which an earlier process saw the existing objects.
	former string
	// seq numbers the complete listings. The first since the start is 0 and counts no miss: a
	// manager that just started has seen no object itself, so none can be gone.
	seq int
	// base is the seq before the first complete listing under scope. Earlier listings do not count
	// as misses.
	base int
	// absent counts the entries that are not listed.
	absent int
	// told is how many objects the last listing had. partial reports whether it was incomplete.
	told    int
	partial bool
	// phases are the former phases of the objects whose phase changed and whose observation does
	// not show the change yet, by name.
	phases map[string]string
	// clashes are the objects that have no observation because another cloud object has their name,
	// sorted.
	clashes []Clash
}

// Clash is a cloud object that can have no observation, because another cloud object has its name.
type Clash struct {
	// ID is the cloud's ID of the object without an observation.
	ID string
	// Name is the name that both need. Owner is the cloud ID of the object that has it.
	Name, Owner string
}

// entry is what is known of one cloud object.
type entry struct {
	// object is the object as last listed; nil if it never was. If the cached object equals it,
	// that object is used, so it is held once.
	object Object
	// outside is since when the owner's selector does not take the listed object; zero if it takes
	// it.
	outside time.Time
	// scope is the scope of the listing that last saw the object, in this process or an earlier
	// one; "" if it is not known.
	scope string
	// absence is nil for an object that is listed: in the last complete listing, or
	// in a listing since.
	absence *absence
}

// absence is what is known of an object that is not listed.
type absence struct {
	// seq numbers the latest complete listing when the object was last seen. For an object that was
	// never listed, it numbers the listing that first found its observation in the cluster.
	seq int
	// since is when the object was first known to be missing; zero until a complete listing lacks
	// it.
	since time.Time
}

func (e entry) listed() bool { return e.absence == nil }

// NewLedger returns the ledger of a kind not listed yet. former is the scope under which an earlier
// process last saw its objects; "" if it is unknown.
func NewLedger(former string) *Ledger { return &Ledger{former: former} }

// Record returns the ledger after one more listing. existing are the owner's objects in the
// cluster. A cloud object that is not listed and has no object in the cluster is forgotten. If it
// has one and was never listed, its misses count from now on, no matter who created the object.
func (l *Ledger) Record(kind *Kind, owner Owner, s Sighting, existing []Object) *Ledger {
	if l == nil {
		l = &Ledger{}
	}
	next := *l
	next.told, next.partial = len(s.Objects)+len(s.Same), !s.Complete
	next.entries = make(map[string]entry, max(next.told, len(existing)))
	next.phases, next.clashes, next.absent = nil, nil, 0
	if s.Complete {
		next.complete(s)
	}
	there := make(map[string]Object, len(existing))
	for _, o := range existing {
		there[o.GetName()] = o
	}
	r := recording{kind: kind, owner: owner, Sighting: s, former: l, there: there}
	if kind.scope != nil {
		r.inScope = kind.scope(owner)
	}
	for _, id := range s.Same {
		next.see(r, l.entries[ObjectName(id)].object)
	}
	for _, o := range s.Objects {
		if kind.withLastName != nil {
			o = kind.withLastName(o, l.entries[o.GetName()].object, there[o.GetName()])
		}
		next.see(r, o)
	}
	next.keep(r)
	for name, o := range there {
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
	// there are the owner's objects, by name.
	there map[string]Object
	// inScope reports whether the owner's selector takes a listed object; nil if all are.
	inScope func(Object) bool
}

// Again returns the ledger after a complete listing under the same scope that equals the last one,
// byte for byte. The ledger must be settled.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.completed = end
	return &next
}

// Distinct reports whether no two objects have the same name.
func (l *Ledger) Distinct() bool { return len(l.clashes) == 0 }

// Settled reports whether the last listing was complete and had every known object, each under a
// name of its own.
func (l *Ledger) Settled() bool {
	return l != nil && !l.completed.IsZero() && !l.partial && l.absent == 0 && len(l.clashes) == 0
}

// complete records that a complete listing happened.
func (l *Ledger) complete(s Sighting) {
	first := l.completed.IsZero()
	if !first && l.scope != s.Scope {
		l.base = l.seq
	}
	if !first {
		l.seq++
	}
	l.completed, l.empty, l.scope = s.End, l.told == 0, s.Scope
}

// see records one listed object. If two IDs give the same name, the ID that equals the name keeps
// it; if none does, the lower ID keeps it.
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
	there := r.there[name]
	if there != nil && there != o && carries(r.kind, there, o) {
		e.object = there
	}
	if r.inScope != nil && !r.inScope(o) {
		e.outside = r.End
		if former := r.former.entries[name]; !former.outside.IsZero() {
			e.outside = former.outside
		} else if there != nil && former.object == nil { // This process did not see the object go out of scope.
			e.outside = r.claimedSince(there, outside)
		}
	}
	l.entries[name] = e
}

// roomFor returns how many entries and observations a kind may have while its listings are
// incomplete. told is how many objects the last listing had. The room is enough for any one
// listing; it is a bound if each listing has other objects.
func roomFor(told int) int { return max(100, 2*told) }

// keep takes over what the former ledger knew of objects that are not in this listing.
func (l *Ledger) keep(r recording) {
	for name, e := range r.former.entries {
		if _, seen := l.entries[name]; seen {
			continue
		}
		stillListed := e.listed() && !r.Complete
		if r.there[name] == nil && (!stillListed || len(l.entries) >= roomFor(l.told)) {
			continue
		}
		if !stillListed {
			e.absence = r.absenceAfter(e, r.there[name])
			l.absent++
		}
		l.entries[name] = e
	}
}

// neverListed is the scope of an object that was put in the owner's hands and that no listing ever
// had: it may be of an organization that the credential does not see.
const neverListed = "never-listed"

// unlisted returns the scope of an object that no listing of this process had. former is the scope
// that an earlier process saw the kind's objects under. If people can hand objects over, only an
// object that the owner's status has as listed was seen by that process.
func (r recording) unlisted(o Object, former string) string {
	if r.kind.listedBefore != nil && (!r.former.completed.IsZero() || !r.kind.listedBefore(o, r.owner)) {
		return neverListed
	}
	return former
}

// absenceAfter returns the absence of an object after a listing that lacked it. there is its object
// in the cluster. since is when this process first missed the object. The cluster's claim counts
// only if this process never saw the object, and later edits of the claim do not count.
func (r recording) absenceAfter(e entry, there Object) *absence {
	a := absence{seq: r.former.seq}
	if e.absence != nil {
		a = *e.absence
	}
	switch {
	case !r.Complete:
	case e.listed():
		a.since = r.End
	case a.since.IsZero():
		a.since = r.claimedSince(there, missing)
	case a.since.After(r.End): // The clock was set back.
		a.since = r.End
	}
	return &a
}

func (r recording) claimedSince(o Object, seen sight) time.Time {
	return claimedSince(r.kind, r.owner, o, seen, r.End)
}

// claimedSince returns since when an object is missing or outside, as the cluster says. It returns
// now if the cluster does not say so or names a time in the future. An object cannot be missing
// before it was created: a claim that is earlier by more than [maxSkew] is forged, and the time of
// creation counts, which only the API server sets.
func claimedSince(k *Kind, owner Owner, o Object, seen sight, now time.Time) time.Time {
	since := k.claim(o, owner, seen)
	if since.IsZero() || since.After(now) {
		return now
	}
	if created := o.GetCreationTimestamp().Time; since.Before(created.Add(-maxSkew)) && !created.After(now) {
		return created
	}
	return since
}

// maxSkew is how far the API server's clock may be ahead of the operator's. Within it, a time that
// the operator wrote itself may lie before the object's creation, and is not written again.
const maxSkew = time.Minute

// knownSince returns what is known of an object, and since when it is missing or outside: as this
// process saw it, otherwise as the cluster says. The time is zero for a listed object, and for an
// unknown one that was neither when an earlier process last looked.
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
	if since.After(now) {
		since = now
	}
	return seen, since
}

// missingCondition returns since when condition Observed is False; zero if it is not.
func missingCondition(conditions []metav1.Condition) time.Time {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionObserved)
	if c == nil || c.Status != metav1.ConditionFalse {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// notePhases finds the objects whose phase changed since their observation was written. A phase
// that a stranger wrote there is no former phase.
func (l *Ledger) notePhases(r recording) {
	if r.kind.phase == nil {
		return
	}
	for name, o := range r.there {
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

// entry returns what is known of an object, and reports whether anything is.
func (l *Ledger) entry(name string) (entry, bool) {
	if l == nil {
		return entry{}, false
	}
	e, known := l.entries[name]
	return e, known
}

// Completed returns when the last complete listing ended, or the zero time.
func (l *Ledger) Completed() time.Time {
	if l == nil {
		return time.Time{}
	}
	return l.completed
}

// formerPhase returns the phase that an object had before the cloud changed it, if its observation
// does not show the change yet; otherwise "".
func (l *Ledger) formerPhase(name string) string {
	if l == nil {
		return ""
	}
	return l.phases[name]
}

// misses returns how many complete listings in a row lacked an object. All have the same scope, and
// none is the first since the start.
func (l *Ledger) misses(name string) int {
	e, known := l.entry(name)
	if !known || e.listed() {
		return 0
	}
	return l.seq - max(e.absence.seq, l.base)
}

// since returns since when an object is known to be missing or outside; zero if it is neither.
func (l *Ledger) since(name string) time.Time {
	e, known := l.entry(name)
	if known && !e.listed() {
		return e.absence.since
	}
	return e.outside
}

// moved reports whether an object was last seen under another scope than that of the last complete
// listing.
func (l *Ledger) moved(name string) bool {
	e, _ := l.entry(name)
	return e.elsewhere(l.scope)
}

// never reports whether no listing ever had an object, in this process or an earlier one.
func (l *Ledger) never(k *Kind, owner Owner, o Object) bool {
	e, known := l.entry(o.GetName())
	if !known {
		return !k.listedBefore(o, owner)
	}
	return e.scope == neverListed
}

// elsewhere reports whether the object was last seen under another scope than this.
func (e entry) elsewhere(scope string) bool { return e.scope != "" && e.scope != scope }

// Scope returns the scope under which a later process counts the existing objects as seen. It is
// the scope of the last complete listing. If missing objects were last seen under another scope, it
// is that one. Objects that were never listed do not count: the owner's status names them.
func (l *Ledger) Scope() string {
	scope := l.scope
	if l.completed.IsZero() || l.absent == 0 {
		return scope
	}
	for _, e := range l.entries {
		if !e.listed() && e.elsewhere(l.scope) && e.scope != neverListed && (scope == l.scope || e.scope < scope) {
			scope = e.scope
		}
	}
	return scope
}

// sight returns what the listings say about whether an object exists. Before the first complete
// listing nothing is missing.
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

// Listed reports whether an object was in the last complete listing, or seen since.
func (l *Ledger) Listed(name string) bool {
	e, known := l.entry(name)
	return known && e.listed()
}
