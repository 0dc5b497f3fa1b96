// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SchemaRegistryObservationSpec says which Schema Registry cluster is observed.
// The operator writes the spec once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type SchemaRegistryObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the Schema Registry cluster, for example lsrc-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ClusterID string `json:"clusterID"`
}

// SchemaRegistryObservationStatus has the Schema Registry cluster as the API last
// reported it. A field that the API does not give is absent. Long texts are cut
// and end in ….
type SchemaRegistryObservationStatus struct {
	// Phase: PROVISIONING, PROVISIONED, FAILED, or a phase that this version does
	// not know.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name of the Schema Registry cluster.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Stream Governance package: ESSENTIALS, ADVANCED, or a word that this version
	// does not know.
	// +optional
	Package string `json:"package,omitempty"`
	// Cloud provider: AWS, GCP, AZURE, or a word that this version does not know.
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// Region of the cloud provider, for example us-east4.
	// +optional
	Region string `json:"region,omitempty"`
	// URL of the Schema Registry API. Clients need it as schema.registry.url.
	// Absent if the API gives none.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
	// URL of the Stream Catalog API. Absent if the API gives none.
	// +optional
	CatalogHTTPEndpoint string `json:"catalogHTTPEndpoint,omitempty"`
	// URL of the Schema Registry API in private networks. The API has superseded it
	// by privateRegionalEndpoints. Absent if the API gives none.
	// +optional
	PrivateHTTPEndpoint string `json:"privateHTTPEndpoint,omitempty"`
	// URLs of the Schema Registry API in private networks of each region, sorted by
	// region: the first 100, and fewer if they would take more than 256 KiB.
	// +optional
	// +listType=map
	// +listMapKey=region
	PrivateRegionalEndpoints []PrivateRegionalEndpoint `json:"privateRegionalEndpoints,omitempty"`
	// Number of all private regional endpoints. privateRegionalEndpoints may have
	// fewer. Absent if 0.
	// +optional
	PrivateRegionalEndpointCount int32 `json:"privateRegionalEndpointCount,omitempty"`

	CloudMetadata `json:",inline"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. Field
	// selectors can use this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the Schema Registry cluster was in the last complete
	// listing or in a later listing. Observed is False if the last complete
	// listing lacked it. Observed is Unknown if there was no complete listing for
	// staleAfter. Ready is Unknown if Observed is not True, or if the phase is
	// unknown or absent. Otherwise Ready is True if the phase is PROVISIONED, and
	// False if it is another known phase.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// PrivateRegionalEndpoint is the address of a Schema Registry cluster in the
// private networks of one region.
type PrivateRegionalEndpoint struct {
	// Region of the cloud provider, for example us-west-2.
	Region string `json:"region"`
	// URL of the Schema Registry API.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
}

// SchemaRegistryReference is the Schema Registry cluster of an environment, as
// the environment's Kafka clusters show it.
type SchemaRegistryReference struct {
	// Name of the SchemaRegistryObservation in the same namespace.
	Name string `json:"name"`
	// Phase of the Schema Registry cluster.
	// +optional
	Phase string `json:"phase,omitempty"`
	// URL of the Schema Registry API. Absent if the API gives none.
	// +optional
	HTTPEndpoint string `json:"httpEndpoint,omitempty"`
	// Missing if complete listings lack the Schema Registry cluster for a minute or
	// longer. Absent otherwise.
	// +optional
	Observed string `json:"observed,omitempty"`
}

// SchemaRegistryObservation is one Schema Registry cluster on Confluent Cloud as
// an InventorySource last saw it. An environment usually has one. The operator
// writes this object, and undoes the edits of others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sro,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="PACKAGE",type=string,JSONPath=`.status.package`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="REGION",type=string,JSONPath=`.status.region`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ENDPOINT",type=string,JSONPath=`.status.httpEndpoint`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.clusterID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type SchemaRegistryObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which Schema Registry cluster is observed, and for which source.
	// +required
	// +structType=atomic
	Spec SchemaRegistryObservationSpec `json:"spec"`
	// What the API last reported. Before the first write Ready is Unknown with
	// reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status SchemaRegistryObservationStatus `json:"status,omitzero"`
}

// SchemaRegistryObservationList is a list of SchemaRegistryObservations.
//
// +kubebuilder:object:root=true
type SchemaRegistryObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SchemaRegistryObservation `json:"items"`
}

var _ Observation = &SchemaRegistryObservation{}

// CloudID implements Observation.
func (o *SchemaRegistryObservation) CloudID() string { return o.Spec.ClusterID }

// Origin implements Observation.
func (o *SchemaRegistryObservation) Origin() *ObservationOrigin { return &o.Spec.ObservationOrigin }

// Phase implements Observation.
func (o *SchemaRegistryObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *SchemaRegistryObservation) Conditions() *[]metav1.Condition { return &o.Status.Conditions }
