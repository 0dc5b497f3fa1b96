// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// longFilter returns a filter with more display names than a URL can carry.
func longFilter() ConnectionFilter {
	f := ConnectionFilter{Environment: "env-1", DisplayNames: make([]string, 100)}
	for i := range f.DisplayNames {
		f.DisplayNames[i] = fmt.Sprintf("team-%03d-production-peering-eu-central-1-primary", i)
	}
	return f
}

func TestAnItemThatIsLeftOutHereDidCome(t *testing.T) {
	f := longFilter()
	wanted, other := f.DisplayNames[0], "another"
	item := func(id, displayName string) string {
		return fmt.Sprintf(`{"id":%q,"spec":{"environment":{"id":"env-1"},"display_name":%q}}`, id, displayName)
	}
	for name, tt := range map[string]struct {
		total    int
		items    []string
		ids      []string
		complete string
	}{
		"one of two":                  {2, []string{item("p-1", wanted), item("p-2", other)}, []string{"p-1"}, ""},
		"all":                         {2, []string{item("p-1", other), item("p-2", other)}, nil, ""},
		"one that did not come":       {3, []string{item("p-1", wanted), item("p-2", other)}, []string{"p-1"}, "2 items came, total_size says 3"},
		"one twice":                   {3, []string{item("p-1", wanted), item("p-2", other), item("p-2", other)}, []string{"p-1"}, "2 items came, total_size says 3"},
		"taken, then left out":        {2, []string{item("p-1", wanted), item("p-2", wanted), item("p-2", other)}, []string{"p-1"}, ""},
		"left out, then taken":        {2, []string{item("p-1", wanted), item("p-2", other), item("p-2", wanted)}, []string{"p-1", "p-2"}, ""},
		"taken, left out, then taken": {2, []string{item("p-2", wanted), item("p-1", wanted), item("p-2", other), item("p-2", wanted)}, []string{"p-2", "p-1"}, ""},
		"left out, then unreadable":   {2, []string{item("p-1", wanted), item("p-2", other), `{"id":"p-2","spec":7}`}, []string{"p-1"}, "1 of 2 items cannot be read: p-2"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			body := fmt.Sprintf(`{"kind":"PeeringList","metadata":{"total_size":%d},"data":[%s]}`, tt.total, strings.Join(tt.items, ","))
			client := newCloud(t, inTurn(body)).client(t)
			decoded := 0
			list := func(index *Index) (*Listing[string], []string) {
				l, err := List(t.Context(), client, Peerings, f, index, func(p *wire.Peering) string { decoded++; return p.ID })
				g.Expect(err).NotTo(HaveOccurred())
				if tt.complete == "" {
					g.Expect(l.Complete()).To(Succeed())
				} else {
					g.Expect(l.Complete()).To(MatchError(ContainSubstring(tt.complete)))
				}
				var ids []string
				for _, item := range l.Items {
					ids = append(ids, item.ID)
				}
				return l, ids
			}
			first, ids := list(nil)
			g.Expect(ids).To(Equal(tt.ids))

			if strings.Contains(name, "then") {
				return // an object that came in two states is decoded again
			}
			decoded = 0
			again, ids := list(first.Index)
			g.Expect(ids).To(Equal(tt.ids))
			g.Expect(again.Unchanged).To(BeTrue())
			g.Expect(again.Index).To(BeIdenticalTo(first.Index))
			g.Expect(decoded).To(BeZero())
		})
	}
}

func TestAForeignItemIsNotLeftOutHere(t *testing.T) {
	g := NewWithT(t)
	f := longFilter()
	body := fmt.Sprintf(`{"kind":"PeeringList","metadata":{"total_size":2},"data":[{"id":"p-1","spec":{"display_name":%q}},`+
		`{"id":"p-2","spec":{"environment":{"id":"env-2"},"display_name":"another"}}]}`, f.DisplayNames[0])
	l, err := listPeerings(t.Context(), newCloud(t, inTurn(body)).client(t), f, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(MatchError(ContainSubstring("p-2 (of another environment than was asked for)")), "it did not come in place of one that was asked for")
}

func TestAnItemThatIsNewlyLeftOutIsRemembered(t *testing.T) {
	g := NewWithT(t)
	f := longFilter()
	one := fmt.Sprintf(`{"id":"p-1","spec":{"display_name":%q}}`, f.DisplayNames[0])
	const other = `{"id":"p-2","spec":{"display_name":"another"}}`
	page := func(items ...string) string {
		return `{"kind":"PeeringList","data":[` + strings.Join(items, ",") + `]}`
	}
	client := newCloud(t, inTurn(page(one), page(one, other), page(one, other))).client(t)
	var index *Index
	for _, unchanged := range []bool{false, true, true} {
		l, err := listPeerings(t.Context(), client, f, index)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(l.Unchanged).To(Equal(unchanged))
		g.Expect(l.Index.IDs()).To(ConsistOf("p-1"))
		index = l.Index
	}
	g.Expect(index.leftOutIDs).To(HaveLen(1))
}

func TestWhichFilterIsAppliedHereDoesNotChange(t *testing.T) {
	g := NewWithT(t)
	values := make([]string, 100)
	for i := range values {
		values[i] = fmt.Sprintf("%03d-%s", i, strings.Repeat("x", 40))
	}
	longest := params{paramEnvironment: {"env-1"}, paramNetwork: nil, "spec.a": values, "spec.b": values}
	for range 50 {
		q := newQuery(longest)
		g.Expect(q.localParams).To(HaveLen(2))
		q = newQuery(params{paramEnvironment: {"env-1"}, "spec.a": values[:60], "spec.b": values[:60]})
		g.Expect(q.localParams).To(And(HaveLen(1), HaveKey("spec.a")))
	}
}
