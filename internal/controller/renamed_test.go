// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

var _ = Describe("A rename in the cloud", func() {
	var o *organization
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-b", "payments-b")
		for i := range 10 {
			id := fmt.Sprintf("lkc-%d", i)
			o.cloud.PutCluster(cloudsim.Cluster{ID: id, Spec: cloudsim.ClusterSpec{DisplayName: id, Environment: cloudsim.Reference{ID: "env-b"}},
				Status: cloudsim.ClusterStatus{Phase: cloudsim.PhaseProvisioned}})
		}
	})
	syncs := func(ctx SpecContext, times int) {
		GinkgoHelper()
		for range times {
			o.clock.SetTime(o.clock.Now().Add(10 * time.Minute))
			o.reconciler.Budgets = budget.New(1000, 1000)
			o.one(ctx, "env-b")
		}
	}
	spec := func(ctx SpecContext) v1alpha1.MirrorSettings { return o.sources(ctx)["env-b"].Spec.MirrorSettings }
	remove := func(n int) {
		for i := range n {
			Expect(o.cloud.RemoveCluster(fmt.Sprintf("lkc-%d", i))).To(Succeed())
		}
	}
	const kept = "renamed, but kept with the overrides of the former name, because those of the new one change what is mirrored, " +
		"pruned or in ConfigMaps: env-b; select them by ids in spec.overrides"

	DescribeTable("changes by itself no setting that decides", func(ctx SpecContext, missing int, override, decision string, template func(*v1alpha1.MirrorSettings)) {
		former := `{"selector": {"displayNames": ["payments-*"]}, "spec": ` + override + `}`
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { template(&d.Spec.Template.Spec.MirrorSettings) })
		o.override(ctx, `[`+former+`]`)
		o.pass(ctx, "org")
		syncs(ctx, 2)
		remove(missing)
		syncs(ctx, 4)
		Expect(o.clusters(ctx)).To(HaveLen(10))
		before := spec(ctx)
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-b")).To(Succeed())
		o.list(ctx, "org")
		syncs(ctx, 4)
		Expect(spec(ctx)).To(Equal(before))
		Expect(o.clusters(ctx)).To(HaveLen(10))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(HaveSuffix(kept))
		Expect(o.read(ctx, "org").Status.Sources).To(ContainElement(HaveField("DisplayName", "payments-b")))

		By("saying so in a preview")
		preview := func(on bool) {
			patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec": {"preview": %t}}`, on))
			Expect(k8s.Patch(ctx, o.read(ctx, "org"), patch)).To(Succeed())
		}
		preview(true)
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Preview"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(HaveSuffix(kept))
		Expect(o.read(ctx, "org").Status.Preview.ChangeCount).To(BeZero())

		By("until a person selects the environment by its ID")
		preview(false)
		for _, wants := range []string{override, decision} {
			o.override(ctx, `[`+former+`, {"selector": {"ids": ["env-b"]}, "spec": `+wants+`}]`)
			o.pass(ctx, "org")
			Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).NotTo(ContainSubstring("renamed"))
			Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "Payments-b"))
			Expect(equality.Semantic.DeepEqual(spec(ctx), before)).To(Equal(wants == override))
		}
	},
		Entry("that a missing observation is retained", 1, `{"prune": {"policy": "Retain"}}`, `{"prune": {"policy": "Delete"}}`,
			func(*v1alpha1.MirrorSettings) {}),
		Entry("that a prune is held", 4, `{"prune": {"maxPercent": 5}}`, `{"prune": {"maxPercent": 50}}`,
			func(s *v1alpha1.MirrorSettings) { s.Prune.MaxPercent = ptr.To[int32](50) }),
		Entry("the keys and the content of ConfigMaps", 0, `{"kafkaClusters": {"configMapKeys": "Environment", "configMapContent": "Endpoints"}}`,
			`{"kafkaClusters": {"configMapKeys": "Properties", "configMapContent": "All"}}`,
			func(s *v1alpha1.MirrorSettings) {
				s.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
				s.KafkaClusters.ConfigMapKeys, s.KafkaClusters.ConfigMapContent = v1alpha1.ConfigMapKeysProperties, v1alpha1.ConfigMapContentAll
			}),
		Entry("a filter, nor that nothing is held", 0, `{"kafkaClusters": {"networks": []}, "prune": {"maxPercent": 20}}`,
			`{"kafkaClusters": {"networks": ["n-1"]}, "prune": {"maxPercent": 100}}`,
			func(s *v1alpha1.MirrorSettings) {
				s.KafkaClusters.Networks, s.Prune.MaxPercent = []v1alpha1.Identifier{"n-1"}, ptr.To[int32](100)
			}),
	)

	mirroring := func(ctx SpecContext) {
		GinkgoHelper()
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		}, overriding(`[{"selector": {"displayNames": ["payments-*"]}, "spec": {"kafkaClusters": {"policy": "Mirror"}}}]`))
	}

	It("is not let through by an edit of the source", func(ctx SpecContext) {
		mirroring(ctx)
		o.pass(ctx, "org")
		syncs(ctx, 2)
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-b")).To(Succeed())
		o.list(ctx, "org")
		for _, edit := range []func(*v1alpha1.InventorySource){
			func(s *v1alpha1.InventorySource) { s.Annotations[v1alpha1.AnnotationEnvironmentName] = "Payments-b" },
			func(s *v1alpha1.InventorySource) { delete(s.Annotations, v1alpha1.AnnotationEnvironmentName) },
			func(s *v1alpha1.InventorySource) { s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore },
		} {
			o.change(ctx, "env-b", edit)
			Expect(o.calls(func() { o.pass(ctx, "org") })).To(BeZero())
			o.one(ctx, "env-b")
			Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "payments-b"))
			Expect(o.clusters(ctx)).To(HaveLen(10))
		}
	})

	It("that never was is not taken from an edit of a source, right after the first listing", func(ctx SpecContext) {
		o.environments("env-b", "dev-b")
		mirroring(ctx)
		o.pass(ctx, "org")
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
			s.Annotations[v1alpha1.AnnotationEnvironmentName] = "payments-x"
			s.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyMirror
		})
		Expect(o.calls(func() { o.pass(ctx, "org") })).To(BeZero())
		Expect(spec(ctx).KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
		Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "dev-b"))
	})

	It("may have come before a source is handed over whose environment is not listed yet", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, o.newSource(func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = "env-b", "env-b" }))).To(Succeed())
		syncs(ctx, 2)
		mirroring(ctx)
		o.pass(ctx, "org")
		o.restart()
		o.cloud.RemoveKey(apiKey)
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
			metav1.SetMetaDataLabel(&s.ObjectMeta, v1alpha1.LabelDiscovery, "org")
		})
		before := spec(ctx)
		o.list(ctx, "org")
		b := o.sources(ctx)["env-b"]
		Expect(metav1.IsControlledBy(&b, o.read(ctx, "org"))).To(BeTrue())
		Expect(spec(ctx)).To(Equal(before), "an override may mirror its clusters")
		o.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
		syncs(ctx, 1)
		o.list(ctx, "org")
		Expect(spec(ctx).KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
		Expect(o.sources(ctx)["env-b"].Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationEnvironmentName, "payments-b"))
		syncs(ctx, 1)
		Expect(o.clusters(ctx)).To(HaveLen(10))
	})
})

// The template ignores clusters, and an override mirrors those of payments-*. A source has its settings
// by a name of which the status does not know yet.
var _ = Describe("A source that a discovery took", func() {
	var o *organization
	mirrorPayments := func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Template.Spec.KafkaClusters.Policy = v1alpha1.MirrorPolicyIgnore
		overriding(`[{"selector": {"displayNames": ["payments-*"]}, "spec": {"kafkaClusters": {"policy": "Mirror"}}}]`)(d)
	}
	BeforeEach(func(ctx SpecContext) {
		o = newOrganization(ctx)
		o.environments("env-b", "payments-b")
	})
	expectMirrored := func(ctx SpecContext) {
		GinkgoHelper()
		Expect(o.sources(ctx)["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyMirror))
	}
	byHand := func(ctx SpecContext) {
		Expect(k8s.Create(ctx, o.newSource(func(s *v1alpha1.InventorySource) { s.Name, s.Spec.Environment = "env-b", "env-b" }))).To(Succeed())
	}
	handOver := func(s *v1alpha1.InventorySource) {
		metav1.SetMetaDataLabel(&s.ObjectMeta, v1alpha1.LabelDiscovery, "org")
	}

	for _, restart := range []bool{false, true} {
		It(fmt.Sprintf("from another, between two syncs, keeps its settings in a rename, restart %v", restart), func(ctx SpecContext) {
			o.discovery(ctx, "first", mirrorPayments, taking(v1alpha1.EnvironmentMatch{IDs: identified("env-b").IDs}))
			o.pass(ctx, "first")
			o.discovery(ctx, "org", mirrorPayments)
			o.pass(ctx, "org")
			both := func() {
				for range 2 {
					o.pass(ctx, "first")
					o.pass(ctx, "org")
				}
			}
			o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
				s.Annotations[v1alpha1.AnnotationUnmanaged] = "true"
				handOver(s)
			})
			both()
			o.edit(ctx, "first", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Suspend = true })
			o.list(ctx, "org")
			o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) { delete(s.Annotations, v1alpha1.AnnotationUnmanaged) })
			both()
			expectMirrored(ctx)
			if restart {
				o.restart()
			}
			Expect(o.cloud.RenameEnvironment("env-b", "Payments-b")).To(Succeed())
			o.list(ctx, "org")
			expectMirrored(ctx)
		})
	}

	It("is not deleted without an approval, if the API server refused to give it over", func(ctx SpecContext) {
		byHand(ctx)
		o.environments("env-c", "c", "env-d", "d", "env-e", "e")
		api := &gate{Client: o.reconciler.Cluster}
		api.refuse = func(verb, name string) error {
			if verb == "patch" && name == "env-b" {
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			}
			return nil
		}
		o.reconciler.Cluster = api
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete })
		pass := func() {
			GinkgoHelper()
			_, err := o.discoverer.Reconcile(ctx, requestFor(o.read(ctx, "org")))
			Expect(err).NotTo(HaveOccurred())
		}
		pass()
		o.change(ctx, "env-b", handOver)
		next := func() {
			GinkgoHelper()
			o.clock.SetTime(o.read(ctx, "org").Status.NextSyncTime.Add(time.Second))
			pass()
		}
		next()
		Expect(o.read(ctx, "org").Status.Sources[0].NeverListed).To(BeTrue())
		Expect(o.cloud.RemoveEnvironment("env-b")).To(Succeed())
		for range 4 {
			next()
		}
		Expect(o.sources(ctx)).To(HaveKey("env-b"))
	})

	It("has no settings by a name that someone wrote into it before", func(ctx SpecContext) {
		o.environments("env-b", "dev-b")
		byHand(ctx)
		o.change(ctx, "env-b", handOver)
		o.discovery(ctx, "org", mirrorPayments, func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = true })
		o.pass(ctx, "org")
		o.change(ctx, "env-b", func(s *v1alpha1.InventorySource) {
			s.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(o.read(ctx, "org"), v1alpha1.GroupVersion.WithKind("EnvironmentDiscovery"))}
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationEnvironmentName, "payments-x")
		})
		o.list(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		o.list(ctx, "org")
		Expect(o.sources(ctx)["env-b"].Spec.KafkaClusters.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
	})

	for _, restart := range []bool{false, true} {
		It(fmt.Sprintf("and whose environment has no name follows the template, though the status was not written, restart %v", restart), func(ctx SpecContext) {
			o.cloud.RemoveKey(apiKey)
			o.environments("env-b", "")
			o.discovery(ctx, "org", overriding(`[{"selector": {"displayNames": ["payments-*"]}, "spec": {"networks": {"policy": "Mirror"}}}]`))
			o.pass(ctx, "org")
			o.cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
			usual := o.reconciler.Cluster
			o.reconciler.Cluster = &withoutStatus{usual}
			o.clock.SetTime(o.read(ctx, "org").Status.NextSyncTime.Add(time.Second))
			_, err := o.discoverer.Reconcile(ctx, requestFor(o.read(ctx, "org")))
			Expect(err).To(HaveOccurred())
			Expect(o.sources(ctx)).To(HaveKey("env-b"))
			if restart {
				o.restart()
			}
			o.reconciler.Cluster = usual
			o.pass(ctx, "org")
			o.list(ctx, "org")
			Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
			o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
				d.Spec.Template.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
			})
			o.pass(ctx, "org")
			o.list(ctx, "org")
			Expect(o.sources(ctx)["env-b"].Spec.Peerings.Policy).To(Equal(v1alpha1.MirrorPolicyIgnore))
		})
	}

	It("after a preview keeps its settings in a rename, though the manager ended before the status", func(ctx SpecContext) {
		byHand(ctx)
		o.discovery(ctx, "org", mirrorPayments, func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = true })
		o.pass(ctx, "org")
		o.change(ctx, "env-b", handOver)
		o.list(ctx, "org")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Preview = false })
		usual := o.reconciler.Cluster
		o.reconciler.Cluster = &withoutStatus{usual}
		_, err := o.discoverer.Reconcile(ctx, requestFor(o.read(ctx, "org")))
		Expect(err).To(HaveOccurred())
		o.restart()
		o.reconciler.Cluster = usual
		expectMirrored(ctx)
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-b")).To(Succeed())
		o.list(ctx, "org")
		expectMirrored(ctx)
	})

	It("keeps its settings in a rename, though a policy drops the name from it and the manager starts again", func(ctx SpecContext) {
		strip := &gate{Client: k8s, stored: func(stored client.Object) {
			if source, is := stored.(*v1alpha1.InventorySource); is && source.Annotations[v1alpha1.AnnotationEnvironmentName] != "" {
				delete(source.Annotations, v1alpha1.AnnotationEnvironmentName)
				Expect(k8s.Update(ctx, source)).To(Succeed())
			}
		}}
		o.reconciler.Cluster = strip
		o.discovery(ctx, "org", mirrorPayments)
		reconcileOrg := func() {
			GinkgoHelper()
			_, err := o.discoverer.Reconcile(ctx, requestFor(o.read(ctx, "org")))
			Expect(err).NotTo(HaveOccurred())
			expectMirrored(ctx)
		}
		reconcileOrg()
		o.restart()
		o.reconciler.Cluster = strip
		Expect(o.cloud.RenameEnvironment("env-b", "Payments-b")).To(Succeed())
		reconcileOrg()
	})
})

// withoutStatus writes no status.
type withoutStatus struct{ client.Client }

func (w *withoutStatus) Status() client.SubResourceWriter { return refusedStatus{w.Client.Status()} }

type refusedStatus struct{ client.SubResourceWriter }

func (refusedStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return errOutOfOrder
}
