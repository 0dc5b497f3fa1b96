// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

const (
	// retryFirst is the wait after the first failed write of an object. The wait doubles with each
	// further failure, up to retryMost.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Minute
	// leastMostUnstored is the longest wait after a write that the API server stored with other
	// content. If spec.interval is longer, the longest wait is spec.interval.
	leastMostUnstored = time.Hour
	// After conflictsTold failed tries of a write, the status reports a transient error (see
	// isTransient). Earlier tries are not reported, because most of these errors end soon.
	conflictsTold = 3
	// maxWords is the largest length of a quoted error of the API server, in bytes.
	maxWords = 1024
)

// retry describes a failed write of one object, and when to try the write again. W is the type of
// the write. A nil retry means that the last write of the object did not fail.
type retry[W any] struct {
	// failedWrite is the write that failed; nil if a deletion failed.
	failedWrite *W
	attempts    int
	// failedAt is when the last attempt failed. nextTry is when to try again.
	failedAt, nextTry time.Time
	err               error
	// deferred is true if the write must wait for the next listing of the cloud objects. This
	// listing shows whether the write is still needed.
	deferred bool
}

// mustWait reports whether it is too early to try the write again. If the clock was set back after
// the failure, the result is false, because the wait could become very long.
func (r *retry[W]) mustWait(now time.Time) bool {
	return r != nil && !now.Before(r.failedAt) && now.Before(r.nextTry)
}

// nameTaken reports whether the write failed because an object with this name already exists.
func (r *retry[W]) nameTaken() bool { return r != nil && apierrors.IsAlreadyExists(r.err) }

// mustReport reports whether the status must report the failure. The first few transient errors of
// a write (see isTransient) are not reported.
func (r *retry[W]) mustReport() bool {
	return r != nil && (!isTransient(r.err) || r.attempts >= conflictsTold)
}

// repeatsFailedWrite reports whether w is the same write as the failed write. For a deletion, w is
// nil. isSameWrite compares two writes.
func (r *retry[W]) repeatsFailedWrite(w *W, isSameWrite func(failed, w W) bool) bool {
	switch {
	case r == nil:
		return false
	case r.failedWrite == nil || w == nil:
		return r.failedWrite == nil && w == nil
	}
	return isSameWrite(*r.failedWrite, *w)
}

// makeDue lets the failed write be tried again at once.
func (r *retry[W]) makeDue() {
	if r != nil {
		r.nextTry = time.Time{}
	}
}

// afterAttempt returns the new retry of an object after an attempt to write the object. The
// receiver r is the retry before the attempt. For a deletion, w is nil.
//
//   - If the attempt succeeded, the result is nil.
//   - If the manager stops or the namespace is being deleted (errStopped), and r is nil, the result
//     is nil.
//   - If the API server stored other content than the operator sent, the first wait is
//     spec.interval.
//   - In all other cases, the first wait is retryFirst.
//
// Each further failure doubles the wait.
func (r *retry[W]) afterAttempt(w *W, err error, now time.Time, interval time.Duration) *retry[W] {
	first, most := retryFirst, retryMost
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(notStored)):
		first, most = interval, max(leastMostUnstored, interval)
	case errors.Is(err, errStopped) && r == nil: // The next pass plans the write again.
		return nil
	}
	if r == nil {
		r = &retry[W]{}
	}
	r.attempts++
	r.failedWrite, r.err, r.deferred = w, err, false
	r.failedAt, r.nextTry = now, now.Add(backoff(r.attempts, first, most))
	return r
}

// retries has the failed writes of one kind. The key is the object's name. Each failed write has
// its own wait. So a write that always fails does not delay other writes.
type retries map[string]*retry[mirror.Write]

// mustWait reports whether it is too early to write an object again after a failure.
func (rs retries) mustWait(name string, now time.Time) bool { return rs[name].mustWait(now) }

// noteResult records the result of a write. For a deletion, w is nil.
func (rs retries) noteResult(name string, w *mirror.Write, err error, now time.Time, interval time.Duration) {
	if r := rs[name].afterAttempt(w, err, now, interval); r != nil {
		rs[name] = r
	} else {
		delete(rs, name)
	}
}

// failedWrites returns the failed writes, without the failed deletions. The key is the object's name.
func (rs retries) failedWrites() map[string]mirror.Write {
	writes := make(map[string]mirror.Write, len(rs))
	for name, r := range rs {
		if r.failedWrite != nil {
			writes[name] = *r.failedWrite
		}
	}
	return writes
}

// makeAllDue lets every failed write be tried again at once.
func (rs retries) makeAllDue() {
	for _, r := range rs {
		r.makeDue()
	}
}

// earliestTry returns the earliest time at which a failed write must be tried again. It returns the
// zero time if there is no failed write. Deferred writes do not count, because they wait for a
// listing.
func (rs retries) earliestTry() time.Time {
	var at time.Time
	for _, r := range rs {
		if !r.deferred && (at.IsZero() || r.nextTry.Before(at)) {
			at = r.nextTry
		}
	}
	return at
}

// forgetUnplanned removes each failed write that the new plan does not repeat. Two sorts of failed
// writes stay, and wait for the next listing of the cloud objects:
//
//   - deletions in changes.Deferred
//   - creations that failed because the name of the new object is already in use
func (rs retries) forgetUnplanned(k *mirror.Kind, changes *mirror.Changes, conflicts []mirror.Conflict) {
	if len(rs) == 0 {
		return
	}
	kept := make(map[string]bool, len(rs))
	for _, w := range changes.Writes {
		name := w.Desired.GetName()
		kept[name] = rs[name].repeatsFailedWrite(&w, k.SameWrite)
	}
	deletions := func(objects []mirror.Object, deferred bool) {
		for _, o := range objects {
			if r := rs[o.GetName()]; r != nil && r.failedWrite == nil {
				kept[o.GetName()], r.deferred = true, deferred
			}
		}
	}
	// Keep the retry of a creation that failed because the name is already in use.
	// Reconciler.occupants needs this retry to find the object that has the name.
	for _, c := range conflicts {
		if rs[c.Name].nameTaken() {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry[mirror.Write]) bool { return !kept[name] })
}

// failure says how many of the planned writes failed, which writes failed, and why the first of
// them failed. If there is nothing to report, failure returns nil.
func (rs retries) failure(kind string, planned int) *failure {
	var reported []string
	for name, r := range rs {
		if r.mustReport() {
			reported = append(reported, name)
		}
	}
	if len(reported) == 0 {
		return nil
	}
	slices.Sort(reported)
	message := fmt.Sprintf("%s: %d of %d writes failed, the first: %s", kind, len(reported), planned, mirror.Truncate(rs[reported[0]].err.Error(), maxWords))
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: withOthers(message, reported)}
}

// isTransient returns true if another client changed the object first, or if the cache was out of
// date. In both cases, a new attempt may succeed.
func isTransient(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
