// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"fmt"
	"testing"

	srcm "github.com/confluentinc/ccloud-sdk-go-v2/srcm/v3"
	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// addRegistries adds so many Schema Registry clusters, all like the first but for their phase, their
// package and their endpoints, of which some have none.
func addRegistries(s *cloudsim.Sim, n int) {
	registry := s.SchemaRegistries(environment)[0]
	for i := range n {
		r := registry
		r.ID, r.Metadata = fmt.Sprintf("lsrc-more%04d", i), cloudsim.Metadata{}
		r.Status.Phase = []string{cloudsim.PhaseProvisioned, cloudsim.PhaseProvisioning, cloudsim.PhaseFailed}[i%3]
		r.Spec.Package = []string{"ESSENTIALS", "ADVANCED"}[i%2]
		if i%4 == 1 {
			r.Spec.HTTPEndpoint, r.Spec.CatalogHTTPEndpoint, r.Spec.PrivateHTTPEndpoint, r.Spec.PrivateNetworkingConfig = "", "", "", nil
		}
		s.PutSchemaRegistry(r)
	}
}

func listRegistries(ctx context.Context, c *cloudapi.Client) (*cloudapi.Listing[wire.SchemaRegistry], error) {
	return cloudapi.List(ctx, c, cloudapi.SchemaRegistries, cloudapi.SchemaRegistryFilter{Environment: environment}, nil, whole[wire.SchemaRegistry])
}

// listRegistries reads all pages, as records of this project.
func (s sdk) listRegistries(ctx context.Context) ([]wire.SchemaRegistry, error) {
	ctx = context.WithValue(ctx, srcm.ContextBasicAuth, srcm.BasicAuth{UserName: credential.Key, Password: credential.Secret})
	return all(registryRecord, func(token string) ([]srcm.SrcmV3Cluster, string, error) {
		r := s.registries.ClustersSrcmV3Api.ListSrcmV3Clusters(ctx).Environment(environment).PageSize(registriesPerPage)
		if token != "" {
			r = r.PageToken(token)
		}
		page, _, err := r.Execute() // which has read the body and closed it
		return page.Data, tokenOf(page.Metadata.GetNext()), err
	})
}

// registryRecord is a Schema Registry cluster as the SDK read it.
func registryRecord(c *srcm.SrcmV3Cluster) wire.SchemaRegistry {
	spec, status, metadata := c.GetSpec(), c.GetStatus(), c.GetMetadata()
	r := wire.SchemaRegistry{
		ID: c.GetId(),
		Metadata: wire.ObjectMeta{Self: metadata.Self, ResourceName: metadata.GetResourceName(),
			CreatedAt: date(metadata.CreatedAt), UpdatedAt: date(metadata.UpdatedAt), DeletedAt: date(metadata.DeletedAt)},
		Spec: wire.SchemaRegistrySpec{
			DisplayName: spec.GetDisplayName(), Package: spec.GetPackage(), Cloud: spec.GetCloud(), Region: spec.GetRegion(),
			HTTPEndpoint: spec.GetHttpEndpoint(), CatalogHTTPEndpoint: spec.GetCatalogHttpEndpoint(), PrivateHTTPEndpoint: spec.GetPrivateHttpEndpoint(),
		},
		Status: wire.SchemaRegistryStatus{Phase: status.Phase},
	}
	if p := spec.PrivateNetworkingConfig; p != nil {
		r.Spec.PrivateNetworkingConfig.RegionalEndpoints = valueOf(p.RegionalEndpoints)
	}
	if e := spec.Environment; e != nil {
		r.Spec.Environment = wire.Reference{ID: e.Id, ResourceName: e.ResourceName, Related: e.Related}
	}
	return r
}

func TestOursAsksForAndReadsTheSchemaRegistriesThatTheSDKReads(t *testing.T) {
	for _, mode := range []cloudsim.Mode{cloudsim.ModeStrict, cloudsim.ModeWire} {
		t.Run(mode.String(), func(t *testing.T) {
			g, sim := NewWithT(t), newSim(cloudsim.Options{Mode: mode}, 1, 1)
			addRegistries(sim, 247)
			w := &witness{next: sim.Handler(), spec: specs(t)}
			server := serve(t, w)
			for range listingsInTheField {
				want, err := vendor(server, nil).listRegistries(t.Context())
				g.Expect(err).NotTo(HaveOccurred())
				theirs := w.take()
				got, err := listRegistries(t.Context(), ours(t, server))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(got.Complete()).To(Succeed())
				g.Expect(w.breaches).To(BeEmpty())
				asked := w.take()
				if mode == cloudsim.ModeStrict { // In mode wire page tokens differ, and may expire.
					g.Expect(asked).To(HaveLen(3))
					g.Expect(asked).To(Equal(theirs), "the same requests in the same order")
				}
				g.Expect(records(got)).To(Equal(want))
				g.Expect(want).To(HaveLen(248))
				have := 0
				for _, r := range want {
					if len(r.Spec.PrivateNetworkingConfig.RegionalEndpoints) >= 3 {
						have++
					}
				}
				g.Expect(have).To(Equal(186))
			}
		})
	}
}

// The published operation names API keys only. The simulated cloud keeps to it.
func TestSchemaRegistryTakesAPIKeysOnly(t *testing.T) {
	g := NewWithT(t)
	requirements := *specs(t)[registriesPath].Operation.Security
	g.Expect(requirements).To(HaveLen(1))
	g.Expect(requirements[0]).To(And(HaveLen(1), HaveKey("cloud-api-key")))
	others := *specs(t)[networksPath].Operation.Security
	g.Expect(others).To(ContainElement(HaveKey("confluent-sts-access-token")), "the specification would say so")
}
