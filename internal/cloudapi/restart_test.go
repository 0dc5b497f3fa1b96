// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAPageTokenThatIsRefusedStartsTheListingOverOnce(t *testing.T) {
	tests := map[string]string{
		"named":     `{"errors":[{"code":"invalid_filter","source":{"parameter":"page_token"}}]}`,
		"not named": `{"error_code":400,"message":"Bad Request"}`,
		"no body":   ``,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			first, refusals := 0, 1
			c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case !r.URL.Query().Has("page_token"):
					first++
					answer(w, 200, clusterPage(next("t"), clusterItem("lkc-"+strings.Repeat("x", first), "")))
				case refusals > 0:
					refusals--
					answer(w, 400, body)
				default:
					answer(w, 200, clusterPage(`{"total_size":2}`, clusterItem("lkc-last", "")))
				}
			})
			l, err := c.list(t, f.use)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-xx", "lkc-last"}), "nothing of the first time is left")
			g.Expect(l.Pages).To(Equal(2))
			g.Expect(l.Complete()).To(Succeed())
			g.Expect(c.asked()).To(HaveLen(4))
			g.Expect(f.slept).To(BeEmpty())

			refusals = 1000
			l, err = c.list(t, f.use)
			g.Expect(l).To(BeNil())
			expectError(t, err, InvalidRequest)
			g.Expect(c.asked()).To(HaveLen(4+4), "once, not again and again")
		})
	}
}

func TestNothingElseStartsAListingOver(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"404":       status(404, nil),
		"403":       status(403, nil),
		"malformed": inTurn("{}"),
		"503":       status(503, nil),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			c := newCloud(t, failing(1000, handler))
			_, err := c.list(t, f.use)
			g.Expect(err).To(HaveOccurred())
			firsts := 0
			for _, r := range c.asked() {
				if !r.URL.Query().Has("page_token") {
					firsts++
				}
			}
			g.Expect(firsts).To(Equal(1))
		})
	}
}
