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
	// confirmAfter is how soon the operator lists again after an object was missing in a listing.
	// The second listing confirms that the object is missing.
	confirmAfter = 10 * time.Second
	// maxConfirmations is how many syncs in a row may start early to confirm that objects are
	// missing. A larger spec.prune.afterMisses replaces this limit.
	maxConfirmations = 3
	// firstRetry is the wait after the first failed sync. Each further failure doubles the wait, up
	// to spec.interval or mostRetry, whichever is shorter.
	firstRetry = 10 * time.Second
	// mostRetry is the longest wait after a failed sync, even if spec.interval is longer.
	mostRetry = 5 * time.Minute
	// repairEvery and repairsAtOnce limit how often the operator undoes changes of other clients. The
	// operator does this repairsAtOnce times without a wait. After that, it does this at most once in
	// each period of repairEvery. Without this limit, the operator and another controller could
	// overwrite each other's changes without a pause.
	repairEvery   = time.Second
	repairsAtOnce = 20
	// freshFor is how long after a complete listing the operator may delete the objects that this
	// listing lacks. After this time, a deletion needs a new complete listing. If the listings of
	// other kinds end later, this time begins at the end of the sync (see slowKinds).
	freshFor = time.Minute
	// slowKinds is how long a finished listing may wait for the slower listings of other kinds. If
	// it waits longer, the deletion of objects that it lacks must wait for the next sync.
	slowKinds = 5 * time.Minute
	// An answer of the cloud can ask the operator to wait. The operator waits for at most
	// leastMaxWait, or for spec.interval if that is longer.
	leastMaxWait = 5 * time.Minute
	// leastMaxRefusal is the longest wait after the cloud refused the credential. A longer
	// spec.interval replaces this limit.
	leastMaxRefusal = 30 * time.Minute
	// patience is how long a limit on requests may delay a sync before the status reports the
	// delay. If spec.timeout is shorter, it applies instead of patience. The status can report a
	// delay by the cloud's own limit earlier: see overdueVerdict.
	patience = time.Minute
)

// schedule decides when the next sync of a source or discovery is due. With the zero value, a sync
// is due at once.
type schedule struct {
	// usedVersions says which versions of the spec, the annotations and the Secret the last sync
	// used.
	usedVersions syncVersions
	// waitStart is when the wait for the next sync began: at the end of the last sync, or at the
	// manager's start.
	waitStart time.Time
	// nextSync is when the next sync is due.
	nextSync time.Time
	// checkSecretAt is when to check again whether a person replaced the credential that the cloud
	// refused.
	checkSecretAt time.Time
	// lastSync is the end of the last sync that listed every kind completely.
	lastSync time.Time
	// failedSyncs is how many syncs in a row failed.
	failedSyncs int
	// earlySyncs is how many syncs in a row came early to confirm that objects are missing.
	earlySyncs int
	// confirmsLate is true if objects are missing, but the next sync starts at its usual time. It
	// does not start early, because enough syncs in a row were early (see maxConfirmations).
	confirmsLate bool
	// refusalWait is the wait after the cloud refused the credential; 0 if the cloud did not refuse
	// it.
	refusalWait time.Duration
	// delayedSince is when a limit on requests began to delay a sync; zero if no sync is delayed.
	delayedSince time.Time
}

// syncVersions has the values that the last sync used. A change of one of these values can start
// the next sync early.
type syncVersions struct {
	// generation is the metadata.generation that the last sync used; 0 if it is not known.
	generation int64
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// secretVersion is the resourceVersion of the Secret with the API key; "" if the last sync read
	// no Secret.
	secretVersion string
}

// resume reads from the status how long to wait after the cloud refused the credential. Without
// resume, the manager would send the refused credential again after each restart.
func (s *schedule) resume(o owner, now time.Time) {
	status, interval := o.status(), o.settings().interval
	b, next := status.CredentialBackoff, status.NextSyncTime
	if b == nil || next == nil || !meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	s.usedVersions = syncVersions{
		generation:    status.ObservedGeneration,
		requestedAt:   status.LastHandledReconcileAt,
		approvePrune:  o.object().GetAnnotations()[v1alpha1.AnnotationApprovePrune],
		secretVersion: b.SecretVersion,
	}
	s.refusalWait = min(max(b.Delay.Duration, 0), mostRefusal(interval))
	// Limit the wait, because a person may have written a wrong time into status.nextSyncTime.
	s.waitStart, s.nextSync = now, next.Time
	if latest := now.Add(2 * mostRefusal(interval)); s.nextSync.After(latest) {
		s.nextSync = latest
	}
}

// terms are the parts of the spec and of the annotations that decide when a sync is due.
type terms struct {
	generation  int64
	suspend     bool
	interval    time.Duration
	afterMisses int
	// requestedAt and approvePrune are the values of the annotations with these names.
	requestedAt, approvePrune string
	// approves is true if the annotation approvePrune approves deletions that wait for a person's
	// approval.
	approves bool
}

func termsOf(o owner) terms {
	object, settings := o.object(), o.settings()
	return terms{
		generation: object.GetGeneration(), suspend: settings.suspend, interval: settings.interval,
		afterMisses:  o.mirrorOwner().Prune.GetAfterMisses(),
		requestedAt:  object.GetAnnotations()[v1alpha1.AnnotationRequestedAt],
		approvePrune: object.GetAnnotations()[v1alpha1.AnnotationApprovePrune],
		approves:     slices.ContainsFunc(o.heldPrunes(), func(h *v1alpha1.HeldPrune) bool { return h != nil && mirror.Approved(object, h.Digest) }),
	}
}

// isDue reports whether a sync must start now.
func (s *schedule) isDue(t terms, now time.Time) bool {
	switch {
	case t.suspend:
		return false
	case s.usedVersions.generation != t.generation:
		return true
	case t.requestedAt != "" && t.requestedAt != s.usedVersions.requestedAt:
		return true
	case t.approvePrune != s.usedVersions.approvePrune && t.approves:
		// A person approved the deletion of missing objects. A new listing must first confirm that
		// the objects are still missing.
		return true
	case now.Before(s.waitStart): // The clock was set back, so s.nextSync may be much too late.
		return true
	}
	return !now.Before(s.nextSync)
}

// recordSync records a finished sync. allComplete is true if every kind was listed completely.
func (s *schedule) recordSync(a syncAnswers, allComplete bool) {
	requested := a.terms.requestedAt
	if requested == "" {
		requested = s.usedVersions.requestedAt
	}
	// A sync that began early may use a new credential. If the cloud refuses this credential too,
	// the wait starts at spec.interval again.
	if a.beganEarly {
		s.refusalWait = 0
	}
	s.usedVersions = syncVersions{a.terms.generation, requested, a.terms.approvePrune, a.secretVersion}
	s.waitStart, s.delayedSince = a.endTime, time.Time{}
	s.failedSyncs++
	if allComplete {
		s.failedSyncs, s.lastSync = 0, a.endTime
	}
}

// attempt says how the listing of one kind went.
type attempt struct {
	// failure is nil if the kind was listed completely.
	failure *failure
	// unconfirmed is true if an object was missing, and an early listing should confirm that it is
	// missing.
	unconfirmed bool
	// unasked is true if the cloud was not asked. Such an attempt says nothing about the credential.
	unasked bool
}

// planNext sets when the next sync is due, after a sync that ended. lastAttempts has one entry for
// each kind that the ended sync listed or failed to list. addJitter makes a wait longer or shorter at
// random.
func (s *schedule) planNext(t terms, lastAttempts []attempt, addJitter func(time.Duration) time.Duration) {
	s.refusalWait = s.nextRefusalWait(t.interval, lastAttempts)
	wait := addJitter(max(t.interval, s.refusalWait))
	unconfirmed := slices.ContainsFunc(lastAttempts, func(a attempt) bool { return a.unconfirmed })
	s.confirmsLate = false
	switch {
	case !unconfirmed:
		s.earlySyncs = 0
	case s.earlySyncs < max(maxConfirmations, t.afterMisses):
		s.earlySyncs++
		wait = min(wait, confirmAfter)
	default: // There were enough early syncs, so the next sync comes after the interval.
		s.earlySyncs, s.confirmsLate = 0, true
	}
	for _, a := range lastAttempts {
		if a.failure == nil || a.unasked && s.refusalWait > 0 {
			continue
		}
		if !needsPerson(a.failure.reason) {
			wait = min(wait, addJitter(backoff(s.failedSyncs, firstRetry, min(t.interval, mostRetry))))
		}
		wait = max(wait, min(a.failure.retryAfter, max(t.interval, leastMaxWait)))
	}
	s.nextSync, s.checkSecretAt = s.waitStart.Add(wait), s.waitStart.Add(t.interval)
}

// nextRefusalWait returns the wait after a sync in which the cloud refused the credential for every
// kind. Kinds for which the cloud was not asked do not count. After any other sync, nextRefusalWait
// returns 0. The first wait is spec.interval. Each further refusal doubles the wait, up to
// mostRefusal.
func (s *schedule) nextRefusalWait(interval time.Duration, lastAttempts []attempt) time.Duration {
	lastAttempts = slices.DeleteFunc(slices.Clone(lastAttempts), func(a attempt) bool { return a.unasked })
	for _, a := range lastAttempts {
		if a.failure == nil || !refusals[a.failure.reason] {
			return 0
		}
	}
	if len(lastAttempts) == 0 {
		return 0
	}
	return min(max(interval, 2*s.refusalWait), mostRefusal(interval))
}

// refusals has the failure reasons that mean that the cloud refused the credential.
var refusals = map[string]bool{
	v1alpha1.ReasonUnauthenticated: true, v1alpha1.ReasonForbidden: true, v1alpha1.ReasonTokenExchangeRefused: true,
}

// mostRefusal returns the longest wait after the cloud refused the credential.
func mostRefusal(interval time.Duration) time.Duration {
	return max(interval, leastMaxRefusal)
}

// withJitter makes a wait longer or shorter at random, by at most the given percentage of the wait.
// So sources that were created together do not always send requests together. randomNumber is at
// least 0 and less than 1.
func withJitter(wait time.Duration, percent int, randomNumber float64) time.Duration {
	spread := float64(wait) * float64(percent) / 100
	return wait + time.Duration(spread*(2*randomNumber-1))
}

// backoff returns the wait after this number of failures in a row. The wait after one failure is
// firstWait. Each further failure doubles the wait, up to longestWait.
func backoff(failures int, firstWait, longestWait time.Duration) time.Duration {
	wait := firstWait
	for i := 1; i < failures && wait < longestWait; i++ {
		wait *= 2
	}
	return min(wait, longestWait)
}
