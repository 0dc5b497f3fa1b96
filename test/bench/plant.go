// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	return s.etcd(ctx, "put", map[string][]byte{"key": key, "value": value})
}

// uproot deletes one observation from etcd.
func (s *scene) uproot(ctx context.Context, resource, namespace, name string) error {
	return s.etcd(ctx, "deleterange", map[string][]byte{"key": etcdKey(resource, namespace, name)})
}

// etcd sends one request to the gateway of etcd's API, which takes keys and values in
// base64, as []byte marshals.
func (s *scene) etcd(ctx context.Context, operation string, request map[string][]byte) error {
	content, err := json.Marshal(request)
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Plane.EtcdURL()+"/v3/kv/"+operation, bytes.NewReader(content))
	if err != nil {
		return err
	}
	response, err := etcdClient.Do(post)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	// Read to its end, so that the connection is used again.
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s of %s: %s", operation, request["key"], response.Status)
	}
	return nil
}

// etcdClient keeps a connection for each writer.
var etcdClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}

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
	name, _ := metadata["name"].(string)
	return etcdKey(m.resource, owner.Namespace, name), value, nil
}

// etcdKey is where the API server keeps an observation.
func etcdKey(resource, namespace, name string) []byte {
	return fmt.Appendf(nil, "/registry/%s/%s/%s/%s", v1alpha1.GroupVersion.Group, resource, namespace, name)
}
