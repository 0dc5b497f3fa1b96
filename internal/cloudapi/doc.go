// SPDX-License-Identifier: Apache-2.0

// Package cloudapi lists the inventory of Confluent Cloud over HTTP: the Kafka clusters, network
// peerings, networks and Schema Registry clusters of an environment, and the environments of an
// organization. It knows nothing of Kubernetes.
//
// The package must prevent one failure: an answer lacks an object that exists, and a caller takes
// the object for deleted. Therefore:
//
//   - The envelope of a page is strict: HTTP 200, a JSON media type, the expected kind, a data
//     member, and nothing after the JSON object. Anything else is an error of class [Malformed]. It
//     never means "no objects".
//   - If a listing fails halfway, [List] returns only the error, and no items.
//   - An item is read leniently: unknown members, kinds and words are accepted. If an item cannot
//     be read, the listing reports this item and keeps the other items.
//   - The absence of an object means something only if [Listing.Complete] returns nil.
//
// [Limits] bounds everything that the package reads. A page is decoded while it comes in. Each
// record is projected at once, and then dropped.
//
// Every request is a GET to the origin of the configured endpoint. The only exception is the
// exchange of a token. The credential goes only to the origin of the endpoint, see guard.go. No
// error text has a credential, a token, a query or a response body.
//
// If the request for a page fails and a retry can help, the package sends the request again, see
// [Retry]. All clients of one credential share a request budget, see [Budget]. All clients of one
// identity share a token, see [Tokens]. No wait is longer than Retry.Max. If a longer wait is
// needed, the error comes at once and says when to try again.
//
// All list operations use the same code. A new kind needs only its record in package wire and one
// [Operation].
package cloudapi
