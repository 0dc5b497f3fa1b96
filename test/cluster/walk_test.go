// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
)

// The simulated cloud's inventory: 10,000 observations.
const (
	clusters = 9500
	peerings = 500

	environment = "env-abc123"
	apiKey      = "E2EKEY"
	apiSecret   = "e2e-secret"
)

var _ = Describe("A team's cluster", Ordered, func() {
	var (
		c        *cluster
		endpoint string // the simulated cloud's URL
		whole    snapshot
	)

	BeforeAll(func(ctx SpecContext) {
		c = connect() // Stays nil where there is no cluster.
		for _, name := range allKinds() {
			err := c.Get(ctx, client.ObjectKey{Name: name}, &apiextensionsv1.CustomResourceDefinition{})
			Expect(apierrors.IsNotFound(err)).To(BeTrue(), "the cluster has %s already: the walk removes the kinds at its end, so give it a cluster without", name)
		}
		DeferCleanup(c.clean)
		c.namespace(ctx, release, nil)
		c.namespace(ctx, team, map[string]string{"metrics": "enabled"})
		c.namespace(ctx, unlabelled, nil)
		endpoint = c.startCloud(ctx)
	})

	AfterEach(func(ctx SpecContext) {
		if c != nil && CurrentSpecReport().Failed() {
			c.tell(ctx)
		}
	})

	It("installs by helm, under Pod Security restricted, and elects a leader", func(ctx SpecContext) {
		began := time.Now()
		from, name := earlier()
		Expect(deploy(ctx, "install", from, name, endpoint)).To(Succeed())
		AddReportEntry("available after", time.Since(began).Round(time.Second))
		Eventually(ctx, c.leader).WithArguments(ctx).ShouldNot(BeEmpty())

		By("refusing a pod that is not restricted")
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: release, Name: "open"}, Spec: restricted(image("probe"))}
		pod.Spec.SecurityContext = nil
		Expect(c.Create(ctx, pod)).To(MatchError(ContainSubstring("violates PodSecurity")))
	})

	It("mirrors the cloud", func(ctx SpecContext) {
		began := time.Now()
		c.makeSource(ctx, endpoint)
		c.awaitSync(ctx, began)
		whole = c.observations(ctx)
		Expect(whole).To(HaveLen(clusters + peerings))
		AddReportEntry("mirrored after", time.Since(began).Round(time.Second))

		By("refusing a write that is not the operator's")
		observation := &v1alpha1.KafkaClusterObservation{}
		Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			Expect(c.Get(ctx, client.ObjectKey{Namespace: team, Name: c.anyCluster(ctx)}, observation)).To(Succeed())
			observation.Spec.ClusterID = "lkc-other"
			return c.Update(ctx, observation)
		})).To(MatchError(apierrors.IsInvalid, "the schema refuses it, or the policy"))
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"phase":"DELETED"}}`))
		Expect(c.Status().Patch(ctx, observation, patch)).To(MatchError(ContainSubstring("ValidatingAdmissionPolicy")))
	})

	It("has its metrics read through the Service, by whom it may", func(ctx SpecContext) {
		c.letReadMetrics(ctx)
		url := fmt.Sprintf("https://%s:8443/metrics", c.address(ctx, release, release+"-metrics-service"))
		const token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
		Eventually(ctx, func(g Gomega) { // The Service asks a replica by chance; the leader has the figures.
			status, printed := c.probe(ctx, team, "-url="+url, "-token-file="+token)
			g.Expect(status).To(BeZero(), printed)
			g.Expect(printed).To(MatchRegexp(`(?m)^ccloud_inventory_sync_total\{kind="KafkaCluster",result="Succeeded"\} [1-9]`))
		}).Should(Succeed())
		status, printed := c.probe(ctx, team, "-url="+url)
		Expect(status).To(BeEquivalentTo(1), "without a token: %s", printed)

		enforced := c.enforcesPolicies(ctx)
		AddReportEntry("NetworkPolicy enforced", enforced)
		status, printed = c.probe(ctx, unlabelled, "-url="+url)
		if enforced {
			Expect(status).To(BeEquivalentTo(3), "from a namespace that may not: %s", printed)
		} else {
			Expect(status).To(BeEquivalentTo(1), "from any namespace, without a right: %s", printed)
		}
	})

	It("hands over when the leader's pod is deleted", func(ctx SpecContext) {
		before, began := c.leader(ctx), time.Now()
		Expect(c.Delete(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: release, Name: before}})).To(Succeed())
		Eventually(ctx, c.leader).WithArguments(ctx).ShouldNot(Or(BeEmpty(), Equal(before)))
		AddReportEntry("another led after", time.Since(began).Round(100*time.Millisecond))
		c.awaitSync(ctx, time.Now())
		Expect(c.observations(ctx)).To(whole.beUntouched())
		c.awaitAvailable(ctx)
	})

	It("is upgraded one pod after the other", func(ctx SpecContext) {
		before := c.managers(ctx)
		Expect(before).To(HaveLen(2))
		Expect(deploy(ctx, "upgrade", chart, "inventory-operator", endpoint, "--set", "podAnnotations.e2e=upgraded")).To(Succeed())
		Eventually(ctx, c.managers).WithArguments(ctx).Should(And(HaveLen(2), Not(ContainElement(BeElementOf(before)))))
		c.awaitSync(ctx, time.Now())
		Expect(c.observations(ctx)).To(whole.beUntouched())
	})

	It("survives the drain of its node", func(ctx SpecContext) {
		leader := c.leader(ctx)
		pod := &corev1.Pod{}
		Expect(c.Get(ctx, client.ObjectKey{Namespace: release, Name: leader}, pod)).To(Succeed())
		c.cordon(ctx, pod.Spec.NodeName, true)
		DeferCleanup(func(ctx SpecContext) { c.cordon(ctx, pod.Spec.NodeName, false) })
		Expect(c.evict(ctx, leader)).To(Succeed())
		Eventually(ctx, c.leader).WithArguments(ctx).ShouldNot(Or(BeEmpty(), Equal(leader)))
		if c.schedulable(ctx) == 0 {
			By("the other pod staying, by its budget, until there is a node again")
			Expect(c.evict(ctx, c.leader(ctx))).To(MatchError(apierrors.IsTooManyRequests, "HTTP 429"))
		}
		c.awaitSync(ctx, time.Now())
		Expect(c.observations(ctx)).To(whole.beUntouched())
		c.cordon(ctx, pod.Spec.NodeName, false)
		c.awaitAvailable(ctx)
	})

	It("deletes what the cloud deleted, and that alone", func(ctx SpecContext) {
		name := c.anyCluster(ctx)
		observation := &v1alpha1.KafkaClusterObservation{}
		Expect(c.Get(ctx, client.ObjectKey{Namespace: team, Name: name}, observation)).To(Succeed())
		Expect(c.CoreV1().RESTClient().Delete().Namespace(cloud).Resource("services").Name("http:cloudsim:admin").
			SubResource("proxy").Suffix("clusters", observation.Spec.ClusterID).Do(ctx).Error()).To(Succeed())
		Eventually(ctx, func() bool {
			return apierrors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(observation), observation))
		}).Should(BeTrue())
		delete(whole, "KafkaClusterObservation/"+name)
		Expect(c.observations(ctx)).To(whole.beUntouched())
	})

	It("keeps within its memory limit", func(ctx SpecContext) {
		for _, name := range c.managers(ctx) {
			pod := &corev1.Pod{}
			Expect(c.Get(ctx, client.ObjectKey{Namespace: release, Name: name}, pod)).To(Succeed())
			Expect(pod.Status.ContainerStatuses[0].RestartCount).To(BeZero())
			limit := pod.Spec.Containers[0].Resources.Limits.Memory().Value()
			used := c.memory(ctx, pod)
			AddReportEntry(fmt.Sprintf("working set of %s", name), fmt.Sprintf("%d MiB of %d MiB", used>>20, limit>>20))
			Expect(used).To(And(BeNumerically(">", 10<<20), BeNumerically("<", limit)))
		}
	})

	It("is uninstalled, and the kinds and what is in them stay", func(ctx SpecContext) {
		Expect(helm(ctx, "uninstall", release, "--wait")).To(Succeed())
		Eventually(ctx, c.managers).WithArguments(ctx).Should(BeEmpty())
		for _, name := range allKinds() {
			Expect(c.Get(ctx, client.ObjectKey{Name: name}, &apiextensionsv1.CustomResourceDefinition{})).To(Succeed())
		}
		Expect(c.observations(ctx)).To(whole.beUntouched())
	})
})

// earlier returns the chart and the name of the image to upgrade from: those of an earlier
// version, if there is one.
func earlier() (from, name string) {
	if from := os.Getenv("E2E_FROM"); from != "" {
		return from, "inventory-operator-from"
	}
	return chart, "inventory-operator"
}

// allKinds returns the names of the chart's CustomResourceDefinitions, after which its files
// are named: GROUP_PLURAL.yaml.
func allKinds() (names []string) {
	GinkgoHelper()
	files, err := os.ReadDir(filepath.Join(chart, "files", "crds"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty())
	for _, file := range files {
		group, plural, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".yaml"), "_")
		names = append(names, plural+"."+group)
	}
	return names
}

// deploy has helm install or upgrade the release, from a chart and the image of a name, and waits
// until it is available.
func deploy(ctx context.Context, verb, from, name, endpoint string, more ...string) error {
	return helm(ctx, append([]string{
		verb, release, from, "--wait", "--timeout=" + soon.String(),
		"--set", "image.repository=" + repository(name), "--set", "image.tag=" + tag(),
		"--set", "replicas=2",
		"--set", "allowedEndpoints={" + endpoint + "}",
		"--set", "readOnlyPolicy.enabled=true",
		"--set", "networkPolicy.enabled=true", "--set", "networkPolicy.egressPorts={443,6443,8090}",
	}, more...)...)
}

// clean removes all that the walk made.
func (c *cluster) clean(ctx context.Context) {
	_ = helm(ctx, "uninstall", release, "--ignore-not-found")
	for _, name := range allKinds() {
		c.gone(ctx, &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	c.gone(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: team}})
	for _, name := range []string{release, team, unlabelled, cloud} {
		c.gone(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

// startCloud runs the simulated cloud and returns its URL. That has an address and no name, so
// that a cluster without DNS will do.
func (c *cluster) startCloud(ctx context.Context) string {
	GinkgoHelper()
	c.namespace(ctx, cloud, nil)
	labels := map[string]string{"app": "cloudsim"}
	pod := restricted(image("cloudsim"), "--addr=:8090", "--admin-addr=:8091", "--environment="+environment,
		fmt.Sprintf("--clusters=%d", clusters), fmt.Sprintf("--peerings=%d", peerings), "--api-key="+apiKey, "--api-secret="+apiSecret)
	Expect(c.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: cloud, Name: "cloudsim"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	})).To(Succeed())
	Expect(c.Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: cloud, Name: "cloudsim"},
		Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{
			{Name: "cloud", Port: 8090}, {Name: "admin", Port: 8091},
		}},
	})).To(Succeed())
	Eventually(ctx, func(g Gomega) {
		deployment := &appsv1.Deployment{}
		g.Expect(c.Get(ctx, client.ObjectKey{Namespace: cloud, Name: "cloudsim"}, deployment)).To(Succeed())
		g.Expect(deployment.Status.AvailableReplicas).To(BeEquivalentTo(1))
	}).Should(Succeed())
	return fmt.Sprintf("http://%s:8090", c.address(ctx, cloud, "cloudsim"))
}

// address returns a Service's own.
func (c *cluster) address(ctx context.Context, namespace, name string) string {
	GinkgoHelper()
	service := &corev1.Service{}
	Expect(c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, service)).To(Succeed())
	return service.Spec.ClusterIP
}

func (c *cluster) makeSource(ctx context.Context, endpoint string) {
	GinkgoHelper()
	Expect(c.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "cloud"},
		StringData: map[string]string{"api-key": apiKey, "api-secret": apiSecret},
	})).To(Succeed())
	one := int32(1)
	Expect(c.Create(ctx, &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "cloud"},
		Spec: v1alpha1.InventorySourceSpec{
			Environment: environment,
			Endpoint:    endpoint,
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: "cloud"}}}},
			MirrorSettings: v1alpha1.MirrorSettings{
				Interval:   &metav1.Duration{Duration: 10 * time.Second},
				StaleAfter: &metav1.Duration{Duration: 10 * time.Minute},
				Prune:      v1alpha1.Prune{Policy: v1alpha1.PrunePolicyDelete, AfterMisses: &one, GracePeriod: &metav1.Duration{}},
			},
		},
	})).To(Succeed())
}

// awaitSync waits until the source is ready and was synced after a time.
func (c *cluster) awaitSync(ctx context.Context, after time.Time) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		source := &v1alpha1.InventorySource{}
		g.Expect(c.Get(ctx, client.ObjectKey{Namespace: team, Name: "cloud"}, source)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(source.Status.Conditions, "Ready")).To(BeTrue(), "%v", source.Status.Conditions)
		g.Expect(source.Status.LastSyncTime).NotTo(BeNil())
		g.Expect(source.Status.LastSyncTime.Time).To(BeTemporally(">", after))
	}).Should(Succeed())
}

// awaitAvailable waits until both managers are.
func (c *cluster) awaitAvailable(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		deployment := &appsv1.Deployment{}
		g.Expect(c.Get(ctx, client.ObjectKey{Namespace: release, Name: manager}, deployment)).To(Succeed())
		g.Expect(deployment.Status.AvailableReplicas).To(BeEquivalentTo(2))
	}).Should(Succeed())
}

// leader returns the name of the pod that has the lease, if it is there still.
func (c *cluster) leader(ctx context.Context) string {
	leases := &coordinationv1.LeaseList{}
	if err := c.List(ctx, leases, client.InNamespace(release)); err != nil || len(leases.Items) != 1 || leases.Items[0].Spec.HolderIdentity == nil {
		return ""
	}
	name, _, _ := strings.Cut(*leases.Items[0].Spec.HolderIdentity, "_")
	return name
}

// managers returns the names of the pods there are.
func (c *cluster) managers(ctx context.Context) (names []string) {
	pods := &corev1.PodList{}
	Expect(c.List(ctx, pods, client.InNamespace(release), client.MatchingLabels{"control-plane": "controller-manager"})).To(Succeed())
	for _, pod := range pods.Items {
		names = append(names, pod.Name)
	}
	return names
}

// snapshot has the UID and resource version of each observation, by kind and name.
type snapshot map[string]string

// beUntouched matches a snapshot in which nothing was written, deleted or made since.
func (s snapshot) beUntouched() OmegaMatcher {
	return WithTransform(func(now snapshot) (changed []string) {
		for name, version := range s {
			if now[name] != version {
				changed = append(changed, name+" was "+version+", is "+now[name])
			}
		}
		for name := range now {
			if _, ok := s[name]; !ok {
				changed = append(changed, name+" is new")
			}
		}
		return changed
	}, BeEmpty())
}

func (c *cluster) observations(ctx context.Context) snapshot {
	GinkgoHelper()
	found := snapshot{}
	for _, kind := range controller.Kinds() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind.Name + "ObservationList"))
		Expect(c.List(ctx, list, client.InNamespace(team))).To(Succeed())
		for _, item := range list.Items {
			found[kind.Name+"/"+item.Name] = string(item.UID) + " " + item.ResourceVersion
		}
	}
	return found
}

// anyCluster returns the name of one cluster's observation.
func (c *cluster) anyCluster(ctx context.Context) string {
	GinkgoHelper()
	list := &v1alpha1.KafkaClusterObservationList{}
	Expect(c.List(ctx, list, client.InNamespace(team), client.Limit(1))).To(Succeed())
	Expect(list.Items).NotTo(BeEmpty())
	return list.Items[0].Name
}

// letReadMetrics gives the namespace team's ServiceAccount the chart's role for it.
func (c *cluster) letReadMetrics(ctx context.Context) {
	GinkgoHelper()
	Expect(c.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: team},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: release + "-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: team, Name: "default"}},
	})).To(Succeed())
}

// enforcesPolicies reports whether the cluster enforces NetworkPolicies: whether one that lets
// only the cloud's own port in keeps the other closed.
func (c *cluster) enforcesPolicies(ctx context.Context) bool {
	GinkgoHelper()
	port := intstr.FromInt32(8090)
	policy := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: cloud, Name: "one-port"},
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{Ports: []networkingv1.NetworkPolicyPort{{Port: &port}}}},
		},
	}
	Expect(c.Create(ctx, policy)).To(Succeed())
	defer c.gone(ctx, policy)
	status, printed := c.probe(ctx, unlabelled, fmt.Sprintf("-url=http://%s:8091/", c.address(ctx, cloud, "cloudsim")))
	Expect(status).To(Or(BeEquivalentTo(0), BeEquivalentTo(3)), printed)
	return status == 3
}

// cordon closes or opens a node for new pods.
func (c *cluster) cordon(ctx context.Context, name string, closed bool) {
	GinkgoHelper()
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, closed))
	Expect(c.Patch(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, patch)).To(Succeed())
}

// schedulable returns how many nodes take pods.
func (c *cluster) schedulable(ctx context.Context) (count int) {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(c.List(ctx, nodes)).To(Succeed())
	for _, node := range nodes.Items {
		if !node.Spec.Unschedulable && len(node.Spec.Taints) == 0 {
			count++
		}
	}
	return count
}

// evict does what `kubectl drain` does to a pod.
func (c *cluster) evict(ctx context.Context, name string) error {
	return c.PolicyV1().Evictions(release).Evict(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: release, Name: name}})
}

// memory returns the working set of a pod's manager, in bytes, as its kubelet sees it.
func (c *cluster) memory(ctx context.Context, pod *corev1.Pod) int64 {
	GinkgoHelper()
	content, err := c.CoreV1().RESTClient().Get().Resource("nodes").Name(pod.Spec.NodeName).SubResource("proxy").Suffix("stats/summary").DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	var summary struct {
		Pods []struct {
			PodRef     struct{ UID string }
			Containers []struct {
				Memory struct{ WorkingSetBytes int64 }
			}
		}
	}
	Expect(json.Unmarshal(content, &summary)).To(Succeed())
	for _, found := range summary.Pods {
		if found.PodRef.UID == string(pod.UID) && len(found.Containers) > 0 {
			return found.Containers[0].Memory.WorkingSetBytes
		}
	}
	Fail("the kubelet knows nothing of pod " + pod.Name)
	return 0
}
