package cloudsim

import (
	"encoding/json"
	"slices"
	"strings"
)

// tree is a JSON object that is being changed.
type tree = map[string]any

// wireForm returns the JSON of an object in mode wire. Each change applies to about half of the
// objects. The ID decides which.
func wireForm(k *kind, id string, raw json.RawMessage) json.RawMessage {
	o := decode[tree](raw)
	spec, status := child(o, "spec"), child(o, "status")
	chance := hash(id) >> 1 // the lowest bit decides whether ViewPart shows the object
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
	maybe(func() { nulls(k, o) })
	maybe(func() { delete(o, "api_version"); delete(o, "kind") })
	return encode(o)
}

// child returns the object under key. If there is none, it returns a new object that belongs to
// nothing.
func child(o tree, key string) tree {
	if c, ok := o[key].(tree); ok {
		return c
	}
	return tree{}
}

func withoutRelated(spec tree) {
	for _, reference := range []string{"environment", "network", "byok", "gateway"} {
		delete(child(spec, reference), "related")
	}
}

// endpoints calls change for spec, and for each endpoint in spec: each has a bootstrap address.
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

// formerConnectionTypes are spellings that the contract's own examples use.
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

// oldCloudKind changes the cloud of a peering. Only in a peering is spec.cloud an object.
func oldCloudKind(spec tree) {
	cloud := child(spec, "cloud")
	if kind, ok := cloud["kind"].(string); ok && kind != "" {
		cloud["kind"] = "networking.v1." + strings.TrimPrefix(kind, "networking.v1.")
	}
}

// undocumented adds members that are not in the contract.
func undocumented(k *kind, o, spec, status tree) {
	o["etag"] = `W/"7"`
	status["conditions"] = []any{tree{"type": "Healthy", "status": true}}
	k.undocumented(spec)
}

// nulls sets optional members that are absent to null.
func nulls(k *kind, o tree) {
	for _, path := range k.optional {
		within, names := o, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			within = child(within, name)
		}
		if name := names[len(names)-1]; within[name] == nil {
			within[name] = nil
		}
	}
}

// These are the unknown words that Estrange uses.
const (
	OddClusterPhase = "HIBERNATING"
	OddClusterType  = "Serverless"
	OddClusterCloud = "OCI"
	OddPeeringPhase = "ROTATING_ROUTES"
	OddPeeringCloud = "OciPeering"
)

// Estrange gives some objects of an environment words that are not in the contract. A second call
// changes nothing. Seed calls the same code in mode wire. The words are:
//
//   - Of eight clusters, one gets an unknown phase, one an unknown type and one an unknown cloud.
//   - Of four peerings, one gets an unknown phase and one an unknown cloud.
//   - Of five networks, one gets an unknown phase, one an unknown connection type and one an
//     unknown cloud.
//   - Of three Schema Registry clusters, one gets an unknown phase and one an unknown package.
func Estrange(s *Sim, environment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.collections {
		for i, e := range slices.Clone(c.all(environment)) {
			o := c.kind.fresh()
			readBack(e.raw, o)
			o.estrange(i)
			c.put(o, s.now())
		}
	}
}
