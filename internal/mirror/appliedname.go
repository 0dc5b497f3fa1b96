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
// if the environment has no name, or if the discovery has not decided the settings yet.
//
// The names describe the sources as they are, not as a plan wants them. So a name changes only
// when the API server stores a write, or when a plan finds that the source needs no change. If a
// source was deleted, and is not yet created again, the map keeps the display name.
//
// The map is not safe for concurrent use.
type AppliedNames map[string]string

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
			names[entry.Environment] = entry.DisplayName
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
		n[id] = v.displayNames[id]
	}
}

// keptNames returns the display names of the previous plan that still are facts. In these cases, a
// display name is no longer a fact:
//
//   - The source is gone, and the discovery does not create it again.
//   - Another object in the cluster has the source's name. Then someone else has decided the
//     settings.
func (p *planner) keptNames() AppliedNames {
	if p.Kind.environmentNames == nil {
		return nil
	}
	kept := make(AppliedNames, len(p.Facts.AppliedNames))
	maps.Copy(kept, p.Facts.AppliedNames)
	exists := make(map[string]bool, len(p.Existing))
	for _, o := range p.Existing {
		exists[o.GetName()] = true
	}
	maps.DeleteFunc(kept, func(id, _ string) bool {
		name := ObjectName(id)
		seen := p.Ledger.sightOf(name)
		return p.Occupants[name] != nil || !exists[name] && (seen == sightMissing || seen == sightOutside)
	})
	return kept
}

// nameFor returns the display name by which a source has its settings. It returns "" if there is
// no display name, or if the name is not known. o is a source with the same environment. inCluster
// is the source in the cluster; nil if there is none.
func (n AppliedNames) nameFor(o, inCluster Object, owner Owner) string {
	name, known := n[source(o).Spec.Environment]
	return trustedName(name, known, o, inCluster, owner)
}

// trustedName does the same as AppliedNames.nameFor. The parameters name and known are the entry
// of the map. A person who may edit the source can forge its annotation. So trustedName uses the
// annotation only in these cases, where a forged annotation decides nothing:
//
//   - The status has cut the name, and the annotation has the rest of the name.
//   - There is no entry, and the discovery controls the source. The manager may have ended before
//     it wrote the status, or the status has no room for the entry.
func trustedName(name string, known bool, o, inCluster Object, owner Owner) string {
	if inCluster == nil || source(inCluster).Spec.Environment != source(o).Spec.Environment {
		return name
	}
	annotated := displayName(inCluster)
	switch {
	case known && shownName(annotated) == name, !known && metav1.IsControlledBy(inCluster, owner.Object):
		return annotated
	}
	return name
}
