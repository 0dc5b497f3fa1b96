// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PrivateLinkAccessObservationSpec says which access is observed. The
// operator writes it once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type PrivateLinkAccessObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the private link access, for example pla-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	PrivateLinkAccessID string `json:"privateLinkAccessID"`
}

// PrivateLinkAccessObservationStatus has the access as the API last reported it,
// and the Kafka endpoints in its network. A field that the API does not give is
// absent. Two fields differ from the API: the prefix networking.v1. of kind is
// dropped, and cloud follows from kind. Long texts are cut and end in ….
type PrivateLinkAccessObservationStatus struct {
	// Phase: PROVISIONING, READY, FAILED, DEPROVISIONING, or a word that is newer
	// than this version.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name that people gave the access.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Cloud provider, from kind: AWS, AZURE or GCP. Absent for any other kind.
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// AwsPrivateLinkAccess, AzurePrivateLinkAccess,
	// GcpPrivateServiceConnectAccess, or a word that is newer than this version.
	// +optional
	Kind string `json:"kind,omitempty"`
	// Who may connect on AWS.
	// +optional
	AWS *AWSPrivateLinkAccess `json:"aws,omitempty"`
	// Who may connect on Azure.
	// +optional
	Azure *AzurePrivateLinkAccess `json:"azure,omitempty"`
	// Who may connect on Google Cloud.
	// +optional
	GCP *GCPPrivateServiceConnectAccess `json:"gcp,omitempty"`
	// Confluent network that may be connected to. Absent if the API names none.
	// +optional
	Network *NetworkReference `json:"network,omitempty"`
	// The API's code for an error of the access.
	// +optional
	ErrorCode string `json:"errorCode,omitempty"`
	// The API's message for an error of the access.
	// +optional
	ErrorMessage string `json:"errorMessage,omitempty"`

	CloudMetadata `json:",inline"`

	ReachableEndpoints `json:",inline"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. A field
	// selector can name this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the access was in the last complete listing or in any
	// later one; False if the last complete listing lacked it; Unknown if there
	// was no complete listing for staleAfter. Ready is True if the phase is READY,
	// False if another known phase, Unknown if the phase is unknown or absent, or
	// if Observed is not True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AWSPrivateLinkAccess is an AWS account that may connect to a network by
// PrivateLink.
type AWSPrivateLinkAccess struct {
	// ID of the AWS account.
	// +optional
	Account string `json:"account,omitempty"`
}

// AzurePrivateLinkAccess is an Azure subscription that may connect to a network by
// Private Link.
type AzurePrivateLinkAccess struct {
	// ID of the Azure subscription.
	// +optional
	Subscription string `json:"subscription,omitempty"`
}

// GCPPrivateServiceConnectAccess is a Google Cloud project that may connect to a
// network by Private Service Connect.
type GCPPrivateServiceConnectAccess struct {
	// ID of the Google Cloud project.
	// +optional
	Project string `json:"project,omitempty"`
}

// PrivateLinkAccessObservation is one access to a network by private link, on
// Confluent Cloud as an InventorySource last saw it. The operator writes it and
// undoes edits.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=plo,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="NETWORK",type=string,JSONPath=`.status.network.id`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,JSONPath=`.status.aws.account`,priority=1
// +kubebuilder:printcolumn:name="SUBSCRIPTION",type=string,JSONPath=`.status.azure.subscription`,priority=1
// +kubebuilder:printcolumn:name="PROJECT",type=string,JSONPath=`.status.gcp.project`,priority=1
// +kubebuilder:printcolumn:name="ERROR",type=string,JSONPath=`.status.errorMessage`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.privateLinkAccessID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type PrivateLinkAccessObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which access is observed, and for which source.
	// +required
	// +structType=atomic
	Spec PrivateLinkAccessObservationSpec `json:"spec"`
	// What the API last reported. Before the first write Ready is Unknown with
	// reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status PrivateLinkAccessObservationStatus `json:"status,omitzero"`
}

// PrivateLinkAccessObservationList is a list of
// PrivateLinkAccessObservations.
//
// +kubebuilder:object:root=true
type PrivateLinkAccessObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PrivateLinkAccessObservation `json:"items"`
}

var _ Observation = &PrivateLinkAccessObservation{}

// CloudID implements Observation.
func (o *PrivateLinkAccessObservation) CloudID() string {
	return o.Spec.PrivateLinkAccessID
}

// Origin implements Observation.
func (o *PrivateLinkAccessObservation) Origin() *ObservationOrigin {
	return &o.Spec.ObservationOrigin
}

// Phase implements Observation.
func (o *PrivateLinkAccessObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *PrivateLinkAccessObservation) Conditions() *[]metav1.Condition {
	return &o.Status.Conditions
}
