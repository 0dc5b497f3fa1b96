// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/conversion"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// overrideSet computes the settings of each environment from a discovery's template and
// spec.overrides. It caches the settings. It is safe for concurrent use.
type overrideSet struct {
	template v1alpha1.MirrorSettings
	all      []overrideEntry
	// byName is true if an override selects or excludes environments by display name.
	byName bool

	mu sync.Mutex
	// byEnvironment caches the settings of each environment. The map key has the environment's ID
	// and display name.
	//
	// bySet caches the settings for each set of overrides. The map key has the indexes of the
	// overrides in spec.overrides, for example "[0 2]".
	byEnvironment map[[2]string]*overriddenSettings
	bySet         map[string]*overriddenSettings
}

// overrideEntry is one entry of spec.overrides.
type overrideEntry struct {
	takes selector
	spec  v1alpha1.MirrorSettings
}

// overriddenSettings has the settings of a discovery's template, changed by a set of overrides.
type overriddenSettings struct {
	// appliedIndexes has the indexes of the applied overrides in spec.overrides.
	appliedIndexes []int
	settings       v1alpha1.MirrorSettings
	// contradictionTexts has one message for each field that two overrides set to different values.
	contradictionTexts []string
}

func newOverrides(d *v1alpha1.EnvironmentDiscovery) *overrideSet {
	o := &overrideSet{
		template: *d.Spec.Template.Spec.MirrorSettings.DeepCopy(), all: make([]overrideEntry, len(d.Spec.Overrides)),
		byEnvironment: map[[2]string]*overriddenSettings{}, bySet: map[string]*overriddenSettings{},
	}
	for i := range d.Spec.Overrides {
		of := &d.Spec.Overrides[i]
		o.all[i] = overrideEntry{newSelector(of.Selector), *of.Spec.MirrorSettings.DeepCopy()}
		o.byName = o.byName || len(of.Selector.DisplayNames)+len(of.Selector.Exclude.DisplayNames) > 0
	}
	return o
}

// settingsFor returns the settings for an environment: the template, changed by the overrides that
// select the environment. The caller must not change these settings.
func (o *overrideSet) settingsFor(id, displayName string) *overriddenSettings {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{id, displayName}
	if known := o.byEnvironment[key]; known != nil {
		return known
	}
	var appliedIndexes []int
	for i, override := range o.all {
		if override.takes.selectsEnvironment(id, displayName) {
			appliedIndexes = append(appliedIndexes, i)
		}
	}
	set := fmt.Sprint(appliedIndexes)
	if o.bySet[set] == nil {
		o.bySet[set] = o.withOverrides(appliedIndexes)
	}
	o.byEnvironment[key] = o.bySet[set]
	return o.bySet[set]
}

// withOverrides applies some overrides to a copy of the template, one after the other.
// appliedIndexes has the indexes of these overrides in spec.overrides.
func (o *overrideSet) withOverrides(appliedIndexes []int) *overriddenSettings {
	result := &overriddenSettings{appliedIndexes: appliedIndexes, settings: *o.template.DeepCopy()}
	setters := map[string]int{}
	for _, i := range appliedIndexes {
		overlayFields(reflect.ValueOf(&result.settings).Elem(), reflect.ValueOf(o.all[i].spec), "", func(field string, valueChanged bool) {
			if earlier, set := setters[field]; set && valueChanged {
				result.contradictionTexts = append(result.contradictionTexts,
					fmt.Sprintf("spec.overrides[%d] and [%d] set %s differently", earlier, i, field))
			}
			setters[field] = i
		})
	}
	return result
}

// needsApproval reports whether a person must approve the new settings of a source whose
// environment was renamed. oldSettings are for the old name, and newSettings are for the new name.
// A person must approve each of these changes:
//
//   - a change of spec.prune,
//   - a change of the settings of a kind that the source already mirrors, for example of Kafka
//     clusters.
func needsApproval(oldSettings, newSettings v1alpha1.MirrorSettings) bool {
	for _, s := range []*v1alpha1.MirrorSettings{&oldSettings, &newSettings} {
		s.Interval, s.Timeout, s.StaleAfter, s.Template = nil, nil, nil, v1alpha1.ObservationTemplate{}
		if c := &s.KafkaClusters; c.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled {
			c.ConfigMapKeys = cmp.Or(c.ConfigMapKeys, v1alpha1.ConfigMapKeysProperties)
			c.ConfigMapContent = cmp.Or(c.ConfigMapContent, v1alpha1.ConfigMapContentAll)
		} else {
			c.ConfigMaps, c.ConfigMapKeys, c.ConfigMapContent = "", "", ""
		}
	}
	for _, k := range kindsOfSources {
		if k.selected(&oldSettings) {
			continue
		}
		for _, s := range []*v1alpha1.MirrorSettings{&oldSettings, &newSettings} {
			field, _ := k.settingsOf(s)
			reflect.ValueOf(field).Elem().SetZero()
		}
	}
	return !sameValue(oldSettings, newSettings)
}

// onlySettingsFor reports whether a source has the settings for the display name has, and these
// differ from the settings for the display name hasNot.
func (o *overrideSet) onlySettingsFor(s *v1alpha1.InventorySource, has, hasNot string) bool {
	id, settings := s.Spec.Environment, s.Spec.MirrorSettings
	return sameValue(settings, o.settingsFor(id, has).settings) && !sameValue(settings, o.settingsFor(id, hasNot).settings)
}

// environmentNames returns the display name by which overrides select each environment. The key is
// the environment's ID.
//
// Usually the display name is the name in the cloud. There are two exceptions:
//
//   - If the cloud does not list the environment, the display name is the last known name.
//   - If a person must first approve the settings for the new name of a renamed environment, the
//     display name is the old name.
//
// In the result, an environment has no entry if all of these statements are true:
//
//   - No name is known.
//   - An override selects by name.
//   - The discovery has written no settings to the environment's source: the source was handed over.
func environmentNames(f Facts) map[string]string {
	all, names := f.Owner.loadOverrides(), make(map[string]string, len(f.Desired))
	existing := make(map[string]Object, len(f.Existing))
	for _, o := range f.Existing {
		existing[o.GetName()] = o
		id := source(o).Spec.Environment
		last := f.AppliedNames.nameFor(o, o)
		if last != "" || decidedWithoutName(f, o) || !all.byName {
			names[id] = last
		}
	}
	for name, o := range f.Desired {
		id := source(o).Spec.Environment
		last := f.AppliedNames.nameFor(o, cmp.Or(existing[name], f.Occupants[name]))
		names[id] = displayName(o)
		if has := existing[name]; has != nil && last == "" && names[id] == "" && all.byName && !decidedWithoutName(f, has) {
			delete(names, id)
		}
		if last != "" && last != shownName(displayName(o)) && needsApproval(all.settingsFor(id, last).settings, all.settingsFor(id, displayName(o)).settings) {
			names[id] = last
		}
	}
	return names
}

// decidedWithoutName reports whether the discovery has decided the settings of a source whose
// environment has no name.
func decidedWithoutName(f Facts, o Object) bool {
	applied := f.AppliedNames[f.Kind.id(o)]
	return applied.decided && applied.name == ""
}

// overlayFields copies the fields of the patch to the target, except fields with a zero value. An
// empty list that is not nil is copied too. overlayFields merges structs and maps, and replaces all
// other values.
//
// For each field that it copies, overlayFields calls onSet with the field's path, such as
// "prune.policy". valueChanged is true if the target had a different value before.
func overlayFields(target, patch reflect.Value, path string, onSet func(field string, valueChanged bool)) {
	switch {
	case patch.Kind() == reflect.Struct:
		for i := range patch.NumField() {
			name, _, _ := strings.Cut(patch.Type().Field(i).Tag.Get("json"), ",")
			overlayFields(target.Field(i), patch.Field(i), strings.TrimPrefix(path+"."+name, "."), onSet)
		}
	case patch.IsZero():
	case patch.Kind() == reflect.Map:
		if target.IsNil() {
			target.Set(reflect.MakeMap(target.Type()))
		}
		for _, key := range patch.MapKeys() {
			before := target.MapIndex(key)
			onSet(path+"["+key.String()+"]", !before.IsValid() || !before.Equal(patch.MapIndex(key)))
			target.SetMapIndex(key, patch.MapIndex(key))
		}
	default:
		onSet(path, !sameValue(target.Interface(), patch.Interface()))
		target.Set(patch)
	}
}

// sameValue reports whether two settings are equal. It ignores the order in a list of identifiers.
func sameValue(a, b any) bool { return settingsEquality.DeepEqual(a, b) }

var settingsEquality = conversion.EqualitiesOrDie(func(a, b []v1alpha1.Identifier) bool { return maps.Equal(setOf(a), setOf(b)) })

// overrideRemarks returns notes for people about a discovery's spec.overrides. There are notes
// about
//
//   - overrides that select no environment,
//   - fields that two overrides set to different values,
//   - sources that keep their settings until the name of their environment is known,
//   - sources that keep the settings for the old name of a renamed environment,
//   - sources that the API server refuses.
//
// displayNames is the result of the function environmentNames.
func overrideRemarks(f Facts, displayNames map[string]string, writes []Write) []string {
	all, kept := f.Owner.loadOverrides(), keptSources(f, displayNames)
	unused := make(map[int]bool, len(all.all))
	for i := range all.all {
		unused[i] = true
	}
	seen, contradictions := map[*overriddenSettings]bool{}, map[string]bool{}
	for _, o := range f.Desired {
		of := all.settingsFor(source(o).Spec.Environment, displayNames[source(o).Spec.Environment])
		if seen[of] {
			continue
		}
		seen[of] = true
		for _, i := range of.appliedIndexes {
			delete(unused, i)
		}
		for _, c := range of.contradictionTexts {
			contradictions[c] = true
		}
	}
	var remarks []string
	if len(unused) > 0 {
		fields := make([]string, 0, len(unused))
		for _, i := range slices.Sorted(maps.Keys(unused)) {
			fields = append(fields, fmt.Sprintf("spec.overrides[%d]", i))
		}
		remarks = append(remarks, "no environment is selected by "+Names(fields))
	}
	if len(contradictions) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(contradictions)))
		remarks = append(remarks, first+", the later one counts")
		if more := len(contradictions) - 1; more > 0 {
			remarks[len(remarks)-1] += fmt.Sprintf("; so do %d more", more)
		}
	}
	if unnamed := unnamedSources(f, displayNames); len(unnamed) > 0 {
		remarks = append(remarks, "settings that stay as they are, because the environment has no name yet, and spec.overrides select by name: "+Names(unnamed))
	}
	if len(kept) > 0 {
		remarks = append(remarks, fmt.Sprintf("renamed, but kept with the overrides of the former name, because those of the new one change what is "+
			"mirrored, pruned or in ConfigMaps: %s; select them by ids in spec.overrides", Names(kept)))
	}
	var refused []string
	for _, w := range writes {
		if invalidReason(w) != "" {
			refused = append(refused, w.Desired.GetName())
		}
	}
	if len(refused) > 0 {
		slices.Sort(refused)
		remarks = append(remarks, "the API server refuses sources as spec.overrides make them: "+Names(refused))
	}
	return remarks
}

// keptSources returns the sorted names of the sources that keep the settings for the old name of a
// renamed environment. displayNames is the result of the function environmentNames.
func keptSources(f Facts, displayNames map[string]string) []string {
	var kept []string
	for _, has := range f.Existing {
		listed := f.Desired[has.GetName()]
		if listed != nil && !isUnmanaged(has) && source(listed).Spec.Environment == source(has).Spec.Environment &&
			displayNames[source(has).Spec.Environment] != displayName(listed) {
			kept = append(kept, has.GetName())
		}
	}
	slices.Sort(kept)
	return kept
}

// unnamedSources returns the sorted names of the listed sources that keep their settings, because
// displayNames lacks the environment. displayNames is the result of the function environmentNames.
func unnamedSources(f Facts, displayNames map[string]string) []string {
	var unnamed []string
	for _, has := range f.Existing {
		if _, known := displayNames[f.Kind.id(has)]; !known && f.Desired[has.GetName()] != nil && !isUnmanaged(has) {
			unnamed = append(unnamed, has.GetName())
		}
	}
	slices.Sort(unnamed)
	return unnamed
}

// maxTemplated is the largest number of labels, and the largest number of annotations, in a
// template.
const maxTemplated = 32

// invalidReason returns why the API server would refuse the source that a write sends. It returns ""
// if the source is valid. A source can be invalid although the discovery's template and each
// override are valid.
func invalidReason(w Write) string {
	s := source(w.Desired)
	labels, annotations := len(s.Spec.Template.Labels), len(s.Spec.Template.Annotations)
	switch stale, interval := s.Spec.StaleAfter, s.GetInterval(); {
	case w.wantedObject == nil:
	case stale != nil && stale.Duration < 2*interval:
		return fmt.Sprintf("staleAfter (%s) is less than twice interval (%s)", stale.Duration, interval)
	case labels > maxTemplated || annotations > maxTemplated:
		return fmt.Sprintf("template has %d labels and %d annotations, more than %d", labels, annotations, maxTemplated)
	}
	return ""
}
