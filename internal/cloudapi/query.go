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

// params are the parameters of a filter. The key is the name of a parameter. An item matches if it
// has one of the values.
type params map[string][]string

// query is the filter of a listing.
type query struct {
	// sent is the part of the filter that is in every request. The cloud applies it.
	sent params
	// local is the part of the filter that List itself applies to the items that come. It exists
	// because a filter may be too long for a URL: a source may name 100 values of 255 characters
	// for each parameter. They would make a URL of some 80 KiB, and servers and proxies refuse a
	// URL of more than 8 KiB.
	local params
}

// maxQueryLength is the largest length of a filter in a URL, in bytes. It leaves room for the page
// token and for the endpoint's own path.
const maxQueryLength = 4 << 10

// newQuery returns the query for a filter. If the filter is too long to send, newQuery moves its
// longest parameters to local, but never the environment. If two parameters are equally long,
// newQuery moves the one whose name sorts first.
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

// leavesOut reports whether the local filter leaves out an item. value returns the item's value for
// a parameter.
func (q query) leavesOut(value func(param string) string) bool {
	for param, wanted := range q.local {
		if !slices.Contains(wanted, value(param)) {
			return true
		}
	}
	return false
}

// foreign returns why an item was not asked for; "" if it was. It compares the item's environment
// and network with those in the request. It does not compare a value that the item does not have.
// It does not compare other parameters, because their values may change during a listing.
func (q query) foreign(value func(param string) string) string {
	for _, param := range [...]string{paramEnvironment, paramNetwork} {
		has, wanted := value(param), q.sent[param]
		if has != "" && len(wanted) > 0 && !slices.Contains(wanted, has) {
			return "of another " + strings.TrimPrefix(param, "spec.") + " than was asked for"
		}
	}
	return ""
}
