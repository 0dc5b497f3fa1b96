// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// repeats is how often each latency is measured. The operator puts back so many
	// edits of a source at once, and further ones at one a second.
	repeats = 20
	lie     = "edited by a stranger"
)

// latency measures how soon things show on the large source: a sync that is asked for, and
// an edit that is put back.
func (b *bench) latency(ctx context.Context, s *section) error {
	s.setup = fmt.Sprintf("A source of %d objects, %d samples each", b.objects, repeats)
	if err := b.need(ctx); err != nil {
		return err
	}
	before, err := b.count(ctx)
	if err != nil {
		return err
	}
	var synced, repaired []float64
	for range repeats {
		took, err := b.scene.sync(ctx, b.source)
		if err != nil {
			return err
		}
		synced = append(synced, milliseconds(took))
	}
	after, err := b.count(ctx)
	if err != nil {
		return err
	}
	clusters := b.scene.Cloud.Clusters(environment)
	for i := range repeats {
		took, err := b.repair(ctx, clusters[i].ID)
		if err != nil {
			return err
		}
		repaired = append(repaired, milliseconds(took))
	}
	// What the slower of both listings takes cannot be less than the mean of their
	// times in the cloud, so the share of the cloud is not made too large here.
	cloud := after.since(before).manager.sum("ccloud_inventory_cloud_request_duration_seconds") * 1000 / repeats / 2
	s.add("requestedAt to synced, median", median(synced), "ms")
	s.add("requestedAt to synced, longest", slices.Max(synced), "ms")
	s.add("the cloud's own time of a sync", cloud, "ms")
	s.goal("requestedAt to synced beyond the cloud's time, longest", max(slices.Max(synced)-cloud, 0), "ms", "<=", 1000)
	s.add("edit to repair, median", median(repaired), "ms")
	s.goal("edit to repair, longest", slices.Max(repaired), "ms", "<=", 100)
	return nil
}

// repair edits the status of a cluster's observation, and returns how long it took from
// then until the edit was put back.
func (b *bench) repair(ctx context.Context, id string) (time.Duration, error) {
	o := &v1alpha1.KafkaClusterObservation{ObjectMeta: metav1.ObjectMeta{Namespace: b.source.Namespace, Name: id}}
	edit := client.RawPatch(mergePatch, fmt.Appendf(nil, `{"status":{"displayName":%q}}`, lie))
	edited := false
	return b.scene.timed(ctx, &v1alpha1.KafkaClusterObservationList{}, o.Namespace, o.Name,
		func() error { return b.scene.k8s.Status().Patch(ctx, o, edit) },
		func(o client.Object) bool {
			shown := o.(*v1alpha1.KafkaClusterObservation).Status.DisplayName
			edited = edited || shown == lie
			return edited && shown != lie
		})
}
