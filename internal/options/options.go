// SPDX-License-Identifier: Apache-2.0

// Package options turns the manager's flags into the manager's options.
package options

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
)

// leaseName is the name of the Lease for the leader election. With --watch-label-selector, the name
// of the Lease is leaseName and a hash of the selector.
const leaseName = "inventory-operator.ccloud.dev"

// leastRequestsPerSecond is the lowest accepted --requests-per-second. At a lower rate, a request
// may have to wait longer than Retry.Max of [cloudapi.DefaultRetry], and then fails.
const leastRequestsPerSecond = 0.1

// mostRequestsPerSecond is the highest accepted --requests-per-second. Larger numbers could
// overflow in calculations.
const mostRequestsPerSecond = 1_000_000

// Options are the manager's flags. Call Complete before reading the fields.
type Options struct {
	// Manager has the options for the manager of controller-runtime. The caller of
	// Complete must add the API types to Manager.Scheme.
	Manager ctrl.Options
	// AllowedOrigins are the origins to which requests to the cloud may go, for example
	// "https://api.confluent.cloud". They have the form that cloudapi.Origin returns.
	AllowedOrigins []string
	// WatchNamespaces are the namespaces to work in; empty means all namespaces.
	WatchNamespaces []string
	// ConcurrentSyncs is how many syncs may run at the same time. ConcurrentWrites is how many
	// writes to the API server may run at the same time.
	ConcurrentSyncs, ConcurrentWrites int
	// RequestsPerSecond is the largest number of requests to the cloud per second with one
	// credential.
	RequestsPerSecond float64
	// JitterPercent is the largest random change of the time between two syncs, in percent.
	JitterPercent int
	// ObservationMetrics turns on one metric series for each observation.
	ObservationMetrics bool
	// If EndpointConfigMaps is true, sources may ask for ConfigMaps with Kafka endpoints.
	EndpointConfigMaps bool
	// Roots are the certificate authorities to trust in requests to the cloud; nil means the
	// system's authorities.
	Roots *x509.CertPool

	// Selector is the value of --watch-label-selector.
	Selector labels.Selector

	allowedEndpoints, watchNamespaces, watchLabelSelector string
	caBundle                                              string
	metricsAddress                                        string
	metricsSecure                                         bool
}

// Bind declares the flags. Parse the flags and call Complete before you read the returned Options.
func Bind(flags *flag.FlagSet) *Options {
	o := &Options{}
	m := &o.Manager
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "Address to serve metrics on; 0 serves none.")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, to those the cluster authorizes.")
	flags.StringVar(&m.HealthProbeBindAddress, "health-probe-bind-address", ":8081", "Address to serve /healthz and /readyz on; 0 serves none.")
	flags.BoolVar(&m.LeaderElection, "leader-elect", false, "Elect a leader, so that of several managers only one works.")
	flags.StringVar(&m.LeaderElectionNamespace, "leader-election-namespace", "", "Namespace of the leader election's Lease; needed outside a cluster only.")
	flags.StringVar(&o.watchNamespaces, "watch-namespaces", "", "Namespaces to work in, separated by commas; empty is all.")
	flags.StringVar(&o.watchLabelSelector, "watch-label-selector", "", "Label selector of the InventorySources and EnvironmentDiscoveries to work on (a shard); empty is all.")
	flags.StringVar(&o.allowedEndpoints, "allowed-endpoints", v1alpha1.DefaultEndpoint,
		"Origins that sources may ask, separated by commas. Credentials go nowhere else. An http:// origin counts only if listed here.")
	flags.StringVar(&o.caBundle, "ca-bundle", "", "PEM file of certificate authorities to trust beside the system's when asking the cloud; read at the start.")
	flags.IntVar(&o.ConcurrentSyncs, "concurrent-syncs", 8, "Sources synced at once.")
	flags.IntVar(&o.ConcurrentWrites, "concurrent-writes", 32, "Writes to the API server under way at once, of all sources together.")
	flags.Float64Var(&o.RequestsPerSecond, "requests-per-second", 5, "Requests to the cloud a second, at least 0.1, per credential, shared by all its sources.")
	flags.IntVar(&o.JitterPercent, "interval-jitter-percent", 10, "How far an interval is stretched or shortened at random, in percent, 0 to 50.")
	flags.BoolVar(&o.ObservationMetrics, "observation-metrics", false, "Export one metric series per observation.")
	flags.BoolVar(&o.EndpointConfigMaps, "endpoint-configmaps", false, "Keep ConfigMaps with Kafka endpoints for sources that ask for them; needs rights on ConfigMaps.")
	flags.StringVar(&m.PprofBindAddress, "pprof-bind-address", "", "Address to serve Go profiles on; empty serves none.")
	return o
}

// Complete checks the flags and sets the options. restArgs has the arguments that are not flags.
// The error names every wrong flag.
func (o *Options) Complete(restArgs []string) error {
	selector, err := labels.Parse(o.watchLabelSelector)
	if err != nil {
		err = fmt.Errorf("--watch-label-selector: %w", err)
	}
	if len(restArgs) > 0 {
		err = errors.Join(err, fmt.Errorf("unexpected argument %q: every option begins with --", restArgs[0]))
	}
	err = errors.Join(err,
		atLeast("--concurrent-syncs", o.ConcurrentSyncs, 1),
		atLeast("--concurrent-writes", o.ConcurrentWrites, 1),
		checkAddress("--metrics-bind-address", o.metricsAddress, "0"),
		checkAddress("--health-probe-bind-address", o.Manager.HealthProbeBindAddress, "", "0"),
		checkAddress("--pprof-bind-address", o.Manager.PprofBindAddress, "", "0"),
		namespaces("--watch-namespaces", split(o.watchNamespaces)),
		requireName("--watch-namespaces", o.watchNamespaces),
		namespaces("--leader-election-namespace", split(o.Manager.LeaderElectionNamespace)),
		o.parseEndpoints(),
		o.readCABundle())
	if !(o.RequestsPerSecond >= leastRequestsPerSecond && o.RequestsPerSecond <= mostRequestsPerSecond) {
		err = errors.Join(err, fmt.Errorf("--requests-per-second: %v, must be from %v to %d",
			o.RequestsPerSecond, leastRequestsPerSecond, mostRequestsPerSecond))
	}
	if o.JitterPercent < 0 || o.JitterPercent > 50 {
		err = errors.Join(err, fmt.Errorf("--interval-jitter-percent: %d, must be from 0 to 50", o.JitterPercent))
	}
	if err != nil {
		return err
	}
	o.completeManager(selector)
	return nil
}

func (o *Options) completeManager(selector labels.Selector) {
	m := &o.Manager
	o.Selector = selector
	m.Scheme = runtime.NewScheme()
	m.LeaderElectionID = leaseName
	m.LeaderElectionReleaseOnCancel = true
	m.Cache = cache.Options{}
	if !selector.Empty() {
		m.LeaderElectionID += shardSuffix(selector)
		m.Cache.ByObject = map[client.Object]cache.ByObject{
			&v1alpha1.InventorySource{}: {Label: selector}, &v1alpha1.EnvironmentDiscovery{}: {Label: selector},
		}
	}
	o.WatchNamespaces = split(o.watchNamespaces)
	for _, namespace := range o.WatchNamespaces {
		if m.Cache.DefaultNamespaces == nil {
			m.Cache.DefaultNamespaces = map[string]cache.Config{}
		}
		m.Cache.DefaultNamespaces[namespace] = cache.Config{}
	}
	// A read from the cache waits until the cache has the manager's own writes. So a reconcile sees
	// the writes of the previous reconcile.
	m.Client.Cache = &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)}
	m.Metrics = metricsserver.Options{BindAddress: o.metricsAddress, SecureServing: o.metricsSecure}
	if o.metricsSecure {
		m.Metrics.FilterProvider = filters.WithAuthenticationAndAuthorization
		// No HTTP/2: metrics do not need it, and it has had denial-of-service vulnerabilities.
		m.Metrics.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	}
}

// Burst returns how many requests may be sent at once after a time without requests. It is
// RequestsPerSecond, rounded up.
func (o *Options) Burst() int {
	return int(math.Ceil(o.RequestsPerSecond))
}

func (o *Options) parseEndpoints() error {
	var errs error
	for _, endpoint := range split(o.allowedEndpoints) {
		origin, err := cloudapi.Origin(endpoint)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("--allowed-endpoints: %w", err))
			continue
		}
		o.AllowedOrigins = append(o.AllowedOrigins, origin)
	}
	if errs == nil && len(o.AllowedOrigins) == 0 {
		return fmt.Errorf("--allowed-endpoints: names no origin; write for example %s", v1alpha1.DefaultEndpoint)
	}
	return errs
}

// shardSuffix returns a suffix for the Lease's name. The suffix identifies the value of
// --watch-label-selector.
func shardSuffix(selector labels.Selector) string {
	sum := sha256.Sum256([]byte(selector.String()))
	return "-" + hex.EncodeToString(sum[:4])
}

func atLeast(name string, value, least int) error {
	if value < least {
		return fmt.Errorf("%s: %d, must be at least %d", name, value, least)
	}
	return nil
}

// checkAddress returns an error if the value of a flag is not an address of a server. The values in
// offValues are also valid: they turn the server off.
func checkAddress(name, value string, offValues ...string) error {
	if slices.Contains(offValues, value) {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s: %q, must be HOST:PORT, :PORT, or 0 for none: %w", name, value, err)
	}
	return nil
}

// requireName returns an error for a list that has commas but no name. Without this error, the list
// would count as empty, and an empty list means all namespaces.
func requireName(name, list string) error {
	if list != "" && len(split(list)) == 0 {
		return fmt.Errorf("%s: %q names nothing; leave it empty for all", name, list)
	}
	return nil
}

func namespaces(name string, values []string) error {
	for _, value := range values {
		if problems := validation.IsDNS1123Label(value); len(problems) > 0 {
			return fmt.Errorf("%s: %q is no name of a namespace: %s", name, value, problems[0])
		}
	}
	return nil
}

// split splits a list at its commas and drops empty members.
func split(list string) []string {
	var out []string
	for member := range strings.SplitSeq(list, ",") {
		if member = strings.TrimSpace(member); member != "" {
			out = append(out, member)
		}
	}
	return out
}
