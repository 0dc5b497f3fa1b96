// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const deploymentKey = "Deployment " + namespace + "/inventory-operator-controller-manager"

// as converts an object into its type.
func as[T any](t *testing.T, all objects, key string) *T {
	t.Helper()
	g := NewWithT(t)
	g.Expect(all).To(HaveKey(key))
	typed := new(T)
	g.Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(all[key].Object, typed, true)).To(Succeed())
	return typed
}

func pod(t *testing.T, all objects) corev1.PodSpec {
	t.Helper()
	return as[appsv1.Deployment](t, all, deploymentKey).Spec.Template.Spec
}

func TestValuesBecomeFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []string
		flags  []string
	}{
		"none": {nil, []string{"--leader-elect", "--health-probe-bind-address=:8081", "--metrics-bind-address=:8443"}},
		"scope": {[]string{"watchNamespaces={a,b}", `watchLabelSelector=shard in (a\,b)`},
			[]string{"--watch-namespaces=a,b", "--watch-label-selector=shard in (a,b)"}},
		"cloud": {[]string{"allowedEndpoints={https://a.example,http://b.example:8080}", "requestsPerSecond=0.5"},
			[]string{"--allowed-endpoints=https://a.example,http://b.example:8080", "--requests-per-second=0.5"}},
		"work":           {[]string{"concurrentSyncs=2", "concurrentWrites=4"}, []string{"--concurrent-syncs=2", "--concurrent-writes=4"}},
		"log":            {[]string{"log.level=3", "log.format=console"}, []string{"--zap-log-level=3", "--zap-encoder=console"}},
		"metrics":        {[]string{"metrics.perObservation=true"}, []string{"--observation-metrics"}},
		"no metrics":     {[]string{"metrics.enabled=false"}, []string{"--metrics-bind-address=0"}},
		"a CA's map":     {[]string{"caBundle.configMapName=trusted", "caBundle.key=bundle.pem"}, []string{"--ca-bundle=/etc/inventory-operator/ca/bundle.pem"}},
		"flags of yours": {[]string{"extraArgs={--pprof-bind-address=127.0.0.1:6060}"}, []string{"--pprof-bind-address=127.0.0.1:6060"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			NewWithT(t).Expect(pod(t, render(t, c.values...)).Containers[0].Args).To(ContainElements(c.flags))
		})
	}
}

func TestValuesPlaceThePods(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	all := parse(t, template(t, "--values", file(t, `
image: {repository: mirror.example/operator, tag: v9}
imagePullSecrets: [{name: registry}]
replicas: 2
priorityClassName: system-cluster-critical
nodeSelector: {disk: fast}
tolerations: [{key: infra, operator: Exists}]
affinity: {nodeAffinity: {}}
topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
podLabels: {team: data}
podAnnotations: {note: here}
serviceAccount: {annotations: {role: reader}}
proxy: {https: "http://proxy.example:3128", none: .internal}
extraEnv: [{name: GOGC, value: "100"}]
extraVolumes: [{name: scratch, emptyDir: {}}]
extraVolumeMounts: [{name: scratch, mountPath: /tmp}]
extraObjects:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-more"}}
`)))
	deployment := as[appsv1.Deployment](t, all, deploymentKey)
	g.Expect(deployment.Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	template := deployment.Spec.Template
	g.Expect(template.Labels).To(HaveKeyWithValue("team", "data"))
	g.Expect(template.Annotations).To(HaveKeyWithValue("note", "here"))
	spec := template.Spec
	g.Expect(spec.Containers[0].Image).To(Equal("mirror.example/operator:v9"))
	g.Expect(spec.ImagePullSecrets).To(Equal([]corev1.LocalObjectReference{{Name: "registry"}}))
	g.Expect(spec.PriorityClassName).To(Equal("system-cluster-critical"))
	g.Expect(spec.NodeSelector).To(HaveKeyWithValue("disk", "fast"))
	g.Expect(spec.Tolerations).To(HaveLen(1))
	g.Expect(spec.Affinity).To(Equal(&corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}), "what is given counts alone")
	g.Expect(spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels).To(Equal(deployment.Spec.Selector.MatchLabels))
	g.Expect(spec.Containers[0].Env).To(Equal([]corev1.EnvVar{
		{Name: "HTTPS_PROXY", Value: "http://proxy.example:3128"},
		{Name: "NO_PROXY", Value: "$(KUBERNETES_SERVICE_HOST),.internal"},
		{Name: "GOGC", Value: "100"},
	}))
	g.Expect(spec.Volumes).To(HaveLen(1))
	g.Expect(spec.Containers[0].VolumeMounts).To(HaveLen(1))
	g.Expect(all["ServiceAccount "+namespace+"/inventory-operator-controller-manager"].GetAnnotations()).To(HaveKeyWithValue("role", "reader"))
	g.Expect(all).To(HaveKey("PodDisruptionBudget " + namespace + "/inventory-operator-controller-manager"))
	g.Expect(all).To(HaveKey("ConfigMap /inventory-operator-more"))
}

func TestSeveralReplicasPreferDifferentNodes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(as[appsv1.Deployment](t, render(t), deploymentKey).Spec.Template.Spec.Affinity).To(BeNil(), "one has no other to keep away from")
	deployment := as[appsv1.Deployment](t, render(t, "replicas=2"), deploymentKey)
	apart := deployment.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	g.Expect(apart).To(HaveLen(1))
	g.Expect(apart[0].PodAffinityTerm.TopologyKey).To(Equal("kubernetes.io/hostname"))
	g.Expect(apart[0].PodAffinityTerm.LabelSelector).To(Equal(deployment.Spec.Selector))
}

func TestADigestCountsInsteadOfTheTag(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	NewWithT(t).Expect(pod(t, render(t, "image.digest="+digest)).Containers[0].Image).To(Equal("ghcr.io/ccloud-dev/inventory-operator@" + digest))
}

func TestAnInlineCABundleIsMountedAndRestartsThePods(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	rendered := func(content string) objects {
		return parse(t, template(t, "--values", file(t, "caBundle: {pem: \"-----BEGIN CERTIFICATE-----\\n"+content+"\\n-----END CERTIFICATE-----\\n\"}")))
	}
	one, other := rendered("AAAA"), rendered("BBBB")
	g.Expect(as[corev1.ConfigMap](t, one, "ConfigMap "+namespace+"/inventory-operator-ca-bundle").Data).To(
		HaveKeyWithValue("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	g.Expect(pod(t, one).Containers[0].Args).To(ContainElement("--ca-bundle=/etc/inventory-operator/ca/ca.crt"))
	g.Expect(pod(t, one).Volumes[0].ConfigMap.Name).To(Equal("inventory-operator-ca-bundle"))
	hash := func(all objects) string {
		return as[appsv1.Deployment](t, all, deploymentKey).Spec.Template.Annotations["checksum/ca-bundle"]
	}
	g.Expect(hash(one)).NotTo(Or(BeEmpty(), Equal(hash(other))))
}

func TestANetworkPolicyLetsOutWhatIsNeeded(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	all := render(t, "networkPolicy.enabled=true")
	policy := as[networkingv1.NetworkPolicy](t, all, "NetworkPolicy "+namespace+"/inventory-operator-controller-manager")
	g.Expect(policy.Spec.PodSelector.MatchLabels).To(Equal(as[appsv1.Deployment](t, all, deploymentKey).Spec.Selector.MatchLabels))
	ports := func(rule []networkingv1.NetworkPolicyPort) (all []int) {
		for _, port := range rule {
			all = append(all, port.Port.IntValue())
		}
		return all
	}
	g.Expect(policy.Spec.Egress).To(HaveLen(2))
	g.Expect(ports(policy.Spec.Egress[0].Ports)).To(Equal([]int{53, 53}))
	g.Expect(ports(policy.Spec.Egress[1].Ports)).To(Equal([]int{443, 6443}))
	g.Expect(policy.Spec.Ingress).To(HaveLen(1))
	g.Expect(ports(policy.Spec.Ingress[0].Ports)).To(Equal([]int{8443}))

	closed := render(t, "networkPolicy.enabled=true", "metrics.enabled=false")
	g.Expect(as[networkingv1.NetworkPolicy](t, closed, "NetworkPolicy "+namespace+"/inventory-operator-controller-manager").Spec.Ingress).To(BeEmpty())
}

func TestTheDashboardIsThere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	dashboard, err := os.ReadFile(filepath.Join(root, "config", "grafana", "inventory-operator.json"))
	g.Expect(err).NotTo(HaveOccurred())
	shown := as[corev1.ConfigMap](t, render(t, "metrics.dashboard.enabled=true"), "ConfigMap "+namespace+"/inventory-operator-dashboard")
	g.Expect(shown.Labels).To(HaveKeyWithValue("grafana_dashboard", "1"))
	g.Expect(shown.Data["inventory-operator.json"]).To(MatchJSON(dashboard))
}

func TestWhatIsSwitchedOffIsNotThere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for key := range render(t, "rbac.create=false", "serviceAccount.create=false", "serviceAccount.name=mine", "crds.enabled=false", "metrics.enabled=false") {
		g.Expect(key).To(Or(HavePrefix("Deployment "), ContainSubstring("/inventory-operator-test")))
	}
	g.Expect(render(t)).NotTo(HaveKey(HavePrefix("PodDisruptionBudget ")), "one replica has no other that could wait for it")
	for key, object := range render(t, "crds.keep=false") {
		if strings.HasPrefix(key, "CustomResourceDefinition ") {
			g.Expect(object.GetAnnotations()).NotTo(HaveKey("helm.sh/resource-policy"))
		}
	}
}

func TestTwoReleasesShareNothing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	one := render(t, "crds.enabled=false")
	out, err := helm(t.Context(), "template", "shard-b", chart, "--namespace", namespace, "--set", "crds.enabled=false")
	g.Expect(err).NotTo(HaveOccurred())
	for key := range parse(t, out) {
		g.Expect(one).NotTo(HaveKey(key))
		g.Expect(key).To(ContainSubstring("shard-b-inventory-operator"))
	}
}

func TestABadValueIsNamed(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"replica=2":    "additional properties 'replica' not allowed",
		"replicas=two": "at '/replicas'",
		"replicas=2,leaderElection.enabled=false":  "several managers need leaderElection.enabled",
		"watchNamespaces={Platform}":               "at '/watchNamespaces/0'",
		"allowedEndpoints={api.confluent.cloud}":   "at '/allowedEndpoints/0'",
		"requestsPerSecond=0":                      "at '/requestsPerSecond'",
		"log.level=loud":                           "at '/log/level'",
		"image.digest=sha256:1":                    "at '/image/digest'",
		"serviceAccount.create=false":              "serviceAccount.name: give one",
		"caBundle.pem=none":                        "at '/caBundle/pem'",
		"extraArgs={watch}":                        "at '/extraArgs/0'",
		"networkPolicy.egressPorts={0}":            "at '/networkPolicy/egressPorts/0'",
		"metrics.serviceMonitor.interval=sometime": "at '/metrics/serviceMonitor/interval'",
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t.Context(), "template", release, chart, "--set", values)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(want)))
		})
	}
}
