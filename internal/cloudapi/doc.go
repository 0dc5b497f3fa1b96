// SPDX-License-Identifier: Apache-2.0

// Package cloudapi lists the inventory of Confluent Cloud over HTTP, for example the environments
// of an organization and the Kafka clusters of an environment. It does not use Kubernetes.
//
// An object that exists must never look deleted. Therefore:
//
//   - A page must be well-formed: HTTP 200, JSON, the expected kind and a list of items. Any other
//     answer is an error, and never counts as an empty page.
//   - If one page fails, [List] returns an error and no items.
//   - If one item cannot be read, the listing reports this item as unreadable and has the other
//     items.
//   - If an object is missing from a listing, it counts as deleted only if [Listing.Complete]
//     returns nil.
//
// The type [Limits] has the limits of one listing. To save memory, List decodes each page while the
// page arrives, and keeps only a part of each item.
//
// Every list request is a GET to the configured endpoint. To get an access token, the package sends
// a POST to a different URL. No error text contains a credential, a token, a query or a complete
// response body.
//
// A failed request is sent again if a retry can help, see [Retry]. Clients with the same credential
// share a limit on their requests, see [Budget]. Clients with the same workload identity share an
// access token, see [Tokens].
//
// To list a new kind of object, add a record type in package wire and an [Operation].
package cloudapi
