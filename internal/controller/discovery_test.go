// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// organization is a world with discoveries.
type organization struct {
	*world
	discoverer *controller.Reconciler
}

func newOrganization(ctx context.Context) *organization {
	o := &organization{world: newWorld(ctx)}
	o.createSecret(ctx, apiKey, apiSecret)
	o.restart()
	return o
}

func (o *organization) restart() {
	o.world.restart()
	o.discoverer = controller.NewDiscoveries(o.reconciler.Options)
	o.discoverer.ShownBy(k8s)
}

// discovery creates a discovery that is asked to take all environments but the one that
// every world has.
func (o *organization) discovery(ctx context.Context, name string, changes ...func(*v1alpha1.EnvironmentDiscovery)) {
	GinkgoHelper()
	d := &v1alpha1.EnvironmentDiscovery{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.namespace},
		Spec: v1alpha1.EnvironmentDiscoverySpec{
			Endpoint: o.url,
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
				SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
			}},
			Selector: v1alpha1.EnvironmentSelector{Exclude: v1alpha1.EnvironmentMatch{IDs: []v1alpha1.Identifier{environment}}},
		},
	}
	for _, change := range changes {
		change(d)
	}
	Expect(k8s.Create(ctx, d)).To(Succeed())
}

func (o *organization) read(ctx context.Context, name string) *v1alpha1.EnvironmentDiscovery {
	GinkgoHelper()
	d := &v1alpha1.EnvironmentDiscovery{}
	Expect(reader.Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: name}, d)).To(Succeed())
	return d
}

func (o *organization) edit(ctx context.Context, name string, change func(*v1alpha1.EnvironmentDiscovery)) {
	GinkgoHelper()
	d := o.read(ctx, name)
	change(d)
	Expect(k8s.Update(ctx, d)).To(Succeed())
}

// pass reconciles a discovery once.
func (o *organization) pass(ctx context.Context, name string) reconcile.Result {
	GinkgoHelper()
	result, err := o.discoverer.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.namespace, Name: name}})
	Expect(err).NotTo(HaveOccurred())
	o.expectSane(ctx)
	return result
}

// list lets time pass until the next listing is due, and reconciles.
func (o *organization) list(ctx context.Context, name string) {
	GinkgoHelper()
	o.reconciler.Budgets = budget.New(1000, 1000)
	if next := o.read(ctx, name).Status.NextSyncTime; next != nil {
		o.clock.SetTime(next.Add(time.Second))
	}
	o.pass(ctx, name)
}

// sources returns the sources there are, by name.
func (o *organization) sources(ctx context.Context) map[string]v1alpha1.InventorySource {
	GinkgoHelper()
	list := &v1alpha1.InventorySourceList{}
	Expect(reader.List(ctx, list, client.InNamespace(o.namespace))).To(Succeed())
	return byName(list.Items, func(s *v1alpha1.InventorySource) string { return s.Name })
}

func (o *organization) names(ctx context.Context) []string {
	GinkgoHelper()
	return slices.Sorted(maps.Keys(o.sources(ctx)))
}

func (o *organization) ready(ctx context.Context, name string) string {
	GinkgoHelper()
	return brief(o.read(ctx, name).Status.Conditions, v1alpha1.ConditionReady)
}

func (o *organization) says(ctx context.Context, name, condition string) string {
	GinkgoHelper()
	c := meta.FindStatusCondition(o.read(ctx, name).Status.Conditions, condition)
	Expect(c).NotTo(BeNil())
	return c.Message
}

// change edits a source as someone else does, and has the watch report it.
func (o *organization) change(ctx context.Context, name string, change func(*v1alpha1.InventorySource)) {
	GinkgoHelper()
	s := &v1alpha1.InventorySource{}
	Expect(reader.Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: name}, s)).To(Succeed())
	before := s.DeepCopy()
	change(s)
	Expect(k8s.Update(ctx, s)).To(Succeed())
	o.discoverer.Drift(0).Update(event.UpdateEvent{ObjectOld: before, ObjectNew: s})
}

// remove deletes a source as someone else does, and has the watch report it.
func (o *organization) remove(ctx context.Context, name string) {
	GinkgoHelper()
	s := o.sources(ctx)[name]
	Expect(k8s.Delete(ctx, &s)).To(Succeed())
	o.discoverer.Drift(0).Delete(event.DeleteEvent{Object: &s})
}

// environments adds environments to the organization, each with a display name.
func (o *organization) environments(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		o.cloud.PutEnvironment(cloudsim.Environment{ID: pairs[i], DisplayName: pairs[i+1]})
	}
}

// writes returns the writes of sources and of the discovery's status that do makes.
func (o *organization) writes(do func()) (sources, statuses int) {
	count := func() (int, int) {
		return len(requests.written(o.namespace, "/inventorysources")), len(requests.written(o.namespace, "/environmentdiscoveries/"))
	}
	s, d := count()
	do()
	after, statusesAfter := count()
	return after - s, statusesAfter - d
}

func prunes(d *v1alpha1.EnvironmentDiscovery) {
	d.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete}
}

var _ = Describe("Discovery", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders [prod]/eu")
	})

	It("keeps a source for each environment, and writes nothing while nothing changes", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "platform"}
			d.Spec.Template.Spec.Networks.Policy = v1alpha1.MirrorPolicyMirror
			d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: 7 * time.Minute}
		})
		before := o.read(ctx, "org")
		Expect(before.Status.ObservedGeneration).To(BeEquivalentTo(-1), "kstatus waits")
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b", "env-c"}))
		c := o.sources(ctx)["env-c"]
		Expect(c.Labels).To(Equal(map[string]string{"team": "platform", "inventory.ccloud.dev/discovery": "org", "inventory.ccloud.dev/environment": "env-c"}))
		Expect(c.Annotations).To(HaveKeyWithValue("inventory.ccloud.dev/environment-name", "orders [prod]/eu"))
		Expect(metav1.IsControlledBy(&c, before)).To(BeTrue())
		Expect(c.Spec.Environment).To(Equal("env-c"))
		Expect(c.Spec.Endpoint).To(Equal(o.url))
		Expect(c.Spec.Credentials).To(Equal(before.Spec.Credentials))
		Expect(c.Spec.Interval.Duration).To(Equal(7 * time.Minute))
		Expect(c.Spec.Networks.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))

		d := o.read(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		Expect(d.Status.ObservedGeneration).To(Equal(d.Generation))
		Expect(d.Status.Environments.Observed).To(BeEquivalentTo(3))
		Expect(d.Status.SourceCount).To(BeEquivalentTo(3))
		Expect(d.Status.Sources).To(HaveExactElements(
			v1alpha1.DiscoveredSource{Environment: "env-a", DisplayName: "payments-prod", Name: "env-a"},
			v1alpha1.DiscoveredSource{Environment: "env-b", DisplayName: "payments-dev", Name: "env-b"},
			v1alpha1.DiscoveredSource{Environment: "env-c", DisplayName: "orders [prod]/eu", Name: "env-c"}))
		Expect(d.Status.NextSyncTime.Sub(d.Status.LastSyncTime.Time)).To(Equal(15 * time.Minute))

		sources, statuses := o.writes(func() { o.list(ctx, "org") })
		Expect([]int{sources, statuses}).To(Equal([]int{0, 1}))
		sources, statuses = o.writes(func() { o.pass(ctx, "org") })
		Expect([]int{sources, statuses}).To(Equal([]int{0, 0}), "nothing is due")
		o.restart()
		sources, _ = o.writes(func() { o.pass(ctx, "org") })
		Expect(sources).To(BeZero(), "nor after a restart")
	})

	DescribeTable("takes the environments that its selector names", func(ctx SpecContext, s v1alpha1.EnvironmentSelector, want ...string) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Selector = s })
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal(want))
	},
		Entry("all", v1alpha1.EnvironmentSelector{}, "env-a", environment, "env-b", "env-c"),
		Entry("IDs", v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: []v1alpha1.Identifier{"env-b", "env-none"}}}, "env-b"),
		Entry("patterns", v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: []v1alpha1.Identifier{"payments-*"}}}, "env-a", "env-b"),
		Entry("brackets mean themselves", v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: []v1alpha1.Identifier{"*[prod]?eu"}}}, "env-c"),
		Entry("either", v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{IDs: []v1alpha1.Identifier{"env-c"}, DisplayNames: []v1alpha1.Identifier{"*-dev"}}}, "env-b", "env-c"),
		Entry("exclusion wins", v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: []v1alpha1.Identifier{"*"}},
			Exclude: v1alpha1.EnvironmentMatch{IDs: []v1alpha1.Identifier{"env-a", environment}, DisplayNames: []v1alpha1.Identifier{"*-dev"}}}, "env-c"),
	)

	It("keeps the sources of environments that are gone, and says since when, until they are back", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		uid := o.sources(ctx)["env-b"].UID
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		for range 5 {
			o.list(ctx, "org")
		}
		b := o.sources(ctx)["env-b"]
		Expect(b.UID).To(Equal(uid), "Retain is the default")
		since := b.Annotations["inventory.ccloud.dev/missing-since"]
		Expect(time.Parse(time.RFC3339, since)).NotTo(BeZero())
		Expect(o.read(ctx, "org").Status.Environments.Missing).To(BeEquivalentTo(1))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("1 sources whose environment is missing"))
		o.restart()
		o.list(ctx, "org")
		Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue("inventory.ccloud.dev/missing-since", since), "a restart forgets nothing of it")
		o.environments("env-b", "payments-dev")
		o.list(ctx, "org")
		Expect(o.sources(ctx)["env-b"].Annotations).NotTo(HaveKey("inventory.ccloud.dev/missing-since"))
		Expect(o.sources(ctx)["env-b"].UID).To(Equal(uid))
	})

	It("deletes a source whose environment two complete listings lack, where it is to delete", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes)
		o.pass(ctx, "org")
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		o.list(ctx, "org")
		Expect(o.names(ctx)).To(ContainElement("env-b"))
		Expect(o.read(ctx, "org").Status.NextSyncTime.Sub(o.clock.Now())).To(BeNumerically("<=", 15*time.Second), "it is confirmed soon")
		o.list(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-c"}))
		Expect(o.read(ctx, "org").Status.SourceCount).To(BeEquivalentTo(2))
	})

	It("deletes nothing for an empty or a partial listing, and asks a person", func(ctx SpecContext) {
		o.environments("env-d", "d", "env-e", "e")
		o.discovery(ctx, "org", prunes)
		o.pass(ctx, "org")
		key := cloudsim.Key{ID: apiKey, Secret: apiSecret, Sees: cloudsim.ViewNone}
		o.cloud.AddKey(key)
		for range 4 {
			o.list(ctx, "org")
		}
		Expect(o.names(ctx)).To(HaveLen(5))
		Expect(brief(o.read(ctx, "org").Status.Conditions, v1alpha1.ConditionPruneHeld)).To(Equal("True/ListingEmpty"))
		key.Sees, key.Environments = cloudsim.ViewAll, []string{"env-a", "env-c", "env-d"}
		o.cloud.AddKey(key)
		for range 4 {
			o.list(ctx, "org")
		}
		Expect(o.names(ctx)).To(HaveLen(5))
		held := o.read(ctx, "org").Status
		Expect(brief(held.Conditions, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionPruneHeld)).To(ContainSubstring(
			"annotate --overwrite environmentdiscovery/org inventory.ccloud.dev/approvePrune=" + held.Environments.Held.Digest))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		o.restart()
		o.pass(ctx, "org")
		Expect(brief(o.read(ctx, "org").Status.Conditions, v1alpha1.ConditionPruneHeld)).To(Equal("True/ShareExceeded"), "a restart forgets it not")
		for range 3 {
			o.list(ctx, "org")
		}
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Annotations = map[string]string{v1alpha1.AnnotationApprovePrune: held.Environments.Held.Digest}
		})
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-c", "env-d"}))
		Expect(brief(o.read(ctx, "org").Status.Conditions, v1alpha1.ConditionPruneHeld)).To(BeEmpty())
	})

	It("counts no listing that failed or is not whole, and stops at none of them", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes, func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Prune.MaxPercent = ptr.To[int32](100) })
		o.pass(ctx, "org")
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		for fault, reason := range map[cloudsim.Fault]string{
			cloudsim.FaultForbidden: "Forbidden", cloudsim.FaultUnauthorized: "Unauthenticated", cloudsim.FaultHTML: "MalformedResponse",
			cloudsim.FaultItemWrongType: "IncompleteListing", cloudsim.FaultEmptyBody: "MalformedResponse", cloudsim.FaultItemMissing: "IncompleteListing",
			cloudsim.FaultWrongKind: "MalformedResponse",
		} {
			for range 2 {
				o.cloud.FailNext(cloudsim.OpListEnvironments, 1, fault)
				o.list(ctx, "org")
				Expect(o.ready(ctx, "org")).To(Equal("False/"+reason), "%v", fault)
				Expect(o.names(ctx)).To(ContainElement("env-b"))
			}
		}
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("listOrgV2Environments"))
		o.list(ctx, "org")
		Expect(o.names(ctx)).To(ContainElement("env-b"), "the first that counts")
		o.list(ctx, "org")
		Expect(o.names(ctx)).NotTo(ContainElement("env-b"))
	})

	It("follows environments that are renamed", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector = v1alpha1.EnvironmentSelector{EnvironmentMatch: v1alpha1.EnvironmentMatch{DisplayNames: []v1alpha1.Identifier{"payments-*"}}}
		})
		o.pass(ctx, "org")
		Expect(o.cloud.RenameEnvironment("env-a", "payments-live")).To(Succeed())
		Expect(o.cloud.RenameEnvironment("env-b", "retired")).To(Succeed())
		o.list(ctx, "org")
		sources := o.sources(ctx)
		Expect(sources["env-a"].Annotations).To(HaveKeyWithValue("inventory.ccloud.dev/environment-name", "payments-live"))
		Expect(sources["env-b"].Annotations).To(And(HaveKeyWithValue("inventory.ccloud.dev/environment-name", "retired"), Not(HaveKey("inventory.ccloud.dev/missing-since"))))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("1 sources whose environment spec.selector no longer takes: env-b"))
		Expect(o.read(ctx, "org").Status.Sources[1].OutOfScopeSince.Time).To(BeTemporally("==", o.clock.Now()))
	})

	It("has its sources follow the template, each with one write", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "platform", "tier": "1"}
		})
		o.pass(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"team": "data"}
			d.Spec.Template.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
		})
		sources, _ := o.writes(func() { o.pass(ctx, "org") })
		Expect(sources).To(Equal(3))
		for _, s := range o.sources(ctx) {
			Expect(s.Labels).To(And(HaveKeyWithValue("team", "data"), Not(HaveKey("tier"))))
			Expect(s.Spec.Prune.Policy).To(Equal(v1alpha1.PrunePolicyRetain))
		}
	})

	It("puts back what someone does to a source, without asking the cloud", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) {
			s.Spec.Suspend, s.Spec.Peerings.Policy = true, v1alpha1.MirrorPolicyIgnore
			s.Labels = map[string]string{"mine": "stays"}
			s.Annotations = map[string]string{v1alpha1.AnnotationRequestedAt: "now", "mine": "stays"}
		})
		o.remove(ctx, "env-b")
		calls := len(o.cloud.Calls())
		sources, _ := o.writes(func() { o.pass(ctx, "org") })
		Expect(sources).To(Equal(2))
		Expect(o.cloud.Calls()).To(HaveLen(calls))
		a := o.sources(ctx)["env-a"]
		Expect(a.Spec.Suspend).To(BeFalse())
		Expect(a.Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		Expect(a.Labels).To(And(HaveKeyWithValue("mine", "stays"), HaveKeyWithValue("inventory.ccloud.dev/discovery", "org")))
		Expect(a.Annotations).To(And(HaveKeyWithValue(v1alpha1.AnnotationRequestedAt, "now"), HaveKeyWithValue("mine", "stays")))
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b", "env-c"}))
	})

	It("leaves a source alone that a person marked", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes)
		o.pass(ctx, "org")
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
			s.Annotations[v1alpha1.AnnotationUnmanaged], s.Spec.Suspend = "true", true
		})
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.Networks.Policy = v1alpha1.MirrorPolicyMirror
		})
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		for range 4 {
			o.list(ctx, "org")
		}
		b := o.sources(ctx)["env-b"]
		Expect(b.Spec.Suspend).To(BeTrue())
		Expect(b.Spec.Networks.Policy).To(BeEmpty())
		Expect(o.read(ctx, "org").Status.Environments.Missing).To(BeEquivalentTo(1))
	})

	It("never touches a source that is not its own, and names who has it", func(ctx SpecContext) {
		foreign := o.newSource(func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = "env-a", "env-a" })
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		o.discovery(ctx, "first", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector.IDs = []v1alpha1.Identifier{"env-b"}
		})
		o.pass(ctx, "first")
		o.discovery(ctx, "org")
		Eventually(func() string { o.pass(ctx, "org"); return o.ready(ctx, "org") }).Should(Equal("False/NameConflict"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(
			ContainSubstring("env-a (no controller)"), ContainSubstring("env-b (controlled by EnvironmentDiscovery/first)")))
		Expect(brief(o.read(ctx, "org").Status.Conditions, v1alpha1.ConditionStalled)).To(Equal("True/NameConflict"))
		Expect(o.sources(ctx)["env-a"].ResourceVersion).To(Equal(foreign.ResourceVersion))
		Expect(o.names(ctx)).To(ContainElement("env-c"), "the others are made all the same")
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		calls := len(o.cloud.Calls())
		Eventually(func() []metav1.OwnerReference { o.pass(ctx, "org"); return o.sources(ctx)["env-a"].OwnerReferences }).Should(HaveLen(1))
		Expect(o.cloud.Calls()).To(HaveLen(calls), "the name is free, and the last listing told")
	})

	It("takes its own back that lost their owner", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		uid := o.sources(ctx)["env-a"].UID
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.OwnerReferences = nil })
		Eventually(func() []metav1.OwnerReference { o.pass(ctx, "org"); return o.sources(ctx)["env-a"].OwnerReferences }).Should(HaveLen(1))
		Expect(o.sources(ctx)["env-a"].UID).To(Equal(uid))
	})

	It("makes names that Kubernetes takes of IDs that it does not", func(ctx SpecContext) {
		o.environments("Env_X/1 ünusual", "odd")
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		var odd v1alpha1.InventorySource
		for _, s := range o.sources(ctx) {
			if s.Spec.Environment == "Env_X/1 ünusual" {
				odd = s
			}
		}
		Expect(odd.Name).To(HavePrefix("env-x-1"))
		Expect(odd.Labels).NotTo(HaveKey("inventory.ccloud.dev/environment"))
		sources, _ := o.writes(func() { o.list(ctx, "org") })
		Expect(sources).To(BeZero())
	})

	It("says what the API server has against the sources that a template makes", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Annotations = map[string]string{"a": strings.Repeat("x", 200<<10), "b": strings.Repeat("x", 100<<10)}
		})
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(BeEmpty())
		Expect(o.ready(ctx, "org")).To(Equal("False/WriteFailed"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("3 of 3 writes failed"), ContainSubstring("annotations")))
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Template.Metadata.Annotations = nil })
		o.clock.SetTime(o.clock.Now().Add(time.Minute))
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
	})

	It("says which credential is lacking, and that it is suspended", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Credentials.APIKey.SecretRef.Name = "none" })
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("False/SecretNotFound"))
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Suspend = true })
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("Unknown/Suspended"))
		Expect(o.read(ctx, "org").Status.NextSyncTime).To(BeNil())
	})

	It("has the first syncs of its sources spread", func(ctx SpecContext) {
		for i := range 40 {
			o.environments(fmt.Sprintf("env-many%02d", i), "many")
		}
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.reconciler.Budgets = budget.New(5, 10)
		first := func(name string) time.Duration {
			result, err := o.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.namespace, Name: name}})
			Expect(err).NotTo(HaveOccurred())
			return result.RequeueAfter
		}
		// 42 others, two requests each, five a second; the dice show a half.
		Expect(first("env-a")).To(BeNumerically("~", 8400*time.Millisecond, time.Millisecond))
		a := o.sources(ctx)["env-a"]
		Expect(brief(a.Status.Conditions, v1alpha1.ConditionReady)).To(Equal("Unknown/Progressing"))
		Expect(a.Status.ObservedGeneration).To(BeEquivalentTo(-1), "no pass has handled it")
		Expect(o.cloud.Count(cloudsim.OpListClusters)).To(BeZero())
		Expect(first("env-a")).To(BeNumerically("~", 8400*time.Millisecond, time.Millisecond), "it is drawn once")
		o.clock.SetTime(o.clock.Now().Add(9 * time.Second))
		first("env-a")
		Expect(o.cloud.Count(cloudsim.OpListClusters)).To(Equal(1))
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) { s.Annotations[v1alpha1.AnnotationRequestedAt] = "now" })
		Eventually(func() int { first("env-b"); return o.cloud.Count(cloudsim.OpListClusters) }).Should(Equal(2), "who asks does not wait")
	})

	It("has the first syncs of its sources spread, however long its name", func(ctx SpecContext) {
		name := strings.Repeat("o", 64)
		o.discovery(ctx, name)
		o.pass(ctx, name)
		o.reconciler.Budgets = budget.New(5, 10)
		// 2 others, two requests each, five a second; the dice show a half.
		Expect(o.one(ctx, "env-a").RequeueAfter).To(BeNumerically("~", 400*time.Millisecond, time.Millisecond))
	})

	DescribeTable("has no source wait for a turn that was drawn while the clock was ahead", func(ctx SpecContext, interval time.Duration) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: interval}
		})
		o.pass(ctx, "org")
		o.reconciler.Budgets = budget.New(5, 10)
		o.clock.SetTime(o.clock.Now().Add(3 * time.Hour))
		drawn := o.one(ctx, "env-a").RequeueAfter
		Expect(drawn).To(BeNumerically("~", 400*time.Millisecond, time.Millisecond))
		o.clock.SetTime(o.clock.Now().Add(-3 * time.Hour))
		Expect(o.one(ctx, "env-a").RequeueAfter).To(Equal(drawn))
	}, Entry("further than the interval", time.Hour), Entry("by less than the interval", 24*time.Hour))

	It("has no source wait at a restart that was synced, though one kind never could be listed", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		cloudsim.Seed(o.cloud, cloudsim.SeedOptions{Environment: "env-a", Clusters: 3, Peerings: 1, Seed: 1})
		o.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret, Refused: []cloudsim.Op{cloudsim.OpListPeerings}})
		o.clock.SetTime(o.clock.Now().Add(o.one(ctx, "env-a").RequeueAfter + time.Second))
		o.one(ctx, "env-a")
		Expect(o.clusters(ctx)).To(HaveLen(3))
		Expect(o.sources(ctx)["env-a"].Status.LastSyncTime).To(BeNil())
		o.clock.SetTime(o.clock.Now().Add(time.Hour))
		o.restart()
		o.reconciler.Budgets = budget.New(0.1, 10)
		Expect(o.calls(func() { o.one(ctx, "env-a") })).To(Equal(2))
		Expect(o.sources(ctx)["env-a"].Status.NextSyncTime.Time).To(BeTemporally(">", o.clock.Now()))
	})

	It("has a status that fits, whatever environments are called", func(ctx SpecContext) {
		for i := range 400 {
			o.environments(fmt.Sprintf("env-many%03d", i), strings.Repeat("n", 4096))
		}
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		Expect(o.read(ctx, "org").Status.SourceCount).To(BeEquivalentTo(403))
		Expect(o.names(ctx)).To(HaveLen(403))
	})

	It("makes sources of every template that the API server takes", func(ctx SpecContext) {
		for _, duration := range []string{"0.5ms", "1h1.5m", "1us", "0", "100h"} {
			d := &v1alpha1.EnvironmentDiscovery{ObjectMeta: metav1.ObjectMeta{Name: "org", Namespace: o.namespace}}
			err := k8s.Patch(ctx, d, client.RawPatch("application/apply-patch+yaml", []byte(`{"apiVersion":"inventory.ccloud.dev/v1alpha1",
				"kind":"EnvironmentDiscovery","metadata":{"name":"org","namespace":"`+o.namespace+`"},"spec":{"endpoint":"`+o.url+`",
				"credentials":{"apiKey":{"secretRef":{"name":"ccloud"}}},"template":{"spec":{"prune":{"gracePeriod":"`+duration+`"}}}}}`)),
				client.FieldOwner("me"), client.ForceOwnership)
			if err != nil {
				continue
			}
			o.pass(ctx, "org")
			Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"), duration)
			Expect(o.names(ctx)).To(HaveLen(4), duration)
		}
		Expect(o.names(ctx)).NotTo(BeEmpty(), "some are taken")
	})

	It("leaves the series of a source alone that had its name", func(ctx SpecContext) {
		remaining := func() []float64 { return o.series("ccloud_inventory_cloud_rate_limit_remaining", "name", sourceName) }
		o.seed(5, 0)
		Expect(k8s.Create(ctx, o.newSource())).To(Succeed())
		o.reconcile(ctx)
		o.discovery(ctx, sourceName)
		o.pass(ctx, sourceName)
		d := o.read(ctx, sourceName)
		Expect(k8s.Delete(ctx, d)).To(Succeed())
		Eventually(ctx, func() error { return k8s.Get(ctx, requestFor(d).NamespacedName, &v1alpha1.EnvironmentDiscovery{}) }).ShouldNot(Succeed())
		Expect(o.discoverer.Reconcile(ctx, requestFor(d))).To(BeZero())
		Expect(remaining()).To(HaveLen(1))
		source := o.source(ctx)
		Expect(k8s.Delete(ctx, source)).To(Succeed())
		Eventually(ctx, func() error { return k8s.Get(ctx, requestFor(source).NamespacedName, &v1alpha1.InventorySource{}) }).ShouldNot(Succeed())
		Expect(o.reconciler.Reconcile(ctx, requestFor(source))).To(BeZero())
		Expect(remaining()).To(BeEmpty())
	})
})

// one reconciles a source once.
func (o *organization) one(ctx context.Context, name string) reconcile.Result {
	GinkgoHelper()
	result, err := o.reconciler.Reconcile(ctx, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: o.namespace, Name: name}})
	Expect(err).NotTo(HaveOccurred())
	return result
}

// series returns the values of a gauge's series that have a label's value.
func (w *world) series(gauge, label, value string) (values []float64) {
	GinkgoHelper()
	families, err := w.registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == gauge && l.GetName() == label && l.GetValue() == value {
					values = append(values, m.GetGauge().GetValue())
				}
			}
		}
	}
	return values
}
