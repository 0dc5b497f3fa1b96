// SPDX-License-Identifier: Apache-2.0

// Package e2e runs the built manager as a process, under its own ServiceAccount,
// against a real API server with its garbage collector, and the simulated cloud.
package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	environment = "env-abc123"
	sourceName  = "prod"
	// soon is how long a spec waits for what should happen at once. It is no
	// measurement: machines are noisy.
	soon = 4 * time.Minute
)

var (
	scene *stage.Stage
	k8s   client.Client
	dir   string
)

func TestManager(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(soon)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Manager")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter)))
	dir = GinkgoT().TempDir()
	var err error
	scene, err = stage.Start(ctx, stage.Options{Dir: dir, AuditLog: filepath.Join(dir, "audit.log"), Log: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(scene.Stop)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k8s, err = client.New(scene.Plane.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
})

// start starts a manager that is stopped, and must end well, after the spec.
func start(ctx context.Context, args ...string) *stage.Manager {
	GinkgoHelper()
	manager, err := scene.StartManager(ctx, "manager", args...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		select {
		case <-manager.Ended(): // The spec ended it.
		default:
			Expect(manager.Stop()).To(Succeed())
		}
		text, err := os.ReadFile(manager.Log)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).NotTo(ContainSubstring(stage.APISecret))
		Expect(string(text)).NotTo(ContainSubstring(stage.APIKey))
	})
	return manager
}

// newNamespace makes a namespace with the Secret, and fills the cloud.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	Expect(k8s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "ccloud", Namespace: namespace.Name},
		StringData: map[string]string{
			v1alpha1.SecretKeyAPIKey: stage.APIKey, v1alpha1.SecretKeyAPISecret: stage.APISecret,
		},
	})).To(Succeed())
	return namespace.Name
}

// discoveryIn names the discovery in a namespace.
func discoveryIn(namespace string) *v1alpha1.EnvironmentDiscovery {
	return &v1alpha1.EnvironmentDiscovery{ObjectMeta: metav1.ObjectMeta{Name: "org", Namespace: namespace}}
}

// createDiscovery creates a discovery, to list environments every ten seconds and to make
// sources that are synced once an hour, and deletes it after the spec.
func createDiscovery(ctx context.Context, namespace string, changes ...func(*v1alpha1.EnvironmentDiscovery)) {
	GinkgoHelper()
	d := discoveryIn(namespace)
	d.Spec.Endpoint = scene.Server.URL
	d.Spec.Interval = &metav1.Duration{Duration: 10 * time.Second}
	d.Spec.Credentials = v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
		SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: "ccloud"}},
	}}
	d.Spec.Template.Spec.Interval = &metav1.Duration{Duration: time.Hour}
	for _, change := range changes {
		change(d)
	}
	Expect(k8s.Create(ctx, d)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, d))).To(Succeed())
	})
}

// createSource creates the source, to be synced every ten seconds, and deletes it
// after the spec. changes are made to it before.
func createSource(ctx context.Context, namespace string, changes ...func(*v1alpha1.InventorySource)) {
	GinkgoHelper()
	source := &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: namespace},
		Spec: v1alpha1.InventorySourceSpec{
			Environment:    environment,
			Endpoint:       scene.Server.URL,
			MirrorSettings: v1alpha1.MirrorSettings{Interval: &metav1.Duration{Duration: 10 * time.Second}},
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
				SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: "ccloud"}},
			}},
		},
	}
	for _, change := range changes {
		change(source)
	}
	Expect(k8s.Create(ctx, source)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, source))).To(Succeed())
	})
}

// readSource returns the source.
func readSource(ctx context.Context, g Gomega, namespace string) *v1alpha1.InventorySource {
	source := &v1alpha1.InventorySource{}
	g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: sourceName}, source)).To(Succeed())
	return source
}

// readCluster returns one observation of a cluster.
func readCluster(ctx context.Context, g Gomega, namespace, name string) *v1alpha1.KafkaClusterObservation {
	o := &v1alpha1.KafkaClusterObservation{}
	g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o)).To(Succeed())
	return o
}

// clusters returns the observations of clusters in a namespace.
func clusters(ctx context.Context, g Gomega, namespace string) []v1alpha1.KafkaClusterObservation {
	list := &v1alpha1.KafkaClusterObservationList{}
	g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	return list.Items
}

// awaitSyncs waits until a source was synced n more times, from now on, and returns it.
func awaitSyncs(ctx context.Context, namespace string, n int) *v1alpha1.InventorySource {
	GinkgoHelper()
	source := readSource(ctx, Default, namespace)
	for range n {
		last := source.Status.LastSyncTime
		Eventually(ctx, func(g Gomega) {
			source = readSource(ctx, g, namespace)
			g.Expect(source.Status.LastSyncTime).NotTo(Or(BeNil(), Equal(last)))
		}).Should(Succeed())
	}
	return source
}

// patch changes an object, whatever the manager writes meanwhile.
func patch(ctx context.Context, object client.Object, change string) {
	GinkgoHelper()
	Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(change)))).To(Succeed())
}

// sourceIn names the source in a namespace.
func sourceIn(namespace string) *v1alpha1.InventorySource {
	return &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: namespace}}
}

// awaitRight waits until the API server knows of a right of the manager that was just granted.
func awaitRight(ctx context.Context, verb, resource, namespace string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + stage.Namespace + ":" + stage.ServiceAccount,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Resource: resource, Namespace: namespace},
		}}
		g.Expect(k8s.Create(ctx, review)).To(Succeed())
		g.Expect(review.Status.Allowed).To(BeTrue())
	}).Should(Succeed())
}

// managerWrites returns what the manager wrote in a namespace, see stage.ManagerWrites. The API
// server notes a request after it has answered: what was just written is awaited by awaitWrites.
func managerWrites(namespace, resource string) []string {
	GinkgoHelper()
	writes, err := scene.ManagerWrites(namespace, resource)
	Expect(err).NotTo(HaveOccurred())
	return writes
}

// awaitWrites waits until n writes of the manager are noted.
func awaitWrites(ctx context.Context, namespace, resource string, n int) {
	GinkgoHelper()
	Eventually(ctx, func() []string { return managerWrites(namespace, resource) }).Should(HaveLen(n))
}

// scrape returns the manager's metrics as text.
func scrape(manager *stage.Manager) string {
	GinkgoHelper()
	response, err := http.Get(manager.MetricsURL)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}
