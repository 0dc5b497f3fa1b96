package cloudsim

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// unenforcedLimit is the limit in the headers if no limit is enforced.
const unenforcedLimit = 10_000

// limiter counts the requests of each key in windows of fixed length. A window begins with the
// first request after the end of the window before.
type limiter struct {
	limit  int
	window time.Duration

	mu      sync.Mutex
	windows map[string]window
}

type window struct {
	ends time.Time
	used int
}

// allowance is what the rate limit leaves a key after a request.
type allowance struct {
	allowed                 bool
	limit, remaining, reset int // reset is in seconds from now, rounded up
}

func newLimiter(limit int, length time.Duration) *limiter {
	return &limiter{limit: limit, window: length, windows: map[string]window{}}
}

func (l *limiter) take(key string, now time.Time) allowance {
	if l.limit <= 0 {
		return allowance{true, unenforcedLimit, unenforcedLimit, seconds(l.window)}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.windows[key]
	if !ok || !now.Before(w.ends) {
		w = window{ends: now.Add(l.window)}
	}
	allowed := w.used < l.limit
	if allowed {
		w.used++
	}
	l.windows[key] = w
	return allowance{allowed, l.limit, l.limit - w.used, seconds(w.ends.Sub(now))}
}

func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.windows, key)
}

func (a allowance) setHeader(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(a.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(a.remaining))
	h.Set("X-RateLimit-Reset", strconv.Itoa(a.reset))
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
