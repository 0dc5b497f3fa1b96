package cloudsim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// BenchmarkPage serves a page from the middle of a small and of a large inventory. The results
// should hardly differ.
func BenchmarkPage(b *testing.B) {
	for _, size := range []int{1_000, 10_000, 100_000} {
		s := newSim(cloudsim.Options{})
		for i := range size {
			s.PutCluster(clusterIn(fmt.Sprintf("lkc-%06d", i), fmt.Sprintf("n-%d", i%2)))
		}
		for name, filter := range map[string]string{"all": "", "filtered": "&spec.network=n-1"} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				g := NewWithT(b)
				last := get(s, clustersPath, "&page_size=100"+filter).list(g).Metadata.Last
				middle := get(s, clustersPath, "&page_size=100"+filter+"&page_token="+token(g, last)).list(g).Metadata.Prev
				r := httptest.NewRequest(http.MethodGet, *middle, nil)
				r.SetBasicAuth("KEY", "SECRET")
				h := s.Handler()
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						b.Fatal(w.Body.String())
					}
				}
			})
		}
	}
}

// BenchmarkPut replaces one object of a large inventory.
func BenchmarkPut(b *testing.B) {
	s := newSim(cloudsim.Options{})
	for i := range 100_000 {
		s.PutCluster(cluster(fmt.Sprintf("lkc-%06d", i)))
	}
	phases := []string{cloudsim.PhaseProvisioned, cloudsim.PhaseFailed}
	c := cluster("lkc-050000")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Status.Phase = phases[i%2]
		s.PutCluster(c)
	}
}

// BenchmarkSeed makes 1,000 clusters and 1,000 peerings.
func BenchmarkSeed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		cloudsim.Seed(cloudsim.New(cloudsim.Options{}), cloudsim.SeedOptions{Clusters: 1000, Peerings: 1000})
	}
}
