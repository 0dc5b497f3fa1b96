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

// Sighting is what one listing of one kind told, projected and stamped.
type Sighting struct {
	// Objects are those that are new or changed since the last listing,
	// each as it should be in the cluster but for conditions and what is joined from
	// other kinds.
	Objects []Object
	// Same are the cloud IDs of the objects that are as the last listing told. The
	// ledger that the sighting is recorded in must know each of them as listed.
	Same []string
	// Complete reports whether everything there is was listed and read. The absence
	// of an object means something only then.
	Complete bool
	// Scope says what could be seen: endpoint, credential and filters, hashed.
	// Absences under different scopes do not add up.
	Scope string
	// End is when the listing ended.
	End time.Time
}

// Ledger is what the listings since the manager's start say about one kind of
// one source. A Ledger is never changed: Record makes a new one. The nil Ledger
// is that of a kind not listed yet.
type Ledger struct {
	entries map[string]entry // by the observation's name
	// completed is when the last complete listing ended; zero if there was none.
	completed time.Time
	// empty reports whether the last complete listing held no object.
	empty bool
	scope string
	// former is the scope under which an earlier process saw what is there.
	former string
	// seq numbers the complete listings. The first since the start is 0, which is
	// why it counts no miss: a manager that just started has not seen anything
	// itself that could be gone.
	seq int
	// base is the seq before the first complete listing under scope. Nothing
	// before it counts as a miss.
	base int
	// absent counts the entries that are not listed.
	absent int
	// told is how many objects the last listing told of, partial whether it was
	// incomplete.
	told    int
	partial bool
	// phases are the former phases of the objects whose phase changed and whose
	// observation does not show that yet, by name.
	phases map[string]string
	// clashes are the objects without an observation because another object's
	// observation has their name, sorted.
	clashes []Clash
}

// Clash is a cloud object that can have no observation, because its name is
// another object's.
type Clash struct {
	// ID is the cloud's ID of the object without an observation.
	ID string
	// Name is the name in question, Owner the cloud ID of the object that has it.
	Name, Owner string
}

// entry is what is known of one cloud object.
type entry struct {
	// object is what was last listed; nil if it never was. If the cached object
	// equals it, that object is used, so it is held once.
	object Object
	// outside is since when the owner's selector does not take what is listed; zero if it
	// does.
	outside time.Time
	// scope is that of the listing that last saw the object, be it an earlier
	// process's; "" if it is not known.
	scope string
	// absence is nil for an object that is listed: in the last complete listing, or
	// in a listing since.
	absence *absence
}

// absence is what is known of an object that is not listed.
type absence struct {
	// seq numbers the latest complete listing at or before the last sighting. For an
	// object never listed, it is that of the listing that first found its
	// observation there.
	seq int
	// since is when the object was first known to be missing; zero while no
	// complete listing said so.
	since time.Time
}

func (e entry) listed() bool { return e.absence == nil }

// NewLedger returns the ledger of a kind not listed yet, whose observations an
// earlier process last saw under a scope; "" is an unknown one.
func NewLedger(former string) *Ledger { return &Ledger{former: former} }

// Record returns the ledger after one more listing. existing are the owner's
// objects there are. A cloud object that is neither listed nor has one is
// forgotten. The misses of one that has an object and was never listed are
// counted from now on, whoever made it.
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
			next.entries[name] = entry{scope: next.former, absence: &absence{seq: next.seq}}
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

// recording is what a listing is recorded with.
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

// Again returns the ledger after a complete listing, under the same scope, that told
// what the last one told, byte for byte. The ledger must be settled.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.completed = end
	return &next
}

// Distinct reports whether no two objects have one name.
func (l *Ledger) Distinct() bool { return len(l.clashes) == 0 }

// Settled reports whether the last listing was complete and each object known was in
// it, under a name of its own.
func (l *Ledger) Settled() bool {
	return l != nil && !l.completed.IsZero() && !l.partial && l.absent == 0 && len(l.clashes) == 0
}

// complete takes in that a complete listing happened.
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

// see takes in one listed object. If two IDs make one name, the ID that is the name itself
// keeps it, else the lower one.
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
		} else if there != nil && former.object == nil { // This process did not see it begin.
			e.outside = r.claimedSince(there, outside)
		}
	}
	l.entries[name] = e
}

// roomFor returns how many entries and observations a kind may have while its
// listings are incomplete and told of so many objects: enough for all that any one
// listing told, and a bound where each tells of others.
func roomFor(told int) int { return max(100, 2*told) }

// keep takes over what a former ledger knew of objects that were not listed now.
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

// absenceAfter returns the absence of an object after a listing that lacked it. there
// is its object in the cluster. When it went missing is what this process saw; only for one
// that it never saw, the claim of the cluster is taken, and later edits of that count
// for nothing.
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

// claimedSince returns since when the cluster says that an object is missing, or outside:
// now, if it does not say so or names a time to come, and not before the object was created,
// which the API server alone says.
func claimedSince(k *Kind, owner Owner, o Object, seen sight, now time.Time) time.Time {
	since := k.claim(o, owner, seen)
	if since.IsZero() || since.After(now) {
		return now
	}
	if created := o.GetCreationTimestamp().Time; since.Before(created) && !created.After(now) {
		return created
	}
	return since
}

// knownSince returns what is known of an object, and since when it is missing or outside: as this
// process saw it, else as the cluster says. The time is zero for an object that is listed, and
// for one that is unknown and was neither when an earlier process last looked.
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

// notePhases finds the objects whose phase changed since their observation was
// written. What a stranger wrote there is no former phase.
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

// entry returns what is known of an object, and whether anything is.
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

// formerPhase returns the phase an object had before the cloud changed it, where its
// observation does not show the change yet; else "".
func (l *Ledger) formerPhase(name string) string {
	if l == nil {
		return ""
	}
	return l.phases[name]
}

// misses returns how many complete listings in a row, all under one scope and
// none the first since the start, an object was absent from.
func (l *Ledger) misses(name string) int {
	e, known := l.entry(name)
	if !known || e.listed() {
		return 0
	}
	return l.seq - max(e.absence.seq, l.base)
}

// since returns since when an object is known to be missing or outside. The zero time is
// that of an object that is neither.
func (l *Ledger) since(name string) time.Time {
	e, known := l.entry(name)
	if known && !e.listed() {
		return e.absence.since
	}
	return e.outside
}

// moved reports whether an object was last seen under another scope than that of the
// last complete listing.
func (l *Ledger) moved(name string) bool {
	e, _ := l.entry(name)
	return e.elsewhere(l.scope)
}

// elsewhere reports whether the object was last seen under another scope than this.
func (e entry) elsewhere(scope string) bool { return e.scope != "" && e.scope != scope }

// Scope returns the scope that a later process should take what is there to be seen
// under: that of the last complete listing, but while objects are missing that were
// last seen under another, that one.
func (l *Ledger) Scope() string {
	scope := l.scope
	if l.completed.IsZero() || l.absent == 0 {
		return scope
	}
	for _, e := range l.entries {
		if !e.listed() && e.elsewhere(l.scope) && (scope == l.scope || e.scope < scope) {
			scope = e.scope
		}
	}
	return scope
}

// sight returns what the listings say about whether an object is there. Before the first
// complete listing, nothing is missing.
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
