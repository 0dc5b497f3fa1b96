// SPDX-License-Identifier: Apache-2.0

// Package metrics declares the operator's metrics. The type Metrics counts what this process does.
// The type Collector reads the state of the cluster at each scrape.
package metrics

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
)

const namespace = "ccloud_inventory"

// Metrics counts what this process does, for example syncs and writes. It is safe for concurrent
// use.
type Metrics struct {
	syncs          *prometheus.CounterVec
	syncDuration   *prometheus.HistogramVec
	writes         *prometheus.CounterVec
	skipped        *prometheus.CounterVec
	requests       *prometheus.CounterVec
	requestSeconds *prometheus.HistogramVec
	remaining      *prometheus.GaugeVec

	mu sync.Mutex
	// askingOwners has the sources and discoveries that send requests to the cloud. The outer map
	// key has the namespace and the name of a source or discovery. The inner map key is its type,
	// such as "inventorysource".
	askingOwners map[[2]string]map[string]bool
}

// New registers the metrics. It panics if they are already registered.
func New(registry prometheus.Registerer, build Build) *Metrics {
	m := &Metrics{
		syncs: counter("sync_total", "Syncs of one kind of one source, by result: Succeeded or the reason of the failure.", "kind", "result"),
		syncDuration: histogram("sync_duration_seconds", "Time one listing of one kind took, all its pages.",
			[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}, "kind"),
		writes:  counter("writes_total", "Writes of observations, by verb and result: success or error.", "kind", "verb", "result"),
		skipped: counter("writes_skipped_total", "Observations compared and found to need no write.", "kind"),
		requests: counter("cloud_requests_total", "Requests to the cloud, by operation and HTTP status; 0 where no answer came.",
			"operation", "code"),
		requestSeconds: histogram("cloud_request_duration_seconds", "Time from sending a request to the end of its answer.",
			prometheus.DefBuckets, "operation"),
		remaining: gaugeVec("cloud_rate_limit_remaining", "Requests left in the cloud's rate limit window, as its last answer told.",
			"namespace", "name"),
		askingOwners: map[[2]string]map[string]bool{},
	}
	info := gaugeVec("build_info", "Always 1; the labels tell what was built.", "version", "revision", "go_version")
	info.WithLabelValues(build.Version, build.Revision, build.GoVersion).Set(1)
	registry.MustRegister(m.syncs, m.syncDuration, m.writes, m.skipped, m.requests, m.requestSeconds, m.remaining, info)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gaugeVec(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
}

// Synced counts one sync of a kind, with its result.
func (m *Metrics) Synced(kind, result string) {
	m.syncs.WithLabelValues(kind, result).Inc()
}

// Listed records how long one listing of a kind took.
func (m *Metrics) Listed(kind string, took time.Duration) {
	m.syncDuration.WithLabelValues(kind).Observe(took.Seconds())
}

// Wrote counts one write of an object of this kind.
func (m *Metrics) Wrote(kind, verb string, err error) {
	result := "success"
	if err != nil {
		result = "error"
	}
	m.writes.WithLabelValues(kind, verb, result).Inc()
}

// Skipped counts observations that needed no write.
func (m *Metrics) Skipped(kind string, n int) {
	m.skipped.WithLabelValues(kind).Add(float64(n))
}

// ObserveCalls returns a function that counts a request to the cloud. The parameters of
// ObserveCalls identify the source or discovery that sends the request. If a request ends after a
// call of Forget, the returned function counts the request. But it does not set the rate limit
// metric, because Forget has removed this metric.
func (m *Metrics) ObserveCalls(ownerKind, namespace, name string) func(cloudapi.Call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{namespace, name}
	if m.askingOwners[key] == nil {
		m.askingOwners[key] = map[string]bool{}
	}
	m.askingOwners[key][ownerKind] = true
	return func(c cloudapi.Call) {
		m.requests.WithLabelValues(c.Operation, strconv.Itoa(c.StatusCode)).Inc()
		m.requestSeconds.WithLabelValues(c.Operation).Observe(c.Duration.Seconds())
		m.mu.Lock()
		defer m.mu.Unlock()
		if c.RateLimit.Known && m.askingOwners[key][ownerKind] {
			m.remaining.WithLabelValues(namespace, name).Set(float64(c.RateLimit.Remaining))
		}
	}
}

// Forget removes the rate limit metric of a deleted source or discovery. If a source and a
// discovery have the same namespace and name, they share this metric. Forget removes a shared
// metric only after both are deleted.
func (m *Metrics) Forget(ownerKind, namespace, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{namespace, name}
	delete(m.askingOwners[key], ownerKind)
	if len(m.askingOwners[key]) == 0 {
		delete(m.askingOwners, key)
		m.remaining.DeleteLabelValues(namespace, name)
	}
}
