package cloudsim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// items returns the objects of a list answer unchanged. The key is the ID.
func items(g Gomega, a answer) map[string]map[string]any {
	var l struct{ Data []map[string]any }
	g.ExpectWithOffset(1, a.status).To(Equal(200), a.body)
	g.ExpectWithOffset(1, json.Unmarshal([]byte(a.body), &l)).To(Succeed())
	all := map[string]map[string]any{}
	for _, item := range l.Data {
		all[item["id"].(string)] = item
	}
	return all
}

func TestTheWireModeHasWhatIsSeenInTheField(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 90, Peerings: 60})
	strict := get(s, clustersPath, "&page_size=100").body + get(s, peeringsPath, "&page_size=100").body
	inventory := s.Inventory()
	s.SetMode(cloudsim.ModeWire)
	wire := get(s, clustersPath, "&page_size=100").body + get(s, peeringsPath, "&page_size=100").body
	for seen, inBoth := range map[string]bool{
		`"kafka_bootstrap_endpoint":"SASL_SSL://pkc-`: false,
		`"kafka_bootstrap_endpoint":"pkc-`:            true,
		`"connection_type":"PRIVATELINK"`:             false,
		`"connection_type":"PRIVATE_LINK"`:            true,
		`"connection_type":"PRIVATENETWORKINTERFACE"`: false,
		`"kind":"networking.v1.AwsPeering"`:           false,
		`"kind":"networking.v1.AzurePeering"`:         false,
		`"kind":"AwsPeering"`:                         true,
		`"deletion_protection":true`:                  false,
		`"conditions":[{`:                             false,
		`"deleted_at":null`:                           false,
		`"byok":null`:                                 false,
		`"zones":null`:                                false,
		`"error_code":null`:                           false,
		`"import_custom_routes":null`:                 false,
	} {
		g.Expect(wire).To(ContainSubstring(seen))
		if inBoth {
			g.Expect(strict).To(ContainSubstring(seen))
		} else {
			g.Expect(strict).NotTo(ContainSubstring(seen))
		}
	}
	g.Expect(strings.Count(wire, `"related"`)).To(And(BeNumerically(">", 50), BeNumerically("<", strings.Count(strict, `"related"`)*3/4)))
	g.Expect(s.Inventory()).To(Equal(inventory), "the inventory is what it was")
	s.SetMode(cloudsim.ModeStrict)
	g.Expect(get(s, clustersPath, "&page_size=100").body + get(s, peeringsPath, "&page_size=100").body).To(Equal(strict))
}

func TestAnObjectLooksTheSameInEveryListing(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{Mode: cloudsim.ModeWire})
	cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 40, Peerings: 40})
	for _, path := range []string{clustersPath, peeringsPath} {
		first := items(g, get(s, path, "&page_size=100"))
		g.Expect(first).To(HaveLen(40))
		for range 5 {
			g.Expect(items(g, get(s, path, "&page_size=100"))).To(Equal(first))
		}
	}
	c := s.Clusters("")[0]
	g.Expect(s.SetClusterPhase(c.ID, "MOVED")).To(Succeed())
	changed := items(g, get(s, clustersPath, "&page_size=100"))[c.ID]
	g.Expect(changed["status"]).To(HaveKeyWithValue("phase", "MOVED"))
}

// TestTheWireModeEndsListingsInEveryWay lists the same clusters again and again.
func TestTheWireModeEndsListingsInEveryWay(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 12))
	s.SetMode(cloudsim.ModeWire)
	ends, totals := map[string]int{}, map[string]int{}
	for range 24 {
		query := "&page_size=10"
		var ids []string
		for {
			a := get(s, clustersPath, query)
			ids = append(ids, a.list(g).ids()...)
			var raw struct {
				Metadata map[string]json.RawMessage
				Data     json.RawMessage
			}
			g.Expect(json.Unmarshal([]byte(a.body), &raw)).To(Succeed())
			if total, ok := raw.Metadata["total_size"]; ok {
				var n int
				g.Expect(json.Unmarshal(total, &n)).To(Succeed())
				g.Expect(n).To(BeNumerically("<=", 12))
				totals[map[bool]string{true: "low", false: "right"}[n < 12]]++
			} else {
				totals["absent"]++
			}
			if next := a.list(g).Metadata.Next; next != nil && *next != "" {
				query = "&page_size=10&page_token=" + token(g, next)
				continue
			}
			end := "next " + string(raw.Metadata["next"])
			if string(raw.Data) == "null" {
				end += ", data null"
			}
			ends[end]++
			break
		}
		g.Expect(ids).To(Equal(numbered(1, 12)))
	}
	g.Expect(ends).To(HaveLen(6), fmt.Sprint(ends))
	g.Expect(totals).To(HaveLen(3))

	s.AddEnvironment("env-empty")
	a := ask(s.Handler(), "GET", clustersPath+"?environment=env-empty", "KEY", "SECRET", "")
	g.Expect(a.body).To(HaveSuffix(`"data":null}`))
}

func TestTheModeMayChangeWithinAListing(t *testing.T) {
	g := NewWithT(t)
	s := simWith(numbered(1, 40))
	for range 6 {
		g.Expect(walkModes(g, s)).To(Equal(numbered(1, 40)))
	}
}

// walkModes lists all objects and changes the mode before each page.
func walkModes(g Gomega, s *cloudsim.Sim) (ids []string) {
	query := "&page_size=7"
	for n := 0; ; n++ {
		s.SetMode(cloudsim.Modes()[n%2])
		l := get(s, clustersPath, query).list(g)
		ids = append(ids, l.ids()...)
		if l.Metadata.Next == nil || *l.Metadata.Next == "" {
			return ids
		}
		query = "&page_size=7&page_token=" + token(g, l.Metadata.Next)
	}
}

func TestASeedInWireModeHasWordsOfTomorrow(t *testing.T) {
	g := NewWithT(t)
	now := time.Now()
	seeded := func(mode cloudsim.Mode) *cloudsim.Sim {
		s := newSim(cloudsim.Options{Mode: mode, Clock: func() time.Time { return now }})
		cloudsim.Seed(s, cloudsim.SeedOptions{Clusters: 12, Peerings: 4})
		return s
	}
	wire := seeded(cloudsim.ModeWire)
	g.Expect(seeded(cloudsim.ModeWire).InventoryOf(env)).To(Equal(wire.InventoryOf(env)), "the same seed gives the same")
	words := map[string]int{}
	for _, c := range wire.Clusters("") {
		words[c.Status.Phase]++
		words[c.Spec.Config.Kind]++
		words[c.Spec.Cloud]++
	}
	long := 0
	for _, p := range wire.Peerings("") {
		words[p.Status.Phase]++
		words[p.Spec.Cloud.Kind]++
		if strings.HasPrefix(p.ID, "peer-") {
			long++
		}
	}
	for _, word := range []string{cloudsim.OddClusterPhase, cloudsim.OddClusterType, cloudsim.OddClusterCloud,
		cloudsim.OddPeeringPhase, cloudsim.OddPeeringCloud} {
		g.Expect(words).To(HaveKey(word))
	}
	g.Expect(long).To(Equal(2))

	strict := seeded(cloudsim.ModeStrict)
	cloudsim.Estrange(strict, env)
	g.Expect(strict.Clusters("")[1].Status.Phase).To(Equal(cloudsim.OddClusterPhase))
	g.Expect(strict.Peerings("")[3].Spec.Cloud.Kind).To(Equal(cloudsim.OddPeeringCloud))
	once := strict.Inventory()
	now = now.Add(time.Hour)
	cloudsim.Estrange(strict, env)
	g.Expect(strict.Inventory()).To(Equal(once), "again it changes nothing")
}

func TestModesHaveNames(t *testing.T) {
	g := NewWithT(t)
	for _, m := range cloudsim.Modes() {
		text, err := m.MarshalText()
		g.Expect(err).NotTo(HaveOccurred())
		var read cloudsim.Mode
		g.Expect(read.UnmarshalText(text)).To(Succeed())
		g.Expect(read).To(Equal(m))
	}
	g.Expect(cloudsim.Mode(7).String()).To(Equal("mode(7)"))
	g.Expect(newSim(cloudsim.Options{}).Mode()).To(Equal(cloudsim.ModeStrict))
}
