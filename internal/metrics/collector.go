// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

// scrapeTimeout limits how long a scrape waits for the manager's cache. The cache may not be filled
// yet.
const scrapeTimeout = 5 * time.Second

var (
	lastSuccess = desc("source_last_success_timestamp_seconds",
		"Unix time of the end of the last sync in which every mirrored kind was listed whole.", "namespace", "name")
	turnsStale = desc("source_stale_timestamp_seconds",
		"Unix time at which the observations of a kind turn stale unless it is listed whole before.", "namespace", "name", "kind")
	ready = desc("source_ready", "1 while the source's Ready condition is True, else 0; the reason is the condition's.",
		"namespace", "name", "reason")
	discoveryReady = desc("discovery_ready", "1 while the EnvironmentDiscovery's Ready condition is True, else 0; the reason is the condition's.",
		"namespace", "name", "reason")
	pruneHeld = desc("prune_held", "1 while a prune of the kind waits for a person's approval, else 0.", "namespace", "name", "kind")

	observations = desc("observations", "Observations whose cloud object is listed, by phase.", "namespace", "name", "kind", "phase")
	missing      = desc("observations_missing", "Observations whose cloud object was absent from the last complete listing; of an EnvironmentDiscovery, "+
		"InventorySources whose environment was.", "namespace", "name", "kind")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Kind is a kind of observation.
type Kind struct {
	*mirror.Kind
	// Object returns an empty object of this kind.
	Object func() client.Object
	// Objects returns an empty list for this kind.
	Objects func() client.ObjectList
}

// info returns the description of the kind's InfoMetric.
func (k *Kind) info() *prometheus.Desc {
	return desc(k.InfoMetric, "Always 1; one series for each observation of kind "+k.Name+".",
		append([]string{"namespace", "name", "source"}, k.InfoLabels...)...)
}

// Collector makes metrics from the objects in the cluster at each scrape. A deleted object has no
// metrics any more.
type Collector struct {
	// Reader reads from the manager's cache.
	Reader client.Reader
	// Kinds are the mirrored kinds.
	Kinds []Kind
	// Elected is closed when this manager becomes the leader, or at its start if there is no leader
	// election. Before that, Collector reports nothing, because the leader reports the same
	// objects.
	Elected <-chan struct{}
	// Watched reports whether the manager watches a type of objects; nil means that it watches all
	// types. Collector does not read a type that the manager does not watch, because the manager
	// has no rights on it.
	Watched func(client.Object) bool
	// PerObservation turns on one series for each observation.
	PerObservation bool
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lastSuccess, turnsStale, ready, discoveryReady, pruneHeld, observations, missing} {
		ch <- d
	}
	for i := range c.Kinds {
		ch <- c.Kinds[i].info()
	}
}

// Collect implements prometheus.Collector. Objects that cannot be read have no series.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	select {
	case <-c.Elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	c.collectDiscoveries(ctx, ch)
	sources := &v1alpha1.InventorySourceList{}
	if err := c.Reader.List(ctx, sources, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	// ownSources has the sources that this manager reconciles. The cache can also have observations
	// of sources of other managers. Do not collect these observations.
	ownSources := map[types.NamespacedName]bool{}
	for i := range sources.Items {
		ownSources[client.ObjectKeyFromObject(&sources.Items[i])] = true
		c.collectSource(ch, &sources.Items[i])
	}
	if c.PerObservation {
		c.collectObservations(ctx, ch, ownSources)
	}
}

// collectDiscoveries collects the series of all discoveries that are not being deleted.
func (c *Collector) collectDiscoveries(ctx context.Context, ch chan<- prometheus.Metric) {
	discoveries := &v1alpha1.EnvironmentDiscoveryList{}
	if c.Watched != nil && !c.Watched(&v1alpha1.EnvironmentDiscovery{}) {
		return
	}
	if err := c.Reader.List(ctx, discoveries, client.UnsafeDisableDeepCopy); err != nil {
		return
	}
	for i := range discoveries.Items {
		if d := &discoveries.Items[i]; d.DeletionTimestamp.IsZero() {
			value, reason := readiness(d.Status.Conditions)
			ch <- gauge(discoveryReady, value, d.Namespace, d.Name, reason)
			collectPrune(ch, d, mirror.Environment)
		}
	}
}

// readiness returns 1 if the condition Ready is True, and 0 if not. It also returns the reason of
// the condition.
func readiness(conditions []metav1.Condition) (value float64, reason string) {
	condition := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case condition == nil:
		return 0, v1alpha1.ReasonProgressing // No manager has synced the object yet.
	case condition.Status == metav1.ConditionTrue:
		return 1, condition.Reason
	}
	return 0, condition.Reason
}

// collectSource collects the series of a source. A source that is being deleted has no series.
func (c *Collector) collectSource(ch chan<- prometheus.Metric, source *v1alpha1.InventorySource) {
	if !source.DeletionTimestamp.IsZero() {
		return
	}
	value, reason := readiness(source.Status.Conditions)
	ch <- gauge(ready, value, source.Namespace, source.Name, reason)
	if t := source.Status.LastSyncTime; t != nil {
		ch <- gauge(lastSuccess, float64(t.Unix()), source.Namespace, source.Name)
	}
	for _, kind := range c.Kinds {
		if summary := *kind.Summary(source); summary != nil {
			for _, p := range summary.Phases {
				ch <- gauge(observations, float64(p.Count), source.Namespace, source.Name, kind.Name, p.Phase)
			}
		}
		if kind.Mirrored(source) {
			collectPrune(ch, source, kind.Kind)
		}
		if kind.Mirrored(source) && !source.Spec.Suspend {
			at := kind.LastListed(source).Add(source.GetStaleAfter())
			ch <- gauge(turnsStale, float64(at.Unix()), source.Namespace, source.Name, kind.Name)
		}
	}
}

// collectPrune collects how many objects of the kind are missing, and whether their deletion waits
// for a person's approval.
func collectPrune(ch chan<- prometheus.Metric, owner mirror.Object, kind *mirror.Kind) {
	count, held := 0.0, 0.0
	if summary := *kind.Summary(owner); summary != nil {
		count = float64(summary.Missing)
		if summary.Held != nil {
			held = 1
		}
	}
	ch <- gauge(missing, count, owner.GetNamespace(), owner.GetName(), kind.Name)
	ch <- gauge(pruneHeld, held, owner.GetNamespace(), owner.GetName(), kind.Name)
}

// collectObservations collects one series for each observation whose source is in ownSources.
func (c *Collector) collectObservations(ctx context.Context, ch chan<- prometheus.Metric, ownSources map[types.NamespacedName]bool) {
	for i := range c.Kinds {
		if c.Watched != nil && !c.Watched(c.Kinds[i].Object()) {
			continue
		}
		list, info := c.Kinds[i].Objects(), c.Kinds[i].info()
		if err := c.Reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			continue
		}
		_ = meta.EachListItem(list, func(object runtime.Object) error { // EachListItem fails only if this function fails.
			o := object.(v1alpha1.Observation)
			source := o.Origin().SourceRef.Name
			if ownSources[types.NamespacedName{Namespace: o.GetNamespace(), Name: source}] {
				ch <- gauge(info, 1, append([]string{o.GetNamespace(), o.GetName(), source}, c.Kinds[i].Info(o)...)...)
			}
			return nil
		})
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
