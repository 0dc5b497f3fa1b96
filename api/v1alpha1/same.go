// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The comparisons here are written by hand: each sync compares every status there
// is, and by reflection that was most of what a sync without a change costs. A list
// that is empty equals one that is absent, as it does to the API server. That no
// field is forgotten is TestAStatusDiffersInEveryField's to say.

func (s *KafkaClusterObservationStatus) same(o *KafkaClusterObservationStatus) bool {
	return s.Phase == o.Phase &&
		s.DisplayName == o.DisplayName &&
		s.Availability == o.Availability &&
		s.Cloud == o.Cloud &&
		s.Region == o.Region &&
		s.Type == o.Type &&
		sameValue(s.CKU, o.CKU) &&
		sameValue(s.RequestedCKU, o.RequestedCKU) &&
		sameValue(s.MaxECKU, o.MaxECKU) &&
		slices.Equal(s.Zones, o.Zones) &&
		s.ReleasePriority == o.ReleasePriority &&
		s.EncryptionKey == o.EncryptionKey &&
		sameValue(s.DeletionProtection, o.DeletionProtection) &&
		s.BootstrapServers == o.BootstrapServers &&
		s.HTTPEndpoint == o.HTTPEndpoint &&
		s.APIEndpoint == o.APIEndpoint &&
		slices.Equal(s.Endpoints, o.Endpoints) &&
		sameValue(s.Network, o.Network) &&
		sameValue(s.BYOK, o.BYOK) &&
		s.CloudMetadata.same(&o.CloudMetadata) &&
		slices.Equal(s.Peerings, o.Peerings) &&
		s.PeeringCount == o.PeeringCount
}

func (s *PeeringObservationStatus) same(o *PeeringObservationStatus) bool {
	return s.Phase == o.Phase &&
		s.DisplayName == o.DisplayName &&
		s.Cloud == o.Cloud &&
		s.Kind == o.Kind &&
		s.Region == o.Region &&
		s.AWS.same(o.AWS) &&
		s.GCP.same(o.GCP) &&
		sameValue(s.Azure, o.Azure) &&
		sameValue(s.Network, o.Network) &&
		s.ErrorCode == o.ErrorCode &&
		s.ErrorMessage == o.ErrorMessage &&
		s.CloudMetadata.same(&o.CloudMetadata) &&
		slices.Equal(s.Endpoints, o.Endpoints) &&
		s.EndpointCount == o.EndpointCount
}

func (m *CloudMetadata) same(o *CloudMetadata) bool {
	return m.ResourceName == o.ResourceName && m.Self == o.Self &&
		sameTime(m.CreatedAt, o.CreatedAt) && sameTime(m.UpdatedAt, o.UpdatedAt) && sameTime(m.DeletedAt, o.DeletedAt)
}

func (p *AWSPeering) same(o *AWSPeering) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Account == o.Account && p.VPC == o.VPC && slices.Equal(p.Routes, o.Routes) && p.CustomerRegion == o.CustomerRegion
}

func (p *GCPPeering) same(o *GCPPeering) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Project == o.Project && p.VPCNetwork == o.VPCNetwork && sameValue(p.ImportCustomRoutes, o.ImportCustomRoutes)
}

// sameValue reports whether both are absent or both have the same value.
func sameValue[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// sameTime reports whether both are absent or both are the same moment.
func sameTime(a, b *metav1.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Time.Equal(b.Time)
}
