// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// MaxWait is the upper limit of each wait that an answer of the cloud asks for. If an answer asks
// for a longer wait, the wait counts as MaxWait.
const MaxWait = budget.MaxWait

const (
	headerRequestID = "X-Request-Id"
	headerLimit     = "X-RateLimit-Limit"
	headerRemaining = "X-RateLimit-Remaining"
	headerReset     = "X-RateLimit-Reset"
	headerRetry     = "Retry-After"
)

// RateLimit is the cloud's limit on requests, as the headers of an answer report it.
type RateLimit = budget.RateLimit

// parseRateLimit reads the rate-limit headers of an answer. If X-RateLimit-Remaining is missing or
// invalid, parseRateLimit returns the zero RateLimit. If X-RateLimit-Limit or X-RateLimit-Reset is
// missing or invalid, its value counts as 0.
func parseRateLimit(h http.Header) RateLimit {
	remaining, known := parseCount(h.Get(headerRemaining))
	if !known {
		return RateLimit{}
	}
	limit, _ := parseCount(h.Get(headerLimit))
	reset, _ := parseSeconds(h.Get(headerReset))
	return RateLimit{Known: true, Limit: limit, Remaining: remaining, Reset: reset}
}

// retryAfter returns how long an answer asks the client to wait, from 0 to MaxWait. The time is in
// the header Retry-After. If an answer with status 429 has no valid Retry-After, the time is in
// X-RateLimit-Reset.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	value := strings.TrimSpace(resp.Header.Get(headerRetry))
	if wait, ok := parseSeconds(value); ok {
		return wait
	}
	if date, err := http.ParseTime(value); err == nil {
		return clampWait(date.Sub(now))
	}
	if resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	wait, _ := parseSeconds(resp.Header.Get(headerReset))
	return wait
}

// parseCount reads a whole number and limits it to the range from 0 to the largest int32. If the
// value is not a whole number, parseCount returns false.
func parseCount(value string) (int, bool) {
	// If the number does not fit into an int64, ParseInt returns ErrRange and the nearest int64.
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return int(min(max(n, 0), math.MaxInt32)), true
}

// parseSeconds reads a whole number of seconds, and limits the time to the range from 0 to MaxWait.
// If the value is not a whole number, parseSeconds returns false.
func parseSeconds(value string) (time.Duration, bool) {
	n, ok := parseCount(value)
	return clampWait(time.Duration(n) * time.Second), ok
}

// clampWait limits a wait to the range from 0 to MaxWait.
func clampWait(wait time.Duration) time.Duration {
	return min(max(wait, 0), MaxWait)
}
