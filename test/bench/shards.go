// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
	"github.com/ccloud-dev/inventory-operator/test/stage"
)

const (
	shardInterval, quickShardInterval = 30 * time.Second, 10 * time.Second
	// shardRate lifts the budget: hand-over is measured, not the cloud's pace.
	shardRate = "--requests-per-second=100"
	// victim and standby are the places of both managers of shard a.
	victim, standby = 0, 2
)

// shards measures two managers that share the sources by a label, and the hand-over
// to a standby when one of them dies.
func (b *bench) shards(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("%d sources, half of them each for two managers by --watch-label-selector, interval %s; then one is killed, and its standby takes over",
		b.sources, b.shardInterval())
	c, err := b.needCrowd(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	var managers []*stage.Manager
	for _, shard := range []string{"a", "b", "a"} { // The last one stands by.
		m, err := b.scene.manage(ctx, "--leader-elect", "--leader-election-namespace="+stage.Namespace,
			"--watch-label-selector="+shardLabel+"="+shard, shardRate)
		if err != nil {
			return err
		}
		managers = append(managers, m)
		b.say("shards: a manager of shard %s is ready after %s", shard, time.Since(start).Round(time.Millisecond))
		if err := c.until(ctx, func() bool { return c.synced(shard, start) == b.shardSize(shard) }); err != nil {
			return err
		}
	}
	if err := b.steadyShards(ctx, r, c, managers); err != nil {
		return err
	}
	return b.handOver(ctx, r, c, managers)
}

// shardInterval is the sources' interval.
func (b *bench) shardInterval() time.Duration {
	if b.quick {
		return quickShardInterval
	}
	return shardInterval
}

// needCrowd takes over the sources that many left behind, or makes them.
func (b *bench) needCrowd(ctx context.Context) (*crowd, error) {
	if b.crowd != nil {
		if err := b.scene.stopManagers(); err != nil {
			return nil, err
		}
		return b.crowd, b.crowd.setInterval(ctx, b.shardInterval(), b.writers)
	}
	if err := b.enter(ctx, cloudsim.Options{}); err != nil {
		return nil, err
	}
	c, err := b.newCrowd(ctx, b.shardInterval())
	if err != nil {
		return nil, err
	}
	b.crowd = c
	return c, c.create(ctx, b.writers)
}

// shardSize is how many sources a shard has.
func (b *bench) shardSize(shard string) int {
	if shard == "a" {
		return b.sources - b.sources/2
	}
	return b.sources / 2
}

// steadyShards watches both shards for somewhat more than one interval.
func (b *bench) steadyShards(ctx context.Context, r *record, c *crowd, managers []*stage.Manager) error {
	server, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	var before []float64
	for _, m := range managers {
		n, err := syncsOf(ctx, m)
		if err != nil {
			return err
		}
		before = append(before, n)
	}
	start := time.Now()
	if err := c.until(ctx, func() bool { return c.synced("", start) == b.sources }); err != nil {
		return err
	}
	took := time.Since(start)
	after, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	b.say("shards: every source synced again in %s", took.Round(time.Millisecond))
	f := &r.Figures
	f.add("steady: every source synced again", took.Seconds(), "s")
	f.goal("steady: observation writes", observationWrites(after.since(server)), "", "=", 0)
	for i, name := range []string{"the manager of shard a", "the manager of shard b", "the standby of shard a"} {
		n, err := syncsOf(ctx, managers[i])
		if err != nil {
			return err
		}
		if n -= before[i]; managers[i] == managers[standby] {
			f.goal("steady: syncs by "+name, n, "", "=", 0)
		} else {
			f.add("steady: syncs by "+name, n, "")
		}
	}
	return nil
}

// handOver kills the manager of shard a.
func (b *bench) handOver(ctx context.Context, r *record, c *crowd, managers []*stage.Manager) error {
	server, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	managers[victim].Kill()
	start := time.Now()
	// What the dead one wrote last may still be on its way here.
	if err := c.forSome(ctx, time.Second); err != nil {
		return err
	}
	settled := time.Now()
	if err := c.until(ctx, func() bool { return c.synced("a", settled) > 0 }); err != nil {
		return err
	}
	first := time.Since(start)
	if err := c.until(ctx, func() bool { return c.synced("a", settled) == b.shardSize("a") }); err != nil {
		return err
	}
	all := time.Since(start)
	other := c.synced("b", settled)
	after, err := b.scene.serverSamples(ctx)
	if err != nil {
		return err
	}
	taken, err := syncsOf(ctx, managers[standby])
	if err != nil {
		return err
	}
	b.say("shards: taken over after %s", first.Round(time.Millisecond))
	f := &r.Figures
	f.add("killed to the first sync by the standby", first.Seconds(), "s")
	f.add("killed to every source of the shard synced", all.Seconds(), "s")
	f.add("syncs by the standby", taken, "")
	f.add("sources of shard b synced meanwhile", float64(other), "")
	f.goal("hand-over: observation writes", observationWrites(after.since(server)), "", "=", 0)
	r.Notes = append(r.Notes, "The Lease lasts 15 s: nobody takes over sooner.")
	return nil
}

// syncsOf returns how many syncs a manager has made, of one kind.
func syncsOf(ctx context.Context, m *stage.Manager) (float64, error) {
	s, err := scrape(ctx, m.MetricsURL)
	if err != nil {
		return 0, err
	}
	return s.sum("ccloud_inventory_sync_total", `kind="KafkaCluster"`), nil
}
