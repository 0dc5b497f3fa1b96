// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

// server is a real API server, with helm and kubectl on it.
type server struct {
	*testing.T
	client.Client
	plane *controlplane.Plane
}

// startServer starts one that serves these folders' kinds and has the release's namespace.
func startServer(t *testing.T, kinds ...string) server {
	t.Helper()
	s := startServerWithout(t, kinds...)
	// As config/default has it.
	NewWithT(t).Expect(s.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}})).To(Succeed())
	return s
}

// startServerWithout starts one without the release's namespace.
func startServerWithout(t *testing.T, kinds ...string) server {
	t.Helper()
	g := NewWithT(t)
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Controllers: true, CRDPaths: kinds})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(plane.Stop()).To(Succeed()) })
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		g.Expect(add(types)).To(Succeed())
	}
	k8s, err := client.New(plane.Config(), client.Options{Scheme: types})
	g.Expect(err).NotTo(HaveOccurred())
	return server{t, k8s, plane}
}

// helm runs helm on the server, in the release's namespace.
func (s server) helm(args ...string) string {
	s.Helper()
	out, err := s.tryHelm(append(args, "--namespace", namespace)...)
	NewWithT(s.T).Expect(err).NotTo(HaveOccurred())
	return out
}

// tryHelm runs helm on the server, and returns the error if it fails.
func (s server) tryHelm(args ...string) (string, error) {
	return helmIn(s.Context(), s.plane.Env(), args...)
}

// kubectl is a kubectl that asks the server.
func (s server) kubectl(args ...string) *exec.Cmd {
	command := exec.CommandContext(s.Context(), s.plane.Kubectl(), args...)
	command.Env = s.plane.Env()
	return command
}

// dryRun has the server validate manifests as strictly as it can, without storing them.
func (s server) dryRun(manifests string) {
	s.Helper()
	command := s.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-")
	command.Stdin = strings.NewReader(manifests)
	out, err := command.CombinedOutput()
	NewWithT(s.T).Expect(err).NotTo(HaveOccurred(), string(out))
}

// clusterCRD returns the CustomResourceDefinition of clusters' observations.
func (s server) clusterCRD(g Gomega) *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	g.Expect(s.Get(s.Context(), client.ObjectKey{Name: "kafkaclusterobservations.inventory.ccloud.dev"}, crd)).To(Succeed())
	return crd
}

func statusFields(crd *apiextensionsv1.CustomResourceDefinition) map[string]apiextensionsv1.JSONSchemaProps {
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties
}

// earlier makes a copy of the chart as it could have been before: of another version, with
// one field less in a kind.
func earlier(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	folder := filepath.Join(t.TempDir(), "inventory-operator")
	g.Expect(os.CopyFS(folder, os.DirFS(chart))).To(Succeed())
	path := filepath.Join(folder, "Chart.yaml")
	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, []byte(strings.Replace(string(content), "\nversion: ", "\nversion: 0.0.1-", 1)), 0o600)).To(Succeed())
	path = filepath.Join(folder, "files", "crds", "inventory.ccloud.dev_kafkaclusterobservations.yaml")
	content, err = os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	crd := &apiextensionsv1.CustomResourceDefinition{}
	g.Expect(yaml.Unmarshal(content, crd)).To(Succeed())
	g.Expect(statusFields(crd)).To(HaveKey("zones"))
	delete(statusFields(crd), "zones")
	content, err = yaml.Marshal(crd)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return folder
}

// expectSame expects an object to be the one that it was, not written since.
func (s server) expectSame(before client.Object) {
	s.Helper()
	g := NewWithT(s.T)
	now := before.DeepCopyObject().(client.Object)
	g.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(before), now)).To(Succeed())
	g.Expect(now.GetUID()).To(Equal(before.GetUID()))
	g.Expect(now.GetResourceVersion()).To(Equal(before.GetResourceVersion()))
}

func TestAReleaseFromInstallToUninstall(t *testing.T) {
	g := NewWithT(t)
	s := startServer(t)
	ctx := t.Context()

	s.helm("install", release, earlier(t))
	g.Expect(statusFields(s.clusterCRD(g))).NotTo(HaveKey("zones"))
	observation := s.observation()

	s.helm("upgrade", release, chart, "--set", "replicas=2")
	g.Expect(statusFields(s.clusterCRD(g))).To(HaveKey("zones"), "an upgrade brings the kinds along")
	s.expectSame(observation)
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: namespace, Name: "inventory-operator-controller-manager"}
	g.Expect(s.Get(ctx, key, deployment)).To(Succeed())
	g.Expect(deployment.Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	s.runsRestricted(deployment.Spec.Template)

	s.helm("rollback", release, "1")
	g.Expect(statusFields(s.clusterCRD(g))).NotTo(HaveKey("zones"))
	s.expectSame(observation)

	s.helm("uninstall", release)
	g.Expect(apierrors.IsNotFound(s.Get(ctx, key, deployment))).To(BeTrue())
	s.expectSame(observation)
	s.holdsNothingOf(release)

	s.helm("install", release, chart, "--set", "crds.keep=false")
	g.Expect(statusFields(s.clusterCRD(g))).To(HaveKey("zones"), "what was kept is taken up again")
	s.expectSame(observation)
	s.helm("uninstall", release)
	g.Eventually(func() bool {
		return apierrors.IsNotFound(s.Get(ctx, client.ObjectKey{Name: "kafkaclusterobservations.inventory.ccloud.dev"}, &apiextensionsv1.CustomResourceDefinition{}))
	}).WithTimeout(eventually).Should(BeTrue(), "and goes if it is not to be kept")
}

// runsRestricted expects the server to take a pod of the template into a namespace that
// enforces the Pod Security Standard restricted.
func (s server) runsRestricted(template corev1.PodTemplateSpec) {
	s.Helper()
	g := NewWithT(s.T)
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Namespace, pod.Name = namespace, "by-hand"
	g.Expect(s.Create(s.Context(), pod.DeepCopy(), client.DryRunAll)).To(Succeed())
	pod.Spec.Containers[0].SecurityContext = nil
	g.Expect(s.Create(s.Context(), pod, client.DryRunAll)).To(MatchError(ContainSubstring("violates PodSecurity")), "it is enforced")
}

// holdsNothingOf expects nothing of a release to be there, but for its kinds.
func (s server) holdsNothingOf(release string) {
	s.Helper()
	command := s.kubectl("get", "--all-namespaces", "--output=name",
		"--selector=app.kubernetes.io/instance="+release,
		"deployments,services,serviceaccounts,configmaps,secrets,roles,rolebindings,clusterroles,clusterrolebindings,networkpolicies,poddisruptionbudgets,pods,validatingadmissionpolicies,validatingadmissionpolicybindings")
	out, err := command.Output()
	g := NewWithT(s.T)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(out)).To(BeEmpty())
}

func TestTheServerTakesWhatIsRendered(t *testing.T) {
	s := startServer(t, "testdata/prometheus-operator")
	for _, values := range [][]string{
		nil,
		{"replicas=3", "networkPolicy.enabled=true", "metrics.dashboard.enabled=true", "readOnlyPolicy.enabled=true", "pushPolicy.enabled=true", "secretWatch.enabled=true", "endpointConfigMaps.enabled=true", "workloadIdentity.enabled=true", "caBundle.configMapName=trusted",
			"proxy.https=http://proxy.example:3128", "topologySpreadConstraints[0].topologyKey=zone", "topologySpreadConstraints[0].maxSkew=1",
			"topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway",
			"metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.interval=1m", "metrics.prometheusRule.enabled=true", "metrics.cloudAlerts.enabled=true"},
		{"watchNamespaces={default}", "networkPolicy.enabled=true", "metrics.enabled=false", "leaderElection.enabled=false"},
	} {
		t.Run(strings.Join(values, " "), func(t *testing.T) {
			server{t, s.Client, s.plane}.dryRun(template(t, set(values)...))
		})
	}
	t.Run("helm test", func(t *testing.T) {
		g := NewWithT(t)
		all := render(t)
		g.Expect(s.Create(t.Context(), all["ServiceAccount "+namespace+"/inventory-operator-test"])).To(Succeed())
		for _, name := range []string{"available", "kinds"} {
			key := "Pod " + namespace + "/inventory-operator-test-" + name
			g.Expect(all).To(HaveKey(key))
			g.Expect(s.Create(t.Context(), all[key], client.DryRunAll)).To(Succeed())
		}
	})
}
