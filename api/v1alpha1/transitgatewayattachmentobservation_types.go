// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TransitGatewayAttachmentObservationSpec says which attachment is observed. The
// operator writes it once.
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: an observation is written by the operator; change the InventorySource instead"
type TransitGatewayAttachmentObservationSpec struct {
	ObservationOrigin `json:",inline"`

	// ID of the transit gateway attachment, for example tgwa-12345.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	TransitGatewayAttachmentID string `json:"transitGatewayAttachmentID"`
}

// TransitGatewayAttachmentObservationStatus has the attachment as the API last
// reported it, and the Kafka endpoints in its network. A field that the API does
// not give is absent. Two fields differ from the API: the prefix networking.v1. of
// kind is dropped, and cloud follows from kind. Long texts are cut and end in ….
type TransitGatewayAttachmentObservationStatus struct {
	// Phase: PROVISIONING, PENDING_ACCEPT, READY, FAILED, DEPROVISIONING,
	// DISCONNECTED, ERROR, or a word that is newer than this version.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Name that people gave the attachment.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Cloud provider, from kind: AWS. Absent for any other kind.
	// +optional
	Cloud string `json:"cloud,omitempty"`
	// AwsTransitGatewayAttachment, or a word that is newer than this version.
	// +optional
	Kind string `json:"kind,omitempty"`
	// The transit gateway on AWS, and what is routed to it.
	// +optional
	AWS *AWSTransitGatewayAttachment `json:"aws,omitempty"`
	// Confluent network that is attached. Absent if the API names none.
	// +optional
	Network *NetworkReference `json:"network,omitempty"`
	// The API's code for an error of the attachment.
	// +optional
	ErrorCode string `json:"errorCode,omitempty"`
	// The API's message for an error of the attachment.
	// +optional
	ErrorMessage string `json:"errorMessage,omitempty"`

	CloudMetadata `json:",inline"`

	ReachableEndpoints `json:",inline"`

	// Reason of the condition Observed: Listed, Missing or SourceStale. A field
	// selector can name this field.
	// +optional
	Observed string `json:"observed,omitempty"`

	// Observed is True if the attachment was in the last complete listing or in
	// any later one; False if the last complete listing lacked it; Unknown if
	// there was no complete listing for staleAfter. Ready is True if the phase is
	// READY, False if another known phase, Unknown if the phase is unknown or
	// absent, or if Observed is not True.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// AWSTransitGatewayAttachment is an attachment of a network to a transit gateway
// on AWS.
type AWSTransitGatewayAttachment struct {
	// ID of the customer's transit gateway.
	// +optional
	TransitGatewayID string `json:"transitGatewayID,omitempty"`
	// ID of the attachment on AWS. Absent until AWS has made it.
	// +optional
	TransitGatewayAttachmentID string `json:"transitGatewayAttachmentID,omitempty"`
	// ARN of the resource share (AWS RAM) through which Confluent sees the transit
	// gateway.
	// +optional
	RAMShareARN string `json:"ramShareARN,omitempty"`
	// CIDR blocks that Confluent's network routes to the transit gateway, in the
	// API's order.
	// +optional
	// +listType=atomic
	Routes []string `json:"routes,omitempty"`
}

// TransitGatewayAttachmentObservation is one attachment of a network to a transit
// gateway, on Confluent Cloud as an InventorySource last saw it. The operator
// writes it and undoes edits.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tgo,categories=ccloud
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.status.displayName`
// +kubebuilder:printcolumn:name="PHASE",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="CLOUD",type=string,JSONPath=`.status.cloud`
// +kubebuilder:printcolumn:name="NETWORK",type=string,JSONPath=`.status.network.id`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="TRANSIT-GATEWAY",type=string,JSONPath=`.status.aws.transitGatewayID`,priority=1
// +kubebuilder:printcolumn:name="ROUTES",type=string,JSONPath=`.status.aws.routes`,priority=1
// +kubebuilder:printcolumn:name="ERROR",type=string,JSONPath=`.status.errorMessage`,priority=1
// +kubebuilder:printcolumn:name="SOURCE",type=string,JSONPath=`.spec.sourceRef.name`,priority=1
// +kubebuilder:selectablefield:JSONPath=`.spec.transitGatewayAttachmentID`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
// +kubebuilder:selectablefield:JSONPath=`.spec.sourceRef.name`
// +kubebuilder:selectablefield:JSONPath=`.status.phase`
// +kubebuilder:selectablefield:JSONPath=`.status.observed`
type TransitGatewayAttachmentObservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which attachment is observed, and for which source.
	// +required
	// +structType=atomic
	Spec TransitGatewayAttachmentObservationSpec `json:"spec"`
	// What the API last reported. Before the first write Ready is Unknown with
	// reason Progressing.
	// +optional
	// +structType=atomic
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Progressing", message: "the status was not written yet", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status TransitGatewayAttachmentObservationStatus `json:"status,omitzero"`
}

// TransitGatewayAttachmentObservationList is a list of
// TransitGatewayAttachmentObservations.
//
// +kubebuilder:object:root=true
type TransitGatewayAttachmentObservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TransitGatewayAttachmentObservation `json:"items"`
}

var _ Observation = &TransitGatewayAttachmentObservation{}

// CloudID implements Observation.
func (o *TransitGatewayAttachmentObservation) CloudID() string {
	return o.Spec.TransitGatewayAttachmentID
}

// Origin implements Observation.
func (o *TransitGatewayAttachmentObservation) Origin() *ObservationOrigin {
	return &o.Spec.ObservationOrigin
}

// Phase implements Observation.
func (o *TransitGatewayAttachmentObservation) Phase() string { return o.Status.Phase }

// Conditions implements Observation.
func (o *TransitGatewayAttachmentObservation) Conditions() *[]metav1.Condition {
	return &o.Status.Conditions
}
