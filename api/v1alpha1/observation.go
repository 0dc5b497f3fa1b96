// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Observation is the interface of all kinds of observations. Programs that read
// several kinds can use this interface.
//
// +kubebuilder:object:generate=false
type Observation interface {
	metav1.Object
	runtime.Object

	// CloudID returns the ID that the cloud gave the object.
	CloudID() string
	// Origin returns a pointer to the part of the spec that names the source
	// and the environment.
	Origin() *ObservationOrigin
	// Phase returns the object's phase in the cloud's own words; "" if the
	// cloud gave no phase.
	Phase() string
	// Conditions returns a pointer to the conditions in the status. The caller
	// can read and change the conditions.
	Conditions() *[]metav1.Condition
}

// ObservationOrigin names the source that made an observation, and the
// environment of the cloud object.
type ObservationOrigin struct {
	// InventorySource that made this observation. It is in the same namespace.
	// +required
	SourceRef LocalReference `json:"sourceRef"`

	// ID of the object's Confluent Cloud environment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Environment string `json:"environment"`
}

// NetworkReference names the network of a cloud object.
type NetworkReference struct {
	// ID of the network, for example n-00000.
	ID string `json:"id"`
	// ID of the network's environment. Absent if the API does not say.
	// +optional
	Environment string `json:"environment,omitempty"`
	// Confluent resource name (CRN) of the network.
	// +optional
	ResourceName string `json:"resourceName,omitempty"`
	// URL of the network in the API.
	// +optional
	Related string `json:"related,omitempty"`

	// Phase of the network. Absent if the source does not mirror networks, or
	// if the network is not known.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Address range of the network. Absent if the source does not mirror
	// networks, or if the network is not known.
	// +optional
	CIDR string `json:"cidr,omitempty"`
	// DNS domain of the network's endpoints. Absent if the source does not
	// mirror networks, or if the network is not known.
	// +optional
	DNSDomain string `json:"dnsDomain,omitempty"`
	// Missing if the source mirrors networks and complete listings lack the network
	// for a minute or longer. Absent otherwise.
	// +optional
	Observed string `json:"observed,omitempty"`
}

// NetworkConnections has the objects that connect a network. The network and the
// Kafka clusters in it show them.
type NetworkConnections struct {
	// Peerings that this source mirrors in the network: at most the first 500,
	// sorted by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	Peerings []ConnectionSummary `json:"peerings,omitempty"`

	// Number of all peerings that this source mirrors in the network, including
	// those that peerings leaves out. Absent if 0.
	// +optional
	PeeringCount int32 `json:"peeringCount,omitempty"`

	// Transit gateway attachments of the network that this source mirrors: at most
	// the first 500, sorted by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	TransitGatewayAttachments []ConnectionSummary `json:"transitGatewayAttachments,omitempty"`

	// Number of all transit gateway attachments of the network that this source
	// mirrors. transitGatewayAttachments names at most 500. Absent if 0.
	// +optional
	TransitGatewayAttachmentCount int32 `json:"transitGatewayAttachmentCount,omitempty"`

	// Private link accesses of the network that this source mirrors: at most the
	// first 500, sorted by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	PrivateLinkAccesses []ConnectionSummary `json:"privateLinkAccesses,omitempty"`

	// Number of all private link accesses of the network that this source
	// mirrors. privateLinkAccesses names at most 500. Absent if 0.
	// +optional
	PrivateLinkAccessCount int32 `json:"privateLinkAccessCount,omitempty"`
}

// ConnectionSummary has the name and phase of one object that connects a network.
type ConnectionSummary struct {
	// Name of its observation in the same namespace.
	Name string `json:"name"`
	// Phase of the object.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Missing if complete listings lack the object for a minute or longer. Absent
	// otherwise.
	// +optional
	Observed string `json:"observed,omitempty"`
}

// ReachableEndpoints are the Kafka endpoints in the network that an object
// connects.
type ReachableEndpoints struct {
	// Endpoints of the Kafka clusters that this source mirrors in the network: at
	// most the first 500, sorted by cluster ID, then by access point ID.
	// +optional
	// +listType=map
	// +listMapKey=clusterID
	// +listMapKey=accessPointID
	Endpoints []ReachableEndpoint `json:"endpoints,omitempty"`

	// Number of all endpoints of the Kafka clusters that this source mirrors in the
	// network, including those that endpoints leaves out. Absent if 0.
	// +optional
	EndpointCount int32 `json:"endpointCount,omitempty"`
}

// ReachableEndpoint is one way to reach a Kafka cluster in a network.
type ReachableEndpoint struct {
	// ID of the Kafka cluster.
	ClusterID string `json:"clusterID"`

	// Missing if complete listings lack the cluster for a minute or longer. Absent
	// otherwise.
	// +optional
	Observed string `json:"observed,omitempty"`

	// The endpoint. If the API gives the cluster one address and no access
	// points, accessPointID is empty.
	KafkaEndpoint `json:",inline"`
}

// CloudMetadata is the metadata that the API gives for every object. A date is
// absent if it is not in the form of RFC 3339.
type CloudMetadata struct {
	// Confluent resource name (CRN) of the object.
	// +optional
	ResourceName string `json:"resourceName,omitempty"`
	// URL of the object in the API.
	// +optional
	Self string `json:"self,omitempty"`
	// When the cloud created the object.
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`
	// When the cloud last changed the object.
	// +optional
	UpdatedAt *metav1.Time `json:"updatedAt,omitempty"`
	// When the cloud deleted the object. Present only if the API still lists
	// the deleted object.
	// +optional
	DeletedAt *metav1.Time `json:"deletedAt,omitempty"`
}
