package cloudsim_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// statuses requests the first page n times.
func statuses(s *cloudsim.Sim, path string, n int) []int {
	var all []int
	for range n {
		all = append(all, get(s, path, "").status)
	}
	return all
}

var refusals = []cloudsim.Fault{cloudsim.FaultUnauthorized, cloudsim.FaultForbidden, cloudsim.FaultInternalError, cloudsim.FaultBadGateway}

func TestChaosRepeats(t *testing.T) {
	g := NewWithT(t)
	run := func(seed uint64, others int) []int {
		s := faultySim(cloudsim.ModeStrict)
		s.Chaos(seed, 0.5, refusals...)
		var all []int
		for range 100 {
			_ = statuses(s, peeringsPath, others)
			_ = get(s, "/elsewhere", "")
			all = append(all, statuses(s, clustersPath, 1)...)
		}
		return all
	}
	first := run(7, 0)
	g.Expect(run(7, 0)).To(Equal(first))
	g.Expect(run(7, 3)).To(Equal(first), "whatever other operations do")
	g.Expect(run(8, 0)).NotTo(Equal(first))
}

func TestChaosCountsWhatItDoes(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	s.Chaos(1, 0.3, refusals...)
	seen := map[int]int{}
	for _, path := range []string{clustersPath, peeringsPath} {
		for _, status := range statuses(s, path, 500) {
			seen[status]++
		}
	}
	counts := s.FaultCounts()
	g.Expect(counts).To(Equal(map[cloudsim.Fault]int{
		cloudsim.FaultUnauthorized: seen[401], cloudsim.FaultForbidden: seen[403],
		cloudsim.FaultInternalError: seen[500], cloudsim.FaultBadGateway: seen[502],
	}))
	g.Expect(seen[200]).To(BeNumerically("~", 700, 60))
	for fault, n := range counts {
		g.Expect(n).To(BeNumerically("~", 75, 30), fault.String())
	}
	s.StopChaos()
	g.Expect(statuses(s, clustersPath, 20)).To(HaveEach(200))
	g.Expect(s.FaultCounts()).To(Equal(counts), "what was counted stays")
	s.ResetFaultCounts()
	g.Expect(s.FaultCounts()).To(BeEmpty())
}

func TestChaosGivesWayAndEnds(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	s.Chaos(1, 1, cloudsim.FaultNull)
	g.Expect(get(s, clustersPath, "").body).To(Equal("null"))
	s.FailNext(cloudsim.OpAny, 1, cloudsim.FaultEmptyObject)
	g.Expect(get(s, clustersPath, "").body).To(Equal("{}"))
	s.Intercept(func(int, *http.Request) http.Handler { return cloudsim.FaultHTML })
	g.Expect(get(s, clustersPath, "").body).To(ContainSubstring("<html>"))
	s.Intercept(nil)
	s.Chaos(1, 1, cloudsim.FaultTokenExpired)
	g.Expect(get(s, clustersPath, "").status).To(Equal(200), "no request of these can have that fault")
	s.Chaos(1, 1, cloudsim.FaultTokenExpired, cloudsim.FaultBadGateway)
	g.Expect(statuses(s, clustersPath, 10)).To(HaveEach(502), "so they have the next one")
	s.Chaos(1, 0)
	g.Expect(statuses(s, clustersPath, 100)).To(HaveEach(200))
	s.Chaos(1, 1)
	s.ClearFaults()
	g.Expect(statuses(s, clustersPath, 100)).To(HaveEach(200))
	g.Expect(s.FaultCounts()).To(Equal(map[cloudsim.Fault]int{
		cloudsim.FaultNull: 1, cloudsim.FaultEmptyObject: 1, cloudsim.FaultHTML: 1, cloudsim.FaultBadGateway: 10}))
}

// TestChaosNeverDeceives lists under every fault that is not silent, while objects come and go. A
// listing that the simple client accepts must be true.
func TestChaosNeverDeceives(t *testing.T) {
	for _, mode := range cloudsim.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := faultySim(mode)
			server := start(t, s)
			var brisk []cloudsim.Fault
			for _, f := range cloudsim.Faults(cloudsim.Loud, cloudsim.Harmless) {
				if !f.Slow() && f != cloudsim.FaultGzipBomb && f != cloudsim.FaultEndlessBody {
					brisk = append(brisk, f)
				}
			}
			s.Chaos(3, 0.15, brisk...)
			whole := 0
			for i := range 150 {
				// The new cluster comes after all clusters that stay.
				s.PutCluster(cluster(fmt.Sprintf("lkc-new-%d", i)))
				ids, err := (&lister{t: t, server: server, key: "KEY", timeout: 20 * time.Second}).list(clustersPath)
				if err == nil {
					whole++
					g.Expect(ids).To(ContainElements(numberedFrom(0, 24)))
				}
				g.Expect(s.RemoveCluster(fmt.Sprintf("lkc-new-%d", i))).To(Succeed())
			}
			g.Expect(whole).To(BeNumerically(">", 50))
			g.Expect(len(s.FaultCounts())).To(BeNumerically(">", 20))
			g.Expect(s.ForeignCalls()).To(BeEmpty())
		})
	}
}

func TestAFaultWaitsForARequestThatCanHaveIt(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultTokenExpired)
	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultBadGateway)
	g.Expect(get(s, clustersPath, "").status).To(Equal(502), "the next that fits")
	first := get(s, clustersPath, "").list(g)
	g.Expect(get(s, peeringsPath, "").status).To(Equal(200))
	g.Expect(get(s, clustersPath, "&page_token="+token(g, first.Metadata.Next)).status).To(Equal(400))
	g.Expect(get(s, clustersPath, "&page_token="+token(g, first.Metadata.Next)).status).To(Equal(200))

	s.FailNext(cloudsim.OpAny, 1, cloudsim.FaultItemNull)
	g.Expect(ask(s.Handler(), http.MethodGet, clustersPath+"?environment="+env, "KEY", "wrong", "").status).To(Equal(401))
	g.Expect(get(s, clustersPath, "&spec.network=n-9").list(g).ids()).To(BeEmpty())
	g.Expect(ask(s.Handler(), http.MethodPost, clustersPath, "KEY", "SECRET", "").status).To(Equal(405))
	g.Expect(get(s, "/elsewhere", "").status).To(Equal(404))
	g.Expect(get(s, clustersPath, "").body).To(ContainSubstring(",null,"))
}

func TestAFaultThatDidNotComeAboutIsNotUsedUp(t *testing.T) {
	g := NewWithT(t)
	c := newClock()
	s := newSim(cloudsim.Options{Clock: c.Now, RateLimit: 1})
	s.PutCluster(cluster("lkc-1"))
	for _, fault := range []cloudsim.Fault{cloudsim.FaultTruncatedJSON, cloudsim.FaultItemNull} {
		c.now = c.now.Add(time.Hour)
		g.Expect(get(s, clustersPath, "").status).To(Equal(200))
		s.FailNext(cloudsim.OpListClusters, 1, fault)
		g.Expect(statuses(s, clustersPath, 3)).To(HaveEach(429))
		g.Expect(s.FaultCounts()).NotTo(HaveKey(fault))
		c.now = c.now.Add(time.Hour)
		_ = get(s, clustersPath, "")
		g.Expect(s.FaultCounts()).To(HaveKeyWithValue(fault, 1))
	}
}

func TestAnInterceptorMayReturnAFault(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	s.Intercept(func(int, *http.Request) http.Handler { return cloudsim.FaultRepeatedToken })
	first := get(s, clustersPath, "").list(g)
	g.Expect(s.FaultCounts()).To(BeEmpty(), "a first page has no token to repeat")
	next := token(g, first.Metadata.Next)
	g.Expect(token(g, get(s, clustersPath, "&page_token="+next).list(g).Metadata.Next)).To(Equal(next))
	g.Expect(s.FaultCounts()).To(Equal(map[cloudsim.Fault]int{cloudsim.FaultRepeatedToken: 1}))
}

func TestAMissingItemShowsThoughOthersGo(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	server := start(t, s)
	l := lister{t: t, server: server, key: "KEY", timeout: 20 * time.Second}
	s.Intercept(func(n int, _ *http.Request) http.Handler {
		if n < 3 {
			return nil
		}
		// All clusters of the first page are deleted before the last page comes.
		for _, id := range numberedFrom(0, 9) {
			_ = s.RemoveCluster(id)
		}
		return cloudsim.FaultItemMissing
	})
	_, err := l.list(clustersPath)
	g.Expect(err).To(MatchError("24 items of 25"))
}

func TestKeysThatSeeLess(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	server := start(t, s)
	s.AddKey(cloudsim.Key{ID: "PART", Secret: "SECRET", Sees: cloudsim.ViewPart})
	s.AddKey(cloudsim.Key{ID: "NONE", Secret: "SECRET", Sees: cloudsim.ViewNone})
	list := func(key string) []string {
		ids, err := (&lister{t: t, server: server, key: key, timeout: 20 * time.Second}).list(clustersPath)
		g.Expect(err).NotTo(HaveOccurred())
		return ids
	}
	part := list("PART")
	g.Expect(len(part)).To(BeNumerically("~", 12, 8))
	g.Expect(list("PART")).To(Equal(part), "the same part each time")
	g.Expect(list("NONE")).To(BeEmpty())
	g.Expect(list("KEY")).To(HaveLen(25))

	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultPartialKey)
	g.Expect(list("KEY")).To(Equal(part), "on all pages of the listing")
	g.Expect(list("KEY")).To(HaveLen(25))
	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultPartialKey)
	g.Expect(list("PART")).To(Equal(part))
	g.Expect(s.FaultCounts()[cloudsim.FaultPartialKey]).To(Equal(1), "who sees a part already cannot have it")
	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultEndlessPaging)
	_, err := (&lister{t: t, server: server, key: "PART", timeout: 20 * time.Second}).list(clustersPath)
	g.Expect(err).To(MatchError("too many pages"))

	s.FailNext(cloudsim.OpListClusters, 1, cloudsim.FaultPartialKey)
	started := get(s, clustersPath, "&page_size=3").list(g)
	s.ClearFaults()
	g.Expect(get(s, clustersPath, "&page_size=3&page_token="+token(g, started.Metadata.Next)).status).To(Equal(400))
}

func TestTheForeignOriginIsATrap(t *testing.T) {
	g := NewWithT(t)
	s := faultySim(cloudsim.ModeStrict)
	server := start(t, s)
	for path, kind := range map[string]string{clustersPath: "ClusterList", peeringsPath: "PeeringList"} {
		s.ResetCalls()
		s.FailNext(cloudsim.OpAny, 1, cloudsim.FaultRedirectForeign)
		a, err := do(t, http.MethodGet, server.URL+path+"?environment="+env, "KEY", "SECRET")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.list(g).Kind).To(Equal(kind))
		g.Expect(a.list(g).ids()).To(BeEmpty())
		calls := s.ForeignCalls()
		g.Expect(calls).To(HaveLen(1))
		g.Expect(calls[0].Path).To(Equal(path))
		g.Expect(calls[0].KeyID).To(Equal("KEY"), "Go's client trusts another port of the same host")
		g.Expect(s.Count(cloudsim.OpAny)).To(Equal(1))
	}
	alone := faultySim(cloudsim.ModeStrict)
	alone.FailNext(cloudsim.OpAny, 1, cloudsim.FaultRedirectForeign)
	g.Expect(get(alone, clustersPath, "").header.Get("Location")).To(HavePrefix("http://foreign.cloudsim.invalid/"))
}

// patience is how long a test waits for something that happens soon on a machine without load.
const patience = 3 * time.Minute

// In TestNothingIsLeftOfWhatHangs, a client gives up on a simulator that would hang for an hour.
func TestNothingIsLeftOfWhatHangs(t *testing.T) {
	g := NewWithT(t)
	before := gleak.Goroutines()
	s := newSim(cloudsim.Options{HangTime: time.Hour, SlowTime: time.Hour})
	s.PutCluster(cluster("lkc-1"))
	server, err := s.Start()
	g.Expect(err).NotTo(HaveOccurred())
	transport := &http.Transport{}
	for _, fault := range []cloudsim.Fault{
		cloudsim.FaultNoAnswer, cloudsim.FaultHangInBody, cloudsim.FaultSlowBody, cloudsim.FaultEndlessBody,
	} {
		s.FailNext(cloudsim.OpAny, 1, fault)
		ctx, stop := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+clustersPath+"?environment="+env, nil)
		g.Expect(err).NotTo(HaveOccurred())
		r.SetBasicAuth("KEY", "SECRET")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if resp, err := transport.RoundTrip(r); err == nil {
				<-ctx.Done()
				_ = resp.Body.Close()
			}
		}()
		g.Eventually(func() int { return s.FaultCounts()[fault] }, patience).Should(Equal(1))
		stop()
		<-ended
	}
	server.Close()
	transport.CloseIdleConnections()
	g.Eventually(gleak.Goroutines, patience).ShouldNot(gleak.HaveLeaked(before))
}
