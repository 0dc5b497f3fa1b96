// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// resources are what observations are called in paths.
var resources = []string{"kafkaclusterobservations", "peeringobservations"}

var kindOf = map[string]string{
	"kafkaclusterobservations": "KafkaClusterObservation",
	"peeringobservations":      "PeeringObservation",
}

// model is an observation as the API server gave it.
type model struct {
	resource string
	object   unstructured.Unstructured
}

// models reads the observations in a namespace: what others write too.
func (s *scene) models(ctx context.Context, namespace string) ([]model, error) {
	var out []model
	for _, resource := range resources {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindOf[resource] + "List"))
		if err := s.k8s.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, fmt.Errorf("reading %s: %w", resource, err)
		}
		for _, item := range list.Items {
			out = append(out, model{resource, item})
		}
	}
	return out, nil
}

// of returns a copy of the observation for a source of another namespace to own, without
// what only the API server writes.
func (m model) of(owner *v1alpha1.InventorySource) *unstructured.Unstructured {
	o := m.object.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	o.SetNamespace(owner.Namespace)
	owners := o.GetOwnerReferences()
	for i := range owners {
		owners[i].UID = owner.UID
	}
	o.SetOwnerReferences(owners)
	return o
}

// body is one object, marshalled: the way it is created and the way its status is
// patched.
type body struct {
	resource, name string
	object, status []byte
}

// body returns the observation as a source's writer sends it.
func (m model) body(owner *v1alpha1.InventorySource) (body, error) {
	o := m.of(owner)
	status, err := json.Marshal(map[string]any{"status": o.Object["status"]})
	if err != nil {
		return body{}, err
	}
	delete(o.Object, "status")
	object, err := json.Marshal(o)
	return body{resource: m.resource, name: o.GetName(), object: object, status: status}, err
}

// stored returns the key and the value of the observation in etcd, whose own revision
// is the resourceVersion.
func (m model) stored(owner *v1alpha1.InventorySource) (key, value []byte, err error) {
	o := m.of(owner)
	o.SetUID(uuid.NewUUID())
	o.SetCreationTimestamp(m.object.GetCreationTimestamp())
	o.SetGeneration(m.object.GetGeneration())
	o.SetManagedFields(m.object.GetManagedFields())
	value, err = json.Marshal(o)
	return fmt.Appendf(nil, "/registry/%s/%s/%s/%s", v1alpha1.GroupVersion.Group, m.resource, owner.Namespace, o.GetName()), value, err
}

// plant puts observations into etcd as the API server would store them for another
// owner, past the API server. Its watch cache tells of them as of any other.
func (s *scene) plant(ctx context.Context, models []model, owner *v1alpha1.InventorySource) error {
	return each(ctx, len(models), func(ctx context.Context, i int) error {
		key, value, err := models[i].stored(owner)
		if err != nil {
			return err
		}
		return s.put(ctx, key, value)
	})
}

// observations counts the observations of all namespaces.
func (s *scene) observations(ctx context.Context) (int, error) {
	n := 0
	for _, resource := range resources {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindOf[resource] + "List"))
		if err := s.k8s.List(ctx, list, client.Limit(1)); err != nil {
			return 0, fmt.Errorf("listing %s: %w", resource, err)
		}
		n += len(list.Items)
		if list.RemainingItemCount != nil {
			n += int(*list.RemainingItemCount)
		}
	}
	return n, nil
}

// etcdClient keeps a connection for each writer.
var etcdClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}

// put writes by the gateway of etcd's API, which takes keys and values in base64, as
// []byte marshals.
func (s *scene) put(ctx context.Context, key, value []byte) error {
	content, err := json.Marshal(map[string][]byte{"key": key, "value": value})
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Plane.EtcdURL()+"/v3/kv/put", bytes.NewReader(content))
	if err != nil {
		return err
	}
	response, err := etcdClient.Do(post)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer response.Body.Close()
	// Read to its end, so that the connection is used again.
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd: putting %s: %s", key, response.Status)
	}
	return nil
}
