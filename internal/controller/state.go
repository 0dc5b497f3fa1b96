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

// state is what the manager knows of one owner besides what is in the cluster. It is empty at every
// start, on purpose: only listings that this process saw can show that an object is missing. Only a
// back-off is taken over from the status.
//
// The work queue gives an owner to one worker at a time, so the fields need no lock. Only the
// inboxes have one: event filters use them at any time.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // by kind, as in ownerKind
	// settled is the generation of the spec for which the last whole pass did everything; 0 if
	// something is left to do.
	settled int64
	// repairs bounds how often changes by others are undone.
	repairs *rate.Limiter
	// left says which ConfigMaps of the owner are no longer wanted and stay; nil if none do.
	left *verdict
}

// kindState is what the manager knows of one kind of an owner.
type kindState struct {
	// inbox collects the objects that someone else may have changed, as the watch shows them.
	inbox *inbox
	// shown is the checksum of the objects as this manager last read and wrote them. When the watch
	// has caught up, its checksum equals this one.
	shown checksum
	// ledger is what the listings since the start said; nil if there was none.
	ledger *mirror.Ledger
	// index remembers the items of the last listing in the ledger. asked is the question that this
	// listing answered. Only a listing for the same question may use index.
	index *cloudapi.Index
	asked question
	// outcome is how the last sync of the kind went.
	outcome outcome
	// report is what the last whole plan reported. preview is what it would have done; nil unless
	// the owner only previews.
	report  mirror.Report
	preview *v1alpha1.DiscoveryPreview
	// retries are the failed writes. planned is how many writes were planned.
	retries retries
	planned int
	// formerly is when an earlier process last listed the kind completely, as the status said when
	// this process started. Later edits of the status have no effect.
	formerly time.Time
}

// completed returns when the kind's last complete listing ended, in this process or an earlier one.
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

// unwritten returns why objects are not written; nil if all are.
func (k *kindState) unwritten(kind string) *failure { return k.retries.failure(kind, k.planned) }

// finished reports whether the last pass left nothing of a kind to do or to wait for. It checks
// Missing too: someone may have created an object that no listing has lacked yet.
func (k *kindState) finished() bool {
	view := k.inbox.viewed()
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		len(k.report.Leaving) == 0 && !k.report.Waiting && !view.Contested() && !view.Stale()
}

// forget drops everything that listings showed of a kind that is no longer mirrored. Deletions that
// failed still wait.
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

// attempts returns how the last listing of each mirrored kind went.
func (s *state) attempts() []attempt {
	var all []attempt
	for i := range s.kinds {
		if s.kinds[i].outcome.tried {
			all = append(all, attempt{s.kinds[i].outcome.failure, s.kinds[i].report.Unconfirmed})
		}
	}
	return all
}

// settle notes the generation of the spec for which everything was done, or that something is left.
func (s *state) settle(o owner) {
	// The object's generation may be newer: it came with the answer to the status write.
	s.settled = o.status().ObservedGeneration
	for i := range s.kinds {
		if len(s.kinds[i].retries) > 0 {
			s.settled = 0
		}
	}
}

// lastScope returns the scope under which an earlier process saw a kind's objects; "" if the status
// has none.
func lastScope(o owner, k *kind) string {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Scope
	}
	return ""
}

// heldIn returns the held prune of a kind in the owner's status, or nil.
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

// get returns the state of an owner. It makes a new one for an owner that it does not know, and for
// one that was created again under the same name. now is the time.
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

// find returns the key and the state of an owner by its namespace and its name, which a label may
// have cut. The state is nil if the owner is not known.
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

// awaiting returns the owners in a namespace that wait for a name to be free. name is the name of
// an object of a kind.
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
