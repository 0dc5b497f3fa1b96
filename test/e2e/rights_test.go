// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// environmentOfFew has a handful of clusters and peerings.
const environmentOfFew = "env-few"

// right is one verb on one resource.
type right struct{ group, resource, verb string }

func (r right) String() string { return strings.TrimSpace(r.verb + " " + r.resource + " " + r.group) }

// ownerRights are those that no request needs by itself: the API server asks for them where a
// created object blocks the deletion of its owner.
var ownerRights = []right{
	{v1alpha1.GroupVersion.Group, "inventorysources/finalizers", "update"},
	{v1alpha1.GroupVersion.Group, "environmentdiscoveries/finalizers", "update"},
}

// discoverable are environments of nothing, which discoveries keep sources for.
var discoverable = []v1alpha1.Identifier{"env-rights1", "env-rights2"}

// grantedRights are those that config/default gives the manager with config/endpoint-configmaps
// added to it.
func grantedRights(ctx context.Context) []right {
	GinkgoHelper()
	rendered, err := scene.Render(ctx, "default", "endpoint-configmaps")
	Expect(err).NotTo(HaveOccurred())
	bound := []string{"inventory-operator-manager-role", "inventory-operator-leader-election-role", "inventory-operator-metrics-auth-role"}
	var rights []right
	for _, document := range rendered {
		role := &rbacv1.ClusterRole{} // A Role has the same fields.
		Expect(yaml.Unmarshal([]byte(document), role)).To(Succeed())
		if strings.HasSuffix(role.Kind, "Role") && slices.Contains(bound, role.Name) {
			bound = slices.DeleteFunc(bound, func(name string) bool { return name == role.Name })
			rights = append(rights, expand(role.Rules)...)
		}
	}
	Expect(bound).To(BeEmpty(), "all were found")
	return rights
}

func expand(rules []rbacv1.PolicyRule) (rights []right) {
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					rights = append(rights, right{group, resource, verb})
				}
			}
		}
	}
	return rights
}

// usedRights are those that a user's requests needed and had, as the API server noted: what
// does not exist or is in conflict was allowed too.
func usedRights(user string) []right {
	GinkgoHelper()
	requests, err := scene.Requests()
	Expect(err).NotTo(HaveOccurred())
	var rights []right
	for _, r := range requests {
		if used := (right{r.Group, r.Resource, r.Verb}); r.User == user && r.Code != http.StatusForbidden && !slices.Contains(rights, used) {
			rights = append(rights, used)
		}
	}
	return rights
}

// limited is a manager with a ServiceAccount and rights of its own, in a namespace of its own.
type limited struct {
	without    []right
	namespace  string
	user       string
	kubeconfig string
	log        string
	metrics    string          // URL
	ended      <-chan struct{} // closed once the process has ended
}

// startLimited starts a manager with those of some rights that it is not without, and creates its
// source.
func startLimited(ctx context.Context, granted, lacking []right) *limited {
	GinkgoHelper()
	rights := without(granted, lacking...)
	m := &limited{without: lacking, namespace: newNamespace(ctx)}
	name := m.namespace
	m.user = "system:serviceaccount:" + name + ":" + name
	m.log = filepath.Join(dir, name+".log")
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, r := range rights {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{r.group}, Resources: []string{r.resource}, Verbs: []string{r.verb}})
	}
	for _, object := range []client.Object{
		role,
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: name}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: name}},
		},
	} {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
	m.kubeconfig = filepath.Join(dir, name+".kubeconfig")
	Expect(scene.Plane.ServiceAccountKubeconfig(ctx, name, name, m.kubeconfig)).To(Succeed())
	m.run()
	createSource(ctx, name, func(s *v1alpha1.InventorySource) {
		s.Spec.Environment, s.Spec.KafkaClusters.ConfigMaps = environmentOfFew, v1alpha1.ConfigMapPolicyEnabled
		s.Spec.Networks.Policy = v1alpha1.MirrorPolicyMirror
		s.Spec.SchemaRegistry.Policy = v1alpha1.MirrorPolicyMirror
		s.Spec.TransitGatewayAttachments.Policy = v1alpha1.MirrorPolicyMirror
		s.Spec.PrivateLinkAccesses.Policy = v1alpha1.MirrorPolicyMirror
	})
	createDiscovery(ctx, name, func(d *v1alpha1.EnvironmentDiscovery) {
		d.Spec.Selector.IDs = discoverable
		d.Spec.Prune = v1alpha1.SourcePrune{Policy: v1alpha1.PrunePolicyDelete}
	})
	return m
}

// run runs the manager, with a port for its metrics that was free a moment ago. If another took
// that meanwhile, the manager ends, and is run with another port.
func (m *limited) run() {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	m.metrics = "https://" + listener.Addr().String() + "/metrics"
	Expect(listener.Close()).To(Succeed())
	log, err := os.Create(m.log)
	Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	command := exec.Command(filepath.Join(dir, "manager"), "--kubeconfig="+m.kubeconfig, "--watch-namespaces="+m.namespace,
		"--leader-elect", "--leader-election-namespace="+m.namespace, "--health-probe-bind-address=0",
		"--metrics-bind-address="+listener.Addr().String(), "--allowed-endpoints="+scene.Server.URL, "--requests-per-second=1000", "--endpoint-configmaps")
	// As with API servers that cannot stream a list as a watch.
	command.Env = append(os.Environ(), "KUBE_FEATURE_WatchListClient=false")
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	Expect(command.Start()).To(Succeed())
	release, err := scene.Plane.Guard(m.namespace, command.Process.Pid)
	Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
		release()
	}()
	m.ended = ended
	DeferCleanup(func() {
		_ = command.Process.Kill()
		<-ended
	})
}

// revive runs the manager again if it ended because its port was taken.
func (m *limited) revive() {
	GinkgoHelper()
	select {
	case <-m.ended:
		text, err := os.ReadFile(m.log)
		Expect(err).NotTo(HaveOccurred())
		if strings.Contains(string(text), "address already in use") {
			m.run()
		}
	default:
	}
}

// ready returns the source's Ready condition, and an empty one before there is any.
func (m *limited) ready(ctx context.Context, g Gomega) metav1.Condition {
	if c := meta.FindStatusCondition(readSource(ctx, g, m.namespace).Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// told returns all that a person who looks for the cause is shown.
func (m *limited) told(ctx context.Context, g Gomega) string {
	text, err := os.ReadFile(m.log)
	g.Expect(err).NotTo(HaveOccurred())
	return m.ready(ctx, g).Message + "\n" + strings.ReplaceAll(string(text), `\"`, `"`)
}

// disturbConfigMaps makes one ConfigMap immutable with another phase, so that it has to be
// replaced, and takes the labels of the other, so that the manager finds it by its name
// alone. Where a ConfigMap is not there yet, or is like this already, nothing happens.
func (m *limited) disturbConfigMaps(ctx context.Context, immutable, unlabelled string) {
	for name, patch := range map[string]string{
		immutable:  `{"immutable":true,"data":{"phase":"X"}}`,
		unlabelled: `{"metadata":{"labels":null}}`,
	} {
		c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: m.namespace}}
		err := k8s.Patch(ctx, c, client.RawPatch("application/merge-patch+json", []byte(patch)))
		Expect(err == nil || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) || apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
	}
}

// apart returns the rights in sets that one manager each may be without: the lack of none hides that
// of another. So one verb on all kinds of observations is a set, and any other right is one by itself.
func apart(rights []right) (sets [][]right) {
	of := map[string]int{}
	for _, r := range rights {
		kind, part, _ := strings.Cut(r.resource, "/")
		if !strings.HasSuffix(kind, "observations") {
			sets = append(sets, []right{r})
			continue
		}
		at, is := of[r.verb+part]
		if !is {
			at = len(sets)
			of[r.verb+part] = at
			sets = append(sets, nil)
		}
		sets[at] = append(sets[at], r)
	}
	return sets
}

// words are what names the lack of a right.
func (r right) words() string {
	switch {
	case slices.Contains(ownerRights, r):
		return "cannot set blockOwnerDeletion"
	case r.resource == "secrets":
		return "the operator may not get Secrets in namespace"
	case (r.verb == "list" || r.verb == "watch") && r.resource != "inventorysources":
		return "the operator may not " + r.verb + " " + r.resource // It is asked for before a watch begins.
	}
	return fmt.Sprintf("cannot %s resource %q", r.verb, r.resource)
}

// asReader reads metrics as a ServiceAccount that may.
func asReader(ctx context.Context, url, token string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", response.Status, err)
	}
	return nil
}

// readerToken makes a ServiceAccount that may read metrics and returns its token.
func readerToken(ctx context.Context, namespace string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "prometheus", Namespace: namespace}}
	Expect(k8s.Create(ctx, account)).To(Succeed())
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus-" + namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "inventory-operator-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account.Name, Namespace: namespace}},
	}
	Expect(k8s.Create(ctx, binding)).To(Succeed())
	DeferCleanup(k8s.Delete, binding)
	request := &authenticationv1.TokenRequest{}
	Expect(k8s.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}

var _ = Describe("The manager's rights", Ordered, func() {
	var (
		granted []right
		token   string
	)
	BeforeAll(func(ctx SpecContext) {
		granted = grantedRights(ctx)
		token = readerToken(ctx, newNamespace(ctx))
		cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Environment: environmentOfFew, Clusters: 3, Peerings: 2, Seed: 3})
		registry := scene.Cloud.SchemaRegistries(environmentOfFew)[0]
		registry.ID = "lsrc-second"
		scene.Cloud.PutSchemaRegistry(registry)
		Expect(scene.Cloud.TransitGatewayAttachments(environmentOfFew)).NotTo(BeEmpty())
		Expect(scene.Cloud.PrivateLinkAccesses(environmentOfFew)).NotTo(BeEmpty())
		for _, id := range discoverable {
			scene.Cloud.AddEnvironment(string(id))
		}
	})

	// All managers work at once, each in its own namespace, on the same few clusters.
	It("are each used, and each missed by name where it is lacking", func(ctx SpecContext) {
		managers := []*limited{startLimited(ctx, granted, nil)}
		for _, lacking := range apart(granted) {
			managers = append(managers, startLimited(ctx, granted, lacking))
		}
		whole := managers[0]
		Eventually(ctx, func(g Gomega) {
			whole.revive()
			g.Expect(whole.ready(ctx, g).Status).To(Equal(metav1.ConditionTrue))
		}).Should(Succeed())

		By("changing what there is, twice, so that everything is done that the manager ever does")
		all := scene.Cloud.Clusters(environmentOfFew)
		for _, phase := range []string{"RESTING", "WAKING"} {
			Expect(scene.Cloud.SetClusterPhase(all[0].ID, phase)).To(Succeed())
			Eventually(ctx, func(g Gomega) {
				g.Expect(readCluster(ctx, g, whole.namespace, all[0].ID).Status.Phase).To(Equal(phase))
			}).Should(Succeed())
		}
		Expect(scene.Cloud.RemoveCluster(all[1].ID)).To(Succeed())
		peerings := scene.Cloud.Peerings(environmentOfFew)
		Expect(scene.Cloud.SetPeeringPhase(peerings[0].ID, "RESTING")).To(Succeed())
		Expect(scene.Cloud.RemovePeering(peerings[1].ID)).To(Succeed())
		Expect(scene.Cloud.RemoveNetwork(scene.Cloud.Networks(environmentOfFew)[2].ID)).To(Succeed())
		Expect(scene.Cloud.RemoveSchemaRegistry("lsrc-second")).To(Succeed())
		Expect(scene.Cloud.RemoveTransitGatewayAttachment(scene.Cloud.TransitGatewayAttachments(environmentOfFew)[0].ID)).To(Succeed())
		Expect(scene.Cloud.RemovePrivateLinkAccess(scene.Cloud.PrivateLinkAccesses(environmentOfFew)[0].ID)).To(Succeed())
		for _, m := range managers {
			patch(ctx, sourceIn(m.namespace), `{"spec":{"template":{"labels":{"team":"data"}}}}`)
			patch(ctx, discoveryIn(m.namespace), `{"spec":{"template":{"metadata":{"labels":{"team":"data"}}}}}`)
		}
		Expect(scene.Cloud.RemoveEnvironment(string(discoverable[1]))).To(Succeed())
		for _, m := range managers {
			By(fmt.Sprintf("lacking: %v", m.without))
			Eventually(ctx, func(g Gomega) {
				m.revive()
				m.disturbConfigMaps(ctx, all[0].ID, all[2].ID)
				err := asReader(ctx, m.metrics, token)
				if m.without == nil {
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(clusters(ctx, g, m.namespace)).To(HaveLen(2))
					g.Expect(usedRights(m.user)).To(ContainElements(without(granted, ownerRights...)))
					return
				}
				told := m.told(ctx, g)
				for _, r := range m.without {
					g.Expect(told).To(ContainSubstring(r.words()))
				}
			}).WithPolling(time.Second).Should(Succeed())
		}
		Expect(whole.told(ctx, Default)).NotTo(ContainSubstring("forbidden"))
	})
})

// without returns the rights but for some.
func without(rights []right, some ...right) []right {
	return slices.DeleteFunc(slices.Clone(rights), func(r right) bool { return slices.Contains(some, r) })
}

var _ = Describe("People's roles", Ordered, func() {
	var namespace string
	// as returns a client of a user with these of config/rbac's roles.
	as := func(ctx SpecContext, user string, roles ...string) client.Client {
		GinkgoHelper()
		for _, role := range roles {
			binding := &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: user + "-" + role, Namespace: namespace},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "inventory-operator-" + role},
				Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}},
			}
			Expect(k8s.Create(ctx, binding)).To(Succeed())
		}
		config := scene.Plane.Config()
		config.Impersonate.UserName = user
		c, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		return c
	}
	forbidden := MatchError(apierrors.IsForbidden, "forbidden")
	expectReading := func(ctx SpecContext, c client.Client) {
		GinkgoHelper()
		lists := []client.ObjectList{&v1alpha1.InventorySourceList{}, &v1alpha1.EnvironmentDiscoveryList{}}
		for _, kind := range controller.Kinds() {
			lists = append(lists, kind.Objects())
		}
		for _, list := range lists {
			Expect(c.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		}
	}
	expectObservationsClosed := func(ctx SpecContext, c client.Client) {
		GinkgoHelper()
		Expect(c.Create(ctx, planted(namespace))).To(forbidden)
		Expect(c.Update(ctx, planted(namespace))).To(forbidden)
		Expect(c.Status().Update(ctx, planted(namespace))).To(forbidden)
		Expect(c.Delete(ctx, planted(namespace))).To(forbidden)
		Expect(c.DeleteAllOf(ctx, &v1alpha1.PeeringObservation{}, client.InNamespace(namespace))).To(forbidden)
	}
	source := func(name string) *v1alpha1.InventorySource {
		return &v1alpha1.InventorySource{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
			Spec: v1alpha1.InventorySourceSpec{Environment: environment, Suspend: true, Credentials: v1alpha1.Credentials{
				APIKey: &v1alpha1.APIKeyCredential{SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: "ccloud"}}}}},
		}
	}
	BeforeAll(func(ctx SpecContext) { namespace = newNamespace(ctx) })

	It("let viewers read all kinds and write none", func(ctx SpecContext) {
		viewer := as(ctx, "viewer", "inventorysource-viewer-role", "observation-viewer-role")
		expectReading(ctx, viewer)
		Expect(viewer.Create(ctx, source("viewers"))).To(forbidden)
		expectObservationsClosed(ctx, viewer)
	})

	It("let editors write sources, but neither their status nor observations", func(ctx SpecContext) {
		editor := as(ctx, "editor", "inventorysource-editor-role", "inventorysource-viewer-role", "observation-viewer-role")
		expectReading(ctx, editor)
		mine := source("editors")
		Expect(editor.Create(ctx, mine)).To(Succeed())
		Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
			Expect(editor.Get(ctx, client.ObjectKeyFromObject(mine), mine)).To(Succeed())
			mine.Labels = map[string]string{"team": "data"}
			return editor.Update(ctx, mine)
		})).To(Succeed())
		Expect(editor.Status().Update(ctx, mine)).To(forbidden)
		Expect(editor.DeleteAllOf(ctx, mine, client.InNamespace(namespace))).To(forbidden)
		Expect(editor.Delete(ctx, mine)).To(Succeed())
		expectObservationsClosed(ctx, editor)
	})

	It("let administrators delete many sources at once, and no observation", func(ctx SpecContext) {
		admin := as(ctx, "admin-of-it", "inventorysource-admin-role", "observation-viewer-role")
		expectReading(ctx, admin)
		Expect(admin.Create(ctx, source("admins"))).To(Succeed())
		Expect(admin.DeleteAllOf(ctx, source("any"), client.InNamespace(namespace))).To(Succeed())
		expectObservationsClosed(ctx, admin)
	})
})
