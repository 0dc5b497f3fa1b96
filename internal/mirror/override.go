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

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// overrides are the template and spec.overrides of a discovery, in a form that is fast for many
// environments. overrides keep each result, because a plan needs it several times. They are safe for
// concurrent use.
type overrides struct {
	template v1alpha1.MirrorSettings
	all      []override

	mu sync.Mutex
	// environments has the results by the environment's ID and name. bySet has the same results by
	// the set of overrides that select the environment. Many environments can have the same set.
	environments map[[2]string]*overridden
	bySet        map[string]*overridden
}

// override is one entry of spec.overrides.
type override struct {
	takes selector
	spec  v1alpha1.MirrorSettings
}

// overridden is a template that a set of overrides has changed.
type overridden struct {
	// applying has the indexes of these overrides. settings are the changed settings.
	applying []int
	settings v1alpha1.MirrorSettings
	// contradictions has a sentence for each two overrides that set a field to different values.
	contradictions []string
}

func newOverrides(d *v1alpha1.EnvironmentDiscovery) *overrides {
	o := &overrides{
		template: *d.Spec.Template.Spec.MirrorSettings.DeepCopy(), all: make([]override, len(d.Spec.Overrides)),
		environments: map[[2]string]*overridden{}, bySet: map[string]*overridden{},
	}
	for i := range d.Spec.Overrides {
		of := &d.Spec.Overrides[i]
		o.all[i] = override{newSelector(of.Selector), *of.Spec.MirrorSettings.DeepCopy()}
	}
	return o
}

// of returns the template as the overrides change it for an environment. The caller must not change
// the result.
func (o *overrides) of(id, displayName string) *overridden {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{id, displayName}
	if known := o.environments[key]; known != nil {
		return known
	}
	var applying []int
	for i, override := range o.all {
		if override.takes.environment(id, displayName) {
			applying = append(applying, i)
		}
	}
	set := fmt.Sprint(applying)
	if o.bySet[set] == nil {
		o.bySet[set] = o.overlaid(applying)
	}
	o.environments[key] = o.bySet[set]
	return o.bySet[set]
}

// overlaid returns the template changed by these overrides, in this order.
func (o *overrides) overlaid(applying []int) *overridden {
	result := &overridden{applying: applying, settings: *o.template.DeepCopy()}
	setters := map[string]int{}
	for _, i := range applying {
		overlay(reflect.ValueOf(&result.settings).Elem(), reflect.ValueOf(o.all[i].spec), "", func(field string, differs bool) {
			if earlier, set := setters[field]; set && differs {
				result.contradictions = append(result.contradictions,
					fmt.Sprintf("spec.overrides[%d] and [%d] set %s differently", earlier, i, field))
			}
			setters[field] = i
		})
	}
	return result
}

// loses reports whether a source that has these settings, and would keep them by the known name of its
// environment, loses something by its new name: a kind that is mirrored, or ConfigMaps. The objects
// would be deleted at once.
func loses(has, known, renamed *v1alpha1.InventorySource) bool {
	lost := func(wants func(*v1alpha1.InventorySource) bool) bool {
		return wants(has) && wants(known) && !wants(renamed)
	}
	return lost(wantsConfigMaps) || slices.ContainsFunc(kindsOfSources, func(k *Kind) bool {
		return lost(func(s *v1alpha1.InventorySource) bool { return k.Mirrored(s) })
	})
}

func wantsConfigMaps(s *v1alpha1.InventorySource) bool {
	return s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled
}

// nameOf returns the name of an environment by which the overrides select it. This is the name that
// was listed, unless a rename would delete something: if the name that the environment's source has
// mirrors what the listed name does not, nameOf returns the name that the source has. base is the
// source as listed. existing is the source in the cluster, or nil.
func (o *overrides) nameOf(base, existing Object) string {
	listed := displayName(base)
	if existing == nil || displayName(existing) == "" || displayName(existing) == listed {
		return listed
	}
	named := func(name string) *v1alpha1.InventorySource {
		return &v1alpha1.InventorySource{Spec: v1alpha1.InventorySourceSpec{MirrorSettings: o.of(source(base).Spec.Environment, name).settings}}
	}
	if loses(source(existing), named(displayName(existing)), named(listed)) {
		return displayName(existing)
	}
	return listed
}

// overlay copies the fields that are set in patch to target, as a JSON merge patch does. Members of
// structs and maps are copied one by one. Everything else is replaced. An empty list that is not
// nil counts as set. overlay calls onSet for each copied field, with the field's path and whether
// its value changed.
func overlay(target, patch reflect.Value, path string, onSet func(field string, differs bool)) {
	switch {
	case patch.Kind() == reflect.Struct:
		for i := range patch.NumField() {
			name, _, _ := strings.Cut(patch.Type().Field(i).Tag.Get("json"), ",")
			overlay(target.Field(i), patch.Field(i), strings.TrimPrefix(path+"."+name, "."), onSet)
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

// sameValue reports whether two values of a setting are equal. The order of a list does not count.
func sameValue(a, b any) bool {
	if list, is := a.([]v1alpha1.Identifier); is {
		return maps.Equal(setOf(list), setOf(b.([]v1alpha1.Identifier)))
	}
	return reflect.DeepEqual(a, b)
}

// overrideRemarks returns notes about a discovery's overrides. One note names the overrides that
// select no environment of the discovery. Another note names two overrides that set a field to
// different values. Others name the sources that keep the former name of their environment, and the
// sources that the API server refuses.
func overrideRemarks(f Facts, writes []Write) []string {
	all := f.Owner.overrides()
	kept := all.kept(f.Desired, f.Existing)
	unused := make(map[int]bool, len(all.all))
	for i := range all.all {
		unused[i] = true
	}
	seen, contradictions := map[*overridden]bool{}, map[string]bool{}
	for name, o := range f.Desired {
		of := all.of(source(o).Spec.Environment, cmp.Or(kept[name], displayName(o)))
		if seen[of] {
			continue
		}
		seen[of] = true
		for _, i := range of.applying {
			delete(unused, i)
		}
		for _, c := range of.contradictions {
			contradictions[c] = true
		}
	}
	var remarks []string
	if len(unused) > 0 {
		names := make([]string, 0, len(unused))
		for _, i := range slices.Sorted(maps.Keys(unused)) {
			names = append(names, fmt.Sprintf("spec.overrides[%d]", i))
		}
		remarks = append(remarks, "no environment is selected by "+Names(names))
	}
	if len(contradictions) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(contradictions)))
		remarks = append(remarks, first+", the later one counts")
		if more := len(contradictions) - 1; more > 0 {
			remarks[len(remarks)-1] += fmt.Sprintf("; so do %d more", more)
		}
	}
	if len(kept) > 0 {
		remarks = append(remarks, fmt.Sprintf("renamed, but kept with the overrides of the former name, because those of the new one would delete "+
			"observations or ConfigMaps: %s; select them by ids in spec.overrides", Names(slices.Sorted(maps.Keys(kept)))))
	}
	var refused []string
	for _, w := range writes {
		if invalid(w) != "" {
			refused = append(refused, w.Desired.GetName())
		}
	}
	if len(refused) > 0 {
		slices.Sort(refused)
		remarks = append(remarks, "the API server refuses sources as spec.overrides make them: "+Names(refused))
	}
	return remarks
}

// kept returns the names that environments keep although they were renamed, see nameOf. The map key
// is the source's name.
func (o *overrides) kept(desired Desired, existing []Object) map[string]string {
	kept := map[string]string{}
	for _, has := range existing {
		listed := desired[has.GetName()]
		if listed == nil || unmanaged(has) || source(listed).Spec.Environment != source(has).Spec.Environment {
			continue
		}
		if name := o.nameOf(listed, has); name != displayName(listed) {
			kept[has.GetName()] = name
		}
	}
	return kept
}

// maxTemplated is the most labels, and the most annotations, of a template.
const maxTemplated = 32

// invalid says why the API server refuses a source as overrides make it; "" if it takes the source.
// The template and each override by itself are valid, so only what they make together can be wrong.
// A source that is released keeps its spec.
func invalid(w Write) string {
	s := source(w.Desired)
	labels, annotations := len(s.Spec.Template.Labels), len(s.Spec.Template.Annotations)
	switch stale, interval := s.Spec.StaleAfter, s.GetInterval(); {
	case w.wanted == nil:
	case stale != nil && stale.Duration < 2*interval:
		return fmt.Sprintf("staleAfter (%s) is less than twice interval (%s)", stale.Duration, interval)
	case labels > maxTemplated || annotations > maxTemplated:
		return fmt.Sprintf("template has %d labels and %d annotations, more than %d", labels, annotations, maxTemplated)
	}
	return ""
}
