// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// statusError turns an answer that is not HTTP 200 into an *Error.
func statusError(resp *http.Response, now time.Time, clean cleaner) error {
	// If reading the body fails, the *Error has the HTTP status and no text.
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxFailureBytes))
	problems, requestID := parseFailure(raw)
	e := &Error{Class: classOfStatus(resp.StatusCode, problems), StatusCode: resp.StatusCode, RetryAfter: retryAfter(resp, now)}
	e.quoteProblems(problems, requestID, clean)
	e.Advice = adviceFor(resp.StatusCode, e.Class)
	if e.Class == Malformed {
		e.Err = errors.New("malformed response: only 200 is an answer to a list")
	}
	return e
}

// quoteProblems copies the request ID, the first error code and the first error text of an answer
// into the *Error.
func (e *Error) quoteProblems(problems []problem, requestID string, clean cleaner) {
	var code, title string
	for _, p := range problems {
		code = cmp.Or(code, p.errorCode())
		title = cmp.Or(title, p.errorText(e.StatusCode))
		e.blamesPageSize = e.blamesPageSize || p.blamesPageSize()
	}
	e.Code, e.Title = clean(code, maxCodeLength), clean(title, maxTitleLength)
	e.RequestID = clean(requestID, maxRequestIDLength)
}

// temporaryStatuses has the HTTP statuses below 500 after which a retry can help. 429 is left out,
// because it has its own class.
var temporaryStatuses = map[int]bool{
	http.StatusProxyAuthRequired:  true,
	http.StatusRequestTimeout:     true,
	http.StatusConflict:           true,
	http.StatusMisdirectedRequest: true,
	http.StatusLocked:             true,
	http.StatusTooEarly:           true,
	clientClosedRequest:           true,
}

// clientClosedRequest is a status that proxies use if the client closed the connection.
const clientClosedRequest = 499

// adviceByStatus maps the HTTP status of an answer to what a person can do about the error.
var adviceByStatus = map[int]string{
	http.StatusBadRequest:                  "check spec.environment and the filters",
	http.StatusUnauthorized:                "the Secret must hold a Cloud API key (resource scope Cloud), not one scoped to a Kafka cluster",
	http.StatusForbidden:                   "the Cloud API key (resource scope Cloud, not one scoped to a Kafka cluster) needs a role that may see this environment",
	http.StatusNotFound:                    "check spec.environment, and that spec.endpoint is the API's address without a path of its own",
	http.StatusMethodNotAllowed:            "check spec.endpoint: what answers there takes no lists",
	http.StatusNotAcceptable:               "check spec.endpoint: what answers there gives no JSON",
	http.StatusProxyAuthRequired:           "a proxy between the manager and the cloud wants credentials; check HTTPS_PROXY of the manager",
	http.StatusGone:                        "this version of the API is gone; upgrade the operator",
	http.StatusRequestEntityTooLarge:       "a proxy takes no request this large; give fewer filters",
	http.StatusRequestURITooLong:           "give fewer or shorter filters",
	http.StatusTooManyRequests:             "other users of the same API key count too; a longer spec.interval or a lower --requests-per-second helps",
	http.StatusRequestHeaderFieldsTooLarge: "give fewer or shorter filters",
	http.StatusUnavailableForLegalReasons:  "the cloud refuses for legal reasons; ask its support",
}

// adviceFor returns what a person can do about an error answer; "" if there is no advice.
func adviceFor(code int, class Class) string {
	switch {
	case class == Unauthenticated:
		return adviceByStatus[http.StatusUnauthorized]
	case adviceByStatus[code] != "":
		return adviceByStatus[code]
	case class == InvalidRequest:
		return "check spec.endpoint, spec.environment and the filters"
	}
	return ""
}

// classOfStatus returns the class of an answer that is not HTTP 200.
func classOfStatus(code int, problems []problem) Class {
	switch {
	case code == http.StatusUnauthorized:
		return Unauthenticated
	case code == http.StatusForbidden && invalidKey(problems):
		return Unauthenticated
	case code == http.StatusForbidden:
		return Forbidden
	case code == http.StatusTooManyRequests:
		return RateLimited
	case temporaryStatuses[code]:
		return Unavailable
	case code >= 400 && code < 500:
		return InvalidRequest
	case code >= 500 && code < 600:
		return Unavailable
	}
	return Malformed
}

// transportFailure returns the *Error for a request that could not be sent, or whose answer could
// not be read. If the caller canceled ctx, the class is Canceled.
func transportFailure(ctx context.Context, err error, clean cleaner) error {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	cause, advice := transportCause(err)
	e := newError(Unavailable, "no whole answer: "+clean(cause, maxCauseLength))
	e.Advice = advice
	return e
}

// contextError returns the *Error for a context that was canceled or is past its deadline.
func contextError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Class: Canceled, Err: context.Canceled}
	}
	return &Error{Class: Unavailable, Err: fmt.Errorf("timed out: %w", context.DeadlineExceeded)}
}

// transportCause describes a failed connection, and says what a person can do. The description
// quotes only errors about an address or a certificate. The texts of other errors may contain the
// URL or text from the server.
func transportCause(err error) (cause, advice string) {
	const (
		checkNetwork = "check spec.endpoint, and what stands between the manager and it: network policies, firewalls, HTTPS_PROXY"
		checkTrust   = "check spec.endpoint, and whether a proxy on the way answers with a certificate of its own"
	)
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return "the name " + e.Name + " does not resolve", "check spec.endpoint, and that the manager's pod can resolve names"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Error(), checkNetwork
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e.Error(), "check that the manager's pod can resolve names"
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error(), checkTrust
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS, and the endpoint says https", "check spec.endpoint"
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return "timed out", checkNetwork
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed early", ""
	}
	return "the connection failed", checkNetwork
}
