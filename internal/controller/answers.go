// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers are what a pass learned from the cloud. They are zero if the pass did not ask.
type answers struct {
	// listings are the listings by kind; nil if the cloud was not asked. early reports whether it
	// was asked before the planned time.
	listings []listing
	early    bool
	// putOff is how long a due sync has to wait for its credential's request budget, and why; zero
	// if none has to wait.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret that was used; "" if there is none.
	secret string
	// ended is when the listings ended.
	ended time.Time
}

// synced reports whether the cloud was asked.
func (a answers) synced() bool { return a.listings != nil }

// listing is the result of listing one kind. It is zero if the kind was not to be listed.
type listing struct {
	outcome outcome
	// sighting is nil if the kind could not be listed.
	sighting *mirror.Sighting
	// index remembers the listing's items. asked is the question that the listing answers.
	index *cloudapi.Index
	asked question
	// unchanged reports whether the listing has the same items as the last one, byte for byte. It
	// may still be incomplete; see outcome.
	unchanged bool
}

// question is everything that decides which items a listing has and how they are stored.
type question struct {
	generation int64
	scope      string
}

// outcome is how the last sync of one kind went. It is zero if there was none.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed completely.
	failure *failure
}
