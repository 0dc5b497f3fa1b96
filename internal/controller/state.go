// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// state is what the manager knows of one source beyond what is in the cluster.
// It begins empty at every start, on purpose: absence is only ever concluded from
// what this process saw itself. A back-off alone is taken over from the status.
//
// The work queue hands a source to one worker at a time, so only that worker
// touches the fields, but for the inbox, which event filters use meanwhile.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // by kind, as in kinds
	inbox    inbox
	// tokens are those of a source that uses workload identity.
	tokens tokens
	// settled is the generation of the spec that the last whole pass was finished
	// for; 0 if it was not finished.
	settled int64
	// repairs bounds how often a stranger's changes are undone.
	repairs *rate.Limiter
}

// kindState is what the manager knows of one kind of a source.
type kindState struct {
	// ledger is what the listings since the start said, nil if there was none.
	ledger *mirror.Ledger
	// index remembers the items of the last listing in the ledger, and asked what
	// that was a listing of. Only a listing of the same may be told by its changes.
	index *cloudapi.Index
	asked question
	// outcome is how the last listing went.
	outcome outcome
	// report is what the last whole plan told.
	report mirror.Report
	// retries are the writes that failed, of so many planned.
	retries retries
	planned int
	// formerly is when an earlier process last listed the kind whole, as the status
	// told when this one began: later edits of it count for nothing.
	formerly time.Time
}

// question is all that decides what a listing tells and how it is stored.
type question struct {
	generation int64
	scope      string
}

// outcome is how the last sync of one kind went. The zero outcome is that of a
// kind no sync was tried of.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed whole.
	failure *failure
}

// completed returns when the kind was last listed whole, by an earlier process if not
// by this one. A time to come counts as now.
func (k *kindState) completed(now time.Time) time.Time {
	at := k.ledger.Completed()
	if at.IsZero() {
		at = k.formerly
	}
	if at.After(now) {
		return now
	}
	return at
}

// unwritten returns why observations are not written, nil if all are.
func (k *kindState) unwritten(kind string) *failure { return k.retries.failure(kind, k.planned) }

func newState(source *v1alpha1.InventorySource, now time.Time) *state {
	s := &state{
		uid:     source.UID,
		kinds:   make([]kindState, len(kinds)),
		inbox:   newInbox(),
		repairs: rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce),
	}
	s.schedule.resume(source, now)
	for i := range s.kinds {
		k := &s.kinds[i]
		k.retries = retries{}
		k.formerly = kinds[i].LastListed(source)
		if k.formerly.After(now) {
			k.formerly = now
		}
		if held := heldIn(source, i); held != nil {
			k.report.Undecided = true
		}
	}
	return s
}

// forgetKind forgets all about a kind that is no longer mirrored.
func (s *state) forgetKind(i int) {
	s.kinds[i] = kindState{retries: retries{}}
}

// states holds the state of every source. It is safe for concurrent use.
type states struct {
	mu       sync.Mutex
	bySource map[types.NamespacedName]*state
}

// of returns the state of a source, a new one for a source created again under a
// former one's name. now is the time.
func (ss *states) of(source *v1alpha1.InventorySource, now time.Time) *state {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	key := types.NamespacedName{Namespace: source.Namespace, Name: source.Name}
	if s := ss.bySource[key]; s != nil && s.uid == source.UID {
		return s
	}
	if ss.bySource == nil {
		ss.bySource = map[types.NamespacedName]*state{}
	}
	s := newState(source, now)
	ss.bySource[key] = s
	return s
}

// find returns the state of a source, or nil.
func (ss *states) find(key types.NamespacedName) *state {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.bySource[key]
}

// awaiting returns the sources of a namespace that wait for the name of an
// observation of a kind to be free.
func (ss *states) awaiting(kind int, namespace, name string) []types.NamespacedName {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var found []types.NamespacedName
	for key, s := range ss.bySource {
		if key.Namespace == namespace && s.inbox.view(kind).Awaits(name) {
			found = append(found, key)
		}
	}
	return found
}

func (ss *states) forget(key types.NamespacedName) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.bySource, key)
}
