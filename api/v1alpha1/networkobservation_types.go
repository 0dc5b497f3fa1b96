// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkObservationSpec says which network is observed. The operator writes
// the spec once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type NetworkObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the network, for example n-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	NetworkID string `json:"networkID"`
}

// NetworkObservationStatus has the network as the API last reported it, the
// clusters in it, and what connects it. A field that the API does not give is
// absent. Long texts are cut and end in ….
type NetworkObservationStatus struct {
	// Phase: PROVISIONING, READY, FAILED, DEPROVISIONING, or a phase that this
	// version does not know.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name that people gave the network.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Cloud provider: AWS, GCP, AZURE, or a word that this version does not
	// know.
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// Region of the cloud provider.
	// +optional
	Region string `json:"region,omitempty"`
	// Requested ways to connect, in the API's order: PEERING, TRANSITGATEWAY,
	// PRIVATELINK, or words that this version does not know.
	// +optional
	// +listType=atomic
	ConnectionTypes []string `json:"connectionTypes,omitempty"`
	// Ways to connect that are in use, in the API's order.
	// +optional
	// +listType=atomic
	ActiveConnectionTypes []string `json:"activeConnectionTypes,omitempty"`
	// Ways to connect that the network supports, in the API's order.
	// +optional
	// +listType=atomic
	SupportedConnectionTypes []string `json:"supportedConnectionTypes,omitempty"`
	// Address range of the network, for example 10.200.0.0/16. Routes to the
	// network need this range.
	// +optional
	CIDR string `json:"cidr,omitempty"`
	// Address range that Confluent keeps for itself.
	// +optional
	ReservedCIDR string `json:"reservedCIDR,omitempty"`
	// Availability zones of the network, sorted by zone ID.
	// +optional
	// +listType=map
	// +listMapKey=zoneID
	Zones []NetworkZone `json:"zones,omitempty"`
	// Way to resolve names in dnsDomain: CHASED_PRIVATE, PRIVATE, or a word
	// that this version does not know.
	// +optional
	DNSResolution string `json:"dnsResolution,omitempty"`
	// DNS domain of the network's endpoints.
	// +optional
	DNSDomain string `json:"dnsDomain,omitempty"`
	// Suffix of the host names of the network's endpoints.
	// +optional
	EndpointSuffix string `json:"endpointSuffix,omitempty"`
	// DNS domain of each zone. The keys are zone IDs.
	// +optional
	ZonalSubdomains map[string]string `json:"zonalSubdomains,omitempty"`
	// Gateway of the network. Absent if the network has no gateway.
	// +optional
	Gateway *GatewayReference `json:"gateway,omitempty"`
	// Time since which nothing uses the network.
	// +optional
	IdleSince *metav1.Time `json:"idleSince,omitempty"`
	// The API's code for an error of the network.
	// +optional
	ErrorCode string `json:"errorCode,omitempty"`
	// The API's message for an error of the network.
	// +optional
	ErrorMessage string `json:"errorMessage,omitempty"`
	// Confluent's side of the network on AWS. Absent until the network is
	// READY.
	// +optional
	AWS *AWSNetwork `json:"aws,omitempty"`
	// Confluent's side of the network on Google Cloud. Absent until the network
	// is READY.
	// +optional
	GCP *GCPNetwork `json:"gcp,omitempty"`
	// Confluent's side of the network on Azure. Absent until the network is
	// READY.
	// +optional
	Azure *AzureNetwork `json:"azure,omitempty"`

	CloudMetadata `json:",inline"`

	// Kafka clusters that this source mirrors in the network: at most the first
	// 500, sorted by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	KafkaClusters []KafkaClusterSummary `json:"kafkaClusters,omitempty"`

	// Number of all Kafka clusters that this source mirrors in the network,
	// including those that kafkaClusters leaves out. Absent if 0.
	// +optional
	KafkaClusterCount int32 `json:"kafkaClusterCount,omitempty"`

	NetworkConnections `json:",inline"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. Field
	// selectors can use this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the network was in the last complete listing or in a
	// later listing. Observed is False if the last complete listing lacked the
	// network. Observed is Unknown if there was no complete listing for
	// staleAfter. Ready is Unknown if Observed is not True, or if the phase is
	// unknown or absent. Otherwise Ready is True if the phase is READY, and
	// False if it is another known phase.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NetworkZone is one availability zone of a network.
type NetworkZone struct {
	// ID of the zone at the cloud provider, for example use1-az1.
	ZoneID string `json:"zoneID"`
	// Address range of the network in the zone. Absent if the API does not say.
	// +optional
	CIDR string `json:"cidr,omitempty"`
}

// GatewayReference names the gateway of a network.
type GatewayReference struct {
	// ID of the gateway, for example gw-00000.
	ID string `json:"id"`
	// ID of the gateway's environment. Absent if the API does not say.
	// +optional
	Environment string `json:"environment,omitempty"`
	// Confluent resource name (CRN) of the gateway.
	// +optional
	ResourceName string `json:"resourceName,omitempty"`
	// URL of the gateway in the API.
	// +optional
	Related string `json:"related,omitempty"`
}

// AWSNetwork is Confluent's side of a network on AWS.
type AWSNetwork struct {
	// ID of Confluent's VPC.
	// +optional
	VPC string `json:"vpc,omitempty"`
	// AWS account of the VPC.
	// +optional
	Account string `json:"account,omitempty"`
	// Name of the endpoint service. A PrivateLink endpoint connects to this
	// service.
	// +optional
	PrivateLinkEndpointService string `json:"privateLinkEndpointService,omitempty"`
}

// GCPNetwork is Confluent's side of a network on Google Cloud.
type GCPNetwork struct {
	// Google Cloud project of the VPC network.
	// +optional
	Project string `json:"project,omitempty"`
	// Name of Confluent's VPC network.
	// +optional
	VPCNetwork string `json:"vpcNetwork,omitempty"`
	// Service attachment of each zone. A Private Service Connect endpoint
	// connects to a service attachment. The keys are zone IDs.
	// +optional
	PrivateServiceConnectServiceAttachments map[string]string `json:"privateServiceConnectServiceAttachments,omitempty"`
}

// AzureNetwork is Confluent's side of a network on Azure.
type AzureNetwork struct {
	// Resource ID of Confluent's VNet.
	// +optional
	VNet string `json:"vnet,omitempty"`
	// Azure subscription of the VNet.
	// +optional
	Subscription string `json:"subscription,omitempty"`
	// Alias of each zone's Private Link service. A Private Link endpoint
	// connects to such a service. The keys are zone IDs.
	// +optional
	PrivateLinkServiceAliases map[string]string `json:"privateLinkServiceAliases,omitempty"`
	// Resource ID of each zone's Private Link service. The keys are zone IDs.
	// +optional
	PrivateLinkServiceResourceIDs map[string]string `json:"privateLinkServiceResourceIDs,omitempty"`
}

// KafkaClusterSummary is one Kafka cluster in a network.
type KafkaClusterSummary struct {
	// Name of the KafkaClusterObservation in the same namespace.
	Name string `json:"name"`
	// Phase of the cluster.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Missing if complete listings lack the cluster for a minute or longer. Absent
	// otherwise.
	// +optional
	Observed string `json:"observed,omitempty"`
}

// NetworkObservation is one network on Confluent Cloud as an InventorySource
// last saw it. The operator writes this object, and undoes the edits of others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=neo,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="REGION",type=string,JSONPath=`.status.region`
// +kubebuilder:printcolumn:name="CIDR",type=string,JSONPath=`.status.cidr`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="CONNECTIONS",type=string,JSONPath=`.status.connectionTypes`,priority=1
// +kubebuilder:printcolumn:name="DNS-DOMAIN",type=string,JSONPath=`.status.dnsDomain`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.networkID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type NetworkObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which network is observed, and for which source.
	// +required
	// +structType=atomic
	Spec NetworkObservationSpec `json:"spec"`
	// The state that the API last reported. Before the operator's first write
	// Ready is Unknown with reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status NetworkObservationStatus `json:"status,omitzero"`
}

// NetworkObservationList is a list of NetworkObservations.
//
// +kubebuilder:object:root=true
type NetworkObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NetworkObservation `json:"items"`
}

var _ Observation = &NetworkObservation{}

// CloudID implements Observation.
func (o *NetworkObservation) CloudID() string { return o.Spec.NetworkID }

// Origin implements Observation.
func (o *NetworkObservation) Origin() *ObservationOrigin { return &o.Spec.ObservationOrigin }

// Phase implements Observation.
func (o *NetworkObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *NetworkObservation) Conditions() *[]metav1.Condition { return &o.Status.Conditions }
