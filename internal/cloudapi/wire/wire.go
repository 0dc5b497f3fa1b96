// SPDX-License-Identifier: Apache-2.0

// Package wire holds the records of the cloud's list operations as they come over the wire, and
// nothing else: no client, no I/O.
//
// It has only the fields that the operator publishes. Every field is optional; if it is absent or
// null, it is zero. Dates, enumerations and URLs stay strings, because a value that this version
// does not know must not cost the whole record. Unknown members are ignored.
package wire

// ObjectMeta has the addresses and dates of an object.
type ObjectMeta struct {
	Self         string `json:"self"`
	ResourceName string `json:"resource_name"`
	// The dates should be of RFC 3339. They are not checked here.
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
	DeletedAt string `json:"deleted_at"`
}

// Reference names another object of the cloud. A Reference with an empty ID
// names nothing.
type Reference struct {
	ID           string `json:"id"`
	Environment  string `json:"environment"`
	ResourceName string `json:"resource_name"`
	Related      string `json:"related"`
}
