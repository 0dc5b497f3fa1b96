// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestChurnChangesWhatItSays(t *testing.T) {
	g := NewWithT(t)
	cloud := cloudsim.New(cloudsim.Options{})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 300, Peerings: 300, Seed: 1})
	before := map[string]any{}
	for _, c := range cloud.Clusters(environment) {
		before[c.ID] = c
	}
	for _, p := range cloud.Peerings(environment) {
		before[p.ID] = p
	}
	c := newChurn(cloud, 1)
	g.Expect(c.clusters).To(HaveLen(3))
	g.Expect(c.peerings).To(HaveLen(3))
	g.Expect(len(c.affected)).To(BeNumerically(">", len(c.changed)), "networks join some")
	g.Expect(c.apply(cloud, 1)).To(Succeed())
	for _, one := range cloud.Clusters(environment) {
		g.Expect(c.changed[one.ID]).To(Equal(!equal(before[one.ID], one)), one.ID)
	}
	for _, one := range cloud.Peerings(environment) {
		g.Expect(c.changed[one.ID]).To(Equal(!equal(before[one.ID], one)), one.ID)
	}
	for id := range c.changed {
		g.Expect(c.affected).To(HaveKey(id))
	}
}

func equal(a, b any) bool {
	same, err := Equal(a).Match(b)
	return same && err == nil
}

func TestAModelIsWhatAWriterGives(t *testing.T) {
	g := NewWithT(t)
	m := model{resource: resources[0]}
	g.Expect(json.Unmarshal([]byte(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"KafkaClusterObservation",
		"metadata":{"name":"lkc-1","namespace":"old","uid":"u","resourceVersion":"5","generation":1,"creationTimestamp":"2026-01-02T03:04:05Z",
			"managedFields":[{"manager":"m"}],"labels":{"a":"b"},
			"ownerReferences":[{"apiVersion":"v","kind":"InventorySource","name":"large","uid":"old"}]},
		"spec":{"clusterID":"lkc-1"},"status":{"phase":"PROVISIONED"}}`), &m.object)).To(Succeed())
	owner := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Namespace: "new", Name: "large", UID: "owner"}}
	body, err := m.body(owner)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(body.name).To(Equal("lkc-1"))
	g.Expect(body.object).To(MatchJSON(`{"apiVersion":"inventory.ccloud.dev/v1alpha1","kind":"KafkaClusterObservation",
		"metadata":{"name":"lkc-1","namespace":"new","labels":{"a":"b"},
			"ownerReferences":[{"apiVersion":"v","kind":"InventorySource","name":"large","uid":"owner"}]},
		"spec":{"clusterID":"lkc-1"}}`))
	g.Expect(body.status).To(MatchJSON(`{"status":{"phase":"PROVISIONED"}}`))
	key, value, err := m.stored(owner)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(key)).To(Equal("/registry/inventory.ccloud.dev/kafkaclusterobservations/new/lkc-1"))
	g.Expect(string(value)).To(And(ContainSubstring(`"managedFields"`), ContainSubstring(`"generation":1`), Not(ContainSubstring("resourceVersion"))))
}
