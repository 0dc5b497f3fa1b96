// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// mapsAtOnce is the largest number of ConfigMaps in the answer to one list request.
const mapsAtOnce = 500

// keepsConfigMaps returns true if the flag --endpoint-configmaps is set and the manager has the
// rights to watch ConfigMaps.
func (o *Options) keepsConfigMaps() bool { return o.ConfigMaps && o.Watched(&corev1.ConfigMap{}) }

// configMapsOf returns what is wrong with the ConfigMaps of a source; nil if nothing is wrong. It
// also covers ConfigMaps that the spec no longer asks for. Only Kafka clusters have ConfigMaps, so
// the result is nil for any other kind.
func (o *Options) configMapsOf(owner owner, s *state, k *kind) *verdict {
	source := owner.object().(*v1alpha1.InventorySource)
	if !k.withConfigMaps {
		return nil
	}
	if source.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled && !o.keepsConfigMaps() {
		why := "its flag --endpoint-configmaps is not set"
		if o.ConfigMaps {
			why = o.watchRights.whyDenied(&corev1.ConfigMap{}) + "; config/endpoint-configmaps has the rights on ConfigMaps"
		}
		return &verdict{reason: v1alpha1.ReasonConfigMapsOff, message: "spec.kafkaClusters.configMaps is Enabled, and the manager keeps none: " + why}
	}
	if f := o.configMaps.failure(client.ObjectKeyFromObject(source)); f != nil {
		return f.verdict()
	}
	return s.leftConfigMaps
}

// setOwnStatus sets status.configMaps, which is true while the source may have ConfigMaps. A source
// may have ConfigMaps that its spec no longer asks for. If this manager does not delete them,
// setOwnStatus stores in state.leftConfigMaps how a person can delete them.
func (s sourceOwner) setOwnStatus(ctx context.Context, o *Options, state *state, _ writeResult) {
	state.leftConfigMaps = nil
	switch {
	case s.Spec.KafkaClusters.ConfigMaps == v1alpha1.ConfigMapPolicyEnabled:
		s.Status.ConfigMaps = s.Status.ConfigMaps || o.keepsConfigMaps()
	case o.configMaps.failure(key(s)) != nil: // A ConfigMap cannot be deleted.
		s.Status.ConfigMaps = true
	case s.Status.ConfigMaps && o.Watched(&v1alpha1.KafkaClusterObservation{}):
		names, err := o.leftConfigMaps(ctx, s.InventorySource)
		s.Status.ConfigMaps = err != nil || len(names) > 0
		state.leftConfigMaps = o.leftMapsVerdict(s.InventorySource, names, err)
	}
}

// leftMapsVerdict returns a message about ConfigMaps that still exist, although the source's spec
// no longer asks for them. mapNames and err are the results of leftConfigMaps.
//
//   - If err is nil, the message says how a person can delete the ConfigMaps. The result is nil if
//     there are none, or if this manager deletes them itself.
//   - If err is Forbidden, the message has the error and says how a person can delete ConfigMaps.
//   - If err is any other error, the message has only the error.
func (o *Options) leftMapsVerdict(source *v1alpha1.InventorySource, mapNames []string, err error) *verdict {
	const disabled, restore = "spec.kafkaClusters.configMaps is Disabled, and ", "set the manager's flag --endpoint-configmaps, and give it the rights, until they are gone, or "
	switch {
	case apierrors.IsForbidden(err):
		return &verdict{
			reason: v1alpha1.ReasonConfigMapsOff,
			short:  disabled + "the operator may not look for ConfigMaps made before; condition " + v1alpha1.ConditionKafkaClustersSynced + " has what to do",
			message: fmt.Sprintf(disabled+"the operator may not look for ConfigMaps made before: %s; "+restore+
				"delete those that this source's KafkaClusterObservations control, and then run: "+
				`kubectl -n %s patch inventorysource %s --subresource status --type merge -p '{"status":{"configMaps":false}}'`,
				mirror.Truncate(err.Error(), maxWords), source.Namespace, source.Name),
		}
	case err != nil:
		return &verdict{reason: v1alpha1.ReasonWriteFailed, message: disabled + "looking for ConfigMaps made before failed: " + mirror.Truncate(err.Error(), maxWords)}
	case len(mapNames) == 0 || o.keepsConfigMaps():
		return nil
	}
	slices.Sort(mapNames)
	shown := fittingNames(mapNames)
	stay := fmt.Sprintf(disabled+"%d ConfigMaps made before stay", len(mapNames))
	if len(shown) < len(mapNames) {
		stay += fmt.Sprintf(", of which these are the first %d", len(shown))
	}
	return &verdict{
		reason:  v1alpha1.ReasonConfigMapsOff,
		short:   fmt.Sprintf(disabled+"%d ConfigMaps made before stay; condition %s has what to do", len(mapNames), v1alpha1.ConditionKafkaClustersSynced),
		message: fmt.Sprintf("%s; "+restore+"run: kubectl -n %s delete configmap %s", stay, source.Namespace, strings.Join(shown, " ")),
	}
}

// fittingNames returns the first names that together fit into maxWords bytes. The result has the
// first name even if this name alone does not fit.
func fittingNames(names []string) []string {
	size := 0
	for i, name := range names {
		if size += len(name) + 1; i > 0 && size > maxWords {
			return names[:i]
		}
	}
	return names
}

// leftConfigMaps returns the names of the existing ConfigMaps of a source's Kafka clusters. It
// reads the ConfigMaps from the API server, because the cache has only ConfigMaps with the
// operator's label.
func (o *Options) leftConfigMaps(ctx context.Context, source *v1alpha1.InventorySource) ([]string, error) {
	clusters := &v1alpha1.KafkaClusterObservationList{}
	err := o.Cluster.List(ctx, clusters, client.InNamespace(source.Namespace), client.MatchingFields{sourceField: source.Name},
		client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*v1alpha1.KafkaClusterObservation, len(clusters.Items))
	for i := range clusters.Items {
		if cluster := &clusters.Items[i]; mirror.Owned(cluster, source) {
			byName[cluster.Name] = cluster
		}
	}
	var left []string
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	for more := true; more; more = list.Continue != "" {
		if err := o.APIReader.List(ctx, list, client.InNamespace(source.Namespace), client.Limit(mapsAtOnce), client.Continue(list.Continue)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			cluster := byName[list.Items[i].Name]
			if cluster == nil {
				continue
			}
			c := &corev1.ConfigMap{ObjectMeta: list.Items[i].ObjectMeta}
			if metav1.GetControllerOf(c) == nil { // Only the data can show the owner.
				if c, err = o.configMap(ctx, o.APIReader, cluster); err != nil {
					return nil, err
				}
			}
			if c != nil && mirror.OwnsConfigMap(cluster, c) {
				left = append(left, c.Name)
			}
		}
	}
	return left, nil
}
