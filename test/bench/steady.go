// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// span is what was counted of a world's manager over some syncs.
type span struct {
	observationWrites, sourceWrites, requests, cloudRequests, allocated float64
	cpu, elapsed                                                        time.Duration
}

// measure counts over n syncs that are asked for one after another. Before each,
// change changes the cloud; nil changes nothing.
func (b *bench) measure(ctx context.Context, w *world, n int, change func(int) error) (span, error) {
	var out span
	server, manager, err := b.count(ctx, w)
	if err != nil {
		return out, err
	}
	cpu, err := w.process().cpu()
	if err != nil {
		return out, err
	}
	cloud := b.scene.Cloud.Count(cloudsim.OpAny)
	for i := range n {
		if change != nil {
			if err := change(i); err != nil {
				return out, err
			}
		}
		took, err := b.scene.sync(ctx, w.source)
		if err != nil {
			return out, fmt.Errorf("%w\n%s", err, w.manager.Tail())
		}
		out.elapsed += took
	}
	after, err := w.process().cpu()
	if err != nil {
		return out, err
	}
	out.cpu = after - cpu
	out.cloudRequests = float64(b.scene.Cloud.Count(cloudsim.OpAny) - cloud)
	serverAfter, managerAfter, err := b.count(ctx, w)
	if err != nil {
		return out, err
	}
	server, manager = serverAfter.since(server), managerAfter.since(manager)
	out.observationWrites = observationWrites(server)
	// Asking for a sync is a write of ours.
	out.sourceWrites = writes(server, "inventorysources") - float64(n)
	out.requests = manager.sum("rest_client_requests_total")
	out.allocated = manager.sum("go_memstats_alloc_bytes_total")
	return out, nil
}

// count reads what the API server and the manager have counted.
func (b *bench) count(ctx context.Context, w *world) (server, manager samples, err error) {
	if server, err = b.scene.serverSamples(ctx); err != nil {
		return server, manager, err
	}
	manager, err = scrape(ctx, w.manager.MetricsURL)
	return server, manager, err
}

// pages returns how many requests one listing of the large source takes.
func (b *bench) pages() float64 {
	return math.Ceil(float64(b.clusters)/clustersPerPage) + math.Ceil(float64(b.peerings)/peeringsPerPage)
}

// What the cloud gives on one page at most.
const (
	clustersPerPage = 100
	peeringsPerPage = 1000
)

// steady measures syncs of a source in which nothing changed.
func (b *bench) steady(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("%d unchanged objects, %d syncs one after another", b.objects(), b.syncs)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	s, err := b.measure(ctx, w, b.syncs, nil)
	if err != nil {
		return err
	}
	floor, err := b.floorCPU(ctx)
	if err != nil {
		return err
	}
	if err := b.profileSteady(ctx, w); err != nil {
		return err
	}
	n := float64(b.syncs)
	f := &r.Figures
	f.goal("observation writes", s.observationWrites, "", "=", 0)
	f.goal("source writes per sync", s.sourceWrites/n, "", "<=", 1)
	f.goal("API requests per sync", s.requests/n, "", "<=", 2)
	f.goal("cloud requests per sync", s.cloudRequests/n, "", "=", b.pages())
	f.add("CPU per sync", milliseconds(s.cpu)/n, "ms")
	f.add("floor: CPU of reading and decoding", milliseconds(floor.lean), "ms")
	f.goal("CPU against the floor", float64(s.cpu)/n/float64(floor.lean), "x", "<=", 0.45)
	f.add("CPU of reading and scanning alone", milliseconds(floor.scan), "ms")
	f.goal("CPU against reading and scanning alone", float64(s.cpu)/n/float64(floor.scan), "x", "<=", 1.5)
	f.goal("allocated per sync", s.allocated/n/mebibyte, "MiB", "<=", 10)
	f.add("time per sync", milliseconds(s.elapsed)/n, "ms")
	b.steadyCPU = s.cpu / time.Duration(b.syncs)
	return nil
}

// profileSteady takes profiles of further syncs, apart from those measured.
func (b *bench) profileSteady(ctx context.Context, w *world) error {
	if b.profiles == "" {
		return nil
	}
	profile := b.profile("steady")
	profile.begin(w)
	for begun := time.Now(); time.Since(begun).Seconds() < profileSeconds; {
		if _, err := b.scene.sync(ctx, w.source); err != nil {
			return err
		}
	}
	return profile.end(ctx)
}
