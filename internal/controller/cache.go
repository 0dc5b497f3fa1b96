// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// SlimCache sets the options of a cache so that the cache takes less memory:
//
//   - The cache drops the managedFields of every object.
//   - The cache drops everything of a Secret except its namespace, name, UID and resourceVersion.
//   - ConfigMaps without the operator's label are not in the cache.
//   - If several observations have the same text, for example a label, the text is in memory once.
func SlimCache(o *cache.Options) {
	o.DefaultTransform = cache.TransformStripManagedFields()
	if o.ByObject == nil {
		o.ByObject = map[client.Object]cache.ByObject{}
	}
	o.ByObject[&corev1.Secret{}] = cache.ByObject{Transform: slimSecret}
	// The operator's own ConfigMaps have this label.
	ours, _ := labels.NewRequirement(v1alpha1.LabelSource, selection.Exists, nil) // Never fails: the key is valid.
	o.ByObject[&corev1.ConfigMap{}] = cache.ByObject{Label: labels.NewSelector().Add(*ours)}
	for i := range observationKinds {
		o.ByObject[observationKinds[i].newObject()] = cache.ByObject{Transform: slimObservation}
	}
}

// slimSecret reduces a Secret to its namespace, name, UID and resourceVersion. It removes the
// annotations, because `kubectl apply` stores a copy of the Secret's data in an annotation.
func slimSecret(object any) (any, error) {
	if secret, ok := object.(*metav1.PartialObjectMetadata); ok {
		secret.ObjectMeta = metav1.ObjectMeta{
			Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
		}
	}
	return object, nil
}

// slimObservation drops the managedFields of an observation. If several observations have the same
// text, for example a label or a message, the text is in memory once.
func slimObservation(object any) (any, error) {
	o, ok := object.(v1alpha1.Observation)
	if !ok {
		return object, nil
	}
	o.SetManagedFields(nil)
	o.SetLabels(commonPairs.sharedMap(o.GetLabels()))
	o.SetAnnotations(commonPairs.sharedMap(o.GetAnnotations()))
	o.SetNamespace(internText(o.GetNamespace()))
	owners := o.GetOwnerReferences()
	for i := range owners {
		owner := &owners[i]
		owner.APIVersion, owner.Kind, owner.Name, owner.UID = internText(owner.APIVersion), internText(owner.Kind), internText(owner.Name), internText(owner.UID)
	}
	origin := o.Origin()
	origin.SourceRef.Name, origin.Environment = internText(origin.SourceRef.Name), internText(origin.Environment)
	conditions := *o.Conditions()
	for i := range conditions {
		c := &conditions[i]
		c.Type, c.Status, c.Reason, c.Message = internText(c.Type), internText(c.Status), internText(c.Reason), internText(c.Message)
	}
	return o, nil
}

// pairSets has sets of labels and sets of annotations. To save memory, observations with the same
// set share one map.
type pairSets struct {
	mu     sync.Mutex
	byText map[string]map[string]string
}

// maxPairSets limits how many sets of labels or annotations are stored. At this limit, the next
// new set replaces all stored sets. maxPairSetBytes limits the size of a stored set, in bytes.
const (
	maxPairSets     = 1000
	maxPairSetBytes = 1000
)

var commonPairs pairSets

// sharedMap returns a map with the given keys and values. It returns nil if there are no keys. Do not
// change the map: several observations can use it.
func (s *pairSets) sharedMap(pairs map[string]string) map[string]string {
	if len(pairs) == 0 {
		return nil
	}
	text := make([]byte, 0, maxPairSetBytes)
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		text = strconv.AppendQuote(strconv.AppendQuote(text, key), pairs[key])
	}
	if len(text) > maxPairSetBytes {
		return pairs
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byText[string(text)]; known != nil {
		return known
	}
	if len(s.byText) >= maxPairSets || s.byText == nil {
		s.byText = make(map[string]map[string]string)
	}
	own := make(map[string]string, len(pairs))
	for key, value := range pairs {
		own[internText(key)] = internText(value)
	}
	s.byText[string(text)] = own
	return own
}

// internText returns the stored copy of a text, so that equal texts are in memory once.
func internText[T ~string](text T) T { return unique.Make(text).Value() }
