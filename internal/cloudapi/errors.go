// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Class is a kind of failure. The caller uses the class to decide what to do.
type Class int

const (
	// None is the class of no error.
	None Class = iota
	// Unauthenticated: the cloud does not know the credential.
	Unauthenticated
	// Forbidden: the cloud knows the credential, but the credential lacks the right.
	Forbidden
	// InvalidRequest: the cloud does not accept the request. Sending the same request again cannot
	// help.
	InvalidRequest
	// RateLimited: the cloud or the budget counted too many requests.
	RateLimited
	// Unavailable: no whole answer came, or the answer means that a retry can help.
	Unavailable
	// Malformed: the answer does not have the form of an answer of this API.
	Malformed
	// Incomplete: every page was well-formed, but the pages together are not a whole listing.
	Incomplete
	// Canceled: the caller gave up. This class says nothing about the cloud.
	Canceled
)

var classNames = [...]string{
	None:            "None",
	Unauthenticated: "Unauthenticated",
	Forbidden:       "Forbidden",
	InvalidRequest:  "InvalidRequest",
	RateLimited:     "RateLimited",
	Unavailable:     "Unavailable",
	Malformed:       "Malformed",
	Incomplete:      "Incomplete",
	Canceled:        "Canceled",
}

// String returns the class's name, such as "RateLimited".
func (c Class) String() string {
	if c < 0 || int(c) >= len(classNames) {
		return "Class(" + strconv.Itoa(int(c)) + ")"
	}
	return classNames[c]
}

// Error is the type of the errors that a Client and a Listing return. Only the errors of
// TokenOptions.Subject have another type. The text of an Error can be shown in a log, an event or a
// status: it has the operation, the HTTP status, the API's own code and title, the cause and the
// request ID. It has no credential, page token, query or response body.
type Error struct {
	Class     Class
	Operation string // such as listCmkV2Clusters
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	// Code and Title are the API's own words. Each is empty if the answer has none.
	Code, Title string
	// Advice says in this package's own words what a person can do. It is empty if there is no
	// advice.
	Advice string
	// RequestID identifies the request to the cloud's support. It is empty if the answer had none.
	RequestID string
	// RetryAfter is how long to wait before a retry, between 0 and MaxWait. It is a wait that the
	// cloud asked for, or a wait that did not begin because it was too long: for the budget or
	// after a failure. 0 means that there is no such wait.
	RetryAfter time.Duration
	// Err is the cause, in this package's own words. If the cause is context.Canceled or
	// context.DeadlineExceeded, Err is or wraps this error. It wraps no other error, because errors
	// of net/http repeat the URL or the server's words.
	Err error

	// pageSize reports whether the API's answer mentions the page size.
	pageSize bool
	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// newError returns an Error of a class, with a cause in this package's words. withCall sets the
// other fields.
func newError(class Class, cause string) *Error {
	return &Error{Class: class, Err: errors.New(cause)}
}

// Error returns for example
// "listCmkV2Clusters: 403 Forbidden: user_unauthorized: Forbidden Access (request id abc)".
func (e *Error) Error() string {
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	add(e.Operation)
	if e.StatusCode != 0 {
		add(strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))))
	}
	add(e.Code)
	add(e.Title)
	if e.Err != nil {
		add(e.Err.Error())
	}
	text := strings.Join(parts, ": ")
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of err. If err is or wraps an *Error, the class is that of the *Error.
// Otherwise the class is None for nil, Canceled for context.Canceled, and Unavailable for any other
// error, including context.DeadlineExceeded.
func ClassOf(err error) Class {
	if err == nil {
		return None
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Class != None {
		return e.Class
	}
	if errors.Is(err, context.Canceled) {
		return Canceled
	}
	return Unavailable
}
