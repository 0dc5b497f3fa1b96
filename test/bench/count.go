// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	names "github.com/prometheus/common/model"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// counts are what the manager, the API server and the cloud have counted at a
// moment, or between two.
type counts struct {
	server, manager samples
	usage           usage // of the manager
	cloud           int   // requests
}

// count reads what was counted so far.
func (b *bench) count(ctx context.Context) (c counts, err error) {
	if c.server, err = b.scene.serverSamples(ctx); err != nil {
		return c, err
	}
	if c.manager, err = scrape(ctx, b.scene.manager.MetricsURL); err != nil {
		return c, err
	}
	c.usage, err = usageOf(b.scene.manager.PID())
	c.cloud = b.scene.Cloud.Count(cloudsim.OpAny)
	return c, err
}

// since returns what was counted between two moments; memory is that of the later one.
func (c counts) since(before counts) counts {
	c.server, c.manager = c.server.since(before.server), c.manager.since(before.manager)
	c.usage.cpu -= before.usage.cpu
	c.cloud -= before.cloud
	return c
}

// sourceWrites counts the writes of sources but those that asked for n syncs.
func (c counts) sourceWrites(n int) float64 {
	return c.server.writes("inventorysources") - float64(n)
}

// samples are the metrics of one scrape, or what was counted between two.
type samples struct {
	families map[string]*dto.MetricFamily // by name
	before   *samples
}

// parseSamples reads the text format of Prometheus.
func parseSamples(r io.Reader) (samples, error) {
	parser := expfmt.NewTextParser(names.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return samples{}, fmt.Errorf("metrics: %w", err)
	}
	return samples{families: families}, nil
}

// since returns what was counted between two scrapes of one process.
func (s samples) since(before samples) samples { return samples{s.families, &before} }

// scrape reads metrics over plain HTTP.
func scrape(ctx context.Context, url string) (samples, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return samples{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return samples{}, fmt.Errorf("metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return samples{}, fmt.Errorf("metrics: %s answered %s", url, response.Status)
	}
	return parseSamples(response.Body)
}

// label is a label that a series must have.
type label struct{ name, value string }

// sum adds up the series of a metric that have all the labels: counters, gauges, and of
// histograms what was observed.
func (s samples) sum(metric string, labels ...label) float64 {
	total := 0.0
	for _, series := range s.families[metric].GetMetric() {
		lacks := func(want label) bool {
			return !slices.ContainsFunc(series.Label, func(l *dto.LabelPair) bool { return l.GetName() == want.name && l.GetValue() == want.value })
		}
		if !slices.ContainsFunc(labels, lacks) {
			total += series.GetCounter().GetValue() + series.GetGauge().GetValue() + series.GetUntyped().GetValue() + series.GetHistogram().GetSampleSum()
		}
	}
	if s.before != nil {
		total -= s.before.sum(metric, labels...)
	}
	return total
}

// observationWrites counts what the API server was asked to write of observations.
func (s samples) observationWrites() float64 {
	total := 0.0
	for _, resource := range resources {
		total += s.writes(resource)
	}
	return total
}

// writes counts the writes of one resource, its subresources among them.
func (s samples) writes(resource string) float64 {
	total := 0.0
	for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"} {
		total += s.sum("apiserver_request_total", label{"resource", resource}, label{"verb", verb})
	}
	return total
}
