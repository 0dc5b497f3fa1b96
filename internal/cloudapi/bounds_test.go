// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// deepItem nests deeper than JSON is decoded.
var deepItem = strings.Repeat("[", 10_050) + strings.Repeat("]", 10_050)

// serving is a transport without a network. It answers every request with the page that page
// returns.
func serving(page func(r *http.Request) string) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: header("Content-Type", "application/json"),
			Body: io.NopCloser(strings.NewReader(page(r))), Request: r}, nil
	})
}

// clientOf returns a client that uses this transport.
func clientOf(t *testing.T, transport http.RoundTripper, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{Endpoint: "https://api.example", Credential: testCredential, UserAgent: testUserAgent, Transport: transport, Retry: Retry{Attempts: 1}}
	for _, f := range change {
		f(&o)
	}
	client, err := New(o)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return client
}

var inEnv1 = ClusterFilter{Environment: "env-1"}

func TestItemsThatCannotBeDecodedCostNoOtherAWayTwice(t *testing.T) {
	long := `{"id":"lkc-long","new":"` + strings.Repeat("x", maxValueBytes) + `"}`
	for name, tt := range map[string]struct {
		odd    string
		n      int
		id     string
		reason string
	}{
		"deep":                {deepItem, 400, "", tooDeep},
		"deep objects":        {strings.Repeat(`{"a":`, 10_050) + "1" + strings.Repeat("}", 10_050), 300, "", tooDeep},
		"brackets in a text":  {strings.Repeat("[", 10_050) + `"]\"]\\",{"[":1}` + strings.Repeat("]", 10_050), 100, "", tooDeep},
		"long":                {long, 5, "", tooLong},
		"a long text":         {`"` + strings.Repeat("[", 2*maxValueBytes) + `"`, 2, "", tooLong},
		"too many members":    {`{"id":"lkc-x"` + strings.Repeat(`,"a":0`, maxValues) + `}`, 100, "lkc-x", tooMany},
		"too many empty ones": {`{"new":[{}` + strings.Repeat(",{}", maxValues) + `],"id":"lkc-x"}`, 100, "lkc-x", tooMany},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			items := []string{clusterItem("lkc-1", "")}
			for range tt.n {
				items = append(items, tt.odd+" ")
			}
			items = append(items, clusterItem("lkc-2", ""))
			decoded := 0
			l, err := List(t.Context(), clientOf(t, serving(func(*http.Request) string { return clusterPage(`{"total_size":2}`, items...) })),
				Clusters, inEnv1, nil, func(c *wire.Cluster) string { decoded++; return c.ID })
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Items).To(Equal([]Item[string]{{ID: "lkc-1", Value: "lkc-1"}, {ID: "lkc-2", Value: "lkc-2"}}))
			g.Expect(l.Unreadable).To(HaveLen(tt.n))
			g.Expect(l.Unreadable[tt.n-1]).To(Equal(UnreadableItem{ID: tt.id, Page: 1, Index: tt.n, Reason: tt.reason}))
			g.Expect(decoded).To(Equal(2), "no item is read again for the sake of another")
			expectError(t, l.Complete(), Incomplete)
		})
	}
}

func TestAnEnvelopeIsBounded(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"m%d":0`, i)
		}
		return b.String()
	}
	text := strings.Repeat("x", maxValueBytes)
	for name, tt := range map[string]struct{ body, want string }{
		"as many members as allowed": {`{"kind":"ClusterList","data":[]` + members(maxMembers-2) + `}`, ""},
		"one more":                   {`{"kind":"ClusterList","data":[]` + members(maxMembers-1) + `}`, "more than 100 members"},
		"in its metadata":            {`{"kind":"ClusterList","data":[],"metadata":{"next":null` + members(maxMembers) + `}}`, "more than 100 members"},
		"a large unknown member":     {`{"kind":"ClusterList","data":[],"new":[` + strings.Repeat(`{"a":[]},`, 500_000) + `1]}`, ""},
		"a long text":                {`{"kind":"` + text + `","data":[]}`, "a value longer than"},
		"a long unknown text":        {`{"kind":"ClusterList","data":[],"new":"` + text + `"}`, "a value longer than"},
		"a long name":                {`{"kind":"ClusterList","data":[],"` + text + `":1}`, "a value longer than"},
		"a long number":              {`{"kind":"ClusterList","data":[` + strings.Repeat("1", maxValueBytes) + `]}`, "a value longer than"},
		"a deep unknown member":      {`{"kind":"ClusterList","data":[],"new":` + deepItem + `}`, "not valid JSON"},
		"a deep next":                {`{"kind":"ClusterList","data":[],"metadata":{"next":` + deepItem + `}}`, "metadata.next: array, want string"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, err := listClusters(t.Context(), clientOf(t, serving(func(*http.Request) string { return tt.body })), inEnv1, nil)
			if tt.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(expectError(t, err, Malformed).Error()).To(ContainSubstring(tt.want))
		})
	}
}

func TestTheNamesOfAnEnvelopeAreNotHeld(t *testing.T) {
	const names, length = 30, 1_000_000
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, held := heap(), int64(0)
	parts := []io.Reader{strings.NewReader(`{"kind":"ClusterList","data":[]`)}
	for i := range names {
		parts = append(parts, strings.NewReader(fmt.Sprintf(`,"%d`, i)), io.LimitReader(endless('x'), length), strings.NewReader(`":0`))
	}
	parts = append(parts, readerFunc(func([]byte) (int, error) {
		held = heap() - before
		return 0, io.EOF
	}), strings.NewReader("}"))
	client := clientOf(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: header("Content-Type", "application/json"), Body: io.NopCloser(io.MultiReader(parts...)), Request: r}, nil
	}))
	_, err := listClusters(t.Context(), client, inEnv1, nil)
	g := NewWithT(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(held).To(BeNumerically("<", 8*length), "%d names of %d bytes came", names, length)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// endless returns a reader that returns the byte b again and again.
func endless(b byte) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		for i := range p {
			p[i] = b
		}
		return len(p), nil
	})
}

// pagesOf is a listing with the given number of pages. Each page has n items, and each item has a
// display name of size bytes.
func pagesOf(pages, n, size int) func(*http.Request) string {
	return func(r *http.Request) string {
		var page int
		_, _ = fmt.Sscanf(r.URL.Query().Get("page_token"), "t-%d", &page)
		items := make([]string, n)
		for i := range items {
			items[i] = clusterItem(fmt.Sprintf("lkc-%d-%d", page, i), strings.Repeat("x", size))
		}
		metadata := `{}`
		if page++; page < pages {
			metadata = next(fmt.Sprintf("t-%d", page))
		}
		return clusterPage(metadata, items...)
	}
}

func TestAListingHoldsNoMoreThanItMay(t *testing.T) {
	for name, tt := range map[string]struct {
		page     func(*http.Request) string
		limits   Limits
		requests int
		want     string
	}{
		"fat items":       {pagesOf(1000, 100, 30<<10), Limits{MaxHeldBytes: 16 << 20}, 6, "its items take more than 16 MiB"},
		"many small ones": {pagesOf(1000, 1000, 0), Limits{MaxHeldBytes: 16 << 20}, 10, "its items take more than 16 MiB"},
		"items that grow in decoding": {func(r *http.Request) string {
			return strings.ReplaceAll(pagesOf(1000, 500, 0)(r), `"spec":{`, `"spec":{"config":{"zones":[""`+strings.Repeat(`,""`, 5000)+`]},`)
		}, Limits{}, 2, "its items take more than 128 MiB"},
		"members that are not read": {func(r *http.Request) string {
			return strings.Replace(pagesOf(1000, 1, 0)(r), `{`, `{"new":["x"`+strings.Repeat(`,"x"`, 750_000)+`],`, 1)
		},
			Limits{MaxBodiesBytes: 10 << 20}, 4, "its pages take more than 10 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			requests, held := 0, &memoryLimit{maxBytes: maxProcessMemory}
			client := clientOf(t, serving(func(r *http.Request) string { requests++; return tt.page(r) }),
				func(o *Options) { o.Limits, o.memory = tt.limits, held })
			l, err := List(t.Context(), client, Clusters, inEnv1, nil, func(*wire.Cluster) int { return 0 })
			g.Expect(l).To(BeNil())
			g.Expect(expectError(t, err, Incomplete).Error()).To(ContainSubstring(tt.want))
			g.Expect(requests).To(Equal(tt.requests))
			g.Expect(held.reservedBytes.Load()).To(BeZero(), "a listing that ended holds nothing")
		})
	}
}

func TestTheListingsUnderWayShareARoom(t *testing.T) {
	g := NewWithT(t)
	shared := &memoryLimit{maxBytes: 10_000_000}
	client := func(page func(*http.Request) string) *Client {
		return clientOf(t, serving(page), func(o *Options) { o.memory = shared })
	}
	small := client(pagesOf(2, 100, 1000))
	_, err := listClusters(t.Context(), small, inEnv1, nil)
	g.Expect(err).NotTo(HaveOccurred())

	n := 0
	large := client(func(r *http.Request) string {
		if n++; n == 4 { // now three pages of the large listing are held
			_, err := listClusters(t.Context(), small, inEnv1, nil)
			g.Expect(expectError(t, err, Incomplete).Error()).To(ContainSubstring("the items of all listings under way take more than 9 MiB"))
		}
		return pagesOf(4, 100, 30<<10)(r)
	})
	_, err = listClusters(t.Context(), large, inEnv1, nil)
	expectError(t, err, Incomplete)
	g.Expect(shared.reservedBytes.Load()).To(BeZero())
	l, err := listClusters(t.Context(), small, inEnv1, nil)
	g.Expect(err).NotTo(HaveOccurred(), "there is room again")
	g.Expect(shared.reservedBytes.Load()).To(BeZero())

	shared.maxBytes = 0
	again, err := listClusters(t.Context(), small, inEnv1, l.Index)
	g.Expect(err).NotTo(HaveOccurred(), "what is known takes no room")
	g.Expect(again.Unchanged).To(BeTrue())
}

func TestAPageThatIsAskedForAgainTakesItsRoomOnce(t *testing.T) {
	g := NewWithT(t)
	n := 0
	held := &memoryLimit{maxBytes: 300 << 10}
	f := newFakeClock()
	c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
		body := pagesOf(1, 100, 1000)(r)
		if n++; n < 4 { // cut the page after the last item
			answer(w, http.StatusOK, body[:len(body)-2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		answer(w, http.StatusOK, body)
	})
	l, err := c.list(t, f.use, func(o *Options) { o.memory = held })
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Items).To(HaveLen(100))
}

func TestDecodingEndsWithTheListingsTime(t *testing.T) {
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	decoded := 0
	_, err := List(ctx, clientOf(t, serving(pagesOf(1, 1000, 1000))), Clusters, inEnv1, nil, func(*wire.Cluster) int {
		decoded++
		cancel()
		return 0
	})
	expectError(t, err, Canceled)
	g.Expect(decoded).To(BeNumerically("<=", 2*maxRead/1000), "no more than had come")
}

func TestTheRoomOfAProcessIsAShareOfItsMemory(t *testing.T) {
	g := NewWithT(t)
	g.Expect(processMemory().maxBytes).To(And(BeNumerically(">=", int64(minProcessMemory)), BeNumerically("<=", int64(maxProcessMemory))))
	g.Expect(DefaultLimits.MaxHeldBytes).To(BeNumerically("<", int64(512<<20)/10*9/8*3), "one listing does not take all of it, at 512Mi")
}
