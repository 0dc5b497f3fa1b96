// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// taking has a discovery take the environments that names or IDs match.
func taking(match v1alpha1.EnvironmentMatch) func(*v1alpha1.EnvironmentDiscovery) {
	return func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Selector.EnvironmentMatch = match }
}

func named(patterns ...v1alpha1.Identifier) v1alpha1.EnvironmentMatch {
	return v1alpha1.EnvironmentMatch{DisplayNames: patterns}
}

func identified(ids ...v1alpha1.Identifier) v1alpha1.EnvironmentMatch {
	return v1alpha1.EnvironmentMatch{IDs: ids}
}

var _ = Describe("An environment that the selector does not take", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders")
	})
	lists := func(ctx SpecContext, times int) {
		GinkgoHelper()
		for range times {
			o.list(ctx, "org")
		}
	}

	It("because it was renamed keeps its source, and the status names it", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes, taking(named("payments-*")))
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-dev")).To(Succeed())
		lists(ctx, 4)
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("env-b"))
		Expect(o.held(ctx)).To(Equal("True/ScopeChanged"))

		By("deleting it once that is approved")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationApprovePrune, d.Status.Environments.Held.Digest)
		})
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-a"}))
		Expect(o.held(ctx)).To(BeEmpty())
	})

	It("keeps its name where a listing leaves the name out", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes, taking(named("payments-*")))
		o.pass(ctx, "org")
		Expect(o.cloud.RenameEnvironment("env-b", "")).To(Succeed())
		lists(ctx, 4)
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
		Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "payments-dev"))
		Expect(o.held(ctx)).To(BeEmpty())
		o.restart()
		lists(ctx, 2)
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
		Expect(o.held(ctx)).To(BeEmpty(), "the status tells the next process the name")
	})

	It("gets no source where a listing leaves out the name that excludes it", func(ctx SpecContext) {
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector.Exclude.DisplayNames = []v1alpha1.Identifier{"payments-*"}
		})
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-c"}))
		Expect(o.cloud.RenameEnvironment("env-b", "")).To(Succeed())
		lists(ctx, 1)
		o.restart()
		lists(ctx, 2)
		Expect(o.names(ctx)).To(Equal([]string{"env-c"}))
	})

	It("gets no source although its ID is selected, if the name that excludes it is not known since a restart", func(ctx SpecContext) {
		o.discovery(ctx, "org", taking(identified("env-b", "env-c")), func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector.Exclude.DisplayNames = []v1alpha1.Identifier{"payments-*"}
		})
		o.pass(ctx, "org")
		Expect(o.names(ctx)).To(Equal([]string{"env-c"}))
		Expect(o.cloud.RenameEnvironment("env-b", "")).To(Succeed())
		o.restart()
		lists(ctx, 3)
		Expect(o.names(ctx)).To(Equal([]string{"env-c"}))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(Equal(
			"1 environments; excluded, or without a known name, of spec.selector.ids: env-b"))
	})

	It("since the selector changed keeps its source until that is approved", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes)
		o.pass(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Selector.Exclude.IDs = append(d.Spec.Selector.Exclude.IDs, "env-b")
		})
		lists(ctx, 4)
		Expect(o.names(ctx)).To(ContainElement("env-b"))
		Expect(o.held(ctx)).To(Equal("True/ScopeChanged"))
	})

	It("is no other where the selector names the same in another order", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes, taking(identified("env-a", "env-b", "env-c")))
		o.pass(ctx, "org")
		scope := o.read(ctx, "org").Status.Environments.Scope
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		lists(ctx, 1)
		o.edit(ctx, "org", taking(identified("env-c", "env-b", "env-a")))
		lists(ctx, 4)
		Expect(o.read(ctx, "org").Status.Environments.Scope).To(Equal(scope))
		Expect(o.held(ctx)).To(BeEmpty())
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-c"}))
	})

	It("is named if the selector asks for an ID that is not listed", func(ctx SpecContext) {
		o.discovery(ctx, "org", taking(identified("env-typo", "env-a")))
		o.pass(ctx, "org")
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(Equal("1 environments; not listed, of spec.selector.ids: env-typo"))
	})
})

// held returns condition PruneHeld of the discovery org.
func (o *organization) held(ctx SpecContext) string {
	GinkgoHelper()
	return brief(o.read(ctx, "org").Status.Conditions, v1alpha1.ConditionPruneHeld)
}

var _ = Describe("A source of a discovery", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders")
	})

	It("that someone copied under another name is the copier's", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes)
		o.pass(ctx, "org")
		a := o.sources(ctx)["env-a"]
		mine := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: "mine", Namespace: o.namespace,
			Labels: a.Labels, Annotations: a.Annotations, OwnerReferences: a.OwnerReferences}, Spec: *a.Spec.DeepCopy()}
		mine.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
		Expect(k8s.Create(ctx, mine)).To(Succeed())
		o.discoverer.Drift(0).Create(event.CreateEvent{Object: mine})
		for range 4 {
			o.list(ctx, "org")
			Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
			Expect(o.read(ctx, "org").Status.Environments.Observed).To(BeEquivalentTo(3))
		}
		Expect(o.sources(ctx)["mine"].ResourceVersion).To(Equal(mine.ResourceVersion))
	})

	It("is taken back at once where it lost its owner, however long the discovery's name", func(ctx SpecContext) {
		name := strings.Repeat("o", 64)
		o.discovery(ctx, name)
		o.pass(ctx, name)
		Expect(o.ready(ctx, name)).To(Equal("True/Succeeded"))
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.OwnerReferences = nil })
		o.pass(ctx, name)
		Expect(o.sources(ctx)["env-a"].OwnerReferences).To(HaveLen(1))
		Expect(o.ready(ctx, name)).To(Equal("True/Succeeded"))
	})

	It("is controlled again where someone made its owner none that controls", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.OwnerReferences[0].Controller = ptr.To(false) })
		o.pass(ctx, "org")
		a := o.sources(ctx)["env-a"]
		Expect(metav1.IsControlledBy(&a, o.read(ctx, "org"))).To(BeTrue())
		Expect(a.OwnerReferences).To(HaveLen(1))
	})

	It("that is unmanaged has no owner, so that it is not deleted with the discovery, and is taken back without the mark", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) { s.Annotations[v1alpha1.AnnotationUnmanaged] = "true" })
		o.pass(ctx, "org")
		b := o.sources(ctx)["env-b"]
		Expect(b.OwnerReferences).To(BeEmpty())
		sources, _ := o.writes(func() { o.list(ctx, "org") })
		Expect(sources).To(BeZero(), "nothing of it is changed any more")
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) { delete(s.Annotations, v1alpha1.AnnotationUnmanaged) })
		o.pass(ctx, "org")
		b = o.sources(ctx)["env-b"]
		Expect(metav1.IsControlledBy(&b, o.read(ctx, "org"))).To(BeTrue())
	})

	It("that cannot go keeps the discovery from being ready, and is named", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { s.Finalizers = []string{"example.com/stuck"} })
		before := o.sources(ctx)["env-a"]
		Expect(k8s.Delete(ctx, before.DeepCopy())).To(Succeed())
		stuck := &v1alpha1.InventorySource{}
		Eventually(ctx, func() *metav1.Time {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(&before), stuck)).To(Succeed())
			return stuck.DeletionTimestamp
		}).ShouldNot(BeNil())
		Expect(o.discoverer.Drift(0).Update(event.UpdateEvent{ObjectOld: &before, ObjectNew: stuck})).To(BeTrue())
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("Unknown/Progressing"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(ContainSubstring("env-a"))
		o.list(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("Unknown/Progressing"))

		By("being made again once it is gone")
		stuck.Finalizers = nil
		Expect(k8s.Update(ctx, stuck)).To(Succeed())
		Eventually(ctx, func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(stuck), &v1alpha1.InventorySource{}) }).ShouldNot(Succeed())
		o.discoverer.Drift(0).Delete(event.DeleteEvent{Object: stuck})
		o.pass(ctx, "org")
		Expect(o.sources(ctx)["env-a"].UID).NotTo(Equal(before.UID))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
	})

	It("stays for its grace period, whatever someone writes into its annotation while the operator restarts", func(ctx SpecContext) {
		o.discovery(ctx, "org", prunes, func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Prune.GracePeriod = &metav1.Duration{Duration: 2 * time.Hour}
		})
		o.pass(ctx, "org")
		for range 12 { // Three hours.
			o.list(ctx, "org")
		}
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		o.list(ctx, "org")
		gone := o.clock.Now()
		o.restart()
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
			s.Annotations[v1alpha1.AnnotationMissingSince] = s.CreationTimestamp.UTC().Format(time.RFC3339)
		})
		o.pass(ctx, "org")
		for range 4 {
			o.list(ctx, "org")
			Expect(o.names(ctx)).To(ContainElement("env-b"))
		}
		o.clock.SetTime(gone.Add(2 * time.Hour))
		o.pass(ctx, "org")
		Expect(o.names(ctx)).NotTo(ContainElement("env-b"))
	})

	It("that is taken back between two listings is written once, and says since when once", func(ctx SpecContext) {
		o.clock.SetTime(o.clock.Now().Add(-3 * time.Second)) // The API server's clock is ahead, and is passed below.
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		old := o.newSource(func(s *v1alpha1.InventorySource) {
			s.Name, s.Spec.Environment, s.Labels = "env-old", "env-old", map[string]string{v1alpha1.LabelDiscovery: "org"}
		})
		Expect(k8s.Create(ctx, old)).To(Succeed())
		Expect(o.discoverer.Drift(0).Create(event.CreateEvent{Object: old})).To(BeTrue())
		o.pass(ctx, "org")
		since := o.sources(ctx)["env-old"].Annotations[v1alpha1.AnnotationMissingSince]
		Expect(since).To(Equal(o.clock.Now().UTC().Format(time.RFC3339)))
		sources, _ := o.writes(func() {
			for range 5 { // As the event of each write, or of any other source, brings about.
				o.clock.SetTime(o.clock.Now().Add(time.Second))
				o.pass(ctx, "org")
			}
			o.list(ctx, "org")
			o.restart()
			o.pass(ctx, "org")
		})
		Expect(sources).To(BeZero())
		Expect(o.sources(ctx)["env-old"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationMissingSince, since))
	})

	It("is named in the status as the pass leaves it that finds a rename", func(ctx SpecContext) {
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(o.cloud.RenameEnvironment("env-a", "payments-live")).To(Succeed())
		o.list(ctx, "org")
		Expect(o.read(ctx, "org").Status.Sources[0].DisplayName).To(Equal("payments-live"))
	})
})

var _ = Describe("A source that was handed over and that no listing ever had", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod", "env-b", "payments-dev", "env-c", "orders")
	})
	const foreign = "env-of-another-organization"
	hand := func(ctx SpecContext) {
		GinkgoHelper()
		s := o.newSource(func(s *v1alpha1.InventorySource) {
			s.Name, s.Spec.Environment, s.Labels = foreign, foreign, map[string]string{v1alpha1.LabelDiscovery: "org"}
		})
		Expect(k8s.Create(ctx, s)).To(Succeed())
		o.discoverer.Drift(0).Create(event.CreateEvent{Object: s})
	}
	suspend := func(ctx SpecContext, suspend bool) {
		GinkgoHelper()
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Suspend = suspend })
		o.pass(ctx, "org")
	}
	DescribeTable("is not deleted unasked", func(ctx SpecContext, hands func(ctx SpecContext)) {
		hands(ctx)
		for range 3 {
			o.list(ctx, "org")
		}
		o.restart()
		for range 4 {
			o.list(ctx, "org")
		}
		Expect(o.names(ctx)).To(ContainElement(foreign))
		Expect(o.held(ctx)).To(Equal("True/ScopeChanged"))

		By("the status saying so, of no other source")
		for _, s := range o.read(ctx, "org").Status.Sources {
			Expect(s.NeverListed).To(Equal(s.Environment == foreign), s.Environment)
		}

		By("another one that goes needing no approval for it")
		Expect(o.cloud.RemoveEnvironment("env-c")).To(Succeed())
		for range 3 {
			o.list(ctx, "org")
		}
		Expect(o.read(ctx, "org").Status.Environments.Held.Message).To(ContainSubstring(foreign))

		By("being the discovery's like any other once it is listed")
		o.environments(foreign, "found at last")
		o.list(ctx, "org")
		Expect(o.cloud.RemoveEnvironment(foreign)).To(Succeed())
		for range 3 {
			o.list(ctx, "org")
		}
		Expect(o.names(ctx)).To(Equal([]string{"env-a", "env-b"}))
	},
		Entry("if that was before its discovery was made", func(ctx SpecContext) {
			hand(ctx)
			o.discovery(ctx, "org", prunes)
		}),
		Entry("if that was before the first listing of a process", func(ctx SpecContext) {
			o.discovery(ctx, "org", prunes)
			o.pass(ctx, "org")
			o.list(ctx, "org")
			o.restart()
			hand(ctx)
		}),
		Entry("if that was between two listings", func(ctx SpecContext) {
			o.discovery(ctx, "org", prunes)
			o.pass(ctx, "org")
			hand(ctx)
		}),
		Entry("if that was while the discovery was suspended", func(ctx SpecContext) {
			o.discovery(ctx, "org", prunes)
			o.pass(ctx, "org")
			suspend(ctx, true)
			o.restart()
			o.pass(ctx, "org")
			hand(ctx)
			o.pass(ctx, "org")
			suspend(ctx, false)
		}),
		Entry("if the operator was restarted, too, while it was suspended", func(ctx SpecContext) {
			o.discovery(ctx, "org", prunes)
			o.pass(ctx, "org")
			suspend(ctx, true)
			hand(ctx)
			o.restart()
			o.pass(ctx, "org")
			o.restart()
			suspend(ctx, false)
		}),
	)
})
