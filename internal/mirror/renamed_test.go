// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// override of the environments with names like these.
func overrideOf(spec v1alpha1.MirrorSettings, names ...string) v1alpha1.SourceOverride {
	o := v1alpha1.SourceOverride{Spec: v1alpha1.SourceOverrideSpec{MirrorSettings: spec}}
	o.Selector.DisplayNames = identifiers(names...)
	return o
}

// losses are discoveries whose overrides delete something of an environment that is renamed from
// payments-b to Payments-b.
var losses = map[string]func(d *v1alpha1.EnvironmentDiscovery){
	"out of an override that mirrors a kind": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"out of an override that mirrors networks": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Networks: v1alpha1.NetworkSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"out of an override that mirrors Schema Registry": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			SchemaRegistry: v1alpha1.SchemaRegistrySelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
	"into an override that ignores a kind": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			Peerings: v1alpha1.PeeringSelection{Policy: v1alpha1.MirrorPolicyIgnore}}, "Pay*")}
	},
	"out of an override that keeps ConfigMaps": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{ConfigMaps: v1alpha1.ConfigMapPolicyEnabled}}, "payments-*")}
	},
	"out of the selector too": func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Selector.DisplayNames = identifiers("payments-*")
		d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		d.Spec.Overrides = []v1alpha1.SourceOverride{overrideOf(v1alpha1.MirrorSettings{
			KafkaClusters: v1alpha1.KafkaClusterSelection{Policy: v1alpha1.MirrorPolicyMirror}}, "payments-*")}
	},
}

// losing returns a discovery with such overrides, and the defaults of the API.
func losing(t *testing.T, configure func(d *v1alpha1.EnvironmentDiscovery)) *org {
	o := newOrg(t)
	settings := &o.discovery.Spec.Template.Spec.MirrorSettings
	settings.KafkaClusters.Policy, settings.KafkaClusters.ConfigMaps = v1alpha1.MirrorPolicyMirror, v1alpha1.ConfigMapPolicyDisabled
	settings.Peerings.Policy, settings.Networks.Policy = v1alpha1.MirrorPolicyMirror, v1alpha1.MirrorPolicyIgnore
	configure(o.discovery)
	return o
}

// decide sets the overrides that a person who knows of the rename adds or removes.
func decide(o *org, overrides ...v1alpha1.SourceOverride) {
	o.discovery = o.discovery.DeepCopy()
	o.discovery.Spec.Overrides = overrides
}

func TestEachKindOfObservationsIsAskedWhetherARenameLosesIt(t *testing.T) {
	t.Parallel()
	NewWithT(t).Expect(kindsOfSources).To(ConsistOf(worldKinds))
}

func TestARenameDeletesNothingByAnOverride(t *testing.T) {
	t.Parallel()
	before := []environment{{"env-a", "payments-a"}, {"env-b", "payments-b"}}
	after := []environment{{"env-a", "payments-a"}, {"env-b", "Payments-b"}}
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.look(before...)
			spec := o.sources["env-b"].Spec
			for _, follows := range []func() *Plan{
				func() *Plan { return o.look(after...) },
				o.pass,
				func() *Plan { o.restart(); return o.pass() },
				func() *Plan { return o.look(after...) },
			} {
				plan := follows()
				o.Expect(plan.Writes).To(BeEmpty())
				o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
			}
			o.Expect(o.pass().Remarks).To(ContainElement("renamed, but kept with the overrides of the former name, because those of the new one " +
				"would delete observations or ConfigMaps: env-b; select them by ids in spec.overrides"))
			if strings.HasPrefix(name, "out of an override") {
				o.Expect(o.pass().Remarks).To(HaveLen(1), "the override selects one")
			}
			drifted := o.reread("env-b")
			drifted.Labels = nil
			o.Expect(o.plan().View.Drifted(drifted)).To(BeTrue())
			o.Expect(o.pass().Writes).To(HaveLen(1))
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec), "a repair says the same")

			selected := v1alpha1.SourceOverride{Spec: v1alpha1.SourceOverrideSpec{MirrorSettings: spec.MirrorSettings}}
			selected.Selector.IDs = identifiers("env-b")
			decide(o, append(o.discovery.Spec.Overrides, selected)...)
			o.Expect(o.pass().Remarks).NotTo(ContainElement(ContainSubstring("renamed")))
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"), "a person decided by ID")
		})
	}
}

func TestAPersonsOverridesCountAtOnceAfterARename(t *testing.T) {
	t.Parallel()
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.look(environment{"env-b", "payments-b"})
			o.look(environment{"env-b", "Payments-b"})
			decide(o)
			o.Expect(o.pass().Writes).To(HaveLen(1))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
		})
	}
}

func TestAnAnnotationThatAStrangerWroteIsNoFormerName(t *testing.T) {
	t.Parallel()
	for name, configure := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := losing(t, configure)
			o.discovery.Spec.Selector.DisplayNames = nil
			o.look(environment{"env-b", "Payments-b"})
			spec := o.sources["env-b"].Spec
			o.annotate("env-b", v1alpha1.AnnotationEnvironmentName, "payments-b")
			o.Expect(o.pass().Writes).To(HaveLen(1))
			o.Expect(displayName(o.sources["env-b"])).To(Equal("Payments-b"))
			o.Expect(o.sources["env-b"].Spec).To(Equal(spec))
		})
	}
}

func TestAPreviewSaysWhyARenamedEnvironmentIsOutOfScope(t *testing.T) {
	t.Parallel()
	o := newOrg(t)
	o.discovery.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
	o.discovery.Spec.Selector.DisplayNames = identifiers("payments-*")
	o.look(environment{"env-b", "payments-b"})
	o.hear(true, environment{"env-b", "Payments-b"})
	o.Expect(o.plan().Preview().Delete).To(ConsistOf(HaveField("Why", HavePrefix("not selected by spec.selector; held as ScopeChanged"))))
}
