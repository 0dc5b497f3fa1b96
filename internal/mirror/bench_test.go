// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// benchObjects is how many objects of each kind the benchmark's source has.
const benchObjects = 1000

// benchRecords returns records with what the API gives for most objects: clusters
// of two access points, and a network for every ten clusters and ten peerings.
func benchRecords() (clusters []*wire.Cluster, peerings []*wire.Peering) {
	meta := wire.ObjectMeta{Self: "https://api.confluent.cloud/x", ResourceName: "crn://confluent.cloud/organization=o/environment=env-1/x",
		CreatedAt: "2026-01-01T00:00:00Z", UpdatedAt: "2026-01-02T00:00:00Z"}
	for i := range benchObjects {
		network := fmt.Sprintf("n-%03d", i/10)
		c := newCluster(fmt.Sprintf("lkc-%05d", i), network)
		c.Metadata = meta
		c.Spec.DisplayName, c.Spec.Availability, c.Spec.Cloud, c.Spec.Region = fmt.Sprintf("orders-%d", i), "MULTI_ZONE", "AWS", "us-west-2"
		c.Spec.Config = wire.ClusterConfig{Kind: "Dedicated", CKU: 2, Zones: []string{"usw2-az1", "usw2-az2", "usw2-az3"}, ReleasePriority: "REGULAR"}
		c.Spec.Endpoints = map[string]*wire.Endpoint{
			"PUBLIC": {KafkaBootstrapEndpoint: c.ID + ".example.com:9092", HTTPEndpoint: "https://" + c.ID, ConnectionType: "PUBLIC"},
			"ap1":    {KafkaBootstrapEndpoint: c.ID + ".private.example.com:9092", HTTPEndpoint: "https://" + c.ID + ".private", ConnectionType: "PRIVATE_LINK"},
		}
		clusters = append(clusters, c)
		p := newPeering(fmt.Sprintf("p-%05d", i), network)
		p.Metadata = meta
		p.Spec.DisplayName = fmt.Sprintf("peering-%d", i)
		p.Spec.Cloud = wire.PeeringCloud{Kind: "AwsPeering", Account: "000000000000", VPC: "vpc-0", Routes: []string{"10.0.0.0/8"}, CustomerRegion: "us-east-1"}
		peerings = append(peerings, p)
	}
	return clusters, peerings
}

// BenchmarkUnchanged is a sync after which nothing is to be written, from the
// records to the plans, without cloud and API server.
func BenchmarkUnchanged(b *testing.B) {
	source := newSource()
	clusterRecords, peeringRecords := benchRecords()
	ledgers := make([]*Ledger, len(worldKinds))
	existing := make([][]Object, len(worldKinds))
	sync := func() []*Plan {
		listings := make([]Sighting, len(worldKinds))
		for _, r := range clusterRecords {
			listings[clusters].Objects = append(listings[clusters].Objects, stamped(source, r))
		}
		for _, r := range peeringRecords {
			listings[peerings].Objects = append(listings[peerings].Objects, stamped(source, r))
		}
		plans := make([]*Plan, len(worldKinds))
		for i := range worldKinds {
			listings[i].Complete, listings[i].End = true, began
			for _, o := range existing[i] {
				Owned(o.(v1alpha1.Observation), source)
			}
			ledgers[i] = ledgers[i].Record(worldKinds[i], SourceOwner(source), listings[i], existing[i])
		}
		for i, desired := range Desire(SourceOwner(source), worldKinds, ledgers, existing) {
			plans[i] = Make(Facts{Kind: worldKinds[i], Owner: SourceOwner(source), Ledger: ledgers[i], Desired: desired,
				Existing: existing[i], Completed: began, Fresh: true, Now: began})
		}
		return plans
	}
	for i, plan := range sync() {
		for _, w := range plan.Writes {
			w.Desired.SetUID("uid")
			(*worldKinds[i].conditionsOf(w.Desired))[0].LastTransitionTime = metav1.NewTime(began)
			existing[i] = append(existing[i], w.Desired)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i, plan := range sync() {
			if plan.Unchanged != len(existing[i]) {
				b.Fatalf("%d unchanged", plan.Unchanged)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*benchObjects), "ns/object")
}
