// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// clusters are Kafka clusters. Its phases are those of cmk/v2.
var clusters = &kind{
	plural:    "clusters",
	path:      "/cmk/v2/clusters",
	prefix:    "lkc",
	weight:    2,
	resource:  "kafkaclusterobservations",
	condition: v1alpha1.ConditionKafkaClustersSynced,
	field:     "kafkaClusters",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.KafkaClusters },
	list:      func() client.ObjectList { return &v1alpha1.KafkaClusterObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.KafkaClusterObservation{Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: id}}
	},
	ready:  cloudsim.PhaseProvisioned,
	known:  []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed},
	odd:    cloudsim.OddClusterPhase,
	usual:  func(s *source) int { return s.usual },
	expect: expectClusters,
	changes: []func(*source, *kind, *rand.Rand) string{
		(*source).changeEndpoints, (*source).changeEndpoints, (*source).resize, (*source).moveCluster,
	},
}

func expectClusters(held cloudsim.Inventory) map[string]expected {
	out := map[string]expected{}
	for _, c := range held.Clusters {
		labels := labelled(networkOf(c), c.Spec.Cloud, c.Spec.Region)
		setUnlessEmpty(labels, v1alpha1.LabelType, c.Spec.Config.Kind)
		out[c.ID] = expected{labels: labels, status: expectCluster(c, held), phase: c.Status.Phase}
	}
	return out
}

func networkOf(c cloudsim.Cluster) string {
	if c.Spec.Network == nil {
		return ""
	}
	return c.Spec.Network.ID
}

func expectCluster(c cloudsim.Cluster, held cloudsim.Inventory) *v1alpha1.KafkaClusterObservationStatus {
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
		status.Network = joinedNetwork(*c.Spec.Network, held)
	}
	if c.Spec.BYOK != nil {
		status.BYOK = &v1alpha1.BYOKReference{ID: c.Spec.BYOK.ID, ResourceName: c.Spec.BYOK.ResourceName, Related: c.Spec.BYOK.Related}
	}
	for _, e := range bestFirst(endpoints) {
		status.BootstrapServers = cmp.Or(status.BootstrapServers, e.BootstrapServers)
		status.HTTPEndpoint = cmp.Or(status.HTTPEndpoint, e.HTTPEndpoint)
	}
	for _, p := range held.Peerings {
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

// update lets edit change any one cluster.
func (s *source) update(k *kind, r *rand.Rand, what string, edit func(*cloudsim.Cluster)) string {
	all := s.Cloud.Clusters(s.environment)
	if len(all) == 0 {
		return s.create(k, r)
	}
	id := pick(r, all).ID
	_ = s.Cloud.UpdateCluster(id, edit) // It is there: nobody else takes it out.
	return "cluster " + id + what
}

// changeEndpoints gives a cluster another access point, or takes all away.
func (s *source) changeEndpoints(k *kind, r *rand.Rand) string {
	n := r.IntN(1000)
	return s.update(k, r, " has other endpoints", func(c *cloudsim.Cluster) {
		if n%4 == 0 {
			c.Spec.Endpoints = nil
			return
		}
		if c.Spec.Endpoints == nil {
			c.Spec.Endpoints = map[string]cloudsim.Endpoint{}
		}
		host := fmt.Sprintf("%s-ap%03d.example", c.ID, n)
		c.Spec.Endpoints[fmt.Sprintf("ap%03d", n)] = cloudsim.Endpoint{KafkaBootstrapEndpoint: host + ":9092",
			HTTPEndpoint: "https://" + host + ":443", ConnectionType: cloudsim.ConnectionPrivateLink}
	})
}

func (s *source) resize(k *kind, r *rand.Rand) string {
	cku := 1 + r.Int32N(8)
	return s.update(k, r, " is resized", func(c *cloudsim.Cluster) {
		c.Spec.Config.CKU, c.Status.CKU = cku, max(1, cku-r.Int32N(2))
		c.Spec.DisplayName = fmt.Sprintf("resized-to-%d", cku)
	})
}

// moveCluster puts a cluster on the network of a peering, so that both change.
func (s *source) moveCluster(k *kind, r *rand.Rand) string {
	id := pick(r, s.templates.Peerings).Spec.Network.ID
	return s.update(k, r, " moves to network "+id, func(c *cloudsim.Cluster) { c.Spec.Network = &cloudsim.Reference{ID: id} })
}
