// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	// smallClusters and smallPeerings are what a small source mirrors.
	smallClusters, smallPeerings = 100, 100
	// repairsAtOnce and repairEvery are the operator's bound on putting back edits, by
	// source. Edits that come slower never meet it.
	repairsAtOnce = 20
	repairEvery   = time.Second
	// mostRepairs is how often an edit is measured at most: those that meet the bound
	// take a second each.
	mostRepairs = 2 * repairsAtOnce
	// shortInterval is the shortest there is; changes in the cloud show within it and
	// its jitter.
	shortInterval = 10 * time.Second
)

// latency measures how soon things show: a sync asked for, an edit put back, a change
// in the cloud. The first two on the large source and on a small one beside it.
func (b *bench) latency(ctx context.Context, r *record) error {
	r.Setup = fmt.Sprintf("a source of %d objects and one of %d; up to %d samples each; the last with interval %s",
		b.objects(), smallClusters+smallPeerings, b.samples, shortInterval)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	small, err := b.smallSource(ctx)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		source      *v1alpha1.InventorySource
		environment string
		samples     int
	}{{w.source, environment, max(b.samples/4, 1)}, {small, smallEnvironment, b.samples}} {
		if err := b.quiet(ctx); err != nil {
			return err
		}
		l := latencyMeasure{bench: b, record: r, world: w, source: one.source, environment: one.environment, samples: one.samples}
		if err := l.requested(ctx); err != nil {
			return err
		}
		if err := l.tampered(ctx); err != nil {
			return err
		}
	}
	l := latencyMeasure{bench: b, record: r, world: w, source: small, environment: smallEnvironment, samples: b.samples}
	return l.changed(ctx)
}

// smallEnvironment is what the small source mirrors.
const smallEnvironment = "env-small"

// smallSource makes the small source and waits for its first sync.
func (b *bench) smallSource(ctx context.Context) (*v1alpha1.InventorySource, error) {
	cloudsim.Seed(b.scene.Cloud, cloudsim.SeedOptions{Environment: smallEnvironment, Clusters: smallClusters, Peerings: smallPeerings, Seed: b.seed})
	namespace, err := b.scene.newNamespace(ctx)
	if err != nil {
		return nil, err
	}
	source := b.scene.newSource(namespace, "small", smallEnvironment, idle)
	if err := b.scene.k8s.Create(ctx, source); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	_, err = b.scene.sync(ctx, source)
	return source, err
}

// latencyMeasure measures one source.
type latencyMeasure struct {
	*bench
	record      *record
	world       *world
	source      *v1alpha1.InventorySource
	environment string
	samples     int
}

// name begins the names of the source's figures.
func (l *latencyMeasure) name(what string) string { return l.source.Name + " source, " + what }

// requested measures from requestedAt being sent to the status that tells of the
// finished sync.
func (l *latencyMeasure) requested(ctx context.Context) error {
	before, err := scrape(ctx, l.world.manager.MetricsURL)
	if err != nil {
		return err
	}
	var took []float64
	for range l.samples {
		one, err := l.scene.sync(ctx, l.source)
		if err != nil {
			return err
		}
		took = append(took, milliseconds(one))
	}
	after, err := scrape(ctx, l.world.manager.MetricsURL)
	if err != nil {
		return err
	}
	// What the slower of both listings takes cannot be less than the mean of their
	// times in the cloud, so the share of the cloud is not made too large here.
	const metric = "ccloud_inventory_cloud_request_duration_seconds_sum"
	cloud := after.since(before).sum(metric) * 1000 / float64(l.samples) / 2
	f := &l.record.Figures
	f.add(l.name("requestedAt to synced, p50"), quantile(took, 0.5), "ms")
	f.add(l.name("requestedAt to synced, p99"), quantile(took, 0.99), "ms")
	f.add(l.name("the cloud's own time of a sync"), cloud, "ms")
	f.goal(l.name("requestedAt to synced beyond the cloud's time, p99"), max(quantile(took, 0.99)-cloud, 0), "ms", "<=", 1000)
	return nil
}

// tampered measures from an edit of an observation's status being sent to the edit
// being put back.
func (l *latencyMeasure) tampered(ctx context.Context) error {
	var took []float64
	begun := time.Now()
	clusters := l.scene.Cloud.Clusters(l.environment)
	for i := range min(l.samples, mostRepairs) {
		if i >= repairsAtOnce-1 { // Slower than the bound from here on.
			if err := sleepUntil(ctx, begun.Add(time.Duration(i-repairsAtOnce+2)*(repairEvery+repairEvery/10))); err != nil {
				return err
			}
		}
		one, err := l.tamper(ctx, clusters[i%len(clusters)].ID)
		if err != nil {
			return err
		}
		took = append(took, milliseconds(one))
	}
	f := &l.record.Figures
	f.add(l.name("edit to repair, p50"), quantile(took, 0.5), "ms")
	f.goal(l.name("edit to repair, p99"), quantile(took, 0.99), "ms", "<=", 100)
	return nil
}

// tamper edits one observation and waits for the repair.
func (l *latencyMeasure) tamper(ctx context.Context, name string) (time.Duration, error) {
	watched, err := l.scene.watch(ctx, &v1alpha1.KafkaClusterObservationList{}, l.source.Namespace, name)
	if err != nil {
		return 0, err
	}
	defer watched.stop()
	const lie = "edited by a stranger"
	o := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Namespace: l.source.Namespace, Name: name}}
	start := time.Now()
	patch := fmt.Appendf(nil, `{"status":{"displayName":%q}}`, lie)
	if err := l.scene.k8s.Status().Patch(ctx, o, client.RawPatch(mergePatch, patch)); err != nil {
		return 0, fmt.Errorf("editing %s: %w", name, err)
	}
	edited := false
	end, err := watched.until(ctx, func(o client.Object) bool {
		now := o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName
		edited = edited || now == lie
		return edited && now != lie
	})
	return end.Sub(start), err
}

// changed measures from a change in the cloud to the observation that tells of it,
// with the shortest interval. The changes come at random within one, each of its own
// cluster.
func (l *latencyMeasure) changed(ctx context.Context) error {
	patch := fmt.Appendf(nil, `{"spec":{"interval":%q}}`, shortInterval)
	if err := l.scene.k8s.Patch(ctx, l.source.DeepCopy(), client.RawPatch(mergePatch, patch)); err != nil {
		return fmt.Errorf("shortening the interval: %w", err)
	}
	random := rand.New(rand.NewPCG(uint64(l.seed), 0)) // must repeat, need not be secret
	clusters := l.scene.Cloud.Clusters(l.environment)
	n := min(l.samples, len(clusters))
	begin := make([]time.Time, n)
	for i := range begin {
		begin[i] = time.Now().Add(time.Duration(random.Float64() * float64(shortInterval)))
	}
	took := make([]float64, n)
	_, err := each(ctx, n, n, func(ctx context.Context, i int) error {
		if err := sleepUntil(ctx, begin[i]); err != nil {
			return err
		}
		one, err := l.change(ctx, clusters[i].ID, i)
		took[i] = one.Seconds()
		return err
	})
	if err != nil {
		return err
	}
	f := &l.record.Figures
	f.add(l.name("cloud change to visible, p50"), quantile(took, 0.5), "s")
	f.add(l.name("cloud change to visible, p99"), quantile(took, 0.99), "s")
	return nil
}

// change changes one cluster in the cloud and waits until its observation tells so.
func (l *latencyMeasure) change(ctx context.Context, id string, i int) (time.Duration, error) {
	watched, err := l.scene.watch(ctx, &v1alpha1.KafkaClusterObservationList{}, l.source.Namespace, id)
	if err != nil {
		return 0, err
	}
	defer watched.stop()
	name := "renamed-" + strconv.Itoa(i)
	start := time.Now()
	err = l.scene.Cloud.UpdateCluster(id, func(c *cloudsim.Cluster) { c.Spec.DisplayName = name })
	if err != nil {
		return 0, err
	}
	end, err := watched.until(ctx, func(o client.Object) bool {
		return o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName == name
	})
	return end.Sub(start), err
}

// sleepUntil waits for a moment; the error is the context's.
func sleepUntil(ctx context.Context, moment time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(moment)):
		return nil
	}
}
