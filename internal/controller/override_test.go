// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// overriding gives a discovery overrides, as JSON, so that an empty list is sent as one.
func overriding(overrides string) func(*v1alpha1.EnvironmentDiscovery) {
	return func(d *v1alpha1.EnvironmentDiscovery) {
		Expect(json.Unmarshal([]byte(overrides), &d.Spec.Overrides)).To(Succeed())
	}
}

// override replaces the overrides of the discovery org as a user does who applies YAML.
func (o *organization) override(ctx SpecContext, overrides string) {
	GinkgoHelper()
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"overrides": `+overrides+`}}`))
	Expect(k8s.Patch(ctx, o.read(ctx, "org"), patch)).To(Succeed())
}

var _ = Describe("Overrides of a discovery", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders")
	})
	override := func(ctx SpecContext, overrides string) {
		GinkgoHelper()
		o.override(ctx, overrides)
	}
	template := func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: 7 * time.Minute}
		d.Spec.Template.Spec.Peerings.Phases = []v1alpha1.Identifier{"READY"}
		d.Spec.Template.Spec.Template.Labels = map[string]v1alpha1.LabelValue{"team": "platform", "tier": "low"}
	}
	counts := func(ctx SpecContext) map[string]int32 {
		found := map[string]int32{}
		for _, s := range o.read(ctx, "org").Status.Sources {
			found[s.Environment] = s.Overrides
		}
		return found
	}

	It("are laid over its template, each for the environments that it selects", func(ctx SpecContext) {
		o.discovery(ctx, "org", template)
		o.pass(ctx, "org")
		override(ctx, `[
			{"selector": {"displayNames": ["payments-*"]}, "spec": {"interval": "1m", "prune": {"policy": "Retain"}, "template": {"labels": {"tier": "high"}}}},
			{"selector": {"ids": ["env-c"]}, "spec": {"peerings": {"policy": "Ignore", "phases": []}, "prune": {"policy": "Retain"}}}]`)
		written, _ := o.writes(func() { o.pass(ctx, "org") })
		Expect(written).To(Equal(3), "each source is written once")
		sources := o.sources(ctx)
		a, c := sources["env-a"].Spec, sources["env-c"].Spec
		Expect(a.Interval.Duration).To(Equal(time.Minute))
		Expect(a.Timeout.Duration).To(Equal(time.Minute), "the template's")
		Expect(a.Prune.Policy).To(Equal(v1alpha1.PrunePolicyRetain))
		Expect(a.Prune.MaxPercent).To(Equal(ptr.To[int32](20)), "an override has no defaults")
		Expect(a.Template.Labels).To(Equal(map[string]v1alpha1.LabelValue{"team": "platform", "tier": "high"}))
		Expect(a.Peerings.Phases).To(Equal([]v1alpha1.Identifier{"READY"}))
		Expect(sources["env-b"].Spec.Interval.Duration).To(Equal(time.Minute))
		Expect(c.Interval.Duration).To(Equal(7 * time.Minute))
		Expect(c.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
		Expect(c.Peerings.Phases).To(BeEmpty(), "an empty list clears the template's")
		Expect(c.Template.Labels).To(HaveKeyWithValue("tier", v1alpha1.LabelValue("low")))
		Expect(counts(ctx)).To(Equal(map[string]int32{"env-a": 1, "env-b": 1, "env-c": 1}))

		By("writing nothing while nothing changes, in this process and the next")
		written, _ = o.writes(func() {
			for range 3 {
				o.list(ctx, "org")
			}
			o.restart()
			o.pass(ctx, "org")
		})
		Expect(written).To(BeZero())

		By("putting back what someone changes, from the last listing")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Spec.Interval.Duration = time.Hour })
		Expect(o.calls(func() { o.pass(ctx, "org") })).To(BeZero())
		Expect(o.sources(ctx)["env-a"].Spec.Interval.Duration).To(Equal(time.Minute))

		By("following a rename")
		Expect(o.cloud.RenameEnvironment("env-c", "payments-new")).To(Succeed())
		written, _ = o.writes(func() { o.list(ctx, "org") })
		Expect(written).To(Equal(1))
		Expect(o.sources(ctx)["env-c"].Spec.Interval.Duration).To(Equal(time.Minute))
		Expect(counts(ctx)).To(Equal(map[string]int32{"env-a": 1, "env-b": 1, "env-c": 2}))

		By("going, when they are removed")
		override(ctx, `[]`)
		o.pass(ctx, "org")
		Expect(o.sources(ctx)["env-a"].Spec.Interval.Duration).To(Equal(7 * time.Minute))
		Expect(o.sources(ctx)["env-c"].Spec.Peerings.Phases).To(Equal([]v1alpha1.Identifier{"READY"}))
		Expect(counts(ctx)).To(Equal(map[string]int32{"env-a": 0, "env-b": 0, "env-c": 0}))
	})

	It("apply in their order, and the status names those that contradict each other and those that select nothing", func(ctx SpecContext) {
		o.discovery(ctx, "org", template, overriding(`[
			{"spec": {"interval": "1h", "timeout": "2m"}},
			{"selector": {"displayNames": ["payments-*"]}, "spec": {"interval": "1m", "timeout": "2m"}},
			{"selector": {"ids": ["env-gone"]}, "spec": {"interval": "2m"}}]`))
		o.pass(ctx, "org")
		Expect(o.sources(ctx)["env-a"].Spec.Interval.Duration).To(Equal(time.Minute))
		Expect(o.sources(ctx)["env-c"].Spec.Interval.Duration).To(Equal(time.Hour))
		Expect(counts(ctx)).To(Equal(map[string]int32{"env-a": 2, "env-b": 2, "env-c": 1}))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"), "it is no error")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(
			ContainSubstring("no environment is selected by spec.overrides[2]"),
			ContainSubstring("spec.overrides[0] and [1] set interval differently, the later one counts"),
			Not(ContainSubstring("timeout"))))
	})

	It("that make one source invalid stop no other source", func(ctx SpecContext) {
		o.discovery(ctx, "org", template, overriding(`[{"selector": {"ids": ["env-b"]}, "spec": {"staleAfter": "10m"}}]`))
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-c"}))
		Expect(o.ready(ctx, "org")).To(Equal("False/WriteFailed"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("env-b"), ContainSubstring("staleAfter")))

		By("making it as soon as the override is right")
		override(ctx, `[{"selector": {"ids": ["env-b"]}, "spec": {"staleAfter": "14m"}}]`)
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b", "env-c"}))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
	})

	It("delete no observation because of a rename", func(ctx SpecContext) {
		o.cloud.PutCluster(cloudsim.Cluster{ID: "lkc-1", Spec: cloudsim.ClusterSpec{DisplayName: "one", Environment: cloudsim.Reference{ID: "env-b"}},
			Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}})
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		}, overriding(`[{"selector": {"displayNames": ["payments-*"]}, "spec": {"kafkaClusters": {"policy": "Mirror"}}}]`))
		o.pass(ctx, "org")
		syncs := func() {
			GinkgoHelper()
			for range 2 {
				o.clock.SetTime(o.clock.Now().Add(10 * time.Minute))
				source := o.sources(ctx)["env-b"]
				_, err := o.reconciler.Reconcile(ctx, requestFor(&source))
				Expect(err).NotTo(HaveOccurred())
			}
		}
		syncs()
		Expect(o.clusters(ctx)).To(HaveKey("lkc-1"))
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-dev")).To(Succeed())
		o.list(ctx, "org")
		syncs()
		Expect(o.clusters(ctx)).To(HaveKey("lkc-1"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("renamed, but kept with the overrides of the former name"))

		By("deleting it once a person says so")
		override(ctx, `[]`)
		o.pass(ctx, "org")
		syncs()
		Expect(o.clusters(ctx)).To(BeEmpty())
	})

	It("that make several sources invalid have each of them named", func(ctx SpecContext) {
		o.discovery(ctx, "org", overriding(`[{"selector": {"ids": ["env-b", "env-c"]}, "spec": {"staleAfter": "9m"}}]`))
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("creating env-b"), HaveSuffix("; the others: env-c")))
	})

	It("do not count for an unmanaged source", func(ctx SpecContext) {
		o.discovery(ctx, "org", overriding(`[{"spec": {"interval": "1m"}}]`))
		o.pass(ctx, "org")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Annotations[v1alpha1.AnnotationUnmanaged] = "true" })
		o.list(ctx, "org")
		Expect(counts(ctx)).To(Equal(map[string]int32{"env-a": 0, "env-b": 1, "env-c": 1}))
	})

	It("do not contradict each other with one set in two orders", func(ctx SpecContext) {
		o.discovery(ctx, "org", overriding(`[{"spec": {"peerings": {"phases": ["READY", "FAILED"]}}}, {"spec": {"peerings": {"phases": ["FAILED", "READY"]}}}]`))
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).NotTo(ContainSubstring("differently"))
		override(ctx, `[{"spec": {"peerings": {"phases": ["READY", "FAILED"]}}}, {"spec": {"peerings": {"phases": ["FAILED"]}}}]`)
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("set peerings.phases differently"))
	})

	It("keep a field that they set to null, and the message says that the spec is refused", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.StaleAfter = &metav1.Duration{Duration: 15 * time.Minute}
		})
		o.pass(ctx, "org")
		override(ctx, `[{"spec": {"interval": "7m", "staleAfter": null}}]`)
		o.pass(ctx, "org")
		Expect(o.sources(ctx)["env-a"].Spec.StaleAfter.Duration).To(Equal(15 * time.Minute))
		override(ctx, `[{"spec": {"interval": "1h", "staleAfter": null}}]`)
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("restoring spec of env-a"))
	})

	It("are refused if the schema shows that they are wrong", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		many := func(n int) string {
			return "[" + strings.Join(slices.Repeat([]string{`{"selector": {"ids": ["env-a"]}, "spec": {"interval": "1m"}}`}, n), ",") + "]"
		}
		for patch, says := range map[string]string{
			`[{"spec": {"interval": "1s"}}]`:                                 "spec.overrides[0].spec.interval",
			`[{"spec": {"interval": "10m", "staleAfter": "11m"}}]`:           "spec.overrides[0].spec.staleAfter",
			`[{"spec": {"peerings": {"policy": "Some"}}}]`:                   "spec.overrides[0].spec.peerings.policy",
			`[{}, {"spec": {"template": {"labels": {"a": "not a value"}}}}]`: "spec.overrides[1].spec.template.labels",
			many(501): "must have at most 500 items",
		} {
			err := k8s.Patch(ctx, o.read(ctx, "org"), client.RawPatch(types.MergePatchType, []byte(`{"spec": {"overrides": `+patch+`}}`)))
			Expect(err).To(MatchError(ContainSubstring(says)), patch[:min(len(patch), 80)])
		}
		override(ctx, many(500))
		o.pass(ctx, "org")
		Expect(counts(ctx)).To(HaveKeyWithValue("env-a", int32(500)))
	})
})

var _ = Describe("A preview of a discovery", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders")
	})
	previewing := func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = true }
	brief := func(list []v1alpha1.PreviewedSource) (all []string) {
		for _, s := range list {
			all = append(all, s.Name+": "+s.Why)
		}
		return all
	}

	It("of a new one reports what it would create, and creates nothing", func(ctx SpecContext) {
		taken := o.newSource(func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = "env-b", "env-b" })
		Expect(k8s.Create(ctx, taken)).To(Succeed())
		o.discovery(ctx, "org", previewing, taking(v1alpha1.EnvironmentMatch{
			IDs: identified("env-a").IDs, DisplayNames: named("payments-*").DisplayNames}))
		written, _ := o.writes(func() {
			o.pass(ctx, "org")
			o.list(ctx, "org")
			o.restart()
			o.pass(ctx, "org")
		})
		Expect(written).To(BeZero())
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("2 sources to create, 0 to change, 0 to delete"))
		preview := o.read(ctx, "org").Status.Preview
		Expect(brief(preview.Create)).To(HaveExactElements(
			"env-a: selected by spec.selector.ids",
			HavePrefix("env-b: not until its name is free: a source without a controller has it; handed over, it changes "),
		))
		Expect(preview.Create[0].DisplayName).To(Equal("payments-prod"))
		Expect(preview.CreateCount).To(BeEquivalentTo(2))

		By("doing it once the preview ends, without another listing")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
		Expect(o.read(ctx, "org").Status.Preview).To(BeNil())
		Expect(o.ready(ctx, "org")).To(Equal("False/NameConflict"))
	})

	It("reports what a changed spec would change and delete, and why", func(ctx SpecContext) {
		o.environments("env-d", "sandbox-1", "env-e", "sandbox-2")
		o.discovery(ctx, "org", prunes, func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Prune.AfterMisses = ptr.To[int32](3) })
		o.pass(ctx, "org")
		o.list(ctx, "org")
		Expect(o.cloud.RemoveEnvironment("env-c")).To(Succeed())
		o.list(ctx, "org")
		since := o.clock.Now().UTC().Format(time.RFC3339)
		before := o.sources(ctx)
		written, _ := o.writes(func() {
			o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
				previewing(d)
				d.Spec.Selector.Exclude.DisplayNames = named("sandbox-1").DisplayNames
				overriding(`[{"selector": {"ids": ["env-b"]}, "spec": {"interval": "1m", "template": {"labels": {"tier": "low"}}}}]`)(d)
			})
			o.pass(ctx, "org")
		})
		Expect(written).To(BeZero())
		preview := o.read(ctx, "org").Status.Preview
		Expect(preview.Create).To(BeEmpty())
		Expect(brief(preview.Change)).To(Equal([]string{"env-b: spec.interval: 5m0s to 1m0s, spec.template.labels.tier: unset to low"}))
		Expect(brief(preview.Delete)).To(Equal([]string{
			"env-c: not listed since " + since + "; after 3 complete listings in a row without it",
			"env-d: excluded by spec.selector.exclude.displayNames; held as ScopeChanged until a person approves, see condition PruneHeld",
		}))

		By("deleting nothing, even if the prune is approved and due")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationApprovePrune, d.Status.Environments.Held.Digest)
		})
		written, _ = o.writes(func() {
			for range 3 {
				o.list(ctx, "org")
			}
		})
		Expect(written).To(BeZero())
		Expect(brief(o.read(ctx, "org").Status.Preview.Delete)).To(Equal([]string{
			"env-c: not listed since " + since,
			"env-d: excluded by spec.selector.exclude.displayNames",
		}))

		By("not putting back what someone edits meanwhile")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Spec.Interval.Duration = time.Hour })
		written, _ = o.writes(func() { o.pass(ctx, "org") })
		Expect(written).To(BeZero())
		Expect(brief(o.read(ctx, "org").Status.Preview.Change)).To(ContainElement("env-a: spec.interval: 1h0m0s to 5m0s"))

		By("carrying it out when the preview ends")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.list(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b", "env-e"}))
		Expect(o.sources(ctx)["env-b"].Spec.Interval.Duration).To(Equal(time.Minute))
		Expect(o.sources(ctx)["env-a"].UID).To(Equal(before["env-a"].UID))
	})

	DescribeTable("reports every source that changes once it ends, those that are missing or out of scope too", func(ctx SpecContext, prune func(*v1alpha1.EnvironmentDiscovery)) {
		o.discovery(ctx, "org", prune)
		o.pass(ctx, "org")
		o.list(ctx, "org")
		Expect(o.cloud.RemoveEnvironment("env-c")).To(Succeed())
		o.list(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			previewing(d)
			d.Spec.Selector.Exclude.IDs = append(d.Spec.Selector.Exclude.IDs, "env-b")
			d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		})
		o.pass(ctx, "org")
		var previewed []string
		for _, entry := range o.read(ctx, "org").Status.Preview.Change {
			Expect(entry.Why).To(ContainSubstring("spec.kafkaClusters.policy: Mirror to Ignore"))
			previewed = append(previewed, entry.Name)
		}
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		before := o.sources(ctx)
		o.pass(ctx, "org")
		var changed []string
		for name, s := range o.sources(ctx) {
			if s.Generation != before[name].Generation {
				changed = append(changed, name)
			}
		}
		Expect(previewed).To(ConsistOf(changed))
		Expect(previewed).To(ConsistOf("env-a", "env-b", "env-c"))
	},
		Entry("retained", func(*v1alpha1.EnvironmentDiscovery) {}),
		Entry("to be deleted later", func(d *v1alpha1.EnvironmentDiscovery) {
			prunes(d)
			d.Spec.Prune.AfterMisses = ptr.To[int32](5)
		}),
	)

	It("stays over a restart whose first listing fails, and reports nothing before the first listing", func(ctx SpecContext) {
		o.cloud.FailNext(cloudsim.OpListEnvironments, 1, cloudsim.FaultInternalError)
		o.discovery(ctx, "org", previewing)
		o.pass(ctx, "org")
		Expect(o.read(ctx, "org").Status.Preview).To(BeNil())
		o.list(ctx, "org")
		before := o.read(ctx, "org").Status.Preview
		Expect(before.CreateCount).To(BeEquivalentTo(3))
		o.restart()
		o.cloud.FailNext(cloudsim.OpListEnvironments, 10, cloudsim.FaultInternalError)
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("False/CloudUnavailable"))
		Expect(o.read(ctx, "org").Status.Preview).To(Equal(before))
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.pass(ctx, "org")
		Expect(o.read(ctx, "org").Status.Preview).To(BeNil())
	})

	It("is reported while the discovery is suspended, too", func(ctx SpecContext) {
		suspended := func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Suspend = true }
		o.discovery(ctx, "never", previewing, suspended)
		o.pass(ctx, "never")
		Expect(o.says(ctx, "never", v1alpha1.ConditionReady)).To(HaveSuffix("; spec.preview is true, and nothing is done"))
		Expect(o.read(ctx, "never").Status.Preview).To(BeNil())
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			previewing(d)
			suspended(d)
			d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: 7 * time.Minute}
		})
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("Unknown/Suspended"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("0 sources to create, 3 to change, 0 to delete"))
	})

	It("says which sources the API server will refuse", func(ctx SpecContext) {
		labels := func(prefix string) map[string]v1alpha1.LabelValue {
			all := map[string]v1alpha1.LabelValue{}
			for i := range 17 {
				all[fmt.Sprint(prefix, i)] = "x"
			}
			return all
		}
		o.discovery(ctx, "org", previewing, overriding(`[{"selector": {"ids": ["env-b"]}, "spec": {"staleAfter": "9m"}}, {"selector": {"ids": ["env-c"]}}]`),
			func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Template.Spec.Template.Labels = labels("a")
				d.Spec.Overrides[1].Spec.Template.Labels = labels("b")
			})
		o.pass(ctx, "org")
		Expect(brief(o.read(ctx, "org").Status.Preview.Create)).To(Equal([]string{
			"env-a: selected, as spec.selector names none",
			"env-b: the API server refuses it: staleAfter (9m0s) is less than twice interval (5m0s); selected, as spec.selector names none",
			"env-c: the API server refuses it: template has 34 labels and 0 annotations, more than 32; selected, as spec.selector names none",
		}))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(HaveSuffix("; the API server refuses sources as spec.overrides make them: env-b, env-c"))

		By("being right")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a"}))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("staleAfter"), HaveSuffix("; the others: env-c")))
	})

	It("is Preview in Ready while a source is being deleted, or is that of a deleted discovery of the same name", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.edit(ctx, "org", previewing)
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Finalizers = []string{"example.com/stuck"} })
		a := o.sources(ctx)["env-a"]
		Expect(k8s.Delete(ctx, a.DeepCopy())).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Finalizers = nil })
		})
		Eventually(func() string { o.pass(ctx, "org"); return o.says(ctx, "org", v1alpha1.ConditionReady) }).Should(
			ContainSubstring("sources being deleted, and created again once they are gone: env-a"))
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))

		Expect(k8s.Delete(ctx, o.read(ctx, "org"), client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(ctx, func() error {
			return k8s.Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: "org"}, &v1alpha1.EnvironmentDiscovery{})
		}).ShouldNot(Succeed())
		o.restart()
		o.discovery(ctx, "org", previewing)
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
		Expect(brief(o.read(ctx, "org").Status.Preview.Create)).To(ContainElement(
			"env-b: not until its name is free: the garbage collector deletes the source of the deleted discovery that had this one's name"))
	})

	It("shows what a hand-over would change, before and after the label is set, and says how to hand over", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, o.newSource(func(s *v1alpha1.InventorySource) {
			s.Name, s.Spec.Environment, s.Spec.Suspend = "env-a", "env-a", true
			s.Spec.Networks.Policy = v1alpha1.MirrorPolicyMirror
			s.Spec.Interval = &metav1.Duration{Duration: time.Hour}
		}))).To(Succeed())
		o.discovery(ctx, "org", previewing)
		o.pass(ctx, "org")
		changes := "spec.interval: 1h0m0s to 5m0s, spec.networks.policy: Mirror to unset, spec.suspend: true to unset, metadata."
		Expect(brief(o.read(ctx, "org").Status.Preview.Create)[0]).To(ContainSubstring("a source without a controller has it; handed over, it changes " + changes))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("label --overwrite inventorysource/NAME inventory.ccloud.dev/discovery=org"))

		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Labels = map[string]string{v1alpha1.LabelDiscovery: "org"} })
		o.pass(ctx, "org")
		Expect(brief(o.read(ctx, "org").Status.Preview.Change)).To(HaveExactElements(HavePrefix("env-a: " + changes)))

		By("saying in words which ownerReference comes and goes")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.pass(ctx, "org")
		o.edit(ctx, "org", previewing)
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.OwnerReferences = nil })
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) { s.OwnerReferences[0].Controller = nil })
		o.change(ctx, "env-c", func(s *v1alpha1.InventorySource) { s.Annotations[v1alpha1.AnnotationUnmanaged] = "true" })
		o.pass(ctx, "org")
		Expect(brief(o.read(ctx, "org").Status.Preview.Change)).To(Equal([]string{
			"env-a: metadata.ownerReferences: unset to EnvironmentDiscovery/org",
			"env-b: metadata.ownerReferences: EnvironmentDiscovery/org (not as controller) to EnvironmentDiscovery/org",
			"env-c: metadata.ownerReferences: EnvironmentDiscovery/org to unset",
		}))
	})

	It("has every remark about overrides in Ready, behind environments that are not listed", func(ctx SpecContext) {
		o.discovery(ctx, "org", previewing, func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector.IDs = identified("env-a", "env-abc001", "env-abc002", "env-abc003", "env-abc004", "env-abc005", "env-abc006").IDs
		}, overriding(`[{"selector": {"ids": ["env-a"]}, "spec": {"interval": "1m"}}, {"selector": {"ids": ["env-a"]}, "spec": {"interval": "2m"}},
			{"selector": {"ids": ["env-z"]}, "spec": {"interval": "3m"}}]`))
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("spec.overrides[2]"), ContainSubstring("set interval differently, the later one counts")))
	})

	It("drops the failed writes of before, and has their pass no more", func(ctx SpecContext) {
		o.discovery(ctx, "org", overriding(`[{"selector": {"ids": ["env-b"]}, "spec": {"staleAfter": "9m"}}]`))
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("False/WriteFailed"))
		o.edit(ctx, "org", previewing)
		result := o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
		Expect(result.RequeueAfter).To(BeNumerically(">", time.Minute))
	})

	It("is not planned again each time that a source writes its own status", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			previewing(d)
			d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: 7 * time.Minute}
		})
		o.pass(ctx, "org")
		before := o.sources(ctx)["env-a"]
		after := before.DeepCopy()
		after.ResourceVersion += "1"
		after.Status.LastSyncTime = &metav1.Time{Time: o.clock.Now()}
		wakes := func() bool {
			return o.discoverer.Drift(0).Update(event.UpdateEvent{ObjectOld: &before, ObjectNew: after})
		}
		Expect(wakes()).To(BeFalse())
		for _, change := range []func(){
			func() { after.Spec.Suspend = true },
			func() { after.Labels["inventory.ccloud.dev/environment"] = "another" },
			func() { after.Annotations = nil },
			func() { after.OwnerReferences = nil },
			func() { after.DeletionTimestamp = &metav1.Time{Time: o.clock.Now()} },
		} {
			after = before.DeepCopy()
			after.ResourceVersion += "1"
			change()
			Expect(wakes()).To(BeTrue())
		}
	})

	It("fits into the status, if JSON has six bytes for each character of the names", func(ctx SpecContext) {
		for i := range 520 {
			o.environments(fmt.Sprintf("%03d%s", i, strings.Repeat("\x01", 250)), strings.Repeat("<\x02", 200))
		}
		o.discovery(ctx, "org", previewing)
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
		Expect(o.read(ctx, "org").Status.Preview.CreateCount).To(BeEquivalentTo(523))

		By("as do the sources")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		Expect(o.read(ctx, "org").Status.SourceCount).To(BeEquivalentTo(523))
	}, NodeTimeout(5*time.Minute))

	It("of 600 environments with long names fits into the status, and has their whole number", func(ctx SpecContext) {
		for i := range 600 {
			o.environments(fmt.Sprintf("env-%03d-%s", i, strings.Repeat("x", 240)), strings.Repeat("é", 2000))
		}
		o.discovery(ctx, "org", previewing)
		o.pass(ctx, "org")
		preview := o.read(ctx, "org").Status.Preview
		Expect(preview.CreateCount).To(BeEquivalentTo(603))
		Expect(len(preview.Create)).To(BeNumerically("~", 250, 150))
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
	})
})
