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

// state is what the manager remembers about one source or discovery. After a restart of the
// manager, a new state begins with only a few values from the status, such as the wait after a
// refused credential.
//
// Only one worker at a time reconciles a source or discovery, so the fields need no lock. The
// inboxes have their own lock, because event filters use them too.
type state struct {
	uid      types.UID
	schedule schedule
	kinds    []kindState // in the order of ownerKind.kinds
	// settled is the metadata.generation for which the last reconcile left nothing to do; 0 if
	// something is left to do.
	settled int64
	// unfinished has the cloud's answers if the last reconcile failed before it could write;
	// otherwise nil. failing is since when reconciles fail so; otherwise zero.
	unfinished *unfinished
	failing    time.Time
	// repairs limits how often the operator undoes changes that others made to the objects.
	repairs *rate.Limiter
	// left says what to do about ConfigMaps that still exist although the spec no longer asks for
	// them; nil if there is nothing to report.
	left *verdict
}

// kindState is the part of state about one kind of object, such as Kafka clusters.
type kindState struct {
	// inbox collects the names of objects that someone else may have changed.
	inbox *inbox
	// shown is a checksum of the object versions that this manager last read or wrote. If the
	// versions that the watch shows have the same checksum, no object has changed since.
	shown checksum
	// ledger has the results of the listings since the manager's start; nil if there was no
	// listing.
	ledger *mirror.Ledger
	// index has the items of the last listing. asked says which spec, endpoint, credential and
	// filter that listing used. The next listing may use index only if all of these are unchanged.
	index *cloudapi.Index
	asked question
	// outcome says how the last sync of the kind went.
	outcome outcome
	// report is what the last plan for all objects reported. preview says what that plan would have
	// done. preview is nil if spec.preview is false, and until the first complete listing since the
	// manager's start.
	report  mirror.Report
	preview *v1alpha1.DiscoveryPreview
	// retries has the failed writes. planned is how many writes and deletions the last plan had.
	retries retries
	planned int
	// formerly is when an earlier process last listed the kind completely. The manager reads this
	// time from the status once, so later edits of the status have no effect.
	formerly time.Time
}

// completed returns when the kind's last complete listing ended, in this process or an earlier one.
// It never returns a time after now.
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

// unwritten returns why objects could not be written; nil if there is nothing to report.
func (k *kindState) unwritten(kind string) *failure { return k.retries.failure(kind, k.planned) }

// undeleted returns why objects still exist although the spec ignores their kind; nil if there is
// nothing to report.
func (k *kindState) undeleted(kind string) *verdict {
	return cmp.Or(k.unwritten(kind).verdict(), k.kept(kind))
}

// kept returns a verdict that names the objects whose deletion waits for finalizers; nil if there
// are none.
func (k *kindState) kept(kind string) *verdict {
	if len(k.report.Kept) == 0 {
		return nil
	}
	return &verdict{reason: v1alpha1.ReasonWriteFailed, message: fmt.Sprintf("%s: being deleted, and kept by finalizers: %s", kind, mirror.Names(k.report.Kept))}
}

// finished reports whether the last reconcile left nothing to do and nothing to wait for in this
// kind. finished also checks Summary.Missing, because only this number counts an object that
// someone created after the last listing.
func (k *kindState) finished() bool {
	view := k.inbox.viewed()
	return k.outcome.failure == nil && k.ledger.Settled() && len(k.retries) == 0 &&
		k.report.Summary != nil && k.report.Summary.Missing == 0 && k.report.Held == nil &&
		len(k.report.Leaving) == 0 && !k.report.Waiting && !view.Contested() && !view.Stale()
}

// forget drops the results of a kind's listings, because the spec no longer asks for the kind.
// Failed deletions stay.
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

// settle sets s.settled to the generation of the spec for which nothing is left to do, or to 0 if a
// write failed.
func (s *state) settle(o owner) {
	// The status write may have brought a newer metadata.generation into o, of a spec that was not
	// synced yet.
	s.settled = o.status().ObservedGeneration
	for i := range s.kinds {
		if len(s.kinds[i].retries) > 0 {
			s.settled = 0
		}
	}
}

// lastScope returns a hash of the endpoint, credential and filter with which an earlier process
// last listed the kind. The hash comes from the status; "" if the status has none.
func lastScope(o owner, k *kind) string {
	if summary := *k.Summary(o.object()); summary != nil {
		return summary.Scope
	}
	return ""
}

// heldIn reads from the status which deletions of a kind wait for a person's approval; nil if there
// are none.
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

// get returns the state of o. It makes a new state if o is new, or was deleted and created again
// with the same name.
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

// find returns the full name and the state of a source or discovery. name is the full name, or the
// short form in a label. The state is nil if the manager does not know the source or discovery.
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

// awaiting returns the sources or discoveries that need this name for one of their objects, while
// another object has the name.
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
