// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestSamples(t *testing.T) {
	g := NewWithT(t)
	before, err := parseSamples(strings.NewReader(`# HELP apiserver_request_total Requests.
# TYPE apiserver_request_total counter
apiserver_request_total{resource="inventorysources",subresource="status",verb="PATCH"} 2
apiserver_request_total{resource="inventorysources",subresource="",verb="GET"} 7
apiserver_request_total_more{verb="PATCH"} 100
process_start_time_seconds 1.7e+09
`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(before.sum("apiserver_request_total")).To(Equal(9.0), "a metric whose name only begins so is another one")
	g.Expect(before.sum("process_start_time_seconds")).To(Equal(1.7e9))
	g.Expect(before.sum("apiserver_request_total", label{"verb", "PATCH"})).To(Equal(2.0))
	g.Expect(before.sum("apiserver_request_total", label{"resource", "inventorysources"}, label{"verb", "GET"})).To(Equal(7.0))
	g.Expect(before.sum("apiserver_request_total", label{"source", "inventorysources"})).To(BeZero(), "a label is matched whole")

	after, err := parseSamples(strings.NewReader(`apiserver_request_total{resource="inventorysources",subresource="status",verb="PATCH"} 5 1700000000
apiserver_request_total{resource="kafkaclusterobservations",subresource="",verb="POST"} 3
apiserver_request_total{resource="peeringobservations",subresource="status",verb="PATCH"} 4
`))
	g.Expect(err).NotTo(HaveOccurred())
	counted := after.since(before)
	g.Expect(writes(counted, "inventorysources")).To(Equal(3.0))
	g.Expect(observationWrites(counted)).To(Equal(7.0), "what first came between both counts from zero")

	_, err = parseSamples(strings.NewReader("metric{label=\"x\"} many\n"))
	g.Expect(err).To(MatchError(ContainSubstring("many")))
	_, err = parseSamples(strings.NewReader("metric{label=\"x\"}\n"))
	g.Expect(err).To(HaveOccurred(), "no value")
}

func TestProcess(t *testing.T) {
	g := NewWithT(t)
	cpu, err := parseCPU("1234 (a (strange) name) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 100 200")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(cpu).To(Equal(3 * time.Second))
	_, err = parseCPU("1234 (short) S 1")
	g.Expect(err).To(HaveOccurred())

	const status = "Name:\tmanager\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n"
	g.Expect(parseMemory(status, "VmRSS")).To(Equal(100.0 * mebibyte))
	g.Expect(parseMemory(status, "VmHWM")).To(Equal(200.0 * mebibyte))
	_, err = parseMemory(status, "VmSwap")
	g.Expect(err).To(MatchError(ContainSubstring("VmSwap")))
}

func TestBusy(t *testing.T) {
	g := NewWithT(t)
	before, err := parseTicks("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(before).To(Equal(ticks{idle: 850, all: 1000}), "waiting for a disk is idle")
	g.Expect(busyBetween(before, ticks{idle: 925, all: 1100})).To(BeNumerically("~", 0.25, 1e-9))
	g.Expect(busyBetween(before, before)).To(BeZero())
	_, err = parseTicks("cpu 1 2\n")
	g.Expect(err).To(HaveOccurred())
}
