// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

func TestOneOddItemCostsNoOther(t *testing.T) {
	long := strings.Repeat("é", maxIDLength)
	tests := map[string]struct{ item, id, reason string }{
		"null":               {`null`, "", "null, want object"},
		"string":             {`"lkc-x"`, "", "string, want object"},
		"number":             {`12345678`, "", "number, want object"},
		"bool":               {`true`, "", "bool, want object"},
		"array":              {`[{"id":"lkc-x"}]`, "", "array, want object"},
		"no id":              {`{"spec":{}}`, "", "id: missing or empty"},
		"null id":            {`{"id":null}`, "", "id: missing or empty"},
		"empty id":           {`{"id":""}`, "", "id: missing or empty"},
		"id of wrong type":   {`{"id":12345678}`, "", "id: number, want string"},
		"id too long":        {`{"id":"` + long + `x"}`, "", "id: longer than 255 characters"},
		"cku string":         {`{"id":"lkc-x","spec":{"config":{"cku":"two"}}}`, "lkc-x", "spec.config.cku: string, want int32"},
		"cku too large":      {`{"id":"lkc-x","spec":{"config":{"cku":12345678901}}}`, "lkc-x", "spec.config.cku: number, want int32"},
		"cku fraction":       {`{"status":{"cku":1.5},"id":"lkc-x"}`, "lkc-x", "status.cku: number, want int32"},
		"cku list":           {`{"id":"lkc-x","spec":{"config":{"cku":[2]}}}`, "lkc-x", "spec.config.cku: array, want int32"},
		"id twice":           {`{"id":"lkc-x","id":"lkc-y"}`, "", "a member comes twice"},
		"a member twice":     {`{"id":"lkc-x","spec":{"cloud":"AWS","cloud":"GCP"}}`, "lkc-x", "a member comes twice"},
		"unknown twice":      {`{"id":"lkc-x","new":1,"new":2}`, "lkc-x", "a member comes twice"},
		"not UTF-8":          {"{\"id\":\"lkc-x\",\"spec\":{\"display_name\":\"\xff\"}}", "lkc-x", "text that is not unicode"},
		"half a surrogate":   {`{"id":"lkc-x","spec":{"display_name":"\ud800"}}`, "lkc-x", "text that is not unicode"},
		"ID alone":           {`{"ID":"lkc-x"}`, "", "id: missing or empty"},
		"deep":               {`{"id":"lkc-x","new":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "", "nests deeper than JSON is decoded"},
		"deep, nothing else": {strings.Repeat("[", 30_000) + `"]"` + strings.Repeat("]", 30_000), "", "nests deeper than JSON is decoded"},
		"of another place":   {`{"id":"lkc-x","spec":{"environment":{"id":"env-2"}}}`, "lkc-x", "of another environment than was asked for"},
		"id last":            {`{"spec":[12345678],"id":"lkc-x"}`, "lkc-x", "spec: array, want object"},
		"endpoints array":    {`{"id":"lkc-x","spec":{"endpoints":[]}}`, "lkc-x", "spec.endpoints: array, want object"},
		"endpoint string":    {`{"id":"lkc-x","spec":{"endpoints":{"12345678":"x"}}}`, "lkc-x", "spec.endpoints: string, want object"},
		"zones string":       {`{"id":"lkc-x","spec":{"config":{"zones":"a"}}}`, "lkc-x", "spec.config.zones: string, want array"},
		"protection string":  {`{"id":"lkc-x","spec":{"deletion_protection":"yes"}}`, "lkc-x", "spec.deletion_protection: string, want bool"},
		"date of wrong type": {`{"id":"lkc-x","metadata":{"created_at":12345678}}`, "lkc-x", "metadata.created_at: number, want string"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, inTurn(
				clusterPage(next("a"), clusterItem("lkc-1", "")),
				clusterPage(`{}`, clusterItem("lkc-2", ""), tt.item, clusterItem("lkc-3", "")),
			))
			l, err := c.list(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2", "lkc-3"}))
			g.Expect(l.Unreadable).To(Equal([]UnreadableItem{{ID: tt.id, Page: 2, Index: 1, Reason: tt.reason}}))

			who := tt.id
			if who == "" {
				who = "item 2 of page 2"
			}
			e := expectError(t, l.Complete(), Incomplete)
			g.Expect(e.Error()).To(Equal("listCmkV2Clusters: 200 OK: incomplete listing: 1 of 4 items cannot be read: " +
				who + " (" + tt.reason + ") (request id req-1)"))
			g.Expect(e.Error()).NotTo(ContainSubstring("12345678"))
		})
	}
}

func TestWhatThisVersionDoesNotKnowIsReadable(t *testing.T) {
	tests := map[string]string{
		"only an id":       `{"id":"lkc-1"}`,
		"null members":     `{"id":"lkc-1","metadata":null,"spec":null,"status":null}`,
		"no phase":         `{"id":"lkc-1","status":{"phase":null,"cku":null}}`,
		"unknown words":    `{"id":"lkc-1","kind":"x.Cluster","spec":{"cloud":"MOON","config":{"kind":"Gigantic","new":[1]}},"status":{"phase":"SLEEPING"}}`,
		"unknown members":  `{"id":"lkc-1","new":{"a":[{}]},"spec":{"deletion_protection":true}}`,
		"bad date":         `{"id":"lkc-1","metadata":{"created_at":"yesterday","self":"no url"}}`,
		"id of 255":        `{"id":"` + strings.Repeat("é", maxIDLength) + `"}`,
		"id no valid name": `{"id":"LKC_1 / ü"}`,
	}
	for name, item := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, err := newCloud(t, inTurn(clusterPage(`{"total_size":1}`, item))).list(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Items).To(HaveLen(1))
			g.Expect(l.Complete()).To(Succeed())
		})
	}
}

func TestNoPeeringIsLostForAnOddOne(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(`{"kind":"PeeringList","metadata":{},"data":[
		{"id":"peer-1","spec":{"cloud":{"kind":"networking.v1.AwsPeering"}}},
		{"id":"peer-2","spec":{"cloud":{"import_custom_routes":"no"}}},
		{"id":"peer-3","status":{"phase":"READY"}}]}`))
	l, err := listPeerings(t.Context(), c.client(t), ConnectionFilter{Environment: "env-1"}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Items).To(HaveLen(2))
	g.Expect(l.Unreadable).To(Equal([]UnreadableItem{
		{ID: "peer-2", Page: 1, Index: 1, Reason: "spec.cloud.import_custom_routes: string, want bool"}}))
	g.Expect(l.Complete()).To(MatchError(ContainSubstring("listNetworkingV1Peerings")))
}

func TestFewerItemsThanTotalSizeIsIncomplete(t *testing.T) {
	one, two := clusterItem("lkc-1", ""), clusterItem("lkc-2", "")
	tests := map[string]struct {
		pages []string
		want  string
	}{
		"equal":                    {[]string{clusterPage(`{"total_size":2}`, one, two)}, ""},
		"too low":                  {[]string{clusterPage(`{"total_size":1}`, one, two)}, ""},
		"zero":                     {[]string{clusterPage(`{"total_size":0}`, one, two)}, ""},
		"negative":                 {[]string{clusterPage(`{"total_size":-1}`, one, two)}, ""},
		"null":                     {[]string{clusterPage(`{"total_size":null}`, one, two)}, ""},
		"too high":                 {[]string{clusterPage(`{"total_size":3}`, one, two)}, "2 items came, total_size says 3"},
		"none came":                {[]string{clusterPage(`{"total_size":1}`)}, "0 items came, total_size says 1"},
		"one came twice":           {[]string{clusterPage(`{"total_size":2}`, one, one)}, "1 items came, total_size says 2"},
		"an unreadable one counts": {[]string{clusterPage(`{"total_size":2}`, one, `{"id":"lkc-2","spec":1}`)}, "1 of 2 items cannot be read: lkc-2 (spec: number, want object) (request"},
		"an unreadable one and one missing": {[]string{clusterPage(`{"total_size":3}`, one, `{"id":"lkc-2","spec":1}`)},
			"1 of 2 items cannot be read: lkc-2 (spec: number, want object); 2 items came, total_size says 3"},
		"fell while listing, what went had come": {[]string{clusterPage(`{"next":"?page_token=a","total_size":3}`, one, two),
			clusterPage(`{"total_size":2}`, clusterItem("lkc-3", ""))}, ""},
		// There are three clusters. After the first page, cluster 1 is deleted, and cluster 2 moves
		// to the first page. So cluster 2 is never seen.
		"fell while listing, one slipped through": {[]string{clusterPage(`{"next":"?page_token=a","total_size":3}`, one),
			clusterPage(`{"total_size":2}`, clusterItem("lkc-3", ""))}, "2 items came, total_size says 3"},
		"was zero at last": {[]string{clusterPage(`{"next":"?page_token=a","total_size":3}`, one),
			clusterPage(`{"total_size":0}`, two)}, "2 items came, total_size says 3"},
		"was negative at first": {[]string{clusterPage(`{"next":"?page_token=a","total_size":-1}`, one),
			clusterPage(`{"total_size":2}`, two)}, ""},
		"rose while listing":   {[]string{clusterPage(`{"next":"?page_token=a","total_size":2}`, one), clusterPage(`{"total_size":3}`, two)}, "2 items came, total_size says 3"},
		"on the first page":    {[]string{clusterPage(`{"next":"?page_token=a","total_size":3}`, one), clusterPage(`{}`, two)}, "2 items came, total_size says 3"},
		"of the page, not all": {[]string{clusterPage(`{"next":"?page_token=a","total_size":1}`, one), clusterPage(`{"total_size":1}`, two)}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, err := newCloud(t, inTurn(tt.pages...)).list(t)
			g.Expect(err).NotTo(HaveOccurred())
			if tt.want == "" {
				g.Expect(l.Complete()).To(Succeed())
				return
			}
			e := expectError(t, l.Complete(), Incomplete)
			g.Expect(e.Error()).To(ContainSubstring(tt.want))
			g.Expect(e.RequestID).To(Equal("req-1"))
		})
	}
}

func TestOfAnItemThatComesTwiceTheLastCounts(t *testing.T) {
	const odd = `{"id":"lkc-1","spec":5}`
	one, two := clusterItem("lkc-1", "readable"), clusterItem("lkc-2", "")
	tests := map[string]struct {
		pages []string
		items []string
	}{
		"unreadable last":             {[]string{clusterPage(next("a"), one, two), clusterPage(`{}`, odd)}, []string{"lkc-2"}},
		"unreadable last, one page":   {[]string{clusterPage(`{}`, one, odd, two)}, []string{"lkc-2"}},
		"readable last":               {[]string{clusterPage(next("a"), odd, two), clusterPage(`{}`, one)}, []string{"lkc-2", "lkc-1"}},
		"readable, unreadable, again": {[]string{clusterPage(`{}`, one, two, odd, one)}, []string{"lkc-1", "lkc-2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, err := newCloud(t, inTurn(tt.pages...)).list(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(ids(l.Items)).To(Equal(tt.items))
			g.Expect(l.Unreadable).To(HaveLen(1))
			expectError(t, l.Complete(), Incomplete)
		})
	}
}

func TestCompleteNamesTheFirstFewUnreadableItems(t *testing.T) {
	g := NewWithT(t)
	var items []string
	for i := range 8 {
		items = append(items, fmt.Sprintf(`{"id":"lkc-%d\u001b[31m\n%s","spec":1}`, i, strings.Repeat("x", 100)))
	}
	l, err := newCloud(t, inTurn(clusterPage(`{}`, items...))).list(t)
	g.Expect(err).NotTo(HaveOccurred())
	text := expectError(t, l.Complete(), Incomplete).Error()
	g.Expect(text).To(ContainSubstring("8 of 8 items cannot be read: lkc-0 [31m x"))
	g.Expect(text).To(ContainSubstring("lkc-4"))
	g.Expect(text).NotTo(ContainSubstring("lkc-5"))
	g.Expect(text).To(ContainSubstring("and 3 more"))
	g.Expect(text).NotTo(ContainSubstring("\x1b"))
	g.Expect(len(text)).To(BeNumerically("<", 800))
}

func TestAListingThatWasNeverReadIsNotComplete(t *testing.T) {
	expectError(t, (&Listing[*wire.Cluster]{}).Complete(), Incomplete)
	expectError(t, (*Listing[*wire.Cluster])(nil).Complete(), Incomplete)
}
