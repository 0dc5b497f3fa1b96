// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Prefix starts every label and annotation that this API defines.
const Prefix = "inventory.ccloud.dev/"

// Annotations a user sets on an InventorySource or an EnvironmentDiscovery.
const (
	// AnnotationRequestedAt asks for a sync now. Any value that differs from
	// status.lastHandledReconcileAt counts; it is echoed there once handled.
	AnnotationRequestedAt = Prefix + "requestedAt"
	// AnnotationApprovePrune lets one held prune through. Its value is the
	// digest printed in the PruneHeld message; several are separated by commas.
	AnnotationApprovePrune = Prefix + "approvePrune"
	// AnnotationUnmanaged, "true" on an InventorySource that an EnvironmentDiscovery made,
	// has the discovery leave it alone: it is neither changed nor deleted.
	AnnotationUnmanaged = Prefix + "unmanaged"
)

// Labels the operator sets on observations, each only where its value is a
// valid label value.
const (
	LabelSource      = Prefix + "source"
	LabelEnvironment = Prefix + "environment"
	LabelNetwork     = Prefix + "network"
	LabelCloud       = Prefix + "cloud"
	LabelRegion      = Prefix + "region"
	LabelType        = Prefix + "type"
)

// Annotations that an EnvironmentDiscovery sets on the InventorySources it makes.
const (
	// AnnotationEnvironmentName is the display name of the source's environment.
	AnnotationEnvironmentName = Prefix + "environment-name"
	// AnnotationMissingSince says since when the source's environment is missing from
	// complete listings (RFC 3339). It goes when the environment is back.
	AnnotationMissingSince = Prefix + "missing-since"
)

// LabelDiscovery, on an InventorySource, names the EnvironmentDiscovery that made it.
const LabelDiscovery = Prefix + "discovery"

// AnnotationTemplateKeys, on an observation or on a source that a discovery made, lists the label and annotation
// keys that came from the source's template, so that those taken out of the
// template later are taken off the observation too.
const AnnotationTemplateKeys = Prefix + "template-keys"

// Condition types of an InventorySource.
const (
	// ConditionReady is True after a sync in which every mirrored kind was
	// listed whole and written.
	ConditionReady = "Ready"
	// ConditionReconciling is True, and otherwise absent, while a sync is
	// under way or is being tried again (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True, and otherwise absent, where only a person can
	// help (kstatus).
	ConditionStalled = "Stalled"
	// ConditionKafkaClustersSynced tells how the last sync of the clusters went.
	ConditionKafkaClustersSynced = "KafkaClustersSynced"
	// ConditionPeeringsSynced tells how the last sync of the peerings went.
	ConditionPeeringsSynced = "PeeringsSynced"
	// ConditionNetworksSynced tells how the last sync of the networks went.
	ConditionNetworksSynced = "NetworksSynced"
	// ConditionPruneHeld is True, and otherwise absent, while observations
	// stay although their cloud objects are missing, until a person approves.
	ConditionPruneHeld = "PruneHeld"
)

// ConditionObserved is the condition of an observation that reports whether its
// cloud object was in the last complete listing. Observations also carry Ready.
const ConditionObserved = "Observed"

// Reasons of an InventorySource's Ready and of its …Synced conditions, one for each kind.
const (
	ReasonSucceeded          = "Succeeded"
	ReasonProgressing        = "Progressing"
	ReasonSuspended          = "Suspended"
	ReasonSecretNotFound     = "SecretNotFound"
	ReasonSecretInvalid      = "SecretInvalid"
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonServiceAccountTokenFailed: the API server gave no token of the ServiceAccount.
	ReasonServiceAccountTokenFailed = "ServiceAccountTokenFailed"
	// ReasonTokenExchangeRefused: the cloud took that token for nobody it knows.
	ReasonTokenExchangeRefused = "TokenExchangeRefused"
	ReasonUnauthenticated      = "Unauthenticated"
	ReasonForbidden            = "Forbidden"
	ReasonInvalidRequest       = "InvalidRequest"
	ReasonRateLimited          = "RateLimited"
	ReasonCloudUnavailable     = "CloudUnavailable"
	ReasonIncompleteListing    = "IncompleteListing"
	ReasonMalformedResponse    = "MalformedResponse"
	ReasonNameConflict         = "NameConflict"
	// ReasonWriteFailed: the API server refused to have an observation written.
	ReasonWriteFailed = "WriteFailed"
	// ReasonConfigMapsOff: the source asks for ConfigMaps, which the manager does not keep.
	ReasonConfigMapsOff = "ConfigMapsOff"
)

// Reasons of PruneHeld.
const (
	// ReasonListingEmpty: the listing was empty although observations exist.
	ReasonListingEmpty = "ListingEmpty"
	// ReasonShareExceeded: more than prune.maxPercent of the kind is missing.
	ReasonShareExceeded = "ShareExceeded"
	// ReasonScopeChanged: an object was last seen with another endpoint,
	// credential or filter.
	ReasonScopeChanged = "ScopeChanged"
)

// Reasons of an observation's Observed and Ready. Ready's other reasons are the
// cloud's phase in CamelCase, and Progressing until the status is written.
const (
	// ReasonListed: the cloud object was in the last complete listing.
	ReasonListed = "Listed"
	// ReasonMissing: the cloud object was absent from the last complete listing.
	ReasonMissing = "Missing"
	// ReasonSourceStale: no complete listing for the source's staleAfter.
	ReasonSourceStale = "SourceStale"
	// ReasonUnknownPhase: this version does not know what the phase means.
	ReasonUnknownPhase = "UnknownPhase"
)

// Keys of the ConfigMap that is kept for a KafkaClusterObservation where its source's
// spec.kafkaClusters.configMaps is Enabled. A key whose value the cloud does not tell is
// absent. Each access point adds three more: its ID with one of the suffixes behind it.
const (
	ConfigMapClusterID        = "cluster.id"
	ConfigMapEnvironmentID    = "environment.id"
	ConfigMapDisplayName      = "display.name"
	ConfigMapPhase            = "phase"
	ConfigMapBootstrapServers = "bootstrap.servers"
	ConfigMapHTTPEndpoint     = "http.endpoint"

	ConfigMapSuffixBootstrapServers = ".bootstrap.servers"
	ConfigMapSuffixHTTPEndpoint     = ".http.endpoint"
	ConfigMapSuffixConnectionType   = ".connection.type"
)
