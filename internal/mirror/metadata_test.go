// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

type pairs = map[string]string

// withTemplate returns a source with a template.
func withTemplate(labels, annotations pairs) *v1alpha1.InventorySource {
	s := newSource()
	s.Labels = pairs{"app.kubernetes.io/instance": "gitops"}
	s.Annotations = pairs{"argocd.argoproj.io/tracking-id": "x"}
	s.Spec.Template.Annotations = annotations
	s.Spec.Template.Labels = map[string]v1alpha1.LabelValue{}
	for key, value := range labels {
		s.Spec.Template.Labels[key] = v1alpha1.LabelValue(value)
	}
	return s
}

func TestStampGivesOriginNameOwnerAndLabels(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := stamped(newSource(), newCluster("LKC-1", "n-1"))
	g.Expect(*o.Origin()).To(Equal(v1alpha1.ObservationOrigin{
		SourceRef: v1alpha1.LocalReference{Name: "prod"}, Environment: "env-1"}))
	g.Expect(o.GetName()).To(Equal(ObjectName("LKC-1")))
	g.Expect(o.GetNamespace()).To(Equal("platform"))
	g.Expect(o.GetOwnerReferences()).To(Equal([]metav1.OwnerReference{{
		APIVersion: "inventory.ccloud.dev/v1alpha1", Kind: "InventorySource", Name: "prod", UID: "uid-of-prod",
		Controller: ptr(true), BlockOwnerDeletion: ptr(true),
	}}))
	g.Expect(o.GetLabels()).To(Equal(pairs{
		"inventory.ccloud.dev/source": "prod", "inventory.ccloud.dev/environment": "env-1", "inventory.ccloud.dev/network": "n-1",
	}))
	g.Expect(o.GetAnnotations()).To(BeEmpty())

	bare := &v1alpha1.KafkaClusterObservation{}
	KafkaCluster.Stamp(bare, newSource())
	g.Expect(bare.Labels).To(HaveLen(2), "a kind without labels of its own has the operator's")
}

func TestStampCopiesTheTemplateAndNothingElseOfTheSource(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	source := withTemplate(pairs{"team": "a", "b/c": "d"}, pairs{"note": "x, y"})
	o := stamped(source, newCluster("lkc-1"))
	g.Expect(o.GetLabels()).To(Equal(pairs{
		"team": "a", "b/c": "d", "inventory.ccloud.dev/source": "prod", "inventory.ccloud.dev/environment": "env-1"}))
	g.Expect(o.GetAnnotations()).To(Equal(pairs{"note": "x, y", "inventory.ccloud.dev/template-keys": "b/c,team;note"}))

	stamped(source, newCluster("lkc-2")).GetAnnotations()["note"] = "changed"
	g.Expect(source.Spec.Template.Annotations).To(Equal(pairs{"note": "x, y"}), "observations share no map with the source")
}

func TestMetadataIsPutBackAndStrangersKeepTheirs(t *testing.T) {
	t.Parallel()
	full := withTemplate(pairs{"team": "a", "tier": "gold"}, pairs{"note": "x"})
	stranger := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "s", UID: "uid-of-s"}
	for name, c := range map[string]struct {
		edit   func(v1alpha1.Observation)
		source *v1alpha1.InventorySource // at the next sync
		same   bool
		// Beside the operator's own, after the repair:
		labels, annotations pairs
		owners              int
	}{
		"nothing changed": {edit: func(v1alpha1.Observation) {}, source: full, same: true,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
		"strangers' labels, annotations, finalizers and owners stay": {edit: func(o v1alpha1.Observation) {
			o.GetLabels()["theirs"], o.GetAnnotations()["theirs"] = "1", "2"
			o.SetFinalizers([]string{"theirs/finalizer"})
			o.SetOwnerReferences(append(o.GetOwnerReferences(), stranger))
		}, source: full, same: true,
			labels: pairs{"team": "a", "tier": "gold", "theirs": "1"}, annotations: pairs{"note": "x", "theirs": "2"}, owners: 2},
		"a label of ours is put back": {edit: func(o v1alpha1.Observation) {
			o.GetLabels()["theirs"], o.GetLabels()[v1alpha1.LabelSource] = "1", "other"
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold", "theirs": "1"}, annotations: pairs{"note": "x"}, owners: 1},
		"all labels and annotations are put back": {edit: func(o v1alpha1.Observation) {
			o.SetLabels(nil)
			o.SetAnnotations(nil)
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
		"a label under our prefix that is not ours goes": {edit: func(o v1alpha1.Observation) {
			o.GetLabels()[v1alpha1.LabelType] = "Invented"
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
		"a key taken out of the template goes": {edit: func(o v1alpha1.Observation) {
			o.GetLabels()["theirs"], o.GetAnnotations()["theirs"] = "1", "2"
		}, source: withTemplate(pairs{"tier": "gold"}, nil),
			labels: pairs{"tier": "gold", "theirs": "1"}, annotations: pairs{"theirs": "2"}, owners: 1},
		"an emptied template leaves no trace": {edit: func(v1alpha1.Observation) {}, source: newSource(),
			labels: pairs{}, annotations: pairs{}, owners: 1},
		"a changed value is written": {edit: func(v1alpha1.Observation) {},
			source: withTemplate(pairs{"team": "b", "tier": "gold"}, pairs{"note": "x"}),
			labels: pairs{"team": "b", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
		"a key new in the template is written": {edit: func(v1alpha1.Observation) {},
			source: withTemplate(pairs{"team": "a", "tier": "gold", "new": "1"}, pairs{"note": "x", "new": "2"}),
			labels: pairs{"team": "a", "tier": "gold", "new": "1"}, annotations: pairs{"note": "x", "new": "2"}, owners: 1},
		"a lost ownerReference is put back beside the others": {edit: func(o v1alpha1.Observation) {
			o.SetOwnerReferences([]metav1.OwnerReference{stranger})
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 2},
		"an ownerReference that no longer controls is put right": {edit: func(o v1alpha1.Observation) {
			o.GetOwnerReferences()[0].Controller = nil
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
		"an ownerReference under another name is put right": {edit: func(o v1alpha1.Observation) {
			o.GetOwnerReferences()[0].Name = "other"
		}, source: full,
			labels: pairs{"team": "a", "tier": "gold"}, annotations: pairs{"note": "x"}, owners: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			existing := observation(stored(stamped(full, newCluster("lkc-1"))))
			c.edit(existing)
			desired := stamped(c.source, newCluster("lkc-1"))
			g.Expect(sameMetadata(existing, desired)).To(Equal(c.same))

			restoreMetadata(existing, desired)
			g.Expect(sameMetadata(stored(existing), desired)).To(BeTrue(), "a second repair writes nothing")
			want := maps.Clone(c.labels)
			want[v1alpha1.LabelSource], want[v1alpha1.LabelEnvironment] = "prod", "env-1"
			g.Expect(existing.GetLabels()).To(Equal(want))
			annotations := maps.Clone(existing.GetAnnotations())
			delete(annotations, v1alpha1.AnnotationTemplateKeys)
			g.Expect(annotations).To(Equal(c.annotations))
			g.Expect(existing.GetAnnotations()[v1alpha1.AnnotationTemplateKeys]).To(Equal(templateKeys(c.source.Spec.Template)))
			g.Expect(existing.GetOwnerReferences()).To(HaveLen(c.owners))
			g.Expect(metav1.GetControllerOf(existing)).To(HaveField("UID", c.source.UID))
		})
	}
}

func TestAnObservationIsOwned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*v1alpha1.KafkaClusterObservation)
		want bool
	}{
		"controlled by the source":               {func(*v1alpha1.KafkaClusterObservation) {}, true},
		"with its ownerReference lost":           {func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences = nil }, true},
		"with a reference that does not control": {func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences[0].Controller = nil }, true},
		"not: controlled by a stranger":          {func(o *v1alpha1.KafkaClusterObservation) { seize(o, "uid-of-s") }, false},
		"not: by a former source of the name":    {func(o *v1alpha1.KafkaClusterObservation) { o.OwnerReferences[0].UID = "former" }, false},
		"not: naming another source":             {func(o *v1alpha1.KafkaClusterObservation) { o.Spec.SourceRef.Name = "other" }, false},
		"not: naming another environment":        {func(o *v1alpha1.KafkaClusterObservation) { o.Spec.Environment = "env-2" }, false},
		"not: under a name we would not give it": {func(o *v1alpha1.KafkaClusterObservation) { o.Name = "mine" }, false},
		"not: of another source without any owner": {func(o *v1alpha1.KafkaClusterObservation) {
			o.OwnerReferences, o.Spec.SourceRef.Name = nil, "other"
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := newSource()
			o := stamped(source, newCluster("lkc-1")).(*v1alpha1.KafkaClusterObservation)
			c.edit(o)
			NewWithT(t).Expect(Owned(o, source)).To(Equal(c.want))
		})
	}
}
