// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultDiscoveryInterval is the default of EnvironmentDiscoverySpec.Interval.
// The CRD's schema has the same default.
const DefaultDiscoveryInterval = 15 * time.Minute

// EnvironmentDiscoverySpec has the credential for listing environments, the
// selector of the environments, and the settings of their InventorySources.
// +kubebuilder:validation:XValidation:rule="has(self.credentials) && has(self.credentials.apiKey) != has(self.credentials.workloadIdentity)",fieldPath=".credentials",message="exactly one member must be set under credentials: write apiKey.secretRef.name, the name of a Secret with the keys api-key and api-secret, or workloadIdentity.identityPool"
type EnvironmentDiscoverySpec struct {
	// Address of the Confluent Cloud API: an absolute http:// or https:// URL
	// without user info, query or fragment. The URL's origin must be in the
	// manager's flag --allowed-endpoints. Every source of the discovery gets
	// the same endpoint. Default: https://api.confluent.cloud.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	Endpoint string `json:"endpoint,omitempty"`

	// Credential for listing the environments. Every source of the discovery
	// gets the same credential. Required. Set exactly one of apiKey and
	// workloadIdentity.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// Time from the end of one listing of the environments to the start of the
	// next listing. 10s to 8760h. Default: 15m. The manager changes this time
	// at random by up to --interval-jitter-percent.
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('8760h')",message="interval must be a duration of at least 10s and at most 8760h, for example 5m or 15m"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Longest time for one listing. The time includes all pages and the wait
	// for the request budget. 1s to 1h. Default: 1m.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="timeout must be a duration from 1s to 1h, for example 1m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// If true, the discovery stops listing environments. Existing sources keep
	// syncing, and changes of the template still apply to them. Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Which environments get a source. Default: all.
	// +optional
	Selector EnvironmentSelector `json:"selector,omitzero"`

	// Metadata and settings of the sources to make.
	// +optional
	// +kubebuilder:default={spec: {}}
	Template InventorySourceTemplate `json:"template,omitzero"`

	// Settings that differ from template.spec, for some of the sources. The
	// overrides apply in their order. If two overrides set the same field, the
	// later override wins. At most 500.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=500
	Overrides []SourceOverride `json:"overrides,omitempty"`

	// When to delete a source whose environment is missing, or whose
	// environment spec.selector no longer selects. The source's observations
	// are deleted too.
	// +optional
	// +kubebuilder:default={}
	Prune SourcePrune `json:"prune,omitzero"`

	// If true, the discovery only lists the environments. It creates, changes
	// and deletes no source, and reports in status.preview what it would do.
	// Default: false.
	// +optional
	Preview bool `json:"preview,omitempty"`
}

// EnvironmentSelector selects environments. An environment is selected if it
// matches ids or displayNames, or if both are empty. An environment that
// matches exclude is never selected.
type EnvironmentSelector struct {
	EnvironmentMatch `json:",inline"`

	// Environments that are not selected, even if they match ids or
	// displayNames. If exclude.displayNames is set, an environment without a
	// known name is not selected either.
	// +optional
	Exclude EnvironmentMatch `json:"exclude,omitzero"`
}

// EnvironmentMatch names environments. An environment matches if ids has its
// ID, or if its display name matches a pattern in displayNames.
type EnvironmentMatch struct {
	// IDs of environments. At most 500.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=500
	IDs []Identifier `json:"ids,omitempty"`

	// Patterns of display names. * stands for any text, also for no text. ?
	// stands for one character. A pattern must match the whole name. Upper and
	// lower case differ. At most 100, each 1 to 255 characters.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`
}

// InventorySourceTemplate has the metadata and the settings of the sources
// that a discovery makes.
type InventorySourceTemplate struct {
	// Labels and annotations of every source, in addition to those that the
	// operator sets.
	// +optional
	Metadata ObservationTemplate `json:"metadata,omitzero"`

	// Settings of every source.
	// +optional
	// +kubebuilder:default={}
	Spec InventorySourceTemplateSpec `json:"spec,omitzero"`
}

// InventorySourceTemplateSpec has the settings of a source. The discovery adds
// environment, endpoint and credentials to them.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
type InventorySourceTemplateSpec struct {
	MirrorSettings `json:",inline"`
}

// SourceOverride changes settings of the sources of some environments.
type SourceOverride struct {
	// Environments whose sources the override changes. Default: all
	// environments that the discovery selects.
	// +optional
	Selector EnvironmentSelector `json:"selector,omitzero"`

	// Fields to set. They have the same meaning and bounds as in template.spec.
	// An absent field changes nothing: the defaults in the descriptions do not
	// apply here. A list replaces the earlier list as a whole. An empty list
	// removes all entries. Labels and annotations are added to those in
	// template.spec.template.
	// +optional
	Spec SourceOverrideSpec `json:"spec,omitzero"`
}

// SourceOverrideSpec has the settings that an override changes. Its fields
// have no defaults.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || !has(self.interval) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
type SourceOverrideSpec struct {
	MirrorSettings `json:",inline"`
}

// SourcePrune says when to delete a source whose environment is missing or no
// longer selected. A listing that failed or is incomplete never counts.
type SourcePrune struct {
	// Retain keeps the source. An annotation of the source has the time at
	// which the environment went missing. Delete deletes the source and its
	// observations when the other fields allow the deletion. Default: Retain.
	// +optional
	// +kubebuilder:default=Retain
	Policy PrunePolicy `json:"policy,omitempty"`

	// Number of complete listings in a row that must lack the environment. The
	// first complete listing after the operator's start does not count. 1 to
	// 100. Default: 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AfterMisses *int32 `json:"afterMisses,omitempty"`

	// Shortest time between the first listing that lacked the environment and
	// the deletion. If spec.selector no longer selects the environment, the
	// time starts when the operator first sees that. 0s to 8760h. Default: 0s.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('8760h')",message="gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// Largest share of the sources, in percent, that may have a missing
	// environment at once without a person's approval of their deletion. A
	// single missing source is never too large a share. Unmanaged sources, and sources
	// that the selector does not select, are not part of the share. With 100 no
	// source with a missing environment waits for approval. A source that the
	// selector no longer selects always waits. Default: 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxPercent *int32 `json:"maxPercent,omitempty"`
}

// EnvironmentDiscoveryStatus is the state that the operator last found for a
// discovery.
type EnvironmentDiscoveryStatus struct {
	SyncStatus `json:",inline"`

	// Number of sources whose environment is listed, and number of sources
	// whose environment is missing. Absent until the first complete listing.
	// +optional
	Environments *InventorySummary `json:"environments,omitempty"`

	// The first 500 sources of the discovery, sorted by environment; fewer if
	// their texts are long.
	// +optional
	// +listType=map
	// +listMapKey=environment
	Sources []DiscoveredSource `json:"sources,omitempty"`

	// Number of all sources of the discovery, including those that sources
	// leaves out. Absent if 0.
	// +optional
	SourceCount int32 `json:"sourceCount,omitempty"`

	// The changes that the discovery would make to its sources. Absent unless
	// spec.preview is true.
	// +optional
	Preview *DiscoveryPreview `json:"preview,omitempty"`
}

// DiscoveryPreview reports what a discovery would do to its sources if
// spec.preview were false. Each list has the first 500 entries, sorted by name;
// fewer if their texts are long. The counts include the sources that a list
// leaves out.
type DiscoveryPreview struct {
	// Number of sources to create. Sources whose name is taken are included.
	CreateCount int32 `json:"createCount"`
	// Sources to create. Sources that cannot be created because their name is
	// taken are included.
	// +optional
	// +listType=atomic
	Create []PreviewedSource `json:"create,omitempty"`
	// Number of sources to change.
	ChangeCount int32 `json:"changeCount"`
	// Sources to change.
	// +optional
	// +listType=atomic
	Change []PreviewedSource `json:"change,omitempty"`
	// Number of sources to delete.
	DeleteCount int32 `json:"deleteCount"`
	// Sources to delete: now, after a wait, or after an approval.
	// +optional
	// +listType=atomic
	Delete []PreviewedSource `json:"delete,omitempty"`
}

// PreviewedSource is one source that a discovery would create, change or delete.
type PreviewedSource struct {
	// ID of the environment.
	Environment string `json:"environment"`
	// Name that people gave the environment, at most 256 bytes.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Name of the InventorySource, in the same namespace.
	Name string `json:"name"`
	// Why the source is created, changed or deleted, and what this change waits
	// for. At most 256 bytes.
	Why string `json:"why"`
}

// DiscoveredSource is one source of a discovery.
type DiscoveredSource struct {
	// ID of the environment.
	Environment string `json:"environment"`
	// Name that people gave the environment, at most 256 bytes.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Name of the InventorySource, in the same namespace.
	Name string `json:"name"`
	// Number of spec.overrides that apply to the source. Absent if 0.
	// +optional
	Overrides int32 `json:"overrides,omitempty"`
	// true if no listing is known to have had the environment, with the name that
	// overrides need: a person handed the source over to the discovery, or an earlier
	// status had no room for the source. Also true until the discovery has given the
	// source its settings.
	// Then the deletion of the source needs an approval.
	// +optional
	NeverListed bool `json:"neverListed,omitempty"`
	// When the environment went missing: the end of the first complete listing
	// that lacked it. Absent while the environment is listed.
	// +optional
	MissingSince *metav1.Time `json:"missingSince,omitempty"`
	// When the operator first saw that spec.selector no longer selects the
	// environment, although the environment is listed. Absent otherwise.
	// +optional
	OutOfScopeSince *metav1.Time `json:"outOfScopeSince,omitempty"`
}

// EnvironmentDiscovery keeps InventorySources: one for each Confluent Cloud
// environment that its credential can see and its selector selects. The
// discovery creates the sources in its own namespace and owns them. If the
// discovery is deleted, its sources and their observations are deleted too.
// Nothing in the cloud changes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=edisc,categories=ccloud
// +kubebuilder:printcolumn:name="ENVIRONMENTS",type=integer,JSONPath=`.status.environments.observed`
// +kubebuilder:printcolumn:name="MISSING",type=integer,JSONPath=`.status.environments.missing`
// +kubebuilder:printcolumn:name="SOURCES",type=integer,JSONPath=`.status.sourceCount`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="TO-CREATE",type=integer,JSONPath=`.status.preview.createCount`,priority=1
// +kubebuilder:printcolumn:name="TO-CHANGE",type=integer,JSONPath=`.status.preview.changeCount`,priority=1
// +kubebuilder:printcolumn:name="TO-DELETE",type=integer,JSONPath=`.status.preview.deleteCount`,priority=1
// +kubebuilder:printcolumn:name="STATUS",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="LAST-SYNC",type=date,JSONPath=`.status.lastSyncTime`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type EnvironmentDiscovery struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Which environments get a source, with which credential and settings.
	// +required
	Spec EnvironmentDiscoverySpec `json:"spec"`
	// The state that the operator last found. Before the operator's first write
	// observedGeneration is -1, so that kstatus does not count the object as
	// done.
	// +optional
	// +kubebuilder:default={observedGeneration:-1}
	Status EnvironmentDiscoveryStatus `json:"status,omitzero"`
}

// EnvironmentDiscoveryList is a list of EnvironmentDiscoveries.
//
// +kubebuilder:object:root=true
type EnvironmentDiscoveryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []EnvironmentDiscovery `json:"items"`
}

// GetInterval returns spec.interval, or the default if spec.interval is not
// set.
func (d *EnvironmentDiscovery) GetInterval() time.Duration {
	return durationOr(d.Spec.Interval, DefaultDiscoveryInterval)
}

// GetTimeout returns spec.timeout, or the default if spec.timeout is not set.
func (d *EnvironmentDiscovery) GetTimeout() time.Duration {
	return durationOr(d.Spec.Timeout, DefaultTimeout)
}

// GetEndpoint returns spec.endpoint, or the default if spec.endpoint is not
// set.
func (d *EnvironmentDiscovery) GetEndpoint() string {
	return cmp.Or(d.Spec.Endpoint, DefaultEndpoint)
}

// AsPrune returns a Prune with the same rules as p. If the policy is empty, the
// result has the policy Retain.
func (p SourcePrune) AsPrune() Prune {
	return Prune{Policy: cmp.Or(p.Policy, PrunePolicyRetain), AfterMisses: p.AfterMisses, GracePeriod: p.GracePeriod, MaxPercent: p.MaxPercent}
}
