// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers has what one sync learned from the cloud. A sync lists every kind of cloud object that
// the source or discovery mirrors. If no sync was due, answers is the zero value.
type answers struct {
	// listings has one listing for each kind in ownerKind.kinds, in the same order. If there was no
	// sync, listings is nil. early reports whether the sync began before its planned time.
	listings []listing
	early    bool
	// If the rate limit of the credential delays a sync that is due, putOff has the wait. If not,
	// putOff is zero.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret with the API key; "" if there is no Secret.
	secret string
	// ended is the time at which the last of the listings ended.
	ended time.Time
}

// synced reports whether there was a sync.
func (a answers) synced() bool { return a.listings != nil }

// listing is the result of asking the cloud for the objects of one kind. If the source or discovery
// does not mirror the kind, listing is the zero value.
type listing struct {
	outcome outcome
	// sighting has the listed objects. If the listing gave no result at all, sighting is nil.
	sighting *mirror.Sighting
	// index has the listed items. It lets the next listing recognize items that did not change.
	// asked identifies the spec, endpoint, credential and filter of this listing.
	index *cloudapi.Index
	asked question
	// unchanged reports whether all items are byte for byte the same as in the previous listing.
	// Even an incomplete listing can be unchanged.
	unchanged bool
}

// question identifies what a listing asks the cloud: the generation of the spec, and a hash of the
// endpoint, the credential's ID and the filter. If two listings have the same question, the later
// listing may use the index of the earlier listing.
type question struct {
	generation int64
	scope      string
}

// outcome says how the last attempt to list one kind went. If there was no attempt, outcome is the
// zero value.
type outcome struct {
	tried bool
	// failure says why the listing failed or is incomplete. If the listing is complete, failure is
	// nil.
	failure *failure
}
