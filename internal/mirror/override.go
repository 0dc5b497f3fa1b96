// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// overrides are a discovery's template and its spec.overrides, prepared for many environments. What
// was computed for an environment is kept, because a plan asks several times. Its methods may be
// called by several goroutines.
type overrides struct {
	template v1alpha1.MirrorSettings
	all      []override

	mu sync.Mutex
	// environments has what was computed, by ID and name. bySet has the same by the set of
	// overrides that select the environment: often one set is that of many environments.
	environments map[[2]string]*overridden
	bySet        map[string]*overridden
}

// override is one of a discovery's spec.overrides.
type override struct {
	takes selector
	spec  v1alpha1.MirrorSettings
}

// overridden is what a set of overrides makes of the template.
type overridden struct {
	// applying has the indexes of the overrides.
	applying []int
	settings v1alpha1.MirrorSettings
	// contradictions says which two of the overrides set a field to different values.
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

// of returns what the overrides that select an environment make of the template. The caller must
// not change it.
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

// overlaid lays overrides over the template, in their order.
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

// overlay copies the fields that are set in from to to, as a JSON merge patch does: members of
// structs and maps are copied one by one, everything else is replaced. An empty list that is not
// nil counts as set. set is called with the path of each copied field, and whether its value
// changed.
func overlay(to, from reflect.Value, path string, set func(field string, differs bool)) {
	switch {
	case from.Kind() == reflect.Struct:
		for i := range from.NumField() {
			name, _, _ := strings.Cut(from.Type().Field(i).Tag.Get("json"), ",")
			overlay(to.Field(i), from.Field(i), strings.TrimPrefix(path+"."+name, "."), set)
		}
	case from.IsZero():
	case from.Kind() == reflect.Map:
		if to.IsNil() {
			to.Set(reflect.MakeMap(to.Type()))
		}
		for _, key := range from.MapKeys() {
			before := to.MapIndex(key)
			set(path+"["+key.String()+"]", !before.IsValid() || !before.Equal(from.MapIndex(key)))
			to.SetMapIndex(key, from.MapIndex(key))
		}
	default:
		set(path, !reflect.DeepEqual(to.Interface(), from.Interface()))
		to.Set(from)
	}
}

// overrideRemarks says which overrides of a discovery select no environment that it takes, and
// which two overrides set a field to different values.
func overrideRemarks(owner Owner, desired Desired) []string {
	all := owner.overrides()
	unused := make(map[int]bool, len(all.all))
	for i := range all.all {
		unused[i] = true
	}
	seen, contradictions := map[*overridden]bool{}, map[string]bool{}
	for _, o := range desired {
		of := all.of(source(o).Spec.Environment, displayName(o))
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
	return remarks
}
