// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// samples are the values of one scrape by series, as name{label="value",...}.
type samples map[string]float64

// parseSamples reads the text format of Prometheus. Comments and what follows a
// value are left out. The error names the line that is neither.
func parseSamples(r io.Reader) (samples, error) {
	out := samples{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.LastIndexByte(line, '}') + 1
		if end == 0 {
			end = max(strings.IndexByte(line, ' '), 0)
		}
		fields := strings.Fields(line[end:])
		if len(fields) == 0 {
			return nil, fmt.Errorf("metrics: no value in %q", line)
		}
		value, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: value in %q: %w", line, err)
		}
		out[line[:end]] = value
	}
	return out, lines.Err()
}

// scrape reads metrics over plain HTTP.
func scrape(ctx context.Context, url string) (samples, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s answered %s", url, response.Status)
	}
	return parseSamples(response.Body)
}

// sum adds up the series of a metric that have all the labels, each as
// name="value".
func (s samples) sum(metric string, labels ...string) float64 {
	total := 0.0
	for series, value := range s {
		if s.matches(series, metric, labels) {
			total += value
		}
	}
	return total
}

func (samples) matches(series, metric string, labels []string) bool {
	rest, found := strings.CutPrefix(series, metric)
	if !found || rest != "" && rest[0] != '{' {
		return false
	}
	for _, label := range labels {
		if !strings.Contains(rest, "{"+label) && !strings.Contains(rest, ","+label) {
			return false
		}
	}
	return true
}

// since returns what was counted between two scrapes of one process.
func (s samples) since(before samples) samples {
	out := make(samples, len(s))
	for series, value := range s {
		out[series] = value - before[series]
	}
	return out
}
