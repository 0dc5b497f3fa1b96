// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

func TestEveryFieldOfANetworkIsProjected(t *testing.T) {
	t.Parallel()
	cloud := wire.NetworkCloud{
		VPC: "vpc-1", Account: "123456789012", PrivateLinkEndpointService: "service",
		Project: "project", VPCNetwork: "vpc-net", PrivateServiceConnectServiceAttachments: map[string]string{"z1": "attachment"},
		VNet: "vnet", Subscription: "subscription",
		PrivateLinkServiceAliases: map[string]string{"z1": "alias"}, PrivateLinkServiceResourceIDs: map[string]string{"z1": "id"},
	}
	for kind, set := range map[string]func(*v1alpha1.NetworkObservationStatus){
		"AwsNetwork": func(s *v1alpha1.NetworkObservationStatus) {
			s.AWS = &v1alpha1.AWSNetwork{VPC: "vpc-1", Account: "123456789012", PrivateLinkEndpointService: "service"}
		},
		"GcpNetwork": func(s *v1alpha1.NetworkObservationStatus) {
			s.GCP = &v1alpha1.GCPNetwork{Project: "project", VPCNetwork: "vpc-net",
				PrivateServiceConnectServiceAttachments: map[string]string{"z1": "attachment"}}
		},
		"AzureNetwork": func(s *v1alpha1.NetworkObservationStatus) {
			s.Azure = &v1alpha1.AzureNetwork{VNet: "vnet", Subscription: "subscription",
				PrivateLinkServiceAliases: map[string]string{"z1": "alias"}, PrivateLinkServiceResourceIDs: map[string]string{"z1": "id"}}
		},
		"MoonNetwork": func(*v1alpha1.NetworkObservationStatus) {},
		"":            func(*v1alpha1.NetworkObservationStatus) {},
	} {
		for _, prefix := range []string{"", "networking.v1."} {
			t.Run(prefix+kind, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				sent := cloud
				sent.Kind = prefix + kind
				want := v1alpha1.NetworkObservationStatus{
					Phase: "FAILED", DisplayName: "Prod", Cloud: "AWS", Region: "us-east-1",
					ConnectionTypes: []string{"PEERING"}, ActiveConnectionTypes: []string{"WORMHOLE"},
					SupportedConnectionTypes: []string{"TRANSITGATEWAY", "PEERING"},
					CIDR:                     "10.200.0.0/16", ReservedCIDR: "172.20.255.0/24",
					Zones:         []v1alpha1.NetworkZone{{ZoneID: "z1", CIDR: "10.20.0.0/27"}, {ZoneID: "z2"}, {ZoneID: "z3", CIDR: "10.20.0.64/27"}},
					DNSResolution: "PRIVATE", DNSDomain: "domain", EndpointSuffix: ".domain",
					ZonalSubdomains: map[string]string{"z1": "z1.domain"}, IdleSince: day(2),
					Gateway:   &v1alpha1.GatewayReference{ID: "gw-1", Environment: "env-2", ResourceName: "crn://g", Related: "https://g"},
					ErrorCode: "E1", ErrorMessage: "broken",
					CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://n", Self: "https://self", CreatedAt: day(1)},
				}
				set(&want)
				o := ProjectNetwork(&wire.Network{
					ID:       "n-1",
					Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://n", CreatedAt: "2026-01-01T00:00:00Z"},
					Spec: wire.NetworkSpec{DisplayName: "Prod", Cloud: "AWS", Region: "us-east-1", ConnectionTypes: []string{"PEERING"},
						CIDR: "10.200.0.0/16", ReservedCIDR: "172.20.255.0/24", Zones: []string{"z2", "z1"},
						ZonesInfo: []wire.NetworkZone{{ZoneID: "z3", CIDR: "10.20.0.64/27"}, {ZoneID: "z1", CIDR: "10.20.0.0/27"}},
						DNSConfig: wire.NetworkDNSConfig{Resolution: "PRIVATE"},
						Gateway:   wire.Reference{ID: "gw-1", Environment: "env-2", ResourceName: "crn://g", Related: "https://g"}},
					Status: wire.NetworkStatus{Phase: "FAILED", SupportedConnectionTypes: []string{"TRANSITGATEWAY", "PEERING"},
						ActiveConnectionTypes: []string{"WORMHOLE"}, ErrorCode: "E1", ErrorMessage: "broken", DNSDomain: "domain",
						EndpointSuffix: ".domain", ZonalSubdomains: map[string]string{"z1": "z1.domain"}, IdleSince: "2026-01-02T00:00:00Z",
						Cloud: sent},
				}).(*v1alpha1.NetworkObservation)
				g.Expect(o.Status).To(Equal(want))
				g.Expect(o.Spec).To(Equal(v1alpha1.NetworkObservationSpec{NetworkID: "n-1"}))
				g.Expect(o.Labels).To(Equal(map[string]string{"inventory.ccloud.dev/network": "n-1",
					"inventory.ccloud.dev/cloud": "AWS", "inventory.ccloud.dev/region": "us-east-1"}))
				g.Expect(kindOf(o).Trouble(o)).To(Equal("E1: broken"))
			})
		}
	}
}

func TestOfANetworkOfUnknownKindTheMembersTellWhoseSideItIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent wire.NetworkCloud
		want v1alpha1.NetworkObservationStatus
	}{
		"AWS":           {wire.NetworkCloud{VPC: "vpc-1"}, v1alpha1.NetworkObservationStatus{AWS: &v1alpha1.AWSNetwork{VPC: "vpc-1"}}},
		"GCP":           {wire.NetworkCloud{VPCNetwork: "vn"}, v1alpha1.NetworkObservationStatus{GCP: &v1alpha1.GCPNetwork{VPCNetwork: "vn"}}},
		"Azure":         {wire.NetworkCloud{VNet: "v"}, v1alpha1.NetworkObservationStatus{Azure: &v1alpha1.AzureNetwork{VNet: "v"}}},
		"of no cloud":   {wire.NetworkCloud{}, v1alpha1.NetworkObservationStatus{}},
		"two's at once": {wire.NetworkCloud{VPC: "vpc-1", VNet: "v"}, v1alpha1.NetworkObservationStatus{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.sent.Kind = "MoonNetwork"
			o := ProjectNetwork(&wire.Network{ID: "n-1", Status: wire.NetworkStatus{Cloud: c.sent}}).(*v1alpha1.NetworkObservation)
			NewWithT(t).Expect(o.Status).To(Equal(c.want))
		})
	}
}

func TestATextInAMapIsCutToo(t *testing.T) {
	t.Parallel()
	n := newNetwork("n-1", "")
	n.Status.ZonalSubdomains = map[string]string{"z1": strings.Repeat("d", 1<<20), "z2": "short"}
	subdomains := stamped(newSource(), n).(*v1alpha1.NetworkObservation).Status.ZonalSubdomains
	NewWithT(t).Expect(subdomains["z1"]).To(And(HaveLen(maxText), HaveSuffix("…")))
	NewWithT(t).Expect(subdomains["z2"]).To(Equal("short"))
}

func TestANetworkTellsWhatIsOnItAndTheyTellOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("lkc-2", "n-1"), newCluster("lkc-1", "n-1"), newCluster("lkc-3", "n-2"), newCluster("lkc-4"))
	w.list(peerings, true, newPeering("p-1", "n-1"))
	w.list(networked, true, newNetwork("n-1", "10.1.0.0/16"), newNetwork("n-9", ""))
	w.pass()
	status := w.network("n-1").Status
	w.Expect(status.KafkaClusters).To(Equal([]v1alpha1.KafkaClusterSummary{{Name: "lkc-1", Phase: "PROVISIONED"}, {Name: "lkc-2", Phase: "PROVISIONED"}}))
	w.Expect(status.KafkaClusterCount).To(BeEquivalentTo(2))
	w.Expect(status.Peerings).To(Equal([]v1alpha1.ConnectionSummary{{Name: "p-1", Phase: "READY"}}))
	w.Expect(status.PeeringCount).To(BeEquivalentTo(1))
	w.Expect(w.network("n-9").Status.KafkaClusterCount + w.network("n-9").Status.PeeringCount).To(BeZero())

	told := v1alpha1.NetworkReference{ID: "n-1", Phase: "READY", CIDR: "10.1.0.0/16", DNSDomain: "n-1.example"}
	w.Expect(w.cluster("lkc-1").Status.Network).To(HaveValue(Equal(told)))
	w.Expect(w.peering("p-1").Status.Network).To(HaveValue(Equal(told)))
	w.Expect(w.cluster("lkc-3").Status.Network).To(HaveValue(Equal(v1alpha1.NetworkReference{ID: "n-2"})), "of one that is not listed nothing is told")
	w.Expect(w.cluster("lkc-4").Status.Network).To(BeNil())
	for kind, plan := range w.pass() {
		w.Expect(plan.Writes).To(BeEmpty(), worldKinds[kind].Name)
	}

	moved := newNetwork("n-1", "10.2.0.0/16")
	w.list(networked, true, moved, newNetwork("n-9", ""))
	plans := w.pass()
	w.Expect(plans[clusters].Writes).To(HaveLen(2), "a network's change is one write to each that tells of it")
	w.Expect(plans[peerings].Writes).To(HaveLen(1))
	w.Expect(w.cluster("lkc-2").Status.Network.CIDR).To(Equal("10.2.0.0/16"))
}

func TestWhatANetworkToldStaysWhileItsListingFails(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*world){
		"while its kind's listing is incomplete":         func(w *world) { w.list(networked, false) },
		"once it is missing":                             func(w *world) { w.list(networked, true) },
		"while its kind is not listed after a restart":   func(w *world) { w.restart() },
		"while the first after a restart is incomplete":  func(w *world) { w.restart(); w.list(networked, false) },
		"while only its own kind is listed that is none": func(w *world) { w.list(networked, false, newNetwork("n-7", "")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			w.list(networked, true, newNetwork("n-1", "10.1.0.0/16"))
			w.pass()
			then(w)
			w.list(clusters, true, newCluster("lkc-1", "n-1"))
			writes := w.pass()[clusters].Writes
			w.Expect(w.cluster("lkc-1").Status.Network.CIDR).To(Equal("10.1.0.0/16"))
			if brief(w.network("n-1"), v1alpha1.ConditionObserved) != "False/Missing" { // Else it is marked.
				w.Expect(writes).To(BeEmpty())
			}
		})
	}
}

func TestNetworksThatAreNoLongerMirroredAreToldOfNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("lkc-1", "n-1"))
	w.list(networked, true, newNetwork("n-1", "10.1.0.0/16"))
	w.pass()
	w.source.Spec.Networks.Policy = "" // The default.
	w.Expect(Network.Mirrored(w.source)).To(BeFalse())
	w.ledgers[networked] = nil
	w.pass()
	w.Expect(w.names(networked)).To(BeEmpty())
	w.pass() // The deletion wakes the reconciler; no listing is needed.
	w.Expect(w.cluster("lkc-1").Status.Network).To(HaveValue(Equal(v1alpha1.NetworkReference{ID: "n-1"})))
}

func TestWhatIsOnANetworkIsBoundedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var many []any
	for i := range 2 * MaxJoined {
		many = append(many, newCluster(fmt.Sprintf("lkc-%04d", i), "n-1"))
	}
	w.list(clusters, true, many...)
	w.list(networked, true, newNetwork("n-1", ""))
	w.pass()
	status := w.network("n-1").Status
	w.Expect(status.KafkaClusters).To(HaveLen(MaxJoined))
	w.Expect(status.KafkaClusterCount).To(BeEquivalentTo(2 * MaxJoined))
	w.Expect(w.pass()[networked].Writes).To(BeEmpty())
}
