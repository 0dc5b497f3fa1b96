// SPDX-License-Identifier: Apache-2.0

package controller

import (
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
	// firstUnstored is the first such wait for a ConfigMap, which has no interval.
	firstUnstored = time.Minute
	// conflictsTold is how many conflicts in a row an object may meet before that is reported. A
	// conflict only means that someone else was faster; the next read shows that.
	conflictsTold = 3
	// maxWords bounds a quote of the API server or a policy in a message, in bytes.
	maxWords = 1024
)

// retries are the failed writes of one kind, by the object's name. Each write has its own wait,
// which grows with each failure. So a write that always fails does not delay others, and others do
// not repeat it.
type retries map[string]*retry

type retry struct {
	// write is the write that failed; nil for a deletion.
	write    *mirror.Write
	attempts int
	next     time.Time
	err      error
	// deferred reports whether the next listing decides about the write. Until then it is not
	// tried.
	deferred bool
}

// waiting reports whether an object must not be written yet.
func (rs retries) waiting(name string, now time.Time) bool {
	r := rs[name]
	return r != nil && now.Before(r.next)
}

// taken reports whether the API server said that an object to create already exists.
func (rs retries) taken(name string) bool {
	r := rs[name]
	return r != nil && apierrors.IsAlreadyExists(r.err)
}

// failed notes that a write failed. It is due again after first. The wait doubles with each further
// failure, up to most.
func (rs retries) failed(name string, w *mirror.Write, err error, now time.Time, first, most time.Duration) {
	r := rs[name]
	if r == nil {
		r = &retry{}
		rs[name] = r
	}
	r.attempts++
	r.write, r.err, r.deferred = w, err, false
	r.next = now.Add(backoff(r.attempts, first, most))
}

// hurry makes every failed write due at once.
func (rs retries) hurry() {
	for _, r := range rs {
		r.next = time.Time{}
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

// keep forgets every failed write that is no longer planned in the same form: a changed write is a
// new one. It keeps a deletion that waits for the next listing, and a creation whose name is taken.
func (rs retries) keep(k *mirror.Kind, changes *mirror.Changes, conflicts []mirror.Conflict) {
	if len(rs) == 0 {
		return
	}
	kept := make(map[string]bool, len(rs))
	for _, w := range changes.Writes {
		name := w.Desired.GetName()
		r := rs[name]
		kept[name] = r != nil && r.write != nil && k.SameWrite(*r.write, w)
	}
	deletions := func(objects []mirror.Object, deferred bool) {
		for _, o := range objects {
			if r := rs[o.GetName()]; r != nil && r.write == nil {
				kept[o.GetName()], r.deferred = true, deferred
			}
		}
	}
	for _, c := range conflicts { // Perhaps only the API server shows which object has the name.
		if rs.taken(c.Name) {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry) bool { return !kept[name] })
}

// failure reports the failed writes, as a part of the planned ones; nil if there is nothing to
// report.
func (rs retries) failure(kind string, planned int) *failure {
	var told []string
	for name, r := range rs {
		if !passing(r.err) || r.attempts >= conflictsTold {
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
