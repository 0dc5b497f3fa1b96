// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// grant gives a user rights in the world's namespace, as the operator's roles do.
func (w *world) grant(ctx SpecContext, c client.Client, user, name string, rules ...rbacv1.PolicyRule) {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Name: name, Namespace: w.namespace}
	Expect(c.Create(ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules})).To(Succeed())
	Expect(c.Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})).To(Succeed())
}

// may is a rule of the API's own group or, where group says so, of another.
func may(group, verbs, resources string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Verbs: strings.Fields(verbs), Resources: strings.Fields(resources)}
}

var _ = Describe("A manager that lacks the rights of some features", func() {
	const user, enough = "limited-operator", time.Minute
	It("stops nothing else, says so once, and begins when the rights come", func(ctx SpecContext) {
		controller.AskAgain(time.Second)
		DeferCleanup(controller.AskAgain, 30*time.Second)
		o := newOrganization(ctx)
		w := o.world
		direct, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		w.seed(4, 2)
		o.environments("env-a", "a")
		const own, kept, status = "inventory.ccloud.dev", "list watch create patch delete", "patch"
		w.grant(ctx, direct, user, "core",
			may(own, kept, "inventorysources kafkaclusterobservations peeringobservations"),
			may(own, status, "inventorysources/status kafkaclusterobservations/status peeringobservations/status"),
			may(own, "update", "inventorysources/finalizers kafkaclusterobservations/finalizers"),
			may("", "get", "secrets"), may("events.k8s.io", "create", "events"))
		Expect(direct.Create(ctx, w.newSource(mirrorNetworks, func(s *v1alpha1.InventorySource) {
			s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		}))).To(Succeed())
		o.discovery(ctx, "org")
		mine := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: w.anyCluster().ID, Namespace: w.namespace}, Data: map[string]string{"mine": "yes"}}
		Expect(direct.Create(ctx, mine)).To(Succeed())

		var mu sync.Mutex
		var said []string
		logger := funcr.New(func(_, args string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, args)
		}, funcr.Options{})
		about := func(resource string) (lines int) {
			mu.Lock()
			defer mu.Unlock()
			for _, line := range said {
				if strings.Contains(line, "Rights are missing") && strings.Contains(line, " "+resource+" ") {
					lines++
				}
			}
			return lines
		}
		w.manage(log.IntoContext(ctx, logger), func(c *rest.Config) { c.Impersonate.UserName = user }, nil, func(o *controller.Options) { o.ConfigMaps = true })
		Eventually(ctx, func() string { return w.condition(ctx, v1alpha1.ConditionPeeringsSynced) }).WithTimeout(enough).Should(Equal("True/Succeeded"))
		Expect(w.clusters(ctx)).To(HaveLen(4))
		Expect(w.peerings(ctx)).To(HaveLen(2))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/ConfigMapsOff"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(ContainSubstring("may not list configmaps"))
		Expect(w.condition(ctx, v1alpha1.ConditionNetworksSynced)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionNetworksSynced)).To(ContainSubstring("may not list networkobservations"))
		Expect(o.read(ctx, "org").Status.Conditions).To(BeEmpty())

		By("beginning with the rights")
		w.grant(ctx, direct, user, "features",
			may(own, kept, "networkobservations"), may(own, status, "networkobservations/status environmentdiscoveries/status"),
			may(own, "list watch", "environmentdiscoveries"), may(own, "update", "environmentdiscoveries/finalizers"),
			may("", "list watch get create patch delete", "configmaps"))
		Eventually(ctx, func() string { return o.ready(ctx, "org") }).WithTimeout(enough).Should(Equal("True/Succeeded"))
		Expect(o.names(ctx)).To(ContainElement("env-a"))
		Eventually(ctx, func() int { return len(w.configMaps(ctx)) }).WithTimeout(enough).Should(Equal(4))
		w.patch(ctx, direct, `{"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"now"}}}`)
		Eventually(ctx, func() any { return w.networks(ctx) }).WithTimeout(enough).ShouldNot(BeEmpty())
		for _, resource := range []string{"configmaps", "environmentdiscoveries", "networkobservations"} {
			Expect(about(resource)).To(Equal(1), resource)
		}

		By("taking a name that became free when it is asked to")
		Eventually(ctx, func() string { return w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced) }).WithTimeout(enough).Should(Equal("False/NameConflict"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(ContainSubstring(mine.Name))
		Expect(direct.Delete(ctx, mine)).To(Succeed())
		w.patch(ctx, direct, `{"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"again"}}}`)
		Eventually(ctx, func() any { return w.configMaps(ctx)[mine.Name].Data }).WithTimeout(30 * time.Second).Should(HaveKeyWithValue("cluster.id", mine.Name))
	}, NodeTimeout(3*time.Minute))
})

var _ = Describe("A manager that may keep ConfigMaps and not list clusters", func() {
	DescribeTable("mirrors what it may, and begins with both when the rights come", func(ctx SpecContext, flag bool) {
		controller.AskAgain(time.Second)
		DeferCleanup(controller.AskAgain, 30*time.Second)
		w := newWorld(ctx)
		w.seed(2, 2)
		user := fmt.Sprint("without-clusters-", flag)
		direct, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		const own, kept, status, enough = "inventory.ccloud.dev", "list watch create patch delete", "patch", 2 * time.Minute
		w.grant(ctx, direct, user, "core",
			may(own, kept, "inventorysources peeringobservations networkobservations"),
			may(own, status, "inventorysources/status peeringobservations/status networkobservations/status"),
			may(own, "update", "inventorysources/finalizers kafkaclusterobservations/finalizers"),
			may("", "list watch get create patch delete", "configmaps"),
			may("", "get", "secrets"), may("events.k8s.io", "create", "events"))
		w.createSecret(ctx, apiKey, apiSecret)
		Expect(direct.Create(ctx, w.newSource(func(s *v1alpha1.InventorySource) {
			if flag {
				s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
			}
		}))).To(Succeed())
		var begun atomic.Int32 // lists and watches of clusters
		w.manage(ctx, func(c *rest.Config) { c.Impersonate.UserName = user }, func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/kafkaclusterobservations") {
					begun.Add(1)
				}
				return next.RoundTrip(r)
			})
		}, func(o *controller.Options) { o.ConfigMaps = flag })
		Eventually(ctx, func() (string, error) {
			if begun.Load() > 0 {
				return "", StopTrying("a controller began a watch that it may not")
			}
			return w.condition(ctx, v1alpha1.ConditionPeeringsSynced), nil
		}).WithTimeout(enough).Should(Equal("True/Succeeded"))
		Expect(w.condition(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(Equal("False/WriteFailed"))
		Expect(w.message(ctx, v1alpha1.ConditionKafkaClustersSynced)).To(ContainSubstring("may not list kafkaclusterobservations"))
		Expect(w.peerings(ctx)).To(HaveLen(2))

		w.grant(ctx, direct, user, "clusters", may(own, kept, "kafkaclusterobservations"), may(own, status, "kafkaclusterobservations/status"))
		asked := 0
		Eventually(ctx, func() int {
			asked++
			w.patch(ctx, direct, fmt.Sprintf(`{"metadata":{"annotations":{"inventory.ccloud.dev/requestedAt":"%d"}}}`, asked))
			return len(w.clusters(ctx))
		}).WithTimeout(enough).WithPolling(time.Second).Should(Equal(2))
		if flag {
			Eventually(ctx, func() int { return len(w.configMaps(ctx)) }).WithTimeout(enough).Should(Equal(2))
		}
	}, Entry("with the flag", NodeTimeout(5*time.Minute), true), Entry("without it", NodeTimeout(5*time.Minute), false))
})

var _ = Describe("A manager that gets the rights on ConfigMaps after the last sync", func() {
	It("has the status say at once that there are ConfigMaps", func(ctx SpecContext) {
		controller.AskAgain(time.Second)
		DeferCleanup(controller.AskAgain, 30*time.Second)
		const user, own, kept, status, enough = "without-configmaps", "inventory.ccloud.dev", "list watch create patch delete", "patch", 2 * time.Minute
		w := newWorld(ctx)
		direct, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		w.seed(4, 2)
		w.grant(ctx, direct, user, "core",
			may(own, kept, "inventorysources kafkaclusterobservations peeringobservations"),
			may(own, status, "inventorysources/status kafkaclusterobservations/status peeringobservations/status"),
			may(own, "update", "inventorysources/finalizers kafkaclusterobservations/finalizers"),
			may("", "get", "secrets"), may("events.k8s.io", "create", "events"))
		w.createSecret(ctx, apiKey, apiSecret)
		Expect(direct.Create(ctx, w.newSource(func(s *v1alpha1.InventorySource) {
			s.Spec.Interval = &metav1.Duration{Duration: 12 * time.Hour}
			s.Spec.KafkaClusters.ConfigMaps = v1alpha1.ConfigMapPolicyEnabled
		}))).To(Succeed())
		w.manage(ctx, func(c *rest.Config) { c.Impersonate.UserName = user }, nil, func(o *controller.Options) { o.ConfigMaps = true })
		Eventually(ctx, func() string { return w.condition(ctx, v1alpha1.ConditionReady) }).WithTimeout(enough).Should(Equal("False/ConfigMapsOff"))
		w.grant(ctx, direct, user, "features", may("", "list watch get create patch delete", "configmaps"))
		Eventually(ctx, func() int { return len(w.configMaps(ctx)) }).WithTimeout(enough).Should(Equal(4))
		Eventually(ctx, func() string { return w.condition(ctx, v1alpha1.ConditionReady) }).WithTimeout(enough).Should(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.ConfigMaps).To(BeTrue())
	}, NodeTimeout(5*time.Minute))
})

var _ = Describe("A kind that is ignored while its observations may not be read", func() {
	It("says which observations stay, across a restart, and deletes them when the right comes", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.seed(2, 3)
		w.createSource(ctx)
		w.reconcile(ctx)
		Expect(w.peerings(ctx)).To(HaveLen(3))
		observation := &v1alpha1.PeeringObservation{}
		denied := func() { w.reconciler.MayNotWatch(observation, "the operator may not list peeringobservations") }
		DeferCleanup(func() { w.reconciler.MayNotWatch(observation, "") })
		denied()
		w.change(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		for range 2 {
			w.sync(ctx)
			Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("False/WriteFailed"))
			Expect(w.message(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring("may not list peeringobservations"), ContainSubstring("the 3 that spec ignores")))
			Expect(w.source(ctx).Status.Peerings.Observed).To(BeEquivalentTo(3))
			w.restart()
			denied()
		}
		w.reconciler.MayNotWatch(observation, "")
		w.sync(ctx)
		Expect(w.peerings(ctx)).To(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
		Expect(w.source(ctx).Status.Peerings).To(BeNil())

		By("ignoring a kind that had none")
		denied()
		w.sync(ctx)
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	})
})

// blind is a client whose cache does not show one object, as one that shows a shard alone.
type blind struct {
	client.Client
	name string
}

func (b blind) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	if key.Name == b.name && kept(o) {
		return apierrors.NewNotFound(observations, key.Name)
	}
	return b.Client.Get(ctx, key, o, options...)
}

var _ = eachOwner("An object that the cache does not show", func(under side) {
	It("is named where it has the name of one to create, and left as it is", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		theirs := under.stranger(s.organization, s.id(1))
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		s.options().Cluster = blind{k8s, s.id(1)}
		s.create(ctx)
		s.later(s.pass(ctx).RequeueAfter)
		var told []string
		for range 4 {
			s.later(s.pass(ctx).RequeueAfter)
			told = append(told, s.ready(ctx))
		}
		Expect(told).To(HaveEach("False/NameConflict"))
		Expect(s.says(ctx, v1alpha1.ConditionReady)).To(And(ContainSubstring(s.id(1)), ContainSubstring("someone")))
		Expect(s.objects(ctx)[s.id(1)].GetResourceVersion()).To(Equal(theirs.GetResourceVersion()))
		Expect(s.objects(ctx)).To(HaveLen(3), "the others are made all the same")
	})
})

var _ = Describe("A discovery of a shard", func() {
	It("makes no source that would leave the shard, and says which labels its template lacks", func(ctx SpecContext) {
		o := newOrganization(ctx)
		o.environments("env-a", "a", "env-b", "b")
		shard, err := labels.Parse("shard=one")
		Expect(err).NotTo(HaveOccurred())
		o.reconciler.Selector = shard
		label := func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"shard": "one"}
		}
		o.discovery(ctx, "org")
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("False/WriteFailed"))
		Expect(o.says(ctx, "org", v1alpha1.ConditionReady)).To(And(ContainSubstring("shard=one"), ContainSubstring("spec.template.metadata.labels")))
		Expect(o.names(ctx)).To(BeEmpty())
		o.edit(ctx, "org", label)
		o.pass(ctx, "org")
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		Expect(o.names(ctx)).To(HaveLen(2))

		By("taking no source out of the shard that is there")
		o.edit(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) { d.Spec.Template.Metadata.Labels = nil })
		sources, _ := o.writes(func() { o.pass(ctx, "org") })
		Expect(sources).To(BeZero())
		Expect(o.ready(ctx, "org")).To(Equal("False/WriteFailed"))
		Expect(o.sources(ctx)["env-a"].Labels).To(HaveKeyWithValue("shard", "one"))
	})
})

// sharded is a client whose cache shows only the sources that a selector selects.
type sharded struct {
	client.Client
	labels.Selector
}

func (s sharded) Get(ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
	err := s.Client.Get(ctx, key, o, options...)
	if _, is := o.(*v1alpha1.InventorySource); err == nil && is && !s.Matches(labels.Set(o.GetLabels())) {
		return apierrors.NewNotFound(observations, key.Name)
	}
	return err
}

func (s sharded) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	err := s.Client.List(ctx, list, options...)
	if sources, is := list.(*v1alpha1.InventorySourceList); err == nil && is {
		sources.Items = slices.DeleteFunc(sources.Items, func(source v1alpha1.InventorySource) bool { return !s.Matches(labels.Set(source.Labels)) })
	}
	return err
}

var _ = Describe("A source of a discovery that lost the labels of its shard", func() {
	It("gets them back", func(ctx SpecContext) {
		o := newOrganization(ctx)
		o.environments("env-a", "a", "env-b", "b")
		shard, err := labels.Parse("shard=one")
		Expect(err).NotTo(HaveOccurred())
		o.reconciler.Selector, o.reconciler.Cluster = shard, sharded{k8s, shard}
		o.discovery(ctx, "org", func(d *v1alpha1.EnvironmentDiscovery) {
			d.Spec.Template.Metadata.Labels = map[string]v1alpha1.LabelValue{"shard": "one"}
		})
		o.pass(ctx, "org")
		before := o.sources(ctx)["env-a"]
		stripped := before.DeepCopy()
		delete(stripped.Labels, "shard")
		Expect(k8s.Update(ctx, stripped)).To(Succeed())
		o.discoverer.Drift(0).Delete(event.DeleteEvent{Object: &before}) // As a watch with a selector shows it.
		for range 3 {
			o.clock.SetTime(o.clock.Now().Add(time.Second))
			o.pass(ctx, "org")
		}
		after := o.sources(ctx)["env-a"]
		Expect(after.Labels).To(HaveKeyWithValue("shard", "one"))
		Expect(after.UID).To(Equal(before.UID))
		Expect(o.ready(ctx, "org")).To(Equal("True/Succeeded"))
		sources, _ := o.writes(func() { o.list(ctx, "org") })
		Expect(sources).To(BeZero())
	})
})

var _ = eachOwner("An unchanged listing", func(under side) {
	It("costs one request to the cloud, one write of the status, and no look at the objects", func(ctx SpecContext) {
		s := newSubject(ctx, under, 3)
		seen := &observed{Client: k8s}
		s.options().Cluster = seen
		s.create(ctx)
		s.pass(ctx)
		seen.lists = 0
		for range 3 {
			before := s.read(ctx).GetResourceVersion()
			Expect(s.written(func() { Expect(s.asked(func() { s.sync(ctx) })).To(Equal(1)) })).To(BeZero())
			Expect(s.read(ctx).GetResourceVersion()).NotTo(Equal(before))
			Expect(s.summary(ctx).LastListTime.Time).To(BeTemporally("==", s.clock.Now()))
		}
		Expect(seen.lists).To(BeZero(), "nothing is decoded, projected or compared again")
		s.fail(1, cloudsim.Status(503, "", nil))
		s.sync(ctx)
		Expect(s.ready(ctx)).To(Equal("False/CloudUnavailable"))
		s.sync(ctx)
		Expect(s.ready(ctx)).To(Equal("True/Succeeded"))
	})
})
