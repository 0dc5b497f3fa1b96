// SPDX-License-Identifier: Apache-2.0

// Package health checks whether the manager can work. The manager can work if:
//
//   - The API server serves the operator's kinds.
//   - The API server accepts the manager's credential.
//   - The manager's caches are filled.
package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// OldestServer is the oldest supported version of Kubernetes. The operator's kinds use selectable
// fields, which are stable since 1.32.
const OldestServer = "1.32.0"

const (
	// lookAgain is the time after which Await asks the API server again.
	lookAgain = 2 * time.Second
	// sayAgain is the time between two log lines about missing kinds.
	sayAgain = time.Minute
)

// Await waits until the API server serves the kind of each object in kindObjects. During the wait,
// Await logs the missing kinds, and answers probes on probeAddress. If probeAddress is "" or "0",
// Await answers no probes. Await returns an error if
//
//   - ctx ends,
//   - the API server does not answer the first request for its kinds,
//   - Await cannot listen on probeAddress.
func Await(ctx context.Context, config *rest.Config, scheme *runtime.Scheme, kindObjects []client.Object, probeAddress string, log logr.Logger) error {
	server, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	kinds := make([]string, len(kindObjects))
	for i, object := range kindObjects {
		if kinds[i], err = kindOf(object, scheme); err != nil {
			return err
		}
	}
	warnOfOldServer(ctx, server, log)
	lacking, err := missingKinds(ctx, server, kinds)
	if err != nil || lacking == nil {
		return err
	}
	var reason atomic.Value
	reason.Store(lacking.Error())
	stop, err := serve(probeAddress, func() string { return reason.Load().(string) })
	if err != nil {
		return err
	}
	defer stop()
	var said time.Time
	for lacking != nil {
		reason.Store(lacking.Error())
		if time.Since(said) >= sayAgain {
			log.Info("Waiting", "for", lacking.Error())
			said = time.Now()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
		if lacking, err = missingKinds(ctx, server, kinds); err != nil {
			lacking = err
		}
	}
	return nil
}

// missingKinds asks the API server which kinds it serves. The first result is an error that names
// the kinds that the API server does not serve; nil if it serves all kinds. The second result is
// set if the API server does not answer.
func missingKinds(ctx context.Context, server discovery.DiscoveryInterfaceWithContext, kinds []string) (lacking, err error) {
	group := v1alpha1.GroupVersion.String()
	served, err := server.ServerResourcesForGroupVersionWithContext(ctx, group)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("asking the API server for its kinds: %w", err)
	}
	left := slices.Clone(kinds)
	if served != nil {
		for _, resource := range served.APIResources {
			left = slices.DeleteFunc(left, func(kind string) bool { return kind == resource.Kind })
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	return fmt.Errorf("the API server does not serve %s of %s: install the CustomResourceDefinitions",
		strings.Join(left, ", "), group), nil
}

// warnOfOldServer logs a line if the API server is older than OldestServer. The manager starts
// anyway.
func warnOfOldServer(ctx context.Context, server discovery.DiscoveryInterfaceWithContext, log logr.Logger) {
	info, err := server.ServerVersionWithContext(ctx)
	if err != nil {
		return // The next request reports the error.
	}
	found, err := version.ParseGeneric(info.GitVersion)
	if err == nil && found.LessThan(version.MustParseGeneric(OldestServer)) {
		log.Info("The API server is older than supported: observations cannot be selected by field there",
			"version", info.GitVersion, "oldestSupported", OldestServer)
	}
}

// serve answers probes until the returned function is called. /healthz succeeds. /readyz fails, and
// its answer is the text that whyNotReady returns.
func serve(address string, whyNotReady func() string) (stop func(), err error) {
	if address == "" || address == "0" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--health-probe-bind-address: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, whyNotReady(), http.StatusServiceUnavailable)
	})
	probes := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = probes.Serve(listener) // Serve returns an error when Close is called.
	}()
	return func() {
		_ = probes.Close()
		<-done
	}, nil
}

// AddChecks adds the checks of /healthz and /readyz. /healthz succeeds if the manager answers.
// /readyz has two kinds of checks:
//
//   - The API server accepts the manager's credential.
//   - The manager's cache has all objects of each type in kindObjects.
//
// isWatched returns false for a type that the manager does not watch. /readyz does not check the
// cache for such a type.
func AddChecks(mgr manager.Manager, kindObjects []client.Object, isWatched func(client.Object) bool) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	for _, object := range kindObjects {
		kind, err := kindOf(object, mgr.GetScheme())
		if err != nil {
			return err
		}
		if err := mgr.AddReadyzCheck(strings.ToLower(kind), cacheCheck(mgr.GetCache(), object, isWatched)); err != nil {
			return err
		}
	}
	server, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return err
	}
	return mgr.AddReadyzCheck("credential", credentialCheck(server))
}

// askAgain is how long a check uses the API server's last answer about the credential. After this
// time, a check asks the API server again.
const askAgain = 10 * time.Second

// credentialCheck returns a check that fails if the API server refuses the manager's credential.
// With any other error of the API server, the check succeeds.
func credentialCheck(server discovery.DiscoveryInterfaceWithContext) healthz.Checker {
	var mu sync.Mutex
	var asked time.Time
	var refused error
	return func(r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(asked) < askAgain {
			return refused
		}
		_, err := server.ServerVersionWithContext(r.Context())
		asked, refused = time.Now(), nil
		if apierrors.IsUnauthorized(err) {
			refused = fmt.Errorf("the API server refuses the manager's credential: %w", err)
		}
		return refused
	}
}

// cachesFilled is a channel that is closed when the manager's caches are filled.
type cachesFilled chan struct{}

// Start closes the channel. The manager calls Start after its caches are filled.
func (f cachesFilled) Start(context.Context) error {
	close(f)
	return nil
}

// NeedLeaderElection returns false. So the manager calls Start even if it is not the leader.
func (cachesFilled) NeedLeaderElection() bool { return false }

// Start runs the manager until ctx ends, and returns the manager's error. If ctx ends before the
// manager's caches are filled, Start returns nil and does not stop the manager. A stop could take
// forever, because controller-runtime v0.25.2 first waits until the caches are filled (see
// manager/runnable_group.go).
func Start(ctx context.Context, mgr manager.Manager) error {
	filled := make(cachesFilled)
	if err := mgr.Add(filled); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- mgr.Start(running)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	case <-filled:
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		stop()
		return <-ended
	}
}

func kindOf(object client.Object, scheme *runtime.Scheme) (string, error) {
	gvk, err := apiutil.GVKForObject(object, scheme)
	return gvk.Kind, err
}

var errNotSynced = errors.New("not all that exists has been read yet")

// cacheCheck returns a check that fails until the cache has all objects of a type. For a type that
// the manager does not watch, the check succeeds.
func cacheCheck(c cache.Cache, object client.Object, isWatched func(client.Object) bool) healthz.Checker {
	return func(r *http.Request) error {
		if !isWatched(object) {
			return nil
		}
		informer, err := c.GetInformer(r.Context(), object, cache.BlockUntilSynced(false))
		if err != nil {
			return err
		}
		if !informer.HasSynced() {
			return errNotSynced
		}
		return nil
	}
}
