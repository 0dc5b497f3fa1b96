// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// What observations should say is written down here again, from the contract of the
// kinds and with nothing of internal/mirror: its mistakes must show.

// expected is what one observation should be.
type expected struct {
	labels map[string]string
	// status is a pointer to the kind's status, without conditions.
	status any
	phase  string
	// ready is the phase in which an object of the kind is ready, known are the others
	// that have a meaning.
	ready string
	known []string
}

// expect returns what the observations of an environment should be, by the ID of their
// object.
func expect(environment string, clusters []cloudsim.Cluster, peerings []cloudsim.Peering) map[string]expected {
	out := map[string]expected{}
	for _, c := range clusters {
		labels := labelled(environment, networkOf(c), c.Spec.Cloud, c.Spec.Region)
		setUnlessEmpty(labels, v1alpha1.LabelType, c.Spec.Config.Kind)
		out[c.ID] = expected{labels, expectCluster(c, peerings), c.Status.Phase,
			cloudsim.PhaseProvisioned, []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed}}
	}
	for _, p := range peerings {
		status := expectPeering(p, clusters)
		out[p.ID] = expected{labelled(environment, p.Spec.Network.ID, status.Cloud, status.Region), status, p.Status.Phase,
			cloudsim.PhaseReady, []string{cloudsim.PhaseProvisioning, cloudsim.PhasePendingAccept, cloudsim.PhaseFailed,
				cloudsim.PhaseDeprovisioning, cloudsim.PhaseDisconnected}}
	}
	return out
}

func labelled(environment, network, cloud, region string) map[string]string {
	labels := map[string]string{v1alpha1.LabelEnvironment: environment}
	setUnlessEmpty(labels, v1alpha1.LabelNetwork, network)
	setUnlessEmpty(labels, v1alpha1.LabelCloud, cloud)
	setUnlessEmpty(labels, v1alpha1.LabelRegion, region)
	return labels
}

func setUnlessEmpty(labels map[string]string, key, value string) {
	if value != "" {
		labels[key] = value
	}
}

func networkOf(c cloudsim.Cluster) string {
	if c.Spec.Network == nil {
		return ""
	}
	return c.Spec.Network.ID
}

func expectCluster(c cloudsim.Cluster, peerings []cloudsim.Peering) *v1alpha1.KafkaClusterObservationStatus {
	endpoints := endpointsOf(c)
	status := &v1alpha1.KafkaClusterObservationStatus{
		Phase:              c.Status.Phase,
		DisplayName:        c.Spec.DisplayName,
		Availability:       c.Spec.Availability,
		Cloud:              c.Spec.Cloud,
		Region:             c.Spec.Region,
		Type:               c.Spec.Config.Kind,
		CKU:                unlessZero(c.Status.CKU),
		RequestedCKU:       unlessZero(c.Spec.Config.CKU),
		MaxECKU:            unlessZero(c.Spec.Config.MaxECKU),
		Zones:              c.Spec.Config.Zones,
		ReleasePriority:    c.Spec.Config.ReleasePriority,
		EncryptionKey:      c.Spec.Config.EncryptionKey,
		BootstrapServers:   address(c.Spec.KafkaBootstrapEndpoint),
		HTTPEndpoint:       c.Spec.HTTPEndpoint,
		APIEndpoint:        c.Spec.APIEndpoint,
		DeletionProtection: c.Spec.DeletionProtection,
		Endpoints:          endpoints,
		CloudMetadata:      metadata(c.Metadata),
	}
	if c.Spec.Network != nil {
		status.Network = network(*c.Spec.Network)
	}
	if c.Spec.BYOK != nil {
		status.BYOK = &v1alpha1.BYOKReference{ID: c.Spec.BYOK.ID, ResourceName: c.Spec.BYOK.ResourceName, Related: c.Spec.BYOK.Related}
	}
	for _, e := range bestFirst(endpoints) {
		status.BootstrapServers = cmp.Or(status.BootstrapServers, e.BootstrapServers)
		status.HTTPEndpoint = cmp.Or(status.HTTPEndpoint, e.HTTPEndpoint)
	}
	for _, p := range peerings {
		if id := networkOf(c); id != "" && p.Spec.Network.ID == id {
			status.Peerings = append(status.Peerings, v1alpha1.PeeringSummary{Name: p.ID, Phase: p.Status.Phase})
		}
	}
	status.PeeringCount = int32(len(status.Peerings))
	slices.SortFunc(status.Peerings, func(a, b v1alpha1.PeeringSummary) int { return cmp.Compare(a.Name, b.Name) })
	return status
}

// endpointsOf returns a cluster's endpoints by access point.
func endpointsOf(c cloudsim.Cluster) []v1alpha1.KafkaEndpoint {
	var endpoints []v1alpha1.KafkaEndpoint
	for _, id := range slices.Sorted(maps.Keys(c.Spec.Endpoints)) {
		e := c.Spec.Endpoints[id]
		endpoints = append(endpoints, v1alpha1.KafkaEndpoint{
			AccessPointID: id, ConnectionType: e.ConnectionType,
			BootstrapServers: address(e.KafkaBootstrapEndpoint), HTTPEndpoint: e.HTTPEndpoint,
		})
	}
	return endpoints
}

// bestFirst returns endpoints in the order in which one is taken for the cluster's own.
func bestFirst(endpoints []v1alpha1.KafkaEndpoint) []v1alpha1.KafkaEndpoint {
	best := slices.Clone(endpoints)
	rank := func(e v1alpha1.KafkaEndpoint) int {
		switch e.AccessPointID {
		case "PUBLIC":
			return 0
		case "PRIVATE_LINK":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(best, func(a, b v1alpha1.KafkaEndpoint) int { return cmp.Compare(rank(a), rank(b)) })
	return best
}

func expectPeering(p cloudsim.Peering, clusters []cloudsim.Cluster) *v1alpha1.PeeringObservationStatus {
	cloud := p.Spec.Cloud
	status := &v1alpha1.PeeringObservationStatus{
		Phase:         p.Status.Phase,
		DisplayName:   p.Spec.DisplayName,
		Kind:          cloud.Kind,
		Region:        cloud.CustomerRegion,
		Network:       network(p.Spec.Network),
		ErrorCode:     p.Status.ErrorCode,
		ErrorMessage:  p.Status.ErrorMessage,
		CloudMetadata: metadata(p.Metadata),
	}
	switch cloud.Kind {
	case "AwsPeering":
		status.Cloud = "AWS"
		status.AWS = &v1alpha1.AWSPeering{Account: cloud.Account, VPC: cloud.VPC, Routes: cloud.Routes, CustomerRegion: cloud.CustomerRegion}
	case "GcpPeering":
		status.Cloud = "GCP"
		status.GCP = &v1alpha1.GCPPeering{Project: cloud.Project, VPCNetwork: cloud.VPCNetwork, ImportCustomRoutes: cloud.ImportCustomRoutes}
	case "AzurePeering":
		status.Cloud = "AZURE"
		status.Azure = &v1alpha1.AzurePeering{Tenant: cloud.Tenant, VNet: cloud.VNet, CustomerRegion: cloud.CustomerRegion}
	}
	for _, c := range clusters {
		if networkOf(c) == p.Spec.Network.ID {
			status.Endpoints = append(status.Endpoints, peeringEndpoints(c)...)
		}
	}
	status.EndpointCount = int32(len(status.Endpoints))
	slices.SortFunc(status.Endpoints, func(a, b v1alpha1.PeeringEndpoint) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.AccessPointID, b.AccessPointID))
	})
	return status
}

// peeringEndpoints returns what a peering shows of a cluster on its network.
func peeringEndpoints(c cloudsim.Cluster) []v1alpha1.PeeringEndpoint {
	endpoints := endpointsOf(c)
	if bootstrap := address(c.Spec.KafkaBootstrapEndpoint); len(endpoints) == 0 && bootstrap+c.Spec.HTTPEndpoint != "" {
		endpoints = []v1alpha1.KafkaEndpoint{{BootstrapServers: bootstrap, HTTPEndpoint: c.Spec.HTTPEndpoint}}
	}
	out := make([]v1alpha1.PeeringEndpoint, len(endpoints))
	for i, e := range endpoints {
		out[i] = v1alpha1.PeeringEndpoint{ClusterID: c.ID, KafkaEndpoint: e}
	}
	return out
}

func network(r cloudsim.Reference) *v1alpha1.NetworkReference {
	return &v1alpha1.NetworkReference{ID: r.ID, Environment: r.Environment, ResourceName: r.ResourceName, Related: r.Related}
}

func metadata(m cloudsim.Metadata) v1alpha1.CloudMetadata {
	return v1alpha1.CloudMetadata{ResourceName: m.ResourceName, Self: m.Self,
		CreatedAt: inSeconds(m.CreatedAt), UpdatedAt: inSeconds(m.UpdatedAt), DeletedAt: inSeconds(m.DeletedAt)}
}

func inSeconds(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)}
}

func unlessZero(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// address is a bootstrap address without the protocol in front.
func address(bootstrap string) string {
	if _, rest, found := strings.Cut(bootstrap, "://"); found {
		return rest
	}
	return bootstrap
}
