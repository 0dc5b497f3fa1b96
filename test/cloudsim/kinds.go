package cloudsim

import (
	"encoding/json"
)

// Op names an operation of the simulated cloud by its operationId.
type Op string

// The operations. OpAny stands for every request where a request is asked for, and
// OpOther is what a request of no operation (another path or verb) is recorded as.
const (
	OpListClusters     Op = "listCmkV2Clusters"
	OpListPeerings     Op = "listNetworkingV1Peerings"
	OpListNetworks     Op = "listNetworkingV1Networks"
	OpListEnvironments Op = "listOrgV2Environments"
	OpExchange         Op = "exchangeStsV1OauthToken"
	OpOther            Op = "other"
	OpAny              Op = ""
)

// Ops returns the list operations, and OpOther.
func Ops() []Op {
	var ops []Op
	for _, k := range kinds {
		ops = append(ops, k.op)
	}
	return append(ops, OpOther)
}

// The words of the contract that the simulator itself sets or checks.
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

// kind is everything that sets one listed kind apart from another.
type kind struct {
	op          Op
	path        string // of the list operation, and of metadata.self with an ID behind it
	apiVersion  string
	name        string
	noun        string // for messages
	plural      string // of the inventory document
	maxPageSize int
	// cloudKeyOnly reports whether a global API key is refused.
	cloudKeyOnly bool
	filters      []string // query parameters; object.facets gives the values in this order
	phases       []string
	// organizationWide reports whether the objects are the organization's, and lie in no
	// environment.
	organizationWide bool
	// optional are the members that mode wire sends as null where they are absent: paths
	// of members within an item.
	optional []string
	// undocumented adds members to an item's spec that the contract does not have.
	undocumented func(spec tree)

	fresh func() object // one without content
	// in and fill are the kind's place in an inventory document.
	in   func(*Inventory) []object
	fill func(*Inventory, []json.RawMessage)
}

// of completes the description of a kind whose objects are of type T and have that place
// in an inventory document.
func of[T any, P pointerTo[T]](place func(*Inventory) *[]T, k kind) *kind {
	k.fresh = func() object { return P(new(T)) }
	k.in = func(doc *Inventory) []object { return pointers[T, P](*place(doc)) }
	k.fill = func(doc *Inventory, encoded []json.RawMessage) { *place(doc) = decodeAll[T](encoded) }
	return &k
}

// kinds are all there are.
var kinds = []*kind{clusterKind, peeringKind, networkKind, environmentKind}

// kindAt returns the kind that is listed at that path, or nil.
func kindAt(path string) *kind {
	for _, k := range kinds {
		if k.path == path {
			return k
		}
	}
	return nil
}
