// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"slices"
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

// resume takes over the back-off of an earlier process from an owner's status, so
// that a manager that restarts again and again does not ask each time with a
// credential that is refused. What ends a back-off otherwise ends it here too.
func (s *schedule) resume(o owner, now time.Time) {
	status, interval := o.status(), o.settings().interval
	b, next := status.CredentialBackoff, status.NextSyncTime
	if b == nil || next == nil || !meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	s.answered = request{
		generation:   status.ObservedGeneration,
		requestedAt:  status.LastHandledReconcileAt,
		approvePrune: o.object().GetAnnotations()[v1alpha1.AnnotationApprovePrune],
		secret:       b.SecretVersion,
	}
	s.refused = min(max(b.Delay.Duration, 0), mostRefusal(interval))
	// Whatever someone made of the status, it puts off no longer than it may.
	s.ended, s.next = now, next.Time
	if latest := now.Add(2 * mostRefusal(interval)); s.next.After(latest) {
		s.next = latest
	}
}

// terms are what the spec and the annotations of an owner say about when to ask the cloud.
type terms struct {
	generation  int64
	suspend     bool
	interval    time.Duration
	afterMisses int
	// requestedAt and approvePrune are the values of these annotations.
	requestedAt, approvePrune string
	// approves reports whether the latter approves a prune that is held.
	approves bool
}

func termsOf(o owner) terms {
	object, settings := o.object(), o.settings()
	return terms{
		generation: object.GetGeneration(), suspend: settings.suspend, interval: settings.interval,
		afterMisses:  o.planned().Prune.GetAfterMisses(),
		requestedAt:  object.GetAnnotations()[v1alpha1.AnnotationRequestedAt],
		approvePrune: object.GetAnnotations()[v1alpha1.AnnotationApprovePrune],
		approves:     slices.ContainsFunc(o.held(), func(h *v1alpha1.HeldPrune) bool { return h != nil && mirror.Approved(object, h.Digest) }),
	}
}

// due reports whether the cloud is to be asked now.
func (s *schedule) due(t terms, now time.Time) bool {
	switch {
	case t.suspend:
		return false
	case s.answered.generation != t.generation:
		return true
	case t.requestedAt != "" && t.requestedAt != s.answered.requestedAt:
		return true
	case t.approvePrune != s.answered.approvePrune && t.approves:
		// It is not carried out on the word of an old listing: a new one decides.
		return true
	case now.Before(s.ended): // The clock was set back: nobody knows how far off next is.
		return true
	}
	return !now.Before(s.next)
}

// answer takes in that a sync was made, and whether all was listed whole.
func (s *schedule) answer(t terms, a answers, whole bool) {
	requested := t.requestedAt
	if requested == "" {
		requested = s.answered.requestedAt
	}
	if a.early { // Someone changed something: a back-off starts over.
		s.refused = 0
	}
	s.answered = request{t.generation, requested, t.approvePrune, a.secret}
	s.ended, s.waiting = a.ended, time.Time{}
	s.failures++
	if whole {
		s.failures, s.lastSync = 0, a.ended
	}
}

// attempt is how listing one kind went.
type attempt struct {
	// failure is nil if it was listed whole.
	failure *failure
	// unconfirmed is as in mirror.Report.
	unconfirmed bool
}

// plan says when the sync after the last one is due. spread adds jitter to a wait.
func (s *schedule) plan(t terms, last []attempt, spread func(time.Duration) time.Duration) {
	s.refused = s.refusal(t.interval, last)
	wait := spread(max(t.interval, s.refused))
	unconfirmed := slices.ContainsFunc(last, func(a attempt) bool { return a.unconfirmed })
	switch {
	case !unconfirmed:
		s.confirming = 0
	case s.confirming < max(confirmations, t.afterMisses):
		s.confirming++
		wait = min(wait, confirmAfter)
	default: // Objects are absent in turn: each interval tries again.
		s.confirming = 0
	}
	for _, a := range last {
		if a.failure == nil {
			continue
		}
		if !needsPerson(a.failure.reason) {
			wait = min(wait, spread(backoff(s.failures, firstRetry, min(t.interval, mostRetry))))
		}
		wait = max(wait, min(a.failure.retryAfter, max(t.interval, leastMaxWait)))
	}
	s.next, s.look = s.ended.Add(wait), s.ended.Add(t.interval)
}

// refusal returns how long to wait because the cloud refused the credential for
// all there is to list, or 0. It is an interval at first and doubles from
// refusal to refusal. Where one kind can still be listed, nothing is put off.
func (s *schedule) refusal(interval time.Duration, last []attempt) time.Duration {
	for _, a := range last {
		if a.failure == nil || !refusals[a.failure.reason] {
			return 0
		}
	}
	if len(last) == 0 {
		return 0
	}
	return min(max(interval, 2*s.refused), mostRefusal(interval))
}

// refusals are the reasons of a credential that the cloud refuses.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal is the longest wait after a refusal, before jitter.
func mostRefusal(interval time.Duration) time.Duration {
	return max(interval, leastMaxRefusal)
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
