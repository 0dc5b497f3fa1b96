// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

// podName is the pod that the manager is on a scene.
const podName = stage.ServiceAccount + "-0"

// given is a command of the directives of pages: it makes what a state begins with.
//
//	given source NAMESPACE NAME [SPEC]      a namespace with a source of all that the cloud has
//	given discovery NAMESPACE NAME [SPEC]   one with a discovery of all environments
//	given stranger NAMESPACE ID             one with an observation that somebody made by hand
//	given denied NAMESPACE                  one in which a policy refuses every new observation
const givenScript = `#!/usr/bin/env bash
set -euo pipefail
what=$1 namespace=$2 name=${3:-}
kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl -n "$namespace" create secret generic ccloud --from-literal=api-key=YOUR-API-KEY --from-literal=api-secret=YOUR-API-SECRET \
	--dry-run=client -o yaml | kubectl apply -f - >/dev/null
object() {
	printf 'apiVersion: inventory.ccloud.dev/v1alpha1\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec:\n' "$1" "$name" "$namespace"
	printf '%b\n' "$2"
}
credentials='  credentials: {apiKey: {secretRef: {name: ccloud}}}'
case $what in
source)
	object InventorySource "  environment: env-abc123\n$credentials\n${4:-}" | kubectl apply -f -
	[[ ${5:-} == unready ]] || kubectl -n "$namespace" wait "isrc/$name" --for=condition=Ready --timeout=60s
	;;
discovery)
	object EnvironmentDiscovery "$credentials\n${4:-}" | kubectl apply -f -
	kubectl -n "$namespace" wait "edisc/$name" --for=condition=Ready --timeout=60s
	kubectl -n "$namespace" wait isrc --all --for=condition=Ready --timeout=60s
	;;
stranger)
	object KafkaClusterObservation "  sourceRef: {name: nobody}\n  environment: env-other\n  clusterID: $name" | "$KUBECTL" apply -f -
	;;
denied)
	"$KUBECTL" apply -f - <<YAML
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: nothing-new}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $namespace}}
    resourceRules: [{apiGroups: [inventory.ccloud.dev], apiVersions: ["*"], operations: [CREATE], resources: [kafkaclusterobservations]}]
  validations: [{expression: "false", message: nothing new here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: nothing-new}
spec: {policyName: nothing-new, validationActions: [Deny]}
YAML
	name=lkc-1
	for _ in {1..120}; do # A policy takes a moment to hold.
		object KafkaClusterObservation "  sourceRef: {name: nobody}\n  environment: env-other\n  clusterID: lkc-1" |
			"$KUBECTL" create --dry-run=server -f - >/dev/null 2>&1 || exit 0
		sleep 0.5
	done
	exit 1
	;;
esac
`

// deploy makes the operator's Deployment, and its pod on the node that the scene plays.
func (s *scene) deploy(ctx context.Context) error {
	rendered, err := s.Kubectl(ctx, "kustomize", filepath.Join(root, "config", "default"))
	if err != nil {
		return err
	}
	deployment := &appsv1.Deployment{}
	for document := range strings.SplitSeq(rendered, "\n---\n") {
		if strings.Contains(document, "\nkind: Deployment\n") {
			if err := yaml.UnmarshalStrict([]byte(document), deployment); err != nil {
				return err
			}
		}
	}
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: *deployment.Spec.Template.ObjectMeta.DeepCopy(),
		Spec:       *deployment.Spec.Template.Spec.DeepCopy(),
	}
	pod.Namespace, pod.Name, pod.Spec.NodeName = stage.Namespace, podName, nodeName
	node := &corev1.Node{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, ObjectMeta: metav1.ObjectMeta{Name: nodeName}}
	if _, err := s.Kubectl(ctx, "-n", pod.Namespace, "delete", "pod", pod.Name, "--ignore-not-found", "--force", "--grace-period=0"); err != nil {
		return err
	}
	for _, object := range []any{node, deployment, pod} {
		text, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		if err := s.Apply(ctx, string(text)); err != nil {
			return err
		}
	}
	for _, status := range [][]string{
		{"node", nodeName, `{"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": {"kubeletEndpoint": {"Port": ` + s.kubelet + `}}}`},
		{"deployment", deployment.Name, `{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}`},
		{"pod", podName, `{"phase": "Running", "podIP": "192.0.2.1", "conditions": [{"type": "Ready", "status": "True"}]}`},
	} {
		if _, err := s.Kubectl(ctx, "-n", pod.Namespace, "patch", status[0], status[1], "--subresource=status", "-p", `{"status": `+status[2]+`}`); err != nil {
			return err
		}
	}
	return nil
}

// manage starts or stops the manager: "stop", or "start" with flags.
func (s *scene) manage(ctx context.Context, what []string) error {
	if what[0] == "stop" {
		return s.stopManager()
	}
	manager, err := s.StartManager(ctx, "manager", append([]string{"--endpoint-configmaps"}, what[1:]...)...)
	if err != nil {
		return err
	}
	s.manager = manager
	s.node.set(manager.Log, manager.ProbeAddress)
	return nil
}

func (s *scene) stopManager() error {
	if s.manager == nil {
		return nil
	}
	manager := s.manager
	s.manager = nil
	return manager.Stop()
}

// awaitMetric waits until the manager serves a series, with a value if one is given, or until
// it serves none whose name begins with what follows "no ".
func (s *scene) awaitMetric(ctx context.Context, series string) error {
	absent, without := strings.CutPrefix(series, "no ")
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		text := s.scrape(ctx)
		if without && !strings.Contains(text, "\n"+absent) || !without && strings.Contains(text, "\n"+series) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not served within %s: %s\n%s", patience, series, related(text, series))
		case <-tick.C:
		}
	}
}

// related returns the series of the same name.
func related(text, series string) string {
	name, _, _ := strings.Cut(series, "{")
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, name) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}

// scrape returns the manager's metrics, "" if none runs.
func (s *scene) scrape(ctx context.Context) string {
	if s.manager == nil {
		return ""
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.manager.MetricsURL, nil)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// faults are those that a page can have the cloud answer every request with.
var faults = map[string]cloudsim.Fault{
	"unavailable": cloudsim.FaultUnavailable, "rate-limited": cloudsim.FaultRateLimited,
}

// change changes the cloud.
func (s *scene) change(words []string) error {
	key := cloudsim.Key{ID: stage.APIKey, Secret: stage.APISecret}
	switch what := strings.Join(words[:min(2, len(words))], " "); {
	case len(words) > 2:
		return s.changeObject(words[0], words[1], words[2:])
	case what == "rotate key":
		key.Secret = "new-secret"
		s.Cloud.AddKey(key)
	case what == "revoke key":
		s.Cloud.RemoveKey(key.ID)
	case what == "blind key": // The cloud shows it nothing, and says nothing of that.
		key.Sees = cloudsim.ViewNone
		s.Cloud.AddKey(key)
	case what == "restore key":
		s.Cloud.AddKey(key)
	case words[0] == "fail" && len(words) == 2 && faults[words[1]] != 0:
		s.Cloud.Intercept(func(int, *http.Request) http.Handler { return faults[words[1]] })
	case what == "heal":
		s.Cloud.ClearFaults()
	default:
		return fmt.Errorf("no such change of the cloud: %q", words)
	}
	return nil
}

// changeObject removes an object of the cloud, restores it, or sets its phase. noun is the object's
// kind, and words are its ID and the phase.
func (s *scene) changeObject(what, noun string, words []string) error {
	for _, documents := range s.Cloud.Documents() {
		switch id := words[0]; {
		case documents.Noun != noun:
			continue
		case what == "remove" && len(words) == 1:
			document, err := documents.Get(id)
			if err != nil {
				return err
			}
			s.removed[id] = document
			return documents.Remove(id)
		case what == "restore" && s.removed[id] != nil && len(words) == 1:
			documents.Copy(s.removed[id], id)
			delete(s.removed, id)
			return nil
		case what == "phase" && len(words) == 2:
			return documents.SetPhase(id, words[1], false)
		}
	}
	return fmt.Errorf("no such change of the cloud: %s %s %q", what, noun, words)
}

// freePort returns a port that was free a moment ago.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// alertNamed returns the expression of an alert.
func alertNamed(name string) (string, error) {
	files, err := filepath.Glob(filepath.Join(root, "config", "*", "rules.yaml"))
	if err != nil {
		return "", err
	}
	for _, of := range files {
		text, err := os.ReadFile(of)
		if err != nil {
			return "", err
		}
		var file struct {
			Spec struct {
				Groups []struct {
					Rules []struct{ Alert, Expr string }
				}
			}
		}
		asJSON, err := yaml.YAMLToJSON(text)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(asJSON, &file); err != nil {
			return "", err
		}
		for _, group := range file.Spec.Groups {
			for _, rule := range group.Rules {
				if rule.Alert == name {
					return rule.Expr, nil
				}
			}
		}
	}
	return "", fmt.Errorf("no alert %s", name)
}
