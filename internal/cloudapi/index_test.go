// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// changed returns the IDs of the items that were decoded.
func changed(l *Listing[*wire.Cluster]) []string {
	out := []string{}
	for _, item := range l.Items {
		if !item.Known {
			out = append(out, item.ID)
		}
	}
	return out
}

func TestAnItemWithTheBytesOfTheLastListingIsNotDecoded(t *testing.T) {
	item := func(id string) string { return clusterItem(id, "first") }
	before := []string{item("lkc-1"), item("lkc-2"), item("lkc-3")}
	for name, tt := range map[string]struct {
		now        []string
		ids        []string
		changed    []string
		unchanged  bool
		unreadable int
	}{
		"the same":                        {before, []string{"lkc-1", "lkc-2", "lkc-3"}, nil, true, 0},
		"in another order":                {[]string{before[2], before[0], before[1]}, []string{"lkc-3", "lkc-1", "lkc-2"}, nil, true, 0},
		"one twice":                       {append(slices.Clone(before), before[0]), []string{"lkc-1", "lkc-2", "lkc-3"}, nil, true, 0},
		"one less":                        {before[:2], []string{"lkc-1", "lkc-2"}, nil, false, 0},
		"none":                            {nil, nil, nil, false, 0},
		"one more":                        {append(slices.Clone(before), item("lkc-4")), []string{"lkc-1", "lkc-2", "lkc-3", "lkc-4"}, []string{"lkc-4"}, false, 0},
		"one changed":                     {[]string{before[0], clusterItem("lkc-2", "other"), before[2]}, []string{"lkc-1", "lkc-2", "lkc-3"}, []string{"lkc-2"}, false, 0},
		"one written otherwise":           {[]string{before[0], strings.Replace(before[1], ":", ": ", 1), before[2]}, []string{"lkc-1", "lkc-2", "lkc-3"}, []string{"lkc-2"}, false, 0},
		"one exchanged for another":       {[]string{before[0], before[1], item("lkc-9")}, []string{"lkc-1", "lkc-2", "lkc-9"}, []string{"lkc-9"}, false, 0},
		"one changed, then as it was":     {[]string{before[0], clusterItem("lkc-2", "other"), before[2], before[1]}, []string{"lkc-1", "lkc-2", "lkc-3"}, nil, true, 0},
		"one as it was, then changed":     {append(slices.Clone(before), clusterItem("lkc-2", "other")), []string{"lkc-1", "lkc-2", "lkc-3"}, []string{"lkc-2"}, false, 0},
		"one that cannot be read besides": {append(slices.Clone(before), "7"), []string{"lkc-1", "lkc-2", "lkc-3"}, nil, false, 1},
		"one that comes again unreadable": {append(slices.Clone(before), `{"id":"lkc-2","spec":7}`), []string{"lkc-1", "lkc-3"}, nil, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, inTurn(clusterPage(`{}`, before...), clusterPage(`{}`, tt.now...), clusterPage(`{}`, tt.now...)))
			client := c.client(t)
			first, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(first.Unchanged).To(BeFalse())
			g.Expect(changed(first)).To(HaveLen(3))
			l, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, first.Index)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal(tt.ids))
			g.Expect(changed(l)).To(ConsistOf(tt.changed))
			g.Expect(l.Unchanged).To(Equal(tt.unchanged))
			g.Expect(l.Unreadable).To(HaveLen(tt.unreadable))
			if tt.unchanged {
				g.Expect(l.Index).To(BeIdenticalTo(first.Index))
			}

			again, err := listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, l.Index)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(again.Unchanged).To(Equal(tt.unreadable == 0 && len(tt.ids) > 0 || len(tt.ids) == 0))
		})
	}
}

// A listing with an index has the same content as a listing without an index, whatever the listings
// before had.
func TestAnIndexNeverChangesWhatAListingTells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		op := listingOf(Clusters, DefaultLimits)
		known := map[string]wire.Cluster{}
		for range rapid.IntRange(1, 6).Draw(t, "listings") {
			var items []string
			for range rapid.IntRange(0, 8).Draw(t, "items") {
				items = append(items, rapid.SampledFrom([]string{
					clusterItem("lkc-1", "a"), clusterItem("lkc-1", "b"), clusterItem("lkc-2", "a"), clusterItem("lkc-3", "a"),
					clusterItem("lkc-4", "a"), `{"id":"lkc-2","spec":7}`, `{"id":"lkc-3"}`, `7`,
				}).Draw(t, "item"))
			}
			body := clusterPage(`{}`, items...)
			read := func(index *Index) *Listing[*wire.Cluster] {
				a := *op
				a.index = index
				p, err := decodePage(newBody(t.Context(), strings.NewReader(body), 1<<20), &a)
				g.Expect(err).NotTo(HaveOccurred())
				pages := newCollector(&a)
				g.Expect(pages.addPage(p)).To(Succeed())
				return pages.finishListing()
			}
			l, whole := read(op.index), read(nil)
			g.Expect(ids(l.Items)).To(Equal(ids(whole.Items)))
			g.Expect(l.Unreadable).To(Equal(whole.Unreadable))
			now := map[string]wire.Cluster{}
			for i, item := range l.Items {
				now[item.ID] = known[item.ID]
				if !item.Known {
					now[item.ID] = *item.Value
				}
				g.Expect(now[item.ID]).To(Equal(*whole.Items[i].Value))
			}
			known, op.index = now, l.Index
		}
	})
}

func TestScanningWhatIsKnownAllocatesNothingForAnItem(t *testing.T) {
	g := NewWithT(t)
	items := make([]string, 100)
	for i := range items {
		items[i] = fmt.Sprintf(strings.ReplaceAll(fullCluster, "\n", ""), i)
	}
	body := clusterPage(`{}`, items...)
	a := listingOf(Clusters, DefaultLimits)
	read := func() *page[*wire.Cluster] {
		p, err := decodePage(newBody(t.Context(), strings.NewReader(body), 1<<20), a)
		g.Expect(err).NotTo(HaveOccurred())
		return p
	}
	pages := newCollector(a)
	g.Expect(pages.addPage(read())).To(Succeed())
	a.index = pages.finishListing().Index
	g.Expect(testing.AllocsPerRun(20, func() { read() })).To(BeNumerically("<", 50), "for 100 items")
}

func TestNumbersAndEndpointsAreReadHoweverTheyAreWritten(t *testing.T) {
	g := NewWithT(t)
	l, err := newCloud(t, inTurn(clusterPage(`{"total_size":"3"}`,
		`{"id":"lkc-1","status":{"cku":2.0},"spec":{"config":{"cku":"3","max_ecku":"5.0","zones":["z1",null]},"endpoints":{"ap1":{},"ap2":null}}}`,
		`{"id":"lkc-2","ID":"lkc-9","Status":{"phase":"no"},"status":{"phase":"PROVISIONED","cku":null}}`,
		`{"id":"lkc-3","spec":{"environment":{"id":""},"network":{"id":"n-1"}}}`,
	))).list(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	first := l.Items[0].Value
	g.Expect([]int32{first.Status.CKU, first.Spec.Config.CKU, first.Spec.Config.MaxECKU}).To(Equal([]int32{2, 3, 5}))
	g.Expect(first.Spec.Config.Zones).To(Equal([]string{"z1"}))
	g.Expect(first.Spec.Endpoints).To(HaveLen(1))
	g.Expect(first.Spec.Endpoints).To(HaveKey("ap1"))
	g.Expect(l.Items[1].ID).To(Equal("lkc-2"), "names match exactly")
	g.Expect(l.Items[1].Value.Status.Phase).To(Equal("PROVISIONED"))
}

func TestAnItemOfAnotherNetworkThanWasAskedForIsUnreadable(t *testing.T) {
	g := NewWithT(t)
	item := func(id, network string) string {
		return fmt.Sprintf(`{"id":%q,"spec":{"network":{"id":%q},"environment":{"id":"env-1"}}}`, id, network)
	}
	c := newCloud(t, inTurn(clusterPage(`{}`, item("lkc-1", "n-1"), item("lkc-2", "n-3"), item("lkc-3", ""))))
	l, err := listClusters(t.Context(), c.client(t), ClusterFilter{Environment: "env-1", Networks: []string{"n-1", "n-2"}}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-3"}))
	g.Expect(l.Unreadable).To(ConsistOf(And(HaveField("ID", "lkc-2"), HaveField("Reason", "of another network than was asked for"))))
}

func TestAPageHoldsNoManyTimesWhatWasAskedFor(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(`{"kind":"ClusterList","data":[{"id":"n"}`+strings.Repeat(`,{"id":"n"}`, 250_000-1)+`]}`))
	l, err := c.list(t)
	g.Expect(l).To(BeNil())
	g.Expect(expectError(t, err, Incomplete).Error()).To(ContainSubstring("more than 1000 items on a page, 100 were asked for"))
}

func TestSmallerPagesAreAskedForWhereThePageSizeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		body  string
		sizes []string
	}{
		"by the parameter": {`{"errors":[{"status":"400","source":{"parameter":"page_size"}}]}`, []string{"1000", "100", "10"}},
		"in words":         {`{"errors":[{"detail":"Page size must be at most 10"}]}`, []string{"1000", "100", "10"}},
		"another":          {`{"errors":[{"source":{"parameter":"environment"}}]}`, []string{"1000"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page_size") != "10" {
					answer(w, 400, tt.body)
					return
				}
				answer(w, 200, `{"kind":"PeeringList","data":[{"id":"p-1"}]}`)
			})
			l, err := listPeerings(t.Context(), c.client(t), ConnectionFilter{Environment: "env-1"}, nil)
			var sizes []string
			for _, r := range c.asked() {
				sizes = append(sizes, r.URL.Query().Get("page_size"))
			}
			g.Expect(sizes).To(Equal(tt.sizes))
			if len(tt.sizes) == 1 {
				expectError(t, err, InvalidRequest)
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Items).To(HaveLen(1))
		})
	}
}

func TestAFilterTooLongForAURLIsAppliedToWhatComes(t *testing.T) {
	g := NewWithT(t)
	values := func(prefix string) []string {
		out := make([]string, 100)
		for i := range out {
			out[i] = fmt.Sprintf("%s-%03d%s", prefix, i, strings.Repeat("x", 240))
		}
		return out
	}
	f := ConnectionFilter{Environment: "env-1", Networks: values("n"), DisplayNames: values("name"), Phases: values("PHASE")}
	item := func(id, network, displayName, phase string) string {
		return fmt.Sprintf(`{"id":%q,"spec":{"environment":{"id":"env-1"},"display_name":%q,"network":{"id":%q}},"status":{"phase":%q}}`,
			id, displayName, network, phase)
	}
	c := newCloud(t, inTurn(`{"kind":"PeeringList","data":[`+strings.Join([]string{
		item("p-1", f.Networks[99], f.DisplayNames[0], f.Phases[50]),
		item("p-2", "n-other", f.DisplayNames[0], f.Phases[50]),
		item("p-3", f.Networks[0], "other", f.Phases[50]),
		item("p-4", f.Networks[0], f.DisplayNames[0], "OTHER"),
	}, ",")+`]}`))
	l, err := listPeerings(t.Context(), c.client(t), f, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(Succeed())
	g.Expect(l.Items).To(HaveLen(1))
	g.Expect(l.Items[0].ID).To(Equal("p-1"))
	g.Expect(len(c.asked()[0].URL.String())).To(BeNumerically("<", 8<<10))
}
