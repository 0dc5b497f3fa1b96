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
	// retryFirst is the wait after an object could not be written for the first
	// time, because of a conflict mostly. It doubles up to retryMost.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Minute
	// leastMostUnstored bounds the wait after a write that was stored otherwise, which is an
	// interval at first and doubles, if the interval is shorter.
	leastMostUnstored = time.Hour
	// firstUnstored is the first such wait for an object that no interval belongs to.
	firstUnstored = time.Minute
	// conflictsTold is how many conflicts in a row an object may meet before that
	// is reported: someone else was faster, which the next reading shows.
	conflictsTold = 3
	// maxWords bounds the words of an API server or a policy in a message, in bytes.
	maxWords = 1024
)

// retries are the writes of one kind that failed, by the object's name. Each
// waits by itself, longer each time, so that one that is refused forever neither
// holds others back nor is sent with each of them.
type retries map[string]*retry

type retry struct {
	// write is what was to be written; nil for a deletion.
	write    *mirror.Write
	attempts int
	next     time.Time
	err      error
	// deferred reports whether only the next listing decides if it is tried again.
	deferred bool
}

// waiting reports whether an object is not to be written yet.
func (rs retries) waiting(name string, now time.Time) bool {
	r := rs[name]
	return r != nil && now.Before(r.next)
}

// taken reports whether the API server said that an object to create is there already.
func (rs retries) taken(name string) bool {
	r := rs[name]
	return r != nil && apierrors.IsAlreadyExists(r.err)
}

// failed notes that an object could not be written. It is tried again after first, and twice as
// long with every further failure, up to most.
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

// hurry has everything that waits written at once.
func (rs retries) hurry() {
	for _, r := range rs {
		r.next = time.Time{}
	}
}

// earliest returns when to write again what waits least, zero if nothing waits.
func (rs retries) earliest() time.Time {
	var at time.Time
	for _, r := range rs {
		if !r.deferred && (at.IsZero() || r.next.Before(at)) {
			at = r.next
		}
	}
	return at
}

// keep forgets all but those that are still to be written, and to be written so: a write that
// became another is a new one. A deletion that waits for the next listing is not forgotten, nor is a
// creation whose name something else has.
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
	for _, c := range conflicts { // Whoever has the name, only the API server may show it.
		if rs.taken(c.Name) {
			kept[c.Name], rs[c.Name].deferred = true, true
		}
	}
	deletions(changes.Deletes, false)
	deletions(changes.Deferred, true)
	maps.DeleteFunc(rs, func(name string, _ *retry) bool { return !kept[name] })
}

// failure returns what to report of so many planned writes, nil if nothing is.
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

// passing reports whether an error of a write may only mean that someone else was
// faster, or that the cache is behind.
func passing(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}
