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

// manner is how the API server treats the manager's requests in a round.
type manner string

const (
	obliging  manner = "obliging"
	sluggish  manner = "every request waits"
	strained  manner = "some writes get 429 or 500"
	policed   manner = "a policy refuses some observations, in many words"
	fickle    manner = "watches are dropped"
	forgetful manner = "the kinds of observations are gone"
)

// drawManner draws how the API server is: mostly obliging.
func drawManner(r *rand.Rand) manner {
	if chance(r, 55) {
		return obliging
	}
	return pick(r, []manner{sluggish, strained, policed, fickle, forgetful})
}

// apiFront stands between the managers and the API server. Everyone else asks the API
// server itself.
type apiFront struct {
	proxy  *httputil.ReverseProxy
	server *httptest.Server

	mu     sync.Mutex
	manner manner
	random *rand.Rand
	// watching ends the watches under way when it is closed.
	watching chan struct{}
}

// startAPIFront starts a front on a free loopback port, and has a kubeconfig lead to it.
func startAPIFront(config *rest.Config, kubeconfig string) (*apiFront, error) {
	target, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	// The managers bring their own token; what is needed is trust in the server.
	transport, err := rest.TransportFor(&rest.Config{Host: config.Host, TLSClientConfig: rest.TLSClientConfig{CAData: config.CAData}})
	if err != nil {
		return nil, err
	}
	f := &apiFront{manner: obliging, random: random(0), watching: make(chan struct{})}
	f.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ErrorLog:      log.New(io.Discard, "", 0), // A client that is killed is no news.
	}
	// With a certificate: clients send no token without.
	f.server = httptest.NewUnstartedServer(f)
	f.server.EnableHTTP2 = true
	f.server.Config.ErrorLog = f.proxy.ErrorLog
	f.server.StartTLS()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	file, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return f, err
	}
	for _, cluster := range file.Clusters {
		cluster.Server, cluster.CertificateAuthorityData = f.server.URL, authority
	}
	return f, clientcmd.WriteToFile(*file, kubeconfig)
}

func (f *apiFront) close() {
	f.server.CloseClientConnections()
	f.server.Close()
}

// behave has the API server treat the managers so from now on.
func (f *apiFront) behave(m manner, r *rand.Rand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.manner, f.random = m, rand.New(rand.NewPCG(r.Uint64(), 2))
	if m == fickle {
		close(f.watching)
		f.watching = make(chan struct{})
	}
}

// treatment is what one request meets.
type treatment struct {
	wait     time.Duration
	refusal  *metav1.Status
	watching <-chan struct{}
}

// treat draws the treatment of a request.
func (f *apiFront) treat(r *http.Request) treatment {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := treatment{watching: f.watching}
	observation := strings.Contains(r.URL.Path, "observations")
	write := r.Method != http.MethodGet && observation
	switch f.manner {
	case sluggish:
		t.wait = time.Duration(f.random.IntN(150)) * time.Millisecond
	case strained:
		if write && chance(f.random, 30) {
			t.refusal = pick(f.random, []*metav1.Status{
				{Code: http.StatusTooManyRequests, Reason: metav1.StatusReasonTooManyRequests, Message: "too many requests", Details: &metav1.StatusDetails{RetryAfterSeconds: 1}},
				{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "etcdserver: request timed out"},
			})
		}
	case policed:
		if write && chance(f.random, 30) {
			t.refusal = &metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
				Message: "admission webhook denied the request: " + strings.Repeat("because it is so, ", 2500)}
		}
	case forgetful:
		if write {
			t.refusal = &metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: "the server could not find the requested resource"}
		}
	case fickle:
		if isWatch(r) && chance(f.random, 50) {
			t.refusal = &metav1.Status{Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "too old resource version"}
		}
	}
	return t
}

func isWatch(r *http.Request) bool {
	return r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1"
}

// ServeHTTP passes a request on, as it is to be treated.
func (f *apiFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := f.treat(r)
	select {
	case <-time.After(t.wait):
	case <-r.Context().Done():
		return
	}
	if t.refusal != nil {
		t.refusal.TypeMeta, t.refusal.Status = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, metav1.StatusFailure
		w.Header().Set("Content-Type", "application/json")
		if details := t.refusal.Details; details != nil {
			w.Header().Set("Retry-After", fmt.Sprint(details.RetryAfterSeconds))
		}
		w.WriteHeader(int(t.refusal.Code))
		_ = json.NewEncoder(w).Encode(t.refusal) // whoever is gone needs no answer
		return
	}
	if isWatch(r) {
		ctx, stop := contextUntil(r.Context(), t.watching)
		defer stop()
		r = r.WithContext(ctx)
		defer func() {
			recovered := recover()
			if err, _ := recovered.(error); recovered != nil && !errors.Is(err, http.ErrAbortHandler) {
				panic(recovered)
			}
		}()
	}
	f.proxy.ServeHTTP(w, r)
}

// contextUntil returns a context that also ends with a channel.
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
