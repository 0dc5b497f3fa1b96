// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Observation is what all kinds of observations have, for programs that read any of them.
//
// +kubebuilder:object:generate=false
type Observation interface {
	metav1.Object
	runtime.Object

	// CloudID returns the ID that the cloud gave the object.
	CloudID() string
	// Origin returns the part of the spec that names the source and the environment.
	Origin() *ObservationOrigin
	// Phase returns the cloud's own word for the object's phase.
	Phase() string
	// Conditions returns the conditions in the status, to read or to change.
	Conditions() *[]metav1.Condition
}

// ObservationOrigin says which source made an observation, and of which
// environment.
type ObservationOrigin struct {
	// The InventorySource, in the same namespace, that made this observation.
	// +required
	SourceRef LocalReference `json:"sourceRef"`

	// ID of the Confluent Cloud environment the object was listed in.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Environment string `json:"environment"`
}

// NetworkReference is the network a cloud object is attached to.
type NetworkReference struct {
	// ID of the network, for example n-00000.
	ID string `json:"id"`
	// ID of the environment the network belongs to, where the API tells.
	// +optional
	Environment string `json:"environment,omitempty"`
	// Confluent resource name (CRN) of the network.
	// +optional
	ResourceName string `json:"resourceName,omitempty"`
	// URL of the network in the API.
	// +optional
	Related string `json:"related,omitempty"`

	// Phase of the network; absent, as the next two, where the source does not mirror
	// networks.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Address range of the network.
	// +optional
	CIDR string `json:"cidr,omitempty"`
	// Domain under which the network's endpoints have their names.
	// +optional
	DNSDomain string `json:"dnsDomain,omitempty"`
}

// CloudMetadata is what the API tells about any of its objects. A date the API
// does not give, or not in RFC 3339, is absent.
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
	// When the cloud deleted the object, where it still lists it.
	// +optional
	DeletedAt *metav1.Time `json:"deletedAt,omitempty"`
}
