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

// unfinishedSync has the cloud's answers from a sync. The reconcile that got these answers failed
// before it could write. If no new sync is due, the next reconcile uses the answers.
type unfinishedSync struct {
	syncAnswers syncAnswers
	// scheduleBefore is a copy of the schedule from before the sync.
	scheduleBefore schedule
}

// answers returns the stored answers of the cloud. If there are none, the result is empty.
func (u *unfinishedSync) answers() syncAnswers {
	if u == nil {
		return syncAnswers{}
	}
	return u.syncAnswers
}

// If the spec changed after the sync, dropOutdatedAnswers forgets the stored answers of the cloud,
// and restores the schedule from before the sync. So if a person asked for this sync with the
// annotation requestedAt, the status does not say that this sync was carried out.
func (s *state) dropOutdatedAnswers(now terms) {
	if u := s.unfinishedSync; u != nil && u.syncAnswers.terms.generation != now.generation {
		s.dropAnswers()
	}
}

// dropAnswers forgets the stored answers of the cloud, and restores the schedule from before the sync.
func (s *state) dropAnswers() {
	delayedSince := s.schedule.delayedSince
	s.schedule, s.unfinishedSync = s.unfinishedSync.scheduleBefore, nil
	s.schedule.delayedSince = delayedSince
}

// finish records that the reconcile has made its writes. If the reconcile used answers of the
// cloud, finish sets when the next sync is due.
func (r *Reconciler) finish(o owner, s *state, asked syncAnswers) {
	if s.unfinishedSync != nil {
		// An earlier reconcile got the cloud's answers, failed, and set the time of the next sync.
		// Drop the answers, because nothing needs them any more:
		//
		//   - If this reconcile used the answers, its plan may have found missing objects. Then the
		//     next sync must come earlier. The call of reschedule below sets the time again.
		//   - If the rate limit delays a newer sync, this reconcile did not use the answers, and no
		//     later reconcile uses them.
		s.dropAnswers()
	}
	r.reschedule(s, asked)
	// A person may take an approval back, and give the same approval later. Then a new sync must
	// begin.
	if now := termsOf(o); !now.approves {
		s.schedule.usedVersions.approvePrune = now.approvePrune
	}
	s.unfinishedSync, s.failingSince = nil, time.Time{}
}

// If there was a sync, reschedule records the sync in the schedule, and sets when the next sync is
// due.
func (r *Reconciler) reschedule(s *state, asked syncAnswers) {
	if !asked.wasSynced() {
		return
	}
	allComplete := !slices.ContainsFunc(asked.kindListings, func(l listing) bool { return l.outcome.failure != nil })
	s.schedule.recordSync(asked, allComplete)
	s.schedule.planNext(asked.terms, s.attempts(), r.spread)
}

// fail ends a reconcile that failed before it could write. It keeps the cloud's answers for the
// next reconcile, so that the operator need not ask the cloud again. If reconciles go on failing,
// fail sets Ready to False with the reason WriteFailed.
func (r *Reconciler) fail(ctx context.Context, o owner, s *state, asked syncAnswers, cause error) (reconcile.Result, error) {
	if ctx.Err() != nil {
		return endEarly(ctx, cause)
	}
	now := r.Clock.Now()
	// This reconcile may have emptied the inbox with the names of changed objects. The names are
	// then lost. The value 0 makes the next reconcile read all objects.
	s.settledGeneration = 0
	if asked.wasSynced() && s.unfinishedSync == nil {
		s.unfinishedSync = &unfinishedSync{asked, s.schedule}
		for i := range s.kinds { // Only a plan can say what a further listing must confirm.
			s.kinds[i].report.Unconfirmed = false
		}
		r.reschedule(s, asked)
	}
	if s.failingSince.IsZero() || s.failingSince.After(now) {
		s.failingSince = now
	}
	// The status must show a failure that lasts for spec.timeout or patience, whichever is shorter.
	// Report the failure after half of this time, because the next reconcile may come too late.
	long := now.Sub(s.failingSince) >= min(o.settings().timeout, patience)/2
	// After a restart of the manager, Ready may still say why the cloud refused the credential. Do
	// not replace this message before the first sync.
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
