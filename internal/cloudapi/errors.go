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

// Class is the kind of failure that an error reports. Callers decide by it what to do.
type Class int

const (
	// None is the class of no error.
	None Class = iota
	// Unauthenticated: the cloud does not know the credential.
	Unauthenticated
	// Forbidden: the cloud knows the credential, but the credential lacks the right.
	Forbidden
	// InvalidRequest: the cloud cannot understand the request. Sending it again cannot help.
	InvalidRequest
	// RateLimited: too many requests, as counted by the cloud or by the budget.
	RateLimited
	// Unavailable: no answer, or an answer that says to come back later.
	Unavailable
	// Malformed: the answer does not have the form that the API gives answers.
	Malformed
	// Incomplete: every page was well-formed, but together they are not a whole listing.
	Incomplete
	// Canceled: the caller gave up. That says nothing about the cloud.
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

// Error is the type of every error that a Client and a Listing return. Its text can be shown in a
// log, an event or a status: it names the operation, the HTTP status, the API's own code and title
// and the request ID. It holds no credential, page token, query or response body.
type Error struct {
	Class     Class
	Operation string // such as listCmkV2Clusters
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	// Code and Title are the API's own words; empty if it gave none.
	Code, Title string
	// Advice says what a person can do, in this package's own words; empty if there is none.
	Advice string
	// RequestID is for the cloud's support; empty if the answer had none.
	RequestID string
	// RetryAfter is how long to wait before asking again, between 0 and MaxWait. The cloud asked
	// for this wait, or it is a wait, for the budget or after a failure, that was too long to make
	// here. 0 means that there is no such wait.
	RetryAfter time.Duration
	// Err is the cause in this package's own words. It wraps context.Canceled or
	// context.DeadlineExceeded if that is the cause, and no other error: errors of net/http repeat
	// the URL or the server's words.
	Err error

	// pageSize reports whether the API's answer mentions the page size.
	pageSize bool
	// sentWith identifies the authorization that the request carried.
	sentWith mark
}

// newError returns an Error with a cause in this package's words. The function name fills in the
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

// ClassOf returns the class of err, even if it is wrapped: None for nil, Canceled for a bare
// context.Canceled. Any other error that is not an *Error is Unavailable, also
// context.DeadlineExceeded.
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
