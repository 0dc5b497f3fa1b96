// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// owner is an InventorySource or an EnvironmentDiscovery, in the form that the engine needs.
type owner interface {
	// object returns the owner's object. The engine may change its status.
	object() client.Object
	// planned returns the owner in the form that planning needs.
	planned() mirror.Owner
	// settings returns what the spec says about asking the cloud.
	settings() settings
	// held returns the held prune of each kind, as the status names it; nil for a kind without one.
	held() []*v1alpha1.HeldPrune
	// status returns the part of the status that every owner has.
	status() *v1alpha1.SyncStatus
	// wholeStatus returns the whole status.
	wholeStatus() any
	// setOwnStatus sets the part of the status that only owners of this kind have, except the summaries.
	setOwnStatus(ctx context.Context, o *Options, s *state, d done)
}

// settings are the parts of a spec that say how to ask the cloud, and whether to carry out the
// plans.
type settings struct {
	endpoint    string
	credentials v1alpha1.Credentials
	interval    time.Duration
	timeout     time.Duration
	suspend     bool
	// preview reports whether plans are only reported, and not carried out.
	preview bool
}

// ownerKind describes one kind of owner.
type ownerKind struct {
	// name is the controller's name, and the lower-case singular of the kind.
	name string
	// empty returns a new, empty owner; list returns a new, empty list of owners.
	empty func() client.Object
	list  func() client.ObjectList
	// wrap returns an object of the kind as an owner.
	wrap func(client.Object) owner
	// kinds are what its owners mirror.
	kinds []kind
	// blocked returns why the ConfigMaps of a kind's objects cannot be written; nil if they can, or
	// if the kind has none.
	blocked func(*Options, owner, *state, *kind) *verdict
	words   words
}

// words are the sentences of an owner's conditions and events.
type words struct {
	// first is the message while the first listing is under way.
	first string
	// suspended is the message of Ready while spec.suspend is true. nothing is its message if no
	// kind is mirrored.
	suspended, nothing string
	// waiting begins the message of a due sync that waits for its request budget.
	waiting string
	// withheld is a format with one %d: the number of objects that only incomplete listings had.
	withheld string
	// taken are the sentences about names that are taken.
	taken taken
	// succeeded says what a kind's sync found.
	succeeded func(o owner, s *state, kind int) string
}

// mirrored returns the indexes of the kinds that the owner mirrors.
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
