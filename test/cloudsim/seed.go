package cloudsim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// DefaultEnvironment is the environment that Seed fills if SeedOptions names none.
const DefaultEnvironment = "env-abc123"

// SeedOptions says what Seed makes.
type SeedOptions struct {
	Environment string // default DefaultEnvironment
	Clusters    int
	Peerings    int
	Seed        int64 // the same options give the same objects
}

// Seed adds a realistic inventory to s. Even a small inventory is varied. The first five clusters
// have all types, three phases and three clouds. The first four peerings have three phases and
// three clouds; one is FAILED with an error, and one is PENDING_ACCEPT. 12 clusters and 7 peerings
// have every variant. Peerings and most Dedicated clusters share networks.
//
// Seed also adds these networks, transit gateway attachments of the networks on AWS, and private link
// accesses. One network in four is for PrivateLink. The third one is PROVISIONING.
// The environment has one Schema Registry cluster.
//
// In mode wire, every second peering has an ID peer-…, and some objects have unknown words, see
// Estrange.
func Seed(s *Sim, o SeedOptions) {
	if o.Environment == "" {
		o.Environment = DefaultEnvironment
	}
	g := newGenerator(o)
	g.wire = s.Mode() == ModeWire
	if !slices.Contains(s.Environments(), o.Environment) {
		s.PutEnvironment(g.organizationsOwn())
	}
	for _, c := range s.collections {
		for i := 0; c.kind.seed != nil; i++ {
			object := c.kind.seed(g, i)
			if object == nil {
				break
			}
			if g.wire {
				object.estrange(i)
			}
			put(s, c, object)
		}
	}
}

var (
	cloudCycle = []string{"AWS", "GCP", "AZURE"}
	// The cycle has eight places, and there are three clouds. So every type except Freight comes
	// with every cloud. The first Dedicated clusters (0, 5 and 7) are in three different clouds.
	typeCycle = []string{"Dedicated", "Basic", "Enterprise", "Standard", "Freight", "Dedicated", "Standard", "Dedicated"}
	// These are the phases of the first peerings. Most later peerings are READY.
	firstPeeringPhases = []string{PhaseReady, PhasePendingAccept, PhaseFailed, PhaseReady,
		PhaseProvisioning, PhaseDisconnected, PhaseDeprovisioning}
	teams  = []string{"payments", "orders", "search", "fraud", "logistics", "clickstream", "billing", "iot"}
	stages = []string{"prod", "staging", "dev"}
)

// network has what the clusters and peerings of one network have in common.
type network struct {
	id     string
	site   site
	domain string
}

// generator makes the objects of one seed. The objects must be made in order.
type generator struct {
	SeedOptions
	// wire reports whether the objects are made for mode wire.
	wire bool

	rand        *rand.Rand
	environment string
	used        map[string]bool
	named       map[string]int // how often a display name was used
	networks    []network
	dedicated   int // Dedicated clusters so far
	forks       map[string]*generator
	start       time.Time
}

func newGenerator(o SeedOptions) *generator {
	// Environments with the same seed must not have the same IDs.
	h := fnv.New64a()
	_, _ = h.Write([]byte(o.Environment)) // never fails, by its documentation
	g := &generator{
		SeedOptions: o,
		rand:        rand.New(rand.NewPCG(uint64(o.Seed), h.Sum64())),
		environment: o.Environment,
		used:        map[string]bool{},
		named:       map[string]int{},
		forks:       map[string]*generator{},
		start:       time.Date(2023, time.March, 4, 8, 30, 0, 0, time.UTC),
	}
	for i := range 3 + o.Clusters/32 + o.Peerings/16 {
		g.networks = append(g.networks, network{
			id:     g.id("n-", 6),
			site:   pick(g, sites[cloudCycle[i%len(cloudCycle)]]),
			domain: g.id("dom", 10),
		})
	}
	return g
}

// fork returns the generator of a kind that was added later. It has its own random numbers. So the
// objects of the other kinds stay the same.
func (g *generator) fork(kind string) *generator {
	if g.forks[kind] == nil {
		forked := *g
		forked.rand = rand.New(rand.NewPCG(uint64(g.Seed), hash(g.environment+"/"+kind)))
		g.forks[kind] = &forked
	}
	return g.forks[kind]
}

// networksThat returns the networks of the seed whose number is taken.
func (g *generator) networksThat(taken func(i int) bool) []network {
	var all []network
	for i, n := range g.networks {
		if taken(i) {
			all = append(all, n)
		}
	}
	return all
}

// organizationsOwn makes the environment itself. Its name is not drawn but comes from its ID. So
// the other objects are the same, whether the environment existed before or not.
func (g *generator) organizationsOwn() Environment {
	h := hash(g.environment)
	return Environment{ID: g.environment, Metadata: Metadata{CreatedAt: g.start, UpdatedAt: g.start},
		DisplayName:      teams[h%uint64(len(teams))] + "-" + stages[h>>8%uint64(len(stages))],
		StreamGovernance: &StreamGovernance{Package: "ESSENTIALS"}}
}

func (g *generator) cluster(i int) object {
	if i == g.Clusters {
		return nil
	}
	kind := typeCycle[i%len(typeCycle)]
	cloud := cloudCycle[i%len(cloudCycle)]
	if kind == "Freight" {
		cloud = "AWS" // Freight exists only there
	}
	c := Cluster{ID: g.id("lkc-", 6), Metadata: g.metadata()}
	c.Spec.Environment.ID = g.environment
	c.Spec.Config.Kind = kind
	c.Status.Phase = g.clusterPhase(i)
	at := pick(g, sites[cloud])
	if kind == "Dedicated" {
		at = g.configureDedicated(&c, at)
	} else {
		g.configureElastic(&c, at)
	}
	c.Spec.Cloud, c.Spec.Region = at.cloud, at.region
	c.Spec.DisplayName = g.name(pick(g, teams) + "-" + pick(g, stages))
	if c.Status.Phase == PhaseFailed {
		// A cluster that was never provisioned has no addresses and no CKUs.
		c.Spec.KafkaBootstrapEndpoint, c.Spec.HTTPEndpoint, c.Spec.APIEndpoint = "", "", ""
		c.Spec.Endpoints, c.Status.CKU = nil, 0
	}
	return &c
}

// name returns a display name. If the name was used before, it gets a number at its end.
func (g *generator) name(base string) string {
	g.named[base]++
	if n := g.named[base]; n > 1 {
		return fmt.Sprintf("%s-%d", base, n)
	}
	return base
}

func (g *generator) clusterPhase(i int) string {
	switch {
	case i == 2:
		return PhaseProvisioning
	case i == 3:
		return PhaseFailed
	case i < 12:
		return PhaseProvisioned
	}
	switch n := g.rand.IntN(100); {
	case n < 4:
		return PhaseProvisioning
	case n < 6:
		return PhaseFailed
	}
	return PhaseProvisioned
}

// configureDedicated makes c a Dedicated cluster and returns its site. Four of five such clusters
// are in a network, and then have the site of the network.
func (g *generator) configureDedicated(c *Cluster, at site) site {
	n := g.dedicated
	g.dedicated++
	cku := 1 + g.rand.Int32N(4)
	c.Spec.Availability = "SINGLE_ZONE"
	if cku > 1 {
		c.Spec.Availability = "MULTI_ZONE"
	}
	c.Spec.Config.CKU, c.Status.CKU = cku, cku
	if n%5 == 2 {
		c.Spec.Config.CKU = cku + 1 // a resize is under way
	}
	c.Spec.Config.ReleasePriority = "REGULAR"
	if n%4 == 3 {
		c.Spec.Config.ReleasePriority = "PRIORITY"
	}
	domain := ""
	if n%5 < 4 {
		net := g.networks[n%len(g.networks)]
		at, domain = net.site, net.domain
		c.Spec.Network = &Reference{ID: net.id}
	}
	c.Spec.Config.Zones = at.zones
	if c.Spec.Availability == "SINGLE_ZONE" {
		c.Spec.Config.Zones = at.zones[:1]
	}
	switch n % 4 {
	case 1:
		c.Spec.BYOK = &Reference{ID: g.id("cck-", 5)}
	case 2: // an older cluster, which has both
		c.Spec.BYOK = &Reference{ID: g.id("cck-", 5)}
		c.Spec.Config.EncryptionKey = g.encryptionKey(at)
	case 3:
		c.Spec.Config.EncryptionKey = g.encryptionKey(at)
	}
	g.addressDedicated(c, at, domain, n)
	return at
}

// configureElastic makes c a cluster of one of the four types that are sized in eCKU.
func (g *generator) configureElastic(c *Cluster, at site) {
	config := &c.Spec.Config
	switch config.Kind {
	case "Basic":
		c.Spec.Availability = pick(g, []string{"SINGLE_ZONE", "LOW"})
		config.MaxECKU = 5 * (1 + g.rand.Int32N(10))
		g.addressPublic(c, at, g.rand.IntN(2) == 0)
	case "Standard":
		c.Spec.Availability = pick(g, []string{"MULTI_ZONE", "SINGLE_ZONE", "HIGH"})
		if g.rand.IntN(2) == 0 { // optional, so some clusters have none
			config.MaxECKU = 10
		}
		g.addressPublic(c, at, g.rand.IntN(2) == 0)
	case "Enterprise":
		c.Spec.Availability = pick(g, []string{"HIGH", "LOW"})
		config.MaxECKU = 1 + g.rand.Int32N(10)
		first, e1 := g.privateLink(c, at)
		second, e2 := g.privateLink(c, at)
		host := g.publicHost(at)
		c.Spec.Endpoints = map[string]Endpoint{ConnectionPublic: endpoint(host, ConnectionPublic), first: e1, second: e2}
	case "Freight":
		c.Spec.Availability = "HIGH"
		config.MaxECKU = 2 + g.rand.Int32N(150)
		config.Zones = at.zones
		id, e := g.privateInterface(c, at)
		link, l := g.privateLink(c, at)
		c.Spec.Endpoints = map[string]Endpoint{id: e, link: l}
	}
}

func (g *generator) encryptionKey(at site) string {
	switch at.cloud {
	case "AWS":
		return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", at.region, g.digits(12), g.uuid())
	case "GCP":
		return fmt.Sprintf("projects/acme-%s/locations/%s/keyRings/kafka/cryptoKeys/%s", pick(g, teams), at.region, pick(g, stages))
	default:
		return fmt.Sprintf("https://acme-%s.vault.azure.net/keys/kafka/%s", pick(g, teams), g.text("0123456789abcdef", 32))
	}
}

// metadata returns the dates of an object. The object was created within two years after the start,
// and changed within a month after that.
func (g *generator) metadata() Metadata {
	created := g.start.Add(time.Duration(g.rand.IntN(2*365*24*3600)) * time.Second)
	return Metadata{CreatedAt: created, UpdatedAt: created.Add(time.Duration(g.rand.IntN(30*24*3600)) * time.Second)}
}

// id returns prefix with n random letters and digits. No object of this generator has this ID yet.
func (g *generator) id(prefix string, n int) string {
	for {
		id := prefix + g.text("0123456789abcdefghijklmnopqrstuvwxyz", n)
		if !g.used[id] {
			g.used[id] = true
			return id
		}
	}
}

func (g *generator) uuid() string {
	const hex = "0123456789abcdef"
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", g.text(hex, 8), g.text(hex, 4), g.text(hex, 3), g.text(hex, 3), g.text(hex, 12))
}

func (g *generator) digits(n int) string { return g.text("0123456789", n) }

func (g *generator) text(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.rand.IntN(len(alphabet))]
	}
	return string(b)
}

func pick[T any](g *generator, choices []T) T { return choices[g.rand.IntN(len(choices))] }
