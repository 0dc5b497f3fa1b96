// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

const (
	// environmentsPath is where environments are listed.
	environmentsPath = "/org/v2/environments"
	discoveryName    = "org"
	// selectedPrefix is the beginning of the display names that the discovery selects.
	selectedPrefix = "env-chaos3"
	// excludedEnvironment is selected by its ID and excluded by its display name.
	excludedEnvironment = "env-excluded"
	excludedName        = "excluded"
)

// createDiscovery creates the discovery that makes the namespace's sources. The discovery selects
// environments by their display names. It deletes the source of an environment that is gone.
func (n *testNamespace) createDiscovery(ctx context.Context) error {
	d := &v1alpha1.EnvironmentDiscovery{
		ObjectMeta: metav1.ObjectMeta{Name: discoveryName, Namespace: n.namespace},
		Spec: v1alpha1.EnvironmentDiscoverySpec{
			Endpoint: n.cloudProxy.URL, Credentials: n.credentials(),
			Interval: ptr.To(metav1.Duration{Duration: interval}), Timeout: ptr.To(metav1.Duration{Duration: timeout}),
			Template: v1alpha1.InventorySourceTemplate{Spec: v1alpha1.InventorySourceTemplateSpec{MirrorSettings: mirrorSettings()}},
		},
	}
	n.Cloud.AddEnvironment(excludedEnvironment)
	if err := n.Cloud.RenameEnvironment(excludedEnvironment, excludedName); err != nil {
		return err
	}
	for _, environment := range n.environments() {
		if err := n.Cloud.RenameEnvironment(environment, environment); err != nil {
			return err
		}
	}
	d.Spec.Selector.IDs = []v1alpha1.Identifier{excludedEnvironment}
	d.Spec.Selector.DisplayNames = []v1alpha1.Identifier{selectedPrefix + "*"}
	d.Spec.Selector.Exclude.DisplayNames = []v1alpha1.Identifier{excludedName}
	d.Spec.Prune.Policy = v1alpha1.PrunePolicyDelete
	return n.admin.Create(ctx, d)
}

// awaitSources waits until the discovery has made the namespace's sources, and records their UIDs.
func (n *testNamespace) awaitSources(ctx context.Context) error {
	if !n.discovers {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
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

// differsFromDiscovery returns what is wrong in the discovery, and in a source that the discovery
// makes. If something is wrong, it also requests a new listing of the environments.
func (s *source) differsFromDiscovery(ctx context.Context, object *v1alpha1.InventorySource) []string {
	if !s.discovers {
		return nil
	}
	var found []string
	if object.UID != s.uid {
		found, s.uid = append(found, "the source is another one than it was"), object.UID
	}
	found = append(found, s.wrongSource(object)...)
	d := &v1alpha1.EnvironmentDiscovery{}
	key := client.ObjectKey{Namespace: s.namespace, Name: discoveryName}
	if err := persist(ctx, func(ctx context.Context) error { return s.admin.Get(ctx, key, d) }); err != nil {
		return append(found, err.Error())
	}
	if ready := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady); ready == nil || ready.Status != metav1.ConditionTrue {
		found = append(found, "the discovery is not Ready=True but "+shortly(ready))
	}
	if held := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionPruneHeld); held != nil {
		found = append(found, "the discovery has PruneHeld: "+shortly(held))
	}
	if leak := s.leaks.find([]byte(inJSON(d))); leak != "" {
		s.leaked = append(s.leaked, "its discovery has "+leak)
	}
	if len(found) > 0 {
		if _, err := s.askDiscovery(ctx); err != nil {
			found = append(found, err.Error())
		}
	}
	return found
}

// wrongSource returns what in a source differs from what the discovery's template and the
// organization require.
func (s *source) wrongSource(object *v1alpha1.InventorySource) []string {
	var found []string
	want := s.spec()
	if have := object.Spec; have.Suspend || have.Environment != want.Environment || have.Endpoint != want.Endpoint ||
		!reflect.DeepEqual(have.Credentials, want.Credentials) ||
		*have.Interval != *want.Interval || *have.Timeout != *want.Timeout || !samePolicies(&have.MirrorSettings, &want.MirrorSettings) {
		found = append(found, fmt.Sprintf("the source's spec is %s", inJSON(have)))
	}
	if since, missing := object.Annotations[v1alpha1.AnnotationMissingSince]; missing {
		found = append(found, "its environment is said to be missing since "+since)
	}
	if object.Labels[v1alpha1.LabelDiscovery] != discoveryName {
		found = append(found, "the source has not the discovery's label")
	}
	return found
}

// samePolicies reports whether the same kinds are mirrored.
func samePolicies(a, b *v1alpha1.MirrorSettings) bool {
	return !slices.ContainsFunc(kinds, func(k *kind) bool { return *k.policy(a) != *k.policy(b) })
}

// askDiscovery requests a listing of the environments. It returns the token that the status shows
// when the listing is over.
func (n *testNamespace) askDiscovery(ctx context.Context) (token string, err error) {
	token = fmt.Sprintf("%s-%d", n.namespace, n.listings.Add(1))
	return token, persist(ctx, func(ctx context.Context) error {
		d := &v1alpha1.EnvironmentDiscovery{ObjectMeta: metav1.ObjectMeta{Name: discoveryName, Namespace: n.namespace}}
		return n.admin.Patch(ctx, d, mergePatch(content{"metadata": content{"annotations": content{
			v1alpha1.AnnotationRequestedAt: token}}}))
	})
}

// changeSource lets a stranger change the source itself if a discovery would correct it. Otherwise
// the stranger changes labels.
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

// environments returns the IDs of the environments for which the discovery has sources.
func (n *testNamespace) environments() []string {
	var ids []string
	for _, s := range n.sources {
		ids = append(ids, s.environment)
	}
	return ids
}

// environmentUIDs returns the UIDs of the sources. The key is the ID of a source's environment.
func (n *testNamespace) environmentUIDs() map[string]types.UID {
	uids := map[string]types.UID{}
	for _, s := range n.sources {
		uids[s.environment] = s.uid
	}
	return uids
}
