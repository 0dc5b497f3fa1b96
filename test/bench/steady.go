// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// measure counts over n syncs of the world's source that are asked for one after another,
// and returns what was counted and how long the syncs took in all. Before each, change
// changes the cloud; nil changes nothing.
func (b *bench) measure(ctx context.Context, w *world, n int, change func(int) error) (counts, time.Duration, error) {
	var elapsed time.Duration
	before, err := b.count(ctx, w)
	if err != nil {
		return counts{}, 0, err
	}
	for i := range n {
		if change != nil {
			if err := change(i); err != nil {
				return counts{}, 0, err
			}
		}
		took, err := b.scene.sync(ctx, w.source)
		if err != nil {
			return counts{}, 0, fmt.Errorf("%w\n%s", err, w.manager.Tail())
		}
		elapsed += took
	}
	after, err := b.count(ctx, w)
	return after.since(before), elapsed, err
}

// sourceWrites counts the writes of sources but those that asked for n syncs.
func (c counts) sourceWrites(n int) float64 {
	return c.server.writes("inventorysources") - float64(n)
}

// pages returns how many requests one listing of the large source takes.
func (b *bench) pages() float64 {
	clusters := float64(b.objects / 2)
	return math.Ceil(clusters/clustersPerPage) + math.Ceil((float64(b.objects)-clusters)/peeringsPerPage)
}

// What the cloud gives on one page at most.
const (
	clustersPerPage = 100
	peeringsPerPage = 1000
)

// steady measures syncs of a source in which nothing changed.
func (b *bench) steady(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("%d unchanged objects, %d syncs one after another", b.objects, b.syncs)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	c, elapsed, err := b.measure(ctx, w, b.syncs, nil)
	if err != nil {
		return err
	}
	lean, scan, err := b.floorCPU(ctx)
	if err != nil {
		return err
	}
	n := float64(b.syncs)
	cpu := float64(c.usage.cpu) / n
	s.goal("observation writes", c.server.observationWrites(), "", "=", 0)
	s.goal("source writes per sync", c.sourceWrites(b.syncs)/n, "", "<=", 1)
	s.goal("API requests per sync", c.manager.sum("rest_client_requests_total")/n, "", "<=", 2)
	s.goal("cloud requests per sync", float64(c.cloud)/n, "", "=", b.pages())
	s.add("CPU per sync", milliseconds(time.Duration(cpu)), "ms")
	s.add("floor: CPU of reading and decoding", milliseconds(lean), "ms")
	s.goal("CPU against the floor", cpu/float64(lean), "x", "<=", 0.45)
	s.add("CPU of reading and scanning alone", milliseconds(scan), "ms")
	s.goal("CPU against reading and scanning alone", cpu/float64(scan), "x", "<=", 1.5)
	s.goal("allocated per sync", c.manager.sum("go_memstats_alloc_bytes_total")/n/mebibyte, "MiB", "<=", 10)
	s.add("time per sync", milliseconds(elapsed)/n, "ms")
	b.steadyCPU = time.Duration(cpu)
	return nil
}
