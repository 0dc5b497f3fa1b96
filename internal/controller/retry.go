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
	// leastMostUnstored is the longest wait before a new attempt if the API server accepted a write
	// but stored the object differently. A longer spec.interval replaces this limit.
	leastMostUnstored = time.Hour
	// conflictsTold is how many times a write must fail before the status reports a conflict. Most
	// conflicts end earlier, without a person's help.
	conflictsTold = 3
	// maxWords is the largest number of bytes that a message quotes from an API server error.
	maxWords = 1024
)

// retry describes a failed write of one object, and when to try the write again. W is the type of
// the write. A nil retry means that the last write of the object did not fail.
type retry[W any] struct {
	// The field write is the write that failed. If a deletion failed, the field write is nil.
	write    *W
	attempts int
	// The field failed is when the last attempt failed. The field next is when to try again.
	failed, next time.Time
	err          error
	// deferred reports whether the write must wait for the next listing. That listing decides
	// whether the write is still needed.
	deferred bool
}

// waiting reports whether it is too early to try the write again. If the clock was set back after
// the failure, the wait could become very long, so waiting returns false.
func (r *retry[W]) waiting(now time.Time) bool {
	return r != nil && !now.Before(r.failed) && now.Before(r.next)
}

// taken reports whether the write failed because an object with this name already exists.
func (r *retry[W]) taken() bool { return r != nil && apierrors.IsAlreadyExists(r.err) }

// lasts reports whether the status must report the failure. The first few conflicts of a write are
// not reported.
func (r *retry[W]) lasts() bool {
	return r != nil && (!passing(r.err) || r.attempts >= conflictsTold)
}

// repeats reports whether w is the same write as the failed write. The parameter w is nil for a
// deletion. The function same compares two writes.
func (r *retry[W]) repeats(w *W, same func(failed, w W) bool) bool {
	switch {
	case r == nil:
		return false
	case r.write == nil || w == nil:
		return r.write == nil && w == nil
	}
	return same(*r.write, *w)
}

// hurry lets the failed write be tried again at once.
func (r *retry[W]) hurry() {
	if r != nil {
		r.next = time.Time{}
	}
}

// after returns the retry of an object after an attempt to write the object. The receiver r is the
// retry from before the attempt. The parameter w is nil if the attempt was a deletion.
//
//   - If the attempt succeeded, the result is nil.
//   - If the operator did not make the write (errStopped), and r is nil, the result is nil.
//   - In all other cases, the result says when to try again. The wait doubles with each failure. If
//     the API server stored the object differently, the first wait is the parameter interval.
func (r *retry[W]) after(w *W, err error, now time.Time, interval time.Duration) *retry[W] {
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
	r.write, r.err, r.deferred = w, err, false
	r.failed, r.next = now, now.Add(backoff(r.attempts, first, most))
	return r
}

// retries has the failed writes of one kind. The key is the object's name. Each failed write has
// its own wait. So a write that always fails does not delay other writes.
type retries map[string]*retry[mirror.Write]

// waiting reports whether it is too early to write an object again after a failure.
func (rs retries) waiting(name string, now time.Time) bool { return rs[name].waiting(now) }

// note records the result of a write. The parameter name is the object's name. The parameter w is
// nil for a deletion.
func (rs retries) note(name string, w *mirror.Write, err error, now time.Time, interval time.Duration) {
	if r := rs[name].after(w, err, now, interval); r != nil {
		rs[name] = r
	} else {
		delete(rs, name)
	}
}

// hurry lets every failed write be tried again at once.
func (rs retries) hurry() {
	for _, r := range rs {
		r.hurry()
	}
}

// earliest returns the time when the first of the failed writes must be tried again; zero if there
// is no such write. Deferred writes do not count, because they wait for a listing.
func (rs retries) earliest() time.Time {
	var at time.Time
	for _, r := range rs {
		if !r.deferred && (at.IsZero() || r.next.Before(at)) {
			at = r.next
		}
	}
	return at
}

// forgetUnplanned removes a failed write if the new plan does not have the same write. Two sorts of
// failed writes stay and become deferred:
//
//   - a deletion that the plan defers to the next listing
//   - a creation that failed because another object has the name
func (rs retries) forgetUnplanned(k *mirror.Kind, changes *mirror.Changes, conflicts []mirror.Conflict) {
	if len(rs) == 0 {
		return
	}
	kept := make(map[string]bool, len(rs))
	for _, w := range changes.Writes {
		name := w.Desired.GetName()
		kept[name] = rs[name].repeats(&w, k.SameWrite)
	}
	deletions := func(objects []mirror.Object, deferred bool) {
		for _, o := range objects {
			if r := rs[o.GetName()]; r != nil && r.write == nil {
				kept[o.GetName()], r.deferred = true, deferred
			}
		}
	}
	// If a write failed because the name is in use, its retry stays. The function occupants needs
	// the retry to find the object that has the name.
	for _, c := range conflicts {
		if rs[c.Name].taken() {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry[mirror.Write]) bool { return !kept[name] })
}

// failure returns a summary of the failed writes: how many of the planned writes failed, why the
// first one failed, and which others failed. If there is nothing to report, it returns nil.
func (rs retries) failure(kind string, planned int) *failure {
	var told []string
	for name, r := range rs {
		if r.lasts() {
			told = append(told, name)
		}
	}
	if len(told) == 0 {
		return nil
	}
	slices.Sort(told)
	message := fmt.Sprintf("%s: %d of %d writes failed, the first: %s", kind, len(told), planned, mirror.Truncate(rs[told[0]].err.Error(), maxWords))
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: withOthers(message, told)}
}

// passing reports whether a new attempt may succeed. This is so if another client changed the
// object first, or if the cache is out of date.
func passing(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
