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
)

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

// sum adds up the counters and gauges of a metric that have all the labels.
func (s samples) sum(metric string, labels ...label) float64 {
	total := 0.0
	for _, series := range s.families[metric].GetMetric() {
		has := func(want label) bool {
			return slices.ContainsFunc(series.Label, func(l *dto.LabelPair) bool { return l.GetName() == want.name && l.GetValue() == want.value })
		}
		if !slices.ContainsFunc(labels, func(want label) bool { return !has(want) }) {
			total += series.GetCounter().GetValue() + series.GetGauge().GetValue() + series.GetUntyped().GetValue()
		}
	}
	if s.before != nil {
		total -= s.before.sum(metric, labels...)
	}
	return total
}
