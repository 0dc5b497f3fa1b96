// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PeeringObservationSpec says which peering is observed. The operator writes
// the spec once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type PeeringObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the peering, for example p-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	PeeringID string `json:"peeringID"`
}

// PeeringObservationStatus has the peering as the API last reported it, and the
// Kafka endpoints in the peering's network. A field that the API does not give
// is absent. Two fields differ from the API: kind has no prefix networking.v1.,
// and cloud is derived from kind. Long texts are cut and end in ….
type PeeringObservationStatus struct {
	// Phase: PROVISIONING, PENDING_ACCEPT, READY, FAILED, DEPROVISIONING,
	// DISCONNECTED, or a phase that this version does not know.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name that people gave the peering.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Cloud provider, derived from kind: AWS, GCP or AZURE. Absent for any
	// other kind.
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// AwsPeering, GcpPeering, AzurePeering, or a word that this version does
	// not know.
	// +optional
	Kind string `json:"kind,omitempty"`
	// Region of the customer's network. Absent if the API does not say.
	// +optional
	Region string `json:"region,omitempty"`
	// The customer's side on AWS.
	// +optional
	AWS *AWSPeering `json:"aws,omitempty"`
	// The customer's side on Google Cloud.
	// +optional
	GCP *GCPPeering `json:"gcp,omitempty"`
	// The customer's side on Azure.
	// +optional
	Azure *AzurePeering `json:"azure,omitempty"`
	// The peered Confluent network. Absent if the API names no network.
	// +optional
	Network *NetworkReference `json:"network,omitempty"`
	// The API's code for an error of the peering.
	// +optional
	ErrorCode string `json:"errorCode,omitempty"`
	// The API's message for an error of the peering.
	// +optional
	ErrorMessage string `json:"errorMessage,omitempty"`

	CloudMetadata `json:",inline"`

	ReachableEndpoints `json:",inline"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. Field
	// selectors can use this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the peering was in the last complete listing or in a
	// later listing. Observed is False if the last complete listing lacked the
	// peering. Observed is Unknown if there was no complete listing for
	// staleAfter. Ready is Unknown if Observed is not True, or if the phase is
	// unknown or absent. Otherwise Ready is True if the phase is READY, and
	// False if it is another known phase.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AWSPeering is the customer's side of a peering with a VPC on AWS.
type AWSPeering struct {
	// AWS account of the VPC.
	// +optional
	Account string `json:"account,omitempty"`
	// ID of the VPC.
	// +optional
	VPC string `json:"vpc,omitempty"`
	// CIDR blocks of the VPC to which Confluent's network has routes, in the
	// API's order.
	// +optional
	// +listType=atomic
	Routes []string `json:"routes,omitempty"`
	// Region of the VPC.
	// +optional
	CustomerRegion string `json:"customerRegion,omitempty"`
}

// GCPPeering is the customer's side of a peering with a VPC network on Google
// Cloud.
type GCPPeering struct {
	// Google Cloud project of the VPC network.
	// +optional
	Project string `json:"project,omitempty"`
	// Name of the VPC network.
	// +optional
	VPCNetwork string `json:"vpcNetwork,omitempty"`
	// Whether Confluent imports the custom routes of the VPC network. Absent if
	// the API does not say.
	// +optional
	ImportCustomRoutes *bool `json:"importCustomRoutes,omitempty"`
}

// AzurePeering is the customer's side of a peering with a VNet on Azure.
type AzurePeering struct {
	// Microsoft Entra tenant of the VNet.
	// +optional
	Tenant string `json:"tenant,omitempty"`
	// Resource ID of the VNet.
	// +optional
	VNet string `json:"vnet,omitempty"`
	// Region of the VNet.
	// +optional
	CustomerRegion string `json:"customerRegion,omitempty"`
}

// PeeringObservation is one network peering on Confluent Cloud as an
// InventorySource last saw it. The operator writes this object, and undoes the
// edits of others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=peo,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="REGION",type=string,JSONPath=`.status.region`
// +kubebuilder:printcolumn:name="NETWORK",type=string,JSONPath=`.status.network.id`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ERROR",type=string,JSONPath=`.status.errorMessage`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.peeringID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type PeeringObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which peering is observed, and for which source.
	// +required
	// +structType=atomic
	Spec PeeringObservationSpec `json:"spec"`
	// The state that the API last reported. Before the operator's first write
	// Ready is Unknown with reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status PeeringObservationStatus `json:"status,omitzero"`
}

// PeeringObservationList is a list of PeeringObservations.
//
// +kubebuilder:object:root=true
type PeeringObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PeeringObservation `json:"items"`
}

var _ Observation = &PeeringObservation{}

// CloudID implements Observation.
func (o *PeeringObservation) CloudID() string { return o.Spec.PeeringID }

// Origin implements Observation.
func (o *PeeringObservation) Origin() *ObservationOrigin { return &o.Spec.ObservationOrigin }

// Phase implements Observation.
func (o *PeeringObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *PeeringObservation) Conditions() *[]metav1.Condition { return &o.Status.Conditions }
