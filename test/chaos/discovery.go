// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// environmentsPath is where environments are listed.
	environmentsPath = "/org/v2/environments"
	discoveryName    = "org"
)

// createDiscovery has a discovery keep the namespace's sources. Whatever its listings tell it
// never deletes one: prune.policy is Retain.
func (n *testNamespace) createDiscovery(ctx context.Context) error {
	d := &v1alpha1.EnvironmentDiscovery{
		ObjectMeta: metav1.ObjectMeta{Name: discoveryName, Namespace: n.namespace},
		Spec: v1alpha1.EnvironmentDiscoverySpec{
			Endpoint: n.cloudProxy.URL, Credentials: n.credentials(),
			Interval: ptr.To(metav1.Duration{Duration: interval}), Timeout: ptr.To(metav1.Duration{Duration: timeout}),
			Template: v1alpha1.InventorySourceTemplate{Spec: v1alpha1.InventorySourceTemplateSpec{MirrorSettings: mirrorSettings()}},
		},
	}
	for _, s := range n.sources {
		d.Spec.Selector.IDs = append(d.Spec.Selector.IDs, v1alpha1.Identifier(s.environment))
	}
	return n.admin.Create(ctx, d)
}

// awaitSources waits until the discovery made the namespace's sources, and learns their UIDs.
func (n *testNamespace) awaitSources(ctx context.Context) error {
	if !n.discovers {
		return nil
	}
	for _, s := range n.sources {
		object := &v1alpha1.InventorySource{}
		for s.uid == "" {
			err := n.admin.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.name}, object)
			switch {
			case err == nil:
				s.uid = object.UID
			case !apierrors.IsNotFound(err):
				return err
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("waiting for the source that a discovery makes: %w", ctx.Err())
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// differsFromDiscovery says what of a source that a discovery keeps is not as the discovery's template
// and the organization say, and has the environments listed again; nothing of others.
func (s *source) differsFromDiscovery(ctx context.Context, object *v1alpha1.InventorySource) []string {
	if !s.discovers {
		return nil
	}
	var found []string
	if object.UID != s.uid {
		found = append(found, "the source is another one than it was")
	}
	want := s.spec()
	if have := object.Spec; have.Suspend || have.Environment != want.Environment || have.Endpoint != want.Endpoint ||
		!reflect.DeepEqual(have.Credentials, want.Credentials) || have.Networks != want.Networks ||
		*have.Interval != *want.Interval || *have.Timeout != *want.Timeout {
		found = append(found, fmt.Sprintf("the source's spec is %s", inJSON(have)))
	}
	if since, missing := object.Annotations[v1alpha1.AnnotationMissingSince]; missing {
		found = append(found, "its environment is said to be missing since "+since)
	}
	if object.Labels[v1alpha1.LabelDiscovery] != discoveryName {
		found = append(found, "the source has not the discovery's label")
	}
	d := &v1alpha1.EnvironmentDiscovery{}
	key := client.ObjectKey{Namespace: s.namespace, Name: discoveryName}
	if err := persist(ctx, func(ctx context.Context) error { return s.admin.Get(ctx, key, d) }); err != nil {
		return append(found, err.Error())
	}
	if ready := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.Status != metav1.ConditionTrue {
		found = append(found, "the discovery is not Ready=True but "+shortly(ready))
	}
	if leak := s.leaks.find([]byte(inJSON(d))); leak != "" {
		s.leaked = append(s.leaked, "its discovery has "+leak)
	}
	if len(found) > 0 {
		if err := s.askDiscovery(ctx); err != nil {
			found = append(found, err.Error())
		}
	}
	return found
}

// askDiscovery asks for a listing of the environments.
func (s *source) askDiscovery(ctx context.Context) error {
	s.tokens++
	return persist(ctx, func(ctx context.Context) error {
		d := &v1alpha1.EnvironmentDiscovery{ObjectMeta: metav1.ObjectMeta{Name: discoveryName, Namespace: s.namespace}}
		return s.admin.Patch(ctx, d, mergePatch(content{"metadata": content{"annotations": content{
			v1alpha1.AnnotationRequestedAt: fmt.Sprintf("%s-%d", s.name, s.tokens)}}}))
	})
}

// changeSource has a stranger change the source itself, where a discovery puts it back.
func (s *source) changeSource(ctx context.Context, o v1alpha1.Observation) error {
	if !s.discovers {
		return s.editLabels(ctx, o)
	}
	object := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.namespace}}
	return s.stranger.Patch(ctx, object, mergePatch(content{
		"metadata": content{"labels": content{v1alpha1.LabelDiscovery: nil}},
		"spec":     content{"suspend": true, "timeout": "3s"},
	}))
}
