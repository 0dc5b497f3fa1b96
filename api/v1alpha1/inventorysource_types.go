// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultEndpoint is the origin of Confluent Cloud's public API.
const DefaultEndpoint = "https://api.confluent.cloud"

// Defaults of InventorySourceSpec. The CRD's schema has the same.
const (
	DefaultInterval    = 5 * time.Minute
	DefaultTimeout     = time.Minute
	DefaultAfterMisses = 2
	DefaultMaxPercent  = 20
	// staleIntervals is the default of staleAfter, in intervals.
	staleIntervals = 3
)

// MirrorPolicy says whether one kind of cloud object is mirrored.
// +kubebuilder:validation:Enum=Mirror;Ignore
type MirrorPolicy string

const (
	// MirrorPolicyMirror lists the kind and keeps one observation for each object.
	MirrorPolicyMirror MirrorPolicy = "Mirror"
	// MirrorPolicyIgnore does not list the kind and deletes the source's
	// observations of it.
	MirrorPolicyIgnore MirrorPolicy = "Ignore"
)

// ConfigMapPolicy says whether ConfigMaps with endpoints are kept.
// +kubebuilder:validation:Enum=Disabled;Enabled
type ConfigMapPolicy string

const (
	// ConfigMapPolicyDisabled keeps no ConfigMap and deletes those that exist.
	ConfigMapPolicyDisabled ConfigMapPolicy = "Disabled"
	// ConfigMapPolicyEnabled keeps one ConfigMap for each observation.
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
	// ConfigMapContentEndpoints is everything except the display name and the phase.
	ConfigMapContentEndpoints ConfigMapContent = "Endpoints"
)

// PrunePolicy says what happens to an object in the cluster whose cloud object
// is missing.
// +kubebuilder:validation:Enum=Delete;Retain
type PrunePolicy string

const (
	// PrunePolicyDelete deletes the object once the other fields of prune allow.
	PrunePolicyDelete PrunePolicy = "Delete"
	// PrunePolicyRetain keeps the object.
	PrunePolicyRetain PrunePolicy = "Retain"
)

// InventorySourceSpec names one Confluent Cloud environment, the credential to
// read it with, and what to mirror from it.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
// +kubebuilder:validation:XValidation:rule="has(self.credentials) && has(self.credentials.apiKey) != has(self.credentials.workloadIdentity)",fieldPath=".credentials",message="exactly one member must be set under credentials: write apiKey.secretRef.name, the name of a Secret with the keys api-key and api-secret, or workloadIdentity.identityPool"
type InventorySourceSpec struct {
	// ID of the Confluent Cloud environment to mirror, for example env-abc123.
	// Immutable: to mirror another environment, create another InventorySource.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="environment is immutable: to mirror another environment create another InventorySource and delete this one"
	Environment string `json:"environment"`

	// Address of the Confluent Cloud API: an absolute http:// or https:// URL
	// without user info, query or fragment. Its origin must be in the manager's
	// flag --allowed-endpoints. Default: https://api.confluent.cloud.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	Endpoint string `json:"endpoint,omitempty"`

	// Credential to read the environment with. Required. Set exactly one of apiKey
	// and workloadIdentity.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// true stops asking the cloud. Observations stay and turn Unknown after
	// staleAfter. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	MirrorSettings `json:",inline"`
}

// MirrorSettings say how to mirror an environment. They are part of a source's
// spec, and of the template that an EnvironmentDiscovery makes sources from.
type MirrorSettings struct {
	// Time from the end of a sync's listings to the start of the next sync. 10s to
	// 8760h. Default: 5m. The manager varies it at random by up to
	// --interval-jitter-percent.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('8760h')",message="interval must be a duration of at least 10s and at most 8760h, for example 30s or 5m"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Longest time for one listing of one kind: all pages and the wait for the
	// request budget. 1s to 1h. Default: 1m.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="timeout must be a duration from 1s to 1h, for example 1m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// Which Kafka clusters of the environment to mirror. Default: all.
	// +optional
	// +kubebuilder:default={}
	KafkaClusters KafkaClusterSelection `json:"kafkaClusters,omitzero"`

	// Which network peerings of the environment to mirror. Default: all.
	// +optional
	// +kubebuilder:default={}
	Peerings PeeringSelection `json:"peerings,omitzero"`

	// Whether to mirror the networks of the environment. Default: no, because the
	// credential needs a further right to list them.
	// +optional
	Networks NetworkSelection `json:"networks,omitzero"`

	// When to delete an observation whose cloud object is missing.
	// +optional
	// +kubebuilder:default={}
	Prune Prune `json:"prune,omitzero"`

	// If a kind has no complete listing for this time, its observations turn
	// Observed=Unknown and Ready=Unknown. 10s to 26280h, and at least twice
	// interval, because jitter can make an interval longer. Default: three times
	// interval.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('26280h')",message="staleAfter must be a duration of at least 10s and at most 26280h, for example 15m"
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// Labels and annotations for every observation of the source, in addition to
	// the operator's own. No other metadata of the source is copied. Default:
	// none.
	// +optional
	Template ObservationTemplate `json:"template,omitzero"`
}

// Credentials is one way to authenticate to Confluent Cloud.
type Credentials struct {
	// A Confluent Cloud API key in a Secret. Its resource scope must be "Cloud": a
	// key for one Kafka cluster does not work.
	// +optional
	APIKey *APIKeyCredential `json:"apiKey,omitempty"`

	// The manager gets a token of a ServiceAccount and exchanges it for a token of
	// Confluent Cloud. No secret is stored. The manager needs the right to create
	// tokens of the ServiceAccount, which it does not have by default.
	// +optional
	WorkloadIdentity *WorkloadIdentityCredential `json:"workloadIdentity,omitempty"`
}

// Defaults of WorkloadIdentityCredential. The CRD's schema has the same.
const (
	DefaultServiceAccountName = "default"
	DefaultAudience           = "https://api.confluent.cloud"
	DefaultTokenEndpoint      = "https://api.confluent.cloud/sts/v1/oauth2/token" //nolint:gosec // an address
)

// WorkloadIdentityCredential says which ServiceAccount's token to exchange,
// where, and for the rights of which identity pool.
type WorkloadIdentityCredential struct {
	// ID of the identity pool in Confluent Cloud whose rights are used, for
	// example pool-xyz. The pool's identity provider must trust this cluster. The
	// pool's filter must accept the ServiceAccount.
	// +required
	IdentityPool Identifier `json:"identityPool"`

	// Name of the ServiceAccount whose token is exchanged, in the same namespace.
	// Default: default.
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="serviceAccountName must be the name of an object: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit"
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// Audience of the ServiceAccount's token: the value of the claim aud that the
	// identity pool expects. Default: https://api.confluent.cloud.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// Address of the token exchange: an absolute http:// or https:// URL without
	// user info, query or fragment. Its origin must be in the manager's flag
	// --allowed-endpoints. Default:
	// https://api.confluent.cloud/sts/v1/oauth2/token.
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
	// Secret, in the same namespace, that holds the API key's ID and its secret.
	// +required
	SecretRef SecretReference `json:"secretRef"`
}

// Defaults of SecretReference: the keys of the Secret's data.
const (
	SecretKeyAPIKey    = "api-key"
	SecretKeyAPISecret = "api-secret"
)

// SecretKey is a key of a Secret's data.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="a key of a Secret has letters, digits, '-', '_' and '.' only"
type SecretKey string

// SecretReference names a Secret in the same namespace, and the keys of its
// data that hold an API key.
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

// Identifier is an ID or a word of the cloud that a filter compares with.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
type Identifier string

// KafkaClusterSelection says which Kafka clusters to mirror.
type KafkaClusterSelection struct {
	// Mirror keeps one KafkaClusterObservation per cluster. Ignore lists no
	// clusters and deletes this source's KafkaClusterObservations. Default:
	// Mirror.
	// +optional
	// +kubebuilder:default=Mirror
	Policy MirrorPolicy `json:"policy,omitempty"`

	// IDs of networks, such as n-00000. Only clusters in one of them are mirrored.
	// At most 100. Default: clusters of all networks, and clusters without a
	// network.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Enabled keeps a ConfigMap for each KafkaClusterObservation, with the same
	// name and owned by it. Pods can read the cluster's endpoints from it.
	// Disabled deletes these ConfigMaps. The manager writes ConfigMaps only with
	// its flag --endpoint-configmaps. Default: Disabled.
	// +optional
	ConfigMaps ConfigMapPolicy `json:"configMaps,omitempty"`

	// Form of the keys in these ConfigMaps. Properties: bootstrap.servers, cluster.id and so
	// on, for files and configMapKeyRef. Environment: BOOTSTRAP_SERVERS, CLUSTER_ID and so
	// on, for envFrom, because a shell can read only variables with such names. A change
	// replaces all keys of a ConfigMap at once. Default: Properties.
	// +optional
	ConfigMapKeys ConfigMapKeys `json:"configMapKeys,omitempty"`

	// Content of these ConfigMaps. All: the cluster's IDs, display name, phase and endpoints.
	// Endpoints: the same without display name and phase, so that a rename in the cloud
	// changes no ConfigMap, and restarts no workload that follows it. Default: All.
	// +optional
	ConfigMapContent ConfigMapContent `json:"configMapContent,omitempty"`
}

// PeeringSelection says which network peerings to mirror. A peering must pass
// every filter that is not empty.
type PeeringSelection struct {
	// Mirror keeps one PeeringObservation per peering. Ignore lists no peerings
	// and deletes this source's PeeringObservations. Default: Mirror.
	// +optional
	// +kubebuilder:default=Mirror
	Policy MirrorPolicy `json:"policy,omitempty"`

	// IDs of networks, such as n-00000. Only peerings of one of them are mirrored.
	// At most 100. Default: peerings of all networks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Only peerings with one of these display names are mirrored. At most 100.
	// Default: peerings with any name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`

	// Only peerings in one of these phases are mirrored: PROVISIONING,
	// PENDING_ACCEPT, READY, FAILED, DEPROVISIONING, DISCONNECTED, or another word
	// of the API. A peering that leaves these phases goes missing, as if it were
	// deleted. At most 100. Default: peerings in any phase.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Phases []Identifier `json:"phases,omitempty"`
}

// NetworkSelection says whether to mirror networks.
type NetworkSelection struct {
	// Mirror keeps one NetworkObservation per network. Clusters and peerings then
	// show their network's phase, address range and DNS domain in status.network.
	// Ignore lists no networks and deletes this source's NetworkObservations.
	// Default: Ignore.
	// +optional
	Policy MirrorPolicy `json:"policy,omitempty"`
}

// Prune says when to delete an observation whose cloud object is missing. A
// listing that failed or is not complete never counts.
type Prune struct {
	// Delete deletes the observation once the other fields allow. Retain keeps it,
	// with Observed=False and reason Missing. Default: Delete.
	// +optional
	// +kubebuilder:default=Delete
	Policy PrunePolicy `json:"policy,omitempty"`

	// How many complete listings in a row must lack the object. The first listing
	// after the operator's start does not count. 1 to 100. Default: 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AfterMisses *int32 `json:"afterMisses,omitempty"`

	// Least time between the first listing that lacked the object and the
	// deletion. 0s to 8760h. Default: 0s.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('8760h')",message="gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// Largest share of a kind's observations, in percent, that is deleted without
	// approval. A larger share is held until a person approves. A single missing
	// object is never too large a share. 100 switches off all rules that hold.
	// Default: 20.
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

// ObservationTemplate is metadata for the objects that the operator makes:
// observations of a source, or sources of a discovery.
type ObservationTemplate struct {
	// Labels to set. At most 32. Default: none. Keys under inventory.ccloud.dev/
	// are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.labels: every key must be a label key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// Annotations to set. At most 32. Default: none. Keys under
	// inventory.ccloud.dev/ are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.annotations: every key must be an annotation key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SyncStatus is the part of the status that InventorySources and
// EnvironmentDiscoveries have in common.
type SyncStatus struct {
	// Generation of the spec that the conditions describe; -1 before the first.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Ready, Reconciling and Stalled, as kstatus defines them, and PruneHeld. A
	// source also has KafkaClustersSynced, PeeringsSynced and NetworksSynced, each
	// while its kind is mirrored.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// End of the last sync in which every mirrored kind was listed completely.
	// Absent if there was none.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// Time of the next planned sync. Absent while suspended.
	// +optional
	NextSyncTime *metav1.Time `json:"nextSyncTime,omitempty"`

	// Present while the cloud refuses the credential for every mirrored kind: HTTP
	// 401 or 403, or a refused token exchange. The wait starts at interval and
	// doubles up to interval or 30m, whichever is longer. A change of the Secret
	// or the spec, or a new value of the annotation
	// inventory.ccloud.dev/requestedAt, ends it.
	// +optional
	CredentialBackoff *CredentialBackoff `json:"credentialBackoff,omitempty"`

	// Value of the annotation inventory.ccloud.dev/requestedAt that the last sync
	// answered.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// InventorySourceStatus is what the operator last found for a source.
type InventorySourceStatus struct {
	SyncStatus `json:",inline"`

	// Counts of the Kafka clusters. Absent until the first complete listing, and
	// while kafkaClusters.policy is Ignore.
	// +optional
	KafkaClusters *InventorySummary `json:"kafkaClusters,omitempty"`

	// Counts of the network peerings. Absent until the first complete listing, and
	// while peerings.policy is Ignore.
	// +optional
	Peerings *InventorySummary `json:"peerings,omitempty"`

	// Counts of the networks. Absent until the first complete listing, and while
	// networks.policy is Ignore.
	// +optional
	Networks *InventorySummary `json:"networks,omitempty"`

	// true while ConfigMaps with endpoints are kept, and until the last of them is
	// deleted.
	// +optional
	ConfigMaps bool `json:"configMaps,omitempty"`
}

// CredentialBackoff is how long the operator waits after a refused credential.
// It is in the status, so that a manager that restarts does not ask each time.
type CredentialBackoff struct {
	// Wait before the next sync, before jitter.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('26280h')",message="delay must be a duration of at most 26280h, for example 30m"
	Delay metav1.Duration `json:"delay"`
	// resourceVersion of the Secret whose credential was refused. Absent if no
	// Secret is used.
	// +optional
	SecretVersion string `json:"secretVersion,omitempty"`
}

// InventorySummary counts the objects of one kind: the observations of a
// source, or the sources of a discovery.
type InventorySummary struct {
	// Number of objects whose cloud object is listed. A source whose environment
	// spec.selector no longer takes does not count.
	Observed int32 `json:"observed"`

	// Number of objects whose cloud object the last complete listing lacked.
	Missing int32 `json:"missing"`

	// End of the last complete listing.
	// +optional
	LastListTime *metav1.Time `json:"lastListTime,omitempty"`

	// Digest of the endpoint, the credential's identity and the filters: what
	// decides which objects a listing can show. While objects are missing that
	// were last seen with another digest, scope keeps that digest. So their
	// deletion stays held after a restart.
	// +optional
	Scope string `json:"scope,omitempty"`

	// The prune of this kind that waits for a person's approval. Absent if there
	// is none.
	// +optional
	Held *HeldPrune `json:"held,omitempty"`

	// Number of observed objects in each phase, sorted by phase, at most 100
	// entries. If there are more phases, the last entry, …, counts all others.
	// Absent for environments.
	// +optional
	// +listType=map
	// +listMapKey=phase
	Phases []PhaseCount `json:"phases,omitempty"`
}

// HeldPrune is a prune that waits for a person's approval. It is in the
// status, so that a restart of the manager does not lose it.
type HeldPrune struct {
	// Why it is held: ListingEmpty, ShareExceeded or ScopeChanged.
	Reason string `json:"reason"`
	// Stands for exactly the held objects. The annotation
	// inventory.ccloud.dev/approvePrune with this value approves their deletion.
	Digest string `json:"digest"`
	// Number of held objects.
	Count int32 `json:"count"`
	// The held objects and the reason, with the command that approves the prune.
	Message string `json:"message"`
}

// PhaseCount is the number of objects in one phase.
type PhaseCount struct {
	// The API's own word, empty if the API gave none, or … for all other phases.
	Phase string `json:"phase"`
	// Number of objects in the phase.
	Count int32 `json:"count"`
}

// InventorySource mirrors the Kafka clusters, the network peerings and, if
// spec.networks asks for them, the networks of one Confluent Cloud
// environment. It only reads the cloud. The operator writes a
// KafkaClusterObservation, PeeringObservation or NetworkObservation for each,
// in the source's namespace. The source owns them: if it is deleted, they are
// deleted too. Nothing in the cloud changes.
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

	// Which environment to mirror, with which credential and settings.
	// +required
	Spec InventorySourceSpec `json:"spec"`
	// What the operator last found. Before its first write observedGeneration is
	// -1, so that kstatus does not count the object as done.
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
