// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// manyEnvironments is an organization of several pages.
func manyEnvironments() *cloudsim.Sim {
	sim := newSim(cloudsim.Options{}, 1, 1)
	for i := range 249 {
		sim.PutEnvironment(cloudsim.Environment{ID: fmt.Sprintf("env-%03d", i), DisplayName: fmt.Sprintf("Team %d, prod", i)})
	}
	return sim
}

func TestEveryPageOfEnvironmentsConforms(t *testing.T) {
	server := serve(t, manyEnvironments().Handler())
	g, p, pages := NewWithT(t), specs(t), 0
	for _, query := range []string{"", "?page_size=1", "?page_size=100"} {
		walk(t, server+environmentsPath+query, func(a answer) {
			pages++
			g.Expect(p.checkAnswer(a)).To(Succeed())
			g.Expect(p.missingHeaders(a)).To(BeEmpty())
		})
	}
	g.Expect(pages).To(Equal(2 * (25 + 250 + 3)))
	for _, query := range []string{"?environment=env-1", "?page_size=101", "?page_token=none"} {
		g.Expect(ask(t, server+environmentsPath+query, withKey).status).To(Equal(http.StatusBadRequest), query)
	}
}

func TestEveryRequestForEnvironmentsConforms(t *testing.T) {
	g := NewWithT(t)
	w := &witness{next: manyEnvironments().Handler(), spec: specs(t)}
	l, err := cloudapi.List(t.Context(), ours(t, serve(t, w)), cloudapi.Environments, cloudapi.EnvironmentFilter{}, nil, whole[wire.Environment])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	g.Expect(l.Items).To(HaveLen(250))
	g.Expect(w.breaches).To(BeEmpty())
	g.Expect(w.take()).To(HaveLen(3))
	for _, item := range l.Items[1:] {
		g.Expect(item.Value.DisplayName).To(HavePrefix("Team "), "as it was put")
	}
}
