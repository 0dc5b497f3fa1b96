// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// MaxJoined is how many entries a list joined from another kind has at most. The
// whole number stands beside it.
const MaxJoined = 500

// Desired is how the observations of one kind should be, by name. Its members
// are shared and must not be changed.
type Desired map[string]v1alpha1.Observation

// Desire returns, for each kind, the observations as the listings say they
// should be, with the kinds joined to each other: those listed, and those missing
// that are still there, as they were last listed. ledgers and existing are by
// kind, in the order of kinds; the observations in existing must be the source's own.
//
// An object whose kind could not be listed since the start, or that went
// missing, is joined as it was last known: nobody's endpoints may vanish because
// the other kind's listing failed.
func Desire(kinds []*Kind, source *v1alpha1.InventorySource, ledgers []*Ledger, existing [][]v1alpha1.Observation) []Desired {
	desired := make([]Desired, len(kinds))
	peers := newNetworks()
	for i, ledger := range ledgers {
		desired[i] = Desired{}
		if ledger != nil {
			for name, e := range ledger.entries {
				if e.listed() {
					desired[i][name] = e.observation
					kinds[i].attach(peers, e.observation)
				}
			}
		}
		for _, o := range existing[i] {
			if desired[i][o.GetName()] != nil {
				continue
			}
			if e, _ := ledger.entry(o.GetName()); e.observation != nil {
				o = restamped(e.observation, source)
				desired[i][o.GetName()] = o
			}
			kinds[i].attach(peers, o)
		}
	}
	peers.sort()
	for i, kind := range kinds {
		for name, o := range desired[i] {
			desired[i][name] = kind.join(peers, o)
		}
	}
	return desired
}

// networks is what is told of each network.
type networks struct {
	told  map[any]any // by *topic[T]: a map[string][]T, by the network's ID
	sorts []func()
}

func newNetworks() *networks { return &networks{told: map[any]any{}} }

// sort puts what was told in the order in which observations tell it on.
func (n *networks) sort() {
	for _, sort := range n.sorts {
		sort()
	}
}

// topic is something that objects tell of their network, for observations of others on it to
// tell on.
type topic[T any] struct {
	compare func(a, b T) int
}

// tell adds what an object tells of the network with that ID; of none, where it is empty.
func (t *topic[T]) tell(n *networks, id string, values ...T) {
	if id == "" {
		return
	}
	lists, ok := n.told[t].(map[string][]T)
	if !ok {
		lists = map[string][]T{}
		n.told[t] = lists
		n.sorts = append(n.sorts, func() {
			for _, list := range lists {
				slices.SortFunc(list, t.compare)
			}
		})
	}
	lists[id] = append(lists[id], values...)
}

// of returns what was told of the network with that ID.
func (t *topic[T]) of(n *networks, id string) []T {
	lists, _ := n.told[t].(map[string][]T)
	return lists[id]
}

// bounded returns the part of a joined list that fits, and the number of all.
func bounded[T any](list []T) (first []T, all int32) {
	return list[:min(len(list), MaxJoined)], int32(len(list))
}

func networkID(n *v1alpha1.NetworkReference) string {
	if n == nil {
		return ""
	}
	return n.ID
}
