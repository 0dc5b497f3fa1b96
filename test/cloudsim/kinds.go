package cloudsim

import (
	"encoding/json"
)

// Op is an operation of the simulated cloud. Its value is the operationId.
type Op string

// The operations. OpAny stands for every operation. OpOther is recorded for a request with another
// path or verb.
const (
	OpListClusters         Op = "listCmkV2Clusters"
	OpListPeerings         Op = "listNetworkingV1Peerings"
	OpListNetworks         Op = "listNetworkingV1Networks"
	OpListSchemaRegistries Op = "listSrcmV3Clusters"
	OpListEnvironments     Op = "listOrgV2Environments"
	OpExchange             Op = "exchangeStsV1OauthToken"
	OpOther                Op = "other"
	OpAny                  Op = ""
)

// Ops returns the list operations and OpOther.
func Ops() []Op {
	var ops []Op
	for _, k := range kinds {
		ops = append(ops, k.op)
	}
	return append(ops, OpOther)
}

// These are words of the contract that the simulator itself sets or checks.
const (
	PhaseProvisioning   = "PROVISIONING"
	PhaseProvisioned    = "PROVISIONED"
	PhaseFailed         = "FAILED"
	PhasePendingAccept  = "PENDING_ACCEPT"
	PhaseReady          = "READY"
	PhaseDeprovisioning = "DEPROVISIONING"
	PhaseDisconnected   = "DISCONNECTED"

	ConnectionPublic      = "PUBLIC"
	ConnectionPrivateLink = "PRIVATE_LINK"
	ConnectionPNI         = "PRIVATE_NETWORK_INTERFACE"
)

// kind has everything that differs between the listed kinds.
type kind struct {
	op          Op
	path        string // of the list operation; with an ID also of metadata.self
	apiVersion  string
	name        string
	noun        string // for messages
	plural      string // its member in the inventory document
	maxPageSize int
	// cloudKeyOnly reports whether the operation refuses a global API key.
	cloudKeyOnly bool
	// apiKeyOnly reports whether the access tokens of identity pools are refused.
	apiKeyOnly bool
	filters    []string // query parameters; object.facets gives the values in this order
	phases     []string
	// organizationWide reports whether the objects belong to the organization and not to an
	// environment.
	organizationWide bool
	// optional has the optional members of an item, as paths. If such a member is absent, mode wire
	// sends it as null.
	optional []string
	// undocumented adds members to the spec of an item that are not in the contract.
	undocumented func(spec tree)

	// seed returns the i-th object of a seed, and nil after the last object. seed is nil if Seed
	// makes no objects of this kind.
	seed func(g *generator, i int) object

	fresh func() object // returns an empty object
	// in returns the objects of the kind from an inventory document. fill sets them.
	in   func(*Inventory) []object
	fill func(*Inventory, []json.RawMessage)
}

// of completes the description of a kind whose objects have type T. place returns their place in an
// inventory document.
func of[T any, P pointerTo[T]](place func(*Inventory) *[]T, k kind) *kind {
	k.fresh = func() object { return P(new(T)) }
	k.in = func(doc *Inventory) []object { return pointers[T, P](*place(doc)) }
	k.fill = func(doc *Inventory, encoded []json.RawMessage) { *place(doc) = decodeAll[T](encoded) }
	return &k
}

// kinds has all kinds that can be listed.
var kinds = []*kind{clusterKind, peeringKind, networkKind, schemaRegistryKind, transitGatewayKind, privateLinkKind, environmentKind}

// kindAt returns the kind that is listed at this path, or nil.
func kindAt(path string) *kind {
	for _, k := range kinds {
		if k.path == path {
			return k
		}
	}
	return nil
}
