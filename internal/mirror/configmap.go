// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// maxConfigMap is the largest size of a ConfigMap's data, in bytes. If a Kafka cluster has too many
// access points, the operator leaves out the endpoints of the last ones.
const maxConfigMap = 512 << 10

// A ConfigMap key for an access point ends with a suffix, for example ".http.endpoint" or
// "_HTTP_ENDPOINT". longestSuffix is as long as the longest of these suffixes.
const longestSuffix = v1alpha1.ConfigMapSuffixBootstrapServers

// ConfigMap returns the ConfigMap with the endpoints of a Kafka cluster. o is the observation of
// the cluster. kafkaSelection is spec.kafkaClusters of the InventorySource.
//
// The observation owns the ConfigMap, and has the same name. The ConfigMap gets the labels and
// annotations that the operator set on the observation.
//
// The ConfigMap has no key for an empty value. So a pod that needs the value waits for the key, and
// does not start with an empty value.
func ConfigMap(o *v1alpha1.KafkaClusterObservation, kafkaSelection *v1alpha1.KafkaClusterSelection) *corev1.ConfigMap {
	owner := metav1.NewControllerRef(o, v1alpha1.GroupVersion.WithKind("KafkaClusterObservation"))
	owner.BlockOwnerDeletion = nil // The deletion of an observation must not wait for its ConfigMap.
	labels, annotations := formerKeys(o)
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name:            o.Name,
			Namespace:       o.Namespace,
			Labels:          ownPairs(o.Labels, labels),
			Annotations:     ownPairs(o.Annotations, annotations),
			OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Data: endpointData(o, kafkaSelection),
	}
}

// ownPairs returns the labels or annotations that the operator set. Their keys have the operator's
// prefix, or come from the source's template. fromTemplate has the keys of the template.
func ownPairs(pairs map[string]string, fromTemplate []string) map[string]string {
	kept := maps.Clone(pairs)
	maps.DeleteFunc(kept, func(key, _ string) bool { return !ownKey(key, fromTemplate) })
	return kept
}

func endpointData(o *v1alpha1.KafkaClusterObservation, kafkaSelection *v1alpha1.KafkaClusterSelection) map[string]string {
	key, named := propertyKey, propertyKey
	variables := kafkaSelection.ConfigMapKeys == v1alpha1.ConfigMapKeysEnvironment
	if variables {
		key, named = variableKey, variablesOf(o.Status.Endpoints)
	}
	data, size := map[string]string{}, 0
	set := func(name, value string) {
		if value != "" && (!variables || fitsVariable(value)) {
			data[key(name)] = value
			size += len(name) + len(value)
		}
	}
	set(v1alpha1.ConfigMapClusterID, o.Spec.ClusterID)
	set(v1alpha1.ConfigMapEnvironmentID, o.Spec.Environment)
	if kafkaSelection.ConfigMapContent != v1alpha1.ConfigMapContentEndpoints {
		set(v1alpha1.ConfigMapDisplayName, o.Status.DisplayName)
		set(v1alpha1.ConfigMapPhase, o.Status.Phase)
	}
	set(v1alpha1.ConfigMapBootstrapServers, o.Status.BootstrapServers)
	set(v1alpha1.ConfigMapHTTPEndpoint, o.Status.HTTPEndpoint)
	set(v1alpha1.ConfigMapSchemaRegistryURL, o.SchemaRegistryURL())
	for _, e := range o.Status.Endpoints {
		name := named(e.AccessPointID)
		if len(validation.IsConfigMapKey(name+longestSuffix)) > 0 {
			continue // A key of a ConfigMap cannot contain this ID.
		}
		if size+3*len(name+longestSuffix)+len(e.BootstrapServers+e.HTTPEndpoint+e.ConnectionType) > maxConfigMap {
			break
		}
		set(name+v1alpha1.ConfigMapSuffixBootstrapServers, e.BootstrapServers)
		set(name+v1alpha1.ConfigMapSuffixHTTPEndpoint, e.HTTPEndpoint)
		set(name+v1alpha1.ConfigMapSuffixConnectionType, e.ConnectionType)
	}
	return data
}

// OwnsConfigMap reports whether a ConfigMap belongs to an observation:
//
//   - If the ConfigMap has a controller, the controller must be the observation.
//   - If the ConfigMap has no controller, its label with the source's name must match the
//     observation. The cluster ID and the environment ID in its data must match too.
//
// The keys in the data can have either form, for example cluster.id or CLUSTER_ID.
func OwnsConfigMap(o *v1alpha1.KafkaClusterObservation, c *corev1.ConfigMap) bool {
	if controller := metav1.GetControllerOf(c); controller != nil {
		return controller.UID == o.UID
	}
	names := func(key func(string) string) bool {
		return c.Data[key(v1alpha1.ConfigMapClusterID)] == o.Spec.ClusterID && c.Data[key(v1alpha1.ConfigMapEnvironmentID)] == o.Spec.Environment
	}
	return c.Labels[v1alpha1.LabelSource] == LabelValue(o.Spec.SourceRef.Name) && (names(propertyKey) || names(variableKey))
}

// SameConfigMap reports whether a ConfigMap has the desired data, labels, annotations and
// ownerReference. It ignores labels and annotations that someone else added.
func SameConfigMap(existing, desired *corev1.ConfigMap) bool {
	return SameConfigMapData(existing, desired) && sameMetadata(existing, desired)
}

// SameConfigMapData reports whether a ConfigMap has the desired data, and nothing else.
func SameConfigMapData(existing, desired *corev1.ConfigMap) bool {
	return maps.Equal(existing.Data, desired.Data) && len(existing.BinaryData) == 0
}

// RestoreConfigMap gives a ConfigMap the desired data, labels, annotations and ownerReference. It
// keeps labels and annotations that someone else added.
func RestoreConfigMap(existing, desired *corev1.ConfigMap) {
	existing.Data, existing.BinaryData = desired.Data, nil
	restoreMetadata(existing, desired)
}
