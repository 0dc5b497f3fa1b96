// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Prefix starts every label and annotation that this API defines.
const Prefix = "inventory.ccloud.dev/"

// Annotations that a user sets on an InventorySource or an EnvironmentDiscovery.
const (
	// AnnotationRequestedAt asks for a sync now. Any value that differs from
	// status.lastHandledReconcileAt counts; the sync copies it there.
	AnnotationRequestedAt = Prefix + "requestedAt"
	// AnnotationApprovePrune approves one held prune. Its value is the digest in the PruneHeld
	// message; it may have several, separated by commas.
	AnnotationApprovePrune = Prefix + "approvePrune"
	// AnnotationUnmanaged, if "true" on an InventorySource that an EnvironmentDiscovery made, makes
	// the discovery neither change nor delete the source.
	AnnotationUnmanaged = Prefix + "unmanaged"
)

// Labels that the operator sets on observations. It sets each only if its value is a valid label
// value.
const (
	LabelSource      = Prefix + "source"
	LabelEnvironment = Prefix + "environment"
	LabelNetwork     = Prefix + "network"
	LabelCloud       = Prefix + "cloud"
	LabelRegion      = Prefix + "region"
	LabelType        = Prefix + "type"
)

// Annotations that an EnvironmentDiscovery sets on the InventorySources that it makes.
const (
	// AnnotationEnvironmentName is the display name of the source's environment.
	AnnotationEnvironmentName = Prefix + "environment-name"
	// AnnotationMissingSince is the time since when the source's environment is missing from
	// complete listings (RFC 3339). It is removed when the environment is back.
	AnnotationMissingSince = Prefix + "missing-since"
)

// LabelDiscovery, on an InventorySource, names the EnvironmentDiscovery that made it.
const LabelDiscovery = Prefix + "discovery"

// AnnotationTemplateKeys, on an observation or on a source that a discovery made, lists the label
// and annotation keys that came from the template. If the template later loses a key, the object
// loses it too.
const AnnotationTemplateKeys = Prefix + "template-keys"

// Condition types of an InventorySource.
const (
	// ConditionReady is True after a sync that listed and wrote every mirrored kind whole.
	ConditionReady = "Ready"
	// ConditionReconciling is True while a sync is under way or is tried again; otherwise it is
	// absent (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True if only a person can help; otherwise it is absent (kstatus).
	ConditionStalled = "Stalled"
	// ConditionKafkaClustersSynced reports how the last sync of the clusters went.
	ConditionKafkaClustersSynced = "KafkaClustersSynced"
	// ConditionPeeringsSynced reports how the last sync of the peerings went.
	ConditionPeeringsSynced = "PeeringsSynced"
	// ConditionNetworksSynced reports how the last sync of the networks went.
	ConditionNetworksSynced = "NetworksSynced"
	// ConditionPruneHeld is True while observations of missing cloud objects stay until a person
	// approves the prune; otherwise it is absent.
	ConditionPruneHeld = "PruneHeld"
)

// ConditionObserved reports whether the cloud object of an observation was in the last complete
// listing. Observations also have Ready.
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
	// ReasonTokenExchangeRefused: the cloud refused to exchange that token.
	ReasonTokenExchangeRefused = "TokenExchangeRefused"
	ReasonUnauthenticated      = "Unauthenticated"
	ReasonForbidden            = "Forbidden"
	ReasonInvalidRequest       = "InvalidRequest"
	ReasonRateLimited          = "RateLimited"
	ReasonCloudUnavailable     = "CloudUnavailable"
	ReasonIncompleteListing    = "IncompleteListing"
	ReasonMalformedResponse    = "MalformedResponse"
	ReasonNameConflict         = "NameConflict"
	// ReasonWriteFailed: an observation could not be written to the API server.
	ReasonWriteFailed = "WriteFailed"
	// ReasonConfigMapsOff: the source asks for ConfigMaps, which this manager does not keep, or has
	// some that it no longer wants and this manager does not delete.
	ReasonConfigMapsOff = "ConfigMapsOff"
)

// Reasons that only an EnvironmentDiscovery's Ready has.
const (
	// ReasonPreview: spec.preview is true. The discovery reports what it would do, and does nothing.
	ReasonPreview = "Preview"
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
	// ReasonSourceStale: there was no complete listing for the source's staleAfter.
	ReasonSourceStale = "SourceStale"
	// ReasonUnknownPhase: this version does not know what the phase means.
	ReasonUnknownPhase = "UnknownPhase"
)

// Keys of the ConfigMap that is kept for a KafkaClusterObservation if its source's
// spec.kafkaClusters.configMaps is Enabled. A key without a value is absent. Each access point adds
// three more keys: its ID, followed by one of the suffixes. If spec.kafkaClusters.configMapKeys is
// Environment, keys are in upper case and have "_" for each ".".
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
