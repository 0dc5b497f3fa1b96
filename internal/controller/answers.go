// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers are what a pass learned by asking the cloud. They are zero if it did not ask.
type answers struct {
	// listings are by kind; nil if the cloud was not asked. early reports whether it was asked
	// before that was due.
	listings []listing
	early    bool
	// putOff is how long a sync that is due has to wait for its credential's request budget, and
	// why; zero if none waits.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret that was used, "" if there is none.
	secret string
	// ended is when the listings ended.
	ended time.Time
}

// synced reports whether the cloud was asked.
func (a answers) synced() bool { return a.listings != nil }

// listing is what one listing of a kind had, and how it went. It is zero if the kind was not to be
// listed.
type listing struct {
	outcome outcome
	// sighting is nil if the kind could not be listed.
	sighting *mirror.Sighting
	// index remembers the listing's items. asked is the question that the listing answered.
	index *cloudapi.Index
	asked question
	// unchanged reports whether the listing had what the last one had, byte for byte. The outcome
	// says whether it is complete.
	unchanged bool
}

// question is everything that decides what a listing has and how it is stored.
type question struct {
	generation int64
	scope      string
}

// outcome is how the last sync of one kind went. It is zero if no sync of the kind was tried.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed whole.
	failure *failure
}
