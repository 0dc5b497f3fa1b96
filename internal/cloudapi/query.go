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

// params are the parameters of a request, each with the values that it may have.
type params map[string][]string

// query is the filter of a listing.
type query struct {
	// sent is in every request. The cloud applies it.
	sent params
	// local is applied to the items that come. A source may name 100 values of 255 characters for
	// each parameter. Sent, they would make a URL of some 80 KiB; servers and proxies refuse more
	// than 8 KiB.
	local params
}

// maxQueryLength is the most bytes of the URL that a filter may take. It leaves room for the page
// token and the endpoint's own path.
const maxQueryLength = 4 << 10

// newQuery returns the query for a filter. If the filter is too long to be sent, its longest
// parameters are applied here. Of two that are equally long, the first by name is.
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

// forPage returns the URL of one page. base is the endpoint. An empty token means the first page.
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

// leavesOut reports whether the local filter leaves out an item. value returns what the item has
// for a parameter.
func (q query) leavesOut(value func(param string) string) bool {
	for param, wanted := range q.local {
		if !slices.Contains(wanted, value(param)) {
			return true
		}
	}
	return false
}

// foreign returns why an item was not asked for; "" if it was. An item was not asked for if it
// names another environment, or a network outside the filter. An item that names neither passes.
// Parameters whose value may change during a listing are not checked.
func (q query) foreign(value func(param string) string) string {
	for _, param := range [...]string{paramEnvironment, paramNetwork} {
		has, wanted := value(param), q.sent[param]
		if has != "" && len(wanted) > 0 && !slices.Contains(wanted, has) {
			return "of another " + strings.TrimPrefix(param, "spec.") + " than was asked for"
		}
	}
	return ""
}
