// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

func TestEveryTextOfTheCloudsIsCutToWhatItsPlaceHolds(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	long := strings.Repeat("é", 800_000)
	c := newCluster("lkc-1", "n-1")
	c.Status.Phase, c.Spec.DisplayName, c.Spec.Config.EncryptionKey = long, long, long
	c.Spec.Config.Zones = []string{"z1", long}
	c.Spec.Network.ResourceName = long
	cluster := stamped(newSource(), c).(*v1alpha1.KafkaClusterObservation)
	g.Expect(len(cluster.Status.Phase)).To(BeNumerically("<=", maxPhase))
	for _, text := range []string{cluster.Status.DisplayName, cluster.Status.EncryptionKey, cluster.Status.Zones[1], cluster.Status.Network.ResourceName} {
		g.Expect(len(text)).To(BeNumerically("<=", maxText))
		g.Expect(text).To(HaveSuffix("…"))
		g.Expect(utf8.ValidString(text)).To(BeTrue())
	}
	g.Expect(cluster.Status.Zones[0]).To(Equal("z1"))

	p := newPeering("p-1", "n-1")
	p.Status = wire.PeeringStatus{Phase: "FAILED", ErrorCode: long, ErrorMessage: long}
	peering := stamped(newSource(), p).(*v1alpha1.PeeringObservation)
	g.Expect(len(peering.Status.ErrorMessage)).To(BeNumerically("<=", maxText))
	w := newWorld(t)
	w.list(clusters, true, c)
	plan := w.pass()[clusters]
	w.Expect(len(plan.Summary.Phases[0].Phase)).To(BeNumerically("<=", maxPhase), "one phase never costs the source's status")
	w.Expect(w.pass()[clusters].Writes).To(BeEmpty())
}
