package cloudsim_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// faultySim has 25 clusters and 25 peerings, so listings have three pages. Its faults hang only for
// a short time.
func faultySim(mode cloudsim.Mode) *cloudsim.Sim {
	s := newSim(cloudsim.Options{Mode: mode, HangTime: 300 * time.Millisecond, SlowTime: 50 * time.Millisecond})
	for i := range 25 {
		s.PutCluster(clusterIn(fmt.Sprintf("lkc-%02d", i), "n-1"))
		s.PutPeering(peering(fmt.Sprintf("p-%02d", i), "name", "READY", "n-1"))
	}
	return s
}

// TestVerdicts compares every fault with its verdict in the catalogue, in both modes and for both
// kinds. It lists several times, because in mode wire listings end in different ways.
func TestVerdicts(t *testing.T) {
	for _, mode := range cloudsim.Modes() {
		for _, fault := range cloudsim.Faults() {
			t.Run(mode.String()+"/"+fault.String(), func(t *testing.T) {
				t.Parallel()
				s := faultySim(mode)
				server := start(t, s)
				clusters, peerings := []string{}, []string{}
				for i := range 25 {
					clusters = append(clusters, fmt.Sprintf("lkc-%02d", i))
					peerings = append(peerings, fmt.Sprintf("p-%02d", i))
				}
				rounds := 4
				if fault == cloudsim.FaultGzipBomb || fault == cloudsim.FaultEndlessBody || fault.Slow() {
					rounds = 1
				}
				for round := range rounds {
					check(t, s, server, fault, clustersPath, clusters)
					check(t, s, server, fault, peeringsPath, peerings)
					NewWithT(t).Expect(s.FaultCounts()).To(Equal(map[cloudsim.Fault]int{fault: 2 * (round + 1)}))
				}
				NewWithT(t).Expect(s.ForeignCalls()).To(BeEmpty())
			})
		}
	}
}

// check lists once with a fault, and then once without.
func check(t *testing.T, s *cloudsim.Sim, server *cloudsim.Server, fault cloudsim.Fault, path string, truth []string) {
	t.Helper()
	g := NewWithT(t)
	s.FailNext(cloudsim.OpAny, 1, fault)
	l := lister{t: t, server: server, key: "KEY", timeout: 20 * time.Second}
	ids, err := l.list(path)
	switch fault.Verdict() {
	case cloudsim.Loud:
		g.Expect(err).To(HaveOccurred())
	case cloudsim.Harmless:
		if fault == cloudsim.FaultResetAfterBody && errors.Is(err, syscall.ECONNRESET) {
			break // the answer did not come at all
		}
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(ids).To(Equal(truth))
	case cloudsim.Silent:
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(ids).NotTo(Equal(truth))
	}
	ids, err = l.list(path)
	g.Expect(err).NotTo(HaveOccurred(), "after the fault all is well")
	g.Expect(ids).To(Equal(truth))
}

func TestFaultsOverTheNetwork(t *testing.T) {
	g := NewWithT(t)
	for _, fault := range cloudsim.Faults() {
		g.Expect(looks).To(HaveKey(fault), fault.String())
	}
	for fault, look := range looks {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			s := faultySim(cloudsim.ModeStrict)
			server := start(t, s)
			l := lister{t: t, server: server, key: "KEY", timeout: 20 * time.Second}
			seen := spoilt{sim: s, url: server.URL}
			first := server.URL + clustersPath + "?environment=" + env + "&page_size=10"
			targets := []string{first}
			for i := range 3 {
				var err error
				seen.good[i], err = l.get(targets[i])
				g.Expect(err).NotTo(HaveOccurred())
				if next := seen.good[i].list(g).Metadata.Next; next != nil {
					targets = append(targets, *next)
				}
			}
			s.FailNext(cloudsim.OpListClusters, 1, fault)
			for i, target := range targets {
				g.Expect(s.FaultCounts()).To(BeEmpty())
				seen.answer, seen.err = l.get(target)
				if seen.page = i; s.FaultCounts()[fault] == 1 {
					break
				}
				g.Expect(seen.body).To(Equal(seen.good[i].body), "a page that cannot have it is a good one")
			}
			g.Expect(s.FaultCounts()).To(Equal(map[cloudsim.Fault]int{fault: 1}))
			look(g, seen)
		})
	}
}

func TestTheCatalogueIsComplete(t *testing.T) {
	g := NewWithT(t)
	names, verdicts := map[string]bool{}, 0
	for _, f := range cloudsim.Faults() {
		g.Expect(f.String()).To(MatchRegexp(`^[a-z0-9-]+$`))
		g.Expect(f.About()).NotTo(BeEmpty(), f.String())
		g.Expect(names).NotTo(HaveKey(f.String()))
		names[f.String()] = true
		var read cloudsim.Fault
		g.Expect(read.UnmarshalText([]byte(f.String()))).To(Succeed())
		g.Expect(read).To(Equal(f))
	}
	for _, v := range []cloudsim.Verdict{cloudsim.Loud, cloudsim.Harmless, cloudsim.Silent} {
		for _, f := range cloudsim.Faults(v) {
			g.Expect(f.Verdict()).To(Equal(v))
			verdicts++
		}
	}
	g.Expect(verdicts).To(Equal(len(names)))
	g.Expect(cloudsim.FaultBlindKey.String()).To(Equal("blind-key"))
	g.Expect(int(cloudsim.FaultBlindKey)).To(Equal(len(names)), "it is the last, none is without an entry")
	g.Expect([]string{cloudsim.Loud.String(), cloudsim.Harmless.String(), cloudsim.Silent.String()}).
		To(Equal([]string{"loud", "harmless", "silent"}))
	var f cloudsim.Fault
	g.Expect(f.UnmarshalText([]byte("fire"))).To(MatchError(ContainSubstring(`no fault "fire"`)))
	g.Expect(fmt.Sprint(cloudsim.Fault(0), cloudsim.Fault(200), cloudsim.Verdict(9))).To(Equal("fault(0) fault(200) verdict(9)"))
	w := httptest.NewRecorder()
	cloudsim.FaultNull.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	g.Expect(w.Code).To(Equal(500), "a fault needs a Sim")
}
