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

// Environment is the Kind of environments. An EnvironmentDiscovery creates one InventorySource for
// each selected environment.
var Environment = &Kind{
	Name: "Environment",
	content: content{
		id:     func(o Object) string { return source(o).Spec.Environment },
		stored: func(o Object) any { return &source(o).Spec },
		same:   func(a, b Object) bool { return equality.Semantic.DeepEqual(source(a).Spec, source(b).Spec) },
		copy:   func(dst, src Object) { source(src).Spec.DeepCopyInto(&source(dst).Spec) },
	},
	summaryOf: func(owner Object) **v1alpha1.InventorySummary {
		return &owner.(*v1alpha1.EnvironmentDiscovery).Status.Environments
	},
	isOwned:          func(o Object, owner Owner) bool { return Discovered(source(o), owner.discovery()) },
	claimedTime:      claimOfSource,
	endAbsences:      endAbsencesOfSources,
	renderObject:     renderSource,
	withLastName:     withLastName,
	environmentNames: environmentNames,
	selectorOf: func(owner Owner) func(Object) bool {
		takes := newSelector(owner.discovery().Spec.Selector)
		return func(o Object) bool { return takes.selectsEnvironment(source(o).Spec.Environment, displayName(o)) }
	},
	isReleased: isUnmanaged,
	remarksFor: overrideRemarks,

	listedBefore: listedBefore,
}

func source(o Object) *v1alpha1.InventorySource { return o.(*v1alpha1.InventorySource) }

func isUnmanaged(o Object) bool { return o.GetAnnotations()[v1alpha1.AnnotationUnmanaged] == "true" }

// displayName returns the display name of a source's environment; "" if the name is not known.
func displayName(o Object) string { return o.GetAnnotations()[v1alpha1.AnnotationEnvironmentName] }

// selector has the content of an EnvironmentSelector, prepared for fast checks.
type selector struct {
	ids, excludedIDs     map[string]bool
	names, excludedNames namePatterns
}

func newSelector(s v1alpha1.EnvironmentSelector) selector {
	return selector{setOf(s.IDs), setOf(s.Exclude.IDs), newPatterns(s.DisplayNames), newPatterns(s.Exclude.DisplayNames)}
}

// selectsEnvironment reports whether the selector selects an environment.
func (s selector) selectsEnvironment(id, displayName string) bool {
	selected, _ := s.judge(id, displayName)
	return selected
}

// judge reports whether the selector selects an environment, and why. displayName is "" if the name
// of the environment is not known. If the selector excludes display names, it does not select an
// environment whose name is not known, because this name may be excluded.
func (s selector) judge(id, displayName string) (selected bool, why string) {
	switch {
	case s.excludedIDs[id]:
		return false, "excluded by spec.selector.exclude.ids"
	case s.excludedNames.matchesAny(displayName):
		return false, "excluded by spec.selector.exclude.displayNames"
	case displayName == "" && len(s.excludedNames) > 0:
		return false, "its name is not known, so spec.selector.exclude.displayNames may exclude it"
	case s.ids[id]:
		return true, "selected by spec.selector.ids"
	case s.names.matchesAny(displayName):
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

// namePatterns are patterns for names. In a pattern, * matches any text, and ? matches one
// character.
type namePatterns [][]rune

func newPatterns(texts []v1alpha1.Identifier) namePatterns {
	all := make(namePatterns, len(texts))
	for i, text := range texts {
		all[i] = []rune(text)
	}
	return all
}

// matchesAny reports whether one of the patterns matches the whole text.
func (p namePatterns) matchesAny(text string) bool {
	if len(p) == 0 {
		return false
	}
	runes := []rune(text)
	return slices.ContainsFunc(p, func(pattern []rune) bool { return matchesPattern(pattern, runes) })
}

// matchesPattern reports whether a pattern matches the whole text. The running time is
// O(len(pattern)*len(text)).
func matchesPattern(pattern, text []rune) bool {
	p, t := 0, 0         // the next places in the pattern and in the text
	star, after := -1, 0 // the place of the last * before p; the end of the text that the * matches
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

// ProjectEnvironment returns the source that a discovery wants for an environment. The source gets
// the settings of the discovery's template, without overrides.
func ProjectEnvironment(e *wire.Environment, d *v1alpha1.EnvironmentDiscovery) Object {
	return sourceFor(d, d.Spec.Template.Spec.MirrorSettings.DeepCopy(), e.ID, e.DisplayName)
}

// NewSource returns the source that a discovery wants for an environment. The source gets the
// settings of the discovery's template, changed by the overrides that select the environment.
func NewSource(d *v1alpha1.EnvironmentDiscovery, id, displayName string) *v1alpha1.InventorySource {
	return sourceFor(d, DiscoveryOwner(d).loadOverrides().settingsFor(id, displayName).settings.DeepCopy(), id, displayName)
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
	s.Labels, s.Annotations = templatePairs(nil, d.Spec.Template.Metadata)
	s.Labels[v1alpha1.LabelDiscovery] = LabelValue(d.Name)
	setLabel(s.Labels, v1alpha1.LabelEnvironment, id)
	if displayName != "" {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationEnvironmentName, Truncate(displayName, maxText))
	}
	return s
}

// renderSource returns a source as it should be in the cluster:
//
//   - The settings come from the discovery's template and overrides. If the operator does not know
//     which overrides select the environment, the source keeps its present settings.
//   - The source keeps the annotations that users set.
//   - If the environment is missing in the cloud, the source has the annotation missing-since.
func renderSource(r rendering) Object {
	id := source(r.lastContent).Spec.Environment
	settings := &r.owner.loadOverrides().settingsFor(id, r.displayName).settings
	if !r.nameKnown { // Then the source exists: see environmentNames.
		settings = &source(r.inCluster).Spec.MirrorSettings
	}
	s := sourceFor(r.owner.discovery(), settings.DeepCopy(), id, r.displayName)
	if r.inCluster == nil {
		return s
	}
	for _, key := range usersKeys {
		if value, set := r.inCluster.GetAnnotations()[key]; set {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value)
		}
	}
	if (r.sight == sightMissing || r.sight == sightUnknown) && !r.since.IsZero() {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationMissingSince, r.since.UTC().Format(time.RFC3339))
	}
	return s
}

// usersKeys has the keys of the annotations that users set on sources. A discovery keeps these
// annotations.
var usersKeys = []string{v1alpha1.AnnotationRequestedAt, v1alpha1.AnnotationApprovePrune, v1alpha1.AnnotationUnmanaged}

// withLastName returns a copy of the source o with the last known display name. If o has a display
// name, or if no name is known, withLastName returns o itself. lastListed is the source from an
// earlier listing, and inCluster is the source in the cluster. Each is nil if there is none.
func withLastName(o, lastListed, inCluster Object, owner Owner) Object {
	if displayName(o) != "" {
		return o
	}
	entry, found := sourceNamed(owner.discovery(), source(o).Spec.Environment)
	name := wholeName(entry.DisplayName, o, inCluster)
	if !found && inCluster != nil && metav1.IsControlledBy(inCluster, owner.Object) { // See keptNames.
		name = displayName(inCluster)
	}
	if lastListed != nil {
		name = cmp.Or(displayName(lastListed), name)
	}
	if name == "" {
		return o
	}
	next := source(o).DeepCopy()
	metav1.SetMetaDataAnnotation(&next.ObjectMeta, v1alpha1.AnnotationEnvironmentName, name)
	return next
}

// shownName shortens a display name for the status of a discovery.
func shownName(name string) string { return Truncate(name, maxShownName) }

// sourceNamed returns the entry for an environment in the discovery's status.sources. If there is none,
// it returns an empty entry and false.
func sourceNamed(d *v1alpha1.EnvironmentDiscovery, environment string) (entry *v1alpha1.DiscoveredSource, found bool) {
	i, found := slices.BinarySearchFunc(d.Status.Sources, environment, func(s v1alpha1.DiscoveredSource, id string) int {
		return strings.Compare(s.Environment, id)
	})
	if !found {
		return &v1alpha1.DiscoveredSource{}, false
	}
	return &d.Status.Sources[i], true
}

// sourcesLeftOut returns true if the discovery's status.sources lacks some sources.
func sourcesLeftOut(d *v1alpha1.EnvironmentDiscovery) bool {
	return int(d.Status.SourceCount) > len(d.Status.Sources)
}

// listedBefore returns true if the cloud has listed the source's environment at least once. It
// reads the discovery's status.
func listedBefore(o Object, owner Owner) bool {
	d := owner.discovery()
	entry, found := sourceNamed(d, source(o).Spec.Environment)
	return d.Status.Environments != nil && found && !entry.NeverListed
}

// claimOfSource returns when the environment of a source went missing in the cloud. If seen is
// sightOutside, it returns when the discovery's selector stopped selecting the environment. If the
// time is not known, it returns zero.
//
// claimOfSource reads the time from the discovery's status. If the status had no room for this
// source, claimOfSource reads the annotation missing-since of the source, but not for sightOutside.
// The status comes first, because a person who may edit the source can forge the annotation.
func claimOfSource(o Object, owner Owner, seen sight) time.Time {
	d := owner.discovery()
	entry, found := sourceNamed(d, source(o).Spec.Environment)
	var at *metav1.Time
	switch {
	case found && seen == sightOutside:
		at = entry.OutOfScopeSince
	case found && seen != sightOutside:
		at = entry.MissingSince
	case seen != sightOutside && sourcesLeftOut(d):
		if since, err := time.Parse(time.RFC3339, o.GetAnnotations()[v1alpha1.AnnotationMissingSince]); err == nil {
			return since
		}
	}
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// endAbsencesOfSources removes times from a discovery's status.sources:
//
//   - missingSince, if the cloud lists the environment again
//   - outOfScopeSince, if the selector selects the environment again, or if the cloud no longer
//     lists the environment
//
// The ledger can have a later time for the same absence. Then endAbsencesOfSources writes the later
// time into the status. See Ledger.notBefore.
func endAbsencesOfSources(owner Object, l *Ledger) {
	entries := owner.(*v1alpha1.EnvironmentDiscovery).Status.Sources
	for i := range entries {
		seen := l.sightOf(entries[i].Name)
		if seen == sightListed || seen == sightOutside {
			entries[i].MissingSince = nil
		}
		if seen == sightListed || seen == sightMissing {
			entries[i].OutOfScopeSince = nil
		}
		entries[i].MissingSince = l.notBefore(entries[i].Name, entries[i].MissingSince)
		entries[i].OutOfScopeSince = l.notBefore(entries[i].Name, entries[i].OutOfScopeSince)
	}
}

// Discovered reports whether a source belongs to a discovery:
//
//   - The source must have the name that the discovery would give it.
//   - If the source has a controller, the controller must be the discovery.
//   - If the source has no controller, the source must have a label with the discovery's name
//     (v1alpha1.LabelDiscovery).
func Discovered(s *v1alpha1.InventorySource, d *v1alpha1.EnvironmentDiscovery) bool {
	if s.Name != ObjectName(s.Spec.Environment) {
		return false
	}
	if controller := metav1.GetControllerOf(s); controller != nil {
		return controller.UID == d.UID
	}
	return s.Labels[v1alpha1.LabelDiscovery] == LabelValue(d.Name)
}

// These limits keep the status of a discovery small enough for the API server.
const (
	// maxSources is the largest number of entries in status.sources.
	maxSources = 500
	// maxShownName is the largest size of a display name in the status, in bytes.
	maxShownName = 256
	// maxListSize is the largest size of one list in the status, in bytes. The operator leaves out
	// entries that do not fit.
	maxListSize = 192 << 10
)

// Sources returns the entries of the discovery's status.sources, sorted by environment. It leaves
// out the last entries if they do not fit into the status. The second result is the number of all
// sources. The parameters sources and names have the state after the writes of the plan.
func (v *View) Sources(sources map[string]Object, names AppliedNames, now time.Time) (first []v1alpha1.DiscoveredSource, all int32) {
	owner, l := v.owner, v.ledger
	sorted := slices.SortedFunc(maps.Values(sources), func(a, b Object) int {
		return strings.Compare(source(a).Spec.Environment, source(b).Spec.Environment)
	})
	size := 0
	for _, o := range sorted[:min(len(sorted), maxSources)] {
		id := source(o).Spec.Environment
		name := names.nameFor(o, o)
		if size += jsonSize(id, shownName(name), o.GetName()); size > maxListSize {
			break
		}
		_, known := v.displayNames[id]
		named := v1alpha1.DiscoveredSource{Environment: id, Name: o.GetName(), DisplayName: shownName(name), NeverListed: !names[id].decided || !known && !listedBefore(o, owner) || l.neverSeen(Environment, owner, o)}
		if known && !Environment.releases(o) { // Overrides do not change a source with the annotation unmanaged.
			named.Overrides = int32(len(owner.loadOverrides().settingsFor(id, name).appliedIndexes))
		}
		seen, since := knownSince(Environment, owner, l, o, now)
		at := metav1.NewTime(since).Rfc3339Copy()
		switch {
		case since.IsZero():
		case seen == sightOutside:
			named.OutOfScopeSince = &at
		default:
			named.MissingSince = &at
		}
		first = append(first, named)
	}
	return first, int32(len(sorted))
}
