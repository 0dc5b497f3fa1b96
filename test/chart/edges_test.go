// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/internal/options"
)

// digits are values that YAML would read as numbers and truth values, were they not quoted.
const digits = `
image: {repository: mirror.example/operator, tag: "1e3"}
imagePullSecrets: [{name: "1234"}]
serviceAccount: {name: "1e3", annotations: {a: "true"}}
allowedEndpoints: ["https://1.2"]
caBundle: {configMapName: "1e3", key: "1234"}
priorityClassName: "1234"
nodeSelector: {a: "1e3", b: "true", c: "null"}
podLabels: {a: "1e3", b: "1234", c: "null"}
podAnnotations: {a: "true", b: "0x1f", c: "1_0", d: "~"}
metrics: {serviceMonitor: {enabled: true, labels: {a: "1e3"}}, prometheusRule: {enabled: true, labels: {a: "on"}}, dashboard: {enabled: true, labels: {a: "1234"}}}
readOnlyPolicy: {enabled: true, otherWriters: ["1234", "true", "say \"a\"", "a<b>&c"]}
workloadIdentity: {enabled: true, serviceAccounts: ["1234"]}
networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {matchLabels: {a: "1e3"}}}]}
tolerations: [{key: "1234", operator: Equal, value: "true"}]
topologySpreadConstraints: [{maxSkew: 1, topologyKey: "1e3", whenUnsatisfiable: ScheduleAnyway}]
extraEnv: [{name: "A", value: "1e3"}]
extraVolumes: [{name: "1e3", emptyDir: {}}]
extraVolumeMounts: [{name: "1e3", mountPath: "1234"}]
resources: {limits: {memory: "1e9", cpu: 1}, requests: {memory: 1000000, cpu: "0.5"}}
replicas: 2
`

func TestTextOfDigitsStaysText(t *testing.T) {
	s := startServer(t, "testdata/prometheus-operator")
	for _, name := range []string{"1234", "1e3", "true", "null", "0x1f"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := server{t, s.Client, s.plane}
			s.namespace(name)
			out, err := helm(t.Context(), "template", name, chart, "--namespace", name, "--values", file(t, digits), "--set-string", "watchNamespaces={"+name+"}")
			g.Expect(err).NotTo(HaveOccurred())
			s.dryRun(out)
			for key, object := range parse(t, out) {
				g.Expect(object.GetLabels()).To(HaveKeyWithValue("app.kubernetes.io/instance", name), key)
				g.Expect(object.GetNamespace()).To(Or(BeEmpty(), Equal(name)), key)
			}
			printed, err := s.tryHelm("install", name, chart, "--namespace", name, "--dry-run=client", "--set-string", "watchNamespaces={"+name+"}")
			g.Expect(err).NotTo(HaveOccurred())
			_, notes, found := strings.Cut(printed, "<<'YAML'\n")
			g.Expect(found).To(BeTrue())
			notes, _, _ = strings.Cut(notes, "\n  YAML")
			var source struct{ Metadata metav1.ObjectMeta }
			g.Expect(yaml.Unmarshal([]byte(strings.ReplaceAll("\n"+notes, "\n  ", "\n")), &source)).To(Succeed())
			g.Expect(source.Metadata.Namespace).To(Equal(name))
		})
	}
}

// later are those who see what the chart renders after helm has.
type later struct{ server }

// refuse returns what the API server or the manager says against manifests.
func (l later) refuse(t *testing.T, manifests string) (refused error) {
	t.Helper()
	g := NewWithT(t)
	all := parse(t, manifests)
	var containers []any
	for key, object := range all {
		switch object.GetKind() {
		case "CustomResourceDefinition":
			continue
		case "Deployment":
			var err error
			containers, _, err = unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
			g.Expect(err).NotTo(HaveOccurred())
		}
		if err := l.Create(t.Context(), object.DeepCopy(), client.DryRunAll, client.FieldValidation("Strict")); err != nil {
			refused = errors.Join(refused, fmt.Errorf("%s: %w", key, err))
		}
	}
	bundle := filepath.Join(t.TempDir(), "ca.crt")
	if object, is := all["ConfigMap "+namespace+"/inventory-operator-ca-bundle"]; is {
		g.Expect(os.WriteFile(bundle, []byte(object.Object["data"].(map[string]any)["ca.crt"].(string)), 0o600)).To(Succeed())
	}
	var args []string
	for _, arg := range containers[0].(map[string]any)["args"].([]any) {
		text, is := arg.(string)
		if !is {
			return errors.Join(refused, fmt.Errorf("%v is no text", arg))
		}
		if _, err := os.Stat(bundle); err == nil && strings.HasPrefix(text, "--ca-bundle=") {
			text = "--ca-bundle=" + bundle
		} else if strings.HasPrefix(text, "--ca-bundle=") {
			continue // The file is the cluster's.
		}
		args = append(args, text)
	}
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	manager := options.Bind(flags)
	_ = options.BindLogging(flags)
	if err := flags.Parse(args); err != nil {
		return errors.Join(refused, err)
	}
	return errors.Join(refused, manager.Complete(flags.Args()))
}

// taken are odd values that are right: the chart, the server and the manager take them.
var taken = []string{
	`image: {repository: "localhost:5000/a/b__c--d.e"}`, `image: {repository: "[::1]:5000/a"}`, `image: {repository: a, tag: _}`,
	`imagePullSecrets: [{name: a}, {name: b.c}]`,
	`fullnameOverride: ` + strings.Repeat("a", 40), `replicas: 0`, `replicas: 3.0`,
	`watchNamespaces: [default, kube-system]`, `watchLabelSelector: "a.b/c in (d, e), !f"`, `watchLabelSelector: "  "`, `watchLabelSelector: "a>1"`,
	`allowedEndpoints: ["http://[::1]:8080", "https://A.example/", "https://a_b"]`,
	`requestsPerSecond: 0.1`, `requestsPerSecond: "0.25"`, `requestsPerSecond: 1e6`, `requestsPerSecond: 1000000`, `requestsPerSecond: "1000000"`,
	`concurrentSyncs: 1e3`, `concurrentSyncs: 100000`,
	`caBundle: {configMapName: a, key: .a}`, `caBundle: {pem: "\n# ours\nCERTIFICATE"}`,
	`proxy: {https: "http://me:secret@proxy:3128/"}`, `proxy: {https: "socks5h://[::1]:1080", none: ".a,10.0.0.0/8"}`, `log: {level: 6}`,
	`networkPolicy: {enabled: true, egressPorts: [1, 65535], metricsFrom: []}`,
	`networkPolicy: {enabled: true, metricsFrom: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: "2001:db8::/32"}}]}`,
	`networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: Exists}]}}]}`,
	`resources: {limits: {memory: 1Gi, cpu: 1500m, ephemeral-storage: 1e9}, requests: {memory: 1024Mi, cpu: 1.5}}`, `resources: {limits: null, requests: null}`,
	`resources: {limits: {memory: 134217728, cpu: .5}, requests: {memory: 131072Ki, cpu: 500000u}}`,
	`nodeSelector: {a.b/c: ""}`,
	`tolerations: [{operator: Exists}, {key: a, effect: NoExecute, tolerationSeconds: -1}, {key: a, operator: Equal, value: b, effect: ""}]`,
	`affinity: {nodeAffinity: {}, podAffinity: {}, podAntiAffinity: {}}`,
	`topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, minDomains: 2, matchLabelKeys: [pod-template-hash]}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: ScheduleAnyway}]`,
	`extraArgs: [-zap-devel, --pprof-bind-address=127.0.0.1:6060]`,
	`extraEnv: [{name: a.b-c}, {name: A, value: ""}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]`,
	`{extraVolumes: [{name: a}, {name: b, emptyDir: {}}], extraVolumeMounts: [{name: a, mountPath: /a, subPath: b/..c, readOnly: true}, {name: b, mountPath: /b}]}`,
	`{caBundle: {configMapName: a}, extraVolumeMounts: [{name: ca-bundle, mountPath: /b}]}`,
	`metrics: {serviceMonitor: {enabled: true, interval: 1m30s}}`,
	`extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-a", namespace: "{{ .Release.Namespace }}"}}]`,
}

// refused are odd values that the server or the manager refuse, or, as the third part says, somebody
// later still. The second part is where helm says they are.
var refused = [][]string{
	{`image: {repository: "a//b"}`, "at '/image/repository'", "the kubelet"}, {`image: {repository: "a:v1"}`, "at '/image/repository'", "the kubelet"},
	{`image: {repository: "a/B"}`, "at '/image/repository'", "the kubelet"}, {`image: {repository: ""}`, "at '/image/repository'", "the kubelet"},
	{`image: {tag: 1.10}`, "at '/image/tag'", "the registry, which has 1.10 and no 1.1"},
	{`tests: {image: "a b"}`, "at '/tests/image'", "the kubelet"},
	{`imagePullSecrets: [{name: a..b}]`, "at '/imagePullSecrets/0/name'", "the kubelet"}, {`imagePullSecrets: [{name: a}, {name: a}]`, "at '/imagePullSecrets'", "a later apply"},
	{`imagePullSecrets: [{name: ""}]`, "at '/imagePullSecrets/0/name'", "the kubelet"}, {`imagePullSecrets: [a]`, "at '/imagePullSecrets/0'"},
	{`fullnameOverride: ` + strings.Repeat("a", 41), "at '/fullnameOverride'", "nobody, but names would be cut"},
	{`replicas: -1`, "at '/replicas'"}, {`replicas: 1.5`, "at '/replicas'", "nobody, but it would be cut"}, {`replicas: "2"`, "at '/replicas'", "nobody, but it is no number"},
	{`replicas: .nan`, "NaN"}, {`requestsPerSecond: .inf`, "Inf"},
	{`serviceAccount: {name: a..b}`, "at '/serviceAccount/name'"}, {`serviceAccount: {annotations: {a: 1}}`, "at '/serviceAccount/annotations/a'"},
	{`serviceAccount: {annotations: {"a b": c}}`, "at '/serviceAccount/annotations'"}, {`serviceAccount: {annotations: {"a..b/c": d}}`, "at '/serviceAccount/annotations'"},
	{`watchNamespaces: [1234]`, "at '/watchNamespaces/0'", "nobody, but 0123 would be 83"}, {`watchNamespaces: [` + strings.Repeat("a", 64) + `]`, "at '/watchNamespaces/0'"}, {`watchNamespaces: [""]`, "at '/watchNamespaces/0'", "the manager, in every namespace"},
	{`watchLabelSelector: "a..b/c=d"`, "at '/watchLabelSelector'"}, {`watchLabelSelector: "a>99999999999999999999"`, "at '/watchLabelSelector'"},
	{`allowedEndpoints: ["https://a:0"]`, "at '/allowedEndpoints/0'"}, {`allowedEndpoints: ["https://a?b"]`, "at '/allowedEndpoints/0'"}, {`allowedEndpoints: [""]`, "at '/allowedEndpoints/0'"},
	{`requestsPerSecond: -1`, "at '/requestsPerSecond'"}, {`requestsPerSecond: "NaN"`, "at '/requestsPerSecond'"}, {`requestsPerSecond: "1e+07"`, "at '/requestsPerSecond'"}, {`requestsPerSecond: "5/s"`, "at '/requestsPerSecond'"},
	{`concurrentSyncs: -1`, "at '/concurrentSyncs'"}, {`concurrentSyncs: 1.5`, "at '/concurrentSyncs'", "nobody, but it would be cut"}, {`concurrentWrites: "many"`, "at '/concurrentWrites'"},
	{`caBundle: {pem: " "}`, "at '/caBundle/pem'"}, {`caBundle: {pem: "-----BEGIN CERTIFICATE-----\nAAAA\n"}`, "caBundle.pem: holds a block that is no certificate"},
	{`caBundle: {pem: "CERTIFICATE-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`, "caBundle.pem: holds a block that is no certificate"},
	{`caBundle: {pem: "CERTIFICATE-----BEGIN CERTIFICATE-----\n$%&\n-----END CERTIFICATE-----\n"}`, "caBundle.pem: holds a block that is no certificate"},
	{`caBundle: {configMapName: a, key: ..}`, "at '/caBundle/key'", "the kubelet"}, {`caBundle: {configMapName: a.-b}`, "at '/caBundle/configMapName'", "the kubelet"},
	{`log: {level: 0}`, "at '/log/level'"}, {`log: {level: -1}`, "at '/log/level'"}, {`log: {format: xml}`, "at '/log/format'"},
	{`metrics: {serviceMonitor: {enabled: true, interval: "5"}}`, "at '/metrics/serviceMonitor/interval'"}, {`metrics: {serviceMonitor: {enabled: true, interval: -5s}}`, "at '/metrics/serviceMonitor/interval'"},
	{`metrics: {serviceMonitor: {enabled: true, interval: 5}}`, "at '/metrics/serviceMonitor/interval'"},
	{`networkPolicy: {enabled: true, metricsFrom: [{}]}`, "at '/networkPolicy/metricsFrom/0'"}, {`networkPolicy: {enabled: true, metricsFrom: [{labels: {a: b}}]}`, "at '/networkPolicy/metricsFrom/0'"},
	{`networkPolicy: {enabled: true, metricsFrom: [{podSelector: {matchLabels: {a: "b c"}}}]}`, "at '/networkPolicy/metricsFrom/0/podSelector/matchLabels/a'"},
	{`networkPolicy: {enabled: true, metricsFrom: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}`, "at '/networkPolicy/metricsFrom/0/podSelector/matchExpressions/0'"},
	{`networkPolicy: {enabled: true, metricsFrom: [{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}`, "at '/networkPolicy/metricsFrom/0/podSelector/matchExpressions/0/values'"},
	{`networkPolicy: {enabled: true, metricsFrom: [{ipBlock: {cidr: 10.0.0.0}}]}`, "at '/networkPolicy/metricsFrom/0/ipBlock/cidr'"}, {`networkPolicy: {enabled: true, metricsFrom: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}`, "at '/networkPolicy/metricsFrom/0'"},
	{`networkPolicy: {enabled: true, egressPorts: [65536]}`, "at '/networkPolicy/egressPorts/0'"}, {`networkPolicy: {enabled: true, egressPorts: [https]}`, "at '/networkPolicy/egressPorts/0'", "the API server, as port 0"},
	{`resources: {limits: {memory: 64Mi}}`, "resources: memory is requested with 128Mi, and limited to 64Mi"}, {`resources: {limits: {cpu: 49m}}`, "resources: cpu is requested with 50m, and limited to 49m"},
	{`resources: {limits: {memory: 512MB}}`, "at '/resources/limits/memory'"}, {`resources: {limits: {memory: -1}}`, "at '/resources/limits/memory'"}, {`resources: {limits: {gpu: 1}}`, "at '/resources/limits'"}, {`resources: {limit: {cpu: 1}}`, "at '/resources'"},
	{`nodeSelector: {a: true}`, "at '/nodeSelector/a'"}, {`nodeSelector: {"a b": c}`, "at '/nodeSelector'"}, {`nodeSelector: {"a..b/c": d}`, "at '/nodeSelector'"},
	{`tolerations: [{key: a, operator: Exists, value: b}]`, "at '/tolerations/0/value'"}, {`tolerations: [{value: b}]`, "at '/tolerations/0'"}, {`tolerations: [{key: a, effect: Never}]`, "at '/tolerations/0/effect'"},
	{`tolerations: [{key: a, tolerationSeconds: 5}]`, "at '/tolerations/0'"}, {`tolerations: [{key: a, seconds: 5}]`, "at '/tolerations/0'"}, {`tolerations: [{key: a, value: true}]`, "at '/tolerations/0/value'"},
	{`affinity: {antiAffinity: {}}`, "at '/affinity'"}, {`priorityClassName: High`, "at '/priorityClassName'"},
	{`topologySpreadConstraints: [{topologyKey: a}]`, "at '/topologySpreadConstraints/0'"}, {`topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]`, "at '/topologySpreadConstraints/0/maxSkew'"},
	{`topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: Maybe}]`, "at '/topologySpreadConstraints/0/whenUnsatisfiable'"},
	{`topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}]`, "at '/topologySpreadConstraints/0/whenUnsatisfiable'"},
	{`topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 2, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]`, "topologySpreadConstraints: a, DoNotSchedule is there already"},
	{`podLabels: {a: 1}`, "at '/podLabels/a'"}, {`podAnnotations: {a: true}`, "at '/podAnnotations/a'"}, {`podAnnotations: {"a/b/c": d}`, "at '/podAnnotations'"},
	{`extraArgs: ["-"]`, "at '/extraArgs/0'"}, {`extraArgs: [5]`, "at '/extraArgs/0'", "nobody, but it is no flag"},
	{`extraEnv: [{name: ""}]`, "at '/extraEnv/0/name'"}, {`extraEnv: [{name: a=b}]`, "at '/extraEnv/0/name'"}, {`extraEnv: [{name: A, value: 1}]`, "at '/extraEnv/0/value'"},
	{`extraEnv: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]`, "at '/extraEnv/0/value'"}, {`extraEnv: [{name: A, valueFrom: {}}]`, "at '/extraEnv/0/valueFrom'"}, {`extraEnv: [{name: A, from: {}}]`, "at '/extraEnv/0'"},
	{`extraVolumes: [{name: A_b}]`, "at '/extraVolumes/0/name'"}, {`extraVolumes: [{name: a.b}]`, "at '/extraVolumes/0/name'"}, {`extraVolumes: [{name: a, emptyDir: {}, configMap: {name: a}}]`, "at '/extraVolumes/0'"},
	{`extraVolumes: [{name: ` + strings.Repeat("a", 64) + `}]`, "at '/extraVolumes/0/name'"}, {`extraVolumes: [{name: a}, {name: a}]`, "extraVolumes: a is there already"},
	{`extraVolumeMounts: [{name: a, mountPath: /a}]`, "extraVolumeMounts: there is no volume a"}, {`{extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, mountPath: ""}]}`, "at '/extraVolumeMounts/0/mountPath'"},
	{`{extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, mountPath: /a, subPath: /b}]}`, "at '/extraVolumeMounts/0/subPath'"}, {`{extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, mountPath: /a, subPath: a/../b}]}`, "at '/extraVolumeMounts/0/subPath'"},
	{`{extraVolumes: [{name: a}], extraVolumeMounts: [{name: a, path: /a}]}`, "at '/extraVolumeMounts/0'"},
	{`extraObjects: [{kind: ConfigMap}]`, "at '/extraObjects/0'"},
	{`{workloadIdentity: {enabled: true, serviceAccounts: [a..b]}}`, "at '/workloadIdentity/serviceAccounts/0'", "nobody, but there is no such account"},
	{`crds: {keep: "yes"}`, "at '/crds/keep'", "nobody, but any text is true"}, {`rbac: false`, "at '/rbac'"}, {`rbac: {create: 1}`, "at '/rbac/create'", "nobody, but any number is true"},
}

func TestOddValuesAreTakenOrRefusedAtOnce(t *testing.T) {
	l := later{startServer(t, "testdata/prometheus-operator")}
	render := func(t *testing.T, values string, args ...string) (string, error) {
		g := NewWithT(t)
		if strings.Contains(values, "CERTIFICATE") && !strings.Contains(values, `"-----BEGIN CERTIFICATE`) {
			certificate := string(l.plane.Config().CAData) // Any would do.
			g.Expect(certificate).To(HavePrefix("-----BEGIN CERTIFICATE-----"))
			values = strings.Replace(values, "CERTIFICATE", strings.ReplaceAll(certificate, "\n", `\n`), 1)
		}
		return helm(t.Context(), append([]string{"template", release, chart, "--namespace", namespace, "--skip-tests", "--values", file(t, values)}, args...)...)
	}
	for i, values := range taken {
		t.Run(fmt.Sprintf("taken %d", i), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			out, err := render(t, values)
			g.Expect(err).NotTo(HaveOccurred(), values)
			g.Expect(l.refuse(t, out)).To(Succeed(), values)
		})
	}
	for i, c := range refused {
		t.Run(fmt.Sprintf("refused %d", i), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			_, err := render(t, c[0])
			g.Expect(err).To(MatchError(ContainSubstring(c[1])), c[0])
			if out, err := render(t, c[0], "--skip-schema-validation"); err == nil && len(c) == 2 {
				g.Expect(l.refuse(t, out)).NotTo(Succeed(), "there is no reason to refuse %s", c[0])
			}
		})
	}
}
