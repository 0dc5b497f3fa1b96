// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers has what a pass learned from the cloud. It is zero if no sync was due.
type answers struct {
	// listings has one listing for each kind of the owner. It is nil if the pass made no sync.
	// early reports whether the sync began before its planned time.
	listings []listing
	early    bool
	// putOff says how long a due sync must wait for the request budget of its credential, and why.
	// It is zero if no sync must wait.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret that the sync read; "" if the sync read none. If
	// no kind is mirrored, the value of the last sync stays.
	secret string
	// ended is when the listings ended.
	ended time.Time
}

// unfinished has the answers of a sync whose pass ended before a plan was made, for example because
// an object could not be read. The next pass goes on with them, so that it does not ask the cloud
// again. terms are the owner's at that sync.
type unfinished struct {
	terms   terms
	answers answers
}

// answersFor returns the answers, if they are fresh and answer these terms.
func (u *unfinished) answersFor(t terms, now time.Time) (answers, bool) {
	if u == nil || u.terms != t || now.Before(u.answers.ended) || !now.Before(u.answers.ended.Add(freshFor)) {
		return answers{}, false
	}
	return u.answers, true
}

// synced reports whether the pass made a sync.
func (a answers) synced() bool { return a.listings != nil }

// listing is the result of listing one kind. It is zero if the owner does not mirror the kind.
type listing struct {
	outcome outcome
	// sighting is nil if the kind could not be listed.
	sighting *mirror.Sighting
	// index has the items of the listing, for the next listing. asked is the question that this
	// listing answers.
	index *cloudapi.Index
	asked question
	// unchanged reports whether the items are exactly those of the last listing, byte for byte.
	// Even then the listing may be incomplete, see outcome.
	unchanged bool
}

// question is everything that the result of a listing depends on: the generation of the owner's
// spec, and the scope. A listing may use the index of an earlier listing only if both ask the same
// question.
type question struct {
	generation int64
	scope      string
}

// outcome says how the last sync of one kind went. It is zero if there was no sync.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed completely.
	failure *failure
}
