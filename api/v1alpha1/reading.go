// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// This file is for programs that read observations. It calls no API and reads no clock.

// Connection types of Kafka endpoints that the API (cmk/v2) documents. There may be others.
const (
	ConnectionTypePublic                  = "PUBLIC"
	ConnectionTypePrivateLink             = "PRIVATE_LINK"
	ConnectionTypePrivateNetworkInterface = "PRIVATE_NETWORK_INTERFACE"
)

// Access point IDs that the API reserves.
const (
	AccessPointPublic      = "PUBLIC"
	AccessPointPrivateLink = "PRIVATE_LINK"
)

// PhaseReadyPeering is the phase in which a peering is Ready.
const PhaseReadyPeering = "READY"

// IsReady reports whether condition Ready of an observation is True: its cloud object is in the
// phase PROVISIONED (clusters) or READY (networks and peerings), and Observed is True.
func IsReady(o Observation) bool { return isTrue(*o.Conditions(), ConditionReady) }

// IsFresh reports whether condition Observed of an observation is True: its cloud object was in the
// last complete listing or in any later one. It is false if the object is missing, and if there was
// no complete listing for staleAfter.
//
// If the operator is down, it changes no condition. Then [InventorySource.KafkaClustersFresh] still
// gives the right answer.
func IsFresh(o Observation) bool { return isTrue(*o.Conditions(), ConditionObserved) }

func isTrue(conditions []metav1.Condition, conditionType string) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == conditionType && c.Status == metav1.ConditionTrue
	})
}

// KafkaClustersFresh reports whether the last complete listing of the source's Kafka clusters is
// younger than staleAfter. now is the time. The answer is right even if the operator is down.
func (s *InventorySource) KafkaClustersFresh(now time.Time) bool {
	return s.fresh(s.Status.KafkaClusters, now)
}

// PeeringsFresh reports the same as KafkaClustersFresh, for peerings.
func (s *InventorySource) PeeringsFresh(now time.Time) bool {
	return s.fresh(s.Status.Peerings, now)
}

// NetworksFresh reports the same as KafkaClustersFresh, for networks.
func (s *InventorySource) NetworksFresh(now time.Time) bool {
	return s.fresh(s.Status.Networks, now)
}

func (s *InventorySource) fresh(of *InventorySummary, now time.Time) bool {
	return of != nil && of.LastListTime != nil && now.Sub(of.LastListTime.Time) < s.GetStaleAfter()
}

// Endpoint returns the endpoint of an access point, and whether there is one.
func (o *KafkaClusterObservation) Endpoint(accessPointID string) (KafkaEndpoint, bool) {
	return find(o.Status.Endpoints, func(e KafkaEndpoint) bool { return e.AccessPointID == accessPointID })
}

// EndpointOfType returns an endpoint of a connection type, and whether there is one. If there are
// several, it returns the one with the lowest access point ID, so that the choice stays the same
// while that access point exists.
func (o *KafkaClusterObservation) EndpointOfType(connectionType string) (KafkaEndpoint, bool) {
	return find(o.Status.Endpoints, func(e KafkaEndpoint) bool { return e.ConnectionType == connectionType })
}

func find(endpoints []KafkaEndpoint, is func(KafkaEndpoint) bool) (KafkaEndpoint, bool) {
	if i := slices.IndexFunc(endpoints, is); i >= 0 {
		return endpoints[i], true
	}
	return KafkaEndpoint{}, false
}

// ReadyPeerings returns the sorted names of the READY PeeringObservations on the cluster's network.
// The status lists 500 peerings at most. If peeringCount is larger, some names may be absent.
func (o *KafkaClusterObservation) ReadyPeerings() []string {
	var names []string
	for _, p := range o.Status.Peerings {
		if p.Phase == PhaseReadyPeering {
			names = append(names, p.Name)
		}
	}
	return names
}

// EndpointsOf returns the endpoints of one cluster on the peering's network, sorted by access point
// ID. The status lists 500 endpoints at most. If endpointCount is larger, some may be absent.
func (o *PeeringObservation) EndpointsOf(clusterID string) []KafkaEndpoint {
	var endpoints []KafkaEndpoint
	for _, e := range o.Status.Endpoints {
		if e.ClusterID == clusterID {
			endpoints = append(endpoints, e.KafkaEndpoint)
		}
	}
	return endpoints
}
