// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the kinds of inventory.ccloud.dev/v1alpha1: InventorySource
// and EnvironmentDiscovery, which a user writes, and KafkaClusterObservation, PeeringObservation and
// NetworkObservation, which the operator writes.
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
	// GroupVersion is the API group and version of every kind in this package.
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
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
