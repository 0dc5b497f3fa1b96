// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// owner is an InventorySource or an EnvironmentDiscovery. With these methods, the reconciler uses
// the same code for the two types.
type owner interface {
	// object returns the source or discovery as an API object. Callers may change the status of this
	// object.
	object() client.Object
	// mirrorOwner returns the source or discovery in the form that package mirror uses.
	mirrorOwner() mirror.Owner
	// settings returns the part of the spec that sources and discoveries both have.
	settings() settings
	// heldPrunes returns the deletions that wait for a person's approval, as the status has them.
	// The result has one entry for each kind of object; nil for a kind without waiting deletions.
	heldPrunes() []*v1alpha1.HeldPrune
	// status returns the part of the status that sources and discoveries both have.
	status() *v1alpha1.SyncStatus
	// wholeStatus returns a pointer to the whole status.
	wholeStatus() any
	// setOwnStatus sets the fields of the status that only sources have, or that only discoveries
	// have:
	//
	//   - for a source, status.configMaps
	//   - for a discovery, status.preview, status.sources and status.sourceCount
	setOwnStatus(ctx context.Context, o *Options, s *state, d writeResult)
}

// settings are the fields of a spec that say how and when to ask the cloud, what to take of its answer,
// and whether to write to the cluster.
type settings struct {
	endpoint    string
	credentials v1alpha1.Credentials
	interval    time.Duration
	timeout     time.Duration
	suspend     bool
	// If preview is true, the operator reports planned changes and does not make them.
	preview bool
	// selector says for which environments a discovery keeps sources. For an InventorySource, it is
	// the zero value.
	selector v1alpha1.EnvironmentSelector
}

// ownerKind describes one type of owner: sources or discoveries.
type ownerKind struct {
	// name is the name of the controller, such as inventorysource.
	name string
	// newObject returns a new, empty source or discovery.
	newObject func() client.Object
	// newList returns a new, empty list of sources or discoveries.
	newList func() client.ObjectList
	// wrap converts a source or discovery to the type owner.
	wrap func(client.Object) owner
	// kinds are the kinds of cloud objects to mirror, such as Kafka clusters.
	kinds []kind
	// configMapVerdict returns what is wrong with the ConfigMaps of a source's Kafka clusters; nil
	// if nothing is wrong. For every other kind of object, and for a discovery, the result is
	// always nil.
	configMapVerdict func(*Options, owner, *state, *kind) *verdict
	words            words
}

// asksTheSame reports whether two versions of an owner ask the same question for every kind. If
// they do, the operator may use a listing for one version to create and delete objects for the
// other version.
func (k *ownerKind) asksTheSame(a, b owner) bool {
	return !slices.ContainsFunc(k.kinds, func(k kind) bool { return k.question(a) != k.question(b) })
}

// words are those texts of conditions and events that are different for sources and discoveries.
type words struct {
	// firstSync is the message of condition Ready during the first sync.
	firstSync string
	// whileSuspended is the message of condition Ready while spec.suspend is true.
	whileSuspended string
	// allIgnored is the message of condition Ready if the spec sets the policy Ignore for every kind.
	allIgnored string
	// rateLimited is the start of the message of condition Ready while a limit on requests to the
	// cloud delays a sync.
	rateLimited string
	// withheld is a message about new cloud objects that only an incomplete listing showed. The
	// operator creates no Kubernetes objects for them until a listing is complete. The %d in the
	// message stands for the number of these cloud objects.
	withheld string
	// takenNames has the messages for a name conflict: the operator needs an object name that
	// another object already has.
	takenNames takenMessages
	// succeeded returns a message that says what a successful sync of one kind found.
	succeeded func(o owner, s *state, kind int) string
}

// mirroredKinds returns the indexes of the kinds that the spec asks to mirror.
func mirroredKinds(o owner, kinds []kind) []int {
	var wanted []int
	for i := range kinds {
		if kinds[i].Mirrored(o.object()) {
			wanted = append(wanted, i)
		}
	}
	return wanted
}

// key returns the namespace and name of a source or discovery.
func key(o owner) client.ObjectKey { return client.ObjectKeyFromObject(o.object()) }
