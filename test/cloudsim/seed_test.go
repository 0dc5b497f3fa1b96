package cloudsim_test

import (
	"bytes"
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func seeded(o cloudsim.SeedOptions) cloudsim.Inventory {
	s := cloudsim.New(cloudsim.Options{})
	cloudsim.Seed(s, o)
	return s.Inventory()
}

// words counts how often word returns each text for items.
func words[T any](items []T, word func(T) string) map[string]int {
	counts := map[string]int{}
	for _, i := range items {
		counts[word(i)]++
	}
	return counts
}

func clusterType(c cloudsim.Cluster) string  { return c.Spec.Config.Kind }
func clusterCloud(c cloudsim.Cluster) string { return c.Spec.Cloud }
func clusterPhase(c cloudsim.Cluster) string { return c.Status.Phase }
func peeringKind(p cloudsim.Peering) string  { return p.Spec.Cloud.Kind }
func peeringPhase(p cloudsim.Peering) string { return p.Status.Phase }

func TestASmallSeedIsVaried(t *testing.T) {
	for seed := range int64(20) {
		g := NewWithT(t)
		few := seeded(cloudsim.SeedOptions{Clusters: 5, Peerings: 4, Seed: seed})
		g.Expect(words(few.Clusters, clusterType)).To(HaveLen(5))
		g.Expect(words(few.Clusters, clusterCloud)).To(HaveLen(3))
		g.Expect(words(few.Clusters, clusterPhase)).To(HaveLen(3))
		g.Expect(words(few.Peerings, peeringKind)).To(HaveLen(3))
		g.Expect(words(few.Peerings, peeringPhase)).To(And(HaveLen(3), HaveKey("FAILED"), HaveKey("PENDING_ACCEPT"), HaveKey("READY")))
		g.Expect(few.Peerings[2].Status.ErrorCode).NotTo(BeEmpty())
		g.Expect(few.Peerings[2].Status.ErrorMessage).NotTo(BeEmpty())
	}
}

func TestADozenClustersShowEverything(t *testing.T) {
	for seed := range int64(20) {
		g := NewWithT(t)
		all := seeded(cloudsim.SeedOptions{Clusters: 12, Peerings: 7, Seed: seed})
		g.Expect(words(all.Peerings, peeringPhase)).To(HaveLen(6))
		connections := map[string]int{}
		features := map[string]int{}
		networks := map[string]int{}
		for _, c := range all.Clusters {
			spec := c.Spec
			for _, e := range spec.Endpoints {
				connections[e.ConnectionType]++
			}
			if spec.Network != nil {
				networks[spec.Network.ID]++
			}
			for feature, has := range map[string]bool{
				"several access points":  len(spec.Endpoints) > 1,
				"deprecated fields only": len(spec.Endpoints) == 0 && spec.KafkaBootstrapEndpoint != "",
				"endpoints only":         len(spec.Endpoints) > 0 && spec.KafkaBootstrapEndpoint == "",
				"both":                   len(spec.Endpoints) > 0 && spec.KafkaBootstrapEndpoint != "",
				"byok":                   spec.BYOK != nil,
				"encryption key":         spec.Config.EncryptionKey != "",
				"byok and key":           spec.BYOK != nil && spec.Config.EncryptionKey != "",
				"cku":                    c.Status.CKU > 0,
				"resize":                 spec.Config.CKU > c.Status.CKU && c.Status.CKU > 0,
				"max_ecku":               spec.Config.MaxECKU > 0,
				"zones":                  len(spec.Config.Zones) > 0,
				"priority":               spec.Config.ReleasePriority == "PRIORITY",
				"network":                spec.Network != nil,
			} {
				if has {
					features[feature]++
				}
			}
		}
		g.Expect(features).To(HaveLen(13))
		g.Expect(connections).To(HaveLen(3))
		g.Expect(networks).To(ContainElement(BeNumerically(">", 1)), "clusters share a network")
		for _, p := range all.Peerings {
			g.Expect(networks).To(HaveKey(p.Spec.Network.ID), "a peering's network has clusters")
		}
	}
}

// A network's types name each way by which a seed connects it.
func TestASeedConnectsNetworksByTheirTypes(t *testing.T) {
	g := NewWithT(t)
	for _, options := range []cloudsim.SeedOptions{{Clusters: 12, Peerings: 4, Seed: 1}, {Clusters: 200, Peerings: 100, Seed: 2}} {
		all := seeded(options)
		types := map[string][]string{}
		for _, n := range all.Networks {
			types[n.ID] = n.Spec.ConnectionTypes
		}
		g.Expect(all.TransitGatewayAttachments).NotTo(BeEmpty())
		for _, a := range all.TransitGatewayAttachments {
			g.Expect(types[a.Spec.Network.ID]).To(ContainElement("TRANSITGATEWAY"))
		}
		g.Expect(all.PrivateLinkAccesses).NotTo(BeEmpty())
		for _, a := range all.PrivateLinkAccesses {
			g.Expect(types[a.Spec.Network.ID]).To(ContainElement("PRIVATELINK"))
		}
	}
}

func TestALargeSeedIsMostlyWell(t *testing.T) {
	g := NewWithT(t)
	all := seeded(cloudsim.SeedOptions{Clusters: 2000, Peerings: 1000})
	g.Expect(all.Clusters).To(HaveLen(2000))
	g.Expect(all.Peerings).To(HaveLen(1000))
	g.Expect(words(all.Clusters, clusterPhase)["PROVISIONED"]).To(BeNumerically(">", 1800))
	g.Expect(words(all.Peerings, peeringPhase)["READY"]).To(BeNumerically(">", 850))
	g.Expect(words(all.Clusters, func(c cloudsim.Cluster) string { return c.Spec.Availability })).To(HaveLen(4))
	for _, c := range all.Clusters {
		g.Expect(c.ID).To(MatchRegexp(`^lkc-[0-9a-z]{6}$`))
	}
	for _, p := range all.Peerings {
		g.Expect(p.ID).To(MatchRegexp(`^p-[0-9a-z]{6}$`))
		g.Expect(p.Spec.Network.ID).To(MatchRegexp(`^n-[0-9a-z]{6}$`))
	}
}

func TestASeedKeepsToTheContract(t *testing.T) {
	g := NewWithT(t)
	doc, err := json.Marshal(seeded(cloudsim.SeedOptions{Clusters: 500, Peerings: 300, Seed: 3}))
	g.Expect(err).NotTo(HaveOccurred())
	read, err := cloudsim.ReadInventory(bytes.NewReader(doc))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read).To(Equal(seeded(cloudsim.SeedOptions{Clusters: 500, Peerings: 300, Seed: 3})), "and the same seed gives the same")
}

func TestSeedsDiffer(t *testing.T) {
	g := NewWithT(t)
	one := seeded(cloudsim.SeedOptions{Clusters: 50, Peerings: 20, Seed: 1})
	two := seeded(cloudsim.SeedOptions{Clusters: 50, Peerings: 20, Seed: 2})
	g.Expect(one).NotTo(Equal(two))

	s := cloudsim.New(cloudsim.Options{})
	for _, e := range []string{"env-a", "env-b", "env-c"} {
		cloudsim.Seed(s, cloudsim.SeedOptions{Environment: e, Clusters: 200, Peerings: 100})
		g.Expect(s.Clusters(e)).To(HaveLen(200), "environments of one seed share no IDs")
	}
	clusters, peerings := s.Size()
	g.Expect([]int{clusters, peerings}).To(Equal([]int{600, 300}))
	g.Expect(seeded(cloudsim.SeedOptions{}).Environments).To(ConsistOf(HaveField("ID", env)))
}
