package cloudsim

import (
	"fmt"
	"strings"
)

// addressDedicated sets the endpoints of a Dedicated cluster. Of three clusters in a network, the
// first has only the deprecated fields, the second also has one access point, and the third has
// two.
func (g *generator) addressDedicated(c *Cluster, at site, domain string, n int) {
	if domain == "" {
		g.addressPublic(c, at, true)
		return
	}
	host := fmt.Sprintf("%s.%s.%s", c.ID, domain, suffix(at))
	c.Spec.KafkaBootstrapEndpoint = host + ":9092"
	c.Spec.HTTPEndpoint = "https://" + host + ":443"
	c.Spec.APIEndpoint = fmt.Sprintf("https://%s.%s", g.id("pkac-", 5), suffix(at))
	if n%3 == 0 {
		return
	}
	c.Spec.Endpoints = map[string]Endpoint{ConnectionPrivateLink: endpoint(host, ConnectionPrivateLink)}
	if n%3 == 2 {
		id, e := g.privateLink(c, at)
		c.Spec.Endpoints[id] = e
	}
}

// addressPublic sets the public address of c in the deprecated fields. Unless oldOnly is true, it
// also sets it as an access point.
func (g *generator) addressPublic(c *Cluster, at site, oldOnly bool) {
	host := g.publicHost(at)
	c.Spec.KafkaBootstrapEndpoint = host + ":9092"
	c.Spec.HTTPEndpoint = "https://" + host + ":443"
	c.Spec.APIEndpoint = fmt.Sprintf("https://%s.%s", g.id("pkac-", 5), suffix(at))
	if !oldOnly {
		c.Spec.Endpoints = map[string]Endpoint{ConnectionPublic: endpoint(host, ConnectionPublic)}
	}
}

func (g *generator) publicHost(at site) string {
	return fmt.Sprintf("%s.%s", g.id("pkc-", 5), suffix(at))
}

func (g *generator) privateLink(c *Cluster, at site) (accessPoint string, e Endpoint) {
	id := g.id("ap", 6)
	host := fmt.Sprintf("%s-%s.%s.%s.accesspoint.glb.confluent.cloud", c.ID, id, at.region, strings.ToLower(at.cloud))
	return id, endpoint(host, ConnectionPrivateLink)
}

func (g *generator) privateInterface(c *Cluster, at site) (accessPoint string, e Endpoint) {
	id := g.id("ap", 6)
	host := fmt.Sprintf("%s-%s.%s.%s.private.confluent.cloud", c.ID, id, at.region, strings.ToLower(at.cloud))
	return id, endpoint(host, ConnectionPNI)
}

func endpoint(host, connectionType string) Endpoint {
	return Endpoint{KafkaBootstrapEndpoint: host + ":9092", HTTPEndpoint: "https://" + host + ":443",
		ConnectionType: connectionType}
}

// suffix returns the end of the host names of a site.
func suffix(at site) string {
	return fmt.Sprintf("%s.%s.confluent.cloud", at.region, strings.ToLower(at.cloud))
}
