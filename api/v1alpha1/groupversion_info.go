// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 has the kinds of the API inventory.ccloud.dev/v1alpha1. Users write
// InventorySource and EnvironmentDiscovery. The operator writes the kinds whose names end in
// Observation.
//
// +kubebuilder:object:generate=true
// +groupName=inventory.ccloud.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion is the API group and the version of all kinds in this package.
	GroupVersion = schema.GroupVersion{Group: "inventory.ccloud.dev", Version: "v1alpha1"}

	// SchemeBuilder collects the functions that register the kinds.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers every kind of this package in a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&InventorySource{}, &InventorySourceList{},
		&EnvironmentDiscovery{}, &EnvironmentDiscoveryList{},
		&KafkaClusterObservation{}, &KafkaClusterObservationList{},
		&PeeringObservation{}, &PeeringObservationList{},
		&NetworkObservation{}, &NetworkObservationList{},
		&SchemaRegistryObservation{}, &SchemaRegistryObservationList{},
		&TransitGatewayAttachmentObservation{}, &TransitGatewayAttachmentObservationList{},
		&PrivateLinkAccessObservation{}, &PrivateLinkAccessObservationList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
