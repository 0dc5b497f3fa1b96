// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	"github.com/ccloud-dev/inventory-operator/internal/controller"
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
		awaitWrites(ctx, namespace, "kafkaclusterobservations", 2*250)
		awaitWrites(ctx, namespace, "peeringobservations", 2*20)
		before := syncs(manager)
		written := len(managerWrites(namespace, "inventorysources"))
		awaitSyncs(ctx, namespace, 2)
		written = len(managerWrites(namespace, "inventorysources")) - written
		// The first of these may have been counted before, and written after.
		Expect(written).To(BeNumerically("<=", syncs(manager)-before+1), "at most one a sync")
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(2 * 250))
		Expect(managerWrites(namespace, "peeringobservations")).To(HaveLen(2 * 20))

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
		Expect(before).To(HaveLen(2+len(controller.Kinds())), "one for each operation that was asked, one for each kind")

		edited := readCluster(ctx, Default, namespace, id)
		phase := edited.Status.Phase
		Expect(k8s.Status().Patch(ctx, edited, client.RawPatch(types.MergePatchType, []byte(`{"status":{"phase":"GONE"}}`)))).To(Succeed())
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
		awaitSyncs(ctx, namespace, 1)
		patch(ctx, sourceIn(namespace), `{"spec":{"interval":"1h"}}`)
		Eventually(ctx, func(g Gomega) {
			source := readSource(ctx, g, namespace)
			g.Expect(source.Status.ObservedGeneration).To(Equal(source.Generation))
		}).Should(Succeed())

		changed := scene.Cloud.Clusters(environment)[1]
		Expect(scene.Cloud.SetClusterPhase(changed.ID, "RESTING")).To(Succeed())
		DeferCleanup(scene.Cloud.SetClusterPhase, changed.ID, changed.Status.Phase)
		patch(ctx, sourceIn(namespace), `{"metadata":{"annotations":{"`+v1alpha1.AnnotationRequestedAt+`":"please"}}}`)
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
		awaitRight(ctx, "watch", "secrets", "")
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "ccloud", Namespace: namespace}}
		setSecret := func(value string) {
			GinkgoHelper()
			patch(ctx, secret, `{"stringData":{"api-secret":"`+value+`"}}`)
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
		awaitWrites(ctx, namespace, "kafkaclusterobservations", 2*250)
		killed.Kill()
		manager := start(ctx)
		awaitSyncs(ctx, namespace, 1)
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(2 * 250))

		Expect(scene.Plane.RestartAPIServer(ctx)).To(Succeed())
		awaitSyncs(ctx, namespace, 1)
		Expect(manager.Ended()).NotTo(BeClosed())
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(2 * 250))
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
		awaitWrites(ctx, namespace, "kafkaclusterobservations", 2*250)
		Expect(first.Stop()).To(Succeed())
		Expect(holder()).To(BeEmpty())
		start(ctx, elect...)
		awaitSyncs(ctx, namespace, 1)
		Expect(holder()).NotTo(BeEmpty())
		Expect(managerWrites(namespace, "kafkaclusterobservations")).To(HaveLen(2 * 250))
	})

	It("ends orderly in the middle of its first writes, and the next one finishes them", func(ctx SpecContext) {
		// On a machine that is busy it may be done before it is told to end: another is tried then.
		Eventually(ctx, func(g Gomega) {
			namespace = newNamespace(ctx)
			first := start(ctx, "--concurrent-writes=1")
			createSource(ctx, namespace)
			Eventually(ctx, func(g Gomega) { g.Expect(len(clusters(ctx, g, namespace))).To(BeNumerically(">", 5)) }).WithPolling(time.Millisecond).Should(Succeed())
			Expect(first.Stop()).To(Succeed())
			g.Expect(len(clusters(ctx, Default, namespace))).To(BeNumerically("<", 250), "it did not wait for all of them")
		}).Should(Succeed())
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
		}).Should(Succeed())
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

// syncs returns how often the manager has listed clusters whole, by its own count.
func syncs(manager *stage.Manager) (n int) {
	GinkgoHelper()
	const series = `ccloud_inventory_sync_total{kind="KafkaCluster",result="Succeeded"} `
	_, rest, found := strings.Cut(scrape(manager), "\n"+series)
	Expect(found).To(BeTrue())
	_, err := fmt.Sscan(rest, &n)
	Expect(err).NotTo(HaveOccurred())
	return n
}
