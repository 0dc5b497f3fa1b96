// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KafkaClusterObservationSpec says which cluster is observed. The operator
// writes the spec once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type KafkaClusterObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the Kafka cluster, for example lkc-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ClusterID string `json:"clusterID"`
}

// KafkaClusterObservationStatus has the cluster as the API last reported it,
// what connects the cluster's network, and the Schema Registry of its
// environment. A field that the API does not give is absent. Two spellings
// differ from the API: former connection types get their current spelling, and
// bootstrap servers lose the protocol in front. Long texts are cut and end in ….
type KafkaClusterObservationStatus struct {
	// Phase: PROVISIONING, PROVISIONED, FAILED, or a phase that this version
	// does not know.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name that people gave the cluster.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Availability: SINGLE_ZONE, MULTI_ZONE, LOW, HIGH, …
	// +optional
	Availability string `json:"availability,omitempty"`
	// Cloud provider: AWS, GCP, AZURE, …
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// The provider's region, for example us-east-1.
	// +optional
	Region string `json:"region,omitempty"`
	// Cluster type: Basic, Standard, Dedicated, Enterprise, Freight, …
	// +optional
	Type string `json:"type,omitempty"`
	// Number of Confluent Units for Kafka that the cluster has now. Absent if
	// the cluster is not Dedicated.
	// +optional
	CKU *int32 `json:"cku,omitempty"`
	// Number of Confluent Units for Kafka that the cluster should have. This
	// number differs from cku during a resize. Absent if the cluster is not
	// Dedicated.
	// +optional
	RequestedCKU *int32 `json:"requestedCKU,omitempty"`
	// Largest number of elastic Confluent Units to which the cluster can grow.
	// Absent if the API does not give this number.
	// +optional
	MaxECKU *int32 `json:"maxECKU,omitempty"`
	// Availability zones, in the API's order.
	// +optional
	// +listType=atomic
	Zones []string `json:"zones,omitempty"`
	// Release priority of a Dedicated cluster: REGULAR, PRIORITY, …
	// +optional
	ReleasePriority string `json:"releasePriority,omitempty"`
	// ID of the customer's encryption key on older clusters. Newer clusters
	// have byok instead.
	// +optional
	EncryptionKey string `json:"encryptionKey,omitempty"`
	// Whether the cluster is protected against deletion. Absent if the API does
	// not say.
	// +optional
	DeletionProtection *bool `json:"deletionProtection,omitempty"`
	// Kafka bootstrap servers, as host:port, separated by commas. If the API
	// gives bootstrap servers for the whole cluster, this field has them.
	// Otherwise it has the bootstrap servers of one access point: PUBLIC, or
	// else PRIVATE_LINK, or else the lowest access point ID that has bootstrap
	// servers. The field endpoints shows all access points. Absent if the API
	// gives no bootstrap servers.
	// +optional
	BootstrapServers string `json:"bootstrapServers,omitempty"`
	// URL of the cluster's Kafka REST API. If the API gives a URL for the whole
	// cluster, this field has it. Otherwise it has the URL of one access point:
	// PUBLIC, or else PRIVATE_LINK, or else the lowest access point ID that has
	// a URL. The field endpoints shows all access points. Absent if the API
	// gives no URL.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
	// URL of the cluster's former Kafka API. Newer clusters have no such URL.
	// +optional
	APIEndpoint string `json:"apiEndpoint,omitempty"`
	// All ways to reach the cluster, sorted by access point ID.
	// +optional
	// +listType=map
	// +listMapKey=accessPointID
	Endpoints []KafkaEndpoint `json:"endpoints,omitempty"`
	// Network of the cluster. Absent for a cluster without a network.
	// +optional
	Network *NetworkReference `json:"network,omitempty"`
	// The customer's own key that encrypts the cluster (BYOK). Absent if the
	// API names no key.
	// +optional
	BYOK *BYOKReference `json:"byok,omitempty"`

	CloudMetadata `json:",inline"`

	NetworkConnections `json:",inline"`

	// Schema Registry of the cluster's environment. If the environment has
	// several Schema Registry clusters, it is the first in this order: not missing
	// before missing for a minute, PROVISIONED before other phases, with
	// httpEndpoint before without, then by name. Absent if the source does not
	// mirror Schema Registry, or there is none.
	// +optional
	SchemaRegistry *SchemaRegistryReference `json:"schemaRegistry,omitempty"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. Field
	// selectors can use this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the cluster was in the last complete listing or in a
	// later listing. Observed is False if the last complete listing lacked the
	// cluster. Observed is Unknown if there was no complete listing for
	// staleAfter. Ready is Unknown if Observed is not True, or if the phase is
	// unknown or absent. Otherwise Ready is True if the phase is PROVISIONED,
	// and False if it is another known phase.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// KafkaEndpoint is one way to reach a Kafka cluster.
type KafkaEndpoint struct {
	// ID of the access point. The API reserves the IDs PUBLIC and PRIVATE_LINK.
	AccessPointID string `json:"accessPointID"`
	// PUBLIC, PRIVATE_LINK, PRIVATE_NETWORK_INTERFACE, …
	// +optional
	ConnectionType string `json:"connectionType,omitempty"`
	// Kafka bootstrap servers, as host:port, separated by commas.
	// +optional
	BootstrapServers string `json:"bootstrapServers,omitempty"`
	// URL of the Kafka REST API.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
}

// BYOKReference names a key of the customer.
type BYOKReference struct {
	// ID of the key in Confluent Cloud, for example cck-00000.
	ID string `json:"id"`
	// Confluent resource name (CRN) of the key.
	// +optional
	ResourceName string `json:"resourceName,omitempty"`
	// URL of the key in the API.
	// +optional
	Related string `json:"related,omitempty"`
}

// KafkaClusterObservation is one Kafka cluster on Confluent Cloud as an
// InventorySource last saw it. The operator writes this object, and undoes the
// edits of others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=kco,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="TYPE",type=string,JSONPath=`.status.type`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="REGION",type=string,JSONPath=`.status.region`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="BOOTSTRAP",type=string,JSONPath=`.status.bootstrapServers`,priority=1
// +kubebuilder:printcolumn:name="NETWORK",type=string,JSONPath=`.status.network.id`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.clusterID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type KafkaClusterObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which Kafka cluster is observed, and for which source.
	// +required
	// +structType=atomic
	Spec KafkaClusterObservationSpec `json:"spec"`
	// The state that the API last reported. Before the operator's first write
	// Ready is Unknown with reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status KafkaClusterObservationStatus `json:"status,omitzero"`
}

// KafkaClusterObservationList is a list of KafkaClusterObservations.
//
// +kubebuilder:object:root=true
type KafkaClusterObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []KafkaClusterObservation `json:"items"`
}

var _ Observation = &KafkaClusterObservation{}

// CloudID implements Observation.
func (o *KafkaClusterObservation) CloudID() string { return o.Spec.ClusterID }

// Origin implements Observation.
func (o *KafkaClusterObservation) Origin() *ObservationOrigin { return &o.Spec.ObservationOrigin }

// Phase implements Observation.
func (o *KafkaClusterObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *KafkaClusterObservation) Conditions() *[]metav1.Condition { return &o.Status.Conditions }
