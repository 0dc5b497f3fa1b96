// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	// manyInterval is the sources' interval against the time a round of them takes
	// at the budget's rate, and manyWindow how much of a round the steady state is
	// watched for.
	manyInterval = 1.25
	manyWindow   = 0.25
	// rateWindow is what the rate of requests is watched over.
	rateWindow = 10 * time.Second
)

// many measures sources that share one credential: the first round, then the steady
// state.
func (b *bench) many(ctx context.Context, r *record) error {
	requests := float64(crowdRequests * b.sources)
	ideal := time.Duration(requests / b.rate * float64(time.Second))
	interval := max(time.Duration(float64(ideal)*manyInterval), 10*time.Second)
	r.Setup = fmt.Sprintf("%d sources of %d clusters and %d peerings on one credential, %s requests a second, interval %s",
		b.sources, crowdClusters, crowdPeerings, number(b.rate, ""), interval)
	if err := b.enter(ctx, cloudsim.Options{KeepCalls: 2 * crowdRequests * b.sources}); err != nil {
		return err
	}
	c, err := b.newCrowd(ctx, interval)
	if err != nil {
		return err
	}
	b.crowd = c
	w := &world{}
	if w.manager, err = b.scene.manage(ctx, "--requests-per-second="+strconv.FormatFloat(b.rate, 'f', -1, 64)); err != nil {
		return err
	}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	if err := b.firstRound(ctx, r, c, w, ideal); err != nil {
		return fmt.Errorf("%w\n%s", err, w.manager.Tail())
	}
	return b.steadyCrowd(ctx, r, c, w, time.Duration(float64(interval)*manyWindow))
}

// firstRound creates the sources and waits until each was synced once.
func (b *bench) firstRound(ctx context.Context, r *record, c *crowd, w *world, ideal time.Duration) error {
	start := time.Now()
	if err := c.create(ctx, b.writers); err != nil {
		return err
	}
	if err := c.until(ctx, func() bool { return c.synced("", start) == b.sources }); err != nil {
		return err
	}
	took := time.Since(start)
	manager, err := scrape(ctx, w.manager.MetricsURL)
	if err != nil {
		return err
	}
	var waits []float64
	for _, s := range c.seen {
		waits = append(waits, s.first.Sub(start).Seconds())
	}
	requests := float64(crowdRequests * b.sources)
	f := &r.Figures
	f.add("every source synced once", took.Seconds(), "s")
	f.add("ideal: requests by the rate", ideal.Seconds(), "s")
	f.goal("time against the ideal", took.Seconds()/ideal.Seconds(), "x", "<=", 1.1)
	f.goal("cloud requests against the ideal", float64(b.scene.Cloud.Count(cloudsim.OpAny))/requests, "x", "=", 1)
	f.goal("answers 429", manager.sum("ccloud_inventory_cloud_requests_total", label{"code", "429"}), "", "=", 0)
	// The budget lets a second's worth go at once after a pause.
	within := rateWindow.Seconds() * b.rate
	f.goal("most requests within 10 s against the rate", mostWithin(b.scene.Cloud.Calls())/within, "x", "<=", (within+math.Ceil(b.rate))/within)
	f.add("wait of a source, median", median(waits), "s")
	f.add("longest wait of a source", quantile(waits, 1), "s")
	b.say("many: the first round took %s, ideal %s", took.Round(time.Millisecond), ideal)
	return nil
}

// mostWithin returns how many calls came at most within any rateWindow.
func mostWithin(calls []cloudsim.Call) float64 {
	most, first := 0, 0
	for i := range calls {
		for calls[i].Time.Sub(calls[first].Time) >= rateWindow {
			first++
		}
		most = max(most, i-first+1)
	}
	return float64(most)
}

// steadyCrowd watches the sources being synced by their interval, from when the
// first is due.
func (b *bench) steadyCrowd(ctx context.Context, r *record, c *crowd, w *world, window time.Duration) error {
	if err := c.untilAnySync(ctx); err != nil {
		return err
	}
	server, manager, err := b.count(ctx, w)
	if err != nil {
		return err
	}
	cpu, err := w.process().cpu()
	if err != nil {
		return err
	}
	synced, cloud := c.syncs(), b.scene.Cloud.Count(cloudsim.OpAny)
	if err := c.forSome(ctx, window); err != nil {
		return err
	}
	late := c.latest()
	syncs := float64(c.syncs() - synced)
	requests := float64(b.scene.Cloud.Count(cloudsim.OpAny) - cloud)
	after, err := w.process().cpu()
	if err != nil {
		return err
	}
	serverAfter, managerAfter, err := b.count(ctx, w)
	if err != nil {
		return err
	}
	server, manager = serverAfter.since(server), managerAfter.since(manager)
	f := &r.Figures
	f.add("steady: syncs watched", syncs, "")
	f.goal("steady: observation writes", observationWrites(server), "", "=", 0)
	f.goal("steady: source writes per sync", writes(server, "inventorysources")/syncs, "", "<=", 1)
	// A sync under way at either end of the window has some of its requests outside.
	f.add("steady: cloud requests per sync", requests/syncs, "")
	f.add("steady: API requests per sync", manager.sum("rest_client_requests_total")/syncs, "")
	f.add("steady: CPU per sync", milliseconds(after-cpu)/syncs, "ms")
	f.add("steady: latest sync after it was due", late.Seconds(), "s")
	return nil
}

// untilAnySync waits until one more sync shows.
func (c *crowd) untilAnySync(ctx context.Context) error {
	before := c.syncs()
	return c.until(ctx, func() bool { return c.syncs() > before })
}
