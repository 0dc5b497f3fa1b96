// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Prefix starts every label and annotation that this API defines.
const Prefix = "inventory.ccloud.dev/"

// Annotations that a user sets on an InventorySource or an EnvironmentDiscovery.
const (
	// AnnotationRequestedAt asks for a sync now. Any value works that differs from
	// status.lastHandledReconcileAt. When the sync is done, it copies the value there.
	AnnotationRequestedAt = Prefix + "requestedAt"
	// AnnotationApprovePrune approves held prunes. Its value is one or more digests from PruneHeld
	// messages, separated by commas.
	AnnotationApprovePrune = Prefix + "approvePrune"
	// AnnotationUnmanaged with the value "true", on an InventorySource of an EnvironmentDiscovery,
	// stops the discovery from changing and deleting the source.
	AnnotationUnmanaged = Prefix + "unmanaged"
)

// Labels that the operator sets on observations. Every label except LabelSource is set only if its
// value is a valid label value.
const (
	// LabelSource is the source's name. A name that is longer than 63 characters is cut and ends in
	// - and 8 hex digits.
	LabelSource = Prefix + "source"
	// LabelEnvironment is the environment's ID. Sources of a discovery have this label too.
	LabelEnvironment = Prefix + "environment"
	// LabelNetwork is the network's ID.
	LabelNetwork = Prefix + "network"
	// LabelCloud is the cloud provider.
	LabelCloud = Prefix + "cloud"
	// LabelRegion is the region.
	LabelRegion = Prefix + "region"
	// LabelType is the type of a Kafka cluster.
	LabelType = Prefix + "type"
)

// Annotations that an EnvironmentDiscovery sets on the InventorySources that it makes.
const (
	// AnnotationEnvironmentName is the display name of the source's environment.
	AnnotationEnvironmentName = Prefix + "environment-name"
	// AnnotationMissingSince is the time since when complete listings lack the source's environment
	// (RFC 3339). It is removed when the environment is listed again.
	AnnotationMissingSince = Prefix + "missing-since"
)

// LabelDiscovery, on an InventorySource, is the name of the EnvironmentDiscovery that made it. A
// name that is longer than 63 characters is cut and ends in - and 8 hex digits.
const LabelDiscovery = Prefix + "discovery"

// AnnotationTemplateKeys, on an observation or on a source that a discovery made, lists the label
// and annotation keys that came from the template. If the template later loses a key, the object
// loses the key too.
const AnnotationTemplateKeys = Prefix + "template-keys"

// Condition types of InventorySources and EnvironmentDiscoveries. Observations have Ready and
// Observed.
const (
	// ConditionReady of a source is True after a sync that listed every mirrored kind completely,
	// wrote all of it and found no name taken. For an observation see [IsReady].
	ConditionReady = "Ready"
	// ConditionReconciling is True while a sync is under way or will be tried again; otherwise it
	// is absent (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True if only a person can help; otherwise it is absent (kstatus).
	ConditionStalled = "Stalled"
	// ConditionKafkaClustersSynced reports how the last sync of the clusters went.
	ConditionKafkaClustersSynced = "KafkaClustersSynced"
	// ConditionPeeringsSynced reports how the last sync of the peerings went.
	ConditionPeeringsSynced = "PeeringsSynced"
	// ConditionNetworksSynced reports how the last sync of the networks went.
	ConditionNetworksSynced = "NetworksSynced"
	// ConditionPruneHeld is True while a prune waits for a person's approval; otherwise it is
	// absent.
	ConditionPruneHeld = "PruneHeld"
)

// ConditionObserved of an observation is True if its cloud object was in the last complete listing
// or in any later one, False if the last complete listing lacked it, and Unknown if there was no
// complete listing for staleAfter.
const ConditionObserved = "Observed"

// Reasons of an InventorySource's Ready and of its …Synced conditions. Ready of an
// EnvironmentDiscovery has the same.
const (
	ReasonSucceeded          = "Succeeded"
	ReasonProgressing        = "Progressing"
	ReasonSuspended          = "Suspended"
	ReasonSecretNotFound     = "SecretNotFound"
	ReasonSecretInvalid      = "SecretInvalid"
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonServiceAccountTokenFailed: the API server gave no token of the ServiceAccount.
	ReasonServiceAccountTokenFailed = "ServiceAccountTokenFailed"
	// ReasonTokenExchangeRefused: the cloud refused to exchange the ServiceAccount's token.
	ReasonTokenExchangeRefused = "TokenExchangeRefused"
	ReasonUnauthenticated      = "Unauthenticated"
	ReasonForbidden            = "Forbidden"
	ReasonInvalidRequest       = "InvalidRequest"
	ReasonRateLimited          = "RateLimited"
	ReasonCloudUnavailable     = "CloudUnavailable"
	ReasonIncompleteListing    = "IncompleteListing"
	ReasonMalformedResponse    = "MalformedResponse"
	ReasonNameConflict         = "NameConflict"
	// ReasonWriteFailed: an object could not be written to the API server.
	ReasonWriteFailed = "WriteFailed"
	// ReasonConfigMapsOff: the source asks for ConfigMaps, which this manager does not keep, or has
	// some that it no longer wants and this manager does not delete.
	ReasonConfigMapsOff = "ConfigMapsOff"
)

// Reasons that only an EnvironmentDiscovery's Ready has.
const (
	// ReasonPreview: spec.preview is true. The discovery reports what it would do, and changes no
	// source.
	ReasonPreview = "Preview"
)

// Reasons of PruneHeld.
const (
	// ReasonListingEmpty: the listing was empty although observations exist.
	ReasonListingEmpty = "ListingEmpty"
	// ReasonShareExceeded: more than prune.maxPercent of the kind is missing.
	ReasonShareExceeded = "ShareExceeded"
	// ReasonScopeChanged: an object was last seen with another endpoint, credential or filter, or
	// no listing ever had it, or spec.selector no longer takes its environment.
	ReasonScopeChanged = "ScopeChanged"
)

// Reasons of an observation's Observed and Ready. Ready also has the cloud's phase in CamelCase,
// and Progressing until the status is written.
const (
	// ReasonListed: the cloud object was in the last complete listing or in a later one.
	ReasonListed = "Listed"
	// ReasonMissing: the last complete listing lacked the cloud object.
	ReasonMissing = "Missing"
	// ReasonSourceStale: there was no complete listing for the source's staleAfter.
	ReasonSourceStale = "SourceStale"
	// ReasonUnknownPhase: this version does not know what the phase means.
	ReasonUnknownPhase = "UnknownPhase"
)

// Keys of the ConfigMap that is kept for a KafkaClusterObservation if its source's
// spec.kafkaClusters.configMaps is Enabled. A key without a value is absent. Each access point adds
// up to three more keys: its ID, followed by one of the suffixes. If
// spec.kafkaClusters.configMapKeys is Environment, the keys are in upper case and have "_" for each
// ".".
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
