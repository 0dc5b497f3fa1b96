package cloudsim_test

import (
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestCallsAreRecorded(t *testing.T) {
	g := NewWithT(t)
	c := newClock()
	s := newSim(cloudsim.Options{Clock: c.Now, KeepCalls: 3})
	g.Expect(s.Calls()).To(BeEmpty())
	_ = get(s, peeringsPath, "&page_size=5")
	_ = ask(s.Handler(), http.MethodGet, clustersPath+"?environment="+env, "KEY", "wrong", "")
	_ = ask(s.Handler(), http.MethodDelete, clustersPath, "", "", "")
	g.Expect(s.Calls()).To(Equal([]cloudsim.Call{
		{Op: cloudsim.OpListPeerings, Method: "GET", Path: peeringsPath, Query: "environment=env-abc123&page_size=5",
			KeyID: "KEY", Status: 200, Time: c.now},
		{Op: cloudsim.OpListClusters, Method: "GET", Path: clustersPath, Query: "environment=env-abc123",
			KeyID: "KEY", Status: 401, Time: c.now},
		{Op: cloudsim.OpOther, Method: "DELETE", Path: clustersPath, Status: 405, Time: c.now},
	}))
	for range 4 {
		_ = get(s, clustersPath, "")
	}
	_ = get(s, "/nothing", "")
	calls := s.Calls()
	g.Expect(calls).To(HaveLen(3))
	g.Expect(calls[1].Path).To(Equal(clustersPath))
	g.Expect(calls[2].Path).To(Equal("/nothing"), "the newest are kept, in order")
	g.Expect(s.Count(cloudsim.OpListClusters)).To(Equal(5))
	g.Expect(s.Count(cloudsim.OpListPeerings)).To(Equal(1))
	g.Expect(s.Count(cloudsim.OpOther)).To(Equal(2))
	g.Expect(s.Count(cloudsim.OpAny)).To(Equal(8))
	g.Expect(fmt.Sprintf("%+v", calls)).NotTo(ContainSubstring("SECRET"))

	s.ResetCalls()
	g.Expect(s.Calls()).To(BeEmpty())
	g.Expect(s.Count(cloudsim.OpAny)).To(BeZero())
	_ = get(s, clustersPath, "")
	g.Expect(s.Calls()).To(HaveLen(1))
}

func TestACallIsRecordedWhenItsAnswerIsRead(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	server := start(t, s)
	for i := range 100 {
		_, err := do(t, http.MethodGet, server.URL+clustersPath+"?environment="+env, "KEY", "SECRET")
		g.Expect(err).NotTo(HaveOccurred())
		calls := s.Calls()
		g.Expect(calls).To(HaveLen(i + 1))
		g.Expect(calls[i].Status).To(Equal(http.StatusOK))
		g.Expect(calls[i].UserAgent).To(HavePrefix("Go-http-client"))
	}
}

func TestIntercept(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	_ = get(s, clustersPath, "")
	var paths []string
	s.Intercept(func(n int, r *http.Request) http.Handler {
		paths = append(paths, r.URL.Path)
		if n == 2 {
			return cloudsim.Status(http.StatusTeapot, "{}", nil)
		}
		return nil
	})
	g.Expect(get(s, clustersPath, "").status).To(Equal(200))
	g.Expect(ask(s.Handler(), http.MethodGet, peeringsPath, "", "", "").status).To(Equal(418), "asked before authentication")
	g.Expect(get(s, clustersPath, "").status).To(Equal(200))
	g.Expect(paths).To(Equal([]string{clustersPath, peeringsPath, clustersPath}))
	g.Expect(s.Calls()[2].Status).To(Equal(418), "faults are recorded like answers")
	s.Intercept(nil)
	_ = get(s, clustersPath, "")
	g.Expect(paths).To(HaveLen(3))
}

func TestFailNext(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	s.FailNext(cloudsim.OpListClusters, 2, cloudsim.Status(http.StatusBadGateway, "<html>", http.Header{"Content-Type": {"text/html"}}))
	s.FailNext(cloudsim.OpAny, 1, cloudsim.Status(http.StatusInternalServerError, `{"error_code":1}`, http.Header{"X-Request-Id": nil}))
	s.FailNext(cloudsim.OpAny, 0, cloudsim.Status(http.StatusTeapot, "", nil))
	a := get(s, clustersPath, "")
	g.Expect(a.status).To(Equal(502))
	g.Expect(a.body).To(Equal("<html>"))
	g.Expect(a.header.Get("Content-Type")).To(Equal("text/html"))
	b := get(s, peeringsPath, "")
	g.Expect(b.status).To(Equal(500))
	g.Expect(b.header.Get("Content-Type")).To(Equal("application/json"))
	g.Expect(b.header.Get("X-Request-Id")).To(BeEmpty(), "a header given as nil is taken away")
	g.Expect(get(s, clustersPath, "").status).To(Equal(502))
	g.Expect(get(s, clustersPath, "").status).To(Equal(200))

	s.FailNext(cloudsim.OpAny, 5, cloudsim.Status(http.StatusTeapot, "", nil))
	s.Intercept(func(int, *http.Request) http.Handler { return cloudsim.Status(http.StatusTeapot, "", nil) })
	s.ClearFaults()
	g.Expect(get(s, clustersPath, "").status).To(Equal(200))
}

func TestReset(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	server := start(t, s)
	s.FailNext(cloudsim.OpAny, 1, cloudsim.Reset())
	// Send a POST: after a reset, net/http would itself repeat a GET.
	_, err := do(t, http.MethodPost, server.URL+clustersPath, "KEY", "SECRET")
	g.Expect(err).To(Or(MatchError(syscall.ECONNRESET), MatchError(io.EOF)))
	g.Expect(s.Calls()[0].Status).To(BeZero())
	a, err := do(t, http.MethodGet, server.URL+clustersPath+"?environment="+env, "KEY", "SECRET")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(a.status).To(Equal(200))
}

func TestTruncate(t *testing.T) {
	s := simWith(numbered(1, 3))
	server := start(t, s)
	target := server.URL + clustersPath + "?environment=" + env
	whole, err := do(t, http.MethodGet, target, "KEY", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 700, len(whole.body) - 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			g := NewWithT(t)
			s.FailNext(cloudsim.OpListClusters, 1, cloudsim.Truncate(s.Usual(), n))
			a, err := do(t, http.MethodGet, target, "KEY", "SECRET")
			g.Expect(err).To(MatchError(io.ErrUnexpectedEOF))
			g.Expect(a.status).To(Equal(200))
			g.Expect(a.header.Get("Content-Length")).To(Equal(fmt.Sprint(len(whole.body))))
			g.Expect(a.body).To(Equal(whole.body[:n]))
		})
	}
}
