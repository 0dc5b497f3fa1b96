// SPDX-License-Identifier: Apache-2.0

// Package wire has the types of the items that the cloud's list operations return.
//
// The types have only the fields that the operator publishes. Every field is optional: if it is
// absent or null in the JSON, it has its zero value. Dates, enumerations and URLs are strings, so
// that an item with an unknown value can still be read. JSON members for which a type has no field
// are ignored.
package wire

// ObjectMeta has the URL, the resource name and the dates of a cloud object.
type ObjectMeta struct {
	Self         string `json:"self"`
	ResourceName string `json:"resource_name"`
	// The dates should have the form of RFC 3339. This package does not check them.
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
	DeletedAt string `json:"deleted_at"`
}

// Reference names another object of the cloud. If the ID is empty, the Reference names no object.
type Reference struct {
	ID           string `json:"id"`
	Environment  string `json:"environment"`
	ResourceName string `json:"resource_name"`
	Related      string `json:"related"`
}
