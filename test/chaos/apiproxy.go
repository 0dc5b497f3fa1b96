// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// apiFault is how the API server fails for the managers in a round.
type apiFault string

const (
	noAPIFault    apiFault = "no fault"
	slowRequests  apiFault = "every request waits"
	failedWrites  apiFault = "some writes get 429 or 500"
	refusedWrites apiFault = "a policy refuses some writes with a long message"
	cutWatches    apiFault = "watches are dropped"
	missingKinds  apiFault = "the kinds of observations are gone"
)

// drawAPIFault draws how the API server fails for the managers. In most rounds it does not fail.
func drawAPIFault(r *rand.Rand) apiFault {
	if chance(r, 55) {
		return noAPIFault
	}
	return pick(r, []apiFault{slowRequests, failedWrites, refusedWrites, cutWatches, missingKinds})
}

// apiProxy is a proxy between the managers and the API server. All other clients use the API server
// directly.
type apiProxy struct {
	proxy  *httputil.ReverseProxy
	server *httptest.Server

	mu     sync.Mutex
	fault  apiFault
	random *rand.Rand
	// Closing watching ends all watches that are under way.
	watching chan struct{}
	// gap is the last gap; nil before the first.
	gap *gap
}

// gap is a time in which no manager can watch a resource.
type gap struct {
	// resource is a part of the resource's path.
	resource string
	ended    chan struct{}
	over     bool
	// held has the paths whose watch was held back and has not begun again. watched is closed when
	// the gap is over and held is empty.
	held    map[string]bool
	watched chan struct{}
}

// backAfter is how long a manager may take to watch again after a gap. If gaps follow each other
// closely, the pauses between its attempts grow to a minute.
const backAfter = 90 * time.Second

// startAPIProxy starts a proxy on a free loopback port. It changes the kubeconfig so that its
// clients use the proxy.
func startAPIProxy(config *rest.Config, kubeconfig string) (*apiProxy, error) {
	target, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	// The managers send their own token, so the proxy needs no credential. It must only trust the
	// server.
	transport, err := rest.TransportFor(&rest.Config{Host: config.Host, TLSClientConfig: rest.TLSClientConfig{CAData: config.CAData}})
	if err != nil {
		return nil, err
	}
	p := &apiProxy{fault: noAPIFault, random: random(0), watching: make(chan struct{})}
	p.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ErrorLog:      log.New(io.Discard, "", 0), // Killed clients would fill it.
	}
	// The proxy needs TLS, because clients send no token over plain HTTP.
	p.server = httptest.NewUnstartedServer(p)
	p.server.EnableHTTP2 = true
	p.server.Config.ErrorLog = p.proxy.ErrorLog
	p.server.StartTLS()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	file, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return p, err
	}
	for _, cluster := range file.Clusters {
		cluster.Server, cluster.CertificateAuthorityData = p.server.URL, authority
	}
	return p, clientcmd.WriteToFile(*file, kubeconfig)
}

func (p *apiProxy) close() {
	p.server.CloseClientConnections()
	p.server.Close()
}

// setFault sets how the API server fails for the managers from now on.
func (p *apiProxy) setFault(fault apiFault, r *rand.Rand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.random = fault, rand.New(rand.NewPCG(r.Uint64(), 2))
	if fault == cutWatches {
		p.cut()
	}
}

// cut ends all watches that are under way. The lock must be held.
func (p *apiProxy) cut() {
	close(p.watching)
	p.watching = make(chan struct{})
}

// beginGap ends all watches that are under way. It then holds back new watches of a resource until
// end is called. After end, these watches are refused as too old, so that the managers list again.
// end returns when the managers watch again.
func (p *apiProxy) beginGap(resource string) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &gap{resource: resource, ended: make(chan struct{}), held: map[string]bool{}, watched: make(chan struct{})}
	p.gap = g
	p.cut()
	return sync.OnceFunc(func() {
		p.mu.Lock()
		g.over = true
		close(g.ended)
		if len(g.held) == 0 {
			close(g.watched)
		}
		p.mu.Unlock()
		select {
		case <-g.watched:
		case <-time.After(backAfter):
		}
	})
}

// meets records a watch of the gap's resource. It reports whether the watch falls into the gap.
func (g *gap) meets(path string) bool {
	switch {
	case !g.over:
		g.held[path] = true
	case g.held[path]:
		delete(g.held, path)
		if len(g.held) == 0 {
			close(g.watched)
		}
	}
	return !g.over
}

// handling is what happens to one request.
type handling struct {
	wait     time.Duration
	refusal  *metav1.Status
	watching <-chan struct{}
	// gap is closed at the end of the gap into which the request falls. It is nil if there is no
	// gap.
	gap <-chan struct{}
}

// handlingOf draws what happens to a request.
func (p *apiProxy) handlingOf(r *http.Request) handling {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := handling{watching: p.watching}
	observation := strings.Contains(r.URL.Path, "observations")
	write := r.Method != http.MethodGet && observation
	if p.gap != nil && isWatch(r) && strings.Contains(r.URL.Path, p.gap.resource) && p.gap.meets(r.URL.Path) {
		h.gap, h.refusal = p.gap.ended, tooOld()
		return h
	}
	switch p.fault {
	case slowRequests:
		h.wait = time.Duration(p.random.IntN(150)) * time.Millisecond
	case failedWrites:
		if write && chance(p.random, 30) {
			h.refusal = pick(p.random, []*metav1.Status{
				{Code: http.StatusTooManyRequests, Reason: metav1.StatusReasonTooManyRequests, Message: "too many requests", Details: &metav1.StatusDetails{RetryAfterSeconds: 1}},
				{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "etcdserver: request timed out"},
			})
		}
	case refusedWrites:
		if write && chance(p.random, 30) {
			h.refusal = &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
				Message: "admission webhook denied the request: " + strings.Repeat("because it is so, ", 2500)}
		}
	case missingKinds:
		if write {
			h.refusal = &metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: "the server could not find the requested resource"}
		}
	case cutWatches:
		if isWatch(r) && chance(p.random, 50) {
			h.refusal = tooOld()
		}
	}
	return h
}

func tooOld() *metav1.Status {
	return &metav1.Status{Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "too old resource version"}
}

func isWatch(r *http.Request) bool {
	return r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1"
}

// ServeHTTP delays a request, refuses it or passes it on.
func (p *apiProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := p.handlingOf(r)
	select {
	case <-time.After(h.wait):
	case <-r.Context().Done():
		return
	}
	if h.gap != nil {
		select {
		case <-h.gap:
		case <-r.Context().Done():
			return
		}
	}
	if h.refusal != nil {
		h.refusal.TypeMeta, h.refusal.Status = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, metav1.StatusFailure
		w.Header().Set("Content-Type", "application/json")
		if details := h.refusal.Details; details != nil {
			w.Header().Set("Retry-After", fmt.Sprint(details.RetryAfterSeconds))
		}
		w.WriteHeader(int(h.refusal.Code))
		_ = json.NewEncoder(w).Encode(h.refusal) // an error means that the client is gone
		return
	}
	if isWatch(r) {
		ctx, stop := contextUntil(r.Context(), h.watching)
		defer stop()
		r = r.WithContext(ctx)
		defer func() {
			recovered := recover()
			if err, _ := recovered.(error); recovered != nil && !errors.Is(err, http.ErrAbortHandler) {
				panic(recovered)
			}
		}()
	}
	p.proxy.ServeHTTP(w, r)
}

// contextUntil returns a context that also ends when the channel end is closed.
func contextUntil(parent context.Context, end <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-end:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
