// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// connectionTopics has the topics that collect the connections to networks: peerings, transit
// gateway attachments and private link accesses.
var connectionTopics = []*connectionTopic{peeringsOfNetworks, transitGatewaysOfNetworks, accessesOfNetworks}

// connectionTopic collects the connections of one kind, for example all peerings. It groups the
// connections by the ID of their network.
type connectionTopic struct {
	topic[v1alpha1.ConnectionSummary]
	list connectionList
}

// connectionList is a function that returns pointers to two fields of a NetworkConnections value,
// for example to Peerings and PeeringCount.
type connectionList func(*v1alpha1.NetworkConnections) (*[]v1alpha1.ConnectionSummary, *int32)

func newConnections(list connectionList) *connectionTopic {
	return &connectionTopic{topic[v1alpha1.ConnectionSummary]{
		func(a, b v1alpha1.ConnectionSummary) int { return cmp.Compare(a.Name, b.Name) },
	}, list}
}

// connectionParts has pointers to two fields in the observation of a connection: the reference to
// the network, and the Kafka endpoints in the network.
type connectionParts struct {
	network   **v1alpha1.NetworkReference
	reachable *v1alpha1.ReachableEndpoints
}

// asConnection adds functions to the Kind of a connection, for example of peerings. With these
// functions,
//
//   - the observation of a connection shows the network and the Kafka endpoints in the network,
//   - the observations of the network and of the clusters in the network show the connection.
func asConnection[O any](k Kind, shown *connectionTopic, parts func(*O) connectionParts) Kind {
	of := func(o Object) connectionParts { return parts(any(o).(*O)) }
	with := func(o Object, network *v1alpha1.NetworkReference, reachable v1alpha1.ReachableEndpoints) Object {
		joined := *any(o).(*O)
		p := parts(&joined)
		*p.network, *p.reachable = network, reachable
		return any(&joined).(Object)
	}
	k.attachFacts = func(t topics, o Object, observed string) {
		shown.addFacts(t, networkID(*of(o).network), v1alpha1.ConnectionSummary{Name: o.GetName(), Phase: k.phaseOf(o), Observed: observed})
	}
	k.joinFacts = func(t topics, o Object) Object {
		has, reachable := of(o), v1alpha1.ReachableEndpoints{}
		reachable.Endpoints, reachable.EndpointCount = endpointsOfNetworks.boundedFacts(t, networkID(*has.network))
		network := joinReference(t, *has.network)
		if *has.network == network && has.reachable.EndpointCount == reachable.EndpointCount &&
			slices.Equal(has.reachable.Endpoints, reachable.Endpoints) {
			return o
		}
		return with(o, network, reachable)
	}
	k.withJoinedFacts = func(o, factSource Object) Object {
		other := of(factSource)
		return with(o, withFactsOf(*of(o).network, *other.network), *other.reachable)
	}
	return k
}

// connectionsOf returns the connections of the network with the given ID.
func connectionsOf(t topics, network string) (all v1alpha1.NetworkConnections) {
	for _, kind := range connectionTopics {
		shown, count := kind.list(&all)
		*shown, *count = kind.boundedFacts(t, network)
	}
	return all
}

// sameConnections reports whether two values have the same connections.
func sameConnections(a, b *v1alpha1.NetworkConnections) bool {
	for _, kind := range connectionTopics {
		these, count := kind.list(a)
		those, other := kind.list(b)
		if *count != *other || !slices.Equal(*these, *those) {
			return false
		}
	}
	return true
}
