// SPDX-License-Identifier: Apache-2.0

// Package cloudapi reads Kafka clusters and network peerings of a Confluent
// Cloud environment over HTTP. It knows nothing of Kubernetes.
//
// The failure it exists to prevent is an answer that lacks objects being taken
// for their deletion. Therefore:
//
//   - The envelope of a page is strict: HTTP 200, a JSON media type, the
//     expected kind, a data member, nothing after it. Anything else is an
//     error of class Malformed, never "no objects".
//   - A listing that any failure cut off is no listing: ListClusters and
//     ListPeerings return nil and the error.
//   - Each item is lenient: unknown members, kinds and words pass. An item
//     that cannot be read is reported, and costs no other item.
//   - Absence may be concluded only where Listing.Complete returns nil.
//
// Requests are GET only and go only to the configured endpoint's origin; the
// credential is attached nowhere else (see guard). No error text holds a
// credential, a page token, a query or a response body.
//
// A page that failed in a way that may pass is asked for again (see Retry), and
// all clients of one credential share a request budget (see Budgets). No wait is
// longer than Retry.Max: beyond that the error says when to come again, and
// Budget.Turn tells before a sync has begun.
//
// The two operations run on one engine. A further kind costs its record in
// package wire, one operation value and one method beside ListClusters.
package cloudapi
