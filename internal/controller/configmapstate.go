// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// configMaps knows which ConfigMaps are not as they should be. It is safe for concurrent use.
type configMaps struct {
	mu sync.Mutex
	// failures say why a ConfigMap is not as it should be. The key is the observation.
	failures map[types.NamespacedName]configMapFailure
	// repairs bound how often a ConfigMap is put back. The key is the observation.
	repairs map[types.NamespacedName]*rate.Limiter
	// refused are the ConfigMaps that the API server stored otherwise than they were sent.
	refused retries
	// wake wakes a source, so that it reports its failures; nil if there is no manager.
	wake chan event.GenericEvent
}

type configMapFailure struct {
	source types.NamespacedName
	failure
}

// allow reports whether a ConfigMap may be changed now. The limit is that of observations: if
// someone else changes it again and again, the two do not write at full speed.
func (c *configMaps) allow(key types.NamespacedName, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repairs == nil {
		c.repairs = map[types.NamespacedName]*rate.Limiter{}
	}
	if c.repairs[key] == nil {
		c.repairs[key] = rate.NewLimiter(rate.Every(repairEvery), repairsAtOnce)
	}
	return c.repairs[key].AllowN(now, 1)
}

// forget drops all that is known of a deleted observation.
func (c *configMaps) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.repairs, key)
	delete(c.refused, key.String())
}

// stored notes whether a ConfigMap was stored as it was sent: err is nil if it was. Otherwise it
// returns the wait before sending it again, which grows each time.
func (c *configMaps) stored(sent *corev1.ConfigMap, err error, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := client.ObjectKeyFromObject(sent).String()
	if err == nil {
		delete(c.refused, key)
		return 0
	}
	if c.refused == nil {
		c.refused = retries{}
	}
	c.refused.failed(key, &mirror.Write{Desired: sent}, err, now, firstUnstored, leastMostUnstored)
	return c.refused[key].next.Sub(now)
}

// waiting returns how long to wait before a ConfigMap may be sent again, and why; 0 if it may be
// sent now. A ConfigMap that differs from the one sent before is a new write, which does not wait.
func (c *configMaps) waiting(desired *corev1.ConfigMap, now time.Time) (time.Duration, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := client.ObjectKeyFromObject(desired).String()
	r := c.refused[key]
	if r != nil && !mirror.SameConfigMap(r.write.Desired.(*corev1.ConfigMap), desired) {
		delete(c.refused, key)
	}
	if !c.refused.waiting(key, now) {
		return 0, ""
	}
	return r.next.Sub(now), r.err.Error()
}

// put notes why an observation's ConfigMap could not be written; f is nil if it was written. If
// that is new, put returns the source, which must report it; otherwise nil.
func (c *configMaps) put(key types.NamespacedName, f *configMapFailure) *types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, failed := c.failures[key]
	switch {
	case f == nil && !failed, f != nil && before == *f:
		return nil
	case f == nil:
		delete(c.failures, key)
		return &before.source
	case c.failures == nil:
		c.failures = map[types.NamespacedName]configMapFailure{}
	}
	c.failures[key] = *f
	return &f.source
}

// failure says which ConfigMaps of a source are not as they should be, and why the first of them is
// not; nil if all are.
func (c *configMaps) failure(source types.NamespacedName) *failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for key, f := range c.failures {
		if f.source == source {
			names = append(names, key.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	why := c.failures[types.NamespacedName{Namespace: source.Namespace, Name: names[0]}]
	message := fmt.Sprintf("%d ConfigMaps are not written, the first: %s", len(names), why.message)
	if len(names) > 1 {
		message += "; the others: " + mirror.Names(names[1:])
	}
	return &failure{reason: why.reason, message: message}
}

// leftConfigMaps returns a failure if a source still has ConfigMaps that a manager with the flag
// made; nil if it has none.
func (o *Options) leftConfigMaps(ctx context.Context, source *v1alpha1.InventorySource) *failure {
	if !source.Status.ConfigMaps {
		return nil
	}
	label := client.MatchingLabels{v1alpha1.LabelSource: mirror.LabelValue(source.Name)}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	err := o.APIReader.List(ctx, list, client.InNamespace(source.Namespace), label, client.Limit(1))
	if err == nil && len(list.Items) == 0 {
		source.Status.ConfigMaps = false
		return nil
	}
	message := fmt.Sprintf("spec.kafkaClusters.configMaps is Disabled, and ConfigMaps made before stay; "+
		"set the manager's flag --endpoint-configmaps, and give it the rights, until they are gone, or run: "+
		"kubectl -n %s delete configmap -l %s=%s", source.Namespace, v1alpha1.LabelSource, mirror.LabelValue(source.Name))
	if apierrors.IsForbidden(err) {
		message += ", and then set status.configMaps to false, because the manager may not list ConfigMaps"
	}
	return &failure{reason: v1alpha1.ReasonConfigMapsOff, message: message}
}
