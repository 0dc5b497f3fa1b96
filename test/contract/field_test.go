// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// The simulated cloud's ways in mode wire change from listing to listing; after so
// many both readers have seen all of them.
const listingsInTheField = 24

// In mode wire too, both read the same, but for the types that are new to the SDK:
// those it leaves out of a record.
func TestOursReadsTheFieldAsTheSDKDoes(t *testing.T) {
	sim := newSim(cloudsim.Options{Mode: cloudsim.ModeWire}, 150, 150)
	w := &witness{next: sim.Handler(), spec: specs(t)}
	server := serve(t, w)
	client, reference := ours(t, server), vendor(server, nil)
	for range listingsInTheField {
		g := NewWithT(t)
		clusters, err := reference.listClusters(t.Context(), cloudapi.ClusterFilter{Environment: environment})
		g.Expect(err).NotTo(HaveOccurred())
		gotClusters, err := listClusters(t.Context(), client, cloudapi.ClusterFilter{Environment: environment})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(gotClusters.Complete()).To(Succeed())
		strange := 0
		for i, c := range records(gotClusters) {
			if c.Spec.Config.Kind == cloudsim.OddClusterType {
				strange++
				c.Spec.Config = wire.ClusterConfig{}
			}
			g.Expect(c).To(Equal(clusters[i]))
		}
		g.Expect(clusters).To(HaveLen(150))
		g.Expect(strange).NotTo(BeZero())
		g.Expect(w.breaches).To(BeEmpty())
	}
	for range listingsInTheField {
		g := NewWithT(t)
		peerings, err := reference.listPeerings(t.Context(), cloudapi.ConnectionFilter{Environment: environment})
		g.Expect(err).NotTo(HaveOccurred())
		gotPeerings, err := listPeerings(t.Context(), client, cloudapi.ConnectionFilter{Environment: environment})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(gotPeerings.Complete()).To(Succeed())
		strange := 0
		for i, p := range records(gotPeerings) {
			if peerings[i].Spec.Cloud.Kind == "" {
				strange++
				p.Spec.Cloud = wire.PeeringCloud{}
			}
			g.Expect(p).To(Equal(peerings[i]))
		}
		g.Expect(peerings).To(HaveLen(150))
		g.Expect(strange).NotTo(BeZero())
		g.Expect(w.breaches).To(BeEmpty())
	}
}
