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

// params is a filter of a listing. The map key is a filter parameter, for example "environment".
// The map value is a list of the values that an item may have for this parameter. An empty list
// allows every value.
type params map[string][]string

// query is the filter of a listing.
type query struct {
	// sentParams is the part of the filter that the cloud applies. Every request has this part in
	// its URL.
	sentParams params
	// localParams is the part of the filter that List applies to the items of an answer. It is
	// empty if the whole filter fits into a URL.
	localParams params
}

// maxQueryLength is the largest length of a filter in a URL, in bytes.
const maxQueryLength = 4 << 10

// newQuery splits a filter: the cloud applies one part, and List applies the rest. If the filter is
// too long for a URL, List applies the longest parameters. The cloud always applies the parameter
// "environment".
func newQuery(filter params) query {
	q := query{sentParams: maps.Clone(filter), localParams: params{}}
	for len(url.Values(q.sentParams).Encode()) > maxQueryLength {
		longest, length := "", 0
		for _, param := range slices.Sorted(maps.Keys(q.sentParams)) {
			if n := len(url.Values{param: q.sentParams[param]}.Encode()); param != paramEnvironment && n > length {
				longest, length = param, n
			}
		}
		if longest == "" {
			break
		}
		q.localParams[longest] = q.sentParams[longest]
		delete(q.sentParams, longest)
	}
	return q
}

// pageURL returns the URL of one page. An empty token means the first page.
func (q query) pageURL(endpoint *url.URL, path string, pageSize int, token string) *url.URL {
	values := url.Values{paramPageSize: {strconv.Itoa(pageSize)}}
	maps.Copy(values, q.sentParams)
	if token != "" {
		values.Set(paramPageToken, token)
	}
	target := endpoint.JoinPath(path)
	target.RawQuery = values.Encode()
	return target
}

// leavesOut reports whether List leaves out an item because of localParams. itemValue returns the
// item's value for a filter parameter.
func (q query) leavesOut(itemValue func(param string) string) bool {
	for param, wanted := range q.localParams {
		if !slices.Contains(wanted, itemValue(param)) {
			return true
		}
	}
	return false
}

// foreignProblem returns an error text if an item belongs to an environment or a network that the
// request did not ask for. For every other item, it returns "".
func (q query) foreignProblem(itemValue func(param string) string) string {
	for _, param := range [...]string{paramEnvironment, paramNetwork} {
		has, wanted := itemValue(param), q.sentParams[param]
		if has != "" && len(wanted) > 0 && !slices.Contains(wanted, has) {
			return "of another " + strings.TrimPrefix(param, "spec.") + " than was asked for"
		}
	}
	return ""
}
