// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	// smallEnvironment is what the small source mirrors, smallObjects how much that is.
	smallEnvironment = "env-small"
	smallObjects     = 200
	// mostRepairs is how often an edit is measured at most: the operator puts back 20
	// edits of a source at once, and further ones at one a second.
	mostRepairs = 20
	// shortInterval is the shortest there is; changes in the cloud show within it and
	// its jitter.
	shortInterval = 10 * time.Second
)

// latency measures how soon things show: a sync asked for, an edit put back, a change
// in the cloud. The first two on the large source and on a small one beside it.
func (b *bench) latency(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("A source of %d objects and one of %d; up to %d samples each; the last with interval %s",
		b.objects, smallObjects, b.samples, shortInterval)
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	b.fill(smallEnvironment, smallObjects)
	small, err := b.scene.newSource(ctx, "small", smallEnvironment)
	if err != nil {
		return err
	}
	if err := b.scene.k8s.Create(ctx, small); err != nil {
		return err
	}
	if _, err := b.scene.sync(ctx, small); err != nil {
		return err
	}
	large := latencyMeasure{b, s, w, w.source, b.scene.Cloud.Clusters(environment), max(b.samples/4, 1)}
	little := latencyMeasure{b, s, w, small, b.scene.Cloud.Clusters(smallEnvironment), b.samples}
	for _, step := range []func(context.Context) error{large.requested, large.tampered, little.requested, little.tampered, little.changed} {
		if err := b.quiet(ctx); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// latencyMeasure measures one source.
type latencyMeasure struct {
	*bench
	section  *section
	world    *world
	source   *v1alpha1.InventorySource
	clusters []cloudsim.Cluster
	samples  int
}

// name begins the names of the source's figures.
func (l *latencyMeasure) name(what string) string { return l.source.Name + " source, " + what }

// requested measures from requestedAt being sent to the status that tells of the
// finished sync.
func (l *latencyMeasure) requested(ctx context.Context) error {
	before, err := l.count(ctx, l.world)
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
	after, err := l.count(ctx, l.world)
	if err != nil {
		return err
	}
	// What the slower of both listings takes cannot be less than the mean of their
	// times in the cloud, so the share of the cloud is not made too large here.
	cloud := after.since(before).manager.sum("ccloud_inventory_cloud_request_duration_seconds") * 1000 / float64(l.samples) / 2
	l.section.add(l.name("requestedAt to synced, p50"), quantile(took, 0.5), "ms")
	l.section.add(l.name("requestedAt to synced, p99"), quantile(took, 0.99), "ms")
	l.section.add(l.name("the cloud's own time of a sync"), cloud, "ms")
	l.section.goal(l.name("requestedAt to synced beyond the cloud's time, p99"), max(quantile(took, 0.99)-cloud, 0), "ms", "<=", 1000)
	return nil
}

// tampered measures from an edit of an observation's status being sent to the edit
// being put back.
func (l *latencyMeasure) tampered(ctx context.Context) error {
	var took []float64
	for i := range min(l.samples, mostRepairs, len(l.clusters)) {
		const lie = "edited by a stranger"
		o := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Namespace: l.source.Namespace, Name: l.clusters[i].ID}}
		edited := false
		one, err := l.shown(ctx, o.Name, func() error {
			return l.scene.k8s.Status().Patch(ctx, o, client.RawPatch(mergePatch, fmt.Appendf(nil, `{"status":{"displayName":%q}}`, lie)))
		}, func(displayName string) bool {
			edited = edited || displayName == lie
			return edited && displayName != lie
		})
		if err != nil {
			return err
		}
		took = append(took, milliseconds(one))
	}
	l.section.add(l.name("edit to repair, p50"), quantile(took, 0.5), "ms")
	l.section.goal(l.name("edit to repair, p99"), quantile(took, 0.99), "ms", "<=", 100)
	return nil
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
	took := make([]float64, min(l.samples, len(l.clusters)))
	pause := make([]time.Duration, len(took))
	for i := range pause {
		pause[i] = time.Duration(random.Float64() * float64(shortInterval))
	}
	_, err := each(ctx, len(took), len(took), func(ctx context.Context, i int) error {
		if err := sleep(ctx, pause[i]); err != nil {
			return err
		}
		id, name := l.clusters[i].ID, fmt.Sprintf("renamed-%d", i)
		one, err := l.shown(ctx, id, func() error {
			return l.scene.Cloud.UpdateCluster(id, func(c *cloudsim.Cluster) { c.Spec.DisplayName = name })
		}, func(displayName string) bool { return displayName == name })
		took[i] = one.Seconds()
		return err
	})
	l.section.add(l.name("cloud change to visible, p50"), quantile(took, 0.5), "s")
	l.section.add(l.name("cloud change to visible, p99"), quantile(took, 0.99), "s")
	return err
}

// shown does something and returns how long it took from then until a cluster's
// observation showed a display name that fits.
func (l *latencyMeasure) shown(ctx context.Context, name string, do func() error, fits func(displayName string) bool) (time.Duration, error) {
	watched, err := l.scene.watch(ctx, &v1alpha1.KafkaClusterObservationList{}, l.source.Namespace, name)
	if err != nil {
		return 0, err
	}
	defer watched.stop()
	start := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	end, err := watched.until(ctx, func(o client.Object) bool {
		return fits(o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName)
	})
	return end.Sub(start), err
}
