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
	// confirmAfter is the wait between a listing that lacked an object and the next listing, so
	// that a deletion shows soon and not an interval later.
	confirmAfter = 10 * time.Second
	// confirmations is how many such listings follow each other at most, even if different objects
	// are absent in turn. A larger afterMisses allows more.
	confirmations = 3
	// firstRetry is the wait after a first failed sync. It doubles with every further one, up to
	// the interval, see mostRetry.
	firstRetry = 10 * time.Second
	// mostRetry bounds that wait if the interval is longer.
	mostRetry = 5 * time.Minute
	// repairEvery and repairsAtOnce bound how often a stranger's changes are undone. A person's
	// changes are undone at once; a controller that insists should not cause a fight at full speed.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long after a complete listing observations may be deleted. It leaves time to
	// write, and to write again after a conflict.
	freshFor = time.Minute
	// leastMaxWait is the longest wait that the cloud may ask for if the interval is shorter.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal is the longest wait after a refused credential if the interval is shorter. A
	// role that is granted in the cloud shows after that time at the latest.
	leastMaxRefusal = 30 * time.Minute
	// patience is how long a due sync may wait for its credential's request budget before the owner
	// reports it, unless the owner's timeout is shorter.
	patience = time.Minute
)

// schedule decides when to ask the cloud. The zero schedule asks at once.
type schedule struct {
	// answered is the request that the last sync answered.
	answered request
	// ended is when the listings of the last sync ended. Every wait begins then, as staleness does,
	// so that slow writes do not make a working owner stale.
	ended time.Time
	// next is when the next sync is due.
	next time.Time
	// look is when to check again whether a refused credential was changed.
	look time.Time
	// lastSync is when the last sync that listed every kind whole ended.
	lastSync time.Time
	// failures counts the syncs in a row that failed.
	failures int
	// confirming counts the syncs in a row that came early to confirm that objects are absent.
	confirming int
	// refused is how long the next sync was put off because the cloud refuses the credential; 0 if
	// it does not.
	refused time.Duration
	// waiting is when a due sync began to wait for its credential's request budget; zero if none
	// waits.
	waiting time.Time
}

// request is everything that can ask for a sync before it is due.
type request struct {
	// generation is the spec's; 0 before the first sync since the start.
	generation int64
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// secret is the resourceVersion of the Secret, "" if there is none.
	secret string
}

// resume takes over the back-off of an earlier process from an owner's status. So a manager that
// restarts again and again does not ask each time with a refused credential. A request that would
// end the back-off in one process also ends it here.
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
	// Even a forged status puts the sync off no longer than a real one could.
	s.ended, s.next = now, next.Time
	if latest := now.Add(2 * mostRefusal(interval)); s.next.After(latest) {
		s.next = latest
	}
}

// terms are what an owner's spec and annotations say about when to ask the cloud.
type terms struct {
	generation  int64
	suspend     bool
	interval    time.Duration
	afterMisses int
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// approves reports whether approvePrune approves a prune that is held.
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
		// An old listing must not decide about the prune: a new one does.
		return true
	case now.Before(s.ended): // The clock was set back, so next may be far too late.
		return true
	}
	return !now.Before(s.next)
}

// answer records that a sync was made, and whether it listed everything whole.
func (s *schedule) answer(t terms, a answers, whole bool) {
	requested := t.requestedAt
	if requested == "" {
		requested = s.answered.requestedAt
	}
	if a.early { // Someone changed something, so a back-off starts over.
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
	// failure is nil if the kind was listed whole.
	failure *failure
	// unconfirmed is as in mirror.Report.
	unconfirmed bool
}

// plan sets when the next sync is due. spread adds jitter to a wait.
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
	default: // Different objects are absent in turn: each interval tries again.
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

// refusal returns how long to wait because the cloud refused the credential for every kind;
// otherwise 0. The wait begins at an interval and doubles with every refusal. If one kind can still
// be listed, nothing is put off.
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

// refusals are the reasons that mean a refused credential.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal is the longest wait after a refusal, before jitter.
func mostRefusal(interval time.Duration) time.Duration {
	return max(interval, leastMaxRefusal)
}

// jittered makes a wait longer or shorter by up to percent of it, so that sources made at once do
// not always ask at once.
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
