// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// Environment is the Kind for environments. In the cluster, an InventorySource represents an
// environment. An EnvironmentDiscovery creates this InventorySource.
var Environment = &Kind{
	Name: "Environment",
	content: content{
		id:     func(o Object) string { return source(o).Spec.Environment },
		stored: func(o Object) any { return &source(o).Spec },
		same:   func(a, b Object) bool { return equality.Semantic.DeepEqual(source(a).Spec, source(b).Spec) },
		copy:   func(dst, src Object) { source(src).Spec.DeepCopyInto(&source(dst).Spec) },
	},
	summary: func(owner Object) **v1alpha1.InventorySummary {
		return &owner.(*v1alpha1.EnvironmentDiscovery).Status.Environments
	},
	owned:        func(o Object, owner Owner) bool { return Discovered(source(o), owner.discovery()) },
	claim:        claimOfSource,
	render:       renderSource,
	withLastName: withLastName,
	names:        environmentNames,
	scope: func(owner Owner) func(Object) bool {
		takes := newSelector(owner.discovery().Spec.Selector)
		return func(o Object) bool { return takes.environment(source(o).Spec.Environment, displayName(o)) }
	},
	released: unmanaged,
	remarks:  overrideRemarks,

	listedBefore: listedBefore,
}

func source(o Object) *v1alpha1.InventorySource { return o.(*v1alpha1.InventorySource) }

func unmanaged(o Object) bool { return o.GetAnnotations()[v1alpha1.AnnotationUnmanaged] == "true" }

// displayName returns the display name of a source's environment. It returns "" if the name is not
// known.
func displayName(o Object) string { return o.GetAnnotations()[v1alpha1.AnnotationEnvironmentName] }

// selector is an EnvironmentSelector, prepared to check many environments fast.
type selector struct {
	ids, excludedIDs     map[string]bool
	names, excludedNames patterns
}

func newSelector(s v1alpha1.EnvironmentSelector) selector {
	return selector{setOf(s.IDs), setOf(s.Exclude.IDs), newPatterns(s.DisplayNames), newPatterns(s.Exclude.DisplayNames)}
}

// environment reports whether the selector selects an environment.
func (s selector) environment(id, displayName string) bool {
	selected, _ := s.judge(id, displayName)
	return selected
}

// judge returns whether the selector selects an environment, and why. If displayName is "", the
// name is not known and may be an excluded name. So a selector that excludes names can select such
// an environment only by its ID.
func (s selector) judge(id, displayName string) (selected bool, why string) {
	switch {
	case s.excludedIDs[id]:
		return false, "excluded by spec.selector.exclude.ids"
	case s.excludedNames.fit(displayName):
		return false, "excluded by spec.selector.exclude.displayNames"
	case s.ids[id]:
		return true, "selected by spec.selector.ids"
	case displayName == "" && len(s.excludedNames) > 0:
		return false, "its name is not known, so spec.selector.exclude.displayNames may exclude it"
	case s.names.fit(displayName):
		return true, "selected by spec.selector.displayNames"
	case len(s.ids) == 0 && len(s.names) == 0:
		return true, "selected, as spec.selector names none"
	}
	return false, "not selected by spec.selector"
}

func setOf(ids []v1alpha1.Identifier) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[string(id)] = true
	}
	return set
}

// patterns are patterns for names. In a pattern, * matches any text, and ? matches one character.
type patterns [][]rune

func newPatterns(texts []v1alpha1.Identifier) patterns {
	all := make(patterns, len(texts))
	for i, text := range texts {
		all[i] = []rune(text)
	}
	return all
}

// fit reports whether at least one of the patterns matches the whole text.
func (p patterns) fit(text string) bool {
	if len(p) == 0 {
		return false
	}
	runes := []rune(text)
	return slices.ContainsFunc(p, func(pattern []rune) bool { return fits(pattern, runes) })
}

// fits reports whether a pattern matches the whole text. The running time is at most proportional
// to the length of the pattern times the length of the text.
func fits(pattern, text []rune) bool {
	p, t := 0, 0         // the next places in the pattern and in the text
	star, after := -1, 0 // the place of the last * in the pattern; the end of the text that this * matches
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, after = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			after++
			p, t = star+1, after
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// ProjectEnvironment returns the source that a discovery wants for an environment. Its settings
// come from the discovery's template. They do not include the discovery's overrides.
func ProjectEnvironment(e *wire.Environment, d *v1alpha1.EnvironmentDiscovery) Object {
	return sourceFor(d, d.Spec.Template.Spec.MirrorSettings.DeepCopy(), e.ID, e.DisplayName)
}

// NewSource returns the source that a discovery wants for an environment. Its settings come from
// the discovery's template and overrides.
func NewSource(d *v1alpha1.EnvironmentDiscovery, id, displayName string) *v1alpha1.InventorySource {
	return sourceFor(d, DiscoveryOwner(d).overrides().of(id, displayName).settings.DeepCopy(), id, displayName)
}

func sourceFor(d *v1alpha1.EnvironmentDiscovery, settings *v1alpha1.MirrorSettings, id, displayName string) *v1alpha1.InventorySource {
	s := &v1alpha1.InventorySource{Spec: v1alpha1.InventorySourceSpec{
		Environment:    id,
		Endpoint:       d.GetEndpoint(),
		Credentials:    *d.Spec.Credentials.DeepCopy(),
		MirrorSettings: *settings,
	}}
	s.Name, s.Namespace = ObjectName(id), d.Namespace
	s.OwnerReferences = []metav1.OwnerReference{*DiscoveryOwner(d).reference()}
	s.Labels, s.Annotations = templated(nil, d.Spec.Template.Metadata)
	s.Labels[v1alpha1.LabelDiscovery] = LabelValue(d.Name)
	setLabel(s.Labels, v1alpha1.LabelEnvironment, id)
	if displayName != "" {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationEnvironmentName, Truncate(displayName, maxText))
	}
	return s
}

// renderSource returns a source as its discovery wants it:
//
//   - The settings come from the discovery's template and overrides. While the name of the
//     environment is not known, overrides by name may or may not apply. Then the source keeps its
//     settings.
//   - The annotations in usersKeys stay as users set them.
//   - The source of a missing environment has the annotation missing-since.
func renderSource(r rendering) Object {
	id := source(r.base).Spec.Environment
	settings := &r.owner.overrides().of(id, r.name).settings
	if !r.named {
		settings = &source(r.existing).Spec.MirrorSettings
	}
	s := sourceFor(r.owner.discovery(), settings.DeepCopy(), id, r.name)
	if r.existing == nil {
		return s
	}
	for _, key := range usersKeys {
		if value, set := r.existing.GetAnnotations()[key]; set {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value)
		}
	}
	if (r.sight == missing || r.sight == unknown) && !r.since.IsZero() {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationMissingSince, r.since.UTC().Format(time.RFC3339))
	}
	return s
}

// usersKeys are the annotations that users set on a source and that have the operator's prefix.
var usersKeys = []string{v1alpha1.AnnotationRequestedAt, v1alpha1.AnnotationApprovePrune, v1alpha1.AnnotationUnmanaged}

// withLastName returns the source of a listed environment. If the listing gave no display name, the
// source gets the last known name: from former, or else as lastName reads it. former is the source as
// it was listed before. inCluster is the source in the cluster.
func withLastName(o, former, inCluster Object, owner Owner) Object {
	if displayName(o) != "" {
		return o
	}
	name := lastName(o, inCluster, owner)
	if former != nil {
		name = cmp.Or(displayName(former), name)
	}
	if name == "" {
		return o
	}
	next := source(o).DeepCopy()
	metav1.SetMetaDataAnnotation(&next.ObjectMeta, v1alpha1.AnnotationEnvironmentName, name)
	return next
}

// lastName returns the last known name of an environment; "" if there is none. It reads the name from
// the discovery's status. The source's annotation has the name too, but a person who may edit the
// source could forge the annotation. So the annotation counts only if the status does not name the
// source because the status is empty or has no room for all sources. inCluster is the source; nil if
// it does not exist.
func lastName(o, inCluster Object, owner Owner) string {
	d := owner.discovery()
	entry, found := sourceNamed(d, source(o).Spec.Environment)
	annotated := ""
	if inCluster != nil && source(inCluster).Spec.Environment == source(o).Spec.Environment {
		annotated = displayName(inCluster)
	}
	switch {
	case found && shownName(annotated) != entry.DisplayName:
		return entry.DisplayName
	case found || d.Status.Environments == nil || unnamed(d):
		return annotated // This is the whole name if the status cut it.
	}
	return ""
}

// shownName returns a display name as a discovery's status shows it.
func shownName(name string) string { return Truncate(name, maxShownName) }

// sourceNamed returns the entry for an environment in a discovery's status.sources, and whether
// there is such an entry.
func sourceNamed(d *v1alpha1.EnvironmentDiscovery, environment string) (entry *v1alpha1.DiscoveredSource, found bool) {
	i, found := slices.BinarySearchFunc(d.Status.Sources, environment, func(s v1alpha1.DiscoveredSource, id string) int {
		return strings.Compare(s.Environment, id)
	})
	if !found {
		return nil, false
	}
	return &d.Status.Sources[i], true
}

// unnamed reports whether some sources of a discovery have no entry in its status.
func unnamed(d *v1alpha1.EnvironmentDiscovery) bool {
	return int(d.Status.SourceCount) > len(d.Status.Sources)
}

// listedBefore reports whether the environment of a source was listed before the operator started,
// as the discovery's status says. It returns false if the status does not name the source. By
// default, a person must then approve the deletion of the source.
func listedBefore(o Object, owner Owner) bool {
	d := owner.discovery()
	entry, found := sourceNamed(d, source(o).Spec.Environment)
	return d.Status.Environments != nil && found && !entry.NeverListed
}

// claimOfSource returns since when an environment is missing or no longer selected. It reads this
// time from the discovery's status.
//
// The source's annotation missing-since has the time too, but a person who may edit the source can
// forge the annotation. So the annotation counts only if the status has no room for all sources.
func claimOfSource(o Object, owner Owner, seen sight) time.Time {
	d := owner.discovery()
	entry, found := sourceNamed(d, source(o).Spec.Environment)
	var at *metav1.Time
	switch {
	case found && seen == outside:
		at = entry.OutOfScopeSince
	case found && seen != outside:
		at = entry.MissingSince
	case seen != outside && unnamed(d):
		if since, err := time.Parse(time.RFC3339, o.GetAnnotations()[v1alpha1.AnnotationMissingSince]); err == nil {
			return since
		}
	}
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// Discovered reports whether a source belongs to a discovery:
//
//   - The source must have the name that the discovery would give it.
//   - If the source has a controller, the controller must be the discovery.
//   - If the source lost its controller, its label must have the name of the discovery.
func Discovered(s *v1alpha1.InventorySource, d *v1alpha1.EnvironmentDiscovery) bool {
	if s.Name != ObjectName(s.Spec.Environment) {
		return false
	}
	if controller := metav1.GetControllerOf(s); controller != nil {
		return controller.UID == d.UID
	}
	return s.Labels[v1alpha1.LabelDiscovery] == LabelValue(d.Name)
}

// These bounds keep the status of a discovery below 1 MiB. The API server stores objects of at most
// 1.5 MiB.
const (
	// maxSources is the largest number of entries in status.sources.
	maxSources = 500
	// maxShownName is the largest size of a display name in the status, in bytes.
	maxShownName = 256
	// maxListed is the largest size of all texts in one list of the status, in bytes. Entries that
	// do not fit are left out.
	maxListed = 192 << 10
)

// Sources returns the entries for status.sources of the view's discovery, sorted by environment, and
// the number of all sources. Entries that do not fit into the status are left out.
func (v *View) Sources(sources map[string]Object, now time.Time) (first []v1alpha1.DiscoveredSource, all int32) {
	owner, l := v.owner, v.ledger
	sorted := slices.SortedFunc(maps.Values(sources), func(a, b Object) int {
		return strings.Compare(source(a).Spec.Environment, source(b).Spec.Environment)
	})
	size := 0
	for _, o := range sorted[:min(len(sorted), maxSources)] {
		id := source(o).Spec.Environment
		name, known := v.names[id]
		if size += jsonSize(id, shownName(name), o.GetName()); size > maxListed {
			break
		}
		named := v1alpha1.DiscoveredSource{Environment: id, Name: o.GetName(), DisplayName: shownName(name), NeverListed: l.neverSeen(Environment, owner, o)}
		if entry, found := sourceNamed(owner.discovery(), id); found && owner.discovery().Spec.Preview {
			named.DisplayName = entry.DisplayName // A preview gives no source the settings of a new name.
		}
		if known && !Environment.releases(o) { // Overrides do not change a source with the annotation unmanaged.
			named.Overrides = int32(len(owner.overrides().of(id, name).applying))
		}
		seen, since := knownSince(Environment, owner, l, o, now)
		at := metav1.NewTime(since).Rfc3339Copy()
		switch {
		case since.IsZero():
		case seen == outside:
			named.OutOfScopeSince = &at
		default:
			named.MissingSince = &at
		}
		first = append(first, named)
	}
	return first, int32(len(sorted))
}
