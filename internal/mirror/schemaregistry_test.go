// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

func TestEveryFieldOfASchemaRegistryIsProjected(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := ProjectSchemaRegistry(&wire.SchemaRegistry{
		ID: "lsrc-1",
		Metadata: wire.ObjectMeta{Self: "https://self", ResourceName: "crn://r", CreatedAt: "2026-01-01T00:00:00Z",
			UpdatedAt: "2026-01-02T00:00:00Z", DeletedAt: "2026-01-03T00:00:00Z"},
		Spec: wire.SchemaRegistrySpec{
			DisplayName: "Stream Governance Package", Package: "ULTIMATE", Cloud: "AWS", Region: "us-east-1",
			HTTPEndpoint: "https://psrc-1", CatalogHTTPEndpoint: "https://catalog", PrivateHTTPEndpoint: "https://private",
			PrivateNetworkingConfig: wire.SchemaRegistryPrivateNetworking{
				RegionalEndpoints: map[string]string{"us-west-2": "https://west", "eu-west-1": "https://eu", "us-east-1": "https://east"}},
		},
		Status: wire.SchemaRegistryStatus{Phase: "FAILED"},
	}).(*v1alpha1.SchemaRegistryObservation)
	g.Expect(o.Spec).To(Equal(v1alpha1.SchemaRegistryObservationSpec{ClusterID: "lsrc-1"}))
	g.Expect(o.Labels).To(Equal(map[string]string{v1alpha1.LabelCloud: "AWS", v1alpha1.LabelRegion: "us-east-1"}))
	g.Expect(o.Status).To(Equal(v1alpha1.SchemaRegistryObservationStatus{
		Phase: "FAILED", DisplayName: "Stream Governance Package", Package: "ULTIMATE", Cloud: "AWS", Region: "us-east-1",
		HTTPEndpoint: "https://psrc-1", CatalogHTTPEndpoint: "https://catalog", PrivateHTTPEndpoint: "https://private",
		PrivateRegionalEndpoints: []v1alpha1.PrivateRegionalEndpoint{{Region: "eu-west-1", HTTPEndpoint: "https://eu"},
			{Region: "us-east-1", HTTPEndpoint: "https://east"}, {Region: "us-west-2", HTTPEndpoint: "https://west"}},
		PrivateRegionalEndpointCount: 3,
		CloudMetadata: v1alpha1.CloudMetadata{ResourceName: "crn://r", Self: "https://self",
			CreatedAt: day(1), UpdatedAt: day(2), DeletedAt: day(3)},
	}))
}

func TestRegionalEndpointsAreBoundedAndCounted(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<", 1<<20) // Six bytes each in JSON.
	for name, c := range map[string]struct {
		url   string
		shown int
	}{
		"of usual length": {"https://lsrc-1.region.private.confluent.cloud", maxRegions},
		"too long":        {long, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			r := newRegistry("lsrc-1", "")
			r.Spec.PrivateNetworkingConfig.RegionalEndpoints = map[string]string{long: c.url}
			for i := range 200 {
				r.Spec.PrivateNetworkingConfig.RegionalEndpoints[fmt.Sprintf("region-%03d", i)] = c.url
			}
			status := stamped(newSource(), r).(*v1alpha1.SchemaRegistryObservation).Status
			g.Expect(status.PrivateRegionalEndpointCount).To(BeEquivalentTo(201))
			g.Expect(status.PrivateRegionalEndpoints).To(HaveLen(c.shown))
			for i, e := range status.PrivateRegionalEndpoints {
				g.Expect(e.Region).To(Equal(fmt.Sprintf("region-%03d", i)), "a region's name is a key, and never cut")
				g.Expect(e.HTTPEndpoint).To(HavePrefix(c.url[:10]))
			}
			text, err := json.Marshal(status)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(len(text)).To(BeNumerically("<", maxRegionsSize+(16<<10)))
		})
	}
}

// shown returns what a cluster shows of Schema Registry, as "name phase endpoint", and " Missing" if it is.
func (w *world) shown(cluster string) string {
	r := w.cluster(cluster).Status.SchemaRegistry
	if r == nil {
		return "none"
	}
	return strings.TrimSuffix(r.Name+" "+r.Phase+" "+r.HTTPEndpoint+" "+r.Observed, " ")
}

func TestClustersShowTheSchemaRegistryOfTheirEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("lkc-1"), newCluster("lkc-2", "n-1"))
	w.list(registries, true)
	w.pass()
	w.Expect(w.shown("lkc-1")).To(Equal("none"))

	w.list(registries, true, newRegistry("lsrc-1", "https://one"))
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(2))
	w.Expect(w.shown("lkc-1")).To(Equal("lsrc-1 PROVISIONED https://one"))
	w.Expect(w.cluster("lkc-2").SchemaRegistryURL()).To(Equal("https://one"))
	w.Expect(w.registry("lsrc-1").Status.HTTPEndpoint).To(Equal("https://one"))
	for kind, plan := range w.pass() {
		w.Expect(plan.Writes).To(BeEmpty(), worldKinds[kind].Name)
	}

	w.list(registries, true, newRegistry("lsrc-1", ""))
	w.Expect(w.pass()[clusters].Writes).To(HaveLen(2))
	w.Expect(w.shown("lkc-1")).To(Equal("lsrc-1 PROVISIONED "), "it has no endpoint")
	w.Expect(w.cluster("lkc-1").SchemaRegistryURL()).To(BeEmpty())
}

func TestOfSeveralSchemaRegistriesOneIsShown(t *testing.T) {
	t.Parallel()
	with := func(r *wire.SchemaRegistry, phase string) *wire.SchemaRegistry {
		r.Status.Phase = phase
		return r
	}
	for name, c := range map[string]struct {
		all  []any
		want string
	}{
		"the lowest name":                      {[]any{newRegistry("lsrc-2", "https://2"), newRegistry("lsrc-1", "https://1"), newRegistry("lsrc-3", "https://3")}, "lsrc-1 PROVISIONED https://1"},
		"one with an endpoint before names":    {[]any{newRegistry("lsrc-1", ""), newRegistry("lsrc-2", "https://2")}, "lsrc-2 PROVISIONED https://2"},
		"a provisioned one before endpoints":   {[]any{with(newRegistry("lsrc-1", "https://1"), "FAILED"), newRegistry("lsrc-2", "")}, "lsrc-2 PROVISIONED "},
		"one in a phase of tomorrow, if alone": {[]any{with(newRegistry("lsrc-1", "https://1"), "MIGRATING")}, "lsrc-1 MIGRATING https://1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1"))
			w.list(registries, true, c.all...)
			w.pass()
			w.Expect(w.shown("lkc-1")).To(Equal(c.want))
			w.Expect(w.pass()[clusters].Writes).To(BeEmpty())
		})
	}
}

// One complete listing that lacks a Schema Registry cluster does not prove that it is gone.
func TestAMissingSchemaRegistryStaysShownUntilItIsPruned(t *testing.T) {
	t.Parallel()
	failed, empty := newRegistry("lsrc-2", "https://2"), newRegistry("lsrc-2", "")
	failed.Status.Phase = "FAILED"
	for name, other := range map[string]*wire.SchemaRegistry{
		"another is as good":         newRegistry("lsrc-2", "https://2"),
		"another has failed":         failed,
		"another has no endpoint":    empty,
		"another has the lower name": newRegistry("lsrc-0", ""),
	} {
		for when, restart := range map[string]func(*world){
			"in one process":  func(*world) {},
			"after a restart": func(w *world) { w.restart(); w.list(clusters, true, newCluster("lkc-1")) },
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.list(clusters, true, newCluster("lkc-1"))
				w.list(registries, true, newRegistry("lsrc-1", "https://1"), other)
				w.pass()
				w.Expect(w.cluster("lkc-1").SchemaRegistryURL()).To(Equal("https://1"))
				for w.objects[registries]["lsrc-1"] != nil {
					w.Expect(w.cluster("lkc-1").SchemaRegistryURL()).To(Equal("https://1"))
					w.Expect(w.now).To(BeTemporally("<", began.Add(time.Minute)), "it is pruned")
					restart(w)
					restart = func(*world) {}
					w.list(registries, true, other)
					w.pass()
				}
				w.pass() // The deletion wakes the reconciler; no listing is needed.
				w.Expect(w.cluster("lkc-1").Status.SchemaRegistry.Name).To(Equal(other.ID))
			})
		}
	}
}

func TestARetainedSchemaRegistryComesLastOnceItIsMissingForAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Spec.Prune.Policy = v1alpha1.PrunePolicyRetain
	w.list(clusters, true, newCluster("lkc-1"))
	w.list(registries, true, newRegistry("lsrc-1", "https://1"), newRegistry("lsrc-2", ""))
	w.pass()
	without := func() { w.list(registries, true, newRegistry("lsrc-2", "")); w.pass() }
	without()
	went := w.now
	for w.now.Before(went.Add(50 * time.Second)) {
		w.Expect(w.shown("lkc-1")).To(Equal("lsrc-1 PROVISIONED https://1"))
		without()
	}
	w.now = went.Add(time.Minute)
	without()
	w.Expect(w.shown("lkc-1")).To(Equal("lsrc-2 PROVISIONED "))
	w.list(registries, true)
	w.pass()
	w.Expect(w.shown("lkc-1")).To(Equal("lsrc-2 PROVISIONED "))
	w.now = w.now.Add(time.Minute)
	w.list(registries, true)
	w.pass()
	w.Expect(w.shown("lkc-1")).To(Equal("lsrc-1 PROVISIONED https://1 Missing"), "of missing ones the order is as before")
}

func TestWhatASchemaRegistryToldStaysWhileItsListingFails(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*world){
		"while its kind's listing is incomplete":        func(w *world) { w.list(registries, false) },
		"once it is missing":                            func(w *world) { w.list(registries, true) },
		"while its kind is not listed after a restart":  func(w *world) { w.restart() },
		"while the first after a restart is incomplete": func(w *world) { w.restart(); w.list(registries, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.list(clusters, true, newCluster("lkc-1"))
			w.list(registries, true, newRegistry("lsrc-1", "https://1"))
			w.pass()
			then(w)
			w.list(clusters, true, newCluster("lkc-1"))
			writes := w.pass()[clusters].Writes
			w.Expect(w.shown("lkc-1")).To(HavePrefix("lsrc-1 PROVISIONED https://1"))
			w.Expect(writes).To(BeEmpty())
		})
	}
}

func TestASchemaRegistryThatIsNoLongerMirroredIsShownNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("lkc-1"))
	w.list(registries, true, newRegistry("lsrc-1", "https://1"))
	w.pass()
	w.source.Spec.SchemaRegistry.Policy = "" // The default.
	w.Expect(SchemaRegistry.Mirrored(w.source)).To(BeFalse())
	w.ledgers[registries] = nil
	w.pass()
	w.Expect(w.names(registries)).To(BeEmpty())
	w.pass() // The deletion wakes the reconciler; no listing is needed.
	w.Expect(w.shown("lkc-1")).To(Equal("none"))
}

// The API says that an ID may equal that of an object of another kind.
func TestKindsMayShareIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list(clusters, true, newCluster("x-1"), newCluster("x-2"))
	w.list(registries, true, newRegistry("x-1", "https://1"), newRegistry("x-2", "https://2"))
	w.pass()
	w.list(registries, true, newRegistry("x-2", "https://2"))
	w.pass()
	w.now = w.now.Add(time.Minute)
	w.list(registries, true, newRegistry("x-2", "https://2"))
	w.pass()
	w.pass() // The deletion wakes the reconciler; no listing is needed.
	w.Expect(w.names(clusters)).To(Equal([]string{"x-1", "x-2"}))
	w.Expect(w.names(registries)).To(Equal([]string{"x-2"}))
	w.Expect(brief(w.cluster("x-1"), v1alpha1.ConditionObserved)).To(Equal("True/Listed"))
	w.Expect(w.shown("x-1")).To(Equal("x-2 PROVISIONED https://2"))
}

func TestAConfigMapHasTheURLOfSchemaRegistry(t *testing.T) {
	t.Parallel()
	o := &v1alpha1.KafkaClusterObservation{}
	key := func(keys v1alpha1.ConfigMapKeys, content v1alpha1.ConfigMapContent) map[string]string {
		return ConfigMap(o, &v1alpha1.KafkaClusterSelection{ConfigMapKeys: keys, ConfigMapContent: content}).Data
	}
	g := NewWithT(t)
	o.Spec.ClusterID = "lkc-1"
	g.Expect(key("", "")).NotTo(HaveKey("schema.registry.url"), "none is mirrored")
	o.Status.SchemaRegistry = &v1alpha1.SchemaRegistryReference{Name: "lsrc-1"}
	g.Expect(key("", "")).NotTo(HaveKey("schema.registry.url"), "it has no endpoint")
	o.Status.SchemaRegistry.HTTPEndpoint = "https://psrc-1"
	for _, content := range []v1alpha1.ConfigMapContent{"", v1alpha1.ConfigMapContentEndpoints} {
		g.Expect(key("", content)).To(HaveKeyWithValue("schema.registry.url", "https://psrc-1"))
		g.Expect(key(v1alpha1.ConfigMapKeysEnvironment, content)).To(And(HaveKeyWithValue("SCHEMA_REGISTRY_URL", "https://psrc-1"),
			Not(HaveKey("schema.registry.url"))))
	}
}
