// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
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
	// crowdObjects is what each of many sources mirrors, crowdRequests what listing it
	// takes.
	crowdObjects  = 25
	crowdRequests = 2
)

// many measures sources that share one credential: the first round, then the steady
// state.
func (b *bench) many(ctx context.Context, s *section) error {
	requests := crowdRequests * b.sources
	ideal := time.Duration(float64(requests) / b.rate * float64(time.Second))
	interval := max(time.Duration(float64(ideal)*manyInterval), 10*time.Second)
	s.setup = fmt.Sprintf("%d sources of %d objects on one credential, %s requests a second, interval %s",
		b.sources, crowdObjects, number(b.rate, ""), interval)
	if err := b.enter(ctx, cloudsim.Options{KeepCalls: 2 * requests}); err != nil {
		return err
	}
	if err := b.newCrowd(ctx); err != nil {
		return err
	}
	manager, err := b.scene.manage(ctx, "--requests-per-second="+strconv.FormatFloat(b.rate, 'f', -1, 64))
	if err != nil {
		return err
	}
	w := &world{manager: manager}
	if err := b.quiet(ctx); err != nil {
		return err
	}
	if err := b.firstRound(ctx, s, w, ideal, interval); err != nil {
		return fmt.Errorf("%w\n%s", err, w.manager.Tail())
	}
	if err := b.steadyCrowd(ctx, s, w, time.Duration(float64(interval)*manyWindow)); err != nil {
		return err
	}
	return b.discovered(ctx, s, ideal, interval)
}

// discovered measures the first round where a discovery makes the sources: they must use the
// budget from the start to the end, and not all ask at once.
func (b *bench) discovered(ctx context.Context, s *section, ideal, interval time.Duration) error {
	// The other sources would use the budget too.
	if err := b.scene.k8s.DeleteAllOf(ctx, &v1alpha1.InventorySource{}, client.InNamespace(b.crowd.namespace)); err != nil {
		return fmt.Errorf("deleting sources: %w", err)
	}
	if err := b.gather(ctx); err != nil {
		return err
	}
	d := b.scene.discoveryIn(b.crowd.namespace, interval)
	for i := range b.sources {
		d.Spec.Selector.IDs = append(d.Spec.Selector.IDs, v1alpha1.Identifier(fmt.Sprintf("env-source-%03d", i)))
	}
	start := time.Now()
	if err := b.scene.k8s.Create(ctx, d); err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	if err := b.crowd.until(ctx, func() bool { return len(b.crowd.seen) == b.sources }); err != nil {
		return err
	}
	took, early := time.Since(start), 0
	for _, one := range b.crowd.seen {
		if one.first.Sub(start) < took/4 {
			early++
		}
	}
	s.add("discovered: every source synced once", took.Seconds(), "s")
	s.add("discovered: time against the ideal", took.Seconds()/ideal.Seconds(), "x")
	s.goal("discovered: share of the first syncs in the first quarter", float64(early)/float64(b.sources), "", "<=", 0.5)
	return nil
}

// firstRound creates the sources and waits until each was synced once.
func (b *bench) firstRound(ctx context.Context, s *section, w *world, ideal, interval time.Duration) error {
	start := time.Now()
	_, err := each(ctx, b.sources, b.writers, func(ctx context.Context, i int) error {
		name := fmt.Sprintf("source-%03d", i)
		return b.scene.k8s.Create(ctx, b.scene.sourceIn(b.crowd.namespace, name, "env-"+name, interval))
	})
	if err != nil {
		return fmt.Errorf("sources: %w", err)
	}
	if err := b.crowd.until(ctx, func() bool { return len(b.crowd.seen) == b.sources }); err != nil {
		return err
	}
	took := time.Since(start)
	counted, err := b.count(ctx, w)
	if err != nil {
		return err
	}
	var waits []float64
	for _, one := range b.crowd.seen {
		waits = append(waits, one.first.Sub(start).Seconds())
	}
	s.add("every source synced once", took.Seconds(), "s")
	s.add("ideal: requests by the rate", ideal.Seconds(), "s")
	s.goal("time against the ideal", took.Seconds()/ideal.Seconds(), "x", "<=", 1.1)
	s.goal("cloud requests against the ideal", float64(counted.cloud)/float64(crowdRequests*b.sources), "x", "=", 1)
	s.goal("answers 429", counted.manager.sum("ccloud_inventory_cloud_requests_total", label{"code", "429"}), "", "=", 0)
	// The budget lets a second's worth go at once after a pause.
	within := rateWindow.Seconds() * b.rate
	s.goal("most requests within 10 s against the rate", mostWithin(b.scene.Cloud.Calls())/within, "x", "<=", (within+math.Ceil(b.rate))/within)
	s.add("wait of a source, median", median(waits), "s")
	s.add("longest wait of a source", quantile(waits, 1), "s")
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
func (b *bench) steadyCrowd(ctx context.Context, s *section, w *world, window time.Duration) error {
	synced := b.crowd.syncs
	if err := b.crowd.until(ctx, func() bool { return b.crowd.syncs > synced }); err != nil {
		return err
	}
	before, err := b.count(ctx, w)
	if err != nil {
		return err
	}
	synced, b.crowd.late = b.crowd.syncs, 0
	end := time.Now().Add(window)
	watching, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if err := b.crowd.until(watching, func() bool { return false }); time.Now().Before(end) {
		return err
	}
	after, err := b.count(ctx, w)
	if err != nil {
		return err
	}
	counted, syncs := after.since(before), float64(b.crowd.syncs-synced)
	s.add("steady: syncs watched", syncs, "")
	s.goal("steady: observation writes", counted.server.observationWrites(), "", "=", 0)
	s.goal("steady: source writes per sync", counted.server.writes("inventorysources")/syncs, "", "<=", 1)
	// A sync under way at either end of the window has some of its requests outside.
	s.add("steady: cloud requests per sync", float64(counted.cloud)/syncs, "")
	s.add("steady: API requests per sync", counted.manager.sum("rest_client_requests_total")/syncs, "")
	s.add("steady: CPU per sync", milliseconds(counted.usage.cpu)/syncs, "ms")
	s.add("steady: latest sync after it was due", b.crowd.late.Seconds(), "s")
	return nil
}

// crowd is what a watch has told of many small sources on one credential.
type crowd struct {
	namespace string
	watched   *watched
	seen      map[string]*sighting // the sources that were synced
	// syncs counts the syncs of all; late is by how much the latest of them came after
	// nextSyncTime at worst.
	syncs int
	late  time.Duration
}

// sighting is when the first sync of a source showed, and status.nextSyncTime, which
// moves with every sync.
type sighting struct {
	first time.Time
	next  metav1.Time
}

// newCrowd makes an environment in the cloud for each source, and watches the namespace
// they will be in.
func (b *bench) newCrowd(ctx context.Context) error {
	for i := range b.sources {
		b.fill(fmt.Sprintf("env-source-%03d", i), crowdObjects)
	}
	return b.gather(ctx)
}

// gather watches a new namespace for the sources that will be in it.
func (b *bench) gather(ctx context.Context) (err error) {
	c := &crowd{seen: map[string]*sighting{}}
	if c.namespace, err = b.scene.newNamespace(ctx); err != nil {
		return err
	}
	if c.watched, err = b.scene.watch(ctx, &v1alpha1.InventorySourceList{}, c.namespace, ""); err == nil {
		b.crowd = c
	}
	return err
}

// see takes what the watch tells of a source.
func (c *crowd) see(source *v1alpha1.InventorySource) {
	next, s := source.Status.NextSyncTime, c.seen[source.Name]
	switch {
	case next == nil || source.Status.LastSyncTime == nil || s != nil && next.Equal(&s.next):
		return
	case s == nil:
		c.seen[source.Name] = &sighting{first: time.Now(), next: *next}
	default:
		c.late = max(c.late, time.Since(s.next.Time))
		s.next = *next
	}
	c.syncs++
}

// until watches until enough tells so. It looks after every event.
func (c *crowd) until(ctx context.Context, enough func() bool) error {
	_, err := c.watched.until(ctx, func(o client.Object) bool {
		c.see(o.(*v1alpha1.InventorySource))
		return enough()
	})
	return err
}
