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
	// None means that there was no error.
	None Class = iota
	// Unauthenticated: the cloud does not accept the credential.
	Unauthenticated
	// Forbidden: the credential is valid, but does not allow the request.
	Forbidden
	// InvalidRequest: the cloud or List rejects the request, and a retry cannot help.
	InvalidRequest
	// RateLimited: the number of requests exceeded the cloud's limit or the operator's own limit.
	RateLimited
	// Unavailable: no complete answer came, or the cloud reports an error that is probably
	// temporary.
	Unavailable
	// Malformed: the answer does not have the form that the API documents.
	Malformed
	// Incomplete: the pages are well-formed, but items are missing or unreadable, or the listing
	// exceeds a limit.
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

// Error is the error that a Client or a Listing returns. A log, an event or a status can show its
// text: the text contains no credential, page token, URL query or complete response body.
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
	// RetryAfter is how long the caller should wait before a retry, at most MaxWait. 0 means that
	// the caller need not wait.
	RetryAfter time.Duration
	// Err is the cause. It may wrap context.Canceled or context.DeadlineExceeded. It never wraps an
	// error of net/http, because such an error shows the URL, which can contain a page token.
	Err error

	// blamesPageSize is true if an error text in the answer mentions the page size. List can then
	// ask for smaller pages.
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

// ClassOf returns the class of an error. The first case that applies counts:
//
//   - If err is or wraps an *Error with a class other than None, ClassOf returns this class.
//   - If err is nil, ClassOf returns None.
//   - If err is or wraps context.Canceled, ClassOf returns Canceled.
//   - For every other error, ClassOf returns Unavailable.
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
