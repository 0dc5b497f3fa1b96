// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"maps"
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

func (s *NetworkObservationStatus) same(o *NetworkObservationStatus) bool {
	return s.Phase == o.Phase &&
		s.DisplayName == o.DisplayName &&
		s.Cloud == o.Cloud &&
		s.Region == o.Region &&
		slices.Equal(s.ConnectionTypes, o.ConnectionTypes) &&
		slices.Equal(s.ActiveConnectionTypes, o.ActiveConnectionTypes) &&
		slices.Equal(s.SupportedConnectionTypes, o.SupportedConnectionTypes) &&
		s.CIDR == o.CIDR &&
		s.ReservedCIDR == o.ReservedCIDR &&
		slices.Equal(s.Zones, o.Zones) &&
		s.DNSResolution == o.DNSResolution &&
		s.DNSDomain == o.DNSDomain &&
		s.EndpointSuffix == o.EndpointSuffix &&
		maps.Equal(s.ZonalSubdomains, o.ZonalSubdomains) &&
		sameValue(s.Gateway, o.Gateway) &&
		sameTime(s.IdleSince, o.IdleSince) &&
		s.ErrorCode == o.ErrorCode &&
		s.ErrorMessage == o.ErrorMessage &&
		sameValue(s.AWS, o.AWS) &&
		s.GCP.same(o.GCP) &&
		s.Azure.same(o.Azure) &&
		s.CloudMetadata.same(&o.CloudMetadata) &&
		slices.Equal(s.KafkaClusters, o.KafkaClusters) &&
		s.KafkaClusterCount == o.KafkaClusterCount &&
		slices.Equal(s.Peerings, o.Peerings) &&
		s.PeeringCount == o.PeeringCount
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

func (n *GCPNetwork) same(o *GCPNetwork) bool {
	if n == nil || o == nil {
		return n == o
	}
	return n.Project == o.Project && n.VPCNetwork == o.VPCNetwork &&
		maps.Equal(n.PrivateServiceConnectServiceAttachments, o.PrivateServiceConnectServiceAttachments)
}

func (n *AzureNetwork) same(o *AzureNetwork) bool {
	if n == nil || o == nil {
		return n == o
	}
	return n.VNet == o.VNet && n.Subscription == o.Subscription &&
		maps.Equal(n.PrivateLinkServiceAliases, o.PrivateLinkServiceAliases) &&
		maps.Equal(n.PrivateLinkServiceResourceIDs, o.PrivateLinkServiceResourceIDs)
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
