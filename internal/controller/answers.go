// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// syncAnswers is the result of one sync, which lists cloud objects. If no sync was due, the fields
// come from the unfinished sync. If no sync is unfinished, all fields are zero.
type syncAnswers struct {
	// kindListings has one listing for each kind of cloud object, in the same order as the field
	// ownerKind.kinds. It is nil if there was no sync.
	kindListings []listing
	// beganEarly is true if the sync began before its planned time, or after a change of the spec.
	beganEarly bool
	// putOff is how long the credential's rate limit delays a sync that is due; zero if there is
	// no delay.
	putOff budget.Wait
	// secretVersion is the resourceVersion of the Secret with the API key; "" if there is no
	// Secret.
	secretVersion string
	// endTime is the time when the last listing of the sync ended.
	endTime time.Time
	// terms has the values from the spec and the annotations at the start of the sync.
	terms terms
}

// wasSynced reports whether there was a sync.
func (a syncAnswers) wasSynced() bool { return a.kindListings != nil }

// listing is the result of listing the cloud objects of one kind for a source or discovery. If the
// spec of the source or discovery does not ask for the kind, all fields are zero.
type listing struct {
	outcome outcome
	// sighting has the listed objects; nil if the listing gave no result.
	sighting *mirror.Sighting
	// itemIndex has the listed items, so that the next listing recognizes unchanged items.
	itemIndex *cloudapi.Index
	// sentQuery identifies the spec, endpoint, credential and filter of the listing.
	sentQuery listQuery
	// unchanged is true if the listing has exactly the same items as the previous listing. An
	// incomplete listing can also be unchanged.
	unchanged bool
}

// listQuery identifies what a listing asks the cloud.
type listQuery struct {
	// generation is the metadata.generation of the source or discovery.
	generation int64
	// scope is a hash of the endpoint, the credential's ID and the filter.
	scope string
}

// outcome says how the last attempt to list one kind of cloud object went. If there was no
// attempt, all fields are zero.
type outcome struct {
	tried bool
	// failure says why the listing failed or is incomplete; nil if the listing is complete.
	failure *failure
	// unasked is true if the cloud was not asked, because the manager lacks the right to read the
	// kind's objects in the cluster.
	unasked bool
}
