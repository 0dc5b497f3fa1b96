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
	// retryFirst is the wait after an object's first failed write, mostly a conflict. It doubles
	// with each further failure, up to retryMost.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Minute
	// leastMostUnstored bounds the wait after a write that was stored otherwise than it was sent.
	// That wait begins at interval and doubles. If interval is longer, it is the bound.
	leastMostUnstored = time.Hour
	// conflictsTold is how many conflicts in a row an object may meet before that is reported. A
	// conflict only means that someone else was faster; the next read shows that.
	conflictsTold = 3
	// maxWords bounds a quote of the API server or a policy in a message, in bytes.
	maxWords = 1024
)

// retry is a failed write of one object, W being what describes a write. A nil retry is that of an
// object whose last write did not fail.
type retry[W any] struct {
	// write is the write that failed; nil for a deletion.
	write    *W
	attempts int
	next     time.Time
	err      error
	// deferred reports whether the next listing decides about the write. Until then it is not
	// tried.
	deferred bool
}

// waiting reports whether the object must not be written yet.
func (r *retry[W]) waiting(now time.Time) bool { return r != nil && now.Before(r.next) }

// taken reports whether the API server said that the object to create already exists.
func (r *retry[W]) taken() bool { return r != nil && apierrors.IsAlreadyExists(r.err) }

// lasts reports whether the failure should be reported.
func (r *retry[W]) lasts() bool {
	return r != nil && (!passing(r.err) || r.attempts >= conflictsTold)
}

// repeats reports whether a write, nil for a deletion, is the one that failed. same compares two
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

// after returns what follows from how a write went, nil for a deletion: nil if it succeeded. A failed
// one is tried again after a wait that doubles with every further failure. interval is the first
// wait if the object was stored otherwise than it was sent.
func (r *retry[W]) after(w *W, err error, now time.Time, interval time.Duration) *retry[W] {
	first, most := retryFirst, retryMost
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(notStored)):
		first, most = interval, max(leastMostUnstored, interval)
	case errors.Is(err, errStopped) && r == nil: // A write that was not begun is not due at once again.
		return nil
	}
	if r == nil {
		r = &retry[W]{}
	}
	r.attempts++
	r.write, r.err, r.deferred = w, err, false
	r.next = now.Add(backoff(r.attempts, first, most))
	return r
}

// retries are the failed writes of one kind, by the object's name. Each waits by itself, longer
// each time. So one that is refused forever does not hold others back, and is not sent with each of
// them.
type retries map[string]*retry[mirror.Write]

// waiting reports whether an object must not be written yet.
func (rs retries) waiting(name string, now time.Time) bool { return rs[name].waiting(now) }

// note keeps how the write of an object went; w is nil for its deletion.
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

// earliest returns when the first retry is due. Deferred retries do not count. It is zero if there
// is none, and may be zero while hurry has made one due at once.
func (rs retries) earliest() time.Time {
	var at time.Time
	for _, r := range rs {
		if !r.deferred && (at.IsZero() || r.next.Before(at)) {
			at = r.next
		}
	}
	return at
}

// forgetUnplanned forgets every failed write that is no longer planned in the same form: a changed write is a
// new one. It keeps a deletion that waits for the next listing, and a creation whose name is taken.
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
	for _, c := range conflicts { // Perhaps only the API server shows which object has the name.
		if rs[c.Name].taken() {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry[mirror.Write]) bool { return !kept[name] })
}

// failure reports the failed writes, as a part of the planned ones; nil if there is nothing to
// report.
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
	first := slices.Min(told)
	return &failure{reason: v1alpha1.ReasonWriteFailed, message: fmt.Sprintf(
		"%s: %d of %d writes failed, the first: %s", kind, len(told), planned, mirror.Truncate(rs[first].err.Error(), maxWords))}
}

// passing reports whether the error of a write may only mean that someone else was faster, or that
// the cache is behind.
func passing(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
