// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

var _ = Describe("The manager", Ordered, func() {
	var namespace string
	BeforeAll(func() {
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environment, Clusters: 250, Peerings: 20, Seed: 1})
	})
	BeforeEach(func(ctx SpecContext) { namespace = newNamespace(ctx) })

	It("mirrors the cloud with the rights of its own role, and elects itself leader", func(ctx SpecContext) {
		manager := start(ctx, "--leader-elect", "--leader-election-namespace="+stage.Namespace, "--observation-metrics")
		createSource(ctx, namespace)
		source := awaitSyncs(ctx, namespace, 1)
		Expect(meta.IsStatusConditionTrue(source.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		Expect(clusters(ctx, Default, namespace)).To(HaveLen(250))

		By("writing nothing to observations while nothing changes, by the API server's own count")
		observations, sources := managerWrites(namespace, "kafkaclusterobservations"), managerWrites(namespace, "inventorysources")
		Expect(observations).To(HaveLen(2 * 250))
		awaitSyncs(ctx, namespace, 3)
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(len(observations)))
		Expect(managerWrites(namespace, "peeringobservations")).To(HaveLen(2 * 20))
		// Two more syncs than the one awaited first, and perhaps one under way.
		Expect(len(managerWrites(namespace, "inventorysources")) - len(sources)).To(BeNumerically("<=", 3))

		By("serving the metrics of the contract")
		metrics := scrape(manager)
		for _, series := range []string{
			`ccloud_inventory_sync_total{kind="KafkaCluster",result="Succeeded"}`,
			`ccloud_inventory_sync_duration_seconds_count{kind="Peering"}`,
			`ccloud_inventory_source_last_success_timestamp_seconds{name="prod",namespace="` + namespace + `"}`,
			`ccloud_inventory_source_stale_timestamp_seconds{kind="KafkaCluster",name="prod",namespace="` + namespace + `"}`,
			`ccloud_inventory_observations{kind="Peering",name="prod",namespace="` + namespace + `",phase="READY"}`,
			`ccloud_inventory_writes_total{kind="KafkaCluster",result="success",verb="create"} 250`,
			`ccloud_inventory_writes_skipped_total{kind="KafkaCluster"}`,
			`ccloud_inventory_prune_held{kind="KafkaCluster",name="prod",namespace="` + namespace + `"} 0`,
			`ccloud_inventory_cloud_requests_total{code="200",operation="listCmkV2Clusters"}`,
			`ccloud_inventory_cloud_request_duration_seconds_count{operation="listNetworkingV1Peerings"}`,
			`ccloud_inventory_cloud_rate_limit_remaining{name="prod",namespace="` + namespace + `"}`,
			`ccloud_inventory_build_info{`,
			`ccloud_inventory_kafka_cluster_info{`,
			`ccloud_inventory_peering_info{`,
		} {
			Expect(metrics).To(ContainSubstring(series))
		}
	})

	It("puts back at once what someone edits or deletes, and neither asks the cloud nor looks at anything else", func(ctx SpecContext) {
		manager := start(ctx)
		createSource(ctx, namespace, func(s *v1alpha1.InventorySource) {
			s.Spec.Interval = &metav1.Duration{Duration: time.Hour}
		})
		awaitSyncs(ctx, namespace, 1)
		id := scene.Cloud.Clusters(environment)[0].ID
		// What whole passes count: requests, and observations compared.
		counted := regexp.MustCompile(`(?m)^ccloud_inventory_(cloud_requests|writes_skipped)_total.*$`)
		before := counted.FindAllString(scrape(manager), -1)
		Expect(before).To(HaveLen(5), "one for each operation that was asked, one for each kind")

		edited := readCluster(ctx, Default, namespace, id)
		phase := edited.Status.Phase
		edited.Status.Phase = "GONE"
		Expect(k8s.Status().Update(ctx, edited)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(readCluster(ctx, g, namespace, id).Status.Phase).To(Equal(phase))
		}).Should(Succeed())

		deleted := readCluster(ctx, Default, namespace, id)
		Expect(k8s.Delete(ctx, deleted)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			again := readCluster(ctx, g, namespace, id)
			g.Expect(again.UID).NotTo(Equal(deleted.UID))
			g.Expect(again.Status.Phase).To(Equal(phase))
		}).Should(Succeed())
		Expect(counted.FindAllString(scrape(manager), -1)).To(Equal(before))
	})

	It("syncs when requestedAt says so, and tells a change of phase in an event", func(ctx SpecContext) {
		start(ctx)
		createSource(ctx, namespace)
		source := awaitSyncs(ctx, namespace, 1)
		source.Spec.Interval = &metav1.Duration{Duration: time.Hour}
		Expect(k8s.Update(ctx, source)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			source = readSource(ctx, g, namespace)
			g.Expect(source.Status.ObservedGeneration).To(Equal(source.Generation))
		}).Should(Succeed())

		changed := scene.Cloud.Clusters(environment)[1]
		Expect(scene.Cloud.SetClusterPhase(changed.ID, "RESTING")).To(Succeed())
		DeferCleanup(scene.Cloud.SetClusterPhase, changed.ID, changed.Status.Phase)
		metav1.SetMetaDataAnnotation(&source.ObjectMeta, v1alpha1.AnnotationRequestedAt, "please")
		Expect(k8s.Update(ctx, source)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(readSource(ctx, g, namespace).Status.LastHandledReconcileAt).To(Equal("please"))
		}).Should(Succeed())
		o := readCluster(ctx, Default, namespace, changed.ID)
		Expect(meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonUnknownPhase))
		Eventually(ctx, func(g Gomega) {
			events := &eventsv1.EventList{}
			g.Expect(k8s.List(ctx, events, client.InNamespace(namespace))).To(Succeed())
			g.Expect(events.Items).To(ContainElement(And(
				HaveField("Regarding.Name", changed.ID),
				HaveField("Reason", "PhaseChanged"),
				HaveField("Note", ContainSubstring("to RESTING")))))
		}).Should(Succeed())
	})

	It("uses a new credential at once where it may watch Secrets", func(ctx SpecContext) {
		Expect(scene.Grant(ctx, "secret-watch")).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(scene.Grant(ctx)).To(Succeed()) })
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "ccloud", Namespace: namespace}}
		setSecret := func(value string) {
			GinkgoHelper()
			Expect(k8s.Patch(ctx, secret, client.RawPatch(types.MergePatchType, []byte(`{"stringData":{"api-secret":"`+value+`"}}`)))).To(Succeed())
		}
		setSecret("refused")
		start(ctx)
		createSource(ctx, namespace, func(s *v1alpha1.InventorySource) { s.Spec.Interval = &metav1.Duration{Duration: time.Hour} })
		ready := func(g Gomega) *metav1.Condition {
			c := meta.FindStatusCondition(readSource(ctx, g, namespace).Status.Conditions, v1alpha1.ConditionReady)
			g.Expect(c).NotTo(BeNil())
			return c
		}
		Eventually(ctx, func(g Gomega) { g.Expect(ready(g).Reason).To(Equal(v1alpha1.ReasonUnauthenticated)) }).Should(Succeed())
		setSecret(stage.APISecret)
		Eventually(ctx, func(g Gomega) { g.Expect(ready(g).Status).To(Equal(metav1.ConditionTrue)) }).Should(Succeed())
	})

	It("writes nothing when it is killed and started again, and outlives the API server's restart", func(ctx SpecContext) {
		killed := start(ctx)
		createSource(ctx, namespace)
		awaitSyncs(ctx, namespace, 1)
		before := managerWrites(namespace, "kafkaclusterobservations")
		killed.Kill()
		manager := start(ctx)
		awaitSyncs(ctx, namespace, 2)
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(len(before)))

		Expect(scene.Plane.RestartAPIServer(ctx)).To(Succeed())
		awaitSyncs(ctx, namespace, 2)
		Consistently(manager.Ended(), "100ms").ShouldNot(BeClosed())
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(len(before)))
	})

	It("gives its Lease back when it ends, so that the next one goes on at once and rewrites nothing", func(ctx SpecContext) {
		elect := []string{"--leader-elect", "--leader-election-namespace=" + namespace}
		_, err := scene.Kubectl(ctx, "create", "rolebinding", "lease", "--namespace="+namespace,
			"--clusterrole=cluster-admin", "--serviceaccount="+stage.Namespace+":"+stage.ServiceAccount)
		Expect(err).NotTo(HaveOccurred())
		holder := func() string {
			leases := &coordinationv1.LeaseList{}
			Expect(k8s.List(ctx, leases, client.InNamespace(namespace))).To(Succeed())
			Expect(leases.Items).To(HaveLen(1))
			return ptr.Deref(leases.Items[0].Spec.HolderIdentity, "")
		}
		first := start(ctx, elect...)
		createSource(ctx, namespace)
		awaitSyncs(ctx, namespace, 1)
		Expect(holder()).NotTo(BeEmpty())
		before := managerWrites(namespace, "kafkaclusterobservations")
		Expect(first.Stop()).To(Succeed())
		Expect(holder()).To(BeEmpty())
		start(ctx, elect...)
		awaitSyncs(ctx, namespace, 2)
		Expect(holder()).NotTo(BeEmpty())
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(len(before)))
	})

	It("ends orderly in the middle of its first writes, and the next one finishes them", func(ctx SpecContext) {
		first := start(ctx, "--concurrent-writes=1")
		createSource(ctx, namespace)
		Eventually(ctx, func(g Gomega) { g.Expect(len(clusters(ctx, g, namespace))).To(BeNumerically(">", 5)) }).WithPolling(time.Millisecond).Should(Succeed())
		Expect(first.Stop()).To(Succeed())
		Expect(len(clusters(ctx, Default, namespace))).To(BeNumerically("<", 250), "it did not wait for all of them")
		start(ctx)
		awaitSyncs(ctx, namespace, 1)
		for _, o := range clusters(ctx, Default, namespace) {
			Expect(o.Status.Phase).NotTo(BeEmpty(), o.Name)
			Expect(o.Status.Conditions).NotTo(BeEmpty(), o.Name)
		}
		Expect(clusters(ctx, Default, namespace)).To(HaveLen(250))
	})

	It("leaves the rest to the garbage collector when a source is deleted", func(ctx SpecContext) {
		manager := start(ctx)
		createSource(ctx, namespace)
		source := awaitSyncs(ctx, namespace, 1)
		Expect(k8s.Delete(ctx, source)).To(Succeed())
		Eventually(ctx, func(g Gomega) {
			g.Expect(clusters(ctx, g, namespace)).To(BeEmpty())
		}).WithTimeout(garbageTime).Should(Succeed())
		Expect(managerWrites(namespace, "kafkaclusterobservations")).NotTo(ContainElement(HavePrefix("delete")))
		Eventually(ctx, func(g Gomega) {
			g.Expect(scrape(manager)).NotTo(ContainSubstring(namespace))
		}).Should(Succeed())
		Expect(scene.Cloud.Clusters(environment)).To(HaveLen(250), "nothing is ever deleted in the cloud")
	})

	DescribeTable("refuses a bad flag and names it", func(flag, value string) {
		out, err := exec.Command(filepath.Join(dir, "manager"), flag+"="+value).CombinedOutput()
		Expect(err).To(HaveOccurred())
		Expect(string(out)).To(ContainSubstring(flag))
	},
		Entry(nil, "--concurrent-syncs", "0"),
		Entry(nil, "--requests-per-second", "-1"),
		Entry(nil, "--allowed-endpoints", "ftp://example.com"),
		Entry(nil, "--watch-label-selector", "a in ("),
		Entry(nil, "--interval-jitter-percent", "80"),
	)
})
