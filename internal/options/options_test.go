// SPDX-License-Identifier: Apache-2.0

package options

import (
	"crypto/tls"
	"flag"
	"io"
	"maps"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// parse reads flags as the manager does.
func parse(args ...string) (*Options, error) {
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o := Bind(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return o, o.Complete(flags.Args())
}

func parsed(t *testing.T, args ...string) *Options {
	o, err := parse(args...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return o
}

func TestFlagsDefaultToTheContract(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	Bind(flags)
	defaults := map[string]string{}
	flags.VisitAll(func(f *flag.Flag) {
		defaults[f.Name] = f.DefValue
		g.Expect(f.Usage).To(HaveSuffix("."), f.Name)
	})
	g.Expect(defaults).To(Equal(map[string]string{
		"metrics-bind-address": ":8443", "metrics-secure": "true", "health-probe-bind-address": ":8081",
		"leader-elect": "false", "leader-election-namespace": "", "watch-namespaces": "", "watch-label-selector": "",
		"allowed-endpoints": "https://api.confluent.cloud", "ca-bundle": "", "concurrent-syncs": "8", "concurrent-writes": "32",
		"requests-per-second": "5", "interval-jitter-percent": "10", "observation-metrics": "false", "endpoint-configmaps": "false", "pprof-bind-address": "",
	}))
}

func TestDefaultsMakeAManagerOfAllNamespaces(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := parsed(t)
	g.Expect(o.AllowedOrigins).To(Equal([]string{"https://api.confluent.cloud"}))
	g.Expect([]int{o.ConcurrentSyncs, o.ConcurrentWrites, o.JitterPercent, o.Burst()}).To(Equal([]int{8, 32, 10, 5}))
	g.Expect(o.RequestsPerSecond).To(Equal(5.0))
	g.Expect(o.ObservationMetrics).To(BeFalse())

	m := o.Manager
	g.Expect(m.Scheme).NotTo(BeNil())
	g.Expect(m.LeaderElection).To(BeFalse())
	g.Expect(m.LeaderElectionID).To(Equal("inventory-operator.ccloud.dev"))
	g.Expect(m.LeaderElectionReleaseOnCancel).To(BeTrue())
	g.Expect(m.Cache.DefaultNamespaces).To(BeNil())
	g.Expect(m.Cache.ByObject).To(BeNil())
	g.Expect(m.HealthProbeBindAddress).To(Equal(":8081"))
	g.Expect(m.PprofBindAddress).To(BeEmpty())
	g.Expect(m.Metrics.BindAddress).To(Equal(":8443"))
	g.Expect(m.Metrics.SecureServing).To(BeTrue())
	g.Expect(m.Metrics.FilterProvider).NotTo(BeNil(), "metrics are for those the cluster authorizes")
	config := &tls.Config{}
	for _, set := range m.Metrics.TLSOpts {
		set(config)
	}
	g.Expect(config.NextProtos).To(Equal([]string{"http/1.1"}), "HTTP/2 is off")
	g.Expect(m.Client.Cache.EnableReadYourWritesConsistency).To(HaveValue(BeTrue()))
}

func TestFlagsReachTheManager(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	o := parsed(t, "--metrics-bind-address=127.0.0.1:9000", "--metrics-secure=false", "--health-probe-bind-address=0",
		"--leader-elect", "--leader-election-namespace=system", "--pprof-bind-address=localhost:6060",
		"--concurrent-syncs=1", "--concurrent-writes=2", "--requests-per-second=0.1", "--interval-jitter-percent=0",
		"--observation-metrics", "--endpoint-configmaps")
	m := o.Manager
	g.Expect(m.Metrics.BindAddress).To(Equal("127.0.0.1:9000"))
	g.Expect(m.Metrics.SecureServing).To(BeFalse())
	g.Expect(m.Metrics.FilterProvider).To(BeNil())
	g.Expect(m.HealthProbeBindAddress).To(Equal("0"))
	g.Expect(m.LeaderElection).To(BeTrue())
	g.Expect(m.LeaderElectionNamespace).To(Equal("system"))
	g.Expect(m.PprofBindAddress).To(Equal("localhost:6060"))
	g.Expect([]int{o.ConcurrentSyncs, o.ConcurrentWrites, o.JitterPercent}).To(Equal([]int{1, 2, 0}))
	g.Expect(o.Burst()).To(Equal(1), "a burst is one request at least")
	g.Expect(o.ObservationMetrics).To(BeTrue())
}

func TestABadValueIsAnErrorThatNamesTheFlag(t *testing.T) {
	t.Parallel()
	for flagName, values := range map[string][]string{
		"metrics-bind-address":      {"", "8443", "host", ":70000", ":port", "a:b:1"},
		"metrics-secure":            {"perhaps"},
		"health-probe-bind-address": {"8081", ":-1"},
		"pprof-bind-address":        {"6060", ":x"},
		"leader-elect":              {"1st"},
		"leader-election-namespace": {"Not_One"},
		"watch-namespaces":          {"a,B", "a.b", "a b"},
		"watch-label-selector":      {"a in", "a=b=c", "=="},
		"allowed-endpoints": {"", ",", "api.confluent.cloud", "ftp://a", "https://", "https://user:hunter2@a", "https://a?b",
			"https://a#b", "https://a,nonsense"},
		"concurrent-syncs":        {"0", "-1", "many"},
		"concurrent-writes":       {"0", "-1", "1.5"},
		"requests-per-second":     {"0", "0.09", "-1", "NaN", "Inf", "-Inf", "1e300", "fast"},
		"interval-jitter-percent": {"-1", "51", "10%"},
		"observation-metrics":     {"all"},
		"endpoint-configmaps":     {"all"},
	} {
		for _, value := range values {
			t.Run(flagName+"="+value, func(t *testing.T) {
				t.Parallel()
				_, err := parse("--" + flagName + "=" + value)
				NewWithT(t).Expect(err).To(MatchError(And(
					ContainSubstring("-"+flagName), Not(ContainSubstring("hunter2")))))
			})
		}
	}
}

func TestEveryBadValueIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse("--concurrent-syncs=0", "--concurrent-writes=0", "--watch-label-selector=a in", "--watch-namespaces=B",
		"--allowed-endpoints=x", "--requests-per-second=0", "--interval-jitter-percent=99", "--metrics-bind-address=x", "stray")
	for _, name := range []string{"concurrent-syncs", "concurrent-writes", "watch-label-selector", "watch-namespaces",
		"allowed-endpoints", "requests-per-second", "interval-jitter-percent", "metrics-bind-address"} {
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("--" + name + ": ")))
	}
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring(`unexpected argument "stray"`)))
}

func TestBoundsThemselvesAreAllowed(t *testing.T) {
	t.Parallel()
	o := parsed(t, "--interval-jitter-percent=50", "--concurrent-syncs=1", "--concurrent-writes=1", "--requests-per-second=1000000")
	NewWithT(t).Expect(o.JitterPercent).To(Equal(50))
	NewWithT(t).Expect(o.Burst()).To(Equal(1_000_000))
}

func TestAllowedEndpointsAreOrigins(t *testing.T) {
	t.Parallel()
	o := parsed(t, "--allowed-endpoints= HTTPS://API.confluent.cloud:443/path ,http://localhost:8080,, https://[::1]:8443")
	NewWithT(t).Expect(o.AllowedOrigins).To(Equal([]string{
		"https://api.confluent.cloud", "http://localhost:8080", "https://[::1]:8443"}))
}

func TestWatchedNamespacesAreTheCaches(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{
		"": nil, "a": {"a"}, "a, b ,,a": {"a", "b"},
	} {
		o := parsed(t, "--watch-namespaces="+list)
		NewWithT(t).Expect(slices.Sorted(maps.Keys(o.Manager.Cache.DefaultNamespaces))).To(Equal(want), list)
	}
}

func TestAShardWatchesItsSourcesOnlyUnderALeaseOfItsOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	lease := func(selector string) string {
		return parsed(t, "--watch-label-selector="+selector).Manager.LeaderElectionID
	}
	g.Expect(lease("shard=a")).To(MatchRegexp(`^inventory-operator\.ccloud\.dev-[0-9a-f]{8}$`))
	g.Expect(lease("shard=a")).To(Equal(lease(" shard = a ")), "however it is written")
	g.Expect(lease("a=1,b=2")).To(Equal(lease("b=2,a=1")))
	leases := map[string]bool{}
	for _, selector := range []string{"", "shard=a", "shard=b", "shard!=a", "shard", "!shard", "shard in (a,b)"} {
		leases[lease(selector)] = true
	}
	g.Expect(leases).To(HaveLen(7))

	byObject := parsed(t, "--watch-label-selector=shard=a").Manager.Cache.ByObject
	g.Expect(byObject).To(HaveLen(2), "observations carry no label of the shard")
	for object, how := range byObject {
		g.Expect(object).To(Or(BeAssignableToTypeOf(client.Object(&v1alpha1.InventorySource{})), BeAssignableToTypeOf(client.Object(&v1alpha1.EnvironmentDiscovery{}))))
		g.Expect(how.Label.String()).To(Equal("shard=a"))
	}
}

func TestAListOfNothingButCommasIsNotAll(t *testing.T) {
	_, err := parse("--watch-namespaces= , ")
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("--watch-namespaces")))
}
