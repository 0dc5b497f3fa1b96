// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// why returns the reasons of a preview's entries by name.
func why(entries []v1alpha1.PreviewedSource) map[string]string {
	all := map[string]string{}
	for _, e := range entries {
		all[e.Name] = e.Why
	}
	return all
}

func TestAPreviewHasTheChangesOfSourcesThatAreMissing(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(3)...)
	o.list(true, environmentIDs(2)...)
	o.discovery.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
	for _, policy := range []v1alpha1.PrunePolicy{v1alpha1.PrunePolicyDelete, v1alpha1.PrunePolicyRetain} {
		o.discovery.Spec.Prune.Policy = policy
		changes := why(o.plan().Preview().Change)
		o.Expect(changes).To(HaveLen(3))
		for _, change := range changes {
			o.Expect(change).To(HavePrefix("spec.kafkaClusters.policy: unset to Ignore"))
		}
	}
}

func TestAPreviewIsUnknownBeforeTheFirstListing(t *testing.T) {
	t.Parallel()
	o := discovered(t, environmentIDs(3)...)
	o.Expect(o.plan().Preview()).NotTo(BeNil())
	o.restart()
	o.Expect(o.plan().Preview()).To(BeNil())
}

func TestAPreviewSaysWhoHasANameAndWhatAHandOverChanges(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	controller := func(kind, name string) func(*v1alpha1.InventorySource) {
		yes := true
		return func(s *v1alpha1.InventorySource) {
			s.OwnerReferences = []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: name, UID: "uid-of-" + s.UID, Controller: &yes}}
		}
	}
	for id, c := range map[string]struct {
		change func(*v1alpha1.InventorySource)
		says   string
	}{
		"env-1": {func(*v1alpha1.InventorySource) {}, "a source without a controller has it; handed over, it changes spec.suspend: true to unset, metadata."},
		"env-2": {controller(DiscoveryKind, "first"), "a source that EnvironmentDiscovery/first controls has it; handed over, it changes spec.suspend: true to unset, metadata."},
		"env-3": {controller(DiscoveryKind, "org"), "the garbage collector deletes the source of the deleted discovery that had this one's name"},
		"env-6": {func(s *v1alpha1.InventorySource) { s.Annotations = pairs{v1alpha1.AnnotationUnmanaged: "true"} },
			"a source without a controller has it; handed over, it stays as it is, because it is unmanaged"},
		"env-4": {controller("ConfigMap", "x"), "a source that ConfigMap/x controls has it"},
		"env-5": {func(s *v1alpha1.InventorySource) { s.Spec.Environment = "env-other" }, "a source of env-other has it"},
	} {
		s := NewSource(o.discovery, id, "")
		s.Labels, s.OwnerReferences, s.UID, s.Spec.Suspend = nil, nil, "uid-of-a-source", true
		c.change(s)
		o.sources = map[string]*v1alpha1.InventorySource{id: s}
		o.hear(true, environment{id, ""})
		plan := o.plan()
		says := "not until its name is free: " + c.says
		if strings.HasSuffix(says, ".") {
			o.Expect(why(plan.Preview().Create)[id]).To(HavePrefix(says))
		} else {
			o.Expect(why(plan.Preview().Create)[id]).To(Equal(says))
		}
		o.Expect(plan.Conflicts[0].Movable()).To(Equal(strings.Contains(says, "handed over")))
	}
}

func TestAReleasedSourceKeepsTheLabelOfTheNextDiscovery(t *testing.T) {
	t.Parallel()
	for label, stays := range map[string]string{"": "org", "org": "org", "next": "next"} {
		o := discovered(t, "env-1")
		s := o.sources["env-1"]
		s.Labels[v1alpha1.LabelDiscovery] = label
		o.annotate("env-1", v1alpha1.AnnotationUnmanaged, "true")
		o.list(true, "env-1")
		o.Expect(o.sources["env-1"].OwnerReferences).To(BeEmpty())
		o.Expect(o.sources["env-1"].Labels).To(HaveKeyWithValue(v1alpha1.LabelDiscovery, stays))
	}
}

func TestTheRefusalOfASourceIsForeseen(t *testing.T) {
	t.Parallel()
	for stale, refused := range map[time.Duration]bool{9 * time.Minute: true, 10 * time.Minute: false} {
		o := discovered(t, "env-1")
		o.discovery.Spec.Overrides = []v1alpha1.SourceOverride{{Spec: v1alpha1.SourceOverrideSpec{
			MirrorSettings: v1alpha1.MirrorSettings{StaleAfter: &metav1.Duration{Duration: stale}}}}}
		plan := o.plan()
		o.Expect(strings.HasPrefix(why(plan.Preview().Change)["env-1"], "the API server refuses it: staleAfter (")).To(Equal(refused))
		o.Expect(strings.Contains(strings.Join(plan.Remarks, "; "), "the API server refuses sources as spec.overrides make them: env-1")).To(Equal(refused))
		o.annotate("env-1", v1alpha1.AnnotationUnmanaged, "true")
		o.Expect(o.plan().Remarks).To(BeEmpty(), "its spec stays")
	}
}
