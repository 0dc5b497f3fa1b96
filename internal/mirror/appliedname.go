// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// AppliedNames has a display name for each environment: the name by which the environment's source
// has its settings. The key is the environment's ID. If an environment was renamed, and a person
// must first approve the settings for the new name, AppliedNames has the old name. The name is ""
// if the environment has no name.
//
// The names describe the sources as they are, not as a plan wants them. So a name changes only
// when the API server stores a write, or when a plan finds that the source needs no change. If a
// source was deleted, and is not yet created again, the map keeps the display name.
//
// The map is not safe for concurrent use.
type AppliedNames map[string]appliedName

// appliedName is the name of one environment.
type appliedName struct {
	name string
	// decided is false if the discovery has not given the source its settings yet: the source was
	// handed over, and its first write must wait or has failed.
	decided bool
}

// AppliedNamesOf reads the names from the status of a discovery. For an InventorySource, the result is
// nil.
func AppliedNamesOf(owner Object) AppliedNames {
	d, is := owner.(*v1alpha1.EnvironmentDiscovery)
	if !is {
		return nil
	}
	names := make(AppliedNames, len(d.Status.Sources))
	for i := range d.Status.Sources {
		if entry := &d.Status.Sources[i]; entry.DisplayName != "" || !entry.NeverListed {
			names[entry.Environment] = appliedName{entry.DisplayName, true}
		}
	}
	return names
}

// Add notes that the API server stored a write of a plan. v is the View of this plan.
func (n AppliedNames) Add(v *View, w Write) {
	if w.wantedObject != nil { // Otherwise, the write released the source, which keeps its settings.
		n.add(v, w.Desired)
	}
}

// add notes that a source is as the View v wants it.
func (n AppliedNames) add(v *View, o Object) {
	if v.displayNames != nil {
		id := v.kind.id(o)
		name, known := v.displayNames[id]
		n[id] = appliedName{name, known}
	}
}

// keptNames returns the display names of the previous plan that still are facts. In these cases, a
// display name is no longer a fact:
//
//   - The source is gone, and the discovery does not create it again.
//   - Another object in the cluster has the source's name. Then someone else has decided the
//     settings.
//
// A source that the discovery controls can lack an entry: the manager may have ended before it wrote
// the status, or the status has no room for the entry. Then keptNames reads the name from the
// source's annotation. A person who may edit the source can forge the annotation, so keptNames reads it
// only once.
func (p *planner) keptNames() AppliedNames {
	if p.Kind.environmentNames == nil {
		return nil
	}
	kept := make(AppliedNames, max(len(p.Facts.AppliedNames), len(p.Existing)))
	maps.Copy(kept, p.Facts.AppliedNames)
	exists := make(map[string]bool, len(p.Existing))
	for _, o := range p.Existing {
		exists[o.GetName()] = true
	}
	maps.DeleteFunc(kept, func(id string, _ appliedName) bool {
		name := ObjectName(id)
		seen := p.Ledger.sightOf(name)
		return p.Occupants[name] != nil || !exists[name] && (seen == sightMissing || seen == sightOutside)
	})
	for _, o := range p.Existing {
		if _, known := kept[p.Kind.id(o)]; known {
			continue
		}
		var applied appliedName
		if metav1.IsControlledBy(o, p.Owner.Object) {
			applied.name = displayName(o)
			applied.decided = applied.name != "" ||
				sameValue(source(o).Spec.MirrorSettings, p.Owner.loadOverrides().settingsFor(p.Kind.id(o), "").settings)
		}
		kept[p.Kind.id(o)] = applied
	}
	return kept
}

// nameFor returns the display name by which a source has its settings. It returns "" if there is
// no display name, or if the name is not known. o is a source with the same environment. inCluster
// is the source in the cluster; nil if there is none.
func (n AppliedNames) nameFor(o, inCluster Object) string {
	return wholeName(n[source(o).Spec.Environment].name, o, inCluster)
}

// wholeName returns a display name from the status. If the status has cut the name, and the source's
// annotation has the rest of the name, the result is the whole name. o and inCluster are as for
// nameFor.
func wholeName(name string, o, inCluster Object) string {
	if inCluster != nil && source(inCluster).Spec.Environment == source(o).Spec.Environment && shownName(displayName(inCluster)) == name {
		return displayName(inCluster)
	}
	return name
}
