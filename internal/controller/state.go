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

// state is what the manager remembers of one owner. It is empty at every start on purpose: only
// listings of this process can show that an object is missing. A new state takes only this from the
// owner's status: the back-off, whether a prune is held, and when and under which scope each kind
// was last listed completely.
//
// The work queue gives an owner to one worker at a time, so the fields need no lock. The inboxes
// have a lock, because event filters use them at any time.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // in the order of ownerKind.kinds
	// settled is the generation of the spec for which the last pass did everything; 0 if something
	// is left to do.
	settled int64
	// unfinished is the last sync if its pass ended before a plan was made; else nil.
	unfinished *unfinished
	// repairs limits how often the operator undoes changes by others.
	repairs *rate.Limiter
	// left says what to do about ConfigMaps that still exist although they are no longer wanted;
	// nil if there is nothing to report.
	left *verdict
}

// kindState is what the manager remembers of one kind of an owner.
type kindState struct {
	// inbox collects the names of objects that someone else may have changed, as the watch shows.
	inbox *inbox
	// shown is the checksum of the objects as this manager last read or wrote them. After the watch
	// has shown all these versions, its checksum is the same.
	shown checksum
	// ledger has what the listings since the start said; nil if there was no listing.
	ledger *mirror.Ledger
	// index has the items of the last listing that the ledger recorded. asked is the question of
	// that listing. The next listing may use this index only if it asks the same question.
	index *cloudapi.Index
	asked question
	// outcome says how the last sync of the kind went.
	outcome outcome
	// report is the report of the last whole plan. preview says what that plan would have done. It
	// is nil if the owner does not preview, or if there was no complete listing since the start.
	report  mirror.Report
	preview *v1alpha1.DiscoveryPreview
	// retries has the failed writes. planned is the number of planned writes and deletions.
	retries retries
	planned int
	// formerly is when an earlier process last listed the kind completely. It is read from the
	// status when the state is made. Later edits of the status have no effect.
	formerly time.Time
}

// completed returns when the kind's last complete listing ended, in this process or an earlier one.
// If that time is in the future, completed returns now.
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

// unwritten returns why objects are not written; nil if there is no failure to report.
func (k *kindState) unwritten(kind string) *failure { return k.retries.failure(kind, k.planned) }

// undeleted returns the verdict on objects of an ignored kind that still exist; nil if there is
// nothing to report.
func (k *kindState) undeleted(kind string) *verdict {
	return cmp.Or(k.unwritten(kind).verdict(), k.kept(kind))
}

// kept returns the verdict on objects that are to be gone and that finalizers keep; nil if there are
// none.
func (k *kindState) kept(kind string) *verdict {
	if len(k.report.Kept) == 0 {
		return nil
	}
	return &verdict{reason: v1alpha1.ReasonWriteFailed, message: fmt.Sprintf("%s: being deleted, and kept by finalizers: %s", kind, mirror.Names(k.report.Kept))}
}

// finished reports whether the last pass left nothing to do and nothing to wait for in this kind.
// An object that someone created after the last listing is not in the ledger, so finished also
// checks the report's number of missing objects.
func (k *kindState) finished() bool {
	view := k.inbox.viewed()
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		len(k.report.Leaving) == 0 && !k.report.Waiting && !view.Contested() && !view.Stale()
}

// forget drops what the listings of a kind showed, because the owner no longer mirrors the kind.
// Failed deletions stay, with their waits.
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

// settle sets settled to the generation of the spec for which everything was done, or to 0 if a
// write failed.
func (s *state) settle(o owner) {
	// The object may have a newer generation, from the answer to the status write.
	s.settled = o.status().ObservedGeneration
	for i := range s.kinds {
		if len(s.kinds[i].retries) > 0 {
			s.settled = 0
		}
	}
}

// lastScope returns the scope under which an earlier process listed a kind; "" if the status has
// none.
func lastScope(o owner, k *kind) string {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Scope
	}
	return ""
}

// heldIn returns the held prune of a kind in the owner's status; nil if there is none.
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

// get returns the state of an owner. It makes a new state if it does not know the owner, or if the
// owner was created again under the same name.
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

// find returns the key and the state of an owner. name is the owner's name, or the short form of it
// that a label has. The state is nil if the owner is not known.
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

// awaiting returns the owners in a namespace that wait for the name of an object of this kind to be
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
