// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// day returns a day of January 2026.
func day(n int) *metav1.Time { return ptr(metav1.Date(2026, time.January, n, 0, 0, 0, 0, time.UTC)) }

func TestEveryFieldOfAClusterIsProjected(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := ProjectKafkaCluster(&wire.Cluster{
		ID: "lkc-1",
		Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://c", CreatedAt: "2026-01-01T00:00:00Z",
			UpdatedAt: "2026-01-02T00:00:00Z", DeletedAt: "2026-01-03T00:00:00Z"},
		Spec: wire.ClusterSpec{
			DisplayName: "Prod", Availability: "HIGH", Cloud: "AWS", Region: "us-east-1",
			Config: wire.ClusterConfig{Kind: "Dedicated", CKU: 3, MaxECKU: 5, EncryptionKey: "arn:key",
				Zones: []string{"z2", "z1"}, ReleasePriority: "REGULAR"},
			KafkaBootstrapEndpoint: "SASL_SSL://own:9092", HTTPEndpoint: "https://own", APIEndpoint: "https://api",
			Endpoints: map[string]*wire.Endpoint{
				"b": {KafkaBootstrapEndpoint: "b:9092", HTTPEndpoint: "https://b", ConnectionType: "PRIVATE_LINK"},
				"a": {KafkaBootstrapEndpoint: "SASL_SSL://a:9092", HTTPEndpoint: "https://a", ConnectionType: "PUBLIC"}},
			Network:            wire.Reference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"},
			BYOK:               wire.Reference{ID: "cck-1", ResourceName: "crn://k"},
			DeletionProtection: ptr(false),
		},
		Status: wire.ClusterStatus{Phase: "PROVISIONED", CKU: 2},
	})
	g.Expect(o).To(Equal(&v1alpha1.KafkaClusterObservation{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{
			"inventory.ccloud.dev/network": "n-1", "inventory.ccloud.dev/cloud": "AWS",
			"inventory.ccloud.dev/region": "us-east-1", "inventory.ccloud.dev/type": "Dedicated",
		}},
		Spec: v1alpha1.KafkaClusterObservationSpec{ClusterID: "lkc-1"},
		Status: v1alpha1.KafkaClusterObservationStatus{
			Phase: "PROVISIONED", DisplayName: "Prod", Availability: "HIGH", Cloud: "AWS", Region: "us-east-1",
			Type: "Dedicated", CKU: ptr[int32](2), RequestedCKU: ptr[int32](3), MaxECKU: ptr[int32](5),
			Zones: []string{"z2", "z1"}, ReleasePriority: "REGULAR", EncryptionKey: "arn:key", DeletionProtection: ptr(false),
			BootstrapServers: "own:9092", HTTPEndpoint: "https://own", APIEndpoint: "https://api",
			Endpoints: []v1alpha1.KafkaEndpoint{
				{AccessPointID: "a", ConnectionType: "PUBLIC", BootstrapServers: "a:9092", HTTPEndpoint: "https://a"},
				{AccessPointID: "b", ConnectionType: "PRIVATE_LINK", BootstrapServers: "b:9092", HTTPEndpoint: "https://b"},
			},
			Network: &v1alpha1.NetworkReference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"},
			BYOK:    &v1alpha1.BYOKReference{ID: "cck-1", ResourceName: "crn://k"},
			CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://c", Self: "https://self",
				CreatedAt: day(1), UpdatedAt: day(2), DeletedAt: day(3)},
		},
	}))
}

func TestARecordWithAnIDOnlyHasNothingElse(t *testing.T) {
	t.Parallel()
	for kind := range worldKinds {
		g := NewWithT(t)
		o := project(emptyRecord(kind, "x 1"))
		g.Expect(o.CloudID()).To(Equal("x 1"))
		g.Expect(o.GetLabels()).To(BeEmpty())
		text, err := json.Marshal(kindOf(o).Content(o))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(text).To(MatchJSON(`{}`), "no empty object, list or date")
	}
}

func TestAKindOfClusterNewerThanThisVersionPasses(t *testing.T) {
	t.Parallel()
	c := newCluster("lkc-1")
	c.Spec.Config = wire.ClusterConfig{Kind: "Galactic", MaxECKU: 7}
	c.Spec.Cloud, c.Status.Phase = "MOON", "ORBITING"
	status := ProjectKafkaCluster(c).(*v1alpha1.KafkaClusterObservation).Status
	NewWithT(t).Expect([]string{status.Type, status.Cloud, status.Phase}).To(Equal([]string{"Galactic", "MOON", "ORBITING"}))
	NewWithT(t).Expect(status.MaxECKU).To(HaveValue(Equal(int32(7))))
}

func TestTheEndpointToUseIfInDoubt(t *testing.T) {
	t.Parallel()
	type points = map[string]*wire.Endpoint
	point := func(name string) *wire.Endpoint {
		return &wire.Endpoint{KafkaBootstrapEndpoint: "SASL_SSL://" + name + ":9092", HTTPEndpoint: "https://" + name}
	}
	for name, c := range map[string]struct {
		own    string
		points points
		want   string
	}{
		"the API's own comes first":         {"own", points{"PUBLIC": point("public")}, "own"},
		"then PUBLIC":                       {"", points{"AAA": point("aaa"), "PRIVATE_LINK": point("link"), "PUBLIC": point("public")}, "public"},
		"then PRIVATE_LINK":                 {"", points{"AAA": point("aaa"), "PRIVATE_LINK": point("link"), "zzz": point("zzz")}, "link"},
		"then the lowest access point":      {"", points{"ap2": point("two"), "ap10": point("ten")}, "ten"},
		"an access point without one is no": {"", points{"PUBLIC": {ConnectionType: "PUBLIC"}, "ap1": point("one")}, "one"},
		"without any there is none":         {"", points{"PUBLIC": {ConnectionType: "PUBLIC"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			r := &wire.Cluster{ID: "lkc-1"}
			if r.Spec.Endpoints = c.points; c.own != "" {
				r.Spec.KafkaBootstrapEndpoint, r.Spec.HTTPEndpoint = c.own+":9092", "https://"+c.own
			}
			status := ProjectKafkaCluster(r).(*v1alpha1.KafkaClusterObservation).Status
			if c.want == "" {
				g.Expect(status.BootstrapServers + status.HTTPEndpoint).To(BeEmpty())
			} else {
				g.Expect(status.BootstrapServers).To(Equal(c.want + ":9092"))
				g.Expect(status.HTTPEndpoint).To(Equal("https://" + c.want))
			}
			g.Expect(status.Endpoints).To(HaveLen(len(c.points)), "all of them are there beside it")
		})
	}
}

func TestBootstrapServersAreHostAndPort(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"":                       "",
		"h:9092":                 "h:9092",
		"SASL_SSL://h:9092":      "h:9092",
		"sasl_ssl://h:9092":      "h:9092",
		"h1:1,h2:2":              "h1:1,h2:2",
		"SASL_SSL://h1:1,h2:2":   "h1:1,h2:2",
		"h1:1,SASL_SSL://h2:2":   "h1:1,h2:2",
		"SASL_SSL://[::1]:9092":  "[::1]:9092",
		"PLAINTEXT://h.x.y:9092": "h.x.y:9092",
	} {
		NewWithT(t).Expect(hostPort(sent)).To(Equal(want), sent)
	}
}

func TestFormerConnectionTypesBecomeTheirNewSpelling(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"PRIVATELINK":             "PRIVATE_LINK",
		"PRIVATENETWORKINTERFACE": "PRIVATE_NETWORK_INTERFACE",
		"PRIVATE_LINK":            "PRIVATE_LINK",
		"PUBLIC":                  "PUBLIC",
		"CARRIER_PIGEON":          "CARRIER_PIGEON",
		"":                        "",
	} {
		endpoints := kafkaEndpoints(map[string]*wire.Endpoint{"ap1": {ConnectionType: sent}})
		NewWithT(t).Expect(endpoints).To(Equal([]v1alpha1.KafkaEndpoint{{AccessPointID: "ap1", ConnectionType: want}}))
	}
}

func TestDatesAreWholeSecondsOfUTCOrAbsent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sent, want string }{
		"as it is":                 {"2026-01-02T03:04:05Z", `"2026-01-02T03:04:05Z"`},
		"fraction":                 {"2026-01-02T03:04:05.999999999Z", `"2026-01-02T03:04:05Z"`},
		"another zone":             {"2026-01-02T03:04:05+02:00", `"2026-01-02T01:04:05Z"`},
		"the last second there is": {"9999-12-31T23:59:59Z", `"9999-12-31T23:59:59Z"`},
		"lower-case letters":       {"2026-01-02t03:04:05z", `"2026-01-02T03:04:05Z"`},
		"a leap second":            {"2016-12-31T23:59:60Z", `"2016-12-31T23:59:59Z"`},
		"a leap second elsewhere":  {"2017-01-01T00:59:60.5+01:00", `"2016-12-31T23:59:59Z"`},
		"a second 61":              {"2016-12-31T23:59:61Z", `null`},
		"absent":                   {"", `null`},
		"zero":                     {"0001-01-01T00:00:00Z", `null`},
		"zero with a fraction":     {"0001-01-01T00:00:00.5Z", `null`},
		"zero in another zone":     {"0001-01-01T02:00:00+02:00", `null`},
		"beyond the last year":     {"9999-12-31T23:59:59-01:00", `null`},
		"before the first year":    {"0000-01-01T00:00:00+01:00", `null`},
		"no date":                  {"yesterday", `null`},
		"seconds since 1970":       {"1767322800", `null`},
		"a day only":               {"2026-01-02", `null`},
		"no zone":                  {"2026-01-02T03:04:05", `null`},
		"a day that is none":       {"2026-02-30T00:00:00Z", `null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			got := parseDate(c.sent)
			text, err := json.Marshal(got)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(text).To(MatchJSON(c.want))
			var back *metav1.Time
			g.Expect(json.Unmarshal(text, &back)).To(Succeed())
			g.Expect(back.Equal(got)).To(BeTrue(), "it comes back from the Kubernetes API as it went")
		})
	}
}

func TestEveryFieldOfAPeeringIsProjected(t *testing.T) {
	t.Parallel()
	cloud := wire.PeeringCloud{
		Account: "123456789012", VPC: "vpc-1", Routes: []string{"10.1.0.0/16", "10.0.0.0/16"}, CustomerRegion: "region-1",
		Project: "project", VPCNetwork: "vpc-net", ImportCustomRoutes: ptr(false), Tenant: "tenant", VNet: "vnet",
	}
	for kind, c := range map[string]struct {
		cloud string
		set   func(*v1alpha1.PeeringObservationStatus)
	}{
		"AwsPeering": {"AWS", func(s *v1alpha1.PeeringObservationStatus) {
			s.AWS = &v1alpha1.AWSPeering{Account: "123456789012", VPC: "vpc-1",
				Routes: []string{"10.1.0.0/16", "10.0.0.0/16"}, CustomerRegion: "region-1"}
		}},
		"GcpPeering": {"GCP", func(s *v1alpha1.PeeringObservationStatus) {
			s.GCP = &v1alpha1.GCPPeering{Project: "project", VPCNetwork: "vpc-net", ImportCustomRoutes: ptr(false)}
		}},
		"AzurePeering": {"AZURE", func(s *v1alpha1.PeeringObservationStatus) {
			s.Azure = &v1alpha1.AzurePeering{Tenant: "tenant", VNet: "vnet", CustomerRegion: "region-1"}
		}},
		"MoonPeering": {"", func(*v1alpha1.PeeringObservationStatus) {}},
		"":            {"", func(*v1alpha1.PeeringObservationStatus) {}},
	} {
		for _, prefix := range []string{"", "networking.v1."} {
			t.Run(prefix+kind, func(t *testing.T) {
				t.Parallel()
				g := NewWithT(t)
				sent := cloud
				sent.Kind = prefix + kind
				want := v1alpha1.PeeringObservationStatus{
					Phase: "FAILED", DisplayName: "Prod", Cloud: c.cloud, Kind: kind, Region: "region-1",
					ErrorCode: "E1", ErrorMessage: "broken",
					Network:       &v1alpha1.NetworkReference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"},
					CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://p", Self: "https://self", CreatedAt: day(1)},
				}
				c.set(&want)
				o := ProjectPeering(&wire.Peering{
					ID:       "p-1",
					Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://p", CreatedAt: "2026-01-01T00:00:00Z"},
					Spec: wire.PeeringSpec{DisplayName: "Prod", Cloud: sent,
						Network: wire.Reference{ID: "n-1", Environment: "env-2", ResourceName: "crn://n"}},
					Status: wire.PeeringStatus{Phase: "FAILED", ErrorCode: "E1", ErrorMessage: "broken"},
				}).(*v1alpha1.PeeringObservation)
				g.Expect(o.Status).To(Equal(want))
				g.Expect(o.Spec).To(Equal(v1alpha1.PeeringObservationSpec{PeeringID: "p-1"}))
				labels := map[string]string{"inventory.ccloud.dev/network": "n-1", "inventory.ccloud.dev/region": "region-1"}
				if c.cloud != "" {
					labels["inventory.ccloud.dev/cloud"] = c.cloud
				}
				g.Expect(o.Labels).To(Equal(labels))
				g.Expect(kindOf(o).Trouble(o)).To(Equal("E1: broken"))
			})
		}
	}
}

func TestOfAPeeringOfUnknownKindTheMembersTellWhoseSideItIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent wire.PeeringCloud
		want v1alpha1.PeeringObservationStatus
	}{
		"AWS": {wire.PeeringCloud{VPC: "vpc-1", CustomerRegion: "r"}, v1alpha1.PeeringObservationStatus{
			AWS: &v1alpha1.AWSPeering{VPC: "vpc-1", CustomerRegion: "r"}}},
		"GCP": {wire.PeeringCloud{ImportCustomRoutes: ptr(false)}, v1alpha1.PeeringObservationStatus{
			GCP: &v1alpha1.GCPPeering{ImportCustomRoutes: ptr(false)}}},
		"Azure": {wire.PeeringCloud{Tenant: "t", VNet: "v", CustomerRegion: "r"}, v1alpha1.PeeringObservationStatus{
			Azure: &v1alpha1.AzurePeering{Tenant: "t", VNet: "v", CustomerRegion: "r"}}},
		"of no cloud, with a region alone": {wire.PeeringCloud{CustomerRegion: "r"}, v1alpha1.PeeringObservationStatus{}},
		"two at once":                      {wire.PeeringCloud{VPC: "vpc-1", VNet: "v"}, v1alpha1.PeeringObservationStatus{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			c.sent.Kind, c.want.Kind, c.want.Region = "MoonPeering", "MoonPeering", c.sent.CustomerRegion
			o := ProjectPeering(&wire.Peering{ID: "p-1", Spec: wire.PeeringSpec{Cloud: c.sent}}).(*v1alpha1.PeeringObservation)
			g.Expect(o.Status).To(Equal(c.want))
		})
	}
}

func TestALabelIsSetOnlyWhereItsValueIsOne(t *testing.T) {
	t.Parallel()
	for value, valid := range map[string]bool{
		"n-1": true, "US_east.1": true, strings.Repeat("a", 63): true,
		"": false, strings.Repeat("a", 64): false, "a b": false, "é": false, "-a": false, "a-": false, "a/b": false,
	} {
		g := NewWithT(t)
		c := newCluster("lkc-1", value)
		c.Spec.Cloud, c.Spec.Region, c.Spec.Config.Kind = value, value, value
		source := newSource()
		source.Spec.Environment = value
		if valid { // A source's name that is too long for a label is cut, see LabelValue.
			source.Name = value
		}
		labels := stamped(source, c).GetLabels()
		g.Expect(labels).To(HaveKeyWithValue(v1alpha1.LabelSource, source.Name))
		for _, key := range []string{v1alpha1.LabelNetwork, v1alpha1.LabelCloud, v1alpha1.LabelRegion, v1alpha1.LabelType, v1alpha1.LabelEnvironment} {
			if valid {
				g.Expect(labels).To(HaveKeyWithValue(key, value))
			} else {
				g.Expect(labels).NotTo(HaveKey(key), value)
			}
		}
	}
}
