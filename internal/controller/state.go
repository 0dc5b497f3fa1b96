// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// state is what the manager knows of one owner beyond what is in the cluster. It begins empty at
// every start, on purpose: the manager concludes an absence only from listings that this process
// saw. Only a back-off is taken over from the status.
//
// The work queue hands an owner to one worker at a time, so only that worker uses the fields. The
// inboxes are the exception: event filters use them at any time.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // by kind, as in ownerKind
	// settled is the generation of the spec for which the last whole pass did everything; 0 if
	// something is left over.
	settled int64
	// repairs bounds how often a stranger's changes are undone.
	repairs *rate.Limiter
	// left says which ConfigMaps of the owner are no longer wanted and stay; nil if none do.
	left *verdict
}

// kindState is what the manager knows of one kind of an owner.
type kindState struct {
	// inbox collects the objects that someone else may have changed, as the watch shows.
	inbox *inbox
	// shown is the checksum that the watch will show once it shows all that was read and written.
	shown checksum
	// ledger is what the listings since the start had; nil if there was none.
	ledger *mirror.Ledger
	// index remembers the items of the last listing in the ledger, and asked the question that it
	// answered. Only a listing that answers the same question may be given by its changes.
	index *cloudapi.Index
	asked question
	// outcome is how the last listing went.
	outcome outcome
	// report is what the last whole plan found. preview is what it would have done, if the owner
	// previews that.
	report  mirror.Report
	preview *v1alpha1.DiscoveryPreview
	// retries are the writes that failed; planned is how many were planned.
	retries retries
	planned int
	// formerly is when an earlier process last listed the kind whole, as the status said at this
	// process's start. Later edits of the status do not count.
	formerly time.Time
}

// completed returns when the kind was last listed whole, by this process or else by an earlier one.
// A time in the future counts as now.
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

// unwritten says why objects are not written; nil if all are.
func (k *kindState) unwritten(kind string) *failure { return k.retries.failure(kind, k.planned) }

// finished reports whether the last pass left nothing of a kind to do or to wait for. It also
// checks Missing, because someone may have created an object that no listing has lacked yet.
func (k *kindState) finished() bool {
	view := k.inbox.viewed()
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		len(k.report.Leaving) == 0 && !k.report.Waiting && !view.Contested() && !view.Stale()
}

// forget drops all that listings said of a kind that is no longer mirrored. Deletions that failed
// still wait.
func (k *kindState) forget() {
	*k = kindState{inbox: k.inbox, shown: k.shown, retries: k.retries, planned: k.planned}
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
		k.inbox, k.retries = &inbox{}, retries{}
		k.formerly = kinds[i].LastListed(o.object())
		if k.formerly.After(now) {
			k.formerly = now
		}
		k.report.Undecided = heldIn(o, &kinds[i]) != nil
	}
	return s
}

// attempts returns how the listing of each mirrored kind of an owner went.
func (s *state) attempts() []attempt {
	var all []attempt
	for i := range s.kinds {
		if s.kinds[i].outcome.tried {
			all = append(all, attempt{s.kinds[i].outcome.failure, s.kinds[i].report.Unconfirmed})
		}
	}
	return all
}

// settle notes the spec for which everything was done, or that something is left over.
func (s *state) settle(o owner) {
	// The object's generation may have come with the answer to the report, so it does not count.
	s.settled = o.status().ObservedGeneration
	for i := range s.kinds {
		if len(s.kinds[i].retries) > 0 {
			s.settled = 0
		}
	}
}

// lastScope returns the scope under which an earlier process saw a kind's objects; "" if none did.
func lastScope(o owner, k *kind) string {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Scope
	}
	return ""
}

// heldIn returns the held prune of a kind, as the owner's status says, or nil.
func heldIn(o owner, k *kind) *v1alpha1.HeldPrune {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Held
	}
	return nil
}

// states holds the state of every owner. It is safe for concurrent use.
type states struct {
	mu      sync.Mutex
	byOwner map[types.NamespacedName]*state
}

// of returns the state of an owner. An owner that was created again under the same name gets a new
// state. now is the time.
func (ss *states) of(o owner, kinds []kind, now time.Time) *state {
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

// find returns the state and the key of the owner with a name in a namespace; a label may have cut
// the name. The state is nil if the owner is not known.
func (ss *states) find(namespace, name string) (client.ObjectKey, *state) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	exact := types.NamespacedName{Namespace: namespace, Name: name}
	if s := ss.byOwner[exact]; s != nil {
		return exact, s
	}
	for key, s := range ss.byOwner {
		if key.Namespace == namespace && mirror.LabelValue(key.Name) == name {
			return key, s
		}
	}
	return exact, nil
}

// awaiting returns the owners in a namespace that wait until the name of an object of a kind is
// free.
func (ss *states) awaiting(kind int, namespace, name string) []types.NamespacedName {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var found []types.NamespacedName
	for key, s := range ss.byOwner {
		if key.Namespace == namespace && s.kinds[kind].inbox.viewed().Awaits(name) {
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
