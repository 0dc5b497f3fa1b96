// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is the largest number of entries in a list that is joined from another kind. A field
// next to the list has the number of all entries.
const MaxJoined = 500

// Desired has the objects of one kind as they should be. The key is the object's name. The objects
// are shared and must not be changed.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be, joined with the other kinds. The
// result has the objects that are listed and in scope. It also has existing objects that are
// missing or out of scope, with the content that was last listed. existing are the owner's own
// objects. All slices have the order of kinds.
//
// Missing objects, and objects whose kind was not listed since the start, take part in the join
// with their last known content. So no endpoint disappears because the listing of another kind
// failed.
func Desire(kinds []*Kind, ledgers []*Ledger, existing [][]Object) []Desired {
	desired := make([]Desired, len(kinds))
	peers := newNetworks()
	attach := func(k *Kind, o Object) {
		if k.attach != nil {
			k.attach(peers, o)
		}
	}
	for i, kind := range kinds {
		ledger, all := ledgers[i], Desired{}
		desired[i] = all
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.listed() && e.outside.IsZero() {
					all[name] = e.object
					attach(kind, e.object)
				}
			}
		}
		for _, o := range existing[i] {
			if all[o.GetName()] != nil {
				continue
			}
			if e, _ := ledger.entry(o.GetName()); e.object != nil {
				o = e.object
				all[o.GetName()] = o
			}
			attach(kind, o)
		}
	}
	peers.sort()
	for i, kind := range kinds {
		if kind.join == nil {
			continue
		}
		for name, o := range desired[i] {
			desired[i][name] = kind.join(peers, o)
		}
	}
	return desired
}

// networks has the objects in each network, and the facts about each network. The keys are network
// IDs. Observations show the objects and facts of their network.
type networks struct {
	endpoints map[string][]v1alpha1.PeeringEndpoint
	clusters  map[string][]v1alpha1.KafkaClusterSummary
	peerings  map[string][]v1alpha1.PeeringSummary
	facts     map[string]networkFacts
}

// networkFacts are the facts about a network that other observations show.
type networkFacts struct{ phase, cidr, dnsDomain string }

func newNetworks() *networks {
	return &networks{
		map[string][]v1alpha1.PeeringEndpoint{}, map[string][]v1alpha1.KafkaClusterSummary{},
		map[string][]v1alpha1.PeeringSummary{}, map[string]networkFacts{},
	}
}

// sort sorts each list into the order that observations show.
func (n *networks) sort() {
	sortEach(n.endpoints, func(a, b v1alpha1.PeeringEndpoint) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
	})
	sortEach(n.clusters, func(a, b v1alpha1.KafkaClusterSummary) int { return cmp.Compare(a.Name, b.Name) })
	sortEach(n.peerings, func(a, b v1alpha1.PeeringSummary) int { return cmp.Compare(a.Name, b.Name) })
}

func sortEach[T any](lists map[string][]T, compare func(a, b T) int) {
	for _, list := range lists {
		slices.SortFunc(list, compare)
	}
}

// add adds values to the list of a network. If network is "", the object has no network, and add
// does nothing.
func add[T any](lists map[string][]T, network string, values ...T) {
	if network != "" {
		lists[network] = append(lists[network], values...)
	}
}

// bounded returns the first MaxJoined entries of a joined list, and the number of all entries.
func bounded[T any](list []T) (first []T, all int32) {
	return list[:min(len(list), MaxJoined)], int32(len(list))
}

func networkID(n *v1alpha1.NetworkReference) string {
	if n == nil {
		return ""
	}
	return n.ID
}
