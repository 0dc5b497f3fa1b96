// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// state has what the manager remembers about one InventorySource or EnvironmentDiscovery. A restart
// of the manager loses the state. The manager then reads a few values from the object's status, for
// example the time of the last complete listing.
//
// The fields need no lock, because only one worker at a time reconciles the same object. The inbox
// of each kind has its own lock, because a watch can add names of changed objects at any time.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // in the order of ownerKind.kinds
	// settledGeneration is the metadata.generation of the spec for which all writes have succeeded;
	// 0 if the next reconcile must read all objects. If the spec still has this generation, the
	// next reconcile may read only the changed objects. If not, it must read all objects.
	settledGeneration int64
	// unfinishedSync has the cloud's answers from a sync whose reconcile failed before the writes.
	// The next reconcile can use these answers. If there are none, unfinishedSync is nil.
	unfinishedSync *unfinishedSync
	// failingSince is when the reconciles began to fail; zero if the last reconcile did not fail.
	failingSince time.Time
	// repairs limits how often the operator undoes changes of other clients.
	repairs *rate.Limiter
	// leftConfigMaps says what a person can do about ConfigMaps that still exist although the spec no
	// longer asks for them. It is nil if there is nothing to report.
	leftConfigMaps *verdict
}

// kindState is what the manager remembers about one kind of object, such as Kafka clusters, of one
// source or discovery.
type kindState struct {
	// inbox collects the names of objects that other clients may have changed.
	inbox *inbox
	// knownChecksum is a checksum of the objects as this manager last read or wrote them. If the watch
	// shows objects with the same checksum, no object has changed.
	knownChecksum checksum
	// ledger has the results of all listings since the manager's start; nil if there was no
	// listing.
	ledger *mirror.Ledger
	// itemIndex has the ID and a hash of each item of the last listing.
	itemIndex *cloudapi.Index
	// sentQuery identifies the spec, endpoint, credential and filter of the last listing. If one of
	// these four has changed, the next listing ignores itemIndex.
	sentQuery listQuery
	// outcome says how the last sync of the kind went.
	outcome outcome
	// report has the findings of the last plan that covered all objects of the kind, for example
	// the number of missing objects. A plan says which objects to create, change and delete.
	report mirror.Report
	// preview says what the discovery would change if spec.preview were false. It is nil if
	// spec.preview is false, or if there was no complete listing since the manager's start.
	preview *v1alpha1.DiscoveryPreview
	// retries has the failed writes.
	retries retries
	// appliedNames has one environment name for each source of a discovery: the name that decided
	// the source's settings. The manager reads the names from the status only once, so later edits
	// of the status have no effect.
	appliedNames mirror.AppliedNames
	// plannedWrites is the number of writes and deletions in the last plan.
	plannedWrites int
	// formerCompletion is when the last complete listing before the manager's start ended. The manager
	// reads this time from the status only once, so later edits of the status have no effect.
	formerCompletion time.Time
}

// lastCompleted returns when the last complete listing of the kind ended, even if this was before
// the manager's start. The result is never later than now.
func (k *kindState) lastCompleted(now time.Time) time.Time {
	at := k.ledger.Completed()
	if at.IsZero() {
		at = k.formerCompletion
	}
	if at.After(now) {
		return now
	}
	return at
}

// writeFailure returns why objects could not be written; nil if there is nothing to report.
func (k *kindState) writeFailure(kind string) *failure {
	return k.retries.failure(kind, k.plannedWrites)
}

// undeletedVerdict returns why objects of this kind still exist although the spec ignores the kind;
// nil if there is nothing to report.
func (k *kindState) undeletedVerdict(kind string) *verdict {
	return cmp.Or(k.writeFailure(kind).verdict(), k.keptVerdict(kind))
}

// keptVerdict returns a verdict with the names of the objects whose deletion waits for finalizers;
// nil if no deletion waits.
func (k *kindState) keptVerdict(kind string) *verdict {
	if len(k.report.Kept) == 0 {
		return nil
	}
	return &verdict{reason: v1alpha1.ReasonWriteFailed, message: fmt.Sprintf("%s: being deleted, and kept by finalizers: %s", kind, mirror.Names(k.report.Kept))}
}

// isFinished returns true if the last reconcile left no work for this kind. A check of the ledger
// is not enough. The ledger does not have objects that another client created after the last
// listing, but Summary.Missing counts these objects.
func (k *kindState) isFinished() bool {
	view := k.inbox.lastView()
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		len(k.report.Leaving) == 0 && !k.report.Waiting && !view.Contested() && !view.Stale()
}

// forget drops the results of the kind's listings, because the spec no longer asks for the kind.
// Failed deletions stay, because they must be tried again. forget does not write the field inbox,
// which event filters read at the same time.
func (k *kindState) forget() {
	k.ledger, k.itemIndex, k.sentQuery, k.outcome, k.formerCompletion = nil, nil, listQuery{}, outcome{}, time.Time{}
	k.report, k.preview, k.appliedNames = mirror.Report{}, nil, nil
}

func newState(o owner, kinds []kind, now time.Time) *state {
	s := &state{
		uid:     o.object().GetUID(),
		kinds:   make([]kindState, len(kinds)),
		repairs: rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce),
	}
	s.schedule.resume(o, now)
	for i := range s.kinds {
		k := &s.kinds[i]
		k.inbox, k.retries, k.appliedNames = &inbox{}, retries{}, mirror.AppliedNamesOf(o.object())
		k.formerCompletion = kinds[i].LastListed(o.object())
		if k.formerCompletion.After(now) {
			k.formerCompletion = now
		}
		k.report.Undecided = heldIn(o, &kinds[i]) != nil
	}
	return s
}

// attempts returns how the last listing of each kind went.
func (s *state) attempts() []attempt {
	var all []attempt
	for i := range s.kinds {
		if how := s.kinds[i].outcome; how.tried {
			all = append(all, attempt{how.failure, s.kinds[i].report.Unconfirmed, how.unasked})
		}
	}
	return all
}

// settle sets s.settledGeneration at the end of a reconcile. If a write failed, the value is 0. If
// not, it is the generation of the spec that the status describes.
func (s *state) settle(o owner) {
	// Do not use metadata.generation here. After the write of the status, o is the object that the
	// API server returned, and its spec may be newer than the spec that this reconcile used.
	s.settledGeneration = o.status().ObservedGeneration
	for i := range s.kinds {
		if len(s.kinds[i].retries) > 0 {
			s.settledGeneration = 0
		}
	}
}

// lastScope returns the scope that the status has for a kind; "" if the status has none. The scope
// is a hash of the endpoint, the credential and the filter of the last listing.
func lastScope(o owner, k *kind) string {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Scope
	}
	return ""
}

// heldIn returns what the status says about deletions of a kind that wait for a person's approval;
// nil if no deletion waits.
func heldIn(o owner, k *kind) *v1alpha1.HeldPrune {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Held
	}
	return nil
}

// states has the state of every source or discovery. It is safe for concurrent use.
type states struct {
	mu      sync.Mutex
	byOwner map[types.NamespacedName]*state
}

// get returns the state of o. If there is no state for the UID of o, get makes a new state.
func (ss *states) get(o owner, kinds []kind, now time.Time) *state {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if s := ss.byOwner[key(o)]; s != nil && s.uid == o.object().GetUID() {
		return s
	}
	if ss.byOwner == nil {
		ss.byOwner = map[types.NamespacedName]*state{}
	}
	s := newState(o, kinds, now)
	ss.byOwner[key(o)] = s
	return s
}

// find returns the key and the state of a source or discovery. nameOrLabel is its name, or the
// result of mirror.LabelValue for its name. LabelValue shortens a long name, so that the name can
// be a label. If there is no state, the second result is nil.
func (ss *states) find(namespace, nameOrLabel string) (client.ObjectKey, *state) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	exact := types.NamespacedName{Namespace: namespace, Name: nameOrLabel}
	if s := ss.byOwner[exact]; s != nil {
		return exact, s
	}
	for key, s := range ss.byOwner {
		if key.Namespace == namespace && mirror.LabelValue(key.Name) == nameOrLabel {
			return key, s
		}
	}
	return exact, nil
}

// ownersAwaiting returns the sources or discoveries that cannot create an object of one kind,
// because another object already has this namespace and name.
func (ss *states) ownersAwaiting(kind int, namespace, name string) []types.NamespacedName {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var found []types.NamespacedName
	for key, s := range ss.byOwner {
		if key.Namespace == namespace && s.kinds[kind].inbox.lastView().Awaits(name) {
			found = append(found, key)
		}
	}
	return found
}

func (ss *states) forget(key types.NamespacedName) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.byOwner, key)
}
