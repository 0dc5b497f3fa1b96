// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// plant puts observations into etcd as the API server would store them for another
// owner, past the API server. Its watch cache tells of them as of any other.
func (s *scene) plant(ctx context.Context, models []model, owner *v1alpha1.InventorySource, workers int) error {
	_, err := each(ctx, len(models), workers, func(ctx context.Context, i int) error {
		return s.plantOne(ctx, models[i], owner)
	})
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	return nil
}

func (s *scene) plantOne(ctx context.Context, m model, owner *v1alpha1.InventorySource) error {
	key, value, err := m.stored(owner)
	if err != nil {
		return err
	}
	// The gateway of etcd's API takes keys and values in base64, as []byte marshals.
	request, err := json.Marshal(map[string][]byte{"key": key, "value": value})
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Plane.EtcdURL()+"/v3/kv/put", bytes.NewReader(request))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("putting %s: %s", key, response.Status)
	}
	return nil
}

// stored returns the key and the value of an observation in etcd.
func (m model) stored(owner *v1alpha1.InventorySource) (key, value []byte, err error) {
	var metadata map[string]any
	if err := json.Unmarshal(m.item["metadata"], &metadata); err != nil {
		return nil, nil, fmt.Errorf("metadata: %w", err)
	}
	delete(metadata, "resourceVersion") // etcd's own revision is it.
	metadata["namespace"], metadata["uid"] = owner.Namespace, uuid.NewUUID()
	owners, _ := metadata["ownerReferences"].([]any)
	for _, o := range owners {
		o.(map[string]any)["uid"] = owner.UID
	}
	item := maps.Clone(m.item)
	if item["metadata"], err = json.Marshal(metadata); err != nil {
		return nil, nil, fmt.Errorf("metadata: %w", err)
	}
	if value, err = json.Marshal(item); err != nil {
		return nil, nil, err
	}
	return fmt.Appendf(nil, "/registry/%s/%s/%s/%s", v1alpha1.GroupVersion.Group, m.resource, owner.Namespace, metadata["name"]), value, nil
}
