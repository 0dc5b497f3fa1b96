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

// Class is a kind of failure. Callers use the class to decide what to do.
type Class int

const (
	// None is the class of no error.
	None Class = iota
	// Unauthenticated: the cloud does not accept the credential.
	Unauthenticated
	// Forbidden: the credential is valid, but lacks a right.
	Forbidden
	// InvalidRequest: the cloud rejects the request, and a retry cannot help.
	InvalidRequest
	// RateLimited: there were more requests than the cloud or the client's request budget allows.
	RateLimited
	// Unavailable: no complete answer came, or the cloud's error is probably temporary.
	Unavailable
	// Malformed: the answer does not have the form that the API documents.
	Malformed
	// Incomplete: the pages are well-formed, but the listing lacks items or is too large.
	Incomplete
	// Canceled: the caller canceled the request.
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

// Error is the error of a Client or a Listing. Its text can be shown in a log, an event or a
// status. The text contains no credential, page token, query or complete response body.
type Error struct {
	Class     Class
	Operation string // such as listCmkV2Clusters
	// StatusCode is the HTTP status; 0 if no answer came.
	StatusCode int
	// Code and Title are the error code and the error text in the API's answer. Each may be empty.
	Code, Title string
	// Advice says what a person can do about the error. It may be empty.
	Advice string
	// RequestID is the request ID in the answer, for the cloud's support. It may be empty.
	RequestID string
	// RetryAfter is how long the caller should wait before a retry, at most MaxWait. It is 0 if the
	// caller need not wait.
	RetryAfter time.Duration
	// Err is the cause. It may wrap context.Canceled or context.DeadlineExceeded. It wraps no error
	// of net/http, because such an error repeats the URL.
	Err error

	// blamesPageSize is true if an error text in the answer mentions the page size.
	blamesPageSize bool
	// sentWith identifies the API key or token that the request carried.
	sentWith mark
}

// newError returns an Error with a class and a cause.
func newError(class Class, cause string) *Error {
	return &Error{Class: class, Err: errors.New(cause)}
}

// Error returns a text such as "listCmkV2Clusters: 403 Forbidden: user_unauthorized: Forbidden
// Access (request id abc)".
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

// ClassOf returns the class of an error. If err is or wraps an *Error, this is the class of the
// *Error. If not, the class is:
//
//   - None, if err is nil
//   - Canceled, if err is or wraps context.Canceled
//   - Unavailable for every other error
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
