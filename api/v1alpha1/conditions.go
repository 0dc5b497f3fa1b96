// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Prefix starts every label and annotation that this API defines.
const Prefix = "inventory.ccloud.dev/"

// Annotations that a user sets on an InventorySource or an EnvironmentDiscovery.
const (
	// AnnotationRequestedAt asks for a sync now. The value must differ from
	// status.lastHandledReconcileAt. After the sync, the operator copies the value into that field.
	AnnotationRequestedAt = Prefix + "requestedAt"
	// AnnotationApprovePrune approves prunes that are held. The value is one or more digests from
	// PruneHeld messages, separated by commas.
	AnnotationApprovePrune = Prefix + "approvePrune"
	// AnnotationUnmanaged is for an InventorySource that an EnvironmentDiscovery made. If the value
	// is "true", the discovery no longer changes or deletes the source.
	AnnotationUnmanaged = Prefix + "unmanaged"
)

// Labels that the operator sets on observations. Except for LabelSource, a label is set only if its
// value is a valid label value.
const (
	// LabelSource is the source's name. If the name is longer than 63 characters, it is cut, and
	// "-" and 8 hex digits follow.
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
	// AnnotationMissingSince is when the source's environment went missing, in RFC 3339: the end of
	// the first complete listing that lacked the environment. The operator removes the annotation
	// when the environment is listed again.
	AnnotationMissingSince = Prefix + "missing-since"
)

// LabelDiscovery is a label of an InventorySource: the name of the EnvironmentDiscovery that made
// the source. If the name is longer than 63 characters, it is cut, and "-" and 8 hex digits follow.
const LabelDiscovery = Prefix + "discovery"

// AnnotationTemplateKeys lists the label and annotation keys that an object got from a template.
// Observations have this annotation, and so have the sources of a discovery. If the template later
// loses a key, the operator removes the key from the object.
const AnnotationTemplateKeys = Prefix + "template-keys"

// Condition types of InventorySources and EnvironmentDiscoveries. Observations have Ready and
// Observed.
const (
	// ConditionReady of a source is True after a sync that listed every mirrored kind completely,
	// wrote every object and had no conflict of names. For an observation see [IsReady].
	ConditionReady = "Ready"
	// ConditionReconciling is True while the first sync is under way, or while the operator will
	// repeat a failed sync. Otherwise the condition is absent, as kstatus requires.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True while a person has to change something. Otherwise the condition is
	// absent, as kstatus requires.
	ConditionStalled = "Stalled"
	// ConditionKafkaClustersSynced reports the result of the last sync of the Kafka clusters.
	ConditionKafkaClustersSynced = "KafkaClustersSynced"
	// ConditionPeeringsSynced reports the result of the last sync of the peerings.
	ConditionPeeringsSynced = "PeeringsSynced"
	// ConditionNetworksSynced reports the result of the last sync of the networks.
	ConditionNetworksSynced = "NetworksSynced"
	// ConditionSchemaRegistrySynced reports the result of the last sync of the Schema Registry
	// clusters.
	ConditionSchemaRegistrySynced = "SchemaRegistrySynced"
	// ConditionTransitGatewayAttachmentsSynced reports how the last sync of the transit gateway attachments
	// went.
	ConditionTransitGatewayAttachmentsSynced = "TransitGatewayAttachmentsSynced"
	// ConditionPrivateLinkAccessesSynced reports how the last sync of the private link accesses
	// went.
	ConditionPrivateLinkAccessesSynced = "PrivateLinkAccessesSynced"
	// ConditionPruneHeld is True while a prune waits for a person's approval. Otherwise the
	// condition is absent.
	ConditionPruneHeld = "PruneHeld"
)

// ConditionObserved of an observation is True if the cloud object was in the last complete listing
// or in a later listing. It is False if the last complete listing lacked the object. It is Unknown
// if there was no complete listing for staleAfter.
const ConditionObserved = "Observed"

// Reasons of an InventorySource's Ready and …Synced conditions. Ready of an EnvironmentDiscovery
// has the same reasons.
const (
	ReasonSucceeded          = "Succeeded"
	ReasonProgressing        = "Progressing"
	ReasonSuspended          = "Suspended"
	ReasonSecretNotFound     = "SecretNotFound"
	ReasonSecretInvalid      = "SecretInvalid"
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonServiceAccountTokenFailed: the API server issued no token for the ServiceAccount.
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
	// ReasonConfigMapsOff: the source wants ConfigMaps, but this manager writes none. Or the source
	// no longer wants its ConfigMaps, but this manager deletes none.
	ReasonConfigMapsOff = "ConfigMapsOff"
)

// Reasons that only an EnvironmentDiscovery's Ready has.
const (
	// ReasonPreview: spec.preview is true. The discovery reports what it would do, but changes no
	// source.
	ReasonPreview = "Preview"
)

// Reasons of PruneHeld.
const (
	// ReasonListingEmpty: the listing was empty although observations exist.
	ReasonListingEmpty = "ListingEmpty"
	// ReasonShareExceeded: more than prune.maxPercent of the kind's objects are missing.
	ReasonShareExceeded = "ShareExceeded"
	// ReasonScopeChanged: an object was last seen with another endpoint, credential or filter. Or
	// no listing ever had the object. Or spec.selector no longer selects the object's environment.
	ReasonScopeChanged = "ScopeChanged"
)

// Reasons of an observation's Observed and Ready. Ready can also have a known phase as its reason,
// in CamelCase. Until the operator writes the status, Ready has the reason Progressing.
const (
	// ReasonListed: the cloud object was in the last complete listing or in a later listing.
	ReasonListed = "Listed"
	// ReasonMissing: the last complete listing lacked the cloud object.
	ReasonMissing = "Missing"
	// ReasonSourceStale: there was no complete listing for the source's staleAfter.
	ReasonSourceStale = "SourceStale"
	// ReasonUnknownPhase: the cloud gave no phase, or a phase that this version does not know.
	ReasonUnknownPhase = "UnknownPhase"
)

// Keys of the ConfigMap of a KafkaClusterObservation. The operator keeps this ConfigMap if the
// source's spec.kafkaClusters.configMaps is Enabled. A key without a value is absent. Each access
// point adds up to three keys: the access point's ID, followed by one of the suffixes. If
// spec.kafkaClusters.configMapKeys is Environment, the keys are in upper case and have "_" instead
// of ".".
const (
	ConfigMapClusterID        = "cluster.id"
	ConfigMapEnvironmentID    = "environment.id"
	ConfigMapDisplayName      = "display.name"
	ConfigMapPhase            = "phase"
	ConfigMapBootstrapServers = "bootstrap.servers"
	ConfigMapHTTPEndpoint     = "http.endpoint"
	// ConfigMapSchemaRegistryURL is the URL of the environment's Schema Registry. It is absent unless
	// the source mirrors Schema Registry.
	ConfigMapSchemaRegistryURL = "schema.registry.url"

	ConfigMapSuffixBootstrapServers = ".bootstrap.servers"
	ConfigMapSuffixHTTPEndpoint     = ".http.endpoint"
	ConfigMapSuffixConnectionType   = ".connection.type"
)
