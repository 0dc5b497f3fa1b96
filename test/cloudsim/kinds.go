package cloudsim

// Op names an operation of the simulated cloud by its operationId.
type Op string

// The operations. OpAny stands for every request where a request is asked for, and
// OpOther is what a request of no operation (another path or verb) is recorded as.
const (
	OpListClusters Op = "listCmkV2Clusters"
	OpListPeerings Op = "listNetworkingV1Peerings"
	OpExchange     Op = "exchangeStsV1OauthToken"
	OpOther        Op = "other"
	OpAny          Op = ""
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
	fresh        func() object // one without content
}

// kinds are all there are.
var kinds = []*kind{&clusterKind, &peeringKind}

// kindAt returns the kind that is listed at that path, or nil.
func kindAt(path string) *kind {
	for _, k := range kinds {
		if k.path == path {
			return k
		}
	}
	return nil
}
