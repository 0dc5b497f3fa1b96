// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/url"
	"strconv"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/lean"
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
	// id returns an item's ID.
	id func(*T) string
	// compact drops what null left behind in an item.
	compact func(*T)
	// shape decodes usual items fast; nil leaves all to encoding/json.
	shape *lean.Shape[T]
}

var clusters = operation[wire.Cluster]{
	name:     "listCmkV2Clusters",
	path:     "cmk/v2/clusters",
	listKind: "ClusterList",
	pageSize: 100,
	id:       func(c *wire.Cluster) string { return c.ID },
	compact:  (*wire.Cluster).Compact,
	shape:    lean.For[wire.Cluster](),
}

var peerings = operation[wire.Peering]{
	name:     "listNetworkingV1Peerings",
	path:     "networking/v1/peerings",
	listKind: "PeeringList",
	pageSize: 1000,
	id:       func(p *wire.Peering) string { return p.ID },
	compact:  (*wire.Peering).Compact,
	shape:    lean.For[wire.Peering](),
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

// ListClusters lists the Kafka clusters of an environment, all pages of them.
// See Listing for what may be concluded from it. Every error is an *Error, and
// the listing is nil with it.
func (c *Client) ListClusters(ctx context.Context, f ClusterFilter) (*Listing[wire.Cluster], error) {
	return list(ctx, c, &clusters, query{
		paramEnvironment: {f.Environment},
		paramNetwork:     f.Networks,
	})
}

// ListPeerings lists the network peerings of an environment, all pages of
// them. See Listing for what may be concluded from it. Every error is an
// *Error, and the listing is nil with it.
func (c *Client) ListPeerings(ctx context.Context, f PeeringFilter) (*Listing[wire.Peering], error) {
	return list(ctx, c, &peerings, query{
		paramEnvironment: {f.Environment},
		paramNetwork:     f.Networks,
		paramDisplayName: f.DisplayNames,
		paramPhase:       f.Phases,
	})
}

// query is the filter part of a request's query, the same for every page.
type query map[string][]string

// forPage returns the URL of one page under base; an empty token is the first.
func (q query) forPage(base *url.URL, path string, pageSize int, token string) *url.URL {
	values := url.Values{paramPageSize: {strconv.Itoa(pageSize)}}
	for param, wanted := range q {
		values[param] = wanted
	}
	if token != "" {
		values.Set(paramPageToken, token)
	}
	target := base.JoinPath(path)
	target.RawQuery = values.Encode()
	return target
}
