// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/mirror"
)

var testBuild = Build{Version: "v1", Revision: "abc", GoVersion: "go1"}

// gathered returns the value of every series. The key has the form "name{label=value,…}". For a
// histogram, it returns the number of recorded values.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	families, err := registry.Gather()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	series := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series[family.GetName()+labelsOf(m)] = valueOf(m)
		}
	}
	return series
}

func labelsOf(m *dto.Metric) string {
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	slices.Sort(labels)
	return "{" + strings.Join(labels, ",") + "}"
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Histogram != nil:
		return float64(m.GetHistogram().GetSampleCount())
	}
	return m.GetGauge().GetValue()
}

// used calls the methods of new metrics, so that each metric has at least one series.
func used() (*prometheus.Registry, *Metrics) {
	registry := prometheus.NewPedanticRegistry()
	m := New(registry, testBuild)
	m.Synced("Peering", "Succeeded")
	m.Listed("Peering", time.Second)
	m.Synced("Peering", "Forbidden")
	m.Listed("Peering", time.Minute)
	m.Wrote("Peering", "create", nil)
	m.Wrote("Peering", "create", errors.New("conflict"))
	m.Skipped("Peering", 7)
	m.Skipped("Peering", 0)
	for _, name := range []string{"prod", "other"} {
		m.ObserveCalls("inventorysource", "a", name)(cloudapi.Call{Operation: "ListPeerings", StatusCode: 200, Duration: time.Second,
			RateLimit: cloudapi.RateLimit{Known: true, Remaining: 42}})
	}
	m.ObserveCalls("inventorysource", "a", "prod")(cloudapi.Call{Operation: "ListPeerings"})
	m.ObserveCalls("inventorysource", "a", "silent")(cloudapi.Call{Operation: "ListPeerings", StatusCode: 429})
	return registry, m
}

func TestMetricsHaveTheContractsNamesAndLabels(t *testing.T) {
	t.Parallel()
	registry, _ := used()
	NewWithT(t).Expect(gathered(t, registry)).To(Equal(map[string]float64{
		"ccloud_inventory_build_info{go_version=go1,revision=abc,version=v1}":     1,
		"ccloud_inventory_sync_total{kind=Peering,result=Succeeded}":              1,
		"ccloud_inventory_sync_total{kind=Peering,result=Forbidden}":              1,
		"ccloud_inventory_sync_duration_seconds{kind=Peering}":                    2,
		"ccloud_inventory_writes_total{kind=Peering,result=success,verb=create}":  1,
		"ccloud_inventory_writes_total{kind=Peering,result=error,verb=create}":    1,
		"ccloud_inventory_writes_skipped_total{kind=Peering}":                     7,
		"ccloud_inventory_cloud_requests_total{code=200,operation=ListPeerings}":  2,
		"ccloud_inventory_cloud_requests_total{code=429,operation=ListPeerings}":  1,
		"ccloud_inventory_cloud_requests_total{code=0,operation=ListPeerings}":    1,
		"ccloud_inventory_cloud_request_duration_seconds{operation=ListPeerings}": 4,
		"ccloud_inventory_cloud_rate_limit_remaining{name=prod,namespace=a}":      42,
		"ccloud_inventory_cloud_rate_limit_remaining{name=other,namespace=a}":     42,
	}))
}

func TestSeriesOfASourceGoWithItAndOnlyThose(t *testing.T) {
	t.Parallel()
	registry, m := used()
	before := gathered(t, registry)
	m.ObserveCalls("environmentdiscovery", "a", "prod")
	m.Forget("environmentdiscovery", "a", "prod")
	NewWithT(t).Expect(gathered(t, registry)).To(Equal(before), "a discovery of the same name takes none along")
	m.Forget("inventorysource", "a", "prod")
	after := gathered(t, registry)
	for series := range before {
		ofSource := strings.Contains(series, "name=prod,namespace=a")
		_, there := after[series]
		NewWithT(t).Expect(there).To(Equal(!ofSource), series)
	}
}

func TestARequestThatOutlivesItsOwnerMakesNoSeriesOfIt(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"inventorysource", "environmentdiscovery"} {
		g := NewWithT(t)
		registry, m := used()
		before := gathered(t, registry)
		observe := m.ObserveCalls(kind, "a", "gone")
		m.Forget(kind, "a", "gone")
		observe(cloudapi.Call{Operation: "ListPeerings", StatusCode: 200, RateLimit: cloudapi.RateLimit{Known: true, Remaining: 42}})
		after := gathered(t, registry)
		g.Expect(after).To(HaveLen(len(before)), kind)
		g.Expect(after).NotTo(HaveKey("ccloud_inventory_cloud_rate_limit_remaining{name=gone,namespace=a}"), kind)
		g.Expect(after).To(HaveKeyWithValue("ccloud_inventory_cloud_requests_total{code=200,operation=ListPeerings}", 3.0), "%s: the request itself counts", kind)
	}
}

func TestAHeldPruneIsWhatTheStatusSays(t *testing.T) {
	t.Parallel()
	m := filled()
	m.sources[0].Status.Peerings.Held = &v1alpha1.HeldPrune{}
	m.discoveries[0].Status.Environments = &v1alpha1.InventorySummary{Held: &v1alpha1.HeldPrune{}}
	NewWithT(t).Expect(collected(t, m, false)).To(And(
		HaveKeyWithValue("ccloud_inventory_prune_held{kind=Peering,name=prod,namespace=a}", 1.0),
		HaveKeyWithValue("ccloud_inventory_prune_held{kind=KafkaCluster,name=prod,namespace=a}", 0.0),
		HaveKeyWithValue("ccloud_inventory_prune_held{kind=Environment,name=org,namespace=a}", 1.0)))
}

func TestWhatIsMissingIsCountedByOwnerAndKind(t *testing.T) {
	t.Parallel()
	m := filled()
	m.sources[0].Status.KafkaClusters.Missing, m.sources[0].Status.Peerings.Missing = 2, 3
	m.sources[1].Status.Peerings = &v1alpha1.InventorySummary{Missing: 4} // The source no longer mirrors peerings.
	m.discoveries[0].Status.Environments = &v1alpha1.InventorySummary{Missing: 5}
	NewWithT(t).Expect(collected(t, m, false)).To(And(
		HaveKeyWithValue("ccloud_inventory_observations_missing{kind=KafkaCluster,name=prod,namespace=a}", 2.0),
		HaveKeyWithValue("ccloud_inventory_observations_missing{kind=Peering,name=prod,namespace=a}", 3.0),
		HaveKeyWithValue("ccloud_inventory_observations_missing{kind=KafkaCluster,name=new,namespace=a}", 0.0),
		Not(HaveKey("ccloud_inventory_observations_missing{kind=Peering,name=new,namespace=a}")),
		HaveKeyWithValue("ccloud_inventory_observations_missing{kind=Environment,name=org,namespace=a}", 5.0)))
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	registry, _ := used()
	NewWithT(t).Expect(func() { New(registry, testBuild) }).To(Panic())
}

func TestTheBuildIsWhatTheBinarySays(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(ReadBuild("v1.2.3")).To(And(HaveField("Version", "v1.2.3"), HaveField("GoVersion", runtime.Version()),
		HaveField("Revision", Not(BeEmpty()))))
	g.Expect(ReadBuild("").GoVersion).To(Equal(runtime.Version()))
}

// memory is a client.Reader that reads lists from memory.
type memory struct {
	client.Reader
	sources []v1alpha1.InventorySource
	// discoveries has three discoveries: one is ready, one is new, and one is being deleted.
	discoveries []v1alpha1.EnvironmentDiscovery
	clusters    []v1alpha1.KafkaClusterObservation
	peerings    []v1alpha1.PeeringObservation
	// broken reports whether List fails for a list; nil means that List never fails.
	broken func(client.ObjectList) bool
}

func (m *memory) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if m.broken != nil && m.broken(list) {
		return errors.New("not synced")
	}
	switch list := list.(type) {
	case *v1alpha1.InventorySourceList:
		list.Items = m.sources
	case *v1alpha1.EnvironmentDiscoveryList:
		list.Items = m.discoveries
	case *v1alpha1.KafkaClusterObservationList:
		list.Items = m.clusters
	case *v1alpha1.PeeringObservationList:
		list.Items = m.peerings
	}
	return nil
}

// filled returns a reader with three sources, three discoveries and one observation of each kind.
// One source was never synced, and one is suspended.
func filled() *memory {
	m := &memory{
		sources:  make([]v1alpha1.InventorySource, 3),
		clusters: make([]v1alpha1.KafkaClusterObservation, 1),
		peerings: make([]v1alpha1.PeeringObservation, 1),
	}
	suspended := &m.sources[2]
	suspended.Namespace, suspended.Name, suspended.Spec.Suspend = "a", "suspended", true
	fresh := &m.sources[1]
	fresh.Namespace, fresh.Name, fresh.CreationTimestamp = "a", "new", metav1.Unix(1767300000, 0)
	fresh.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore
	prod := &m.sources[0]
	prod.Namespace, prod.Name, prod.CreationTimestamp = "a", "prod", metav1.Unix(1767000000, 0)
	prod.Spec.StaleAfter = &metav1.Duration{Duration: 10 * time.Minute}
	prod.Status.LastSyncTime = &metav1.Time{Time: time.Unix(1767322800, 0)}
	prod.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSucceeded}}
	suspended.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonSuspended}}
	listed := metav1.Unix(1767322700, 0)
	prod.Status.KafkaClusters = &v1alpha1.InventorySummary{LastListTime: &listed, Phases: []v1alpha1.PhaseCount{
		{Phase: "FAILED", Count: 1}, {Phase: "PROVISIONED", Count: 12}}}
	prod.Status.Peerings = &v1alpha1.InventorySummary{}

	m.discoveries = make([]v1alpha1.EnvironmentDiscovery, 3)
	for i, name := range []string{"org", "new", "going"} {
		m.discoveries[i].Namespace, m.discoveries[i].Name = "a", name
	}
	m.discoveries[0].Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSucceeded}}
	m.discoveries[2].DeletionTimestamp = &listed

	c := &m.clusters[0]
	c.Namespace, c.Spec.SourceRef.Name, c.Spec.ClusterID = "a", "prod", "lkc-1"
	c.Status.DisplayName, c.Status.Phase, c.Status.Type, c.Status.Cloud, c.Status.Region = "Prod", "FAILED", "Dedicated", "AWS", "r1"
	c.Name = "lkc-1"
	p := &m.peerings[0]
	p.Namespace, p.Spec.SourceRef.Name, p.Spec.PeeringID = "a", "prod", "P_1"
	p.Status.DisplayName, p.Status.Phase, p.Status.Cloud, p.Status.Region = "Peer", "READY", "GCP", ""
	p.Name = "p-1-hash"
	return m
}

func collected(t *testing.T, reader client.Reader, perObservation bool) map[string]float64 {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&Collector{
		Elected: closed(),
		Reader:  reader, Kinds: kinds, PerObservation: perObservation,
	})
	return gathered(t, registry)
}

// kinds has two of the controller's kinds. This package cannot import the controller, because the
// controller imports this package.
var kinds = []Kind{
	{mirror.KafkaCluster, func() client.Object { return &v1alpha1.KafkaClusterObservation{} }, func() client.ObjectList { return &v1alpha1.KafkaClusterObservationList{} }},
	{mirror.Peering, func() client.Object { return &v1alpha1.PeeringObservation{} }, func() client.ObjectList { return &v1alpha1.PeeringObservationList{} }},
}

var (
	sourceSeries = map[string]float64{
		"ccloud_inventory_discovery_ready{name=org,namespace=a,reason=Succeeded}":                  1,
		"ccloud_inventory_discovery_ready{name=new,namespace=a,reason=Progressing}":                0,
		"ccloud_inventory_source_last_success_timestamp_seconds{name=prod,namespace=a}":            1767322800,
		"ccloud_inventory_source_stale_timestamp_seconds{kind=KafkaCluster,name=prod,namespace=a}": 1767322700 + 600,
		"ccloud_inventory_source_ready{name=prod,namespace=a,reason=Succeeded}":                    1,
		"ccloud_inventory_source_ready{name=new,namespace=a,reason=Progressing}":                   0,
		"ccloud_inventory_source_ready{name=suspended,namespace=a,reason=Suspended}":               0,
		"ccloud_inventory_prune_held{kind=Environment,name=org,namespace=a}":                       0,
		"ccloud_inventory_observations_missing{kind=Environment,name=org,namespace=a}":             0,
		"ccloud_inventory_prune_held{kind=Environment,name=new,namespace=a}":                       0,
		"ccloud_inventory_observations_missing{kind=Environment,name=new,namespace=a}":             0,
		"ccloud_inventory_prune_held{kind=KafkaCluster,name=prod,namespace=a}":                     0,
		"ccloud_inventory_observations_missing{kind=KafkaCluster,name=prod,namespace=a}":           0,
		"ccloud_inventory_prune_held{kind=Peering,name=prod,namespace=a}":                          0,
		"ccloud_inventory_observations_missing{kind=Peering,name=prod,namespace=a}":                0,
		"ccloud_inventory_prune_held{kind=KafkaCluster,name=new,namespace=a}":                      0,
		"ccloud_inventory_observations_missing{kind=KafkaCluster,name=new,namespace=a}":            0,
		"ccloud_inventory_prune_held{kind=KafkaCluster,name=suspended,namespace=a}":                0,
		"ccloud_inventory_observations_missing{kind=KafkaCluster,name=suspended,namespace=a}":      0,
		"ccloud_inventory_prune_held{kind=Peering,name=suspended,namespace=a}":                     0,
		"ccloud_inventory_observations_missing{kind=Peering,name=suspended,namespace=a}":           0,
		// These kinds were never listed, so the time counts from the creation of the source. A kind
		// turns stale after staleAfter, or by default after three intervals.
		"ccloud_inventory_source_stale_timestamp_seconds{kind=Peering,name=prod,namespace=a}":      1767000000 + 600,
		"ccloud_inventory_source_stale_timestamp_seconds{kind=KafkaCluster,name=new,namespace=a}":  1767300000 + 900,
		"ccloud_inventory_observations{kind=KafkaCluster,name=prod,namespace=a,phase=FAILED}":      1,
		"ccloud_inventory_observations{kind=KafkaCluster,name=prod,namespace=a,phase=PROVISIONED}": 12,
	}
	// discoverySeries is how many series in sourceSeries belong to discoveries.
	discoverySeries = 6
	clusterSeries   = "ccloud_inventory_kafka_cluster_info{cloud=AWS,cluster_id=lkc-1,display_name=Prod,name=lkc-1,namespace=a,phase=FAILED,region=r1,source=prod,type=Dedicated}"
	peeringSeries   = "ccloud_inventory_peering_info{cloud=GCP,display_name=Peer,name=p-1-hash,namespace=a,peering_id=P_1,phase=READY,region=,source=prod}"
)

func TestSourcesAreCollectedWithoutASeriesPerObservation(t *testing.T) {
	t.Parallel()
	NewWithT(t).Expect(collected(t, filled(), false)).To(Equal(sourceSeries))
}

func TestObservationsAreCollectedWhereAskedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	series := collected(t, filled(), true)
	g.Expect(series).To(And(HaveLen(len(sourceSeries)+2), HaveKeyWithValue(clusterSeries, 1.0), HaveKeyWithValue(peeringSeries, 1.0)))
}

func TestASourceThatIsGoneHasNoSeries(t *testing.T) {
	t.Parallel()
	m := filled()
	m.sources, m.discoveries = m.sources[1:], m.discoveries[:1]
	NewWithT(t).Expect(collected(t, m, false)).To(Equal(map[string]float64{
		"ccloud_inventory_discovery_ready{name=org,namespace=a,reason=Succeeded}":                 1,
		"ccloud_inventory_source_stale_timestamp_seconds{kind=KafkaCluster,name=new,namespace=a}": 1767300000 + 900,
		"ccloud_inventory_source_ready{name=new,namespace=a,reason=Progressing}":                  0,
		"ccloud_inventory_source_ready{name=suspended,namespace=a,reason=Suspended}":              0,
		"ccloud_inventory_prune_held{kind=Environment,name=org,namespace=a}":                      0,
		"ccloud_inventory_observations_missing{kind=Environment,name=org,namespace=a}":            0,
		"ccloud_inventory_prune_held{kind=KafkaCluster,name=new,namespace=a}":                     0,
		"ccloud_inventory_observations_missing{kind=KafkaCluster,name=new,namespace=a}":           0,
		"ccloud_inventory_prune_held{kind=KafkaCluster,name=suspended,namespace=a}":               0,
		"ccloud_inventory_observations_missing{kind=KafkaCluster,name=suspended,namespace=a}":     0,
		"ccloud_inventory_prune_held{kind=Peering,name=suspended,namespace=a}":                    0,
		"ccloud_inventory_observations_missing{kind=Peering,name=suspended,namespace=a}":          0,
	}), "those of others")
}

func TestWhatCannotBeReadGivesNoSeriesAndCostsNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		broken func(client.ObjectList) bool
		series int
	}{
		"sources":     {func(l client.ObjectList) bool { _, is := l.(*v1alpha1.InventorySourceList); return is }, discoverySeries},
		"discoveries": {func(l client.ObjectList) bool { _, is := l.(*v1alpha1.EnvironmentDiscoveryList); return is }, len(sourceSeries) + 2 - discoverySeries},
		"clusters":    {func(l client.ObjectList) bool { _, is := l.(*v1alpha1.KafkaClusterObservationList); return is }, len(sourceSeries) + 1},
		"peerings":    {func(l client.ObjectList) bool { _, is := l.(*v1alpha1.PeeringObservationList); return is }, len(sourceSeries) + 1},
		"anything":    {func(client.ObjectList) bool { return true }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := filled()
			m.broken = c.broken
			NewWithT(t).Expect(collected(t, m, true)).To(HaveLen(c.series))
		})
	}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func TestWhatIsBeingDeletedIsNeitherStaleNorNotReady(t *testing.T) {
	t.Parallel()
	m := filled()
	m.sources, m.discoveries = m.sources[:1], m.discoveries[2:]
	m.sources[0].DeletionTimestamp = &metav1.Time{Time: time.Unix(1767322800, 0)}
	NewWithT(t).Expect(collected(t, m, false)).To(BeEmpty())
}

func TestAShardCollectsTheObservationsOfItsOwnSources(t *testing.T) {
	t.Parallel()
	m := filled()
	m.clusters[0].Spec.SourceRef.Name = "of-another-shard"
	series := collected(t, m, true)
	NewWithT(t).Expect(series).To(And(HaveLen(len(sourceSeries)+1), HaveKeyWithValue(peeringSeries, 1.0)))
	m.peerings[0].Namespace = "b"
	NewWithT(t).Expect(collected(t, m, true)).To(Equal(sourceSeries))
}

func TestWhatIsNotWatchedIsNotRead(t *testing.T) {
	t.Parallel()
	m := filled()
	var read []string
	m.broken = func(list client.ObjectList) bool { read = append(read, fmt.Sprintf("%T", list)); return false }
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(&Collector{Elected: closed(), Reader: m, Kinds: kinds, PerObservation: true, Watched: func(o client.Object) bool {
		_, source := o.(*v1alpha1.InventorySource)
		return source
	}})
	gathered(t, registry)
	NewWithT(t).Expect(read).To(HaveExactElements("*v1alpha1.InventorySourceList"))
}
