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
	// confirmAfter is the wait between a listing that lacked an object and the next listing. So a
	// deletion shows soon, and not only after an interval.
	confirmAfter = 10 * time.Second
	// confirmations is how many such listings may follow each other, even if each lacks other
	// objects. A larger afterMisses allows more.
	confirmations = 3
	// firstRetry is the wait after a first failed sync. It doubles with each further failure, up to
	// the interval, see mostRetry.
	firstRetry = 10 * time.Second
	// mostRetry is the longest wait after a failed sync, even if the interval is longer.
	mostRetry = 5 * time.Minute
	// repairEvery and repairsAtOnce bound how often changes by others are undone. A person's
	// changes are undone at once. If a controller changes an object again and again, the two do not
	// write at full speed.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long after a complete listing objects may be deleted. That is time enough to
	// write, and to write again after a conflict.
	freshFor = time.Minute
	// leastMaxWait bounds the wait that the cloud may ask for. If interval is longer, it is the
	// bound.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal bounds the wait after a refused credential. If interval is longer, it is the
	// bound. A role that is granted in the cloud takes effect within that time.
	leastMaxRefusal = 30 * time.Minute
	// patience is how long a due sync may wait for its credential's request budget before the owner
	// reports it. If the owner's timeout is shorter, that counts.
	patience = time.Minute
)

// schedule decides when to ask the cloud. The zero schedule asks at once.
type schedule struct {
	// answered is what the last sync answered.
	answered request
	// ended is when the listings of the last sync ended. Every wait begins then, and so does
	// staleness. So slow writes do not make a working owner stale.
	ended time.Time
	// next is when the next sync is due.
	next time.Time
	// look is when to check again whether a refused credential was replaced.
	look time.Time
	// lastSync is when the last sync ended that listed every kind completely.
	lastSync time.Time
	// failures is how many syncs in a row failed.
	failures int
	// confirming is how many syncs in a row came early to confirm that objects are missing.
	confirming int
	// refused is how long the next sync is put off because the cloud refuses the credential; 0 if
	// it does not.
	refused time.Duration
	// waiting is since when a due sync waits for its credential's request budget; zero if none
	// waits.
	waiting time.Time
}

// request is everything that can start a sync before it is due.
type request struct {
	// generation is the generation of the spec; 0 before the first sync since the start.
	generation int64
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// secret is the resourceVersion of the Secret; "" if there is none.
	secret string
}

// resume takes over the back-off of an earlier process from an owner's status. So a manager that
// restarts again and again does not ask each time with a refused credential. Whatever ends a
// back-off in one process ends it after a restart too.
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
	// A forged status must not put the sync off longer than a real one could.
	s.ended, s.next = now, next.Time
	if latest := now.Add(2 * mostRefusal(interval)); s.next.After(latest) {
		s.next = latest
	}
}

// terms are the parts of an owner's spec and annotations that decide when to ask the cloud.
type terms struct {
	generation  int64
	suspend     bool
	interval    time.Duration
	afterMisses int
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// approves reports whether approvePrune approves a held prune.
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

// due reports whether to ask the cloud now.
func (s *schedule) due(t terms, now time.Time) bool {
	switch {
	case t.suspend:
		return false
	case s.answered.generation != t.generation:
		return true
	case t.requestedAt != "" && t.requestedAt != s.answered.requestedAt:
		return true
	case t.approvePrune != s.answered.approvePrune && t.approves:
		// A new listing must decide about the prune, not an old one.
		return true
	case now.Before(s.ended): // The clock was set back, so next may be far too late.
		return true
	}
	return !now.Before(s.next)
}

// answer records a sync. whole reports whether it listed every kind completely.
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

// attempt is how the listing of one kind went.
type attempt struct {
	// failure is nil if the kind was listed completely.
	failure *failure
	// unconfirmed is as in mirror.Report.
	unconfirmed bool
}

// plan sets when the next sync is due, from how the last one went. spread adds jitter to a wait.
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
	default: // Each listing lacks other objects: the next try is after an interval.
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

// refusal returns how long to wait because the cloud refused the credential for every kind; 0 if it
// did not. The wait begins at an interval and doubles with each refusal. If one kind can be listed,
// there is no such wait.
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

// refusals are the reasons that mean that the cloud refused the credential.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal returns the longest wait after a refusal, before jitter.
func mostRefusal(interval time.Duration) time.Duration {
	return max(interval, leastMaxRefusal)
}

// jittered makes a wait longer or shorter by up to percent of it. So sources that were made
// together do not always ask together.
func jittered(wait time.Duration, percent int, random float64) time.Duration {
	spread := float64(wait) * float64(percent) / 100
	return wait + time.Duration(spread*(2*random-1))
}

// backoff returns the wait after this many failures in a row: first after one failure, then twice
// as long each time, up to most.
func backoff(failures int, first, longest time.Duration) time.Duration {
	wait := first
	for i := 1; i < failures && wait < longest; i++ {
		wait *= 2
	}
	return min(wait, longest)
}
