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
	// Observations are the objects that are new or changed since the last listing,
	// each as it should be in the cluster but for conditions and what is joined from
	// other kinds.
	Observations []v1alpha1.Observation
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
	// observation is the object as last listed; nil if it never was. Where that is
	// what is there already, it is that very object, so that it is held once.
	observation v1alpha1.Observation
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

// Record returns the ledger after one more listing. existing are the source's
// observations there are. An object that is neither listed nor has one is
// forgotten; the misses of one that has an observation and was never listed are
// counted from now on, whoever made it.
func (l *Ledger) Record(kind *Kind, s Sighting, existing []v1alpha1.Observation) *Ledger {
	if l == nil {
		l = &Ledger{}
	}
	next := *l
	next.told, next.partial = len(s.Observations)+len(s.Same), !s.Complete
	next.entries = make(map[string]entry, max(next.told, len(existing)))
	next.phases, next.clashes, next.absent = nil, nil, 0
	if s.Complete {
		next.complete(s)
	}
	there := make(map[string]v1alpha1.Observation, len(existing))
	for _, o := range existing {
		there[o.GetName()] = o
	}
	for _, id := range s.Same {
		name := ObjectName(id)
		next.see(kind, l.entries[name].observation, s.Scope, there[name])
	}
	for _, o := range s.Observations {
		next.see(kind, o, s.Scope, there[o.GetName()])
	}
	next.keep(l, s, there)
	for name, o := range there {
		if _, known := next.entries[name]; !known {
			next.entries[name] = entry{scope: next.former, absence: &absence{seq: next.seq}}
			if s.Complete {
				next.entries[name].absence.since = claimedSince(o, s.End)
			}
			next.absent++
		}
	}
	next.notePhases(l, there)
	slices.SortFunc(next.clashes, func(a, b Clash) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return &next
}

// Again returns the ledger after a complete listing, under the same scope, that told
// what the last one told, byte for byte. The ledger must be settled.
func (l *Ledger) Again(end time.Time) *Ledger {
	next := *l
	next.seq++
	next.completed = end
	return &next
}

// Tells reports whether the last listing told of an object what a new one tells.
func (l *Ledger) Tells(o v1alpha1.Observation) bool {
	e, _ := l.entry(o.GetName())
	return e.observation != nil && e.observation.CloudID() == o.CloudID() &&
		e.observation.SameStatus(o) && sameMetadata(e.observation, o)
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

// see takes in one listed object. there is the observation of its name, or nil.
// Where two IDs make one name, the ID that is the name itself keeps it, else the
// lower one.
func (l *Ledger) see(kind *Kind, o v1alpha1.Observation, scope string, there v1alpha1.Observation) {
	name, id := o.GetName(), o.CloudID()
	if other := l.entries[name].observation; other != nil && other.CloudID() != id {
		owner := other.CloudID()
		if owner == name || id != name && owner < id {
			l.clashes = append(l.clashes, Clash{ID: id, Name: name, Owner: owner})
			return
		}
		l.clashes = append(l.clashes, Clash{ID: owner, Name: name, Owner: id})
	}
	if there != nil && there != o && carries(kind, there, o) {
		o = there
	}
	l.entries[name] = entry{observation: o, scope: scope}
}

// roomFor returns how many entries and observations a kind may have while its
// listings are incomplete and told of so many objects: enough for all that any one
// listing told, and a bound where each tells of others.
func roomFor(told int) int { return max(100, 2*told) }

// keep takes over what a former ledger knew of objects that were not listed now.
func (l *Ledger) keep(former *Ledger, s Sighting, there map[string]v1alpha1.Observation) {
	for name, e := range former.entries {
		if _, seen := l.entries[name]; seen {
			continue
		}
		stillListed := e.listed() && !s.Complete
		if there[name] == nil && (!stillListed || len(l.entries) >= roomFor(l.told)) {
			continue
		}
		if !stillListed {
			e.absence = former.absenceAfter(e, s, there[name])
			l.absent++
		}
		l.entries[name] = e
	}
}

// absenceAfter returns the absence of an object after a listing that lacked it. there
// is its observation. When it went missing is what this process saw; only of an object
// that it never saw the observation's own time is taken, and later edits of that count
// for nothing.
func (l *Ledger) absenceAfter(e entry, s Sighting, there v1alpha1.Observation) *absence {
	a := absence{seq: l.seq}
	if e.absence != nil {
		a = *e.absence
	}
	switch {
	case !s.Complete:
	case e.listed():
		a.since = s.End
	case a.since.IsZero():
		a.since = claimedSince(there, s.End)
	case a.since.After(s.End): // The clock was set back.
		a.since = s.End
	}
	return &a
}

// claimedSince returns since when an observation says that its object is missing:
// now, if it does not say so or names a time to come, and not before it was created,
// which the API server alone says.
func claimedSince(o v1alpha1.Observation, now time.Time) time.Time {
	c := meta.FindStatusCondition(*o.Conditions(), v1alpha1.ConditionObserved)
	if c == nil || c.Status != metav1.ConditionFalse || c.LastTransitionTime.After(now) {
		return now
	}
	since := c.LastTransitionTime.Time
	if created := o.GetCreationTimestamp().Time; since.Before(created) && !created.After(now) {
		return created
	}
	return since
}

// notePhases finds the objects whose phase changed since their observation was
// written. What a stranger wrote there is no former phase.
func (l *Ledger) notePhases(former *Ledger, there map[string]v1alpha1.Observation) {
	for name, o := range there {
		e := l.entries[name]
		if !e.listed() || o == e.observation {
			continue
		}
		was, pending := former.phases[name]
		if before := former.entries[name].observation; !pending && before != nil {
			was = before.Phase()
		} else if !pending {
			was = o.Phase()
		}
		if was != "" && was == o.Phase() && was != e.observation.Phase() {
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

// missingSince returns since when an object is known to be missing. The zero time is
// that of an object that is not.
func (l *Ledger) missingSince(name string) time.Time {
	if e, known := l.entry(name); known && !e.listed() {
		return e.absence.since
	}
	return time.Time{}
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

// isMissing reports whether an object is absent from the last complete listing.
// Before the first complete listing nothing is.
func (l *Ledger) isMissing(name string) bool {
	e, known := l.entry(name)
	return !l.Completed().IsZero() && (!known || !e.listed())
}

// listed reports whether an object was in the last complete listing, or seen since.
func (l *Ledger) listed(name string) bool {
	e, known := l.entry(name)
	return known && e.listed()
}
