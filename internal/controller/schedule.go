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
	// confirmAfter is the wait after a listing that lacked an object. The next listing comes early,
	// and confirms that the object is missing.
	confirmAfter = 10 * time.Second
	// confirmations is the largest number of early listings in a row. There is a limit because each
	// listing may lack other objects than the one before. If prune.afterMisses is larger,
	// prune.afterMisses is the limit.
	confirmations = 3
	// firstRetry is the wait after the first failed sync. The wait doubles with each further
	// failure, up to the interval or mostRetry, whichever is shorter.
	firstRetry = 10 * time.Second
	// mostRetry is the longest wait after a failed sync, even if the interval is longer.
	mostRetry = 5 * time.Minute
	// repairEvery and repairsAtOnce limit how often the operator undoes changes by others. A few
	// changes, such as those of a person, are undone at once. If a controller changes an object
	// again and again, the operator and this controller do not write at full speed.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long after a complete listing objects may be deleted. This is enough time for
	// the writes, and for another try after a conflict.
	freshFor = time.Minute
	// leastMaxWait is the longest wait that the cloud may ask for. If the interval is longer, the
	// interval is the limit.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal is the longest wait after a refused credential. If the interval is longer,
	// the interval is the limit. If someone grants a role in the cloud, the operator notices that
	// within this time.
	leastMaxRefusal = 30 * time.Minute
	// patience is how long a due sync may wait for its credential's request budget before the owner
	// reports the wait. If the owner's timeout is shorter, the timeout is the limit.
	patience = time.Minute
)

// schedule decides when to ask the cloud. The zero schedule asks at once.
type schedule struct {
	// answered is the request that the last sync answered.
	answered request
	// ended is when the listings of the last sync ended. All waits begin at this time, not after
	// the writes. Otherwise slow writes could delay the next sync until objects turn stale.
	ended time.Time
	// next is when the next sync is due.
	next time.Time
	// look is when to check again whether a refused credential was replaced.
	look time.Time
	// lastSync is when the last complete sync ended: one that listed every kind completely.
	lastSync time.Time
	// failures is how many syncs in a row failed.
	failures int
	// confirming is how many syncs in a row came early to confirm that objects are missing.
	confirming int
	// refused is the wait before the next sync if the cloud refused the credential; otherwise 0.
	refused time.Duration
	// waiting is the time since which a due sync waits for its credential's request budget; zero if
	// no sync waits.
	waiting time.Time
}

// request has the values that start a sync early if one of them changes.
type request struct {
	// generation is the generation of the spec; 0 before the first sync since the start.
	generation int64
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// secret is the resourceVersion of the Secret; "" if there is none.
	secret string
}

// resume takes over the back-off of an earlier process from the owner's status. So a manager that
// restarts again and again does not use a refused credential each time. The back-off then ends by
// the same changes as without a restart.
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
	// Someone may have edited the status. That must not put off the sync longer than a real
	// back-off.
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
		// A new listing must decide about the prune.
		return true
	case now.Before(s.ended): // The clock was set back, so next may be much too late.
		return true
	}
	return !now.Before(s.next)
}

// answer records a sync. whole reports whether the sync listed every kind completely.
func (s *schedule) answer(t terms, a answers, whole bool) {
	requested := t.requestedAt
	if requested == "" {
		requested = s.answered.requestedAt
	}
	if a.early { // Someone changed something, so the back-off begins again.
		s.refused = 0
	}
	s.answered = request{t.generation, requested, t.approvePrune, a.secret}
	s.ended, s.waiting = a.ended, time.Time{}
	s.failures++
	if whole {
		s.failures, s.lastSync = 0, a.ended
	}
}

// attempt says how the listing of one kind went.
type attempt struct {
	// failure is nil if the kind was listed completely.
	failure *failure
	// unconfirmed is Unconfirmed of mirror.Report.
	unconfirmed bool
}

// plan sets when the next sync is due. last says how the last listing of each kind went. spread
// adds jitter to a wait.
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
	default: // Too many early syncs: the next one comes after the interval.
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

// refusal returns how long to wait if the cloud refused the credential for every kind; otherwise 0.
// The first wait is the interval. The wait doubles with each refusal, up to mostRefusal.
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

// refusals has the reasons that mean that the cloud refused the credential.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal returns the longest wait after a refusal, before jitter.
func mostRefusal(interval time.Duration) time.Duration {
	return max(interval, leastMaxRefusal)
}

// jittered makes a wait longer or shorter, by at most this percentage. So sources that were made at
// the same time do not always ask at the same time. random is in [0, 1).
func jittered(wait time.Duration, percent int, random float64) time.Duration {
	spread := float64(wait) * float64(percent) / 100
	return wait + time.Duration(spread*(2*random-1))
}

// backoff returns the wait after a number of failures in a row. The wait begins at the duration
// first and doubles with each further failure, up to longest.
func backoff(failures int, first, longest time.Duration) time.Duration {
	wait := first
	for i := 1; i < failures && wait < longest; i++ {
		wait *= 2
	}
	return min(wait, longest)
}
