package cloudsim_test

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

func TestAServerStartsAndCloses(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	server, err := s.Start()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.URL).To(HavePrefix("http://127.0.0.1:"))
	more, err := server.Serve("more", "127.0.0.1:0", cloudsim.Status(http.StatusTeapot, "", nil))
	g.Expect(err).NotTo(HaveOccurred())
	for target, status := range map[string]int{server.URL + clustersPath + "?environment=" + env: http.StatusOK, more: http.StatusTeapot} {
		a, err := do(t, http.MethodGet, target, "KEY", "SECRET")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.status).To(Equal(status))
	}
	server.Close()
	server.Close()
	for _, target := range []string{server.URL, server.ForeignURL, more} {
		_, err = do(t, http.MethodGet, target, "", "")
		g.Expect(err).To(HaveOccurred())
	}
}

func TestABusyAddressIsNamed(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	server := start(t, s)
	busy := strings.TrimPrefix(server.URL, "http://")
	_, err := s.StartOn(busy)
	g.Expect(err).To(MatchError(And(ContainSubstring(busy), ContainSubstring("address already in use"))))
	_, err = server.Serve("the admin interface", busy, s.Handler())
	g.Expect(err).To(MatchError(And(ContainSubstring("admin interface on "+busy), ContainSubstring("address already in use"))))
}

func TestAServerOnEveryAddressNamesOneThatWorks(t *testing.T) {
	g := NewWithT(t)
	server, err := newSim(cloudsim.Options{}).StartOn(":0")
	g.Expect(err).NotTo(HaveOccurred())
	defer server.Close()
	g.Expect(server.URL).To(HavePrefix("http://127.0.0.1:"))
	more, err := server.Serve("more", "0.0.0.0:0", cloudsim.Status(http.StatusOK, "", nil))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(more).To(HavePrefix("http://127.0.0.1:"))
}
