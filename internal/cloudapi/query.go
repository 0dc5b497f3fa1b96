// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	paramEnvironment = "environment"
	paramNetwork     = "spec.network"
	paramDisplayName = "spec.display_name"
	paramPhase       = "status.phase"
	paramPageSize    = "page_size"
	paramPageToken   = "page_token"
)

// params is a filter. It maps the name of each parameter to the values that an item may have. An
// empty list allows every value.
type params map[string][]string

// query is the filter of a listing.
type query struct {
	// sent is the part of the filter that the cloud applies. Every request has this part in its
	// URL.
	sent params
	// local is the part of the filter that List applies. It is empty if the whole filter fits into
	// a URL.
	local params
}

// maxQueryLength is the largest length of a filter in a URL, in bytes.
const maxQueryLength = 4 << 10

// newQuery splits a filter into the part that the cloud applies and the part that List applies. If
// the filter is too long for a URL, List applies the longest parameters. The cloud always applies
// the environment.
func newQuery(filter params) query {
	q := query{sent: maps.Clone(filter), local: params{}}
	for len(url.Values(q.sent).Encode()) > maxQueryLength {
		longest, length := "", 0
		for _, param := range slices.Sorted(maps.Keys(q.sent)) {
			if n := len(url.Values{param: q.sent[param]}.Encode()); param != paramEnvironment && n > length {
				longest, length = param, n
			}
		}
		if longest == "" {
			break
		}
		q.local[longest] = q.sent[longest]
		delete(q.sent, longest)
	}
	return q
}

// forPage returns the URL of one page. The parameter base is the endpoint. An empty token means the
// first page.
func (q query) forPage(base *url.URL, path string, pageSize int, token string) *url.URL {
	values := url.Values{paramPageSize: {strconv.Itoa(pageSize)}}
	maps.Copy(values, q.sent)
	if token != "" {
		values.Set(paramPageToken, token)
	}
	target := base.JoinPath(path)
	target.RawQuery = values.Encode()
	return target
}

// leavesOut reports whether List filters an item out. The function value returns the item's value
// for a parameter.
func (q query) leavesOut(value func(param string) string) bool {
	for param, wanted := range q.local {
		if !slices.Contains(wanted, value(param)) {
			return true
		}
	}
	return false
}

// foreign returns an error text if an item belongs to an environment or a network that the request
// did not ask for. If not, foreign returns "".
func (q query) foreign(value func(param string) string) string {
	for _, param := range [...]string{paramEnvironment, paramNetwork} {
		has, wanted := value(param), q.sent[param]
		if has != "" && len(wanted) > 0 && !slices.Contains(wanted, has) {
			return "of another " + strings.TrimPrefix(param, "spec.") + " than was asked for"
		}
	}
	return ""
}
