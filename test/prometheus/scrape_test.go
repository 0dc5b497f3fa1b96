// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	// eventually is how long a test waits for what happens soon on a machine that is not busy.
	eventually = 3 * time.Minute

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

// scrape reads metrics as Prometheus does, with a ServiceAccount's token, and adds the samples.
func scrape(ctx context.Context, into *series, address, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	at := time.Now()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("%s: %s", response.Status, body))
	}
	read, err := textparse.New(body, response.Header.Get("Content-Type"), nil, textparse.ParserOptions{})
	if err != nil {
		return err
	}
	for {
		kind, err := read.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case kind != textparse.EntrySeries:
			continue
		}
		var of labels.Labels
		read.Labels(&of)
		_, _, value := read.Series()
		// As the label of a target; config/prometheus/monitor.yaml honors those of the metrics.
		if err := into.add(labels.NewBuilder(of).Set("job", "inventory-operator").Labels(), at, value); err != nil {
			return err
		}
	}
}

// The running manager serves its metrics over HTTPS to a ServiceAccount that has nothing but the
// reader's role, in a format that Prometheus reads. Every query of the dashboard has an answer.
func TestEveryQueryOfTheDashboardHasAnAnswer(t *testing.T) {
	g := NewWithT(t)
	ctx := t.Context()
	scene, err := stage.Start(ctx, stage.Options{Dir: t.TempDir(), Log: t.Output()})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(scene.Stop()).To(Succeed()) })
	cloudsim.Seed(scene.Cloud, cloudsim.SeedOptions{Clusters: 20, Peerings: 8, Seed: 1})
	manager, err := scene.StartManager(ctx, "manager", "--metrics-secure=true", "--leader-elect", "--leader-election-namespace="+stage.Namespace)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(manager.Stop()).To(Succeed()) })
	g.Expect(scene.Apply(ctx, fmt.Sprintf(manifests, scene.Server.URL))).To(Succeed())
	token, err := scene.Kubectl(ctx, "create", "token", "prometheus", "--namespace=monitoring")
	g.Expect(err).NotTo(HaveOccurred())
	address := strings.Replace(manager.MetricsURL, "http:", "https:", 1)

	samples := newSeries()
	left := map[string]string{}
	chosen := strings.NewReplacer("$cluster", ".*", "$namespace", ".*", "$source", ".*", "$__rate_interval", "5m")
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			left[chosen.Replace(target.Expr)] = p.Title
		}
	}
	g.Eventually(ctx, func(g Gomega) {
		g.Expect(scrape(ctx, samples, address, strings.TrimSpace(token))).To(Succeed())
		for query := range left {
			result, err := samples.instant(ctx, query, time.Now())
			g.Expect(err).NotTo(HaveOccurred(), query)
			if len(result) > 0 {
				delete(left, query)
			}
		}
		g.Expect(left).To(BeEmpty(), "these have no answer yet")
	}).WithTimeout(eventually).WithPolling(time.Second).Should(Succeed())

	for query, page := range queries(t) { // Errors of writes, for example, have no series here.
		_, err := samples.instant(ctx, query, time.Now())
		g.Expect(err).NotTo(HaveOccurred(), "%s: %s", page, query)
	}
	for _, alert := range alertsOf(t, operatorsOwn) {
		result, err := samples.instant(ctx, alert.Expr, time.Now())
		g.Expect(err).NotTo(HaveOccurred(), alert.Alert)
		g.Expect(result).To(BeEmpty(), "%s: a manager that works raises nothing", alert.Alert)
	}
	var raised []string
	for _, alert := range alertsOf(t, aboutTheCloud) {
		result, err := samples.instant(ctx, alert.Expr, time.Now())
		g.Expect(err).NotTo(HaveOccurred(), alert.Alert)
		if len(result) > 0 {
			raised = append(raised, alert.Alert)
		}
	}
	g.Expect(raised).To(ConsistOf("InventoryClusterFailed", "InventoryPeeringFailed"), "the cloud has such from the beginning")
}
