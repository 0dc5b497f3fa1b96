// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers are what asking the cloud gave. The zero answers are those of a pass that did not ask.
type answers struct {
	// listings are by kind; nil if the cloud was not asked. early reports whether it was
	// before that was due.
	listings []listing
	early    bool
	// putOff is how long, and why, a sync that is due has to wait for its credential's
	// request budget; zero if none does.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret that was used, "" if there is none.
	secret string
	// ended is when the listings ended.
	ended time.Time
}

// synced reports whether the cloud was asked.
func (a answers) synced() bool { return a.listings != nil }

// listing is what one listing of a kind had, and how it went. The zero listing is that of a
// kind that was not to be listed.
type listing struct {
	outcome outcome
	// sighting is nil if the kind could not be listed.
	sighting *mirror.Sighting
	// index remembers the listing's items, asked what it was a listing of.
	index *cloudapi.Index
	asked question
	// unchanged reports whether the listing had what the last one had, byte for byte.
	// Whether it is complete the outcome says.
	unchanged bool
}

// question is all that decides what a listing has and how it is stored.
type question struct {
	generation int64
	scope      string
}

// outcome is how the last sync of one kind went. The zero outcome is that of a
// kind no sync was tried of.
type outcome struct {
	tried bool
	// failure is nil if the kind was listed whole.
	failure *failure
}
