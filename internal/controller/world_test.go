// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

const (
	environment = "env-abc123"
	apiKey      = "KEYKEYKEYKEYKEY1"
	apiSecret   = "s3cr3t-that-nobody-may-see"
	sourceName  = "prod"
	secretName  = "ccloud"
)

// everyKind is how many lists of observations a look at everything takes.
var everyKind = len(controller.Kinds())

// recorder counts the requests a client sends to the API server.
type recorder struct {
	mu     sync.Mutex
	writes []string // "VERB path" of all that are neither reads nor dry runs
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (r *recorder) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.Method != http.MethodGet && !request.URL.Query().Has("dryRun") {
			r.mu.Lock()
			r.writes = append(r.writes, request.Method+" "+request.URL.Path)
			r.mu.Unlock()
		}
		return next.RoundTrip(request)
	})
}

// written returns the writes so far whose path holds part, in a namespace.
func (r *recorder) written(namespace, part string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, w := range r.writes {
		if strings.Contains(w, "/namespaces/"+namespace+"/") && strings.Contains(w, part) {
			out = append(out, w)
		}
	}
	return out
}

// world is what one spec plays in.
type world struct {
	namespace  string
	cloud      *cloudsim.Sim
	url        string
	clock      *clocktesting.FakePassiveClock
	events     *events.FakeRecorder
	reconciler *controller.Reconciler
	registry   *prometheus.Registry
}

// newWorld makes a namespace, an empty simulated cloud and a Reconciler.
func newWorld(ctx context.Context) *world {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	cloud := cloudsim.New(cloudsim.Options{})
	cloud.AddEnvironment(environment)
	cloud.AddKey(cloudsim.Key{ID: apiKey, Secret: apiSecret})
	server, err := cloud.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Close)
	w := &world{
		namespace: namespace.Name,
		cloud:     cloud,
		url:       server.URL,
		// The API keeps whole seconds.
		clock:  clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second)),
		events: events.NewFakeRecorder(1000),
	}
	w.restart()
	// A spec must leave its objects sane too, no matter which reconciler was the last.
	DeferCleanup(func(ctx SpecContext) { w.expectSane(ctx) })
	return w
}

// restart replaces the Reconciler by one that remembers nothing, as a restart of
// the manager does.
func (w *world) restart() {
	origin, err := cloudapi.Origin(w.url)
	Expect(err).NotTo(HaveOccurred())
	w.registry = prometheus.NewRegistry()
	w.reconciler = controller.NewSources(&controller.Options{
		Cluster:   k8s,
		APIReader: reader,
		Recorder:  w.events,
		Clock:     w.clock,
		Random:    func() float64 { return 0.5 }, // no jitter
		Metrics:   metrics.New(w.registry, metrics.Build{}),
		Budgets:   budget.New(1000, 1000),
		UserAgent: "inventory-operator/test",
		// Every answer counts here; what is asked again is the client's own tests'.
		Retry:           cloudapi.Retry{Attempts: 1},
		AllowedOrigins:  []string{origin},
		ConcurrentSyncs: 1,
		Writers:         make(chan struct{}, 16),
		JitterPercent:   10,
	})
	w.reconciler.ShownBy(k8s)
}

// seed fills the cloud with a realistic inventory.
func (w *world) seed(clusters, peerings int) {
	cloudsim.Seed(w.cloud, cloudsim.SeedOptions{Environment: environment, Clusters: clusters, Peerings: peerings, Seed: 1})
}

// createSecret creates the Secret with these keys, "" for no value.
func (w *world) createSecret(ctx context.Context, key, secret string) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: secretName, Namespace: w.namespace},
		StringData: map[string]string{},
	}
	if key != "" {
		s.StringData[v1alpha1.SecretKeyAPIKey] = key
	}
	if secret != "" {
		s.StringData[v1alpha1.SecretKeyAPISecret] = secret
	}
	Expect(k8s.Create(ctx, s)).To(Succeed())
	return s
}

// newSource returns a source of the environment, not created yet.
func (w *world) newSource(changes ...func(*v1alpha1.InventorySource)) *v1alpha1.InventorySource {
	source := &v1alpha1.InventorySource{
		ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: w.namespace},
		Spec: v1alpha1.InventorySourceSpec{
			Environment: environment,
			Endpoint:    w.url,
			Credentials: v1alpha1.Credentials{APIKey: &v1alpha1.APIKeyCredential{
				SecretRef: v1alpha1.SecretReference{LocalReference: v1alpha1.LocalReference{Name: secretName}},
			}},
		},
	}
	for _, change := range changes {
		change(source)
	}
	return source
}

// createSource creates the Secret and the source.
func (w *world) createSource(ctx context.Context, changes ...func(*v1alpha1.InventorySource)) {
	w.createSecret(ctx, apiKey, apiSecret)
	Expect(k8s.Create(ctx, w.newSource(changes...))).To(Succeed())
}

// source reads the source.
func (w *world) source(ctx context.Context) *v1alpha1.InventorySource {
	source := &v1alpha1.InventorySource{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: sourceName}, source)).To(Succeed())
	return source
}

// change changes the source's spec or metadata.
func (w *world) change(ctx context.Context, change func(*v1alpha1.InventorySource)) {
	source := w.source(ctx)
	change(source)
	Expect(k8s.Update(ctx, source)).To(Succeed())
}

// annotate sets an annotation of the source.
func (w *world) annotate(ctx context.Context, key, value string) {
	w.change(ctx, func(s *v1alpha1.InventorySource) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) })
}

// reconcile reconciles the source once, and holds what is there to rules that no
// spec may break.
func (w *world) reconcile(ctx context.Context) reconcile.Result {
	GinkgoHelper()
	result, err := w.tryReconcile(ctx)
	Expect(err).NotTo(HaveOccurred())
	w.expectSane(ctx)
	source := w.source(ctx)
	Expect(source.Status.ObservedGeneration).To(Equal(source.Generation))
	return result
}

func (w *world) tryReconcile(ctx context.Context) (reconcile.Result, error) {
	return w.reconciler.Reconcile(ctx, reconcile.Request{
		NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: sourceName},
	})
}

// retry lets a second pass, in which what failed once may be tried again, and
// reconciles.
func (w *world) retry(ctx context.Context) reconcile.Result {
	GinkgoHelper()
	w.clock.SetTime(w.clock.Now().Add(time.Second))
	return w.reconcile(ctx)
}

// sync lets time pass until the next sync is due, and reconciles.
func (w *world) sync(ctx context.Context) reconcile.Result {
	GinkgoHelper()
	// The budgets tell real time, of which none passes here.
	w.reconciler.Budgets = budget.New(1000, 1000)
	if next := w.source(ctx).Status.NextSyncTime; next != nil {
		w.clock.SetTime(next.Add(time.Second))
	}
	return w.reconcile(ctx)
}

// writes returns how many writes of observations do makes.
func (w *world) writes(do func()) []string {
	before := len(requests.written(w.namespace, "observations"))
	do()
	return requests.written(w.namespace, "observations")[before:]
}

// calls returns how many requests do makes to the cloud.
func (w *world) calls(do func()) int {
	before := len(w.cloud.Calls())
	do()
	return len(w.cloud.Calls()) - before
}

// clusters and its neighbours return the observations there are, by name.
func (w *world) clusters(ctx context.Context) map[string]v1alpha1.KafkaClusterObservation {
	list := &v1alpha1.KafkaClusterObservationList{}
	Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	return byName(list.Items, func(o *v1alpha1.KafkaClusterObservation) string { return o.Name })
}

func (w *world) peerings(ctx context.Context) map[string]v1alpha1.PeeringObservation {
	list := &v1alpha1.PeeringObservationList{}
	Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	return byName(list.Items, func(o *v1alpha1.PeeringObservation) string { return o.Name })
}

func (w *world) networks(ctx context.Context) map[string]v1alpha1.NetworkObservation {
	list := &v1alpha1.NetworkObservationList{}
	Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	return byName(list.Items, func(o *v1alpha1.NetworkObservation) string { return o.Name })
}

func (w *world) registries(ctx context.Context) map[string]v1alpha1.SchemaRegistryObservation {
	list := &v1alpha1.SchemaRegistryObservationList{}
	Expect(k8s.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	return byName(list.Items, func(o *v1alpha1.SchemaRegistryObservation) string { return o.Name })
}

func byName[T any](items []T, name func(*T) string) map[string]T {
	out := map[string]T{}
	for i := range items {
		out[name(&items[i])] = items[i]
	}
	return out
}

// anyCluster returns the first cluster in the cloud.
func (w *world) anyCluster() cloudsim.Cluster {
	return w.cloud.Clusters(environment)[0]
}

// condition returns one of the source's conditions as "Status/Reason", "" if it
// is absent.
func (w *world) condition(ctx context.Context, conditionType string) string {
	return brief(w.source(ctx).Status.Conditions, conditionType)
}

func brief(conditions []metav1.Condition, conditionType string) string {
	c := meta.FindStatusCondition(conditions, conditionType)
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%s/%s", c.Status, c.Reason)
}

// message returns the message of one of the source's conditions.
func (w *world) message(ctx context.Context, conditionType string) string {
	c := meta.FindStatusCondition(w.source(ctx).Status.Conditions, conditionType)
	if c == nil {
		return ""
	}
	return c.Message
}

// recordEvents has the events from now on written to the API server, as a manager does.
func (w *world) recordEvents(ctx context.Context) {
	clientset, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: clientset.EventsV1()})
	Expect(broadcaster.StartRecordingToSinkWithContext(ctx)).To(Succeed())
	DeferCleanup(broadcaster.Shutdown)
	w.reconciler.Recorder = broadcaster.NewRecorder(k8s.Scheme(), "inventory-operator")
}

// recorded returns the events recorded since it was last called.
func (w *world) recorded() []string {
	var out []string
	for {
		select {
		case e := <-w.events.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}
