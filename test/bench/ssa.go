// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// ssa measures the two ways to write an observation with the same bare client:
// create and a merge patch of the status, or server-side apply of both.
func (b *bench) ssa(ctx context.Context, r *record) error {
	w, err := b.need(ctx)
	if err != nil {
		return err
	}
	models, err := b.scene.models(ctx, w.source.Namespace)
	if err != nil {
		return err
	}
	models = pickSome(models, b.applied)
	r.Setup = fmt.Sprintf("%d objects by create and status patch, and by server-side apply of object and status, %d writers, 2 runs each", len(models), b.writers)
	if err := w.manager.Stop(); err != nil {
		return err
	}
	b.world = nil // It has no manager any more.
	patch := way{"create and status patch", (*bare).create}
	apply := way{"server-side apply", (*bare).apply}
	seconds, sizes := map[string][]float64{}, map[string]float64{}
	for _, way := range []way{patch, apply, apply, patch} {
		took, size, err := b.writeBy(ctx, models, way)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		seconds[way.name], sizes[way.name] = append(seconds[way.name], took.Seconds()), size
	}
	n := float64(len(models))
	f := &r.Figures
	for _, way := range []way{patch, apply} {
		f.add(way.name, n/median(seconds[way.name]), "objects/s")
	}
	f.add("apply's time against create and patch's", median(seconds[apply.name])/median(seconds[patch.name]), "x")
	for _, way := range []way{patch, apply} {
		f.add("managedFields by "+way.name, sizes[way.name], "B/object")
	}
	return nil
}

// way is a way to write one object.
type way struct {
	name  string
	write func(*bare, context.Context, string, body) error
}

// writeBy writes objects one way into an empty control plane. It returns how long
// that took and how large an object's managedFields came out, in bytes.
func (b *bench) writeBy(ctx context.Context, models []model, w way) (time.Duration, float64, error) {
	if err := b.scene.clear(ctx, b.writers); err != nil {
		return 0, 0, err
	}
	if err := b.quiet(ctx); err != nil {
		return 0, 0, err
	}
	owner, err := b.newOwner(ctx)
	if err != nil {
		return 0, 0, err
	}
	objects, err := marshal(models, owner)
	if err != nil {
		return 0, 0, err
	}
	client, err := newBare(b.scene.Plane.Config(), nil)
	if err != nil {
		return 0, 0, err
	}
	took, err := each(ctx, len(objects), b.writers, func(ctx context.Context, i int) error {
		return w.write(client, ctx, owner.Namespace, objects[i])
	})
	if err != nil {
		return 0, 0, err
	}
	written, err := b.scene.models(ctx, owner.Namespace)
	if err != nil {
		return 0, 0, err
	}
	if len(written) != len(objects) {
		return 0, 0, fmt.Errorf("%d objects are there, not %d", len(written), len(objects))
	}
	size, err := managedFieldsSize(written)
	return took, size, err
}

// managedFieldsSize returns the mean size of managedFields as JSON, in bytes.
func managedFieldsSize(models []model) (float64, error) {
	total := 0
	for _, m := range models {
		var metadata struct {
			ManagedFields json.RawMessage `json:"managedFields"`
		}
		if err := json.Unmarshal(m.item["metadata"], &metadata); err != nil {
			return 0, fmt.Errorf("reading %s: %w", m.resource, err)
		}
		total += len(metadata.ManagedFields)
	}
	return float64(total) / float64(len(models)), nil
}

const applyPatch = "application/apply-patch+yaml"

// apply writes an object and its status by server-side apply.
func (b *bare) apply(ctx context.Context, namespace string, o body) error {
	path := collectionPath(namespace, o.resource) + "/" + o.name
	const query = "?fieldManager=bench&force=true"
	if err := b.send(ctx, http.MethodPatch, path+query, applyPatch, o.object); err != nil {
		return err
	}
	return b.send(ctx, http.MethodPatch, path+"/status"+query, applyPatch, o.statusApply)
}

// statusApplication marshals what server-side apply takes of a status.
func (m model) statusApplication(owner *v1alpha1.InventorySource, name string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"apiVersion": m.item["apiVersion"], "kind": m.item["kind"],
		"metadata": map[string]string{"namespace": owner.Namespace, "name": name}, "status": m.item["status"],
	})
}
