// SPDX-License-Identifier: Apache-2.0

// Command manager mirrors the inventory of Confluent Cloud environments into Kubernetes. `manager
// --help` prints the flags.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"time"

	_ "golang.org/x/crypto/x509roots/fallback" // Used if the image has no certificate authorities.
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
	"github.com/ccloud-dev/inventory-operator/internal/controller"
	"github.com/ccloud-dev/inventory-operator/internal/health"
	"github.com/ccloud-dev/inventory-operator/internal/metrics"
	"github.com/ccloud-dev/inventory-operator/internal/options"
)

// version is set by the linker in a release build.
var version string

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}

// run starts the manager and returns after the manager has stopped.
func run(args []string) error {
	flags := flag.NewFlagSet("manager", flag.ExitOnError)
	logging := options.BindLogging(flags)
	config.RegisterFlags(flags)
	o := options.Bind(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := o.Complete(flags.Args()); err != nil {
		return err
	}
	options.SpareMemory()
	logger := options.Discreet(zap.New(zap.UseFlagOptions(logging)))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger) // client-go logs leader election and watches through klog.
	if err := clientgoscheme.AddToScheme(o.Manager.Scheme); err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(o.Manager.Scheme); err != nil {
		return err
	}
	controller.SlimCache(&o.Manager.Cache)
	cluster, err := connect(&o.Manager)
	if err != nil {
		return fmt.Errorf("no cluster to run against: %w", err)
	}
	ctx := ctrl.SetupSignalHandler()
	err = health.Await(ctx, cluster, o.Manager.Scheme, controller.Objects(), o.Manager.HealthProbeBindAddress, ctrl.Log)
	switch {
	case ctx.Err() != nil: // A signal ended the wait.
		return nil
	case err != nil:
		return err
	}
	mgr, err := ctrl.NewManager(cluster, o.Manager)
	if err != nil {
		return err
	}
	build := metrics.ReadBuild(version)
	shared := &controller.Options{
		Cluster:         mgr.GetClient(),
		APIReader:       mgr.GetAPIReader(),
		Recorder:        mgr.GetEventRecorder("inventory-operator"),
		Clock:           clock.RealClock{},
		Random:          rand.Float64,
		Metrics:         metrics.New(ctrlmetrics.Registry, build),
		Budgets:         budget.New(o.RequestsPerSecond, o.Burst()),
		UserAgent:       "inventory-operator/" + build.Version,
		Transport:       cloudapi.NewTransport(o.Roots),
		AllowedOrigins:  o.AllowedOrigins,
		ConcurrentSyncs: o.ConcurrentSyncs,
		Writers:         make(chan struct{}, o.ConcurrentWrites),
		Namespaces:      o.WatchNamespaces,
		Selector:        o.Selector,
		JitterPercent:   o.JitterPercent,
		ConfigMaps:      o.EndpointConfigMaps,
	}
	if err := controller.SetupWithManager(ctx, mgr, shared); err != nil {
		return err
	}
	ctrlmetrics.Registry.MustRegister(&metrics.Collector{
		Reader: mgr.GetCache(), Kinds: controller.Kinds(), Elected: mgr.Elected(), PerObservation: o.ObservationMetrics,
		Watched: shared.Watched,
	})
	if err := health.AddChecks(mgr, controller.Objects(), shared.Watched); err != nil {
		return err
	}
	ctrl.Log.Info("Starting", "version", build.Version, "revision", build.Revision, "goVersion", build.GoVersion,
		"memoryLimit", options.LimitMemory())
	return health.Start(ctx, mgr)
}

// connect returns the configuration for clients of the Kubernetes cluster. It also changes o, so
// that watches and the leader election get their own connections. Then many writes do not delay the
// watches or the leader election (see docs/decisions/0022).
func connect(o *ctrl.Options) (*rest.Config, error) {
	cluster, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	cluster.QPS = -1 // No limit in the client, because the API server limits requests itself.
	o.LeaderElectionConfig = ownConnection(cluster)
	o.Cache.HTTPClient, err = rest.HTTPClientFor(ownConnection(cluster))
	return cluster, err
}

// ownConnection returns a copy of clusterConfig. A client with this copy opens its own connection.
func ownConnection(clusterConfig *rest.Config) *rest.Config {
	own := rest.CopyConfig(clusterConfig)
	own.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	return own
}
