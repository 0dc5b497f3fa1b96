// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// owner is an InventorySource or an EnvironmentDiscovery. The reconciler uses an owner only through
// these methods.
type owner interface {
	// object returns the owner as an API object. The caller may change the status in this object.
	object() client.Object
	// planned returns the owner in the form that package mirror uses.
	planned() mirror.Owner
	// settings returns the fields of the spec that the reconciler needs.
	settings() settings
	// held returns, for each kind, the deletions that wait for a person's approval, as the status
	// shows them. The value is nil for a kind without such deletions.
	held() []*v1alpha1.HeldPrune
	// status returns the part of the status that sources and discoveries both have.
	status() *v1alpha1.SyncStatus
	// wholeStatus returns a pointer to the whole status.
	wholeStatus() any
	// setOwnStatus sets status.configMaps of a source. For a discovery, it sets status.preview,
	// status.sources and status.sourceCount.
	setOwnStatus(ctx context.Context, o *Options, s *state, d done)
}

// settings are the fields of a spec that say how and when to ask the cloud, and whether to write to
// the cluster.
type settings struct {
	endpoint    string
	credentials v1alpha1.Credentials
	interval    time.Duration
	timeout     time.Duration
	suspend     bool
	// preview reports whether the reconciler only reports what it would write.
	preview bool
}

// ownerKind describes one type of owner: sources or discoveries.
type ownerKind struct {
	// name is the controller's name: the type of owner in lower case, such as inventorysource.
	name string
	// empty returns a new, empty source or discovery. list returns a new, empty list of them.
	empty func() client.Object
	list  func() client.ObjectList
	// wrap turns an API object of this type into an owner.
	wrap func(client.Object) owner
	// kinds are the kinds of cloud objects that owners of this type mirror.
	kinds []kind
	// blocked returns why ConfigMaps are not as the source's spec asks. It returns nil if they are,
	// or if objects of this kind have no ConfigMaps.
	blocked func(*Options, owner, *state, *kind) *verdict
	words   words
}

// words are the sentences in the conditions and events of one type of owner.
type words struct {
	// first is the message of condition Ready during the first listing.
	first string
	// suspended is the message of condition Ready while spec.suspend is true. nothing is the
	// message of condition Ready if the spec sets the policy Ignore for every kind.
	suspended, nothing string
	// waiting begins the message of condition Ready while the rate limit delays a sync.
	waiting string
	// withheld is a message with one %d, for a number of cloud objects. They get no object in the
	// cluster until a listing is complete.
	withheld string
	// taken has the messages about names that the owner needs but other objects have.
	taken taken
	// succeeded returns the message that says what a successful sync of one kind found.
	succeeded func(o owner, s *state, kind int) string
}

// mirrored returns the indexes of those kinds that the owner's spec asks for.
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
