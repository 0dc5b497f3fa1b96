// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// fullCluster is a Dedicated cluster with two access points. It has every field that the API gives
// such a cluster.
const fullCluster = `{"api_version":"cmk/v2","id":"lkc-%05d","kind":"Cluster",
"metadata":{"created_at":"2026-01-01T00:00:00Z","resource_name":"crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a/environment=env-abc123/cloud-cluster=lkc-%05[1]d","self":"https://api.confluent.cloud/cmk/v2/clusters/lkc-%05[1]d","updated_at":"2026-01-02T00:00:00Z"},
"spec":{"api_endpoint":"https://pkac-00000.us-west-2.aws.confluent.cloud","availability":"MULTI_ZONE","cloud":"AWS",
"config":{"cku":2,"kind":"Dedicated","release_priority":"REGULAR","zones":["usw2-az1","usw2-az2","usw2-az3"]},"display_name":"orders-%[1]d",
"endpoints":{"PUBLIC":{"connection_type":"PUBLIC","http_endpoint":"https://lkc-%05[1]d.us-west-2.aws.confluent.cloud:443","kafka_bootstrap_endpoint":"lkc-%05[1]d.us-west-2.aws.confluent.cloud:9092"},
"ap1":{"connection_type":"PRIVATE_LINK","http_endpoint":"https://lkc-%05[1]d-ap1.us-west-2.aws.private.confluent.cloud:443","kafka_bootstrap_endpoint":"lkc-%05[1]d-ap1.us-west-2.aws.private.confluent.cloud:9092"}},
"environment":{"environment":"","id":"env-abc123","related":"https://api.confluent.cloud/org/v2/environments/env-abc123","resource_name":"crn://confluent.cloud/environment=env-abc123"},
"http_endpoint":"https://lkc-%05[1]d.us-west-2.aws.confluent.cloud:443","kafka_bootstrap_endpoint":"SASL_SSL://lkc-%05[1]d.us-west-2.aws.confluent.cloud:9092",
"network":{"environment":"env-abc123","id":"n-abc123","related":"https://api.confluent.cloud/networking/v1/networks/n-abc123","resource_name":"crn://confluent.cloud/environment=env-abc123/network=n-abc123"},
"region":"us-west-2"},"status":{"cku":2,"phase":"PROVISIONED"}}`

// fullPeering is an AWS peering with two routes. It has every field that the API gives such a
// peering.
const fullPeering = `{"api_version":"networking/v1","id":"p-%05d","kind":"Peering",
"metadata":{"created_at":"2026-01-01T00:00:00Z","resource_name":"crn://confluent.cloud/organization=9bb441c4-edef-46ac-8a41-c49e44a3fd9a/environment=env-abc123/network=n-abc123/peering=p-%05[1]d","self":"https://api.confluent.cloud/networking/v1/peerings/p-%05[1]d","updated_at":"2026-01-02T00:00:00Z"},
"spec":{"cloud":{"account":"000000000000","customer_region":"us-east-1","kind":"AwsPeering","routes":["10.108.16.0/21","10.108.24.0/21"],"vpc":"vpc-00000000000000000"},
"display_name":"prod-peering-%[1]d",
"environment":{"environment":"","id":"env-abc123","related":"https://api.confluent.cloud/org/v2/environments/env-abc123","resource_name":"crn://confluent.cloud/environment=env-abc123"},
"network":{"environment":"env-abc123","id":"n-abc123","related":"https://api.confluent.cloud/networking/v1/networks/n-abc123","resource_name":"crn://confluent.cloud/environment=env-abc123/network=n-abc123"}},
"status":{"phase":"READY"}}`

// benchPages is how many different pages a benchmark decodes, one after another. With many pages,
// the decoder has not seen the next page just before, as in a large listing.
const benchPages = 20

// fullPage returns a page of n items that are made from one format. first is the number of the
// first item.
func fullPage(listKind, format string, first, n int) []byte {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(strings.ReplaceAll(format, "\n", ""), first+i)
	}
	return fmt.Appendf(nil, `{"kind":%q,"metadata":{"next":"https://api.confluent.cloud/x?page_token=token","total_size":%d},"data":[%s]}`,
		listKind, n, strings.Join(items, ","))
}

// pages returns full pages of distinct items.
func pages[Record, Filter any](op *Operation[Record, Filter], format string) [][]byte {
	pages := make([][]byte, benchPages)
	for i := range pages {
		pages[i] = fullPage(op.listKind, format, i*op.pageSize, op.pageSize)
	}
	return pages
}

// perItem measures decode. decode reads a page of n items, and perItem calls it with one page after
// another. perItem reports the cost of one item, including the item's share of the envelope.
func perItem(b *testing.B, pages [][]byte, n int, decode func(raw []byte) error) {
	b.ReportAllocs()
	b.SetBytes(int64(len(pages[0])))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	turn := 0
	for b.Loop() {
		turn = (turn + 1) % len(pages)
		if err := decode(pages[turn]); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	items := float64(b.N) * float64(n)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/items, "ns/item")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/items, "B/item")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/items, "allocs/item")
}

// benchmarkDecode measures how long decoding one whole page takes.
func benchmarkDecode[Record, Filter any](b *testing.B, op *Operation[Record, Filter], format string) {
	a := listingOf(op, DefaultLimits)
	perItem(b, pages(op, format), op.pageSize, func(raw []byte) error {
		a.releaseDownTo(0)
		p, err := decodePage(newBody(b.Context(), bytes.NewReader(raw), DefaultLimits.MaxBodyBytes), a)
		if err == nil && (len(p.entries) != op.pageSize || p.entries[op.pageSize-1].whyUnreadable != "") {
			err = errors.New("the page was not read whole")
		}
		return err
	})
}

// benchmarkEncodingJSON reads the same pages into the same structs, but with encoding/json alone
// and without any checks.
func benchmarkEncodingJSON[Record, Filter any](b *testing.B, op *Operation[Record, Filter], format string) {
	perItem(b, pages(op, format), op.pageSize, func(raw []byte) error {
		var page struct {
			Kind     string
			Metadata struct {
				Next      string
				TotalSize int64 `json:"total_size"`
			}
			Data []Record
		}
		text, err := io.ReadAll(bytes.NewReader(raw))
		if err == nil {
			err = json.Unmarshal(text, &page)
		}
		if err == nil && len(page.Data) != op.pageSize {
			err = errors.New("the page was not read whole")
		}
		return err
	})
}

// benchmarkScan reads pages, and the index has every item of these pages.
func benchmarkScan[Record, Filter any](b *testing.B, op *Operation[Record, Filter], format string) {
	a := listingOf(op, DefaultLimits)
	all := newCollector(a)
	for _, raw := range pages(op, format) {
		p, err := decodePage(newBody(b.Context(), bytes.NewReader(raw), DefaultLimits.MaxBodyBytes), a)
		if err != nil {
			b.Fatal(err)
		}
		p.nextToken = ""
		if err := all.addPage(p); err != nil {
			b.Fatal(err)
		}
	}
	a.index = all.finishListing().Index
	perItem(b, pages(op, format), op.pageSize, func(raw []byte) error {
		a.releaseDownTo(0)
		p, err := decodePage(newBody(b.Context(), bytes.NewReader(raw), DefaultLimits.MaxBodyBytes), a)
		if err == nil && (len(p.entries) != op.pageSize || !p.entries[op.pageSize-1].isKnown) {
			err = errors.New("the page was decoded")
		}
		return err
	})
}

func BenchmarkScanClusters(b *testing.B) { benchmarkScan(b, Clusters, fullCluster) }

func BenchmarkScanPeerings(b *testing.B) { benchmarkScan(b, Peerings, fullPeering) }

func BenchmarkDecodeClusters(b *testing.B) {
	benchmarkDecode(b, Clusters, fullCluster)
}

func BenchmarkDecodePeerings(b *testing.B) {
	benchmarkDecode(b, Peerings, fullPeering)
}

func BenchmarkDecodeClustersEncodingJSON(b *testing.B) {
	benchmarkEncodingJSON(b, Clusters, fullCluster)
}

func BenchmarkDecodePeeringsEncodingJSON(b *testing.B) {
	benchmarkEncodingJSON(b, Peerings, fullPeering)
}
