// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// unfinishedSync has what the cloud answered in a sync whose reconcile failed before it could
// write. If no new sync is due, the next reconcile uses these answers.
type unfinishedSync struct {
	// terms has values of the spec and of the annotations at the time of the sync.
	terms       terms
	syncAnswers syncAnswers
	// scheduleBefore is the schedule before the sync.
	scheduleBefore schedule
}

// syncAnswersFor returns the stored answers of the cloud. If there are none, or if the spec changed
// after the sync, the result is empty.
func (u *unfinishedSync) syncAnswersFor(t terms) syncAnswers {
	if u == nil || u.terms.generation != t.generation {
		return syncAnswers{}
	}
	return u.syncAnswers
}

// finish records that the reconcile has made its writes. If there was a sync, finish sets when the
// next sync is due.
func (r *Reconciler) finish(o owner, s *state, asked syncAnswers) {
	t := termsOf(o)
	if asked.wasSynced() && s.unfinishedSync != nil {
		// The new plan shows which objects are missing. This can change when the next sync is due.
		// Restore the schedule that was valid before this sync, and calculate the time from it again.
		t, s.schedule = s.unfinishedSync.terms, s.unfinishedSync.scheduleBefore
	}
	r.reschedule(s, t, asked)
	s.unfinishedSync, s.failingSince = nil, time.Time{}
}

// reschedule records a sync in the schedule, and sets when the next sync is due. If there was no
// sync, reschedule does nothing.
func (r *Reconciler) reschedule(s *state, t terms, asked syncAnswers) {
	if !asked.wasSynced() {
		return
	}
	allComplete := !slices.ContainsFunc(asked.kindListings, func(l listing) bool { return l.outcome.failure != nil })
	s.schedule.recordSync(t, asked, allComplete)
	s.schedule.planNext(t, s.attempts(), r.spread)
}

// fail ends a reconcile that failed before it could write. It keeps the cloud's answers for the
// next reconcile, so that the operator need not ask the cloud again. If reconciles fail for long,
// fail sets Ready to False with the reason WriteFailed.
func (r *Reconciler) fail(ctx context.Context, o owner, s *state, asked syncAnswers, cause error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return endEarly(ctx, cause)
	}
	now := r.Clock.Now()
	// The names of changed objects are no longer stored, so the next reconcile must read all
	// objects.
	s.settledGeneration = 0
	if asked.wasSynced() && s.unfinishedSync == nil {
		s.unfinishedSync = &unfinishedSync{termsOf(o), asked, s.schedule}
		for i := range s.kinds { // Only a plan can say what a further listing must confirm.
			s.kinds[i].report.Unconfirmed = false
		}
		r.reschedule(s, termsOf(o), asked)
	}
	if s.failingSince.IsZero() || s.failingSince.After(now) {
		s.failingSince = now
	}
	// Report the failure after half of the time limit, because the next reconcile may come after
	// the limit.
	long := now.Sub(s.failingSince) >= min(o.settings().timeout, patience)/2
	// If the manager restarted after the cloud refused the credential, fail must not change Ready,
	// because Ready still says why the cloud refused the credential.
	afterRefusal := s.schedule.refusalWait > 0 && len(s.attempts()) == 0
	if !long || afterRefusal || o.settings().suspend {
		return reconcile.Result{}, cause
	}
	before := r.copyOf(o)
	r.conditionsOf(o).setReady(verdict{reason: v1alpha1.ReasonWriteFailed,
		message: "nothing can be written: " + mirror.Truncate(cause.Error(), maxWords)})
	s.schedule.setNext(o)
	if asked.putOff.For > 0 {
		o.status().NextSyncTime = &metav1.Time{Time: now.Add(asked.putOff.For)}
	}
	if err := r.writeStatus(ctx, o, before); err != nil {
		return endEarly(ctx, err)
	}
	r.tellReady(o.object(), o.status().Conditions, before.status().Conditions)
	return reconcile.Result{}, cause
}
