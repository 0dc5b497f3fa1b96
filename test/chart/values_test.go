// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
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

	// Through a proxy, and to what else than Confluent Cloud itself may be asked.
	for values, more := range map[string][]int{
		"proxy.https=http://proxy.example:3128":                           {3128},
		"proxy.https=http://proxy.example":                                {80},
		"proxy.https=socks5://proxy.example":                              {1080},
		"allowedEndpoints={https://a.example:8443,http://b.example:8080}": {8443, 8080},
		"allowedEndpoints={https://a.example,http://[::1]}":               {80},
		"allowedEndpoints={https://[::1]:9443}":                           {9443},
	} {
		policy := as[networkingv1.NetworkPolicy](t, render(t, "networkPolicy.enabled=true", values), "NetworkPolicy "+namespace+"/inventory-operator-controller-manager")
		g.Expect(ports(policy.Spec.Egress[1].Ports)).To(Equal(append([]int{443, 6443}, more...)), values)
	}

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
	for key := range render(t, "rbac.create=false", "rbac.aggregate=false", "serviceAccount.create=false", "serviceAccount.name=mine", "crds.enabled=false", "metrics.enabled=false") {
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

// badValues are those that the API server or the manager would refuse later, or that would have
// no effect, and what helm says of each.
var badValues = map[string]string{
	"replica=2":    "additional properties 'replica' not allowed",
	"replicas=two": "at '/replicas'",
	"replicas=2,leaderElection.enabled=false":                       "several managers need leaderElection.enabled",
	"watchNamespaces={Platform}":                                    "at '/watchNamespaces/0'",
	"allowedEndpoints={api.confluent.cloud}":                        "at '/allowedEndpoints/0'",
	"allowedEndpoints={https://a b}":                                "at '/allowedEndpoints/0'",
	"allowedEndpoints={https://a:65536}":                            "at '/allowedEndpoints/0'",
	"allowedEndpoints={https://me:secret@a}":                        "at '/allowedEndpoints/0'",
	"allowedEndpoints={https://[1]}":                                "at '/allowedEndpoints/0'",
	"proxy.https=http://[:::::]:3128":                               "at '/proxy/https'",
	"tests.image=[fe80::1.2]:5000/a":                                "at '/tests/image'",
	"image.repository=[1]:5000/a":                                   "at '/image/repository'",
	"requestsPerSecond=0":                                           "at '/requestsPerSecond'",
	"requestsPerSecond=0.05":                                        "at '/requestsPerSecond'",
	"requestsPerSecond=1000001":                                     "at '/requestsPerSecond'",
	"requestsPerSecond=fast":                                        "at '/requestsPerSecond'",
	"concurrentSyncs=0":                                             "at '/concurrentSyncs'",
	"concurrentWrites=1e+06":                                        "at '/concurrentWrites'",
	"watchLabelSelector=shard in":                                   "at '/watchLabelSelector'",
	"log.level=loud":                                                "at '/log/level'",
	"image.digest=sha256:1":                                         "at '/image/digest'",
	"image.tag=a b":                                                 "at '/image/tag'",
	"serviceAccount.create=false":                                   "serviceAccount.name: give one",
	"serviceAccount.name=My_Account":                                "at '/serviceAccount/name'",
	"caBundle.pem=none":                                             "at '/caBundle/pem'",
	"caBundle.configMapName=My_Map":                                 "at '/caBundle/configMapName'",
	"caBundle.key=a/b":                                              "at '/caBundle/key'",
	"extraArgs={watch}":                                             "at '/extraArgs/0'",
	"extraArgs={--leader-elect=false}":                              "at '/extraArgs/0'",
	"fullnameOverride=1st":                                          "at '/fullnameOverride'",
	"podLabels.control-plane=mine":                                  "at '/podLabels/control-plane'",
	"podLabels.team=a b":                                            "at '/podLabels/team'",
	`podLabels.app\.kubernetes\.io/instance=mine`:                   "at '/podLabels/app.kubernetes.io~1instance'",
	`podAnnotations.checksum/ca-bundle=mine`:                        "at '/podAnnotations/checksum~1ca-bundle'",
	`metrics.dashboard.labels.helm\.sh/chart=mine`:                  "at '/metrics/dashboard/labels/helm.sh~1chart'",
	"nodeSelector.disk=very fast":                                   "at '/nodeSelector/disk'",
	"networkPolicy.egressPorts={0}":                                 "at '/networkPolicy/egressPorts/0'",
	"metrics.serviceMonitor.interval=sometime":                      "at '/metrics/serviceMonitor/interval'",
	"metrics.serviceMonitor.interval=1s1h":                          "at '/metrics/serviceMonitor/interval'",
	"metrics.serviceMonitor.interval=10m":                           "metrics.serviceMonitor.interval: is 10m, at most 2m",
	"metrics.serviceMonitor.interval=2m1s":                          "metrics.serviceMonitor.interval: is 2m1s, at most 2m",
	"proxy.https=http://a b:3128":                                   "at '/proxy/https'",
	"proxy.none=.internal":                                          "proxy.none: needs proxy.https",
	"proxy.https=http://a:1,extraEnv[0].name=NO_PROXY":              "extraEnv: NO_PROXY is there already",
	"proxy.https=http://a:1,extraEnv[0].name=no_proxy":              "extraEnv: no_proxy is there already",
	"resources.claims[0].name=a":                                    "at '/resources'",
	"extraEnv[0].name=A,extraEnv[1].name=A":                         "extraEnv: A is there already",
	"extraVolumes[0].name=ca-bundle,caBundle.configMapName=trusted": "extraVolumes: ca-bundle is there already",
	"extraVolumes[0].name=a,extraVolumeMounts[0].name=a,extraVolumeMounts[0].mountPath=/etc/inventory-operator/ca,caBundle.configMapName=trusted": "extraVolumeMounts: /etc/inventory-operator/ca is there already",
	"metrics.enabled=false,metrics.serviceMonitor.enabled=true":                                                                                   "metrics.serviceMonitor.enabled: needs metrics.enabled",
	"metrics.enabled=false,metrics.prometheusRule.enabled=true":                                                                                   "metrics.prometheusRule.enabled: needs metrics.enabled",
	"metrics.enabled=false,metrics.cloudAlerts.enabled=true":                                                                                      "metrics.cloudAlerts.enabled: needs metrics.enabled",
	"metrics.enabled=false,metrics.dashboard.enabled=true":                                                                                        "metrics.dashboard.enabled: needs metrics.enabled",
	"metrics.enabled=false,metrics.perObservation=true":                                                                                           "metrics.perObservation: needs metrics.enabled",
	"rbac.create=false,secretWatch.enabled=true":                                                                                                  "secretWatch.enabled: grants a right",
	"rbac.create=false,workloadIdentity.enabled=true":                                                                                             "workloadIdentity.enabled: grants a right",
	"workloadIdentity.serviceAccounts={reader}":                                                                                                   "workloadIdentity.serviceAccounts: needs",
	"readOnlyPolicy.otherWriters={me}":                                                                                                            "readOnlyPolicy.otherWriters: needs",
	"serviceAccount.create=false,serviceAccount.name=mine,serviceAccount.annotations.a=b":                                                         "serviceAccount.annotations: needs",
}

func TestABadValueIsNamed(t *testing.T) {
	t.Parallel()
	for values, want := range badValues {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t.Context(), "template", release, chart, "--set", values)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(want)))
		})
	}
	t.Run("requestsPerSecond as text", func(t *testing.T) {
		t.Parallel()
		_, err := helm(t.Context(), "template", release, chart, "--set-string", "requestsPerSecond=0")
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("at '/requestsPerSecond'")))
	})
}

// The schema takes a selector if and only if the manager does.
func TestASelectorIsTakenIfTheManagerTakesIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var schema struct {
		Properties struct {
			WatchLabelSelector struct{ Pattern string } `json:"watchLabelSelector"`
		}
	}
	readSchema(g, &schema)
	pattern := regexp.MustCompile(schema.Properties.WatchLabelSelector.Pattern)
	for _, selector := range []string{
		"", "shard=a", "shard==a", "shard!=a", " shard = a ", "shard=", "a=b,c=d", "a=b, c in (d,e)", "a notin (b)", "a in ()", "a in (b,)", "a", "!a", "! a", "a>1", "a<2",
		"example.com/shard=a", "Example.com/shard=a", "a in", "a in b", "in (b)", "=a", "a=b=c", "a=b c", "a,b", "a,,b", ",", "a,", "a=" + strings.Repeat("b", 63), "a=" + strings.Repeat("b", 64),
		"-a=b", "a=-b", "a=b-", "a b", "a>b", "a in(b)", "a in (b c)", "a=b,c in (d", "!a=b", "a/b/c=d", "/a=b", "a=(b)", "notin=b",
		"a..b/c=d", "a.-b/c=d", "a>-1", "a>1.5", "a>99999999999999999999",
	} {
		_, err := labels.Parse(selector)
		g.Expect(pattern.MatchString(selector)).To(Equal(err == nil), "%q: %v", selector, err)
	}
}

// The schema takes an address in brackets if and only if the manager does.
func TestAnAddressIsTakenIfTheManagerTakesIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var schema struct {
		Definitions struct {
			Host struct {
				AnyOf []struct{ Pattern string } `json:"anyOf"`
			}
		}
	}
	readSchema(g, &schema)
	g.Expect(schema.Definitions.Host.AnyOf).To(HaveLen(2))
	pattern := regexp.MustCompile(schema.Definitions.Host.AnyOf[1].Pattern)
	for _, address := range []string{
		"::", "::1", "1::", "1::2", "fe80::1.2.3.4", "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3::6:7:8", "ABCD:ef01::",
		"1", ":", ":::::", "1:2", "fe80::1.2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "1:2:3:4:5:6:7:1.2.3.4", "1::256.0.0.1", "1.2.3.4", "1:2:3:4::5:6:7:8", "g::", "::1:", ":1::2",
	} {
		_, err := cloudapi.ParseEndpoint("https://[" + address + "]")
		g.Expect(pattern.MatchString("["+address+"]")).To(Equal(err == nil), "%q: %v", address, err)
	}
}

// The last of two flags wins, and the rights are those of the value.
func TestNoFurtherFlagIsOneThatAValueSets(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var schema struct {
		Properties struct {
			ExtraArgs struct {
				Items struct{ Not struct{ Pattern string } }
			} `json:"extraArgs"`
		}
	}
	readSchema(g, &schema)
	pattern := regexp.MustCompile(schema.Properties.ExtraArgs.Items.Not.Pattern)
	template, err := os.ReadFile(filepath.Join(chart, "templates", "deployment.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	flags := regexp.MustCompile(`(?m)^ +- .*?--([a-z-]+)`).FindAllStringSubmatch(string(template), -1)
	g.Expect(len(flags)).To(BeNumerically(">", 10))
	for _, flag := range flags {
		for _, arg := range []string{"--" + flag[1], "-" + flag[1] + "=a"} {
			g.Expect(pattern.MatchString(arg)).To(BeTrue(), arg)
		}
		g.Expect(pattern.MatchString("--" + flag[1] + "-more=a")).To(BeFalse())
	}
}

// Names of releases that helm takes make names of objects that the server takes.
func TestAnyReleasesNameMakesNames(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, name := range []string{"my.release", "1st", "123", "true", "0x1f", strings.Repeat("a.b-", 13) + "z", "inventory-operator.b", "a", "9." + release} {
		out, err := helm(t.Context(), "template", name, chart, "--namespace", namespace)
		g.Expect(err).NotTo(HaveOccurred())
		for key, object := range parse(t, out) {
			g.Expect(object.GetLabels()).To(HaveKeyWithValue("app.kubernetes.io/instance", name), key)
			switch object.GetKind() {
			case "Service":
				g.Expect(validation.IsDNS1035Label(object.GetName())).To(BeEmpty(), key)
			case "Deployment", "Pod":
				g.Expect(validation.IsDNS1123Label(object.GetName())).To(BeEmpty(), key)
			}
		}
	}
}

func TestNumbersAreWrittenAsNumbers(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	// A number of a values file is a float64, which a template writes as 1e+05.
	all := parse(t, template(t, "--values", file(t, "{replicas: 2, concurrentSyncs: 100000, concurrentWrites: 100000, requestsPerSecond: 1000000, networkPolicy: {enabled: true, egressPorts: [60000]}}")))
	g.Expect(pod(t, all).Containers[0].Args).To(ContainElements("--concurrent-syncs=100000", "--concurrent-writes=100000"))
	g.Expect(as[appsv1.Deployment](t, all, deploymentKey).Spec.Replicas).To(HaveValue(BeEquivalentTo(2)))
	for _, arg := range pod(t, all).Containers[0].Args {
		if value, is := strings.CutPrefix(arg, "--requests-per-second="); is {
			g.Expect(strconv.ParseFloat(value, 64)).To(BeEquivalentTo(1000000))
		}
	}
}

func TestPeoplesRightsAreTheirOwnSwitch(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	people := "ClusterRole /inventory-operator-observation-viewer-role"
	g.Expect(render(t, "rbac.create=false")).To(And(HaveKey(people), Not(HaveKey("ClusterRole /inventory-operator-manager-role"))))
	g.Expect(render(t, "rbac.aggregate=false")).To(And(Not(HaveKey(people)), HaveKey("ClusterRole /inventory-operator-manager-role")))
}
