// SPDX-License-Identifier: Apache-2.0

package health_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/health"
	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

const soon = 30 * time.Second

// lines collects what is logged.
type lines struct {
	sync.Mutex
	text strings.Builder
}

func (l *lines) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		l.Lock()
		defer l.Unlock()
		l.text.WriteString(args + "\n")
	}, funcr.Options{})
}

func (l *lines) String() string {
	l.Lock()
	defer l.Unlock()
	return l.text.String()
}

func freeAddress(g Gomega) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// probe returns the status and the text of a probe's answer. The status is 0 if nothing answers.
func probe(ctx context.Context, address, path string) (int, string) {
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	response, err := (&http.Client{Timeout: soon}).Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// startManager starts a manager that answers probes on this address and does nothing else. stop
// ends the manager.
func startManager(t *testing.T, config *rest.Config, scheme *runtime.Scheme, address string) (stop func(), ended chan error) {
	t.Helper()
	g := NewWithT(t)
	mgr, err := manager.New(config, manager.Options{Scheme: scheme, HealthProbeBindAddress: address,
		Metrics: metricsserver.Options{BindAddress: "0"}, Logger: logr.Discard()})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(health.AddChecks(mgr, controller.Objects(), func(client.Object) bool { return true })).To(Succeed())
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- health.Start(ctx, mgr) }()
	return stop, ended
}

func TestReadinessSaysWhatIsLacking(t *testing.T) {
	g := NewWithT(t)
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(plane.Stop()).To(Succeed()) })
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var log lines
	address := freeAddress(g)
	await := func(ctx context.Context) error {
		return health.Await(ctx, plane.Config(), scheme, controller.Objects(), address, log.logger())
	}
	served := make(chan error, 1)
	go func() { served <- await(t.Context()) }()
	shows := func(path string, status int, text string) {
		t.Helper()
		g.Eventually(func() (string, error) {
			got, body := probe(t.Context(), address, path)
			if got != status {
				return body, errors.New(http.StatusText(got) + body)
			}
			return body, nil
		}).WithTimeout(soon).Should(ContainSubstring(text))
	}
	shows("/readyz", http.StatusServiceUnavailable, "does not serve InventorySource, KafkaClusterObservation, PeeringObservation, ")
	shows("/healthz", http.StatusOK, "ok")
	g.Expect(log.String()).To(ContainSubstring("install the CustomResourceDefinitions"))

	const bases = "../../config/crd/bases/inventory.ccloud.dev_"
	install := func(names ...string) {
		for _, name := range names {
			_, err := envtest.InstallCRDs(plane.Config(), envtest.CRDInstallOptions{Paths: []string{bases + name + ".yaml"}})
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	for _, resource := range resourcesOf(g, scheme) {
		if resource != "kafkaclusterobservations" {
			install(resource)
		}
	}
	shows("/readyz", http.StatusServiceUnavailable, "does not serve KafkaClusterObservation of")
	install("kafkaclusterobservations")
	g.Eventually(served).WithTimeout(soon).Should(Receive(BeNil()), "no other kind is lacking")
	status, _ := probe(t.Context(), address, "/healthz")
	g.Expect(status).To(BeZero(), "the manager's own probes can listen there")

	stop, ended := startManager(t, plane.Config(), scheme, address)
	shows("/readyz?verbose", http.StatusOK, "[+]kafkaclusterobservation ok")
	shows("/healthz", http.StatusOK, "ok")
	stop()
	g.Eventually(ended).WithTimeout(soon).Should(Receive(BeNil()))
}

func TestAwaitEndsWhereNoAPIServerAnswers(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	server := &rest.Config{Host: "http://" + freeAddress(g)}
	err := health.Await(t.Context(), server, scheme, controller.Objects(), "0", logr.Discard())
	g.Expect(err).To(MatchError(And(ContainSubstring("asking the API server for its kinds"), ContainSubstring("connection refused"))))
}

func TestAwaitEndsWhereAnAPIServerHangs(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- health.Await(ctx, &rest.Config{Host: server.URL}, scheme, controller.Objects(), "0", logr.Discard())
	}()
	g.Eventually(asked).WithTimeout(soon).Should(Receive())
	stop()
	g.Eventually(ended).WithTimeout(10*time.Second).Should(Receive(MatchError(context.Canceled)),
		"a request's own limit is longer than a pod's time to stop")
}

// resourcesOf returns the resource name of each kind of the operator. The map key is the kind.
func resourcesOf(g Gomega, scheme *runtime.Scheme) map[string]string {
	resources := map[string]string{}
	for _, o := range controller.Objects() {
		kinds, _, err := scheme.ObjectKinds(o)
		g.Expect(err).NotTo(HaveOccurred())
		plural, _ := meta.UnsafeGuessKindToResource(kinds[0])
		resources[kinds[0].Kind] = plural.Resource
	}
	return resources
}

// anOldServer starts an API server of an old version. It lists the operator's kinds, but never
// answers a request for objects of these kinds. Such a request sends a value to the channel asked.
func anOldServer(t *testing.T) (config *rest.Config, asked chan struct{}) {
	t.Helper()
	asked = make(chan struct{}, 1)
	closed := make(chan struct{})
	scheme := runtime.NewScheme()
	g := NewWithT(t)
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var served []string
	for kind, resource := range resourcesOf(g, scheme) {
		served = append(served, fmt.Sprintf(`{"name":%q,"kind":%q,"namespaced":true,"verbs":["list","watch"]}`, resource, kind))
	}
	resources := `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"inventory.ccloud.dev/v1alpha1","resources":[` + strings.Join(served, ",") + `]}`
	group := `{"name":"inventory.ccloud.dev","versions":[{"groupVersion":"inventory.ccloud.dev/v1alpha1","version":"v1alpha1"}],
		"preferredVersion":{"groupVersion":"inventory.ccloud.dev/v1alpha1","version":"v1alpha1"}}`
	answers := map[string]string{
		"/version":                            `{"major":"1","minor":"29","gitVersion":"v1.29.4-vendor.1"}`,
		"/api":                                `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis":                               `{"kind":"APIGroupList","apiVersion":"v1","groups":[` + group + `]}`,
		"/apis/inventory.ccloud.dev/v1alpha1": resources,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if answer, ok := answers[r.URL.Path]; ok {
			_, _ = io.WriteString(w, answer)
			return
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-r.Context().Done():
		case <-closed: // Ends the requests of a manager that still runs.
		}
	}))
	t.Cleanup(func() {
		close(closed)
		server.Close()
	})
	return &rest.Config{Host: server.URL}, asked
}

func TestAnOldServerIsNamedAndServesOn(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var log lines
	server, _ := anOldServer(t)
	g.Expect(health.Await(t.Context(), server, scheme, controller.Objects(), "0", log.logger())).To(Succeed())
	g.Expect(log.String()).To(And(ContainSubstring("v1.29.4-vendor.1"), ContainSubstring(health.OldestServer)))
}

func TestAwaitOutlastsAnAPIServersRestart(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	whole, _ := anOldServer(t)
	var state atomic.Int32 // The status of every answer; 0 redirects to the other server.
	state.Store(http.StatusNotFound)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := int(state.Load()); status != 0 {
			w.WriteHeader(status)
			return
		}
		http.Redirect(w, r, whole.Host+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	var log lines
	await := func(ctx context.Context, ended chan error) {
		ended <- health.Await(ctx, &rest.Config{Host: server.URL}, scheme, controller.Objects(), "0", log.logger())
	}
	ended := make(chan error, 1)
	go await(t.Context(), ended)
	g.Eventually(log.String).WithTimeout(soon).Should(ContainSubstring("does not serve"))
	state.Store(http.StatusInternalServerError)
	g.Consistently(ended).WithTimeout(5 * time.Second).ShouldNot(Receive())
	state.Store(0)
	g.Eventually(ended).WithTimeout(soon).Should(Receive(BeNil()))

	state.Store(http.StatusNotFound)
	ctx, stop := context.WithCancel(t.Context())
	go await(ctx, ended)
	stop()
	g.Eventually(ended).WithTimeout(soon).Should(Receive(MatchError(context.Canceled)))
}

func TestAManagerIsNotReadyBeforeItsCachesAre(t *testing.T) {
	g := NewWithT(t)
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	address := freeAddress(g)
	server, asked := anOldServer(t)
	stop, ended := startManager(t, server, scheme, address)
	g.Eventually(func() string {
		_, text := probe(t.Context(), address, "/readyz?verbose")
		return text
	}).WithTimeout(soon).Should(And(ContainSubstring("[-]inventorysource failed"), ContainSubstring("[-]peeringobservation failed")))
	_, text := probe(t.Context(), address, "/readyz/inventorysource")
	g.Expect(text).To(ContainSubstring("not all that exists has been read yet"))
	status, _ := probe(t.Context(), address, "/healthz")
	g.Expect(status).To(Equal(http.StatusOK), "it is alive all the same")
	g.Eventually(asked).WithTimeout(soon).Should(Receive(), "the caches are being filled")
	stop()
	g.Eventually(ended).WithTimeout(soon).Should(Receive(BeNil()), "a stop does not wait for caches")
}

func TestAManagerWhoseCredentialIsRefusedIsNotReady(t *testing.T) {
	g := NewWithT(t)
	plane, err := controlplane.Start(t.Context(), controlplane.Options{
		CRDPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(plane.Stop()).To(Succeed()) })
	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var refuses atomic.Bool
	config := plane.Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if !refuses.Load() {
				return next.RoundTrip(r)
			}
			body := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`
			return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
		})
	})
	address := freeAddress(g)
	stop, ended := startManager(t, config, scheme, address)
	ready := func() int { status, _ := probe(t.Context(), address, "/readyz"); return status }
	g.Eventually(ready).WithTimeout(time.Minute).Should(Equal(http.StatusOK))
	refuses.Store(true)
	g.Eventually(ready).WithTimeout(time.Minute).Should(Equal(http.StatusInternalServerError))
	refuses.Store(false)
	g.Eventually(ready).WithTimeout(time.Minute).Should(Equal(http.StatusOK))
	stop()
	g.Expect(<-ended).To(Succeed())
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
