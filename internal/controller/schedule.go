// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

const (
	// confirmAfter is how soon a listing that lacked an object is followed by the
	// next, so that a deletion shows soon and not a whole interval later.
	confirmAfter = 10 * time.Second
	// confirmations is how many such listings follow each other at least, where
	// objects are absent in turn. afterMisses allows more where it asks for more.
	confirmations = 3
	// firstRetry is the wait after a first failed sync. It doubles with every
	// further one, up to the interval.
	firstRetry = 10 * time.Second
	// mostRetry bounds that wait where the interval is longer.
	mostRetry = 5 * time.Minute
	// repairEvery and repairsAtOnce bound undoing a stranger's changes: a person's
	// are undone at once, but a controller that insists is no reason to fight at
	// full speed.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long a complete listing may have observations deleted. It
	// leaves time to write, and to write again after a conflict.
	freshFor = time.Minute
	// leastMaxWait bounds the wait the cloud may ask for where the interval is
	// shorter.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal bounds the wait after a refused credential where the interval
	// is shorter. A role granted in the cloud shows after that time at the latest.
	leastMaxRefusal = 30 * time.Minute
	// patience is how long a sync that is due may wait for its credential's request
	// budget before the source says so, unless its timeout is shorter.
	patience = time.Minute
)

// schedule says when the cloud is asked. The zero schedule asks at once.
type schedule struct {
	// answered is what the last sync answered.
	answered request
	// ended is when the listings of the last sync ended. All waits count from then,
	// as staleness does: however long the writes take, a source that can sync
	// syncs before it turns stale.
	ended time.Time
	// next is when the next sync is due.
	next time.Time
	// look is when to look next whether a refused credential was changed.
	look time.Time
	// lastSync is when the last sync ended in which every kind was listed whole.
	lastSync time.Time
	// failures counts the syncs in a row that failed.
	failures int
	// confirming counts the syncs in a row that came early to confirm an absence.
	confirming int
	// refused is how long the next sync was put off because the cloud refuses the
	// credential, 0 while it does not.
	refused time.Duration
	// waiting is since when a sync that is due waits for its credential's request
	// budget; zero if none does.
	waiting time.Time
}

// request is what can ask for a sync before it is due.
type request struct {
	// generation is the spec's. It is 0 before the first sync since the start.
	generation int64
	// requestedAt and approvePrune are the values of these annotations.
	requestedAt, approvePrune string
	// secret is the resourceVersion of the Secret, "" if there is none.
	secret string
}

// resume takes over the back-off of an earlier process from a source's status, so
// that a manager that restarts again and again does not ask each time with a
// credential that is refused. What ends a back-off otherwise ends it here too.
func (s *schedule) resume(source *v1alpha1.InventorySource, now time.Time) {
	b, next := source.Status.CredentialBackoff, source.Status.NextSyncTime
	if b == nil || next == nil || !meta.IsStatusConditionFalse(source.Status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	s.answered = request{
		generation:   source.Status.ObservedGeneration,
		requestedAt:  source.Status.LastHandledReconcileAt,
		approvePrune: source.Annotations[v1alpha1.AnnotationApprovePrune],
		secret:       b.SecretVersion,
	}
	s.refused = min(max(b.Delay.Duration, 0), mostRefusal(source))
	// Whatever someone made of the status, it puts off no longer than it may.
	s.ended, s.next = now, next.Time
	if latest := now.Add(2 * mostRefusal(source)); s.next.After(latest) {
		s.next = latest
	}
}

// due reports whether the cloud is to be asked now.
func (s *schedule) due(source *v1alpha1.InventorySource, now time.Time) bool {
	requested, approved := source.Annotations[v1alpha1.AnnotationRequestedAt], source.Annotations[v1alpha1.AnnotationApprovePrune]
	switch {
	case source.Spec.Suspend:
		return false
	case s.answered.generation != source.Generation:
		return true
	case requested != "" && requested != s.answered.requestedAt:
		return true
	case approved != s.answered.approvePrune && approvesHeld(source):
		// It is not carried out on the word of an old listing: a new one decides.
		return true
	case now.Before(s.ended): // The clock was set back: nobody knows how far off next is.
		return true
	}
	return !now.Before(s.next)
}

// approvesHeld reports whether a person approved a prune that is held.
func approvesHeld(source *v1alpha1.InventorySource) bool {
	for i := range kinds {
		if held := heldIn(source, i); held != nil && mirror.Approved(source, held.Digest) {
			return true
		}
	}
	return false
}

// answer takes in that a sync was tried: with which version of the Secret, before it
// was due or not, when its listings ended, and whether every kind was listed whole.
func (s *schedule) answer(source *v1alpha1.InventorySource, secret string, early bool, ended time.Time, whole bool) {
	requested := source.Annotations[v1alpha1.AnnotationRequestedAt]
	if requested == "" {
		requested = s.answered.requestedAt
	}
	if early { // Someone changed something: a back-off starts over.
		s.refused = 0
	}
	s.answered = request{source.Generation, requested, source.Annotations[v1alpha1.AnnotationApprovePrune], secret}
	s.ended, s.waiting = ended, time.Time{}
	s.failures++
	if whole {
		s.failures, s.lastSync = 0, ended
	}
}

// plan says when the sync after the last one is due. spread adds jitter to a wait.
func (s *schedule) plan(source *v1alpha1.InventorySource, states []kindState, spread func(time.Duration) time.Duration) {
	interval := source.GetInterval()
	s.refused = s.refusal(source, states)
	wait := spread(max(interval, s.refused))
	unconfirmed := false
	for i := range states {
		unconfirmed = unconfirmed || states[i].report.Unconfirmed
	}
	switch {
	case !unconfirmed:
		s.confirming = 0
	case s.confirming < max(confirmations, source.Spec.Prune.GetAfterMisses()):
		s.confirming++
		wait = min(wait, confirmAfter)
	default: // Objects are absent in turn: each interval tries again.
		s.confirming = 0
	}
	for i := range states {
		f := states[i].outcome.failure
		if f == nil {
			continue
		}
		if !needsPerson(f.reason) {
			wait = min(wait, spread(backoff(s.failures, firstRetry, min(interval, mostRetry))))
		}
		wait = max(wait, min(f.retryAfter, max(interval, leastMaxWait)))
	}
	s.next, s.look = s.ended.Add(wait), s.ended.Add(interval)
}

// refusal returns how long to wait because the cloud refused the credential for
// every kind there is to list, or 0. It is an interval at first and doubles from
// refusal to refusal. Where one kind can still be listed, nothing is put off.
func (s *schedule) refusal(source *v1alpha1.InventorySource, states []kindState) time.Duration {
	refused := false
	for i := range states {
		if !kinds[i].Mirrored(source) {
			continue
		}
		f := states[i].outcome.failure
		if f == nil || !refusals[f.reason] {
			return 0
		}
		refused = true
	}
	if !refused {
		return 0
	}
	return min(max(source.GetInterval(), 2*s.refused), mostRefusal(source))
}

// refusals are the reasons of a credential that the cloud refuses.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal is the longest wait after a refusal, before jitter.
func mostRefusal(source *v1alpha1.InventorySource) time.Duration {
	return max(source.GetInterval(), leastMaxRefusal)
}

// jittered spreads a wait by up to percent of it both ways, so that sources made
// at once do not always ask at once.
func jittered(wait time.Duration, percent int, random float64) time.Duration {
	spread := float64(wait) * float64(percent) / 100
	return wait + time.Duration(spread*(2*random-1))
}

// backoff returns the wait after so many failures in a row.
func backoff(failures int, first, most time.Duration) time.Duration {
	wait := first
	for i := 1; i < failures && wait < most; i++ {
		wait *= 2
	}
	return min(wait, most)
}
