// SPDX-License-Identifier: Apache-2.0

// Package cloudapi lists the inventory of Confluent Cloud over HTTP, for example the environments
// of an organization and the Kafka clusters of an environment. It does not use Kubernetes.
//
// An object that exists must never look deleted. Therefore:
//
//   - A page must be well-formed: HTTP 200, JSON, the expected kind, a data member. Any other
//     answer is an error, and never counts as an empty page.
//   - If one page fails, [List] returns an error and no items.
//   - If an item cannot be read, the listing reports this item and keeps the rest.
//   - An object that is missing in a listing counts as deleted only if [Listing.Complete] returns
//     nil.
//
// The type [Limits] has the limits of one listing. A page is decoded while it arrives. Each item is
// reduced at once to the data that the caller keeps.
//
// Every list request is a GET to the configured endpoint. The exchange of a token is a POST to a
// URL of its own. No error text contains a credential, a token, a query or a response body.
//
// A failed request is sent again if a retry can help, see [Retry]. Clients with the same credential
// share a request budget, see [Budget]. Clients with the same workload identity share an access
// token, see [Tokens].
//
// To list a new kind of object, add a record type in package wire and an [Operation].
package cloudapi
