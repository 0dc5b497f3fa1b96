// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

var _ = Describe("The message about a source's name that is taken", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-a", "payments-prod")
	})
	write := func(ctx SpecContext, name, environment string, changes ...func(*v1alpha1.InventorySource)) {
		GinkgoHelper()
		s := o.newSource(append(changes, func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = name, environment })...)
		Expect(k8s.Create(ctx, s)).To(Succeed())
	}
	says := func(ctx SpecContext) string { return o.says(ctx, "org", v1alpha1.ConditionReady) }

	It("has the whole command, however many sources people wrote", func(ctx SpecContext) {
		for i := range 30 {
			id := fmt.Sprintf("env-%02d-%s", i, strings.Repeat("x", 100))
			o.environments(id, id)
			write(ctx, id, id)
		}
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("False/NameConflict"))
		Expect(says(ctx)).To(And(ContainSubstring(" and 26 more; "),
			HaveSuffix("kubectl -n "+o.namespace+" label --overwrite inventorysource/NAME inventory.ccloud.dev/discovery=org")))
	})

	It("names a way that takes a source over from another discovery", func(ctx SpecContext) {
		o.discovery(ctx, "first", taking(v1alpha1.EnvironmentMatch{IDs: identified("env-a").IDs}))
		o.pass(ctx, "first")
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(says(ctx)).To(And(
			ContainSubstring("sources of other discoveries have the names of its own: env-a (controlled by EnvironmentDiscovery/first)"),
			ContainSubstring("annotate --overwrite inventorysource/NAME inventory.ccloud.dev/unmanaged=true, then "),
			ContainSubstring("label --overwrite inventorysource/NAME inventory.ccloud.dev/discovery=org, and once the ownerReference is gone "),
			HaveSuffix("annotate inventorysource/NAME inventory.ccloud.dev/unmanaged-")))
		uid := o.sources(ctx)["env-a"].UID
		both := func() {
			GinkgoHelper()
			for range 2 {
				o.pass(ctx, "first")
				o.pass(ctx, "org")
			}
		}
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) {
			s.Annotations[v1alpha1.AnnotationUnmanaged] = "true"
			s.Labels[v1alpha1.LabelDiscovery] = "org"
		})
		both()
		Expect(o.sources(ctx)["env-a"].OwnerReferences).To(BeEmpty())
		o.change(ctx, "env-a", func(s *v1alpha1.InventorySource) { delete(s.Annotations, v1alpha1.AnnotationUnmanaged) })
		both()
		a := o.sources(ctx)["env-a"]
		Expect(metav1.IsControlledBy(&a, o.read(ctx, "org"))).To(BeTrue())
		Expect(a.UID).To(Equal(uid))
		o.list(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
	})

	It("does not ask to hand over what cannot be handed over", func(ctx SpecContext) {
		o.environments("env-b", "payments-dev")
		write(ctx, "env-a", "env-other")
		write(ctx, "env-b", "env-b", func(s *v1alpha1.InventorySource) {
			yes := true
			s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "1", Controller: &yes}}
		})
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(says(ctx)).To(Equal("sources that cannot be handed over have the names of its own: env-a (of env-other, no controller), " +
			"env-b (controlled by ConfigMap/x); exclude the environments of these names, or delete the sources"))
	})

	It("is cut in the event with a hint to the condition", func(ctx SpecContext) {
		for i := range 10 {
			id := fmt.Sprintf("env-%02d-%s", i, strings.Repeat("x", 100))
			o.environments(id, id)
			write(ctx, id, map[bool]string{true: id, false: "env-other"}[i < 5])
		}
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(len(says(ctx))).To(BeNumerically(">", 1000))
		Expect(o.recorded()).To(ContainElement(And(ContainSubstring("NameConflict"), HaveSuffix("… see condition Ready"))))
	})
})
