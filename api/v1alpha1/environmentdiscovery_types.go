// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultDiscoveryInterval is the default of EnvironmentDiscoverySpec.Interval, the same as
// that in the CRD's schema.
const DefaultDiscoveryInterval = 15 * time.Minute

// EnvironmentDiscoverySpec names a credential, the environments of those it sees that are
// taken, and what the InventorySources made for them are like.
// +kubebuilder:validation:XValidation:rule="has(self.credentials) && has(self.credentials.apiKey) != has(self.credentials.workloadIdentity)",fieldPath=".credentials",message="exactly one member must be set under credentials: write apiKey.secretRef.name, the name of a Secret with the keys api-key and api-secret, or workloadIdentity.identityPool"
type EnvironmentDiscoverySpec struct {
	// Where the Confluent Cloud API answers: an absolute http:// or https:// URL
	// without user info, query or fragment. The manager talks only to the
	// origins in its flag --allowed-endpoints. Every source made has the same.
	// +optional
	// +kubebuilder:default="https://api.confluent.cloud"
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://([A-Za-z0-9][-A-Za-z0-9.]*|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?(/[^?# ]*)?$') && isURL(self)",message="endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	Endpoint string `json:"endpoint,omitempty"`

	// Credential to list the environments with. Every source made has the same. Exactly
	// one member must be set.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`

	// Time from the end of one listing of the environments to the start of the next, from
	// 10s to 8760h. The manager adds or takes up to --interval-jitter-percent of it.
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('10s') && duration(self) <= duration('8760h')",message="interval must be a duration of at least 10s and at most 8760h, for example 5m or 15m"
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Longest time one listing may take, all its pages together. From 1s to 1h.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="timeout must be a duration from 1s to 1h, for example 1m"
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// Stops asking the cloud for environments. The sources there are go on, and are kept
	// as the template says.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Which environments are taken. Empty: all.
	// +optional
	Selector EnvironmentSelector `json:"selector,omitzero"`

	// What the sources are like.
	// +optional
	// +kubebuilder:default={spec: {}}
	Template InventorySourceTemplate `json:"template,omitzero"`

	// Settings of single environments that differ from template.spec. The overrides are laid
	// over it in their order, so of two that set the same field the later one counts.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=500
	Overrides []SourceOverride `json:"overrides,omitempty"`

	// When a source whose environment is gone is deleted, with its observations.
	// +optional
	// +kubebuilder:default={}
	Prune SourcePrune `json:"prune,omitzero"`

	// Lists the environments and reports in status.preview what the discovery would do to its
	// sources. While it is true, no source is created, changed or deleted.
	// +optional
	Preview bool `json:"preview,omitempty"`
}

// EnvironmentSelector says which environments are taken: those that ids or displayNames
// name, all where both are empty, but none that exclude names.
type EnvironmentSelector struct {
	EnvironmentMatch `json:",inline"`

	// Environments that are not taken, whatever else names them.
	// +optional
	Exclude EnvironmentMatch `json:"exclude,omitzero"`
}

// EnvironmentMatch names environments by ID or by display name.
type EnvironmentMatch struct {
	// IDs of environments, exactly.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=500
	IDs []Identifier `json:"ids,omitempty"`

	// Patterns of display names, in which * stands for any text and ? for one character.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	DisplayNames []Identifier `json:"displayNames,omitempty"`
}

// InventorySourceTemplate is what a discovery makes its sources from.
type InventorySourceTemplate struct {
	// Labels and annotations of every source, beside the operator's own.
	// +optional
	Metadata ObservationTemplate `json:"metadata,omitzero"`

	// How every source mirrors its environment.
	// +optional
	// +kubebuilder:default={}
	Spec InventorySourceTemplateSpec `json:"spec,omitzero"`
}

// InventorySourceTemplateSpec is the part of a source's spec that a discovery does not know
// by itself.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
type InventorySourceTemplateSpec struct {
	MirrorSettings `json:",inline"`
}

// SourceOverride changes the settings of the sources of some environments.
type SourceOverride struct {
	// Environments whose sources the override changes. Empty: all that the discovery takes.
	// +optional
	Selector EnvironmentSelector `json:"selector,omitzero"`

	// Fields to set, with the meaning and bounds of template.spec. Fields that are absent keep
	// their value. A list replaces the whole list; an empty one clears it. Labels and
	// annotations are added to those of the template.
	// +optional
	Spec SourceOverrideSpec `json:"spec,omitzero"`
}

// SourceOverrideSpec is the part of a source's spec that an override sets. Its fields have no
// defaults.
// +kubebuilder:validation:XValidation:rule="!has(self.staleAfter) || !has(self.interval) || duration(self.staleAfter) >= duration(self.interval) + duration(self.interval)",fieldPath=".staleAfter",message="staleAfter must be at least twice interval, or observations would turn stale between two syncs"
type SourceOverrideSpec struct {
	MirrorSettings `json:",inline"`
}

// SourcePrune says when a source whose environment is missing is deleted. A listing that
// failed or is not complete never counts.
type SourcePrune struct {
	// Retain keeps such a source, with an annotation that says since when its environment
	// is missing. Delete deletes it once the other fields allow, and its observations with it.
	// +optional
	// +kubebuilder:default=Retain
	Policy PrunePolicy `json:"policy,omitempty"`

	// Complete listings in a row that must lack the environment.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AfterMisses *int32 `json:"afterMisses,omitempty"`

	// Time a source is kept at least, counted from the listing that first lacked its
	// environment.
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') && duration(self) <= duration('8760h')",message="gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`

	// Share of the sources, in percent, above which more than one missing environment is
	// not pruned but held until a person approves. 100 never holds.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MaxPercent *int32 `json:"maxPercent,omitempty"`
}

// EnvironmentDiscoveryStatus tells how discovering goes.
type EnvironmentDiscoveryStatus struct {
	SyncStatus `json:",inline"`

	// Environments in numbers; absent until first listed.
	// +optional
	Environments *InventorySummary `json:"environments,omitempty"`

	// Sources that are kept, by environment: the first 500.
	// +optional
	// +listType=map
	// +listMapKey=environment
	Sources []DiscoveredSource `json:"sources,omitempty"`

	// Number of those sources, all of them; absent where 0.
	// +optional
	SourceCount int32 `json:"sourceCount,omitempty"`

	// What the discovery would do to its sources; absent unless spec.preview is true.
	// +optional
	Preview *DiscoveryPreview `json:"preview,omitempty"`
}

// DiscoveryPreview reports what a discovery would do to its sources if spec.preview were not
// true. Each list has at most 500 entries, sorted by name, and fewer if they are long; the
// counts are of all sources.
type DiscoveryPreview struct {
	// Number of sources to create.
	CreateCount int32 `json:"createCount"`
	// Sources to create, and those that cannot be created because their name is taken.
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
	// Sources to delete, at once or after a wait or an approval.
	// +optional
	// +listType=atomic
	Delete []PreviewedSource `json:"delete,omitempty"`
}

// PreviewedSource is one source that a discovery would create, change or delete.
type PreviewedSource struct {
	// ID of the environment.
	Environment string `json:"environment"`
	// Name people gave the environment.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Name of the InventorySource, in the same namespace.
	Name string `json:"name"`
	// What selects the source or differs, and what it waits for.
	Why string `json:"why"`
}

// DiscoveredSource is one source that a discovery keeps.
type DiscoveredSource struct {
	// ID of the environment.
	Environment string `json:"environment"`
	// Name people gave the environment.
	// +optional
	DisplayName string `json:"displayName,omitempty"`
	// Name of the InventorySource, in the same namespace.
	Name string `json:"name"`
	// Number of spec.overrides that apply to the source; absent if none does.
	// +optional
	Overrides int32 `json:"overrides,omitempty"`
	// True if no listing ever had the environment: the source was handed over. Its deletion needs
	// an approval.
	// +optional
	NeverListed bool `json:"neverListed,omitempty"`
	// Since when the environment is missing: absent from complete listings.
	// +optional
	MissingSince *metav1.Time `json:"missingSince,omitempty"`
	// Since when the environment is listed and no longer taken by spec.selector.
	// +optional
	OutOfScopeSince *metav1.Time `json:"outOfScopeSince,omitempty"`
}

// EnvironmentDiscovery keeps one InventorySource for each environment of Confluent Cloud
// that its credential sees and its selector takes. The sources lie beside it and are owned
// by it: deleting it deletes them and their observations, and nothing in the cloud.
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

	// +required
	Spec EnvironmentDiscoverySpec `json:"spec"`
	// The default keeps kstatus from taking a discovery that nobody has looked at yet
	// for one that is as it should be.
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

// GetInterval returns spec.interval, or its default if it is not set.
func (d *EnvironmentDiscovery) GetInterval() time.Duration {
	return durationOr(d.Spec.Interval, DefaultDiscoveryInterval)
}

// GetTimeout returns spec.timeout, or its default if it is not set.
func (d *EnvironmentDiscovery) GetTimeout() time.Duration {
	return durationOr(d.Spec.Timeout, DefaultTimeout)
}

// GetEndpoint returns spec.endpoint, or its default if it is not set.
func (d *EnvironmentDiscovery) GetEndpoint() string {
	return cmp.Or(d.Spec.Endpoint, DefaultEndpoint)
}

// AsPrune returns the rules by which sources are pruned. They are those of observations, but the
// policy has another default.
func (p SourcePrune) AsPrune() Prune {
	return Prune{Policy: cmp.Or(p.Policy, PrunePolicyRetain), AfterMisses: p.AfterMisses, GracePeriod: p.GracePeriod, MaxPercent: p.MaxPercent}
}
