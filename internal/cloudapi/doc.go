// SPDX-License-Identifier: Apache-2.0

// Package cloudapi lists the inventory of Confluent Cloud over HTTP, for example the environments
// of an organization and the Kafka clusters of an environment. It does not use Kubernetes.
//
// An object that exists in the cloud must never look deleted. Therefore:
//
//   - A page of a listing must be well-formed: HTTP 200, JSON, the expected kind and a list of
//     items. The list may be null, and then counts as empty. An answer that is not well-formed is
//     an error, and never counts as an empty page.
//   - If the request for one page fails, [List] returns an error and no items.
//   - If List cannot read one item, the listing reports this item as unreadable, and has the other
//     items.
//   - If an object is missing from a listing, the object counts as deleted only if
//     [Listing.Complete] returns nil.
//
// A listing that exceeds its [Limits] fails. To save memory, List decodes each page while the page
// arrives. List keeps only the part of an item that the caller of List selects.
//
// The package sends two kinds of requests:
//
//   - a GET to the configured endpoint, to list objects
//   - a POST to the URL of the token exchange, to get an access token
//
// No error text contains a credential, a token, a URL query or a complete response body.
//
// If a request fails and a retry can help, the client sends the request again: see [Retry]. Clients
// with the same credential share a limit on their requests: see [Budget]. Clients with the same
// workload identity share an access token: see [Tokens].
//
// To list a new kind of object, add a record type in package wire and an [Operation].
package cloudapi
