package cloudsim

import (
	"encoding/json"
	"strings"
)

// tree is a JSON object being changed.
type tree = map[string]any

// weather returns an object's JSON as the field has it. Each of the changes is made to
// about half of the objects, whichever their IDs say.
func weather(k *kind, id string, raw json.RawMessage) json.RawMessage {
	o := decode[tree](raw)
	spec, status, meta := child(o, "spec"), child(o, "status"), child(o, "metadata")
	chance := hash(id) >> 1 // its lowest bit decides who sees the object
	maybe := func(change func()) {
		if chance&1 == 1 {
			change()
		}
		chance >>= 1
	}
	maybe(func() { withoutRelated(spec) })
	maybe(func() { oldAddresses(spec) })
	maybe(func() { oldConnectionTypes(spec) })
	maybe(func() { oldCloudKind(spec) })
	maybe(func() { undocumented(k, o, spec, status) })
	maybe(func() { nulls(k, spec, status, meta) })
	maybe(func() { delete(o, "api_version"); delete(o, "kind") })
	return encode(o)
}

// child returns the object under key. Where there is none, what is written to it is lost.
func child(o tree, key string) tree {
	if c, ok := o[key].(tree); ok {
		return c
	}
	return tree{}
}

func withoutRelated(spec tree) {
	for _, reference := range []string{"environment", "network", "byok"} {
		delete(child(spec, reference), "related")
	}
}

// endpoints calls change with everything of spec that has a bootstrap address.
func endpoints(spec tree, change func(tree)) {
	change(spec)
	all := child(spec, "endpoints")
	for id := range all {
		change(child(all, id))
	}
}

func oldAddresses(spec tree) {
	endpoints(spec, func(at tree) {
		if address, ok := at["kafka_bootstrap_endpoint"].(string); ok && address != "" {
			at["kafka_bootstrap_endpoint"] = "SASL_SSL://" + strings.TrimPrefix(address, "SASL_SSL://")
		}
	})
}

// formerConnectionTypes are the spellings the contract's own examples use.
var formerConnectionTypes = map[string]string{
	ConnectionPrivateLink: "PRIVATELINK",
	ConnectionPNI:         "PRIVATENETWORKINTERFACE",
}

func oldConnectionTypes(spec tree) {
	endpoints(spec, func(at tree) {
		if kind, ok := at["connection_type"].(string); ok && formerConnectionTypes[kind] != "" {
			at["connection_type"] = formerConnectionTypes[kind]
		}
	})
}

// oldCloudKind is for peerings, whose spec.cloud is an object.
func oldCloudKind(spec tree) {
	cloud := child(spec, "cloud")
	if kind, ok := cloud["kind"].(string); ok && kind != "" {
		cloud["kind"] = "networking.v1." + strings.TrimPrefix(kind, "networking.v1.")
	}
}

// undocumented adds members that the contract does not have.
func undocumented(k *kind, o, spec, status tree) {
	o["etag"] = `W/"7"`
	status["conditions"] = []any{tree{"type": "Healthy", "status": true}}
	if k == &clusterKind {
		if _, told := spec["deletion_protection"]; !told {
			spec["deletion_protection"] = true
		}
		child(spec, "config")["billing"] = tree{"plan": 3}
		return
	}
	spec["dns_forwarding"] = []any{}
}

// nulls gives members that are absent the value null.
func nulls(k *kind, spec, status, meta tree) {
	set := func(o tree, names ...string) {
		for _, name := range names {
			if _, ok := o[name]; !ok {
				o[name] = nil
			}
		}
	}
	set(meta, "deleted_at")
	if k == &clusterKind {
		set(spec, "network", "byok", "endpoints", "kafka_bootstrap_endpoint", "http_endpoint", "api_endpoint",
			"deletion_protection")
		set(child(spec, "config"), "cku", "max_ecku", "encryption_key", "zones", "release_priority")
		set(status, "cku")
		return
	}
	set(spec, "display_name")
	set(child(spec, "cloud"), "account", "vpc", "routes", "customer_region", "project", "vpc_network",
		"import_custom_routes", "tenant", "vnet")
	set(status, "error_code", "error_message")
}

// The words of tomorrow that Estrange gives out.
const (
	OddClusterPhase = "HIBERNATING"
	OddClusterType  = "Serverless"
	OddClusterCloud = "OCI"
	OddPeeringPhase = "ROTATING_ROUTES"
	OddPeeringCloud = "OciPeering"
)

// Estrange gives some objects of an environment words that the contract does not have:
// of every eight clusters one an unknown phase, one an unknown type and one an unknown
// cloud, of every four peerings one an unknown phase and one an unknown cloud. Doing it
// again changes nothing. Seed does it in mode wire.
func Estrange(s *Sim, environment string) {
	for i, c := range s.Clusters(environment) {
		c.estrange(i)
		s.PutCluster(c)
	}
	for i, p := range s.Peerings(environment) {
		p.estrange(i)
		s.PutPeering(p)
	}
}
