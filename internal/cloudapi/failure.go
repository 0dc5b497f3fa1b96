// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxFailureBytes is how many bytes of a failure's body are read.
const maxFailureBytes = 64 << 10

// looseText is a JSON string or number as text. Any other value becomes "", without an error: an
// odd member must not hide the other members.
type looseText string

// UnmarshalJSON never fails.
func (t *looseText) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch c := raw[0]; {
	case c == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			*t = looseText(s)
		}
	case c == '-' || (c >= '0' && c <= '9'):
		*t = looseText(raw)
	}
	return nil
}

// problem describes one error. It has the members of all forms: the API's, that of an OAuth server
// (RFC 6749) and problem+json (RFC 9457).
type problem struct {
	ID          looseText `json:"id"`
	Code        looseText `json:"code"`
	Title       looseText `json:"title"`
	Detail      looseText `json:"detail"`
	ErrorCode   looseText `json:"error_code"`
	Message     looseText `json:"message"`
	Description looseText `json:"error_description"`
	Source      struct {
		Parameter looseText `json:"parameter"`
	} `json:"source"`
}

// title returns the problem's text for people; "" if there is none. A title that only repeats the
// status is used only if there is no other text.
func (p problem) title(code int) string {
	title := p.Title
	if strings.EqualFold(strings.TrimSpace(string(title)), http.StatusText(code)) {
		title = ""
	}
	return firstOf(title, p.Message, p.Description, p.Detail, p.Title)
}

// looseProblem is a problem. It is read from an object, or from a text: a text of one word becomes
// the code, any other text the message. Any other value gives an empty problem, without an error.
type looseProblem struct{ problem }

// UnmarshalJSON never fails.
func (p *looseProblem) UnmarshalJSON(raw []byte) error {
	p.problem = problem{}
	if raw[0] == '{' {
		_ = json.Unmarshal(raw, &p.problem)
		return nil
	}
	var text looseText
	if raw[0] == '"' {
		_ = text.UnmarshalJSON(raw)
	}
	if strings.ContainsAny(string(text), " \t\r\n") {
		p.Message = text
	} else {
		p.Code = text
	}
	return nil
}

// looseProblems is a list of problems. It is read from a list, or from a single problem.
type looseProblems []looseProblem

// UnmarshalJSON never fails.
func (p *looseProblems) UnmarshalJSON(raw []byte) error {
	*p = make([]looseProblem, 1)
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]looseProblem)(p))
	}
	return (*p)[0].UnmarshalJSON(raw)
}

// blamesPageSize reports whether a problem mentions the page size.
func (p problem) blamesPageSize() bool {
	text := strings.ToLower(string(p.Source.Parameter + " " + p.Code + " " + p.Title + " " + p.Detail + " " + p.Message))
	return strings.Contains(strings.NewReplacer("_", "", " ", "", "-", "").Replace(text), "pagesize")
}

// failureBody is the body of an answer other than 200. Problems may be in errors, in error, or at
// the top level.
type failureBody struct {
	Errors    looseProblems `json:"errors"`
	Error     looseProblem  `json:"error"`
	RequestID looseText     `json:"requestId"`
}

// parseFailure reads as much as it can of a failure's body. If the body is empty, is not JSON or
// has no known form, it returns no problems.
func parseFailure(raw []byte) (problems []problem, requestID string) {
	var body failureBody
	var top problem
	// If a member has the wrong type, the others are still decoded. If the body is not JSON, all
	// stay empty. Both are right here.
	_ = json.Unmarshal(raw, &body)
	_ = json.Unmarshal(raw, &top)
	for _, p := range body.Errors {
		problems = append(problems, p.problem)
	}
	// An OAuth server puts the code into error, and the text at the top level.
	if (body.Error.problem == problem{Code: body.Error.Code}) && top != (problem{}) {
		top.Code = looseText(firstOf(top.Code, body.Error.Code))
		body.Error = looseProblem{}
	}
	problems = append(problems, top, body.Error.problem)
	problems = slices.DeleteFunc(problems, func(p problem) bool { return p == problem{} })
	requestID = string(body.RequestID)
	if requestID == "" && len(problems) > 0 {
		requestID = string(problems[0].ID)
	}
	return problems, requestID
}

// failure turns an answer other than 200 into an *Error. If a header has a request ID, the function
// name sets it later.
func failure(resp *http.Response, now time.Time, clean cleaner) error {
	// If the body cannot be read, the status says enough.
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxFailureBytes))
	problems, requestID := parseFailure(raw)
	e := &Error{
		Class:      classOfStatus(resp.StatusCode, problems),
		RetryAfter: retryAfter(resp, now),
		RequestID:  clean(requestID, maxRequestIDLength),
	}
	// The first problem counts. The others fill in what it lacks.
	var code, title string
	for _, p := range problems {
		code = firstOf(looseText(code), p.Code, p.ErrorCode)
		title = firstOf(looseText(title), looseText(p.title(resp.StatusCode)))
		e.pageSize = e.pageSize || p.blamesPageSize()
	}
	e.Code, e.Title = clean(code, maxCodeLength), clean(title, maxTitleLength)
	e.Advice = adviceFor(resp.StatusCode, e.Class)
	if e.Class == Malformed {
		e.Err = errors.New("malformed response: only 200 is an answer to a list")
	}
	return e
}

// passing are the statuses below 500 after which retrying can help: another request, a lock, a
// replay or a proxy was in the way.
var passing = map[int]bool{
	http.StatusProxyAuthRequired:  true,
	http.StatusRequestTimeout:     true,
	http.StatusConflict:           true,
	http.StatusMisdirectedRequest: true,
	http.StatusLocked:             true,
	http.StatusTooEarly:           true,
	clientClosedRequest:           true,
}

// clientClosedRequest is a proxy's status for a request whose sender closed the connection.
const clientClosedRequest = 499

// advice says what a person can do about an answer. The key is the HTTP status.
var advice = map[int]string{
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

// adviceFor returns the advice for an answer of a class.
func adviceFor(code int, class Class) string {
	switch {
	case class == Unauthenticated:
		return advice[http.StatusUnauthorized]
	case advice[code] != "":
		return advice[code]
	case class == InvalidRequest:
		return "check spec.endpoint, spec.environment and the filters"
	}
	return ""
}

// classOfStatus returns the class of an answer other than 200.
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
	case passing[code]:
		return Unavailable
	case code >= 400 && code < 500:
		return InvalidRequest
	case code >= 500 && code < 600:
		return Unavailable
	}
	return Malformed
}

// invalidKey reports whether a 403 means that the cloud does not know the key. Otherwise the key
// lacks rights.
func invalidKey(problems []problem) bool {
	for _, p := range problems {
		for _, text := range []looseText{p.Detail, p.Message, p.Description} {
			if strings.Contains(strings.ToLower(string(text)), "invalid api key") {
				return true
			}
		}
	}
	return false
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...looseText) string {
	for _, t := range texts {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// transportFailure turns an error of the transport, from sending or from reading a body, into an
// *Error.
//
// ctx alone decides whether the caller gave up, because a transport may cancel by itself.
func transportFailure(ctx context.Context, err error, clean cleaner) error {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	cause, advice := transportCause(err)
	e := newError(Unavailable, "no whole answer: "+clean(cause, maxCauseLength))
	e.Advice = advice
	return e
}

// gaveUp returns the *Error for a context that is done: it was canceled, or its time is up.
func gaveUp(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Class: Canceled, Err: context.Canceled}
	}
	return &Error{Class: Unavailable, Err: fmt.Errorf("timed out: %w", context.DeadlineExceeded)}
}

// transportCause describes an error of the transport, with advice. It repeats only texts about
// addresses and certificates. For any other error it names only the kind, because many texts of
// net/http quote the server's words and the URL.
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
