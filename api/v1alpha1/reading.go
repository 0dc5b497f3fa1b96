// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// This file is for programs that read observations. It calls no API and reads no clock.

// Connection types of Kafka endpoints that the API documents. There may be others. Source: cmk/v2,
// endpoints of a cluster.
const (
	ConnectionTypePublic                  = "PUBLIC"
	ConnectionTypePrivateLink             = "PRIVATE_LINK"
	ConnectionTypePrivateNetworkInterface = "PRIVATE_NETWORK_INTERFACE"
)

// Access point IDs that the API reserves. The cloud makes up all others.
const (
	AccessPointPublic      = "PUBLIC"
	AccessPointPrivateLink = "PRIVATE_LINK"
)

// PhaseReadyPeering is the phase of a peering that works.
const PhaseReadyPeering = "READY"

// IsReady reports whether an observation's cloud object is up, and was in the last complete
// listing: condition Ready is True. It is false if that is not known.
func IsReady(o Observation) bool { return isTrue(*o.Conditions(), ConditionReady) }

// IsFresh reports whether an observation shows its cloud object as the last complete listing had
// it: condition Observed is True. It is false for an object that is missing, and for one whose
// source could not be listed for staleAfter.
//
// The operator sets the condition. If the operator itself may be down, ask the source too, see
// InventorySource.KafkaClustersFresh.
func IsFresh(o Observation) bool { return isTrue(*o.Conditions(), ConditionObserved) }

func isTrue(conditions []metav1.Condition, conditionType string) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == conditionType && c.Status == metav1.ConditionTrue
	})
}

// KafkaClustersFresh reports whether the source's Kafka clusters were listed whole within
// staleAfter before now. It is right even if the operator is down.
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

// Endpoint returns the endpoint of an access point, and reports whether there is one.
func (o *KafkaClusterObservation) Endpoint(accessPointID string) (KafkaEndpoint, bool) {
	return find(o.Status.Endpoints, func(e KafkaEndpoint) bool { return e.AccessPointID == accessPointID })
}

// EndpointOfType returns the endpoint of a connection type, and reports whether there is one. If
// there are several, it returns the one with the lowest access point ID, so that the choice stays
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

// ReadyPeerings returns the names of the PeeringObservations of the cluster's network that are
// READY, sorted. If peeringCount is above 500, there may be more than these.
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
// ID. If endpointCount is above 500, there may be more than these.
func (o *PeeringObservation) EndpointsOf(clusterID string) []KafkaEndpoint {
	var endpoints []KafkaEndpoint
	for _, e := range o.Status.Endpoints {
		if e.ClusterID == clusterID {
			endpoints = append(endpoints, e.KafkaEndpoint)
		}
	}
	return endpoints
}
