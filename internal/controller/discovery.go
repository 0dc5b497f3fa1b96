// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// discoveries describes the type EnvironmentDiscovery. A discovery lists the environments in the
// cloud, and creates an InventorySource for each environment that its spec selects.
var discoveries = ownerKind{
	name:             "environmentdiscovery",
	newObject:        func() client.Object { return &v1alpha1.EnvironmentDiscovery{} },
	newList:          func() client.ObjectList { return &v1alpha1.EnvironmentDiscoveryList{} },
	wrap:             func(o client.Object) owner { return discoveryOwner{o.(*v1alpha1.EnvironmentDiscovery)} },
	kinds:            []kind{environmentKind},
	configMapVerdict: func(*Options, owner, *state, *kind) *verdict { return nil },
	words: words{
		firstSync:      "the first listing of environments is under way",
		whileSuspended: "spec.suspend is true: environments are not listed; the sources there are go on",
		rateLimited:    "the listing that is due waits for the request budget of its API key: ",
		withheld:       "%d environments that only such listings told of get no source until one is complete",
		takenNames: takenMessages{
			freeObjects: "sources without a controller have the names of its own: %s; exclude their environments, or hand them over: " +
				"kubectl -n NAMESPACE label --overwrite inventorysource/NAME " + v1alpha1.LabelDiscovery + "=OWNER",
			rivalObjects: "sources of other discoveries have the names of its own: %s; exclude their environments, or hand them over: " +
				"kubectl -n NAMESPACE annotate --overwrite inventorysource/NAME " + v1alpha1.AnnotationUnmanaged + "=true, then " +
				"kubectl -n NAMESPACE label --overwrite inventorysource/NAME " + v1alpha1.LabelDiscovery + "=OWNER, and once the ownerReference is gone " +
				"kubectl -n NAMESPACE annotate inventorysource/NAME " + v1alpha1.AnnotationUnmanaged + "-",
			foreignObjects: "sources that cannot be handed over have the names of its own: %s; exclude the environments of these names, or delete the sources",
			formerObjects:  "waiting for the garbage collector to delete the sources of the deleted discovery that had this one's name: %s",
			otherIDs:       "sources of other environments have the names of listed ones: %s; delete them to let the listed ones take their place",
			nameClashes:    "environments without a source, since its name is another one's: %s",
			leavingObjects: "sources being deleted, and created again once they are gone: %s",
		},
		succeeded: foundEnvironments,
	},
}

// discoveryOwner implements the interface owner for an EnvironmentDiscovery.
type discoveryOwner struct{ *v1alpha1.EnvironmentDiscovery }

func (d discoveryOwner) object() client.Object { return d.EnvironmentDiscovery }
func (d discoveryOwner) mirrorOwner() mirror.Owner {
	return mirror.DiscoveryOwner(d.EnvironmentDiscovery)
}
func (d discoveryOwner) status() *v1alpha1.SyncStatus { return &d.Status.SyncStatus }
func (d discoveryOwner) wholeStatus() any             { return &d.Status }
func (d discoveryOwner) heldPrunes() []*v1alpha1.HeldPrune {
	return allHeldIn(d, []kind{environmentKind})
}
func (d discoveryOwner) settings() settings {
	return settings{d.GetEndpoint(), d.Spec.Credentials, d.GetInterval(), d.GetTimeout(), d.Spec.Suspend, d.Spec.Preview, d.Spec.Selector}
}

// setOwnStatus sets status.sources, status.sourceCount and status.preview of the discovery. If the
// reconcile did not read all sources, setOwnStatus changes nothing. If spec.preview is true, the
// old status.preview stays after a restart of the manager until the first complete listing.
func (d discoveryOwner) setOwnStatus(_ context.Context, o *Options, s *state, result writeResult) {
	if result.presentSources != nil {
		if p := s.kinds[0].preview; p != nil || !d.Spec.Preview {
			d.Status.Preview = p
		}
		d.Status.Sources, d.Status.SourceCount = s.kinds[0].inbox.lastView().Sources(result.presentSources, s.kinds[0].appliedNames, o.Clock.Now())
	}
}

// foundEnvironments returns the message about the last sync of a discovery. The message has these
// parts, but leaves out a part that has nothing to report:
//
//   - if spec.preview is true: the number of sources to create, to change and to delete
//   - the number of sources whose environment is listed and selected, even if the number is 0
//   - the number of sources whose environment is missing
//   - the sources whose environment is no longer selected by spec.selector
//   - the IDs in spec.selector.ids that are not listed
//   - the IDs in spec.selector.ids whose environment is excluded by spec.selector.exclude, or may
//     be excluded because its name is not known
//   - remarks about the spec
func foundEnvironments(o owner, s *state, i int) string {
	k := &s.kinds[i]
	message := ""
	if o.settings().preview {
		message = previewMessage(k.preview) + "; "
	}
	message += fmt.Sprintf("%d environments", observed(k.report.Summary))
	if summary := k.report.Summary; summary != nil && summary.Missing > 0 {
		message += fmt.Sprintf(", %d sources whose environment is missing", summary.Missing)
	}
	if out := k.report.Outside; len(out) > 0 {
		message += fmt.Sprintf(", %d sources whose environment spec.selector no longer takes: %s", len(out), mirror.Names(out))
	}
	var unseen, excluded []string
	for _, id := range o.object().(*v1alpha1.EnvironmentDiscovery).Spec.Selector.IDs {
		switch name := mirror.ObjectName(string(id)); {
		case !k.ledger.Listed(name):
			unseen = append(unseen, string(id))
		case k.ledger.Outside(name):
			excluded = append(excluded, string(id))
		}
	}
	if slices.Sort(unseen); len(unseen) > 0 {
		message += fmt.Sprintf("; not listed, of spec.selector.ids: %s", mirror.Names(unseen))
	}
	if slices.Sort(excluded); len(excluded) > 0 {
		message += fmt.Sprintf("; excluded, or without a known name, of spec.selector.ids: %s", mirror.Names(excluded))
	}
	return strings.Join(append([]string{message}, k.report.Remarks...), "; ")
}

// previewMessage returns the message about the preview p. Before the first complete listing after
// the manager's start, p is nil.
func previewMessage(p *v1alpha1.DiscoveryPreview) string {
	message := "spec.preview is true, and nothing is done"
	if p != nil {
		message += fmt.Sprintf(": %d sources to create, %d to change, %d to delete, see status.preview", p.CreateCount, p.ChangeCount, p.DeleteCount)
	}
	return message
}
