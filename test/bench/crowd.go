// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// What each of many sources mirrors, and the requests of listing it.
const (
	crowdClusters, crowdPeerings = 20, 5
	crowdRequests                = 2
)

// crowd is many small sources on one credential, each with its own environment,
// seen by one watch.
type crowd struct {
	scene   *scene
	sources []*v1alpha1.InventorySource
	seen    map[string]*sighting
	watched *watched
}

// sighting is what the watch has told of one source.
type sighting struct {
	labels map[string]string
	// next is status.nextSyncTime, which moves with every sync.
	next metav1.Time
	// first is when the first sync showed, latest when the last did.
	first, latest time.Time
	// syncs counts those that showed; late is by how much the latest of them
	// came after nextSyncTime at worst.
	syncs int
	late  time.Duration
}

// shardLabel tells half of the sources from the other.
const shardLabel = "shard"

// newCrowd makes sources in a new namespace and watches them.
func (b *bench) newCrowd(ctx context.Context, interval time.Duration) (*crowd, error) {
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return nil, err
	}
	c := &crowd{scene: b.scene, seen: map[string]*sighting{}}
	for i := range b.sources {
		in := fmt.Sprintf("env-many-%03d", i)
		cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{Environment: in, Clusters: crowdClusters, Peerings: crowdPeerings, Seed: b.seed})
		source := b.scene.newSource(namespace, fmt.Sprintf("source-%03d", i), in, interval)
		source.Labels = map[string]string{shardLabel: []string{"a", "b"}[i%2]}
		c.sources = append(c.sources, source)
	}
	c.watched, err = b.scene.watch(ctx, &v1alpha1.InventorySourceList{}, namespace, "")
	return c, err
}

// create creates all sources.
func (c *crowd) create(ctx context.Context, workers int) error {
	_, err := each(ctx, len(c.sources), workers, func(ctx context.Context, i int) error {
		return c.scene.k8s.Create(ctx, c.sources[i])
	})
	if err != nil {
		return fmt.Errorf("sources: %w", err)
	}
	return nil
}

// see takes what the watch tells of a source.
func (c *crowd) see(o client.Object) {
	source := o.(*v1alpha1.InventorySource)
	s := c.seen[source.Name]
	if s == nil {
		s = &sighting{labels: source.Labels}
		c.seen[source.Name] = s
	}
	next := source.Status.NextSyncTime
	if next == nil || source.Status.LastSyncTime == nil || next.Equal(&s.next) {
		return
	}
	s.latest = time.Now()
	if s.first.IsZero() {
		s.first = s.latest
	} else {
		s.late = max(s.late, s.latest.Sub(s.next.Time))
	}
	s.next = *next
	s.syncs++
}

// until watches until enough tells so. It looks after every event.
func (c *crowd) until(ctx context.Context, enough func() bool) error {
	_, err := c.watched.until(ctx, func(o client.Object) bool {
		c.see(o)
		return enough()
	})
	return err
}

// forSome watches for a time.
func (c *crowd) forSome(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := c.until(ctx, func() bool { return false })
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return err
}

// synced counts the sources of a shard, "" for all, that showed a sync after a
// moment.
func (c *crowd) synced(shard string, after time.Time) int {
	n := 0
	for _, s := range c.seen {
		if (shard == "" || s.labels[shardLabel] == shard) && s.latest.After(after) {
			n++
		}
	}
	return n
}

// syncs counts all syncs seen, and forgets how late any was.
func (c *crowd) syncs() int {
	n := 0
	for _, s := range c.seen {
		n += s.syncs
		s.late = 0
	}
	return n
}

// latest returns by how much the latest sync since the last call of syncs was late.
func (c *crowd) latest() time.Duration {
	var most time.Duration
	for _, s := range c.seen {
		most = max(most, s.late)
	}
	return most
}
