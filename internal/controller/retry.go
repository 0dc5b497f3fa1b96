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
	// retryFirst is the wait after an observation could not be written for the first
	// time, because of a conflict mostly. It doubles up to retryMost.
	retryFirst = 50 * time.Millisecond
	retryMost  = 5 * time.Minute
	// conflictsTold is how many conflicts in a row an observation may meet before that
	// is reported: someone else was faster, which the next reading shows.
	conflictsTold = 3
	// maxWords bounds the words of an API server or a policy in a message, in bytes.
	maxWords = 1024
)

// retries are the writes of one kind that failed, by the observation's name. Each
// waits by itself, longer each time, so that one that is refused forever neither
// holds others back nor is sent with each of them.
type retries map[string]*retry

type retry struct {
	attempts int
	next     time.Time
	err      error
}

// waiting reports whether an observation is not to be written yet.
func (rs retries) waiting(name string, now time.Time) bool {
	r := rs[name]
	return r != nil && now.Before(r.next)
}

// failed notes that an observation could not be written.
func (rs retries) failed(name string, err error, now time.Time) {
	r := rs[name]
	if r == nil {
		r = &retry{}
		rs[name] = r
	}
	r.attempts++
	r.err = err
	r.next = now.Add(backoff(r.attempts, retryFirst, retryMost))
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
		if at.IsZero() || r.next.Before(at) {
			at = r.next
		}
	}
	return at
}

// keep forgets all observations but those that changes are still to write.
func (rs retries) keep(changes *mirror.Changes) {
	if len(rs) == 0 {
		return
	}
	planned := map[string]bool{}
	for _, w := range changes.Writes {
		planned[w.Desired.GetName()] = true
	}
	for _, o := range changes.Deletes {
		planned[o.GetName()] = true
	}
	maps.DeleteFunc(rs, func(name string, _ *retry) bool { return !planned[name] })
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
