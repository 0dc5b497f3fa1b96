// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
)

const (
	// syncs is how many syncs of a source in which nothing changes are measured.
	syncs = 10
	// What the cloud gives on one page at most.
	clustersPerPage = 100
	peeringsPerPage = 1000
)

// pages returns how many requests one listing of the large source takes.
func (b *bench) pages() float64 {
	clusters := float64(b.objects / 2)
	return math.Ceil(clusters/clustersPerPage) + math.Ceil((float64(b.objects)-clusters)/peeringsPerPage)
}

// steady measures syncs of a source in which nothing changed.
func (b *bench) steady(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("%d unchanged objects, %d syncs one after another", b.objects, syncs)
	if err := b.need(ctx); err != nil {
		return err
	}
	c, mean, err := b.measure(ctx, syncs, nil)
	if err != nil {
		return err
	}
	floor, err := b.floorCPU(ctx)
	if err != nil {
		return err
	}
	cpu := c.usage.cpu / syncs
	s.goal("observation writes", c.server.observationWrites(), "", "=", 0)
	s.goal("source writes per sync", c.sourceWrites(syncs)/syncs, "", "<=", 1)
	s.goal("API requests per sync", c.manager.sum("rest_client_requests_total")/syncs, "", "<=", 2)
	s.goal("cloud requests per sync", float64(c.cloud)/syncs, "", "=", b.pages())
	s.add("CPU per sync", milliseconds(cpu), "ms")
	s.add("floor: CPU of reading and decoding", milliseconds(floor), "ms")
	s.goal("CPU against the floor", float64(cpu)/float64(floor), "x", "<=", 0.45)
	s.goal("allocated per sync", c.manager.sum("go_memstats_alloc_bytes_total")/syncs/mebibyte, "MiB", "<=", 10)
	s.add("time per sync", milliseconds(mean), "ms")
	b.steadyCPU = cpu
	return nil
}
