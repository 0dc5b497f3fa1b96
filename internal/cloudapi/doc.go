// SPDX-License-Identifier: Apache-2.0

// Package cloudapi lists the inventory of Confluent Cloud over HTTP: Kafka clusters, network
// peerings and networks of an environment, and the environments of an organization. It knows
// nothing of Kubernetes.
//
// It exists to prevent one failure: an answer that lacks objects is taken for their deletion.
// Therefore:
//
//   - The envelope of a page is strict: HTTP 200, a JSON media type, the expected kind,
//     a data member, nothing after it. Anything else is an error of class [Malformed],
//     never "no objects".
//   - If a listing fails halfway, [List] returns only the error, and no items.
//   - Each item is read leniently: unknown members, kinds and words are accepted. An item
//     that cannot be read is reported; the other items are kept.
//   - An absent object means something only if [Listing.Complete] returns nil.
//
// Everything that is read is bounded, see [Limits]. A page is decoded while it comes, and each
// record is dropped once it is projected.
//
// Every request is a GET to the configured endpoint's origin, except for the exchange of a token.
// The credential goes only to that origin (see guard.go). No error text holds a credential, a
// token, a query or a response body.
//
// If retrying can help, a page is asked for again, see [Retry]. All clients of one credential share
// a request budget, see [Budget]. All clients of one identity share a token, see [Tokens]. No wait
// is longer than Retry.Max: if a longer one is needed, the error says when to ask again.
//
// All operations use one engine. A new kind needs its record in package wire and one [Operation].
package cloudapi
