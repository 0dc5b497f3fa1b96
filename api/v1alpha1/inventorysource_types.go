// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultEndpoint is the origin of Confluent Cloud's public API.
const DefaultEndpoint = "https://api.confluent.cloud"

// Defaults of InventorySourceSpec. The CRD's schema has the same defaults.
const (
	DefaultInterval    = 5 * time.Minute
	DefaultTimeout     = time.Minute
	DefaultAfterMisses = 2
	DefaultMaxPercent  = 20
	// staleIntervals is the default of staleAfter, as a number of intervals.
	staleIntervals = 3
)

// MirrorPolicy says whether one kind of cloud object is mirrored.
// +kubebuilder:validation:Enum=Mirror;Ignore
type MirrorPolicy string

const (
	// MirrorPolicyMirror lists the kind and keeps one observation for each object.
	MirrorPolicyMirror MirrorPolicy = "Mirror"
	// MirrorPolicyIgnore does not list the kind, and deletes the source's
	// observations of this kind.
	MirrorPolicyIgnore MirrorPolicy = "Ignore"
)

// ConfigMapPolicy says whether the operator keeps ConfigMaps with endpoints.
// +kubebuilder:validation:Enum=Disabled;Enabled
type ConfigMapPolicy string

const (
	// ConfigMapPolicyDisabled keeps no ConfigMaps, and deletes the existing
	// ones.
	ConfigMapPolicyDisabled ConfigMapPolicy = "Disabled"
	// ConfigMapPolicyEnabled keeps one ConfigMap for each observation.
	ConfigMapPolicyEnabled ConfigMapPolicy = "Enabled"
)

// ConfigMapKeys is the form of the keys in a ConfigMap with endpoints.
// +kubebuilder:validation:Enum=Properties;Environment
type ConfigMapKeys string

const (
	// ConfigMapKeysProperties are keys such as bootstrap.servers.
	ConfigMapKeysProperties ConfigMapKeys = "Properties"
	// ConfigMapKeysEnvironment are keys such as BOOTSTRAP_SERVERS.
	ConfigMapKeysEnvironment ConfigMapKeys = "Environment"
)

// ConfigMapContent is the content of a ConfigMap with endpoints.
// +kubebuilder:validation:Enum=All;Endpoints
type ConfigMapContent string

const (
	// ConfigMapContentAll is all of the content, including the cluster's
	// display name and phase.
	ConfigMapContentAll ConfigMapContent = "All"
	// ConfigMapContentEndpoints is the content without the display name and the
	// phase.
	ConfigMapContentEndpoints ConfigMapContent = "Endpoints"
)

// PrunePolicy says what happens to an object in the cluster if its cloud object
// is missing.
// +kubebuilder:validation:Enum=Delete;Retain
type PrunePolicy string

const (
	// PrunePolicyDelete deletes the object when the other fields of prune allow
	// the deletion.
	PrunePolicyDelete PrunePolicy = "Delete"
	// PrunePolicyRetain keeps the object.
	PrunePolicyRetain PrunePolicy = "Retain"
)

// InventorySourceSpec names one Confluent Cloud environment, the credential for
// reading it, and the kinds of objects to mirror.
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
	// without user info, query or fragment. The URL's origin must be in the
	// manager's flag --allowed-endpoints. Default: https://api.confluent.cloud.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	Endpoint string `json:"endpoint,omitempty"`

	// Credential for reading the environment. Required. Set exactly one of
	// apiKey and workloadIdentity.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// If true, the operator does not ask the cloud. The observations stay.
	// Their conditions turn Unknown after staleAfter. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	MirrorSettings `json:",inline"`
}

// MirrorSettings says how to mirror an environment. A source's spec has these
// settings, and so has the template of an EnvironmentDiscovery.
type MirrorSettings struct {
	// Time from the end of a sync's listings to the start of the next sync. 10s
	// to 8760h. Default: 5m. The manager changes this time at random by up to
	// --interval-jitter-percent.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('8760h')",message="interval must be a duration of at least 10s and at most 8760h, for example 30s or 5m"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Longest time for one listing of one kind. The time includes all pages and
	// the wait for the request budget. 1s to 1h. Default: 1m.
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

	// Whether to mirror the networks of the environment. Default: no, because
	// the credential needs one more right to list networks.
	// +optional
	Networks NetworkSelection `json:"networks,omitzero"`

	// Whether to mirror the environment's Schema Registry. Default: no, because the
	// credential needs a further right to list it.
	// +optional
	SchemaRegistry SchemaRegistrySelection `json:"schemaRegistry,omitzero"`

	// Which transit gateway attachments of the environment to mirror. Default: none,
	// because the credential needs a further right to list them.
	// +optional
	TransitGatewayAttachments ConnectionSelection `json:"transitGatewayAttachments,omitzero"`

	// Which private link accesses of the environment to mirror. Default: none,
	// because the credential needs a further right to list them.
	// +optional
	PrivateLinkAccesses ConnectionSelection `json:"privateLinkAccesses,omitzero"`

	// When to delete an observation whose cloud object is missing.
	// +optional
	// +kubebuilder:default={}
	Prune Prune `json:"prune,omitzero"`

	// If a kind has no complete listing for this time, its observations turn
	// Observed=Unknown and Ready=Unknown. 10s to 26280h, and at least twice
	// interval, because jitter can make an interval longer. Default: three
	// times interval.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('26280h')",message="staleAfter must be a duration of at least 10s and at most 26280h, for example 15m"
	StaleAfter *metav1.Duration `json:"staleAfter,omitempty"`

	// Labels and annotations for every observation of the source, in addition
	// to those that the operator sets. The source's own labels and annotations
	// are not copied. Default: none.
	// +optional
	Template ObservationTemplate `json:"template,omitzero"`
}

// Credentials is one way to authenticate to Confluent Cloud.
type Credentials struct {
	// A Confluent Cloud API key in a Secret. The key's resource scope must be
	// "Cloud": a key for one Kafka cluster does not work.
	// +optional
	APIKey *APIKeyCredential `json:"apiKey,omitempty"`

	// The manager gets a token of a ServiceAccount and exchanges it for a token
	// of Confluent Cloud. No secret is stored. The manager needs the right to
	// create tokens of the ServiceAccount. It does not have this right by
	// default.
	// +optional
	WorkloadIdentity *WorkloadIdentityCredential `json:"workloadIdentity,omitempty"`
}

// Defaults of WorkloadIdentityCredential. The CRD's schema has the same
// defaults.
const (
	DefaultServiceAccountName = "default"
	DefaultAudience           = "https://api.confluent.cloud"
	DefaultTokenEndpoint      = "https://api.confluent.cloud/sts/v1/oauth2/token" //nolint:gosec // an address
)

// WorkloadIdentityCredential names the ServiceAccount whose token is exchanged,
// the address of the exchange, and the identity pool whose rights the operator
// gets.
type WorkloadIdentityCredential struct {
	// ID of the identity pool in Confluent Cloud, for example pool-xyz. The
	// operator gets the rights of this pool. The pool's identity provider must
	// trust this cluster. The pool's filter must accept the ServiceAccount.
	// +required
	IdentityPool Identifier `json:"identityPool"`

	// Name of the ServiceAccount whose token is exchanged. The ServiceAccount
	// is in the same namespace. Default: default.
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

	// Address of the token exchange: an absolute http:// or https:// URL
	// without user info, query or fragment. The URL's origin must be in the
	// manager's flag --allowed-endpoints. Default:
	// https://api.confluent.cloud/sts/v1/oauth2/token.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud/sts/v1/oauth2/token"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="tokenEndpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud/sts/v1/oauth2/token"
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
}

// WithDefaults returns a copy of the credential. Each field that is not set has
// its default.
func (c WorkloadIdentityCredential) WithDefaults() WorkloadIdentityCredential {
	c.ServiceAccountName = cmp.Or(c.ServiceAccountName, DefaultServiceAccountName)
	c.Audience = cmp.Or(c.Audience, DefaultAudience)
	c.TokenEndpoint = cmp.Or(c.TokenEndpoint, DefaultTokenEndpoint)
	return c
}

// APIKeyCredential names the Secret that holds a Cloud API key.
type APIKeyCredential struct {
	// Secret in the same namespace. The Secret holds the ID and the secret of
	// the API key.
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

// SecretReference names a Secret in the same namespace, and the Secret's keys
// that hold an API key.
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

// GetAPIKeyKey returns apiKeyKey, or the default if apiKeyKey is not set.
func (r SecretReference) GetAPIKeyKey() string {
	return string(cmp.Or(r.APIKeyKey, SecretKeyAPIKey))
}

// GetAPISecretKey returns apiSecretKey, or the default if apiSecretKey is not
// set.
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

// Identifier is an ID, a name or another word of the cloud.
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

	// IDs of networks, such as n-00000. A cluster must be in one of these
	// networks to be mirrored. At most 100. Default: clusters of all networks,
	// and clusters without a network.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Enabled keeps a ConfigMap for each KafkaClusterObservation. The
	// observation owns the ConfigMap, and both have the same name. Pods can
	// read the cluster's endpoints from the ConfigMap. Disabled deletes these
	// ConfigMaps. The manager writes and deletes ConfigMaps only with its flag
	// --endpoint-configmaps. Default: Disabled.
	// +optional
	ConfigMaps ConfigMapPolicy `json:"configMaps,omitempty"`

	// Form of the keys in these ConfigMaps. Properties: bootstrap.servers,
	// cluster.id and so on, for files and configMapKeyRef. Environment:
	// BOOTSTRAP_SERVERS, CLUSTER_ID and so on, for envFrom, because a shell
	// cannot read a variable with a dot in its name. If this field changes, all
	// keys of a ConfigMap change at once. Default: Properties.
	// +optional
	ConfigMapKeys ConfigMapKeys `json:"configMapKeys,omitempty"`

	// Content of these ConfigMaps. All: the cluster's IDs, display name, phase
	// and endpoints. Endpoints: the same without display name and phase. Then a
	// rename in the cloud does not change the ConfigMap, and workloads that
	// follow the ConfigMap do not restart. Default: All.
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

	// IDs of networks, such as n-00000. A peering must be in one of these
	// networks to be mirrored. At most 100. Default: peerings of all networks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Display names. A peering must have one of these names to be mirrored. At
	// most 100. Default: peerings with any name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`

	// Phases: PROVISIONING, PENDING_ACCEPT, READY, FAILED, DEPROVISIONING,
	// DISCONNECTED, or another word of the API. A peering must be in one of
	// these phases to be mirrored. If a peering changes to another phase, it
	// counts as missing, like a deleted peering. At most 100. Default: peerings
	// in any phase.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Phases []Identifier `json:"phases,omitempty"`
}

// NetworkSelection says whether to mirror networks.
type NetworkSelection struct {
	// Mirror keeps one NetworkObservation per network. Clusters, peerings, transit
	// gateway attachments and private link accesses then show their network's
	// phase, address range and DNS domain in status.network.
	// Ignore lists no networks and deletes this source's NetworkObservations.
	// Default: Ignore.
	// +optional
	Policy MirrorPolicy `json:"policy,omitempty"`
}

// SchemaRegistrySelection says whether to mirror Schema Registry.
type SchemaRegistrySelection struct {
	// Mirror keeps one SchemaRegistryObservation per Schema Registry cluster. Kafka
	// clusters then show it in status.schemaRegistry, and their ConfigMaps in the
	// key schema.registry.url. Ignore lists no Schema Registry and deletes this
	// source's SchemaRegistryObservations. Default: Ignore.
	// +optional
	Policy MirrorPolicy `json:"policy,omitempty"`
}

// ConnectionSelection says which objects of one kind that connects networks to
// mirror. An object must pass every filter that is not empty.
type ConnectionSelection struct {
	// Mirror keeps one observation per object. Networks, and the Kafka clusters in
	// them, then show it. Ignore lists no objects of the kind and deletes this
	// source's observations of it. Default: Ignore.
	// +optional
	Policy MirrorPolicy `json:"policy,omitempty"`

	// IDs of networks, such as n-00000. Only objects that connect one of them are
	// mirrored. At most 100. Default: objects of all networks.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Networks []Identifier `json:"networks,omitempty"`

	// Only objects with one of these display names are mirrored. At most 100.
	// Default: objects with any name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`

	// Only objects in one of these phases are mirrored: READY, or another word of
	// the API. An object that leaves these phases goes missing, as if it were
	// deleted. At most 100. Default: objects in any phase.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Phases []Identifier `json:"phases,omitempty"`
}

// Prune says when to delete an observation whose cloud object is missing. A
// listing that failed or is incomplete never counts.
type Prune struct {
	// Delete deletes the observation when the other fields allow the deletion.
	// Retain keeps the observation, with Observed=False and reason Missing.
	// Default: Delete.
	// +optional
	// +kubebuilder:default=Delete
	Policy PrunePolicy `json:"policy,omitempty"`

	// Number of complete listings in a row that must lack the object. The first
	// complete listing after the operator's start does not count. 1 to 100.
	// Default: 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AfterMisses *int32 `json:"afterMisses,omitempty"`

	// Shortest time between the first listing that lacked the object and the
	// deletion. 0s to 8760h. Default: 0s.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('8760h')",message="gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// Largest share of a kind's observations, in percent, that may be missing
	// at once without a person's approval of their deletion. A single missing
	// object is never too large a share. With 100 no deletion waits for
	// approval. Default: 20.
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

// ObservationTemplate is metadata for the objects that the operator makes: the
// observations of a source, or the sources of a discovery.
type ObservationTemplate struct {
	// Labels to set. At most 32. Default: none. Keys that begin with
	// inventory.ccloud.dev/ are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.labels: every key must be a label key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// Annotations to set. At most 32. Default: none. Keys that begin with
	// inventory.ccloud.dev/ are refused.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.indexOf('/') <= 253 && k.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$') && !k.startsWith('inventory.ccloud.dev/'))",message="template.annotations: every key must be an annotation key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SyncStatus is the part of the status that InventorySources and
// EnvironmentDiscoveries have in common.
type SyncStatus struct {
	// Generation of the spec that the conditions describe; -1 before the
	// operator's first write.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Ready, Reconciling, Stalled and PruneHeld. The first three follow
	// kstatus. A source also has a condition that ends in Synced for each kind,
	// while the kind is mirrored: KafkaClustersSynced, PeeringsSynced and so on.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// End of the last sync in which every mirrored kind was listed completely.
	// Absent if there was no such sync.
	// +optional
	LastSyncTime *metav1.Time `json:"lastSyncTime,omitempty"`

	// Time of the next planned sync. Absent while suspended.
	// +optional
	NextSyncTime *metav1.Time `json:"nextSyncTime,omitempty"`

	// Present while the cloud refuses the credential for every mirrored kind:
	// HTTP 401 or 403, or a refused token exchange. The first wait is one
	// interval. Each further refusal doubles the wait, up to interval or 30m,
	// whichever is longer. The wait ends if the Secret or the spec changes, or
	// if the annotation inventory.ccloud.dev/requestedAt gets a new value.
	// +optional
	CredentialBackoff *CredentialBackoff `json:"credentialBackoff,omitempty"`

	// Last value of the annotation inventory.ccloud.dev/requestedAt for which
	// the operator finished a sync.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// InventorySourceStatus is the state that the operator last found for a source.
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

	// Counts of the Schema Registry clusters. Absent until the first complete
	// listing, and while schemaRegistry.policy is Ignore.
	// +optional
	SchemaRegistry *InventorySummary `json:"schemaRegistry,omitempty"`

	// Counts of the transit gateway attachments. Absent until the first complete
	// listing, and while transitGatewayAttachments.policy is Ignore.
	// +optional
	TransitGatewayAttachments *InventorySummary `json:"transitGatewayAttachments,omitempty"`

	// Counts of the private link accesses. Absent until the first complete listing,
	// and while privateLinkAccesses.policy is Ignore.
	// +optional
	PrivateLinkAccesses *InventorySummary `json:"privateLinkAccesses,omitempty"`

	// true while the operator keeps ConfigMaps with endpoints for the source.
	// If the ConfigMaps are no longer wanted, true until the last of them is
	// deleted.
	// +optional
	ConfigMaps bool `json:"configMaps,omitempty"`
}

// CredentialBackoff is the wait after a refused credential. The status stores
// the wait, so that a manager that restarts often does not use the refused
// credential each time.
type CredentialBackoff struct {
	// Wait before the next sync, without jitter.
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
	// Number of objects whose cloud object is listed. A source does not count
	// if spec.selector no longer selects its environment.
	Observed int32 `json:"observed"`

	// Number of objects whose cloud object the last complete listing lacked.
	Missing int32 `json:"missing"`

	// Names of the missing observations, and since when each is missing: the
	// first 500, sorted by name. A restarted manager goes on from these times, so
	// that an edit of an observation shortens no grace period. Absent for
	// environments: status.sources of the discovery has their times.
	// +optional
	// +listType=map
	// +listMapKey=name
	MissingObjects []MissingObject `json:"missingObjects,omitempty"`

	// End of the last complete listing.
	// +optional
	LastListTime *metav1.Time `json:"lastListTime,omitempty"`

	// Digest of the endpoint, the credential's identity and the filters. These
	// decide which objects a listing can show. It is the digest with which all
	// objects were last seen, or "several" if there is more than one. So after a
	// restart the deletion of objects that were last seen with another digest
	// still waits for approval.
	// +optional
	Scope string `json:"scope,omitempty"`

	// The prune of this kind that waits for a person's approval. Absent if no
	// prune waits.
	// +optional
	Held *HeldPrune `json:"held,omitempty"`

	// Number of observed objects in each phase, sorted by phase. At most 100
	// entries. If there are more phases, the last entry has the phase … and
	// counts the objects in all other phases. Absent for environments.
	// +optional
	// +listType=map
	// +listMapKey=phase
	Phases []PhaseCount `json:"phases,omitempty"`
}

// MissingObject is an observation whose cloud object the last complete listing
// lacked.
type MissingObject struct {
	// Name of the observation.
	Name string `json:"name"`

	// End of the first complete listing that lacked the cloud object.
	Since metav1.Time `json:"since"`
}

// HeldPrune is a prune that waits for a person's approval. The status stores
// it, so that a restart of the manager does not lose it.
type HeldPrune struct {
	// Why the prune is held: ListingEmpty, ShareExceeded or ScopeChanged.
	Reason string `json:"reason"`
	// Hash of exactly the held objects. The annotation
	// inventory.ccloud.dev/approvePrune with this value approves their
	// deletion.
	Digest string `json:"digest"`
	// Number of held objects.
	Count int32 `json:"count"`
	// The names of held objects, the reason, and the command that approves the
	// prune.
	Message string `json:"message"`
}

// PhaseCount is the number of objects in one phase.
type PhaseCount struct {
	// The phase in the API's own words. Empty if the API gave no phase. …
	// stands for all other phases.
	Phase string `json:"phase"`
	// Number of objects in the phase.
	Count int32 `json:"count"`
}

// InventorySource mirrors the Kafka clusters and network peerings of one
// Confluent Cloud environment. If its spec says so, the source mirrors the
// environment's networks, what else connects them, and Schema Registry too. For
// each cloud object the operator writes an observation, such as a
// KafkaClusterObservation, into the source's namespace. The source owns its
// observations. If the source is deleted, its observations are deleted too. The
// operator only reads the cloud, and changes nothing there.
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
	// The state that the operator last found. Before the operator's first write
	// observedGeneration is -1, so that kstatus does not count the object as
	// done.
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

// GetInterval returns spec.interval, or the default if spec.interval is not
// set.
func (s *InventorySource) GetInterval() time.Duration {
	return durationOr(s.Spec.Interval, DefaultInterval)
}

// GetTimeout returns spec.timeout, or the default if spec.timeout is not set.
func (s *InventorySource) GetTimeout() time.Duration {
	return durationOr(s.Spec.Timeout, DefaultTimeout)
}

// GetStaleAfter returns spec.staleAfter, or three intervals if spec.staleAfter
// is not set.
func (s *InventorySource) GetStaleAfter() time.Duration {
	return durationOr(s.Spec.StaleAfter, staleIntervals*s.GetInterval())
}

// GetEndpoint returns spec.endpoint, or the default if spec.endpoint is not
// set.
func (s *InventorySource) GetEndpoint() string {
	if s.Spec.Endpoint == "" {
		return DefaultEndpoint
	}
	return s.Spec.Endpoint
}

// GetAfterMisses returns prune.afterMisses, or the default if prune.afterMisses
// is not set.
func (p Prune) GetAfterMisses() int {
	return intOr(p.AfterMisses, DefaultAfterMisses)
}

// GetMaxPercent returns prune.maxPercent, or the default if prune.maxPercent is
// not set.
func (p Prune) GetMaxPercent() int {
	return intOr(p.MaxPercent, DefaultMaxPercent)
}

// GetGracePeriod returns prune.gracePeriod, or zero if prune.gracePeriod is not
// set.
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
