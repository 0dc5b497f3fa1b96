// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Observation is what all kinds of observations have in common. Programs that
// read several kinds can use it.
//
// +kubebuilder:object:generate=false
type Observation interface {
	metav1.Object
	runtime.Object

	// CloudID returns the ID that the cloud gave the object.
	CloudID() string
	// Origin returns the part of the spec that names the source and the environment.
	Origin() *ObservationOrigin
	// Phase returns the cloud's own word for the object's phase; "" if the cloud
	// gave none.
	Phase() string
	// Conditions returns the conditions in the status, for reading and for
	// changing them.
	Conditions() *[]metav1.Condition
}

// ObservationOrigin says which source made an observation, and from which
// environment.
type ObservationOrigin struct {
	// InventorySource that made this observation, in the same namespace.
	// +required
	SourceRef LocalReference `json:"sourceRef"`

	// ID of the Confluent Cloud environment of the object.
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

	// Phase of the network. Absent if the source does not mirror networks, or the
	// network is not known.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Address range of the network. Absent if the source does not mirror networks,
	// or the network is not known.
	// +optional
	CIDR string `json:"cidr,omitempty"`
	// DNS domain of the network's endpoints. Absent if the source does not mirror
	// networks, or the network is not known.
	// +optional
	DNSDomain string `json:"dnsDomain,omitempty"`
}

// CloudMetadata is what the API gives for every object. A date that is not in
// RFC 3339 is absent.
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
	// When the cloud deleted the object, if it still lists it.
	// +optional
	DeletedAt *metav1.Time `json:"deletedAt,omitempty"`
}
