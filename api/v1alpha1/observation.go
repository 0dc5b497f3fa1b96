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
