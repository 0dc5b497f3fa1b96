// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// owner is an InventorySource or an EnvironmentDiscovery, as the engine works with it.
type owner interface {
	// object returns the object itself. Its status is the engine's to change.
	object() client.Object
	// planned returns it as planning sees it.
	planned() mirror.Owner
	// settings returns what its spec says of asking the cloud.
	settings() settings
	// held returns the prune of each of its kinds that its status says is held, nil for none.
	held() []*v1alpha1.HeldPrune
	// status returns the part of its status that all owners have.
	status() *v1alpha1.SyncStatus
	// wholeStatus returns all of its status.
	wholeStatus() any
	// number puts in its status what only an owner of this kind has beside the summaries.
	number(o *Options, s *state, d done)
}

// settings are what a spec says of asking the cloud.
type settings struct {
	endpoint    string
	credentials v1alpha1.Credentials
	interval    time.Duration
	timeout     time.Duration
	suspend     bool
}

// ownerKind describes one kind of owner.
type ownerKind struct {
	// name is that of the controller, and the lower-case singular of the kind.
	name string
	// empty returns a new, empty owner, list a new, empty list of them.
	empty func() client.Object
	list  func() client.ObjectList
	// as returns an object of the kind as an owner.
	as func(client.Object) owner
	// kinds are what its owners mirror.
	kinds []kind
	// blocked says why what belongs to a kind beside its objects cannot be written; nil if
	// it is, or if there is nothing.
	blocked func(*Options, context.Context, owner, *kind) *failure
	words   words
}

// words are the sentences of an owner's conditions and events.
type words struct {
	// first is said of the first listing while it is under way.
	first string
	// suspended and nothing are Ready's messages while spec.suspend is set, and if no kind
	// is mirrored.
	suspended, nothing string
	// waiting begins the message of a listing that is due and waits for its budget.
	waiting string
	// withheld has a place for the number of objects that incomplete listings alone had.
	withheld string
	// taken are the sentences about names that something else has.
	taken taken
	// succeeded says what a kind's sync found.
	succeeded func(o owner, s *state, kind int) string
}

// mirrored returns the owner's kinds that it wants, by their place in kinds.
func mirrored(o owner, kinds []kind) []int {
	var wanted []int
	for i := range kinds {
		if kinds[i].Mirrored(o.object()) {
			wanted = append(wanted, i)
		}
	}
	return wanted
}

// key returns an owner's namespace and name.
func key(o owner) client.ObjectKey { return client.ObjectKeyFromObject(o.object()) }
