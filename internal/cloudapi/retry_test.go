// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// fakeClock is a clock that moves ahead at once when someone waits.
type fakeClock struct {
	mu     sync.Mutex
	at     time.Time
	slept  []time.Duration
	random float64
}

// newFakeClock returns a clock that begins at the present time, in whole seconds. Each of its
// random numbers is one half.
func newFakeClock() *fakeClock {
	return &fakeClock{at: time.Now().Truncate(time.Second), random: 0.5}
}

// use changes o so that a client uses this clock and retries with the default Retry.
func (f *fakeClock) use(o *Options) {
	o.Retry = Retry{}
	o.clock = &clock{now: f.now, random: func() float64 { return f.random }, sleep: f.sleep}
	// On a kept connection, net/http itself would send a request again.
	o.Transport = &http.Transport{DisableKeepAlives: true}
}

func (f *fakeClock) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fakeClock) sleep(ctx context.Context, wait time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(wait)
	f.slept = append(f.slept, wait)
	return ctx.Err()
}

// failing serves three pages. It answers the second page with handler for the given number of
// times.
func failing(times int, handler http.HandlerFunc) http.HandlerFunc {
	var asked atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page_token") {
		case "":
			answer(w, http.StatusOK, clusterPage(next("a"), clusterItem("lkc-1", "")))
		case "a":
			if int(asked.Add(1)) <= times {
				handler(w, r)
				return
			}
			answer(w, http.StatusOK, clusterPage(next("b"), clusterItem("lkc-2", "")))
		default:
			answer(w, http.StatusOK, clusterPage(`{"total_size":3}`, clusterItem("lkc-3", "")))
		}
	}
}

// status answers with this status, this header and an empty body.
func status(code int, h http.Header) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), h)
		answer(w, code, "")
	}
}

func TestAFailureThatMayPassCostsItsPageAlone(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"408":                     status(408, nil),
		"429":                     status(429, nil),
		"500":                     status(500, nil),
		"502":                     status(502, nil),
		"503":                     status(503, nil),
		"504":                     status(504, nil),
		"599":                     status(599, nil),
		"cut before the header":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut in the body":         cutAt(40),
		"cut after the JSON":      cutAt(10_000),
		"no HTTP":                 raw("hush\r\n\r\n"),
		"cut in an error's body":  func(w http.ResponseWriter, _ *http.Request) { answer(w, 502, "{"); panic(http.ErrAbortHandler) },
		"500 that is not of this": func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, "<html>") },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			c := newCloud(t, failing(1, handler))
			purse, calls := newPurse(), 0
			l, err := c.list(t, f.use, func(o *Options) {
				o.Budget = purse.Budget
				o.Observe = func(Call) { calls++ }
			})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Complete()).To(Succeed())
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1", "lkc-2", "lkc-3"}))
			g.Expect(l.Pages).To(Equal(3))
			g.Expect(f.slept).To(Equal([]time.Duration{125 * time.Millisecond}))
			asked := len(c.asked())
			g.Expect(asked).To(BeNumerically("<=", 5))
			g.Expect(purse.spent(t)).To(Equal(asked), "asking again needs budget")
			g.Expect(calls).To(Equal(asked), "and is counted")
		})
	}
}

// cutAt sends a page and cuts the connection after n bytes of the body.
func cutAt(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		page := clusterPage(next("b"), clusterItem("lkc-cut", ""))
		answer(w, http.StatusOK, page[:min(n, len(page))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestWhatWillNotPassIsNotAskedForAgain(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		class   Class
	}{
		"400":              {status(400, nil), InvalidRequest},
		"401":              {status(401, nil), Unauthenticated},
		"403":              {status(403, nil), Forbidden},
		"404":              {status(404, nil), InvalidRequest},
		"422":              {status(422, nil), InvalidRequest},
		"501":              {status(501, nil), Unavailable},
		"204":              {status(204, nil), Malformed},
		"200 with {}":      {inTurn("{}"), Malformed},
		"a wrong next":     {inTurn(clusterPage(`{"next":5}`)), Malformed},
		"another's origin": {status(302, header("Location", "https://evil.example/")), Malformed},
		"401, Retry-After": {status(401, header("Retry-After", "1")), Unauthenticated},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			c := newCloud(t, tt.handler)
			_, err := c.list(t, f.use)
			expectError(t, err, tt.class)
			g.Expect(c.asked()).To(HaveLen(1))
			g.Expect(f.slept).To(BeEmpty())
		})
	}
}

func TestEachPageIsAskedForAsOftenAsAllowed(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		retry  Retry
		random float64
		slept  []time.Duration
	}{
		"by default":     {Retry{}, 0.5, []time.Duration{125 * ms, 250 * ms, 500 * ms}},
		"full jitter":    {Retry{}, 0, []time.Duration{0, 0, 0}},
		"up to the most": {Retry{Attempts: 7, Base: 500 * ms, Max: 3 * time.Second}, 1, []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 3000 * ms, 3000 * ms, 3000 * ms}},
		"base over max":  {Retry{Attempts: 2, Base: time.Hour, Max: time.Second}, 1, []time.Duration{time.Second}},
		"never again":    {Retry{Attempts: 1}, 0.5, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			f.random = tt.random
			retry := func(o *Options) { o.Retry = tt.retry }
			c := newCloud(t, status(503, nil))
			_, err := c.list(t, f.use, retry)
			g.Expect(expectError(t, err, Unavailable).RetryAfter).To(BeZero())
			g.Expect(c.asked()).To(HaveLen(1 + len(tt.slept)))
			g.Expect(f.slept).To(Equal(tt.slept))

			c = newCloud(t, failing(len(tt.slept), status(503, nil)))
			l, err := c.list(t, f.use, retry)
			g.Expect(err).NotTo(HaveOccurred(), "the last time counts")
			g.Expect(l.Complete()).To(Succeed())
		})
	}
}

func TestTheCloudsWaitGoesBeforeTheBackoff(t *testing.T) {
	f := newFakeClock()
	const backoff = 125 * time.Millisecond
	tests := map[string]struct {
		code   int
		header http.Header
		want   time.Duration
	}{
		"seconds":               {429, header("Retry-After", "3", "X-RateLimit-Reset", "9"), 3 * time.Second},
		"a date":                {429, header("Retry-After", f.at.Add(4*time.Second).UTC().Format(http.TimeFormat)), 4 * time.Second},
		"reset":                 {429, header("X-RateLimit-Reset", "9"), 9 * time.Second},
		"garbage before reset":  {429, header("Retry-After", "soon", "X-RateLimit-Reset", "9"), 9 * time.Second},
		"as long as is allowed": {429, header("Retry-After", "10"), 10 * time.Second},
		"with a 503":            {503, header("Retry-After", "3"), 3 * time.Second},
		"with a 408":            {408, header("Retry-After", "3"), 3 * time.Second},
		"reset with a 503":      {503, header("X-RateLimit-Reset", "9"), backoff},
		"zero":                  {429, header("Retry-After", "0"), backoff},
		"negative":              {429, header("Retry-After", "-3"), backoff},
		"a date gone by":        {429, header("Retry-After", f.at.Add(-time.Hour).UTC().Format(http.TimeFormat)), backoff},
		"none":                  {429, nil, backoff},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			own := &fakeClock{at: f.at, random: f.random}
			_, err := newCloud(t, failing(1, status(tt.code, tt.header))).list(t, own.use)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(own.slept).To(Equal([]time.Duration{tt.want}))
		})
	}
}

func TestAWaitThatIsTooLongIsLeftToTheCaller(t *testing.T) {
	tests := map[string]struct {
		code    int
		header  http.Header
		retry   Retry
		timeout time.Duration
		class   Class
		want    time.Duration
	}{
		"longer than allowed":       {429, header("Retry-After", "11"), Retry{}, time.Hour, RateLimited, 11 * time.Second},
		"absurd":                    {429, header("Retry-After", "99999999999"), Retry{}, time.Hour, RateLimited, MaxWait},
		"to the next window":        {429, header("X-RateLimit-Reset", "60"), Retry{}, time.Hour, RateLimited, time.Minute},
		"a 503's":                   {503, header("Retry-After", "60"), Retry{}, time.Hour, Unavailable, time.Minute},
		"past the deadline":         {429, header("Retry-After", "9"), Retry{}, 7 * time.Second, RateLimited, 9 * time.Second},
		"backoff past the deadline": {503, nil, Retry{Base: 40 * time.Second, Max: time.Minute}, 18 * time.Second, Unavailable, 20 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFakeClock()
			c := newCloud(t, status(tt.code, tt.header))
			ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
			defer cancel()
			client := c.client(t, f.use, func(o *Options) { o.Retry = tt.retry })
			_, err := listClusters(ctx, client, ClusterFilter{Environment: "env-1"}, nil)
			g.Expect(expectError(t, err, tt.class).RetryAfter).To(Equal(tt.want))
			g.Expect(c.asked()).To(HaveLen(1))
			g.Expect(f.slept).To(BeEmpty())
		})
	}
}

func TestGivingUpEndsTheWait(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, status(503, header("Retry-After", "9")))
	ctx, cancel := context.WithCancel(t.Context())
	client := c.client(t, newFakeClock().use, func(o *Options) {
		o.clock.sleep = func(ctx context.Context, wait time.Duration) error {
			time.AfterFunc(time.Millisecond, cancel)
			return sleep(ctx, wait)
		}
	})
	_, err := listClusters(ctx, client, ClusterFilter{Environment: "env-1"}, nil)
	e := expectError(t, err, Canceled)
	g.Expect(e.Operation).To(Equal("listCmkV2Clusters"))
	g.Expect(c.asked()).To(HaveLen(1))
	g.Expect(sleep(t.Context(), time.Nanosecond)).To(Succeed())
}

func TestWhatTheBudgetRefusedIsNotAskedForAgain(t *testing.T) {
	g := NewWithT(t)
	f := newFakeClock()
	c := newCloud(t, status(200, nil))
	_, err := c.list(t, f.use, func(o *Options) { o.Budget = emptyPurse(t) })
	expectError(t, err, RateLimited)
	g.Expect(c.asked()).To(BeEmpty())
	g.Expect(f.slept).To(BeEmpty())
}

func TestARetryThatCannotBeIsRefused(t *testing.T) {
	for _, retry := range []Retry{{Attempts: -1}, {Base: -1}, {Max: -1}} {
		_, err := New(Options{Endpoint: "https://api.example", Credential: testCredential, UserAgent: testUserAgent, Retry: retry})
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring("Options.Retry has a negative field; give")))
	}
}
