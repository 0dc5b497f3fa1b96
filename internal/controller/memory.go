// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// memory is what the manager knows of one source beyond what is in the cluster.
// It begins empty at every start, on purpose: absence is only ever concluded from
// what this process saw itself. A back-off alone is taken over from the status.
//
// The work queue hands a source to one worker at a time, so only that worker
// touches the fields, but for those that event filters use meanwhile.
type memory struct {
	uid types.UID

	// attempted tells whether a sync was tried since the start; generation and
	// requested, for which spec and, at last, for which requestedAt.
	attempted  bool
	generation int64
	requested  string
	// lastSync is when the last sync ended in which every kind was listed whole.
	lastSync time.Time
	// failures counts the syncs in a row that failed.
	failures int
	// next is when the next sync is due.
	next time.Time
	// secret is the resourceVersion of the Secret that the last sync used, "" if
	// there was none.
	secret string
	// refused is how long the next sync was put off because the cloud refuses the
	// credential, 0 while it does not.
	refused time.Duration
	// look is when to look next whether the refused credential was changed.
	look time.Time

	// unfinished counts the passes in a row that could not write all they planned.
	unfinished int
	// settled is the generation of the spec that the last whole pass was finished
	// for; 0 if it was not finished.
	settled int64
	// repairs bounds how often a stranger's changes are undone.
	repairs *rate.Limiter

	// By kind, as in kinds:
	outcomes []outcome        // of the last sync
	ledgers  []*mirror.Ledger // what all listings said
	digests  []string         // of held prunes, "" for none

	mu sync.RWMutex
	// views are what the last plan made of the observations; guarded by mu where the
	// worker sets them and event filters read them.
	views []*mirror.View
	// planning tells whether a whole plan is being made; guarded by mu.
	planning bool
	// drift names, by kind, the observations that may have been changed by someone
	// else since they were last planned for; guarded by mu.
	drift []sets.Set[string]
}

// outcome is how the last sync of one kind went. The zero outcome is that of a
// kind no sync was tried of.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed whole.
	failure *failure
	// unwritten is why observations could not be written since, or nil.
	unwritten *failure
}

func newMemory(source *v1alpha1.InventorySource, now time.Time) *memory {
	m := &memory{
		uid:      source.UID,
		outcomes: make([]outcome, len(kinds)),
		ledgers:  make([]*mirror.Ledger, len(kinds)),
		digests:  make([]string, len(kinds)),
		views:    make([]*mirror.View, len(kinds)),
		drift:    make([]sets.Set[string], len(kinds)),
		repairs:  rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce),
	}
	m.resume(source, now)
	return m
}

// resume takes over the back-off of an earlier process from a source's status, so
// that a manager that restarts again and again does not ask each time with a
// credential that is refused. What ends a back-off otherwise ends it here too.
func (m *memory) resume(source *v1alpha1.InventorySource, now time.Time) {
	b, next := source.Status.CredentialBackoff, source.Status.NextSyncTime
	if b == nil || next == nil {
		return
	}
	m.attempted, m.generation, m.requested = true, source.Status.ObservedGeneration, source.Status.LastHandledReconcileAt
	m.secret, m.refused = b.SecretVersion, min(b.Delay.Duration, mostRefusal(source))
	// Whatever someone made of the status, it puts off no longer than it may.
	m.next = next.Time
	if latest := now.Add(2 * mostRefusal(source)); m.next.After(latest) {
		m.next = latest
	}
}

// beginPlan says that observations are about to be read for a whole plan. What
// changes from then on is drift until the plan says otherwise.
func (m *memory) beginPlan() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.planning = true
	clear(m.drift)
}

// endPlan replaces what drift is told by.
func (m *memory) endPlan(plans []*mirror.Plan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.planning = false
	for i, plan := range plans {
		m.views[i] = plan.View
	}
}

// drifted tells whether an observation of a kind may have been changed by someone
// else since the last plan.
func (m *memory) drifted(kind int, o v1alpha1.Observation) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.planning || m.views[kind].Drifted(o)
}

// note keeps the names of observations that may have been changed by someone else.
func (m *memory) note(kind int, names ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drift[kind] == nil {
		m.drift[kind] = sets.New[string]()
	}
	m.drift[kind].Insert(names...)
}

// takeDrift returns the names noted of each kind, and keeps them no longer.
func (m *memory) takeDrift() []sets.Set[string] {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := slices.Clone(m.drift)
	clear(m.drift)
	return taken
}

// memories holds the memory of every source. It is safe for concurrent use.
type memories struct {
	mu       sync.Mutex
	bySource map[types.NamespacedName]*memory
}

// of returns the memory of a source, a new one for a source made anew under a
// former one's name. now is the time.
func (ms *memories) of(source *v1alpha1.InventorySource, now time.Time) *memory {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	key := types.NamespacedName{Namespace: source.Namespace, Name: source.Name}
	if m := ms.bySource[key]; m != nil && m.uid == source.UID {
		return m
	}
	if ms.bySource == nil {
		ms.bySource = map[types.NamespacedName]*memory{}
	}
	m := newMemory(source, now)
	ms.bySource[key] = m
	return m
}

// find returns the memory of a source, or nil.
func (ms *memories) find(key types.NamespacedName) *memory {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return ms.bySource[key]
}

func (ms *memories) forget(key types.NamespacedName) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	delete(ms.bySource, key)
}
