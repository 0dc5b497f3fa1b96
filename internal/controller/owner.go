// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// owner is an InventorySource or an EnvironmentDiscovery. The engine uses only these methods of it.
type owner interface {
	// object returns the owner as an object of the API. The engine may change the status in this
	// object.
	object() client.Object
	// planned returns the owner in the form that package mirror needs.
	planned() mirror.Owner
	// settings returns how to ask the cloud for this owner, as the spec says.
	settings() settings
	// held returns the held prune of each kind, as the owner's status has it. The value is nil for
	// a kind without a held prune.
	held() []*v1alpha1.HeldPrune
	// status returns the part of the status that both kinds of owners have.
	status() *v1alpha1.SyncStatus
	// wholeStatus returns the whole status.
	wholeStatus() any
	// setOwnStatus sets those fields of the status that only this kind of owner has. It does not
	// set the summaries: setSummaries does.
	setOwnStatus(ctx context.Context, o *Options, s *state, d done)
}

// settings are the fields of a spec that say how to ask the cloud, and whether to carry out the
// plans.
type settings struct {
	endpoint    string
	credentials v1alpha1.Credentials
	interval    time.Duration
	timeout     time.Duration
	suspend     bool
	// preview reports whether the owner only reports its plans and does not carry them out.
	preview bool
}

// ownerKind describes one kind of owner.
type ownerKind struct {
	// name is the controller's name. It is the lower-case singular of the kind.
	name string
	// empty returns a new, empty owner; list returns a new, empty list of owners.
	empty func() client.Object
	list  func() client.ObjectList
	// wrap makes an owner from an object of this kind.
	wrap func(client.Object) owner
	// kinds are the kinds that owners of this kind mirror.
	kinds []kind
	// blocked returns why the ConfigMaps of a kind's objects are not as the spec asks. It returns
	// nil if they are, or if the kind has no ConfigMaps.
	blocked func(*Options, owner, *state, *kind) *verdict
	words   words
}

// words are the sentences of an owner's conditions and events.
type words struct {
	// first is the message of Ready while the first listing is under way.
	first string
	// suspended is the message of Ready while spec.suspend is true. nothing is the message of Ready
	// if the owner mirrors no kind.
	suspended, nothing string
	// waiting is the beginning of the message about a due sync that waits for its request budget.
	waiting string
	// withheld is a format with one %d: the number of objects that get no object in the cluster
	// yet, because only incomplete listings had them.
	withheld string
	// taken has the sentences about wanted names that are taken.
	taken taken
	// succeeded returns the message about what a kind's sync found.
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
