// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is the most entries of a list that is joined from another kind. A field next to the
// list has the number of all.
const MaxJoined = 500

// Desired has the objects of one kind as they should be, by name. The objects are shared and must
// not be changed.
type Desired map[string]Object

// Desire returns the objects of each kind as they should be, joined with the other kinds. It
// returns the objects that are listed and in scope. It also returns existing objects that are
// missing or out of scope, as they were last listed. existing are the owner's own objects. All
// slices are in the order of kinds.
//
// An object that is missing, or whose kind was not listed since the start, is joined as it was last
// known: no endpoint may vanish because the listing of another kind failed.
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

// networks holds the facts and objects of each network, by the network's ID. The observations of
// other objects in the network show them.
type networks struct {
	endpoints map[string][]v1alpha1.PeeringEndpoint
	clusters  map[string][]v1alpha1.KafkaClusterSummary
	peerings  map[string][]v1alpha1.PeeringSummary
	facts     map[string]networkFacts
}

// networkFacts are the facts that a network's observation has about it.
type networkFacts struct{ phase, cidr, dnsDomain string }

func newNetworks() *networks {
	return &networks{
		map[string][]v1alpha1.PeeringEndpoint{}, map[string][]v1alpha1.KafkaClusterSummary{},
		map[string][]v1alpha1.PeeringSummary{}, map[string]networkFacts{},
	}
}

// sort sorts each list in the order that observations show.
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

// add adds values to the list of a network. An object without a network is in no list.
func add[T any](lists map[string][]T, network string, values ...T) {
	if network != "" {
		lists[network] = append(lists[network], values...)
	}
}

// bounded returns the part of a joined list that may be stored, and the number of all entries.
func bounded[T any](list []T) (first []T, all int32) {
	return list[:min(len(list), MaxJoined)], int32(len(list))
}

func networkID(n *v1alpha1.NetworkReference) string {
	if n == nil {
		return ""
	}
	return n.ID
}
