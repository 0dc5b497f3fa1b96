// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// header returns a header with these pairs of names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestEveryWaitIsClamped(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	tests := map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"seconds":                     {header("Retry-After", "7"), 7 * time.Second},
		"seconds before reset":        {header("Retry-After", "7", "X-RateLimit-Reset", "9"), 7 * time.Second},
		"zero":                        {header("Retry-After", "0", "X-RateLimit-Reset", "9"), 0},
		"a date":                      {header("Retry-After", date(90*time.Second)), 90 * time.Second},
		"a date in RFC 850":           {header("Retry-After", now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT")), time.Minute},
		"a date gone by":              {header("Retry-After", date(-time.Hour)), 0},
		"a date far off":              {header("Retry-After", date(1000*time.Hour)), MaxWait},
		"negative":                    {header("Retry-After", "-5"), 0},
		"negative beyond any":         {header("Retry-After", "-99999999999999999999"), 0},
		"absurd":                      {header("Retry-After", "9999999999"), MaxWait},
		"beyond any number":           {header("Retry-After", "99999999999999999999999"), MaxWait},
		"white space":                 {header("Retry-After", " 7 "), 7 * time.Second},
		"garbage":                     {header("Retry-After", "soon"), 0},
		"garbage before reset":        {header("Retry-After", "soon", "X-RateLimit-Reset", "9"), 9 * time.Second},
		"a fraction before reset":     {header("Retry-After", "1.5", "X-RateLimit-Reset", "9"), 9 * time.Second},
		"reset":                       {header("X-RateLimit-Reset", "9"), 9 * time.Second},
		"reset, negative":             {header("X-RateLimit-Reset", "-9"), 0},
		"reset, an epoch by mistake":  {header("X-RateLimit-Reset", "1767322000"), MaxWait},
		"reset, garbage":              {header("X-RateLimit-Reset", "NaN"), 0},
		"none":                        {header(), 0},
		"two, of which the first one": {header("Retry-After", "3", "Retry-After", "5"), 3 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(retryAfter(&http.Response{StatusCode: 429, Header: tt.header}, now)).To(Equal(tt.want))
		})
	}

	g := NewWithT(t)
	every := &http.Response{StatusCode: 503, Header: header("X-RateLimit-Reset", "9")}
	g.Expect(retryAfter(every, now)).To(BeZero(), "the reset that every answer has asks for nothing")
	every.Header.Set("Retry-After", "4")
	g.Expect(retryAfter(every, now)).To(Equal(4 * time.Second))
}

func TestA429SaysHowLongToWait(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "12")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := c.list(t)
	g.Expect(expectError(t, err, RateLimited).RetryAfter).To(Equal(12 * time.Second))
}

func TestRateLimitHeadersAreReadLeniently(t *testing.T) {
	const limit, remaining, reset = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
	tests := map[string]struct {
		header http.Header
		want   RateLimit
	}{
		"all":               {header(limit, "60", remaining, "59", reset, "1"), RateLimit{Known: true, Limit: 60, Remaining: 59, Reset: time.Second}},
		"any case":          {header("x-ratelimit-remaining", "5"), RateLimit{Known: true, Remaining: 5}},
		"none":              {header(), RateLimit{}},
		"no remaining":      {header(limit, "60", reset, "1"), RateLimit{}},
		"garbage":           {header(limit, "60", remaining, "many", reset, "1"), RateLimit{}},
		"garbage beside it": {header(limit, "?", remaining, "3", reset, "?"), RateLimit{Known: true, Remaining: 3}},
		"negative":          {header(limit, "-1", remaining, "-2", reset, "-3"), RateLimit{Known: true}},
		"absurd": {header(limit, "99999999999999999999", remaining, "99999999999", reset, "99999999999"),
			RateLimit{Known: true, Limit: 1<<31 - 1, Remaining: 1<<31 - 1, Reset: MaxWait}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(parseRateLimit(tt.header)).To(Equal(tt.want))
		})
	}
}
