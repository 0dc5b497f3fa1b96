// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// resources are what observations are called in paths.
var resources = []string{"kafkaclusterobservations", "peeringobservations"}

// model is an observation as the API server gave it.
type model struct {
	resource string
	item     map[string]json.RawMessage
}

// models reads the observations in a namespace: what others write too.
func (s *scene) models(ctx context.Context, namespace string) ([]model, error) {
	var out []model
	for _, resource := range resources {
		text, err := s.raw.Get().AbsPath(collectionPath(namespace, resource)).DoRaw(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", resource, err)
		}
		var list struct {
			Items []map[string]json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("reading %s: %w", resource, err)
		}
		for _, item := range list.Items {
			out = append(out, model{resource, item})
		}
	}
	return out, nil
}

// marshal makes the same objects again for a source of another namespace to own.
func marshal(models []model, owner *v1alpha1.InventorySource) ([]body, error) {
	out := make([]body, len(models))
	for i, m := range models {
		var err error
		if out[i], err = m.marshal(owner); err != nil {
			return nil, fmt.Errorf("marshalling one of %s: %w", m.resource, err)
		}
	}
	return out, nil
}

// marshal keeps of the metadata what a writer gives.
func (m model) marshal(owner *v1alpha1.InventorySource) (body, error) {
	var given metav1.ObjectMeta
	if err := json.Unmarshal(m.item["metadata"], &given); err != nil {
		return body{}, err
	}
	for i := range given.OwnerReferences {
		given.OwnerReferences[i].UID = owner.UID
	}
	metadata := metav1.ObjectMeta{
		Namespace: owner.Namespace, Name: given.Name,
		Labels: given.Labels, Annotations: given.Annotations, OwnerReferences: given.OwnerReferences,
	}
	object, err := json.Marshal(map[string]any{
		"apiVersion": m.item["apiVersion"], "kind": m.item["kind"], "metadata": metadata, "spec": m.item["spec"],
	})
	if err != nil {
		return body{}, err
	}
	status, err := json.Marshal(map[string]any{"status": m.item["status"]})
	if err != nil {
		return body{}, err
	}
	return body{resource: m.resource, name: given.Name, object: object, status: status}, nil
}

// clear deletes all observations and then all sources, so that nothing is left to
// the garbage collector. No manager may be at work. Observations go from etcd, since
// deleting them through the API server takes half as long as writing them; it must
// have seen that before the sources go.
func (s *scene) clear(ctx context.Context, workers int) error {
	for _, resource := range resources {
		list, err := s.listMetadata(ctx, resource)
		if err != nil {
			return err
		}
		_, err = each(ctx, len(list.Items), workers, func(ctx context.Context, i int) error {
			return s.uproot(ctx, resource, list.Items[i].Namespace, list.Items[i].Name)
		})
		if err != nil {
			return fmt.Errorf("deleting %s: %w", resource, err)
		}
		// A list without a resourceVersion is as new as etcd.
		if list, err = s.listMetadata(ctx, resource, client.Limit(1)); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("deleting %s: %s is still there", resource, list.Items[0].Name)
		}
	}
	sources := &v1alpha1.InventorySourceList{}
	if err := s.k8s.List(ctx, sources); err != nil {
		return fmt.Errorf("listing sources: %w", err)
	}
	for i := range sources.Items {
		if err := client.IgnoreNotFound(s.k8s.Delete(ctx, &sources.Items[i])); err != nil {
			return fmt.Errorf("deleting a source: %w", err)
		}
	}
	return nil
}

// listMetadata lists the metadata of the observations of all namespaces.
func (s *scene) listMetadata(ctx context.Context, resource string, options ...client.ListOption) (*metav1.PartialObjectMetadataList, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kindOf[resource] + "List"))
	if err := s.k8s.List(ctx, list, options...); err != nil {
		return nil, fmt.Errorf("listing %s: %w", resource, err)
	}
	return list, nil
}

var kindOf = map[string]string{
	"kafkaclusterobservations": "KafkaClusterObservation",
	"peeringobservations":      "PeeringObservation",
}
