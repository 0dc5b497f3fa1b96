// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// Both read every field of every record alike: the records are compared whole.
func TestOursReadsTheInventoryThatTheSDKReads(t *testing.T) {
	sim := manyPages()
	server := serve(t, sim.Handler())
	client, reference := ours(t, server), vendor(server, nil)
	for name, f := range clusterFilters(sim) {
		t.Run("clusters "+name, func(t *testing.T) {
			g := NewWithT(t)
			want, refused := reference.listClusters(t.Context(), f)
			got, err := listClusters(t.Context(), client, f)
			if refused != nil {
				g.Expect(err).To(HaveOccurred())
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Complete()).To(Succeed())
			g.Expect(records(got)).To(HaveLen(len(want)))
			for i := range want {
				g.Expect(records(got)[i]).To(Equal(want[i]))
			}
			if name == "all" {
				g.Expect(want).To(HaveLen(250))
			}
		})
	}
	for name, f := range peeringFilters(sim) {
		t.Run("peerings "+name, func(t *testing.T) {
			g := NewWithT(t)
			want, refused := reference.listPeerings(t.Context(), f)
			got, err := listPeerings(t.Context(), client, f)
			if refused != nil {
				g.Expect(err).To(HaveOccurred())
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got.Complete()).To(Succeed())
			g.Expect(records(got)).To(HaveLen(len(want)))
			for i := range want {
				g.Expect(records(got)[i]).To(Equal(want[i]))
			}
			if name == "all" {
				g.Expect(want).To(HaveLen(2100))
			}
		})
	}
}

func TestOursReadsTheNetworksThatTheSDKReads(t *testing.T) {
	g, sim := NewWithT(t), manyPages()
	server := serve(t, sim.Handler())
	filter := cloudapi.NetworkFilter{Environment: environment}
	want, err := vendor(server, nil).listNetworks(t.Context(), filter)
	g.Expect(err).NotTo(HaveOccurred())
	got, err := listNetworks(t.Context(), ours(t, server), filter)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got.Complete()).To(Succeed())
	g.Expect(len(want)).To(BeNumerically(">", 100))
	g.Expect(records(got)).To(HaveLen(len(want)))
	for i := range want {
		g.Expect(records(got)[i]).To(Equal(want[i]))
	}
}

// object is a JSON object.
type object = map[string]any

// member follows keys down from an object; the way must be there.
func member(o object, keys ...string) object {
	for _, key := range keys {
		o = o[key].(object)
	}
	return o
}

// eachItem edits every item of a page.
func eachItem(edit func(item object)) func(page object) {
	return func(page object) {
		for _, item := range page["data"].([]any) {
			edit(item.(object))
		}
	}
}

// variation is how a page may differ from the specification's letter or its words
// and yet be one that both read.
type variation struct {
	edit func(page object)
	// seen reports whether a record shows the variation; nil where none can.
	cluster func(wire.Cluster) bool
	peering func(wire.Peering) bool
}

var variations = map[string]variation{
	"no next link":     {edit: func(page object) { delete(member(page, "metadata"), "next") }},
	"empty next link":  {edit: func(page object) { member(page, "metadata")["next"] = "" }},
	"empty metadata":   {edit: func(page object) { page["metadata"] = object{} }},
	"null metadata":    {edit: func(page object) { page["metadata"] = nil }},
	"low total_size":   {edit: func(page object) { member(page, "metadata")["total_size"] = 1 }},
	"null data":        {edit: func(page object) { page["data"] = nil }},
	"unknown envelope": {edit: func(page object) { page["page_info"] = object{"a": []any{1, nil}} }},
	"unknown members": {edit: eachItem(func(item object) {
		item["labels"] = object{"a": "b"}
		member(item, "spec")["tier"], member(item, "spec", "environment")["x"], member(item, "status")["y"] = 1, true, []any{}
	})},
	"unknown phase": {
		edit:    eachItem(func(item object) { member(item, "status")["phase"] = "HIBERNATING" }),
		cluster: func(c wire.Cluster) bool { return c.Status.Phase == "HIBERNATING" },
		peering: func(p wire.Peering) bool { return p.Status.Phase == "HIBERNATING" },
	},
	"unknown cloud": {
		edit: eachItem(func(item object) {
			if spec := member(item, "spec"); spec["availability"] != nil {
				spec["cloud"], spec["availability"] = "OCI", "MAXIMUM"
			}
		}),
		cluster: func(c wire.Cluster) bool { return c.Spec.Cloud == "OCI" && c.Spec.Availability == "MAXIMUM" },
	},
	"bootstrap with a scheme": {
		edit: eachItem(func(item object) { member(item, "spec")["kafka_bootstrap_endpoint"] = "SASL_SSL://pkc-1.example:9092" }),
		cluster: func(c wire.Cluster) bool {
			return c.Spec.KafkaBootstrapEndpoint == "SASL_SSL://pkc-1.example:9092"
		},
	},
	"old spelling of a connection": {
		edit: eachItem(func(item object) {
			member(item, "spec")["endpoints"] = object{"ap1": object{"connection_type": "PRIVATELINK"}}
		}),
		cluster: func(c wire.Cluster) bool { return c.Spec.Endpoints["ap1"].ConnectionType == "PRIVATELINK" },
	},
	"deletion protection": {
		edit:    eachItem(func(item object) { member(item, "spec")["deletion_protection"] = true }),
		cluster: func(c wire.Cluster) bool { return c.Spec.DeletionProtection != nil && *c.Spec.DeletionProtection },
	},
	"kinds with their group": {
		edit: eachItem(func(item object) {
			switch spec := member(item, "spec"); {
			case spec["config"] != nil:
				member(spec, "config")["kind"] = "cmk.v2." + member(spec, "config")["kind"].(string)
			default:
				member(spec, "cloud")["kind"] = "networking.v1." + member(spec, "cloud")["kind"].(string)
			}
		}),
		cluster: func(c wire.Cluster) bool { return c.Spec.Config.Kind == "cmk.v2.Dedicated" },
		peering: func(p wire.Peering) bool { return p.Spec.Cloud.Kind == "networking.v1.AwsPeering" },
	},
	"ids of another form": {
		edit:    eachItem(func(item object) { item["id"] = "peer-" + item["id"].(string) }),
		cluster: func(c wire.Cluster) bool { return c.ID[:5] == "peer-" },
		peering: func(p wire.Peering) bool { return p.ID[:5] == "peer-" },
	},
	"references without links": {
		edit: eachItem(func(item object) {
			member(item, "spec")["network"] = object{"id": "n-bare"}
		}),
		cluster: func(c wire.Cluster) bool { return c.Spec.Network == wire.Reference{ID: "n-bare"} },
		peering: func(p wire.Peering) bool { return p.Spec.Network == wire.Reference{ID: "n-bare"} },
	},
	"null members": {
		edit: eachItem(func(item object) {
			spec := member(item, "spec")
			spec["display_name"], spec["network"], spec["byok"], spec["endpoints"] = nil, nil, nil, nil
			member(item, "status")["error_code"], member(item, "status")["cku"] = nil, nil
		}),
		cluster: func(c wire.Cluster) bool { return c.ID != "" && c.Spec.DisplayName == "" && c.Spec.Endpoints == nil },
		peering: func(p wire.Peering) bool { return p.ID != "" && p.Spec.Network == wire.Reference{} },
	},
	"no status": {
		edit:    eachItem(func(item object) { delete(item, "status") }),
		cluster: func(c wire.Cluster) bool { return c.ID != "" && c.Status == wire.ClusterStatus{} },
		peering: func(p wire.Peering) bool { return p.ID != "" && p.Status == wire.PeeringStatus{} },
	},
}

func TestOursReadsWhatTheSDKReadsBeyondTheSpecification(t *testing.T) {
	for name, v := range variations {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			server := serve(t, edited(newSim(cloudsim.Options{}, 12, 7).Handler(), v.edit))
			client, reference := ours(t, server), vendor(server, nil)

			clusters, err := reference.listClusters(t.Context(), cloudapi.ClusterFilter{Environment: environment})
			g.Expect(err).NotTo(HaveOccurred())
			gotClusters, err := listClusters(t.Context(), client, cloudapi.ClusterFilter{Environment: environment})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(records(gotClusters)).To(Equal(clusters))
			if v.cluster != nil {
				g.Expect(clusters).To(ContainElement(Satisfy(v.cluster)))
			}

			peerings, err := reference.listPeerings(t.Context(), cloudapi.ConnectionFilter{Environment: environment})
			g.Expect(err).NotTo(HaveOccurred())
			gotPeerings, err := listPeerings(t.Context(), client, cloudapi.ConnectionFilter{Environment: environment})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(records(gotPeerings)).To(Equal(peerings))
			if v.peering != nil {
				g.Expect(peerings).To(ContainElement(Satisfy(v.peering)))
			}
		})
	}
}

// A refusal is one for both, whatever its body, and ours says which.
func TestBothTakeARefusalForOne(t *testing.T) {
	const errors = `{"errors":[{"status":"400","code":"x","title":"y"}]}`
	for _, tt := range []struct {
		status int
		body   string
		class  cloudapi.Class
	}{
		{http.StatusBadRequest, "", cloudapi.InvalidRequest},
		{http.StatusBadRequest, "{}", cloudapi.InvalidRequest},
		{http.StatusBadRequest, errors, cloudapi.InvalidRequest},
		{http.StatusUnauthorized, "", cloudapi.Unauthenticated},
		{http.StatusUnauthorized, errors, cloudapi.Unauthenticated},
		{http.StatusForbidden, "null", cloudapi.Forbidden},
		{http.StatusForbidden, errors, cloudapi.Forbidden},
		{http.StatusNotFound, "", cloudapi.InvalidRequest},
		{http.StatusTooManyRequests, "", cloudapi.RateLimited},
		{http.StatusInternalServerError, errors, cloudapi.Unavailable},
		{http.StatusServiceUnavailable, "", cloudapi.Unavailable},
	} {
		t.Run(http.StatusText(tt.status)+" "+tt.body, func(t *testing.T) {
			t.Parallel() // a client that asks again spends its time waiting
			g := NewWithT(t)
			server := serve(t, cloudsim.Status(tt.status, tt.body, nil))
			_, err := vendor(server, nil).listClusters(t.Context(), cloudapi.ClusterFilter{Environment: environment})
			g.Expect(err).To(HaveOccurred())
			_, err = listClusters(t.Context(), ours(t, server), cloudapi.ClusterFilter{Environment: environment})
			g.Expect(cloudapi.ClassOf(err).String()).To(Equal(tt.class.String()))
		})
	}
}
