// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// clusters is the kind of Kafka clusters. Its phases are those of cmk/v2.
var clusters = &kind{
	plural:    "clusters",
	path:      "/cmk/v2/clusters",
	prefix:    "lkc",
	weight:    2,
	policy:    func(s *v1alpha1.MirrorSettings) *v1alpha1.MirrorPolicy { return &s.KafkaClusters.Policy },
	resource:  "kafkaclusterobservations",
	condition: v1alpha1.ConditionKafkaClustersSynced,
	field:     "kafkaClusters",
	summary:   func(s *v1alpha1.InventorySourceStatus) *v1alpha1.InventorySummary { return s.KafkaClusters },
	list:      func() client.ObjectList { return &v1alpha1.KafkaClusterObservationList{} },
	object: func(id string) v1alpha1.Observation {
		return &v1alpha1.KafkaClusterObservation{Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: id}}
	},
	ready:   cloudsim.PhaseProvisioned,
	known:   []string{cloudsim.PhaseProvisioning, cloudsim.PhaseFailed},
	odd:     cloudsim.OddClusterPhase,
	usual:   func(s *source) int { return s.usual },
	project: projection(mirror.ProjectKafkaCluster),
	join:    joinCluster,
	changes: []func(*source, *kind, *rand.Rand) string{
		(*source).changeEndpoints, (*source).changeEndpoints, (*source).resize, (*source).moveCluster,
	},
}

// joinCluster sets the fields that come from other objects: what connects the cluster's network, the
// fields of the network, and the environment's Schema Registry.
func joinCluster(id string, o v1alpha1.Observation, held *inventory) {
	status := &o.(*v1alpha1.KafkaClusterObservation).Status
	held.fillNetwork(status.Network)
	status.NetworkConnections = held.connectionsOf(held.networkOf[id])
	status.SchemaRegistry = held.registry()
}

// update draws a cluster and changes it.
func (s *source) update(k *kind, r *rand.Rand, what string, edit func(*cloudsim.Cluster)) string {
	all := s.Cloud.Clusters(s.environment)
	if len(all) == 0 {
		return s.create(k, r)
	}
	id := pick(r, all).ID
	_ = s.Cloud.UpdateCluster(id, edit) // It exists: nothing else removes it.
	return "cluster " + id + what
}

// changeEndpoints adds an access point to a cluster, or removes all access points.
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

// moveCluster moves a cluster to the network of a peering, so that both change.
func (s *source) moveCluster(k *kind, r *rand.Rand) string {
	id := pick(r, s.templates.Peerings).Spec.Network.ID
	return s.update(k, r, " moves to network "+id, func(c *cloudsim.Cluster) { c.Spec.Network = &cloudsim.Reference{ID: id} })
}
