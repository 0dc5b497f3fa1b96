package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
)

func planted(w *world) *v1alpha1.PeeringObservation {
	return &v1alpha1.PeeringObservation{ObjectMeta: metav1.ObjectMeta{Name: "p-planted", Namespace: w.namespace},
		Spec: v1alpha1.PeeringObservationSpec{PeeringID: "p-planted", ObservationOrigin: v1alpha1.ObservationOrigin{
			SourceRef: v1alpha1.LocalReference{Name: sourceName}, Environment: environment}}}
}

var _ = Describe("H2", func() {
	var w *world
	BeforeEach(func(ctx SpecContext) { w = newWorld(ctx) })

	It("1: deletes an observation of an ignored kind that came after the pass that ignored it", func(ctx SpecContext) {
		w.seed(4, 2)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		o := planted(w)
		Expect(k8s.Create(ctx, o)).To(Succeed())
		GinkgoWriter.Println("woken by its creation:", w.reconciler.Drift(peeringKind).Create(event.CreateEvent{Object: o}))
		for range 5 {
			w.sync(ctx)
		}
		Expect(w.peerings(ctx)).To(BeEmpty())
	})

	It("1b: the control: where a cluster changes at each sync it is deleted", func(ctx SpecContext) {
		w.seed(4, 2)
		w.createSource(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		w.reconcile(ctx)
		Expect(k8s.Create(ctx, planted(w))).To(Succeed())
		Expect(w.cloud.SetClusterPhase(w.anyCluster().ID, "FAILED")).To(Succeed())
		w.sync(ctx)
		Expect(w.peerings(ctx)).To(BeEmpty())
	})

	It("1c: a control: a mirrored kind's", func(ctx SpecContext) {
		w.seed(4, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		o := planted(w)
		Expect(k8s.Create(ctx, o)).To(Succeed())
		Expect(w.reconciler.Drift(peeringKind).Create(event.CreateEvent{Object: o})).To(BeTrue())
		for range 5 {
			w.sync(ctx)
		}
		Expect(w.peerings(ctx)).NotTo(HaveKey("p-planted"))
	})

	It("1d: an observation of this source that becomes its own by losing a stranger's controller", func(ctx SpecContext) {
		w.seed(4, 2)
		w.createSource(ctx)
		o := planted(w)
		o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "someone", UID: "0f5f0c9e", Controller: ptr.To(true)}}
		Expect(k8s.Create(ctx, o)).To(Succeed())
		w.reconcile(ctx)
		w.sync(ctx)
		o.OwnerReferences = nil
		Expect(k8s.Update(ctx, o)).To(Succeed())
		GinkgoWriter.Println("woken by its update:", w.reconciler.Drift(peeringKind).Update(event.UpdateEvent{ObjectOld: o, ObjectNew: o}))
		for range 5 {
			w.sync(ctx)
		}
		Expect(w.peerings(ctx)).NotTo(HaveKey("p-planted"))
	})

	It("7: says the same of a deletion that is refused, all the time", func(ctx SpecContext) {
		api := &gate{Client: k8s}
		w.reconciler.Cluster = api
		w.seed(10, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		id := w.anyCluster().ID
		Expect(w.cloud.RemoveCluster(id)).To(Succeed())
		api.refuse = func(verb, name string) error {
			if verb == "delete" {
				return apierrors.NewForbidden(observations, name, errors.New("a policy says no"))
			}
			return nil
		}
		w.recorded()
		last, begun := "", w.clock.Now()
		turns := 0
		for w.clock.Now().Sub(begun) < 30*time.Minute {
			w.reconciler.Budgets = budget.New(1000, 1000)
			result := w.reconcile(ctx)
			if ready := w.condition(ctx, v1alpha1.ConditionReady); ready != last {
				GinkgoWriter.Println(w.clock.Now().Sub(begun).Round(time.Millisecond), ready)
				last = ready
				turns++
			}
			w.clock.SetTime(w.clock.Now().Add(max(result.RequeueAfter, time.Millisecond)))
		}
		for _, e := range w.recorded() {
			GinkgoWriter.Println("event:", e)
		}
		Expect(turns).To(BeNumerically("<=", 2))
	})

	It("9: does not lose a sync that was asked for because one read of the cache failed", func(ctx SpecContext) {
		failing := &failingList{Client: k8s}
		w.reconciler.Cluster = failing
		w.seed(4, 2)
		w.createSource(ctx)
		w.reconcile(ctx)
		id := w.anyCluster().ID
		Expect(w.cloud.SetClusterPhase(id, "FAILED")).To(Succeed())
		w.annotate(ctx, v1alpha1.AnnotationRequestedAt, "now")
		failing.fail = true
		_, err := w.tryReconcile(ctx)
		GinkgoWriter.Println("first:", err)
		failing.fail = false
		calls := w.calls(func() { w.reconcile(ctx) })
		GinkgoWriter.Println("calls to the cloud of the next pass:", calls, "echo:", w.source(ctx).Status.LastHandledReconcileAt, "Ready:", w.condition(ctx, v1alpha1.ConditionReady))
		Expect(w.clusters(ctx)[id].Status.Phase).To(Equal("FAILED"))
	})
})

type failingList struct {
	client.Client
	fail bool
}

func (c *failingList) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if c.fail {
		return errors.New("the cache is out of order")
	}
	return c.Client.List(ctx, list, opts...)
}

// watches cuts the manager's watches, and has them expire.
type watches struct {
	mu      sync.Mutex
	down    bool
	expired bool
	open    map[*cuttable]bool
}

type cuttable struct {
	io.ReadCloser
	of *watches
}

func (c *cuttable) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.ReadCloser.Close()
}

func refusal(r *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"%s","reason":"%s","code":%d}`, reason, reason, code)
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func (ws *watches) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		is := r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/kafkaclusterobservations")
		watch := r.URL.Query().Get("watch") != ""
		if is {
			ws.mu.Lock()
			down, expired := ws.down, ws.expired
			if watch && !down && expired && r.URL.Query().Get("resourceVersion") != "" && r.URL.Query().Get("sendInitialEvents") == "" {
				ws.expired = false
				ws.mu.Unlock()
				return refusal(r, 410, "Expired"), nil
			}
			ws.mu.Unlock()
			if down {
				return refusal(r, 503, "ServiceUnavailable"), nil
			}
		}
		resp, err := next.RoundTrip(r)
		if err == nil && is && watch {
			c := &cuttable{resp.Body, ws}
			ws.mu.Lock()
			ws.open[c] = true
			ws.mu.Unlock()
			resp.Body = c
		}
		return resp, err
	})
}

// cut ends the watches of clusters; they stay down until mend, and have to list again then.
func (ws *watches) cut() {
	ws.mu.Lock()
	ws.down, ws.expired = true, true
	var all []*cuttable
	for c := range ws.open {
		all = append(all, c)
	}
	ws.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

func (ws *watches) mend() {
	ws.mu.Lock()
	ws.down = false
	ws.mu.Unlock()
}

// manage runs a manager for the world's namespace.
func (w *world) manage(ctx context.Context, ws *watches) {
	own := rest.CopyConfig(config)
	own.QPS = -1
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	o := ctrl.Options{Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0"}
	o.Cache.DefaultNamespaces = map[string]cache.Config{w.namespace: {}}
	o.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}
	o.Controller.SkipNameValidation = ptr.To(true)
	controller.SlimCache(&o.Cache)
	watching := rest.CopyConfig(config)
	watching.Wrap(func(next http.RoundTripper) http.RoundTripper { return ws.around(next) })
	var err error
	o.Cache.HTTPClient, err = rest.HTTPClientFor(watching)
	Expect(err).NotTo(HaveOccurred())
	mgr, err := ctrl.NewManager(own, o)
	Expect(err).NotTo(HaveOccurred())
	origin, err := cloudapi.Origin(w.url)
	Expect(err).NotTo(HaveOccurred())
	r := &controller.Options{
		Cluster: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Recorder: w.events, Clock: clock.RealClock{},
		Random: func() float64 { return .5 }, Metrics: metrics.New(prometheus.NewRegistry(), metrics.Build{}),
		Budgets: budget.New(1000, 1000), UserAgent: "inventory-operator/test", AllowedOrigins: []string{origin},
		ConcurrentSyncs: 2, Writers: make(chan struct{}, 16), Namespaces: []string{w.namespace},
	}
	Expect(controller.SetupWithManager(ctx, mgr, r)).To(Succeed())
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(running) }()
	DeferCleanup(func() { stop(); Expect(<-ended).To(Succeed()) })
}

var _ = Describe("H2 with a manager", func() {
	var w *world
	var ws *watches
	direct := func() client.Client {
		c, err := client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		return c
	}
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		ws = &watches{open: map[*cuttable]bool{}}
		w.seed(4, 2)
	})
	begin := func(ctx SpecContext, changes ...func(*v1alpha1.InventorySource)) {
		GinkgoHelper()
		w.createSource(ctx, append([]func(*v1alpha1.InventorySource){func(s *v1alpha1.InventorySource) {
			s.Spec.Interval = &metav1.Duration{Duration: 10 * time.Second}
		}}, changes...)...)
		w.manage(ctx, ws)
		Eventually(func() string { return w.condition(ctx, v1alpha1.ConditionReady) }, 30*time.Second).Should(Equal("True/Succeeded"))
	}
	synced := func(ctx SpecContext, n int) {
		GinkgoHelper()
		for range n {
			last := w.source(ctx).Status.LastSyncTime
			Eventually(func() bool { return w.source(ctx).Status.LastSyncTime.Equal(last) }, 40*time.Second).Should(BeFalse())
		}
	}
	// fresh adds a cluster while the watch of clusters is cut, and returns it once its observation is whole.
	fresh := func(ctx SpecContext) *v1alpha1.KafkaClusterObservation {
		GinkgoHelper()
		ws.cut()
		c := w.anyCluster()
		c.ID = "lkc-fresh"
		w.cloud.PutCluster(c)
		o := &v1alpha1.KafkaClusterObservation{}
		Eventually(func() string {
			_ = direct().Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: "lkc-fresh"}, o)
			return o.Status.Phase
		}, 60*time.Second).Should(Equal(c.Status.Phase))
		return o
	}

	It("2a: makes again what was made and deleted while the watch was down", func(ctx SpecContext) {
		begin(ctx)
		o := fresh(ctx)
		Expect(direct().Delete(ctx, o)).To(Succeed())
		ws.mend()
		synced(ctx, 6)
		GinkgoWriter.Println("Ready:", w.condition(ctx, v1alpha1.ConditionReady), w.message(ctx, v1alpha1.ConditionReady), "observed:", w.source(ctx).Status.KafkaClusters.Observed, "there:", len(w.clusters(ctx)))
		Expect(w.clusters(ctx)).To(HaveKey("lkc-fresh"))
	}, NodeTimeout(4*time.Minute))

	It("2b: puts back what was made and edited while the watch was down", func(ctx SpecContext) {
		begin(ctx)
		o := fresh(ctx)
		phase := o.Status.Phase
		o.Status.Phase = "GONE"
		Expect(direct().Status().Update(ctx, o)).To(Succeed())
		delete(o.Labels, v1alpha1.LabelCloud)
		Expect(direct().Update(ctx, o)).To(Succeed())
		ws.mend()
		synced(ctx, 6)
		now := w.clusters(ctx)["lkc-fresh"]
		GinkgoWriter.Println("Ready:", w.condition(ctx, v1alpha1.ConditionReady), "phase:", now.Status.Phase, "labels:", now.Labels)
		Expect(now.Status.Phase).To(Equal(phase))
	}, NodeTimeout(4*time.Minute))

	It("2c: the control: puts back what was there and edited while the watch was down", func(ctx SpecContext) {
		begin(ctx)
		synced(ctx, 1)
		ws.cut()
		o := &v1alpha1.KafkaClusterObservation{}
		id := w.anyCluster().ID
		Expect(direct().Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: id}, o)).To(Succeed())
		phase := o.Status.Phase
		o.Status.Phase = "GONE"
		Expect(direct().Status().Update(ctx, o)).To(Succeed())
		ws.mend()
		synced(ctx, 5)
		Expect(w.clusters(ctx)[id].Status.Phase).To(Equal(phase))
	}, NodeTimeout(4*time.Minute))

	It("1f: deletes what was made while the watch was down, where its kind is ignored by then", func(ctx SpecContext) {
		begin(ctx)
		fresh(ctx)
		Expect(direct().Patch(ctx, &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: w.namespace}},
			client.RawPatch(types.MergePatchType, []byte(`{"spec":{"kafkaClusters":{"policy":"Ignore"}}}`)))).To(Succeed())
		Eventually(func() int64 { return w.source(ctx).Status.ObservedGeneration }, 60*time.Second).Should(BeEquivalentTo(2))
		ws.mend()
		synced(ctx, 5)
		GinkgoWriter.Println("Ready:", w.condition(ctx, v1alpha1.ConditionReady), w.message(ctx, v1alpha1.ConditionReady), "clusters there:", len(w.clusters(ctx)))
		Expect(w.clusters(ctx)).To(BeEmpty())
	}, NodeTimeout(4*time.Minute))

	It("1g: as 1f, where it is the only one", func(ctx SpecContext) {
		c := w.anyCluster()
		for _, other := range w.cloud.Clusters(environment) {
			Expect(w.cloud.RemoveCluster(other.ID)).To(Succeed())
		}
		begin(ctx)
		ws.cut()
		w.cloud.PutCluster(c)
		o := &v1alpha1.KafkaClusterObservation{}
		Eventually(func() string {
			_ = direct().Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: c.ID}, o)
			return o.Status.Phase
		}, 60*time.Second).Should(Equal(c.Status.Phase))
		Expect(direct().Patch(ctx, &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: w.namespace}},
			client.RawPatch(types.MergePatchType, []byte(`{"spec":{"kafkaClusters":{"policy":"Ignore"}}}`)))).To(Succeed())
		Eventually(func() int64 { return w.source(ctx).Status.ObservedGeneration }, 60*time.Second).Should(BeEquivalentTo(2))
		ws.mend()
		synced(ctx, 5)
		GinkgoWriter.Println("Ready:", w.condition(ctx, v1alpha1.ConditionReady), w.message(ctx, v1alpha1.ConditionReady), "clusters there:", len(w.clusters(ctx)))
		Expect(w.clusters(ctx)).To(BeEmpty())
	}, NodeTimeout(4*time.Minute))

	It("1e: deletes an observation of an ignored kind", func(ctx SpecContext) {
		begin(ctx, func(s *v1alpha1.InventorySource) { s.Spec.Peerings.Policy = v1alpha1.MirrorPolicyIgnore })
		Expect(direct().Create(ctx, planted(w))).To(Succeed())
		synced(ctx, 4)
		Expect(w.peerings(ctx)).To(BeEmpty())
	}, NodeTimeout(3*time.Minute))
})
