// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	// eventually is how long a test waits for what should happen soon.
	eventually = time.Minute

	// manifests are a source, and the ServiceAccount of a Prometheus that may read metrics.
	manifests = `
apiVersion: v1
kind: Namespace
metadata: {name: monitoring}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: monitoring}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: inventory-operator-metrics-reader}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: monitoring}]
---
apiVersion: v1
kind: Secret
metadata: {name: ccloud, namespace: monitoring}
stringData: {api-key: ` + stage.APIKey + `, api-secret: ` + stage.APISecret + `}
---
apiVersion: inventory.ccloud.dev/v1alpha1
kind: InventorySource
metadata: {name: prod, namespace: monitoring}
spec:
  environment: ` + cloudsim.DefaultEnvironment + `
  endpoint: %s
  interval: 10s
  credentials: {apiKey: {secretRef: {name: ccloud}}}
`
	// config has Prometheus scrape as config/prometheus/monitor.yaml says.
	config = `
global: {scrape_interval: 1s}
rule_files: [%s]
scrape_configs:
- job_name: inventory-operator
  scheme: https
  honor_labels: true
  authorization: {credentials_file: %s}
  tls_config: {insecure_skip_verify: true}
  static_configs: [{targets: [%q]}]
`
)

// panel is what is read of a panel of the dashboard.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	g := NewWithT(t)
	text, err := os.ReadFile(filepath.Join(root, "config", "grafana", "inventory-operator.json"))
	g.Expect(err).NotTo(HaveOccurred())
	var dashboard struct{ Panels []panel }
	g.Expect(json.Unmarshal(text, &dashboard)).To(Succeed())
	g.Expect(len(dashboard.Panels)).To(BeNumerically(">", 10))
	return dashboard.Panels
}

// get asks Prometheus' HTTP API and reads the data of its answer.
func get(t *testing.T, address, path string, data any) error {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/api/v1/"+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, answer.Error)
	}
	return nil
}

// A real Prometheus scrapes the running manager over its real HTTPS endpoint, with the token of
// a ServiceAccount that has nothing but the reader's role.
func TestPrometheusAnswersEveryQueryOfTheDashboard(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	folder := t.TempDir()
	scene, err := stage.Start(ctx, stage.Options{Dir: folder})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(scene.Stop()).To(Succeed()) })
	cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Clusters: 20, Peerings: 8, Seed: 1})
	manager, err := scene.StartManager(ctx, "manager", "--metrics-secure=true", "--leader-elect", "--leader-election-namespace="+stage.Namespace)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(manager.Stop()).To(Succeed()) })
	g.Expect(scene.Apply(ctx, fmt.Sprintf(manifests, scene.Server.URL))).To(Succeed())
	token, err := scene.Kubectl(ctx, "create", "token", "prometheus", "--namespace=monitoring")
	g.Expect(err).NotTo(HaveOccurred())

	target, err := url.Parse(manager.MetricsURL)
	g.Expect(err).NotTo(HaveOccurred())
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		g.Expect(os.WriteFile(path, []byte(content), 0o600)).To(Succeed())
		return path
	}
	rules := filepath.Join(folder, "rules.yaml")
	alerts := groups(t, rules)
	settings := write("prometheus.yaml", fmt.Sprintf(config, rules, write("token", strings.TrimSpace(token)), target.Host))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	address := listener.Addr().String()
	g.Expect(listener.Close()).To(Succeed())
	log, err := os.Create(filepath.Join(folder, "prometheus.log"))
	g.Expect(err).NotTo(HaveOccurred())
	defer log.Close()
	server := tool(ctx, "prometheus", "--config.file="+settings, "--storage.tsdb.path="+filepath.Join(folder, "tsdb"), "--web.listen-address="+address)
	server.Stdout, server.Stderr = log, log
	g.Expect(server.Start()).To(Succeed())
	release, err := scene.Plane.Guard("prometheus", server.Process.Pid)
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		release()
	})
	g.Expect(err).NotTo(HaveOccurred())

	// asked returns how many series a query has.
	asked := func(query string) (int, error) {
		var data struct{ Result []json.RawMessage }
		err := get(t, address, "query?query="+url.QueryEscape(query), &data)
		return len(data.Result), err
	}
	chosen := strings.NewReplacer("$namespace", ".*", "$source", ".*", "$__rate_interval", "15s")
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			g.Eventually(func() (int, error) { return asked(chosen.Replace(target.Expr)) }).WithTimeout(eventually).
				Should(BeNumerically(">", 0), "%s: %s", p.Title, target.Expr)
		}
	}

	for query, page := range queries(t) { // Errors of writes, for example, have no series here.
		_, err := asked(query)
		g.Expect(err).NotTo(HaveOccurred(), "%s: %s", page, query)
	}

	var loaded struct {
		Groups []struct {
			Rules []struct{ Name, Health string }
		}
	}
	g.Eventually(func() (healthy []string, err error) {
		err = get(t, address, "rules", &loaded)
		for _, group := range loaded.Groups {
			for _, rule := range group.Rules {
				healthy = append(healthy, rule.Name+" "+rule.Health)
			}
		}
		return healthy, err
	}).WithTimeout(eventually).Should(HaveExactElements(expectHealthy(alerts)...), "every alert's expression is evaluated")
	pending, err := asked("ALERTS")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pending).To(BeZero(), "a manager that works raises nothing")
}

func expectHealthy(alerts []rule) (all []any) {
	for _, alert := range alerts {
		all = append(all, alert.Alert+" ok")
	}
	return all
}
