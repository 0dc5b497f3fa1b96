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

// Class says what kind of failure an error is, and with that what to do.
type Class int

const (
	// None is the class of no error.
	None Class = iota
	// Unauthenticated: the credential is not known to the cloud.
	Unauthenticated
	// Forbidden: the credential is known and may not do this.
	Forbidden
	// InvalidRequest: the cloud cannot make sense of the request. The same
	// request will not do better.
	InvalidRequest
	// RateLimited: too many requests, by the cloud's count or by the budget's.
	RateLimited
	// Unavailable: no answer, or an answer that says to come back later.
	Unavailable
	// Malformed: an answer that is not this API's.
	Malformed
	// Incomplete: every page was well-formed, and they do not add up to a
	// whole listing.
	Incomplete
	// Canceled: the caller gave up. It says nothing about the cloud.
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

// Error is every error that a Client and a Listing return. Its text is fit for
// a log, an event or a status: it names the operation, the HTTP status, the
// API's own code and title and the request ID, and holds no credential, page
// token, query or response body.
type Error struct {
	Class     Class
	Operation string // such as listCmkV2Clusters
	// StatusCode is the HTTP status, 0 if no answer came.
	StatusCode int
	// Code and Title are the API's own words, empty if it gave none.
	Code, Title string
	// Advice is what a person can do, in this package's own words; empty if it knows none.
	Advice string
	// RequestID is for the cloud's support, empty if none came.
	RequestID string
	// RetryAfter is how long to wait before asking again, between 0 and MaxWait:
	// what the cloud asked for, or what was too long to wait here, for the
	// budget or after a failure. 0 is for the caller to choose.
	RetryAfter time.Duration
	// Err is the cause in this package's own words. It wraps context.Canceled
	// or context.DeadlineExceeded if one of them is the cause, and no other
	// error, since those of net/http repeat the URL or what the server sent.
	Err error

	// pageSize reports whether the API's answer speaks of the page size.
	pageSize bool
	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// newError returns an Error of a class with a cause in own words. Client.name
// fills in the rest.
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

// ClassOf returns the class of err, however deep it is wrapped: None for nil,
// Canceled for a bare context.Canceled, and Unavailable for any other error
// that is not this package's, a passed deadline among them.
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
