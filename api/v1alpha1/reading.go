// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The functions in this file are for programs that read observations. They call no API and read no
// clock.

// Connection types of Kafka endpoints that the API (cmk/v2) documents. The API may also use others.
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

// phaseConnected is the phase in which an object that connects a network is Ready.
const phaseConnected = "READY"

// IsReady reports whether the condition Ready of an observation is True. Ready is True if the phase
// is PROVISIONED (Kafka and Schema Registry clusters) or READY (networks and what connects them), and
// the condition Observed is True.
func IsReady(o Observation) bool { return isTrue(*o.Conditions(), ConditionReady) }

// IsFresh reports whether the condition Observed of an observation is True: the cloud object was in
// the last complete listing or in a later listing. IsFresh returns false if the object is missing,
// or if there was no complete listing for staleAfter.
//
// While the operator is down, the conditions do not change. So IsFresh can return true although the
// observation is old. [InventorySource.KafkaClustersFresh] is right even then.
func IsFresh(o Observation) bool { return isTrue(*o.Conditions(), ConditionObserved) }

func isTrue(conditions []metav1.Condition, conditionType string) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == conditionType && c.Status == metav1.ConditionTrue
	})
}

// KafkaClustersFresh reports whether the last complete listing of the source's Kafka clusters is
// younger than staleAfter. now is the current time. The result is right even while the operator is
// down.
func (s *InventorySource) KafkaClustersFresh(now time.Time) bool {
	return s.fresh(s.Status.KafkaClusters, now)
}

// PeeringsFresh does for peerings what KafkaClustersFresh does for Kafka clusters.
func (s *InventorySource) PeeringsFresh(now time.Time) bool {
	return s.fresh(s.Status.Peerings, now)
}

// NetworksFresh does for networks what KafkaClustersFresh does for Kafka clusters.
func (s *InventorySource) NetworksFresh(now time.Time) bool {
	return s.fresh(s.Status.Networks, now)
}

// SchemaRegistryFresh does for Schema Registry what KafkaClustersFresh does for Kafka clusters.
func (s *InventorySource) SchemaRegistryFresh(now time.Time) bool {
	return s.fresh(s.Status.SchemaRegistry, now)
}

// TransitGatewayAttachmentsFresh does for transit gateway attachments what KafkaClustersFresh does for
// Kafka clusters.
func (s *InventorySource) TransitGatewayAttachmentsFresh(now time.Time) bool {
	return s.fresh(s.Status.TransitGatewayAttachments, now)
}

// PrivateLinkAccessesFresh reports the same as KafkaClustersFresh, for private link accesses.
func (s *InventorySource) PrivateLinkAccessesFresh(now time.Time) bool {
	return s.fresh(s.Status.PrivateLinkAccesses, now)
}

func (s *InventorySource) fresh(of *InventorySummary, now time.Time) bool {
	return of != nil && of.LastListTime != nil && now.Sub(of.LastListTime.Time) < s.GetStaleAfter()
}

// Endpoint returns the endpoint of an access point, and whether the cluster has that access point.
func (o *KafkaClusterObservation) Endpoint(accessPointID string) (KafkaEndpoint, bool) {
	return find(o.Status.Endpoints, func(e KafkaEndpoint) bool { return e.AccessPointID == accessPointID })
}

// EndpointOfType returns an endpoint with a connection type, and whether the cluster has such an
// endpoint. If there are several, it returns the endpoint with the lowest access point ID. So the
// result does not change unless the endpoints change.
func (o *KafkaClusterObservation) EndpointOfType(connectionType string) (KafkaEndpoint, bool) {
	return find(o.Status.Endpoints, func(e KafkaEndpoint) bool { return e.ConnectionType == connectionType })
}

func find(endpoints []KafkaEndpoint, is func(KafkaEndpoint) bool) (KafkaEndpoint, bool) {
	if i := slices.IndexFunc(endpoints, is); i >= 0 {
		return endpoints[i], true
	}
	return KafkaEndpoint{}, false
}

// Connection names the observation of an object that connects a network.
//
// +kubebuilder:object:generate=false
type Connection struct{ Kind, Name string }

// ReachableThrough returns the network's connections in phase READY that are not missing, sorted by name
// within a kind. The status has at most 500 of a kind. If the count of the kind is larger, connections
// can be absent.
func (c *NetworkConnections) ReachableThrough() []Connection {
	var ready []Connection
	for _, of := range []struct {
		kind  string
		shown []ConnectionSummary
	}{
		{"PeeringObservation", c.Peerings},
		{"TransitGatewayAttachmentObservation", c.TransitGatewayAttachments},
		{"PrivateLinkAccessObservation", c.PrivateLinkAccesses},
	} {
		for _, one := range of.shown {
			if one.Phase == phaseConnected && one.Observed != ReasonMissing {
				ready = append(ready, Connection{of.kind, one.Name})
			}
		}
	}
	return ready
}

// SchemaRegistryURL returns the URL of the Schema Registry of the cluster's environment. Clients need
// it as schema.registry.url. It returns "" if there is none, or if the source does not mirror Schema
// Registry.
func (o *KafkaClusterObservation) SchemaRegistryURL() string {
	if o.Status.SchemaRegistry == nil {
		return ""
	}
	return o.Status.SchemaRegistry.HTTPEndpoint
}

// PrivateEndpointIn returns the URL of the Schema Registry in the private networks of a region. It
// returns "" if there is none. The status has at most 100 regions. If privateRegionalEndpointCount is
// larger, regions can be absent.
func (o *SchemaRegistryObservation) PrivateEndpointIn(region string) string {
	for _, e := range o.Status.PrivateRegionalEndpoints {
		if e.Region == region {
			return e.HTTPEndpoint
		}
	}
	return ""
}

// EndpointsOf returns the endpoints of one cluster in the network, sorted by access point ID. The
// status has at most 500 endpoints. If endpointCount is larger, endpoints can be absent.
func (r *ReachableEndpoints) EndpointsOf(clusterID string) []KafkaEndpoint {
	var endpoints []KafkaEndpoint
	for _, e := range r.Endpoints {
		if e.ClusterID == clusterID {
			endpoints = append(endpoints, e.KafkaEndpoint)
		}
	}
	return endpoints
}
