// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

var (
	heading = regexp.MustCompile(`^(#+) +(.*)$`)
	fence   = regexp.MustCompile("^( *)```(.*)$")
)

// commands returns the blocks of sh that a page has under a heading, and under no further one.
func commands(t *testing.T, page, under string) (blocks []string) {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, page))
	g.Expect(err).NotTo(HaveOccurred())
	var block []string
	var inside, shell bool
	var section, indent string
	for line := range strings.SplitSeq(string(text), "\n") {
		if edge := fence.FindStringSubmatch(line); edge != nil {
			if inside && shell && section == under {
				blocks = append(blocks, strings.Join(block, "\n"))
			}
			inside, shell, indent, block = !inside, edge[2] == "sh", edge[1], nil
			continue
		}
		if found := heading.FindStringSubmatch(line); found != nil && !inside {
			section = found[2]
		}
		block = append(block, strings.TrimPrefix(line, indent))
	}
	g.Expect(blocks).NotTo(BeEmpty(), "%s: %s", page, under)
	return blocks
}

// helmOfPages is helm, but that the chart of a release is the one here.
const helmOfPages = `#!/usr/bin/env bash
exec "$HELM" "${@/#oci:\/\/ghcr.io\/ccloud-dev\/charts\/inventory-operator/$CHART}"
`

// kubectlOfPages is kubectl, but that it does not wait for pods: there is no node, and no operator.
// test/cluster waits for them.
const kubectlOfPages = `#!/usr/bin/env bash
[[ " $* " == *" rollout "* || " $* " == *" wait "*inventorysource/* ]] || exec "$KUBECTL_HERE" "$@"
`

// run runs a page's commands, from a folder, and returns what they print.
func (s server) run(folder, script string) string {
	s.Helper()
	g := NewWithT(s.T)
	here, err := filepath.Abs(chart)
	g.Expect(err).NotTo(HaveOccurred())
	helm, err := helmPath()
	g.Expect(err).NotTo(HaveOccurred())
	programs := s.TempDir()
	g.Expect(os.WriteFile(filepath.Join(programs, "helm"), []byte(helmOfPages), 0o755)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(programs, "kubectl"), []byte(kubectlOfPages), 0o755)).To(Succeed())
	command := exec.CommandContext(s.Context(), "bash", "-o", "pipefail", "-ec", script)
	command.Dir = folder
	command.Env = append(s.plane.Env(), "PATH="+programs+":"+os.Getenv("PATH"),
		"HELM="+helm, "CHART="+here, "KUBECTL_HERE="+s.plane.Kubectl())
	out, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), "%s\n%s", script, out)
	return string(out)
}

// runAll runs blocks of a page one after the other.
func (s server) runAll(folder string, blocks ...string) {
	s.Helper()
	for _, block := range blocks {
		s.run(folder, block)
	}
}

// deployment returns the manager's.
func (s server) deployment(g Gomega, namespace, name string) *appsv1.Deployment {
	deployment := &appsv1.Deployment{}
	g.Expect(s.Get(s.Context(), client.ObjectKey{Namespace: namespace, Name: name}, deployment)).To(Succeed())
	return deployment
}

func (s server) managersArgs(g Gomega) []string {
	return s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Args
}

// observation makes an observation by hand, and returns it as it is stored.
func (s server) observation() *v1alpha1.KafkaClusterObservation {
	s.Helper()
	g := NewWithT(s.T)
	o := &v1alpha1.KafkaClusterObservation{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "lkc-1"},
		Spec: v1alpha1.KafkaClusterObservationSpec{
			ObservationOrigin: v1alpha1.ObservationOrigin{SourceRef: v1alpha1.LocalReference{Name: "prod"}, Environment: "env-abc123"},
			ClusterID:         "lkc-1",
		},
	}
	g.Eventually(func() error { return s.Create(s.Context(), o) }).WithTimeout(eventually).Should(Succeed(), "the kind is served soon")
	return o
}

// startRegistry starts a registry and returns its address.
func startRegistry(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	binary := filepath.Join(t.TempDir(), "registry")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/google/go-containerregistry/cmd/registry")
	build.Dir = filepath.Join(root, "hack", "image")
	_, err := run(build)
	g.Expect(err).NotTo(HaveOccurred())
	registry := exec.Command(binary, "-port", "0")
	logs, err := registry.StderrPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(registry.Start()).To(Succeed())
	t.Cleanup(func() {
		_ = registry.Process.Kill() // It keeps nothing.
		_ = registry.Wait()
	})
	lines := bufio.NewScanner(logs)
	for lines.Scan() {
		if _, port, found := strings.Cut(lines.Text(), "serving on port "); found {
			go func() { _, _ = io.Copy(io.Discard, logs) }()
			return "localhost:" + port
		}
	}
	t.Fatal("the registry does not start")
	return ""
}

// deploysThisSource runs the commands that build and install a clone, with a registry that is there.
func (s server) deploysThisSource(script string) {
	s.Helper()
	g := NewWithT(s.T)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "here"}}
	g.Expect(s.Create(s.Context(), node)).To(Succeed())
	node.Status.NodeInfo.Architecture = goruntime.GOARCH
	g.Expect(s.Status().Update(s.Context(), node)).To(Succeed())
	registry := startRegistry(s.T)
	const named = "registry.example.com/"
	g.Expect(script).To(ContainSubstring(named))
	printed := s.run(root, strings.ReplaceAll(script, named, registry+"/"))

	image := s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Image
	repository, digest, found := strings.Cut(image, "@")
	g.Expect(found).To(BeTrue(), image)
	g.Expect(repository).To(Equal(registry + "/team/inventory-operator"))
	g.Expect(printed).To(ContainSubstring("image " + repository + ", for " + goruntime.GOARCH))
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "http://"+registry+"/v2/team/inventory-operator/manifests/"+digest, nil)
	g.Expect(err).NotTo(HaveOccurred())
	response, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	g.Expect(response.StatusCode).To(Equal(http.StatusOK), "what is installed can be pulled")
	var index struct {
		Manifests []struct {
			Platform struct{ OS, Architecture string }
		}
	}
	g.Expect(json.NewDecoder(response.Body).Decode(&index)).To(Succeed())
	g.Expect(index.Manifests).To(HaveLen(1))
	g.Expect(index.Manifests[0].Platform.Architecture).To(Equal(goruntime.GOARCH))

	unreachable := s.run(root, "! KUBECONFIG=/nowhere make helm-deploy REGISTRY="+registry+" 2>&1")
	g.Expect(unreachable).To(And(ContainSubstring("the cluster of the current kubeconfig does not answer"), Not(ContainSubstring("for "+goruntime.GOARCH))))
}

func TestThePagesInstallWithHelm(t *testing.T) {
	g := NewWithT(t)
	s := startServerWithout(t, "testdata/prometheus-operator")
	use := commands(t, "README.md", "Use it in a cluster of yours")
	s.deploysThisSource(use[0])
	s.helm("uninstall", release)
	s.runAll(root, use[1]) // helm install
	deployment := s.deployment(g, namespace, "inventory-operator-controller-manager")
	g.Expect(deployment.Spec.Template.Spec.Containers[0].Image).To(HavePrefix("ghcr.io/ccloud-dev/inventory-operator:v"))
	var source, rest []string
	for _, block := range use[2:] {
		if strings.HasPrefix(block, "make ") { // test/e2e runs the manager outside of the cluster.
			continue
		}
		if strings.HasPrefix(block, "helm ") || strings.HasPrefix(block, "kubectl delete edisc") {
			rest = append(rest, block)
		} else {
			source = append(source, block)
		}
	}
	g.Expect(source).To(HaveLen(3), "make a source, look, give another key")
	g.Expect(rest).To(HaveLen(2), "allow an endpoint, take it all away")
	s.runAll(root, source...)
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: watched, Name: "prod"}, &v1alpha1.InventorySource{})).To(Succeed())

	s.run(root, rest[0])
	installing := commands(t, "docs/installing.md", "With Helm")
	g.Expect(installing).To(HaveLen(3), "upgrade, install from a clone, take a release")
	s.run(root, installing[0])
	g.Expect(s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	g.Expect(s.managersArgs(g)).To(ContainElement("--allowed-endpoints=https://api.confluent.cloud,https://ccloud.example.com"), "what was set before stays")
	s.run(root, installing[1])
	g.Expect(s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Image).To(
		Equal("registry.example.com/inventory-operator:v1"))
	g.Expect(s.managersArgs(g)).To(ContainElement("--allowed-endpoints=https://api.confluent.cloud,https://ccloud.example.com"), "also here")
	s.run(root, installing[2])
	g.Expect(s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Image).To(
		HavePrefix("ghcr.io/ccloud-dev/inventory-operator:v"))

	s.run(root, rest[1])
	g.Expect(apierrors.IsNotFound(s.Get(t.Context(), client.ObjectKey{Name: watched}, &corev1.Namespace{}))).To(BeTrue())
	s.holdsNothingOf(release)
	s.runAll(root, commands(t, "charts/inventory-operator/README.md", release)...)
	s.runAll(root, commands(t, "charts/inventory-operator/README.md", "Upgrade and uninstall")...)
	kinds := &apiextensionsv1.CustomResourceDefinitionList{}
	g.Expect(s.List(t.Context(), kinds)).To(Succeed())
	for _, kind := range kinds.Items {
		g.Expect(kind.Spec.Group).NotTo(Equal(v1alpha1.GroupVersion.Group))
	}
}

func TestThePagesInstallWithKustomize(t *testing.T) {
	g := NewWithT(t)
	s := startServerWithout(t, "testdata/prometheus-operator")
	s.namespace(watched)
	blocks := commands(t, "docs/installing.md", "With kustomize")
	g.Expect(blocks).To(HaveLen(3), "two ways, a namespace, features by themselves")
	s.run(root, blocks[0])
	g.Expect(s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Image).To(
		Equal("registry.example.com/inventory-operator:v1"))
	g.Expect(s.managersArgs(g)).To(ContainElement("--endpoint-configmaps"))

	files := t.TempDir()
	g.Expect(os.WriteFile(filepath.Join(files, "install.yaml"), []byte(deployed(t, "default")), 0o600)).To(Succeed())
	upgrade := commands(t, "docs/installing.md", "Upgrading manifests")
	g.Expect(upgrade).To(HaveLen(1))
	refusesToUpgrade := func() {
		before := s.managersArgs(g)
		g.Expect(s.run(files, "! { "+upgrade[0]+"; }")).To(ContainSubstring(before[len(before)-1]))
		g.Expect(s.managersArgs(g)).To(Equal(before))
	}
	refusesToUpgrade()

	for _, key := range []string{"api-key", "api-secret"} {
		g.Expect(os.WriteFile(filepath.Join(files, key), []byte("of "+key), 0o600)).To(Succeed())
	}
	s.runAll(files, commands(t, "docs/security.md", "The key")...)
	secret := &corev1.Secret{}
	g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: watched, Name: "ccloud"}, secret)).To(Succeed())
	g.Expect(secret.Data).To(And(HaveLen(2), HaveKeyWithValue("api-key", []byte("of api-key"))))

	s.runAll(root, commands(t, "docs/security.md", "Watching Secrets")...)
	g.Expect(s.managersArgs(g)).NotTo(ContainElement("--endpoint-configmaps"), "what is applied is what WITH says")
	g.Eventually(func(g Gomega) { g.Expect(s.rights(g, watched)).To(ContainElement("watch secrets")) }).WithTimeout(eventually).Should(Succeed())
	s.run(files, upgrade[0])
	g.Expect(s.deployment(g, namespace, "inventory-operator-controller-manager").Spec.Template.Spec.Containers[0].Image).To(Equal("manager:v1"))

	narrowing := commands(t, "docs/security.md", "Narrowing it to namespaces")
	g.Expect(narrowing).To(HaveLen(3), "deploy, take the old binding away, check")
	s.runAll(root, narrowing[0], narrowing[1])
	g.Eventually(func() string { return s.run(root, "set +e; "+narrowing[2]+"\ntrue") }).WithTimeout(eventually).Should(MatchRegexp(`^yes\n(no\n|.*\nno\n)`))
	refusesToUpgrade()

	s.run(root, blocks[1])
	g.Expect(s.managersArgs(g)).To(ContainElements("--watch-namespaces=platform", "--endpoint-configmaps"))
	refused := s.run(root, "! make deploy IMG=manager:v1 WITH=secret-watch 2>&1")
	g.Expect(refused).To(ContainSubstring("kept to namespaces"), "what a page says for any base does not open what was closed")
	g.Expect(s.run(root, "! BASE=default make deploy IMG=manager:v1 2>&1")).To(ContainSubstring("kept to namespaces"), "nor what a shell happens to have")
	g.Expect(s.run(root, "! make deploy IMG=manager:v1 BASE= 2>&1")).To(ContainSubstring("BASE is ''"))
	g.Expect(s.managersArgs(g)).To(ContainElements("--watch-namespaces=platform", "--endpoint-configmaps"))
	s.run(root, blocks[2])
	for _, page := range [][2]string{{"docs/metrics.md", "Alerts and dashboard"}, {"docs/metrics.md", "Alerts about the cloud"}, {"docs/security.md", "Who may write observations"}} {
		s.runAll(root, commands(t, page[0], page[1])...)
	}
	g.Expect(s.rights(g, "kube-system")).NotTo(ContainElement(HaveSuffix(" secrets")))
}

// valuesOf are the values of the chart for a base of config and features, as the page says.
func valuesOf(t *testing.T, base string, features ...string) map[string]any {
	t.Helper()
	g := NewWithT(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "installing.md"))
	g.Expect(err).NotTo(HaveOccurred())
	values := map[string]any{}
	if base == "namespaced" {
		values["watchNamespaces"] = []any{watched}
	}
	for _, feature := range features {
		_, row, found := strings.Cut(string(page), "\n| `"+feature+"` | `")
		g.Expect(found).To(BeTrue(), feature)
		row, _, _ = strings.Cut(row, "` | ")
		for value := range strings.SplitSeq(row, "`, `") {
			g.Expect(unstructured.SetNestedField(values, true, strings.Split(value, ".")...)).To(Succeed())
		}
	}
	return values
}

func TestThePageHasTheValuesOfItsExample(t *testing.T) {
	g := NewWithT(t)
	example := yamlOf(g, "installing.md", "# values.yaml, for BASE=namespaced WITH='endpoint-configmaps policy'")
	g.Expect(yaml.Marshal(valuesOf(t, "namespaced", "endpoint-configmaps", "policy"))).To(MatchYAML(example))
}

// Kinds and observations stay, the manager may and does what it did, and the release is one that
// helm goes on with.
func TestThePagesMoveAnInstallation(t *testing.T) {
	toHelm := commands(t, "docs/installing.md", "From manifests to Helm")
	elsewhere := commands(t, "docs/installing.md", "To another namespace or release name")
	for base, how := range map[string]string{
		"default":    "hack/render manager:v1 default %s | kubectl apply --server-side -f -",
		"namespaced": "make deploy IMG=manager:v1 BASE=namespaced WITH='%s'",
	} {
		t.Run("from "+base, func(t *testing.T) {
			g := NewWithT(t)
			s := startServerWithout(t, "testdata/prometheus-operator")
			s.namespace(watched)
			s.run(root, fmt.Sprintf(how, "prometheus"))
			observation := s.observation() // By hand, which the policy refuses.
			with := slices.Sorted(maps.Keys(features))
			s.run(root, fmt.Sprintf(how, strings.Join(with, " ")))
			_, err := s.tryHelm("install", release, chart, "--namespace", namespace)
			g.Expect(err).To(MatchError(ContainSubstring("invalid ownership metadata")))

			folder := t.TempDir()
			g.Expect(toHelm).To(HaveLen(1))
			s.run(folder, "! { "+toHelm[0]+"; }")
			flags := s.managersArgs(g) // It is there: nothing is deleted without values.
			rights := map[string][]string{}
			for _, place := range []string{watched, namespace, "kube-system"} {
				g.Eventually(func(g Gomega) {
					rights[place] = s.rights(g, place)
					g.Expect(slices.Contains(rights[place], "get secrets")).To(Equal(base == "default" || place == watched), place)
				}).WithTimeout(eventually).Should(Succeed())
			}
			values, err := yaml.Marshal(valuesOf(t, base, with...))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(os.WriteFile(filepath.Join(folder, "values.yaml"), values, 0o600)).To(Succeed())
			s.run(folder, toHelm[0])
			s.expectSame(observation)
			g.Expect(s.managersArgs(g)).To(ConsistOf(flags))
			for place, had := range rights {
				g.Eventually(func(g Gomega) { g.Expect(s.rights(g, place)).To(Equal(had), place) }).WithTimeout(eventually).Should(Succeed())
			}
			s.run(folder, "kubectl get validatingadmissionpolicybindings "+release+"-observations-read-only "+release+"-push-requests-only")
			s.helm("upgrade", release, chart, "--reset-then-reuse-values", "--set", "replicas=2,watchNamespaces={platform},crds.keep=true")
			leftovers := &rbacv1.ClusterRoleBindingList{}
			g.Expect(s.List(t.Context(), leftovers, client.MatchingLabels{"app.kubernetes.io/managed-by": "kustomize"})).To(Succeed())
			g.Expect(leftovers.Items).To(BeEmpty())

			folder = t.TempDir()
			s.runAll(folder, elsewhere...)
			s.expectSame(observation)
			moved := s.deployment(g, "mirrors", "mirror-inventory-operator-controller-manager")
			g.Expect(moved.Spec.Template.Spec.Containers[0].Args).To(ContainElement("--watch-namespaces=platform"), "with its values")
			s.holdsNothingOf(release)
			s.run(folder, "helm upgrade mirror oci://ghcr.io/ccloud-dev/charts/inventory-operator --namespace mirrors --reset-then-reuse-values --set replicas=3")
			g.Expect(s.deployment(g, "mirrors", "mirror-inventory-operator-controller-manager").Spec.Replicas).To(HaveValue(BeEquivalentTo(3)))
			s.expectSame(observation)
		})
	}
}

// What the notes of a release say makes a source that its manager works on.
func TestTheNotesMakeASourceThatIsMirrored(t *testing.T) {
	s := startServer(t)
	s.namespace("data")
	s.helm("install", release, chart)
	NewWithT(t).Eventually(func() error { return s.List(t.Context(), &v1alpha1.InventorySourceList{}) }).WithTimeout(eventually).Should(Succeed())
	for _, c := range []struct{ values, namespace, selector, endpoint string }{
		{"replicas=1", watched, "", "https://api.confluent.cloud"},
		{"watchNamespaces={data,default}", "data", "", "https://api.confluent.cloud"},
		{`watchLabelSelector=shard==a\,team=x`, watched, "shard=a,team=x", "https://api.confluent.cloud"},
		{"allowedEndpoints={https://gateway.example:8443}", watched, "", "https://gateway.example:8443"},
		{"allowedEndpoints={https://gateway.example,https://api.confluent.cloud}", watched, "", "https://api.confluent.cloud"},
	} {
		t.Run(c.values, func(t *testing.T) {
			g := NewWithT(t)
			s := server{t, s.Client, s.plane}
			printed := s.helm("install", "another", chart, "--dry-run=client", "--set", c.values)
			_, notes, found := strings.Cut(printed, "name an environment:\n")
			g.Expect(found).To(BeTrue(), printed)
			notes, _, _ = strings.Cut(notes, "`helm uninstall`")
			s.run(t.TempDir(), strings.ReplaceAll(notes, "\n  ", "\n"))
			source := &v1alpha1.InventorySource{}
			g.Expect(s.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: "prod"}, source)).To(Succeed())
			selector, err := labels.Parse(c.selector)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(selector.Matches(labels.Set(source.Labels))).To(BeTrue())
			g.Expect(source.Spec.Endpoint).To(Equal(c.endpoint))
			s.run(t.TempDir(), "kubectl delete --namespace "+c.namespace+" isrc/prod secret/ccloud; kubectl delete namespace platform --ignore-not-found")
		})
	}
}
