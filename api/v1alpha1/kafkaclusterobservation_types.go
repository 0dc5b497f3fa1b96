// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KafkaClusterObservationSpec says which cluster is observed. The operator
// writes it once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type KafkaClusterObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the Kafka cluster, for example lkc-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ClusterID string `json:"clusterID"`
}

// KafkaClusterObservationStatus is the cluster as the API last told it. Every
// word is the API's own; a field the API does not give is absent.
type KafkaClusterObservationStatus struct {
	// Lifecycle phase: PROVISIONING, PROVISIONED, FAILED, or a word newer than
	// this version.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name people gave the cluster.
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
	// Confluent Units for Kafka that a Dedicated cluster has now.
	// +optional
	CKU *int32 `json:"cku,omitempty"`
	// Confluent Units for Kafka asked for; differs from cku during a resize.
	// +optional
	RequestedCKU *int32 `json:"requestedCKU,omitempty"`
	// Most elastic Confluent Units the cluster may grow to.
	// +optional
	MaxECKU *int32 `json:"maxECKU,omitempty"`
	// Availability zones, in the API's order.
	// +optional
	// +listType=atomic
	Zones []string `json:"zones,omitempty"`
	// Release priority of a Dedicated cluster: REGULAR, PRIORITY, …
	// +optional
	ReleasePriority string `json:"releasePriority,omitempty"`
	// ID of the customer's key that encrypts the cluster; byok on newer ones.
	// +optional
	EncryptionKey string `json:"encryptionKey,omitempty"`
	// Whether the cluster is protected against deletion.
	// +optional
	DeletionProtection *bool `json:"deletionProtection,omitempty"`
	// Kafka bootstrap servers, host:port: the ones to use if in doubt. The API's
	// own field if set, else access point PUBLIC, else PRIVATE_LINK, else the
	// lowest access point ID. endpoints has all of them.
	// +optional
	BootstrapServers string `json:"bootstrapServers,omitempty"`
	// URL of the cluster's Kafka REST API, chosen as bootstrapServers is.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
	// URL of the cluster's former Kafka API, on old clusters.
	// +optional
	APIEndpoint string `json:"apiEndpoint,omitempty"`
	// Every way to reach the cluster, by access point ID, sorted.
	// +optional
	// +listType=map
	// +listMapKey=accessPointID
	Endpoints []KafkaEndpoint `json:"endpoints,omitempty"`
	// Network the cluster is in; absent for a public one.
	// +optional
	Network *NetworkReference `json:"network,omitempty"`
	// Key of one's own (BYOK) that encrypts the cluster.
	// +optional
	BYOK *BYOKReference `json:"byok,omitempty"`

	CloudMetadata `json:",inline"`

	// Peerings of the cluster's network that this source mirrors, sorted by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	Peerings []PeeringSummary `json:"peerings,omitempty"`

	// Number of those peerings, all of them; absent where 0.
	// +optional
	PeeringCount int32 `json:"peeringCount,omitempty"`

	// Reason of the condition Observed, where a field selector can name it: Listed,
	// Missing or SourceStale.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed: whether the cluster was in the last complete listing. Ready:
	// whether it is PROVISIONED.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// KafkaEndpoint is one way to reach a Kafka cluster.
type KafkaEndpoint struct {
	// ID of the access point; PUBLIC and PRIVATE_LINK are the reserved ones.
	AccessPointID string `json:"accessPointID"`
	// PUBLIC, PRIVATE_LINK, PRIVATE_NETWORK_INTERFACE, …
	// +optional
	ConnectionType string `json:"connectionType,omitempty"`
	// Kafka bootstrap servers, host:port.
	// +optional
	BootstrapServers string `json:"bootstrapServers,omitempty"`
	// URL of the Kafka REST API.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
}

// BYOKReference is a key of the customer's own.
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

// PeeringSummary is one peering of a cluster's network.
type PeeringSummary struct {
	// Name of the PeeringObservation in the same namespace.
	Name string `json:"name"`
	// Its phase.
	// +optional
	Phase string `json:"phase,omitempty"`
}

// KafkaClusterObservation is one Kafka cluster on Confluent Cloud as an
// InventorySource last saw it. The operator writes it; an edit is undone.
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

	// +required
	// +structType=atomic
	Spec KafkaClusterObservationSpec `json:"spec"`
	// The default keeps kstatus from taking an observation whose status was not
	// written yet for one that is as it should be.
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
