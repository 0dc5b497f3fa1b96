// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// operation describes one list operation of the API: all that sets it apart
// from any other.
type operation[T any] struct {
	// name is the API's operation ID.
	name string
	path string
	// listKind is the kind of its envelope.
	listKind string
	// pageSize is the largest the API allows: the fewest requests.
	pageSize int
	// cloudKeyOnly reports whether a global API key is refused here. Source: the
	// operation's security in the vendor's specification.
	cloudKeyOnly bool
	// id returns an item's ID.
	id func(*T) string
	// compact drops what null left behind in an item.
	compact func(*T)
	// value returns what an item has for a parameter that it can be filtered by; empty
	// where it does not say.
	value func(item *T, param string) string
}

var clusters = operation[wire.Cluster]{
	name:     "listCmkV2Clusters",
	path:     "cmk/v2/clusters",
	listKind: "ClusterList",
	pageSize: 100,
	id:       func(c *wire.Cluster) string { return c.ID },
	compact:  (*wire.Cluster).Compact,
	value: func(c *wire.Cluster, param string) string {
		switch param {
		case paramEnvironment:
			return c.Spec.Environment.ID
		case paramNetwork:
			return c.Spec.Network.ID
		}
		return ""
	},
}

var peerings = operation[wire.Peering]{
	name:         "listNetworkingV1Peerings",
	path:         "networking/v1/peerings",
	listKind:     "PeeringList",
	pageSize:     1000,
	cloudKeyOnly: true,
	id:           func(p *wire.Peering) string { return p.ID },
	compact:      (*wire.Peering).Compact,
	value: func(p *wire.Peering, param string) string {
		switch param {
		case paramEnvironment:
			return p.Spec.Environment.ID
		case paramNetwork:
			return p.Spec.Network.ID
		case paramDisplayName:
			return p.Spec.DisplayName
		case paramPhase:
			return p.Status.Phase
		}
		return ""
	},
}

var networks = operation[wire.Network]{
	name:         "listNetworkingV1Networks",
	path:         "networking/v1/networks",
	listKind:     "NetworkList",
	pageSize:     1000,
	cloudKeyOnly: true,
	id:           func(n *wire.Network) string { return n.ID },
	compact:      (*wire.Network).Compact,
	value: func(n *wire.Network, param string) string {
		if param == paramEnvironment {
			return n.Spec.Environment.ID
		}
		return ""
	},
}

// environments are the organization's: they are listed in no environment.
var environments = operation[wire.Environment]{
	name:     "listOrgV2Environments",
	path:     "org/v2/environments",
	listKind: "EnvironmentList",
	pageSize: 100,
	id:       func(e *wire.Environment) string { return e.ID },
	compact:  func(*wire.Environment) {},
	value:    func(*wire.Environment, string) string { return "" },
}

const (
	paramEnvironment = "environment"
	paramNetwork     = "spec.network"
	paramDisplayName = "spec.display_name"
	paramPhase       = "status.phase"
	paramPageSize    = "page_size"
	paramPageToken   = "page_token"
)

// ClusterFilter says which clusters to list.
type ClusterFilter struct {
	// Environment is required.
	Environment string
	// Networks keeps clusters of any of these networks; empty keeps all.
	Networks []string
}

// PeeringFilter says which peerings to list. An item is kept if it matches one
// value of each list that is not empty.
type PeeringFilter struct {
	// Environment is required.
	Environment  string
	Networks     []string
	DisplayNames []string
	Phases       []string
}

// NetworkFilter says which networks to list.
type NetworkFilter struct {
	// Environment is required.
	Environment string
}

// ListClusters lists the Kafka clusters of an environment, all pages of them.
// index is that of the last listing with the same filter, or nil. See Listing for what
// may be concluded. Every error is an *Error, and the listing is nil with it.
func (c *Client) ListClusters(ctx context.Context, f ClusterFilter, index *Index) (*Listing[wire.Cluster], error) {
	return list(ctx, c, &clusters, params{
		paramEnvironment: {f.Environment},
		paramNetwork:     f.Networks,
	}, index)
}

// ListPeerings lists the network peerings of an environment, all pages of
// them. index is that of the last listing with the same filter, or nil. See Listing for
// what may be concluded. Every error is an *Error, and the listing is nil with it.
func (c *Client) ListPeerings(ctx context.Context, f PeeringFilter, index *Index) (*Listing[wire.Peering], error) {
	return list(ctx, c, &peerings, params{
		paramEnvironment: {f.Environment},
		paramNetwork:     f.Networks,
		paramDisplayName: f.DisplayNames,
		paramPhase:       f.Phases,
	}, index)
}

// ListNetworks lists the networks of an environment, all pages of them. index is that
// of the last listing with the same filter, or nil. See Listing for what may be
// concluded. Every error is an *Error, and the listing is nil with it.
func (c *Client) ListNetworks(ctx context.Context, f NetworkFilter, index *Index) (*Listing[wire.Network], error) {
	return list(ctx, c, &networks, params{paramEnvironment: {f.Environment}}, index)
}

// ListEnvironments lists the environments that the credential sees, all pages of them.
// index is that of the last listing, or nil. See Listing for what may be concluded. Every
// error is an *Error, and the listing is nil with it.
func (c *Client) ListEnvironments(ctx context.Context, index *Index) (*Listing[wire.Environment], error) {
	return list(ctx, c, &environments, params{}, index)
}

// params are parameters of a request and the values that each may have.
type params map[string][]string

// query is what a listing is filtered by.
type query struct {
	// sent goes with every request: the cloud applies it.
	sent params
	// here is applied to the items that come, since it would make a URL longer than
	// servers take.
	here params
}

// maxQueryLength is the longest filter that is sent, in bytes of the URL. Servers and
// proxies take 8 KiB for all of a request's first line at least.
const maxQueryLength = 4 << 10

// newQuery returns the query for a filter. Where the filter is too long to be sent, its
// longest lists are applied here.
func newQuery(filter params) query {
	q := query{sent: maps.Clone(filter), here: params{}}
	for len(url.Values(q.sent).Encode()) > maxQueryLength {
		longest, length := "", 0
		for param, values := range q.sent {
			if n := len(url.Values{param: values}.Encode()); param != paramEnvironment && n > length {
				longest, length = param, n
			}
		}
		if longest == "" {
			break
		}
		q.here[longest] = q.sent[longest]
		delete(q.sent, longest)
	}
	return q
}

// forPage returns the URL of one page under base; an empty token is the first.
func (q query) forPage(base *url.URL, path string, pageSize int, token string) *url.URL {
	values := url.Values{paramPageSize: {strconv.Itoa(pageSize)}}
	for param, wanted := range q.sent {
		values[param] = wanted
	}
	if token != "" {
		values.Set(paramPageToken, token)
	}
	target := base.JoinPath(path)
	target.RawQuery = values.Encode()
	return target
}

// matches reports whether an item passes the filter that is applied here.
func (a *asking[T]) matches(record *T) bool {
	for param, wanted := range a.here {
		if !slices.Contains(wanted, a.op.value(record, param)) {
			return false
		}
	}
	return true
}

// foreign returns why an item is not one that was asked for, empty if it is: it names
// another environment, or a network outside the filter. What it does not name, and what
// changes while a listing is made, is no reason.
func (a *asking[T]) foreign(record *T) string {
	for _, param := range []string{paramEnvironment, paramNetwork} {
		has, wanted := a.op.value(record, param), a.sent[param]
		if has != "" && len(wanted) > 0 && !slices.Contains(wanted, has) {
			return "of another " + strings.TrimPrefix(param, "spec.") + " than was asked for"
		}
	}
	return ""
}
