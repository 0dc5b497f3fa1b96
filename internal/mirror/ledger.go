// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// Listing is one listing of one kind, projected and stamped.
type Listing struct {
	// Observations are the objects that could be read, each as it should be in
	// the cluster, but for conditions and what is joined from other kinds. Record
	// may change the latter.
	Observations []v1alpha1.Observation
	// Complete tells whether everything there is was listed and read. Only then
	// does it mean anything that an object is not among Observations.
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
	// empty tells whether the last complete listing held no object.
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
}

// entry is what is known of one cloud object.
type entry struct {
	// observation is the object as last listed; nil if it never was. Where that is
	// what is there already, it is that very object, so that it is held once.
	observation v1alpha1.Observation
	// seq is that of the last complete listing before, or in, which the object was
	// seen; for one never listed, of that which first found its observation there.
	seq int
	// scope is that of the listing that last saw the object, be it an earlier
	// process's; "" if it is not known.
	scope string
	// listed is false for an object absent from the last complete listing.
	listed bool
}

// NewLedger returns the ledger of a kind not listed yet, whose observations an
// earlier process last saw under a scope; "" is an unknown one.
func NewLedger(former string) *Ledger { return &Ledger{former: former} }

// Record returns the ledger after one more listing. existing are the source's
// observations there are. An object that is neither listed nor has one is
// forgotten; the misses of one that has an observation and was never listed are
// counted from now on, whoever made it.
func (l *Ledger) Record(listing Listing, existing []v1alpha1.Observation) *Ledger {
	next := &Ledger{entries: make(map[string]entry, len(listing.Observations))}
	if l != nil {
		next.completed, next.empty, next.scope, next.former, next.seq, next.base = l.completed, l.empty, l.scope, l.former, l.seq, l.base
	}
	if listing.Complete {
		next.complete(listing)
	}
	there := make(map[string]v1alpha1.Observation, len(existing))
	for _, o := range existing {
		there[o.GetName()] = o
	}
	for _, o := range listing.Observations {
		name := o.GetName()
		if e := there[name]; e != nil && carries(e, o) {
			o = e
		}
		next.entries[name] = entry{observation: o, seq: next.seq, scope: listing.Scope, listed: true}
	}
	for name := range there {
		if _, known := l.entry(name); !known && !next.listed(name) {
			next.entries[name] = entry{seq: next.seq, scope: next.former}
		}
	}
	if l != nil {
		next.keep(l, listing.Complete, there)
	}
	return next
}

// keep takes over what a former ledger knew of objects that were not listed now.
func (l *Ledger) keep(former *Ledger, complete bool, there map[string]v1alpha1.Observation) {
	for name, e := range former.entries {
		stillListed := e.listed && !complete
		if !l.listed(name) && (there[name] != nil || stillListed) {
			e.listed = stillListed
			l.entries[name] = e
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

// complete notes that a complete listing happened.
func (l *Ledger) complete(listing Listing) {
	first := l.completed.IsZero()
	if !first && l.scope != listing.Scope {
		l.base = l.seq
	}
	if !first {
		l.seq++
	}
	l.completed, l.empty, l.scope = listing.End, len(listing.Observations) == 0, listing.Scope
}

// Completed returns when the last complete listing ended, or the zero time.
func (l *Ledger) Completed() time.Time {
	if l == nil {
		return time.Time{}
	}
	return l.completed
}

// misses returns how many complete listings in a row, all under one scope and
// none the first since the start, an object was absent from.
func (l *Ledger) misses(name string) int {
	return l.seq - max(l.entries[name].seq, l.base)
}

// moved tells whether an object was last seen under another scope than that of the
// last complete listing.
func (l *Ledger) moved(name string) bool {
	e, _ := l.entry(name)
	return e.elsewhere(l.scope)
}

// elsewhere tells whether the object was last seen under another scope than this.
func (e entry) elsewhere(scope string) bool { return e.scope != "" && e.scope != scope }

// Scope returns the scope that a later process should take what is there to be seen
// under: that of the last complete listing, but while objects are missing that were
// last seen under another, that one.
func (l *Ledger) Scope() string {
	scope := l.scope
	if l.completed.IsZero() {
		return scope
	}
	for _, e := range l.entries {
		if !e.listed && e.elsewhere(l.scope) && (scope == l.scope || e.scope < scope) {
			scope = e.scope
		}
	}
	return scope
}

// isMissing tells whether an object is absent from the last complete listing.
// Before the first complete listing nothing is.
func (l *Ledger) isMissing(name string) bool {
	e, _ := l.entry(name)
	return !l.Completed().IsZero() && !e.listed
}

// listed tells whether an object was in the last complete listing, or seen since.
func (l *Ledger) listed(name string) bool {
	e, _ := l.entry(name)
	return e.listed
}
