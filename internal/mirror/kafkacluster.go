// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// KafkaCluster is the Kind of Kafka clusters. It has the phases that the cloud API cmk/v2 defines
// for a cluster, for example PROVISIONED.
var KafkaCluster = observationKind(Kind{
	Name:        "KafkaCluster",
	Condition:   v1alpha1.ConditionKafkaClustersSynced,
	ReadyPhase:  "PROVISIONED",
	OtherPhases: []string{"PROVISIONING", "FAILED"},
	content: observationContent(
		func(o *v1alpha1.KafkaClusterObservation) *v1alpha1.KafkaClusterObservationStatus { return &o.Status },
		func(s *v1alpha1.KafkaClusterObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, ""} // The API does not say why a cluster failed.
		}),
	InfoMetric: "kafka_cluster_info",
	InfoLabels: []string{"cluster_id", "display_name", "phase", "type", "cloud", "region"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.KafkaClusterObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Type, status.Cloud, status.Region}
	},
	attachFacts: attachKafkaCluster,
	joinFacts:   joinKafkaCluster,
	withJoinedFacts: func(o, factSource Object) Object {
		joined, other := *o.(*v1alpha1.KafkaClusterObservation), factSource.(*v1alpha1.KafkaClusterObservation)
		joined.Status.NetworkConnections = other.Status.NetworkConnections
		joined.Status.Network = withFactsOf(joined.Status.Network, other.Status.Network)
		joined.Status.SchemaRegistry = other.Status.SchemaRegistry
		return &joined
	},
},
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.KafkaClusters, s.KafkaClusters.Policy
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary { return &s.KafkaClusters })

// clustersOfNetworks has the clusters of each network. endpointsOfNetworks has the Kafka endpoints
// of each network. The keys are the IDs of the networks.
var (
	clustersOfNetworks = &topic[v1alpha1.KafkaClusterSummary]{
		func(a, b v1alpha1.KafkaClusterSummary) int { return cmp.Compare(a.Name, b.Name) },
	}
	endpointsOfNetworks = &topic[v1alpha1.ReachableEndpoint]{
		func(a, b v1alpha1.ReachableEndpoint) int {
			return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
		},
	}
)

func attachKafkaCluster(t topics, o Object, observed string) {
	cluster := o.(*v1alpha1.KafkaClusterObservation)
	network := networkID(cluster.Status.Network)
	endpointsOfNetworks.addFacts(t, network, reachableEndpoints(cluster, observed)...)
	clustersOfNetworks.addFacts(t, network, v1alpha1.KafkaClusterSummary{Name: cluster.Name, Phase: cluster.Status.Phase, Observed: observed})
}

func joinKafkaCluster(t topics, o Object) Object {
	cluster := o.(*v1alpha1.KafkaClusterObservation)
	connections := connectionsOf(t, networkID(cluster.Status.Network))
	network := joinReference(t, cluster.Status.Network)
	registry := joinSchemaRegistry(t, cluster.Spec.Environment, cluster.Status.SchemaRegistry)
	if cluster.Status.Network == network && cluster.Status.SchemaRegistry == registry &&
		sameConnections(&cluster.Status.NetworkConnections, &connections) {
		return o
	}
	joined := *cluster
	joined.Status.Network, joined.Status.SchemaRegistry = network, registry
	joined.Status.NetworkConnections = connections
	return &joined
}

// reachableEndpoints returns the endpoints of a cluster. If the cluster has addresses but no
// access points, the result is one endpoint with these addresses. If the cluster has neither, the
// result is empty. The parameter observed is "Missing" if the cluster has been missing in the
// cloud for a minute or longer. Each endpoint gets this value in the field Observed.
func reachableEndpoints(o *v1alpha1.KafkaClusterObservation, observed string) []v1alpha1.ReachableEndpoint {
	if len(o.Status.Endpoints) == 0 && o.Status.BootstrapServers+o.Status.HTTPEndpoint != "" {
		return []v1alpha1.ReachableEndpoint{{ClusterID: o.Spec.ClusterID, Observed: observed, KafkaEndpoint: v1alpha1.KafkaEndpoint{
			BootstrapServers: o.Status.BootstrapServers,
			HTTPEndpoint:     o.Status.HTTPEndpoint,
		}}}
	}
	endpoints := make([]v1alpha1.ReachableEndpoint, len(o.Status.Endpoints))
	for i, e := range o.Status.Endpoints {
		endpoints[i] = v1alpha1.ReachableEndpoint{ClusterID: o.Spec.ClusterID, Observed: observed, KafkaEndpoint: e}
	}
	return endpoints
}

// ProjectKafkaCluster converts a Kafka cluster from the cloud into an observation. It sets no
// conditions, and no facts about other cloud objects.
func ProjectKafkaCluster(c *wire.Cluster) v1alpha1.Observation {
	o := &v1alpha1.KafkaClusterObservation{}
	o.Spec.ClusterID = c.ID
	o.Labels = kindLabels(
		v1alpha1.LabelNetwork, c.Spec.Network.ID,
		v1alpha1.LabelCloud, c.Spec.Cloud,
		v1alpha1.LabelRegion, c.Spec.Region,
		v1alpha1.LabelType, c.Spec.Config.Kind,
	)
	endpoints := kafkaEndpoints(c.Spec.Endpoints)
	o.Status = v1alpha1.KafkaClusterObservationStatus{
		Phase:              c.Status.Phase,
		DisplayName:        c.Spec.DisplayName,
		Availability:       c.Spec.Availability,
		Cloud:              c.Spec.Cloud,
		Region:             c.Spec.Region,
		Type:               c.Spec.Config.Kind,
		CKU:                positiveOrNil(c.Status.CKU),
		RequestedCKU:       positiveOrNil(c.Spec.Config.CKU),
		MaxECKU:            positiveOrNil(c.Spec.Config.MaxECKU),
		Zones:              c.Spec.Config.Zones,
		ReleasePriority:    c.Spec.Config.ReleasePriority,
		EncryptionKey:      c.Spec.Config.EncryptionKey,
		DeletionProtection: c.Spec.DeletionProtection,
		BootstrapServers:   preferredAddress(hostPort(c.Spec.KafkaBootstrapEndpoint), endpoints, bootstrapServers),
		HTTPEndpoint:       preferredAddress(c.Spec.HTTPEndpoint, endpoints, httpEndpoint),
		APIEndpoint:        c.Spec.APIEndpoint,
		Endpoints:          endpoints,
		Network:            networkReference(c.Spec.Network),
		CloudMetadata:      cloudMetadata(c.Metadata),
	}
	if c.Spec.BYOK.ID != "" {
		o.Status.BYOK = &v1alpha1.BYOKReference{ID: c.Spec.BYOK.ID, ResourceName: c.Spec.BYOK.ResourceName, Related: c.Spec.BYOK.Related}
	}
	return o
}

// connectionTypes maps the old spelling of a connection type to the new spelling. The cloud API's
// documentation shows the old spelling.
var connectionTypes = map[string]string{
	"PRIVATELINK":             "PRIVATE_LINK",
	"PRIVATENETWORKINTERFACE": "PRIVATE_NETWORK_INTERFACE",
}

// kafkaEndpoints converts the access points of a cluster, and sorts them by ID.
func kafkaEndpoints(byAccessPoint map[string]*wire.Endpoint) []v1alpha1.KafkaEndpoint {
	if len(byAccessPoint) == 0 {
		return nil
	}
	endpoints := make([]v1alpha1.KafkaEndpoint, 0, len(byAccessPoint))
	for _, id := range slices.Sorted(maps.Keys(byAccessPoint)) {
		e := byAccessPoint[id]
		connectionType, oldSpelling := connectionTypes[e.ConnectionType]
		if !oldSpelling {
			connectionType = e.ConnectionType
		}
		endpoints = append(endpoints, v1alpha1.KafkaEndpoint{
			AccessPointID:    id,
			ConnectionType:   connectionType,
			BootstrapServers: hostPort(e.KafkaBootstrapEndpoint),
			HTTPEndpoint:     e.HTTPEndpoint,
		})
	}
	return endpoints
}

func bootstrapServers(e v1alpha1.KafkaEndpoint) string { return e.BootstrapServers }
func httpEndpoint(e v1alpha1.KafkaEndpoint) string     { return e.HTTPEndpoint }

// reservedAccessPoints has the IDs of access points that the cloud API reserves. The function
// preferredAddress tries the IDs in this order.
var reservedAccessPoints = []string{"PUBLIC", "PRIVATE_LINK"}

// preferredAddress returns the address that clients of a cluster should use. The last parameter is
// a function that returns the address of one endpoint, for example its HTTP address. The result is
// the first of these addresses that is not empty:
//
//   - clusterWide: the address in the cloud API's deprecated field for the whole cluster,
//   - the address of the access point PUBLIC,
//   - the address of the access point PRIVATE_LINK,
//   - the addresses of all other access points, in the given order.
func preferredAddress(clusterWide string, endpoints []v1alpha1.KafkaEndpoint, field func(v1alpha1.KafkaEndpoint) string) string {
	if clusterWide != "" {
		return clusterWide
	}
	for _, reserved := range reservedAccessPoints {
		for _, e := range endpoints {
			if e.AccessPointID == reserved && field(e) != "" {
				return field(e)
			}
		}
	}
	for _, e := range endpoints {
		if field(e) != "" {
			return field(e)
		}
	}
	return ""
}
