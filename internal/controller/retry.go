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
	// retryFirst is the wait after the first failed write of an object. Most of these failures are
	// conflicts. The wait doubles with each further failure, up to retryMost.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Minute
	// leastMostUnstored is the longest wait after a write that the API server stored differently.
	// The first wait is the owner's interval; it doubles with each further failure. If the interval
	// is longer than leastMostUnstored, every wait is the interval.
	leastMostUnstored = time.Hour
	// conflictsTold is the number of failures in a row after which a conflict is reported. A
	// conflict only means that someone else was faster. Mostly the next attempt succeeds.
	conflictsTold = 3
	// maxWords is the largest length of a quoted text in a message, in bytes. The text comes from
	// the API server or from a policy.
	maxWords = 1024
)

// retry is the failed write of an object. W is the type that describes a write. A nil retry means
// that the last write of the object did not fail.
type retry[W any] struct {
	// write is the write that failed; nil for a deletion.
	write    *W
	attempts int
	// failed is when the write failed. The write is due again at next.
	failed, next time.Time
	err          error
	// deferred reports whether the write must wait for the next listing, which decides about it.
	deferred bool
}

// waiting reports whether the object must not be written yet. If the clock was set back since the
// failure, next may be much too late, and waiting returns false.
func (r *retry[W]) waiting(now time.Time) bool {
	return r != nil && !now.Before(r.failed) && now.Before(r.next)
}

// taken reports whether the write failed because an object with this name exists already.
func (r *retry[W]) taken() bool { return r != nil && apierrors.IsAlreadyExists(r.err) }

// lasts reports whether the failure must be reported. It is false for the first conflicts.
func (r *retry[W]) lasts() bool {
	return r != nil && (!passing(r.err) || r.attempts >= conflictsTold)
}

// repeats reports whether w is the write that failed. w is nil for a deletion. same compares two
// writes.
func (r *retry[W]) repeats(w *W, same func(failed, w W) bool) bool {
	switch {
	case r == nil:
		return false
	case r.write == nil || w == nil:
		return r.write == nil && w == nil
	}
	return same(*r.write, *w)
}

// hurry makes the failed write due at once.
func (r *retry[W]) hurry() {
	if r != nil {
		r.next = time.Time{}
	}
}

// after returns the retry for an object after the write w; w is nil for a deletion. It returns nil
// if the write succeeded. It also returns nil if the write did not begin and the write before it
// did not fail. Otherwise the write is due again after a wait that doubles with every further
// failure. interval is the first wait if the API server stored the object differently.
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

// retries has the failed writes of one kind. The key is the object's name. Each failed write has a
// wait of its own. So a write that is always refused does not delay other writes, and is not sent
// again with each of them.
type retries map[string]*retry[mirror.Write]

// waiting reports whether an object must not be written yet.
func (rs retries) waiting(name string, now time.Time) bool { return rs[name].waiting(now) }

// note records whether the write of an object failed. w is nil for a deletion.
func (rs retries) note(name string, w *mirror.Write, err error, now time.Time, interval time.Duration) {
	if r := rs[name].after(w, err, now, interval); r != nil {
		rs[name] = r
	} else {
		delete(rs, name)
	}
}

// hurry makes every failed write due at once.
func (rs retries) hurry() {
	for _, r := range rs {
		r.hurry()
	}
}

// earliest returns when the first retry is due. It does not count deferred retries. It returns zero
// if there is no retry. It can also return zero after hurry, when a retry is due at once.
func (rs retries) earliest() time.Time {
	var at time.Time
	for _, r := range rs {
		if !r.deferred && (at.IsZero() || r.next.Before(at)) {
			at = r.next
		}
	}
	return at
}

// forgetUnplanned removes the failed writes that the plan no longer has. If the plan has a changed
// form of a write, that is a new write, and forgetUnplanned removes the old one. Two other kinds of
// failed writes stay, as deferred: a deletion that waits for the next listing, and a creation whose
// name another object has.
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
	for _, c := range conflicts { // With this retry, occupants asks the API server for the object.
		if rs[c.Name].taken() {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry[mirror.Write]) bool { return !kept[name] })
}

// failure returns the failure that reports the failed writes: how many of the planned writes
// failed, why the first of them failed, and the names of the others. It returns nil if there is
// nothing to report.
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

// passing reports whether a write with this error may succeed if it is planned again: someone else
// was faster, or the cache is behind.
func passing(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
