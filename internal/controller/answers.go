// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// answers has what one reconcile learned from the cloud in a sync. A sync lists every kind that the
// source or discovery mirrors. answers is zero if no sync was due.
type answers struct {
	// listings has one listing for each kind in ownerKind.kinds. It is nil if there was no sync.
	// early reports whether the sync began before its planned time.
	listings []listing
	early    bool
	// putOff says how long a due sync must wait before its first request to the cloud, and why. It
	// is zero if the sync need not wait.
	putOff budget.Wait
	// secret is the resourceVersion of the Secret with the API key; "" if no Secret was read. If no
	// kind is mirrored, secret keeps its value from the last sync.
	secret string
	// ended is when the listings ended.
	ended time.Time
}

// synced reports whether there was a sync.
func (a answers) synced() bool { return a.listings != nil }

// listing is the result of listing the objects of one kind in the cloud. It is zero if the source
// or discovery does not mirror the kind.
type listing struct {
	outcome outcome
	// sighting has the objects that were listed. It is nil if nothing could be listed.
	sighting *mirror.Sighting
	// index has the listed items. The next listing uses index to recognize unchanged items. asked
	// says what this listing depends on, see the type question.
	index *cloudapi.Index
	asked question
	// unchanged reports whether all items equal those of the last listing, byte for byte. The
	// listing can still be incomplete, see outcome.
	unchanged bool
}

// question is what the result of a listing depends on: the generation of the spec, and a hash of
// the endpoint, the credential and the filter. Only a listing with the same question may use the
// index of an earlier listing.
type question struct {
	generation int64
	scope      string
}

// outcome says how the last attempt to list one kind went. It is zero if there was no attempt.
type outcome struct {
	tried bool
	// failure says why the listing failed or is incomplete. It is nil if the listing is complete.
	failure *failure
}
