package cloudsim

import (
	"encoding/json"
	"slices"
	"strings"
)

// tree is a JSON object being changed.
type tree = map[string]any

// wireForm returns an object's JSON as the field has it. Each of the changes is made to
// about half of the objects, whichever their IDs say.
func wireForm(k *kind, id string, raw json.RawMessage) json.RawMessage {
	o := decode[tree](raw)
	spec, status := child(o, "spec"), child(o, "status")
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
	maybe(func() { nulls(k, o) })
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
	for _, reference := range []string{"environment", "network", "byok", "gateway"} {
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
	k.undocumented(spec)
}

// nulls gives members that are absent the value null.
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
// cloud, of every four peerings one an unknown phase and one an unknown cloud, of every
// five networks one an unknown phase, one an unknown way to connect and one an unknown
// cloud. Doing it
// again changes nothing. Seed does it in mode wire.
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
