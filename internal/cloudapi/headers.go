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

// MaxWait is the longest wait that an answer can ask for. A longer wait is shortened to MaxWait.
const MaxWait = budget.MaxWait

const (
	headerRequestID = "X-Request-Id"
	headerLimit     = "X-RateLimit-Limit"
	headerRemaining = "X-RateLimit-Remaining"
	headerReset     = "X-RateLimit-Reset"
	headerRetry     = "Retry-After"
)

// RateLimit is the cloud's limit on requests, as reported in the headers of an answer.
type RateLimit = budget.RateLimit

// parseRateLimit reads the rate-limit headers of an answer. It returns the zero RateLimit if
// X-RateLimit-Remaining is missing or invalid. Any other header that is missing or invalid counts
// as 0.
func parseRateLimit(h http.Header) RateLimit {
	remaining, known := parseCount(h.Get(headerRemaining))
	if !known {
		return RateLimit{}
	}
	limit, _ := parseCount(h.Get(headerLimit))
	reset, _ := parseSeconds(h.Get(headerReset))
	return RateLimit{Known: true, Limit: limit, Remaining: remaining, Reset: reset}
}

// retryAfter returns the wait that an answer asks for, between 0 and MaxWait. The wait comes from
// Retry-After. If Retry-After is missing in an answer with status 429, the wait comes from
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

// parseCount reads a whole number and clamps it between 0 and the largest int32. It returns false
// if the value is not a whole number.
func parseCount(value string) (int, bool) {
	// If a number is out of range, ParseInt returns the nearest number in range.
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return int(min(max(n, 0), math.MaxInt32)), true
}

// parseSeconds reads a whole number of seconds.
func parseSeconds(value string) (time.Duration, bool) {
	n, ok := parseCount(value)
	return clampWait(time.Duration(n) * time.Second), ok
}

// clampWait limits a wait to the range from 0 to MaxWait.
func clampWait(wait time.Duration) time.Duration {
	return min(max(wait, 0), MaxWait)
}
