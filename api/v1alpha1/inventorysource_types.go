// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultEndpoint is the origin of Confluent Cloud's public API.
const DefaultEndpoint = "https://api.confluent.cloud"

// Defaults of InventorySourceSpec, the same as those in the CRD's schema.
const (
	DefaultInterval    = 5 * time.Minute
	DefaultTimeout     = time.Minute
	DefaultAfterMisses = 2
	DefaultMaxPercent  = 20
	// staleIntervals is how many intervals pass before observations turn
	// Unknown where staleAfter is not set.
	staleIntervals = 3
)

// MirrorPolicy reports whether one kind of cloud object is mirrored.
// +kubebuilder:validation:Enum=Mirror;Ignore
type MirrorPolicy string

const (
	// MirrorPolicyMirror lists the kind and keeps one observation per object.
	MirrorPolicyMirror MirrorPolicy = "Mirror"
	// MirrorPolicyIgnore lists nothing of the kind and deletes this source's
	// observations of it.
	MirrorPolicyIgnore MirrorPolicy = "Ignore"
)

// ConfigMapPolicy reports whether ConfigMaps with endpoints are kept.
// +kubebuilder:validation:Enum=Disabled;Enabled
type ConfigMapPolicy string

const (
	// ConfigMapPolicyDisabled keeps none, and deletes those there are.
	ConfigMapPolicyDisabled ConfigMapPolicy = "Disabled"
	// ConfigMapPolicyEnabled keeps one for each observation.
	ConfigMapPolicyEnabled ConfigMapPolicy = "Enabled"
)

// ConfigMapKeys says which form the keys of a ConfigMap with endpoints have.
// +kubebuilder:validation:Enum=Properties;Environment
type ConfigMapKeys string

const (
	// ConfigMapKeysProperties are keys such as bootstrap.servers.
	ConfigMapKeysProperties ConfigMapKeys = "Properties"
	// ConfigMapKeysEnvironment are keys such as BOOTSTRAP_SERVERS.
	ConfigMapKeysEnvironment ConfigMapKeys = "Environment"
)

// ConfigMapContent says what a ConfigMap with endpoints holds.
// +kubebuilder:validation:Enum=All;Endpoints
type ConfigMapContent string

const (
	// ConfigMapContentAll is everything, the cluster's display name and phase too.
	ConfigMapContentAll ConfigMapContent = "All"
	// ConfigMapContentEndpoints is everything but the display name and the phase.
	ConfigMapContentEndpoints ConfigMapContent = "Endpoints"
)

// PrunePolicy says what becomes of an observation whose cloud object is gone.
// +kubebuilder:validation:Enum=Delete;Retain
type PrunePolicy string

const (
	// PrunePolicyDelete deletes it, once the other fields of prune allow.
	PrunePolicyDelete PrunePolicy = "Delete"
	// PrunePolicyRetain keeps it, with Observed=False and reason Missing.
	PrunePolicyRetain PrunePolicy = "Retain"
)

// InventorySourceSpec names one Confluent Cloud environment, the credential to
// read it with, and how its inventory is mirrored.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
// +kubebuilder:validation:XValidation:rule="has(self.credentials) && has(self.credentials.apiKey) != has(self.credentials.workloadIdentity)",fieldPath=".credentials",message="exactly one member must be set under credentials: write apiKey.secretRef.name, the name of a Secret with the keys api-key and api-secret, or workloadIdentity.identityPool"
type InventorySourceSpec struct {
	// ID of the Confluent Cloud environment to mirror, for example env-abc123.
	// Immutable: create another InventorySource for another environment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="environment is immutable: to mirror another environment create another InventorySource and delete this one"
	Environment string `json:"environment"`

	// Where the Confluent Cloud API answers: an absolute http:// or https:// URL
	// without user info, query or fragment. The manager talks only to the
	// origins in its flag --allowed-endpoints.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	Endpoint string `json:"endpoint,omitempty"`

	// Credential to read the environment with. Exactly one member must be set.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// Stops asking the cloud. Observations stay, and turn Unknown after
	// staleAfter, because nobody looks any more.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	MirrorSettings `json:",inline"`
}

// MirrorSettings say how an environment is mirrored. They are part of a source's spec, and
// of the template that an EnvironmentDiscovery makes sources from.
type MirrorSettings struct {
	// Time from the end of one sync to the start of the next, from 10s to 8760h. The
	// manager adds or takes up to --interval-jitter-percent of it.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('8760h')",message="interval must be a duration of at least 10s and at most 8760h, for example 30s or 5m"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Longest time one listing of one kind may take, all its pages together.
	// From 1s to 1h.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="timeout must be a duration from 1s to 1h, for example 1m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// Which Kafka clusters of the environment are mirrored.
	// +optional
	// +kubebuilder:default={}
	KafkaClusters KafkaClusterSelection `json:"kafkaClusters,omitzero"`

	// Which network peerings of the environment are mirrored.
	// +optional
	// +kubebuilder:default={}
	Peerings PeeringSelection `json:"peerings,omitzero"`

	// Whether the networks of the environment are mirrored. They are not by default: the
	// credential needs a right of its own to list them.
	// +optional
	Networks NetworkSelection `json:"networks,omitzero"`

	// When an observation whose cloud object is gone is deleted.
	// +optional
	// +kubebuilder:default={}
	Prune Prune `json:"prune,omitzero"`

	// Time without a complete listing of a kind after which that kind's
	// observations turn Observed=Unknown and Ready=Unknown. Default: three times
	// interval. At least twice interval: the manager stretches an interval by up to
	// --interval-jitter-percent of it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('26280h')",message="staleAfter must be a duration of at least 10s and at most 26280h, for example 15m"
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// Labels and annotations every observation of this source gets beside the
	// operator's own. Nothing else of the source's metadata is copied.
	// +optional
	Template ObservationTemplate `json:"template,omitzero"`
}

// Credentials holds exactly one way to authenticate to Confluent Cloud.
type Credentials struct {
	// A Confluent Cloud API key (resource scope "Cloud", not one scoped to a
	// Kafka cluster), kept in a Secret.
	// +optional
	APIKey *APIKeyCredential `json:"apiKey,omitempty"`

	// A token of a ServiceAccount, which Confluent Cloud takes in exchange for one of
	// its own. No secret is stored anywhere. The manager needs the right to ask for such
	// tokens, which it does not have by default.
	// +optional
	WorkloadIdentity *WorkloadIdentityCredential `json:"workloadIdentity,omitempty"`
}

// Defaults of WorkloadIdentityCredential, the same as those in the CRD's schema.
const (
	DefaultServiceAccountName = "default"
	DefaultAudience           = "https://api.confluent.cloud"
	DefaultTokenEndpoint      = "https://api.confluent.cloud/sts/v1/oauth2/token" //nolint:gosec // an address
)

// WorkloadIdentityCredential says which ServiceAccount's token is exchanged, where, and for
// the rights of which identity pool.
type WorkloadIdentityCredential struct {
	// ID of the identity pool in Confluent Cloud whose rights are used, for example
	// pool-xyz. Its identity provider must trust this cluster, and its filter let the
	// ServiceAccount through.
	// +required
	IdentityPool Identifier `json:"identityPool"`

	// ServiceAccount in the namespace of the source.
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="serviceAccountName must be the name of an object: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit"
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Audience of the ServiceAccount's token: what the identity pool expects in the claim
	// aud.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// Where tokens are exchanged: an absolute http:// or https:// URL without user info,
	// query or fragment. Its origin must be in the manager's flag --allowed-endpoints.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud/sts/v1/oauth2/token"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="tokenEndpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud/sts/v1/oauth2/token"
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
}

// WithDefaults returns the credential with a default for each field that is not set.
func (c WorkloadIdentityCredential) WithDefaults() WorkloadIdentityCredential {
	c.ServiceAccountName = cmp.Or(c.ServiceAccountName, DefaultServiceAccountName)
	c.Audience = cmp.Or(c.Audience, DefaultAudience)
	c.TokenEndpoint = cmp.Or(c.TokenEndpoint, DefaultTokenEndpoint)
	return c
}

// APIKeyCredential names the Secret that holds a Cloud API key.
type APIKeyCredential struct {
	// Secret in the namespace of the source that holds the API key's ID and its secret.
	// +required
	SecretRef SecretReference `json:"secretRef"`
}

// The keys of the Secret that an APIKeyCredential names, if it names no keys itself.
const (
	SecretKeyAPIKey    = "api-key"
	SecretKeyAPISecret = "api-secret"
)

// SecretKey is a key of a Secret's data.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="a key of a Secret has letters, digits, '-', '_' and '.' only"
type SecretKey string

// SecretReference names a Secret in the same namespace, and the keys of its data that
// hold an API key.
// +kubebuilder:validation:XValidation:rule="(has(self.apiKeyKey) ? self.apiKeyKey : 'api-key') != (has(self.apiSecretKey) ? self.apiSecretKey : 'api-secret')",fieldPath=".apiSecretKey",message="apiKeyKey and apiSecretKey must differ: an API key's ID and its secret are two values of the Secret"
type SecretReference struct {
	LocalReference `json:",inline"`

	// Key of the Secret that holds the API key's ID. Default: api-key.
	// +optional
	APIKeyKey SecretKey `json:"apiKeyKey,omitempty"`

	// Key of the Secret that holds the API key's secret. Default: api-secret.
	// +optional
	APISecretKey SecretKey `json:"apiSecretKey,omitempty"`
}

// GetAPIKeyKey returns apiKeyKey, or its default if it is not set.
func (r SecretReference) GetAPIKeyKey() string {
	return string(cmp.Or(r.APIKeyKey, SecretKeyAPIKey))
}

// GetAPISecretKey returns apiSecretKey, or its default if it is not set.
func (r SecretReference) GetAPISecretKey() string {
	return string(cmp.Or(r.APISecretKey, SecretKeyAPISecret))
}

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// Name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="name must be the name of an object: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit"
	Name string `json:"name"`
}

// Identifier is an ID or word of the cloud's, used as a filter.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
type Identifier string

// KafkaClusterSelection says which Kafka clusters are mirrored.
type KafkaClusterSelection struct {
	// Mirror keeps one KafkaClusterObservation per cluster. Ignore lists no
	// clusters and deletes this source's KafkaClusterObservations.
	// +optional
	// +kubebuilder:default=Mirror
	Policy MirrorPolicy `json:"policy,omitempty"`

	// Only clusters in one of these networks (IDs such as n-00000). Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Enabled keeps a ConfigMap beside each KafkaClusterObservation, of the same name and
	// owned by it, with the cluster's endpoints for pods to use. Disabled deletes them. The
	// manager writes ConfigMaps only with its flag --endpoint-configmaps. Default: Disabled.
	// +optional
	ConfigMaps ConfigMapPolicy `json:"configMaps,omitempty"`

	// Form of the keys in these ConfigMaps. Properties: bootstrap.servers, cluster.id and so
	// on, for files and configMapKeyRef. Environment: BOOTSTRAP_SERVERS, CLUSTER_ID and so
	// on, for envFrom: a shell can read variables with such names only. A change replaces
	// all keys of a ConfigMap at once. Default: Properties.
	// +optional
	ConfigMapKeys ConfigMapKeys `json:"configMapKeys,omitempty"`

	// What these ConfigMaps hold. All: the cluster's IDs, display name, phase and endpoints.
	// Endpoints: the same without display name and phase, so that a rename in the cloud
	// changes no ConfigMap, and restarts no workload that follows it. Default: All.
	// +optional
	ConfigMapContent ConfigMapContent `json:"configMapContent,omitempty"`
}

// PeeringSelection says which network peerings are mirrored. A peering must
// pass every filter that is not empty.
type PeeringSelection struct {
	// Mirror keeps one PeeringObservation per peering. Ignore lists no peerings
	// and deletes this source's PeeringObservations.
	// +optional
	// +kubebuilder:default=Mirror
	Policy MirrorPolicy `json:"policy,omitempty"`

	// Only peerings of one of these networks (IDs such as n-00000). Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Only peerings with one of these display names. Empty: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`

	// Only peerings in one of these phases, in the API's own words (PROVISIONING,
	// PENDING_ACCEPT, READY, FAILED, DEPROVISIONING, DISCONNECTED). Empty: all.
	// A peering that leaves these phases goes missing, as if it were deleted.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Phases []Identifier `json:"phases,omitempty"`
}

// NetworkSelection says whether networks are mirrored.
type NetworkSelection struct {
	// Mirror keeps one NetworkObservation per network, and has clusters and peerings
	// tell their network's phase, address range and DNS domain. Ignore lists no networks
	// and deletes this source's NetworkObservations. Default: Ignore.
	// +optional
	Policy MirrorPolicy `json:"policy,omitempty"`
}

// Prune says when an observation whose cloud object is missing is deleted. A
// listing that failed or is not complete never counts.
type Prune struct {
	// Delete deletes such an observation once the other fields allow. Retain
	// keeps it, with Observed=False and reason Missing.
	// +optional
	// +kubebuilder:default=Delete
	Policy PrunePolicy `json:"policy,omitempty"`

	// Complete listings in a row that must lack the object.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AfterMisses *int32 `json:"afterMisses,omitempty"`

	// Time a missing observation is kept at least, counted from the listing that
	// first lacked its object.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('8760h')",message="gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// Share of a kind's observations, in percent, above which more than one
	// missing object is not pruned but held until a person approves. 100 never
	// holds.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxPercent *int32 `json:"maxPercent,omitempty"`
}

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",message="template.labels: every value must be a label value: at most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit"
type LabelValue string

// ObservationTemplate is metadata that every observation of a source gets.
type ObservationTemplate struct {
	// Labels to set. Keys under inventory.ccloud.dev/ are the operator's own.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.labels: every key must be a label key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// Annotations to set. Keys under inventory.ccloud.dev/ are the operator's own.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.annotations: every key must be an annotation key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SyncStatus tells how asking the cloud goes, for an InventorySource and an
// EnvironmentDiscovery alike.
type SyncStatus struct {
	// Generation of the spec that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Ready, Reconciling and Stalled as kstatus reads them; PruneHeld; of a source also
	// KafkaClustersSynced, PeeringsSynced and NetworksSynced, one for each mirrored kind.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// End of the last sync in which everything there is to list was listed whole.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// When the cloud is asked next, unless something asks for it earlier.
	// +optional
	NextSyncTime *metav1.Time `json:"nextSyncTime,omitempty"`

	// Set while the cloud refuses the credential (HTTP 401 or 403) for everything
	// there is to list. The syncs are then further and further apart, until the
	// Secret changes, the annotation inventory.ccloud.dev/requestedAt is set, or the
	// spec changes.
	// +optional
	CredentialBackoff *CredentialBackoff `json:"credentialBackoff,omitempty"`

	// The value of the annotation inventory.ccloud.dev/requestedAt that the last
	// sync answered.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// InventorySourceStatus tells how mirroring goes.
type InventorySourceStatus struct {
	SyncStatus `json:",inline"`

	// Kafka clusters in numbers; absent until first listed.
	// +optional
	KafkaClusters *InventorySummary `json:"kafkaClusters,omitempty"`

	// Network peerings in numbers; absent until first listed.
	// +optional
	Peerings *InventorySummary `json:"peerings,omitempty"`

	// Networks in numbers; absent until first listed.
	// +optional
	Networks *InventorySummary `json:"networks,omitempty"`

	// True while ConfigMaps with endpoints are kept, and until all of them are gone.
	// +optional
	ConfigMaps bool `json:"configMaps,omitempty"`
}

// CredentialBackoff is kept in the status so that a manager that restarts does not
// ask with a refused credential each time.
type CredentialBackoff struct {
	// How long the next sync was put off, before jitter.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('26280h')",message="delay must be a duration of at most 26280h, for example 30m"
	Delay metav1.Duration `json:"delay"`
	// The resourceVersion of the Secret that was refused.
	// +optional
	SecretVersion string `json:"secretVersion,omitempty"`
}

// InventorySummary is one kind of a source's observations in numbers.
type InventorySummary struct {
	// Observations whose cloud object was in the last listing that could tell.
	Observed int32 `json:"observed"`

	// Observations whose cloud object was absent from the last complete listing.
	Missing int32 `json:"missing"`

	// End of the last complete listing.
	// +optional
	LastListTime *metav1.Time `json:"lastListTime,omitempty"`

	// Digest of what decides what a listing can see: endpoint, API key ID, filters.
	// While objects are missing that were last seen under another, it is that one's,
	// so that a manager that restarts still holds their deletion.
	// +optional
	Scope string `json:"scope,omitempty"`

	// Set while a prune of this kind waits for a person's approval.
	// +optional
	Held *HeldPrune `json:"held,omitempty"`

	// How many of the observed are in which phase, sorted by phase.
	// +optional
	// +listType=map
	// +listMapKey=phase
	Phases []PhaseCount `json:"phases,omitempty"`
}

// HeldPrune is a prune that waits for a person's approval. It is kept in the status so
// that it outlives a restart of the manager.
type HeldPrune struct {
	// Why it is held: ListingEmpty, ShareExceeded or ScopeChanged.
	Reason string `json:"reason"`
	// Names exactly the objects held. The annotation
	// inventory.ccloud.dev/approvePrune with this value lets them through.
	Digest string `json:"digest"`
	// Number of observations held.
	Count int32 `json:"count"`
	// What is held and why, with the command that lets it through.
	Message string `json:"message"`
}

// PhaseCount says how many observations are in one phase.
type PhaseCount struct {
	// The API's own word for the phase.
	Phase string `json:"phase"`
	// Number of observations in it.
	Count int32 `json:"count"`
}

// InventorySource mirrors the Kafka clusters, network peerings and, where asked to,
// networks of one Confluent Cloud environment, read-only, into
// KafkaClusterObservations, PeeringObservations and NetworkObservations beside it.
// They are owned by the source: deleting it deletes them, and nothing in the cloud.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=isrc,categories=ccloud
// +kubebuilder:printcolumn:name="ENVIRONMENT",type=string,JSONPath=`.spec.environment`
// +kubebuilder:printcolumn:name="DISPLAY-NAME",type=string,JSONPath=`.metadata.annotations.inventory\.ccloud\.dev/environment-name`
// +kubebuilder:printcolumn:name="CLUSTERS",type=integer,JSONPath=`.status.kafkaClusters.observed`
// +kubebuilder:printcolumn:name="PEERINGS",type=integer,JSONPath=`.status.peerings.observed`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="NETWORKS",type=integer,JSONPath=`.status.networks.observed`,priority=1
// +kubebuilder:printcolumn:name="STATUS",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="LAST-SYNC",type=date,JSONPath=`.status.lastSyncTime`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:selectablefield:JSONPath=`.spec.environment`
type InventorySource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec InventorySourceSpec `json:"spec"`
	// The default keeps kstatus from taking a source that nobody has looked at yet
	// for one that is as it should be.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status InventorySourceStatus `json:"status,omitzero"`
}

// InventorySourceList is a list of InventorySources.
//
// +kubebuilder:object:root=true
type InventorySourceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []InventorySource `json:"items"`
}

// GetInterval returns spec.interval, or its default if it is not set.
func (s *InventorySource) GetInterval() time.Duration {
	return durationOr(s.Spec.Interval, DefaultInterval)
}

// GetTimeout returns spec.timeout, or its default if it is not set.
func (s *InventorySource) GetTimeout() time.Duration {
	return durationOr(s.Spec.Timeout, DefaultTimeout)
}

// GetStaleAfter returns spec.staleAfter, or three intervals if it is not set.
func (s *InventorySource) GetStaleAfter() time.Duration {
	return durationOr(s.Spec.StaleAfter, staleIntervals*s.GetInterval())
}

// GetEndpoint returns spec.endpoint, or its default if it is not set.
func (s *InventorySource) GetEndpoint() string {
	if s.Spec.Endpoint == "" {
		return DefaultEndpoint
	}
	return s.Spec.Endpoint
}

// GetAfterMisses returns prune.afterMisses, or its default if it is not set.
func (p Prune) GetAfterMisses() int {
	return intOr(p.AfterMisses, DefaultAfterMisses)
}

// GetMaxPercent returns prune.maxPercent, or its default if it is not set.
func (p Prune) GetMaxPercent() int {
	return intOr(p.MaxPercent, DefaultMaxPercent)
}

// GetGracePeriod returns prune.gracePeriod, or zero if it is not set.
func (p Prune) GetGracePeriod() time.Duration {
	return durationOr(p.GracePeriod, 0)
}

func durationOr(d *metav1.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}

func intOr(i *int32, otherwise int) int {
	if i == nil {
		return otherwise
	}
	return int(*i)
}
