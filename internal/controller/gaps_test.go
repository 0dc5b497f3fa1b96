// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
)

// clusterWatch cuts a manager's watch of clusters, and has it expire.
type clusterWatch struct {
	mu      sync.Mutex
	down    bool
	expired bool
	open    map[*cuttable]bool
}

// cuttable is the body of a watch that is open.
type cuttable struct {
	io.ReadCloser
	of *clusterWatch
}

func (c *cuttable) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.ReadCloser.Close()
}

// refusal is the API server's answer to a request that it refuses.
func refusal(r *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%q,"reason":%q,"code":%d}`, reason, reason, code)
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func (cw *clusterWatch) around(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/kafkaclusterobservations") {
			return next.RoundTrip(r)
		}
		query := r.URL.Query()
		watch := query.Get("watch") != ""
		cw.mu.Lock()
		down, expired := cw.down, cw.expired && !cw.down && watch && query.Get("resourceVersion") != "" && query.Get("sendInitialEvents") == ""
		if expired {
			cw.expired = false
		}
		cw.mu.Unlock()
		switch {
		case down:
			return refusal(r, http.StatusServiceUnavailable, "ServiceUnavailable"), nil
		case expired:
			return refusal(r, http.StatusGone, "Expired"), nil
		}
		response, err := next.RoundTrip(r)
		if err == nil && watch {
			body := &cuttable{response.Body, cw}
			cw.mu.Lock()
			cw.open[body] = true
			cw.mu.Unlock()
			response.Body = body
		}
		return response, err
	})
}

// cut ends the watch. It stays down until restore, and must then list again.
func (cw *clusterWatch) cut() {
	cw.mu.Lock()
	cw.down, cw.expired = true, true
	var all []*cuttable
	for c := range cw.open {
		all = append(all, c)
	}
	cw.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

func (cw *clusterWatch) restore() {
	cw.mu.Lock()
	cw.down = false
	cw.mu.Unlock()
}

// manage runs a manager for the world's namespace, by real time, until the spec ends. as is who it
// is to the API server, around what stands before its cache; both may be nil.
func (w *world) manage(ctx context.Context, as func(*rest.Config), around func(http.RoundTripper) http.RoundTripper, changes ...func(*controller.Options)) {
	GinkgoHelper()
	own := rest.CopyConfig(config)
	own.QPS = -1
	if as != nil {
		as(own)
	}
	o := ctrl.Options{Scheme: k8s.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0"}
	o.Cache.DefaultNamespaces = map[string]cache.Config{w.namespace: {}}
	o.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}
	o.Controller.SkipNameValidation = ptr.To(true)
	controller.SlimCache(&o.Cache)
	var err error
	if around != nil {
		watching := rest.CopyConfig(own)
		watching.Wrap(around)
		o.Cache.HTTPClient, err = rest.HTTPClientFor(watching)
		Expect(err).NotTo(HaveOccurred())
	}
	mgr, err := ctrl.NewManager(own, o)
	Expect(err).NotTo(HaveOccurred())
	origin, err := cloudapi.Origin(w.url)
	Expect(err).NotTo(HaveOccurred())
	options := &controller.Options{
		Cluster: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Recorder: w.events, Clock: clock.RealClock{},
		Random: func() float64 { return .5 }, Metrics: metrics.New(prometheus.NewRegistry(), metrics.Build{}),
		Budgets: budget.New(1000, 1000), UserAgent: "inventory-operator/test", AllowedOrigins: []string{origin},
		ConcurrentSyncs: 2, Writers: make(chan struct{}, 16), Namespaces: []string{w.namespace},
	}
	for _, change := range changes {
		change(options)
	}
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	Expect(controller.SetupWithManager(ctx, mgr, options)).To(Succeed())
	go func() { ended <- mgr.Start(running) }()
	DeferCleanup(func() { stop(); Expect(<-ended).To(Succeed()) })
}

// patch changes the source past every cache.
func (w *world) patch(ctx context.Context, c client.Client, change string) {
	GinkgoHelper()
	source := &v1alpha1.InventorySource{ObjectMeta: metav1.ObjectMeta{Name: sourceName, Namespace: w.namespace}}
	Expect(c.Patch(ctx, source, client.RawPatch(types.MergePatchType, []byte(change)))).To(Succeed())
}

var _ = Describe("A gap of the watch", func() {
	const enough = time.Minute
	var w *world
	var cw *clusterWatch
	var direct client.Client
	BeforeEach(func(ctx SpecContext) {
		w = newWorld(ctx)
		cw = &clusterWatch{open: map[*cuttable]bool{}}
		var err error
		direct, err = client.New(config, client.Options{Scheme: k8s.Scheme()})
		Expect(err).NotTo(HaveOccurred())
	})
	begin := func(ctx SpecContext) {
		GinkgoHelper()
		w.createSource(ctx)
		w.manage(ctx, nil, cw.around)
		Eventually(ctx, func() string { return w.condition(ctx, v1alpha1.ConditionReady) }).WithTimeout(enough).Should(Equal("True/Succeeded"))
	}
	asked := 0
	// sync asks for a sync and waits until it is made.
	sync := func(ctx SpecContext) {
		GinkgoHelper()
		asked++
		at := fmt.Sprint(asked)
		w.patch(ctx, direct, `{"metadata":{"annotations":{"`+v1alpha1.AnnotationRequestedAt+`":"`+at+`"}}}`)
		Eventually(ctx, func() string { return w.source(ctx).Status.LastHandledReconcileAt }).WithTimeout(enough).Should(Equal(at))
	}
	observation := func(ctx SpecContext, name string) *v1alpha1.KafkaClusterObservation {
		o := &v1alpha1.KafkaClusterObservation{}
		_ = direct.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, o)
		return o
	}
	// appear adds clusters while the watch is cut, and waits until their observations are written.
	appear := func(ctx SpecContext, ids ...string) {
		GinkgoHelper()
		cw.cut()
		c := w.anyCluster()
		for _, id := range ids {
			c.ID = id
			w.cloud.PutCluster(c)
		}
		sync(ctx)
		for _, id := range ids {
			Expect(observation(ctx, id).Status.Phase).To(Equal(c.Status.Phase))
		}
	}

	It("leaves nothing as someone made it meanwhile", func(ctx SpecContext) {
		w.seed(4, 2)
		begin(ctx)
		old, phase := w.anyCluster().ID, w.anyCluster().Status.Phase
		appear(ctx, "lkc-edited", "lkc-deleted")
		Expect(direct.Delete(ctx, observation(ctx, "lkc-deleted"))).To(Succeed())
		for _, name := range []string{"lkc-edited", old} {
			o := observation(ctx, name)
			o.Status.Phase = "GONE"
			Expect(direct.Status().Update(ctx, o)).To(Succeed())
			delete(o.Labels, v1alpha1.LabelCloud)
			Expect(direct.Update(ctx, o)).To(Succeed())
		}
		cw.restore()
		Eventually(ctx, func(g Gomega) {
			sync(ctx)
			for _, name := range []string{"lkc-edited", "lkc-deleted", old} {
				g.Expect(observation(ctx, name).Status.Phase).To(Equal(phase), name)
				g.Expect(observation(ctx, name).Labels).To(HaveKey(v1alpha1.LabelCloud), name)
			}
		}).WithTimeout(enough).Should(Succeed())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	}, NodeTimeout(3*time.Minute))

	DescribeTable("leaves no observation of a kind that came to be ignored meanwhile", func(ctx SpecContext, alone bool) {
		w.seed(4, 2)
		c := w.anyCluster()
		if alone {
			for _, other := range w.cloud.Clusters(environment) {
				Expect(w.cloud.RemoveCluster(other.ID)).To(Succeed())
			}
		}
		begin(ctx)
		cw.cut()
		c.ID = "lkc-fresh"
		w.cloud.PutCluster(c)
		sync(ctx)
		Expect(observation(ctx, c.ID).Status.Phase).To(Equal(c.Status.Phase))
		w.patch(ctx, direct, `{"spec":{"kafkaClusters":{"policy":"Ignore"},"peerings":{"policy":"Mirror"}}}`)
		sync(ctx)
		cw.restore()
		Eventually(ctx, func() any { sync(ctx); return w.clusters(ctx) }).WithTimeout(enough).Should(BeEmpty())
		Expect(w.condition(ctx, v1alpha1.ConditionReady)).To(Equal("True/Succeeded"))
	}, Entry("beside others", NodeTimeout(3*time.Minute), false), Entry("and was the only one", NodeTimeout(3*time.Minute), true))
})
