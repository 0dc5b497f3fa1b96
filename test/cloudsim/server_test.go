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
	for _, target := range []string{server.URL + clustersPath + "?environment=" + env, server.AdminURL + "/inventory"} {
		a, err := do(t, http.MethodGet, target, "KEY", "SECRET")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.status).To(Equal(http.StatusOK))
	}
	server.Close()
	server.Close()
	_, err = do(t, http.MethodGet, server.URL, "", "")
	g.Expect(err).To(HaveOccurred())
}

func TestABusyAddressIsNamed(t *testing.T) {
	g := NewWithT(t)
	s := newSim(cloudsim.Options{})
	server := start(t, s)
	busy := strings.TrimPrefix(server.AdminURL, "http://")
	_, err := s.StartOn(busy, "127.0.0.1:0")
	g.Expect(err).To(MatchError(And(ContainSubstring(busy), ContainSubstring("address already in use"))))
	_, err = s.StartOn("127.0.0.1:0", busy)
	g.Expect(err).To(MatchError(And(ContainSubstring("admin interface on "+busy), ContainSubstring("address already in use"))))
}

func TestAServerOnEveryAddressNamesOneThatWorks(t *testing.T) {
	g := NewWithT(t)
	server, err := newSim(cloudsim.Options{}).StartOn(":0", "0.0.0.0:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer server.Close()
	g.Expect(server.URL).To(HavePrefix("http://127.0.0.1:"))
	g.Expect(server.AdminURL).To(HavePrefix("http://127.0.0.1:"))
}
