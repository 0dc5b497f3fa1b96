// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func TestAnErrorNamesOperationStatusCodeTitleAndRequestID(t *testing.T) {
	const first = `{"errors":[{"id":"id-1","status":"403","code":"user_unauthorized","title":"Forbidden Access","detail":"hush","source":{"pointer":"/hush"}}]}`
	const prefix = "listCmkV2Clusters: "
	tests := map[string]struct {
		code  int
		body  string
		class Class
		text  string
	}{
		"errors[]":                  {403, first, Forbidden, "403 Forbidden: user_unauthorized: Forbidden Access (request id req-1)"},
		"only a detail":             {400, `{"errors":[{"detail":"no such filter"}]}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"a detail alone at the top": {400, `{"detail":"no such filter"}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"problem+json":              {403, `{"type":"about:blank","title":"Forbidden","status":403,"detail":"no role in this environment"}`, Forbidden, "403 Forbidden: no role in this environment (request id req-1)"},
		"problem+json with a title": {409, `{"title":"Busy","detail":"hush"}`, Unavailable, "409 Conflict: Busy (request id req-1)"},
		"only the status again":     {403, `{"title":"Forbidden"}`, Forbidden, "403 Forbidden: Forbidden (request id req-1)"},
		"OAuth":                     {401, `{"error":"invalid_token","error_description":"The token expired"}`, Unauthenticated, "401 Unauthorized: invalid_token: The token expired (request id req-1)"},
		"OAuth, no description":     {400, `{"error":"invalid_grant"}`, InvalidRequest, "400 Bad Request: invalid_grant (request id req-1)"},
		"error in words":            {500, `{"error":"Something went wrong"}`, Unavailable, "500 Internal Server Error: Something went wrong (request id req-1)"},
		"errors in words":           {400, `{"errors":["no such filter","nor such an order"]}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"errors as a text":          {400, `{"errors":"no such filter"}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"errors as an object":       {400, `{"errors":{"code":"c","title":"t"}}`, InvalidRequest, "400 Bad Request: c: t (request id req-1)"},
		"only a title":              {400, `{"errors":[{"title":"Bad page_size"}]}`, InvalidRequest, "400 Bad Request: Bad page_size (request id req-1)"},
		"error_code at the top": {401, `{"error_code":40101,"message":"Unknown key"}`, Unauthenticated,
			"401 Unauthorized: 40101: Unknown key (request id req-1)"},
		"error_code in errors[]": {404, `{"errors":[{"error_code":404,"message":"Not here"}]}`, InvalidRequest,
			"404 Not Found: 404: Not here (request id req-1)"},
		"null message":                {400, `{"error_code":400,"message":null}`, InvalidRequest, "400 Bad Request: 400 (request id req-1)"},
		"error":                       {500, `{"status":500,"error":{"code":"INTERNAL","message":"Oops","hush":1},"requestId":"id-2"}`, Unavailable, "500 Internal Server Error: INTERNAL: Oops (request id req-1)"},
		"empty":                       {503, ``, Unavailable, "503 Service Unavailable (request id req-1)"},
		"HTML":                        {502, `<html>hush</html>`, Unavailable, "502 Bad Gateway (request id req-1)"},
		"null":                        {500, `null`, Unavailable, "500 Internal Server Error (request id req-1)"},
		"a string":                    {500, `"hush"`, Unavailable, "500 Internal Server Error (request id req-1)"},
		"cut JSON":                    {500, `{"errors":[{"code":"hush`, Unavailable, "500 Internal Server Error (request id req-1)"},
		"odd members":                 {400, `{"errors":7,"error":["hush"],"error_code":"E1","message":["hush"]}`, InvalidRequest, "400 Bad Request: E1 (request id req-1)"},
		"odd elements":                {400, `{"errors":[null,5,{"code":{"hush":1},"title":true},{"code":"c","title":"t"}]}`, InvalidRequest, "400 Bad Request: c: t (request id req-1)"},
		"larger than it":              {400, `{"errors":[{"code":"hush","detail":"` + strings.Repeat("x", maxFailureBytes) + `"}]}`, InvalidRequest, "400 Bad Request (request id req-1)"},
		"a list at the top":           {400, `[{"code":"c","message":"no such filter"},{"message":"hush"}]`, InvalidRequest, "400 Bad Request: c: no such filter (request id req-1)"},
		"a list of bodies":            {403, `[{"error":{"code":403,"message":"no role here","errors":[{"message":"hush","reason":"hush"}]}}]`, Forbidden, "403 Forbidden: 403: no role here (request id req-1)"},
		"words at the top":            {503, `"upstream is down"`, Unavailable, "503 Service Unavailable: upstream is down (request id req-1)"},
		"a byte order mark":           {400, "\ufeff" + `{"code":"c","message":"no such filter"}`, InvalidRequest, "400 Bad Request: c: no such filter (request id req-1)"},
		"message as a list":           {400, `{"code":"c","message":["no such filter","hush"]}`, InvalidRequest, "400 Bad Request: c: no such filter (request id req-1)"},
		"error as a list":             {400, `{"error":[{"code":"c","message":"no such filter"}]}`, InvalidRequest, "400 Bad Request: c: no such filter (request id req-1)"},
		"error as a list of words":    {400, `{"error":["no such filter"]}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"detail as a list":            {422, `{"detail":[{"loc":["query","hush"],"msg":"field required","type":"hush"}]}`, InvalidRequest, "422 Unprocessable Entity: field required (request id req-1)"},
		"detail as an object":         {403, `{"title":"Forbidden","detail":{"code":"c","message":"no role here"}}`, Forbidden, "403 Forbidden: c: no role here (request id req-1)"},
		"detail as an object, in one": {403, `{"errors":[{"code":"c","detail":{"reason":["no role here"],"code":"hush"}}]}`, Forbidden, "403 Forbidden: c: no role here (request id req-1)"},
		"errors by field":             {400, `{"errors":{"name":["is too long","hush"],"zone":[{"message":"hush"}]}}`, InvalidRequest, "400 Bad Request: name: is too long (request id req-1)"},
		"errors by field, in a word":  {400, `{"errors":{"count":3,"empty":[],"name":["required"]}}`, InvalidRequest, "400 Bad Request: name: required (request id req-1)"},
		"fields that are no errors":   {400, `{"names":["hush hush"],"data":{"message":"hush"}}`, InvalidRequest, "400 Bad Request (request id req-1)"},
		"errorCode and errorMessage":  {404, `{"errorCode":"E4","errorMessage":"no such path"}`, InvalidRequest, "404 Not Found: E4: no such path (request id req-1)"},
		"a reason":                    {403, `{"reason":"no role here"}`, Forbidden, "403 Forbidden: no role here (request id req-1)"},
		"a description":               {403, `{"code":"c","description":"no role here"}`, Forbidden, "403 Forbidden: c: no role here (request id req-1)"},
		"a message and a reason":      {403, `{"reason":"hush","description":"hush","message":"no role here"}`, Forbidden, "403 Forbidden: no role here (request id req-1)"},
		"a fault":                     {401, `{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}`, Unauthenticated, "401 Unauthorized: oauth.v2.InvalidApiKey: Invalid ApiKey (request id req-1)"},
		"spaces instead of a title":   {400, `{"title":" ","detail":"no such filter"}`, InvalidRequest, "400 Bad Request: no such filter (request id req-1)"},
		"names of another case":       {400, `{"Errors":[{"Code":"c","Message":"no such filter"}]}`, InvalidRequest, "400 Bad Request: c: no such filter (request id req-1)"},
		"too deep":                    {400, strings.Repeat(`{"detail":[`, 100) + `"hush hush"` + strings.Repeat(`]}`, 100), InvalidRequest, "400 Bad Request (request id req-1)"},
		"too many":                    {400, `{"errors":[` + strings.Repeat(`{},`, maxReasonValues) + `"hush hush"]}`, InvalidRequest, "400 Bad Request (request id req-1)"},
		"no such status":              {529, ``, Unavailable, "529 (request id req-1)"},
		"2xx":                         {204, ``, Malformed, "204 No Content: malformed response: only 200 is an answer to a list (request id req-1)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, tt.code, tt.body) })
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, tt.class)
			g.Expect(e.Error()).To(Equal(prefix + tt.text))
			g.Expect(e.StatusCode).To(Equal(tt.code))
			g.Expect(e.Operation).To(Equal("listCmkV2Clusters"))
			g.Expect(fmt.Sprintf("%v %+v", e, errors.Unwrap(e))).NotTo(ContainSubstring("hush"))
		})
	}
}

func TestEveryStatusHasItsClass(t *testing.T) {
	tests := map[int]Class{
		400: InvalidRequest, 401: Unauthenticated, 402: InvalidRequest, 403: Forbidden, 404: InvalidRequest,
		405: InvalidRequest, 407: Unavailable, 408: Unavailable, 409: Unavailable, 410: InvalidRequest,
		422: InvalidRequest, 429: RateLimited, 500: Unavailable, 501: Unavailable, 502: Unavailable,
		503: Unavailable, 504: Unavailable, 599: Unavailable,
	}
	for code, class := range tests {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, code, "") })
			_, err := c.list(t)
			expectError(t, err, class)
		})
	}
}

func TestA403ForAnInvalidKeyIsUnauthenticated(t *testing.T) {
	tests := map[string]struct {
		body  string
		class Class
	}{
		"detail":          {`{"errors":[{"title":"Forbidden","detail":"Invalid API Key: make a new one"}]}`, Unauthenticated},
		"a later detail":  {`{"errors":[{"detail":"x"},{"detail":"invalid api key"}]}`, Unauthenticated},
		"message":         {`{"error_code":403,"message":"invalid API key"}`, Unauthenticated},
		"error's message": {`{"error":{"code":403,"message":"INVALID API KEY"}}`, Unauthenticated},
		"another detail":  {`{"errors":[{"detail":"the API key may not read this"}]}`, Forbidden},
		"no JSON":         {`invalid API key`, Forbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 403, tt.body) })
			_, err := c.list(t)
			expectError(t, err, tt.class)
		})
	}
}

func TestTheRequestIDComesFromTheHeaderElseFromTheBody(t *testing.T) {
	tests := map[string]struct{ header, body, want string }{
		"header":    {"h", `{"errors":[{"id":"e"}],"requestId":"r"}`, "h"},
		"requestId": {"", `{"error":{"code":"c"},"requestId":"r"}`, "r"},
		"errors[]":  {"", `{"errors":[{"id":"e"}]}`, "e"},
		"a list":    {"", `[{"id":"e"}]`, "e"},
		"none":      {"", ``, ""},
		"cleaned":   {"a\tb" + strings.Repeat("x", 1000), ``, "a b" + strings.Repeat("x", maxRequestIDLength-3) + "…"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Request-Id", tt.header)
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := c.list(t)
			e := expectError(t, err, Unavailable)
			g.Expect(e.RequestID).To(Equal(tt.want))
			g.Expect(strings.Contains(e.Error(), "(request id ")).To(Equal(tt.want != ""))
		})
	}
}

func TestNoCredentialTokenQueryOrBodyIsInAnyError(t *testing.T) {
	const token = "page-token-hush"
	secrets := []string{
		testCredential.Key, testCredential.Secret, testCredential.basicAuth(), url.QueryEscape(testCredential.Secret), token,
		"very/secret\x00+value==" + testCredential.Secret, // cleaning would join its parts
		"very/se\u200bcret+value==",
		"very/se\xffcret+value==",
	}
	for i, secret := range secrets {
		quoted, err := json.Marshal(secret)
		NewWithT(t).Expect(err).NotTo(HaveOccurred())
		q := string(quoted)
		echoes := map[string]http.HandlerFunc{
			"title": func(w http.ResponseWriter, _ *http.Request) {
				answer(w, 400, `{"errors":[{"title":`+q+`,"code":`+q+`}]}`)
			},
			"request id": func(w http.ResponseWriter, _ *http.Request) { answer(w, 400, `{"requestId":`+q+`}`) },
			"message":    func(w http.ResponseWriter, _ *http.Request) { answer(w, 401, `{"error_code":401,"message":`+q+`}`) },
			"detail":     func(w http.ResponseWriter, _ *http.Request) { answer(w, 403, `{"errors":[{"detail":`+q+`}]}`) },
			"plain body": func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, secret) },
			"kind":       func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"kind":`+q+`,"data":[]}`) },
			"bad JSON":   func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, secret) },
			"next":       func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, clusterPage(`{"next":`+q+`}`)) },
			"same token": func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, clusterPage(next(token))) },
			"Location": func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Location"] = []string{"https://" + url.QueryEscape(secret) + ".example/?" + secret}
				answer(w, 302, "")
			},
			"detail's list":  func(w http.ResponseWriter, _ *http.Request) { answer(w, 400, `{"detail":[{"msg":"for `+q[1:]+`}]}`) },
			"a field's name": func(w http.ResponseWriter, _ *http.Request) { answer(w, 400, `{"errors":{`+q+`:["is bad"]}}`) },
			"words":          func(w http.ResponseWriter, _ *http.Request) { answer(w, 500, `"no right for `+q[1:]) },
			"header": func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["X-Request-Id"] = []string{secret}
				w.WriteHeader(http.StatusInternalServerError)
			},
			"status line": raw("HTTP/1.1 " + secret + "\r\n\r\n"),
			"no header":   raw("HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n"),
			"no HTTP":     raw(secret + "\r\n\r\n"),
			"bad chunk":   raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n"),
			"bad length":  raw("HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n"),
		}
		for where, handler := range echoes {
			t.Run(fmt.Sprintf("%d in %s", i, where), func(t *testing.T) {
				g := NewWithT(t)
				c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
					if !r.URL.Query().Has("page_token") {
						answer(w, http.StatusOK, clusterPage(next(token)))
						return
					}
					handler(w, r)
				})
				_, err := listClusters(t.Context(), c.client(t), ClusterFilter{Environment: "env-hush"}, nil)
				g.Expect(err).To(HaveOccurred())
				for e := err; e != nil; e = errors.Unwrap(e) {
					for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e)} {
						expectNoCredential(t, text)
						g.Expect(text).NotTo(ContainSubstring(token))
						g.Expect(text).NotTo(ContainSubstring("env-hush"))
						g.Expect(text).NotTo(MatchRegexp(`[\x00-\x1f\x7f]`))
					}
				}
			})
		}
	}
}

// raw answers with the bytes of text and closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func TestTextFromTheCloudIsOneBoundedPrintableLine(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 400, `{"errors":[{"code":"`+strings.Repeat("é", 500)+`","title":" a\u001b[2J\r\n\tb\u202e\u0000c `+"\xff"+strings.Repeat("x", 1000)+`"}]}`)
	})
	_, err := c.list(t)
	e := expectError(t, err, InvalidRequest)
	g.Expect(e.Code).To(Equal(strings.Repeat("é", maxCodeLength) + "…"))
	g.Expect(e.Title).To(HavePrefix("a [2J b c \ufffdxxx"))
	g.Expect([]rune(e.Title)).To(HaveLen(maxTitleLength + 1))
}

func TestTransportErrorsAreUnavailableAndSayWhere(t *testing.T) {
	g := NewWithT(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(closed.Close()).To(Succeed())
	plain := newCloud(t, inTurn(clusterPage(`{}`)))
	secure := newTLSCloud(t, inTurn(clusterPage(`{}`)))
	silent := newCloud(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })

	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"nothing listens": {func(o *Options) { o.Endpoint = "http://" + closed.Addr().String() }, "connection refused"},
		"no TLS":          {func(o *Options) { o.Endpoint = strings.Replace(plain.URL, "http", "https", 1) }, "does not speak TLS"},
		"unknown issuer":  {func(o *Options) { o.Endpoint, o.Transport = secure.URL, nil }, "certificate"},
		"no header in time": {func(o *Options) {
			o.Endpoint, o.Transport = silent.URL, &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}
		}, "timed out"},
		"no such host": {func(o *Options) {
			o.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "api.example", IsNotFound: true}
			})
		}, "the name api.example does not resolve"},
		"any other": {func(o *Options) {
			o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New(testCredential.Secret)}
			})
		}, "the connection failed"},
		"canceled by the transport": {func(o *Options) {
			o.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return nil, context.Canceled })
		}, "the connection failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var calls []Call
			_, err := plain.list(t, tt.change, func(o *Options) { o.Observe = func(c Call) { calls = append(calls, c) } })
			e := expectError(t, err, Unavailable)
			g.Expect(e.StatusCode).To(BeZero())
			g.Expect(e.Error()).To(HavePrefix("listCmkV2Clusters: no whole answer: "))
			g.Expect(e.Error()).To(ContainSubstring(tt.want))
			g.Expect(e.Error()).NotTo(ContainSubstring("env-1"))
			expectNoCredential(t, e.Error())
			g.Expect(calls).To(HaveLen(1))
			g.Expect(calls[0].StatusCode).To(BeZero())
		})
	}
}

func TestClassOfAnythingElseIsUnavailable(t *testing.T) {
	tests := []struct {
		err  error
		want Class
	}{
		{nil, None},
		{errors.New("x"), Unavailable},
		{io.ErrUnexpectedEOF, Unavailable},
		{context.DeadlineExceeded, Unavailable},
		{context.Canceled, Canceled},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", &Error{Class: Forbidden})), Forbidden},
		{errors.Join(errors.New("x"), &Error{Class: RateLimited}), RateLimited},
		{&Error{}, Unavailable},
		{&Error{Class: Unavailable, Err: context.Canceled}, Unavailable},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.err), func(t *testing.T) {
			NewWithT(t).Expect(ClassOf(tt.err)).To(Equal(tt.want))
		})
	}
}

func TestEveryClassHasAName(t *testing.T) {
	g := NewWithT(t)
	names := map[string]bool{}
	for c := None; c <= Canceled; c++ {
		g.Expect(c.String()).To(MatchRegexp(`^[A-Z][A-Za-z]+$`))
		names[c.String()] = true
	}
	g.Expect(names).To(HaveLen(int(Canceled) + 1))
	g.Expect(Class(-1).String()).To(Equal("Class(-1)"))
	g.Expect((Canceled + 1).String()).To(Equal("Class(9)"))
}

func TestEveryAnswerHasTheAdviceThatFits(t *testing.T) {
	for code := 400; code < 500; code++ {
		c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, code, "") })
		_, err := c.list(t)
		e, ok := errors.AsType[*Error](err)
		g := NewWithT(t)
		g.Expect(ok).To(BeTrue())
		if e.Class != Unavailable {
			g.Expect(e.Advice).NotTo(BeEmpty(), "%d", code)
		}
	}
	for code, want := range map[int]string{404: "spec.endpoint", 407: "HTTPS_PROXY", 414: "filters", 401: "Cloud API key", 403: "role", 410: "upgrade"} {
		c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, code, "") })
		_, err := c.list(t)
		e, _ := errors.AsType[*Error](err)
		NewWithT(t).Expect(e.Advice).To(ContainSubstring(want), "%d", code)
	}
}

// refused lists with an operation, and returns the cloud's refusal.
func refused[R, F any](operation *Operation[R, F], filter F) func(*testing.T, *Client) *Error {
	return func(t *testing.T, c *Client) *Error {
		_, err := List(t.Context(), c, operation, filter, nil, func(*R) int { return 0 })
		e, _ := errors.AsType[*Error](err)
		return e
	}
}

func TestTheAdviceToARefusedCredentialNamesOnlyWhatTheOperationTakes(t *testing.T) {
	const environment, cloudKey, pool = "env-1", "use a Cloud API key", "identity pool"
	of := ConnectionFilter{Environment: environment}
	for _, c := range []struct {
		name         string
		ask          func(*testing.T, *Client) *Error
		global, pool bool // What the operation takes, other than a Cloud API key.
	}{
		{"clusters", refused(Clusters, ClusterFilter{Environment: environment}), true, true},
		{"environments", refused(Environments, EnvironmentFilter{}), true, true},
		{"peerings", refused(Peerings, of), false, true},
		{"networks", refused(Networks, NetworkFilter{Environment: environment}), false, true},
		{"transit gateway attachments", refused(TransitGatewayAttachments, of), false, true},
		{"private link accesses", refused(PrivateLinkAccesses, of), false, true},
		{"Schema Registry", refused(SchemaRegistries, SchemaRegistryFilter{Environment: environment}), false, false},
	} {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			t.Run(fmt.Sprint(c.name, " ", status), func(t *testing.T) {
				g := NewWithT(t)
				handler := func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/sts" {
						reply(`{"access_token":"token"}`)(w, r)
						return
					}
					answer(w, status, "")
				}
				toKey := c.ask(t, newCloud(t, handler).client(t)).Advice
				g.Expect(toKey).To(ContainSubstring("Cloud API key"))
				g.Expect(strings.Contains(toKey, cloudKey)).To(Equal(!c.global), toKey)
				g.Expect(strings.Contains(toKey, pool)).To(Equal(!c.global && c.pool), toKey)
				_, withTokens := newTokens(t, handler)
				toPool := c.ask(t, withTokens).Advice
				g.Expect(strings.Contains(toPool, "a source with a Cloud API key")).To(Equal(!c.pool), toPool)
			})
		}
	}
}

func TestAnAnswerThatMayPassIsAskedForAgain(t *testing.T) {
	for _, code := range []int{407, 408, 409, 421, 423, 425, 429, 499, 500, 502, 503, 504} {
		g := NewWithT(t)
		f := newFakeClock()
		c := newCloud(t, failing(1, status(code, nil)))
		_, err := c.list(t, f.use)
		g.Expect(err).NotTo(HaveOccurred(), "%d", code)
		g.Expect(c.asked()).To(HaveLen(4), "%d: three pages, and one again", code)
	}
}

func TestAnAnswerThatHangsIsGivenUpAndAskedForAgain(t *testing.T) {
	for name, begin := range map[string]func(w http.ResponseWriter){
		"before the header":     nil,
		"in a page":             func(w http.ResponseWriter) { answer(w, 200, `{"kind":"ClusterList",`) },
		"in the body of a 500":  func(w http.ResponseWriter) { answer(w, 500, "{") },
		"in the body of a 429":  func(w http.ResponseWriter) { answer(w, 429, "{") },
		"without a byte of 503": func(w http.ResponseWriter) { answer(w, 503, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			f := newFakeClock()
			hung := false
			c := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
				if hung {
					answer(w, 200, clusterPage(`{}`, clusterItem("lkc-1", "")))
					return
				}
				hung = true
				if begin != nil {
					begin(w)
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			l, err := listClusters(ctx, c.client(t, f.use, func(o *Options) { o.Limits.RequestTimeout = time.Second }), ClusterFilter{Environment: "env-1"}, nil)
			g.Expect(err).NotTo(HaveOccurred(), "the listing has time left")
			g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1"}))
		})
	}
}

// In a synctest bubble, the clock moves only while every goroutine waits. So the test knows exactly
// how much time a hanging body costs.
func TestTheBodyOfAFailureCostsLittleTime(t *testing.T) {
	for _, code := range []int{301, 400, 401, 429, 500, 503} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				client, err := New(Options{Endpoint: "https://api.example.com", Credential: testCredential, UserAgent: testUserAgent, Retry: Retry{Attempts: 1},
					Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
						return &http.Response{StatusCode: code, Header: http.Header{}, Body: hanging{r.Context()}, Request: r}, nil
					})})
				g.Expect(err).NotTo(HaveOccurred())
				began := time.Now()
				_, err = listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
				var e *Error
				g.Expect(errors.As(err, &e)).To(BeTrue())
				g.Expect(e.StatusCode).To(Equal(code), "the status is known without the body")
				g.Expect(time.Since(began)).To(BeNumerically("<=", failureTimeout))
			})
		})
	}
}

// hanging is a body that never returns a byte.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

func (h hanging) Close() error { return nil }

func TestAFailureOfTheTransportNamesTheNextStep(t *testing.T) {
	g := NewWithT(t)
	fail := func(endpoint string, transport http.RoundTripper) *Error {
		client, err := New(Options{Endpoint: endpoint, Credential: testCredential, UserAgent: testUserAgent, Retry: Retry{Attempts: 1}, Transport: transport})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = listClusters(t.Context(), client, ClusterFilter{Environment: "env-1"}, nil)
		return expectError(t, err, Unavailable)
	}
	unknown := fail("https://api.nowhere.invalid", roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.nowhere.invalid", IsNotFound: true}}
	}))
	g.Expect(unknown.Error()).To(ContainSubstring("the name api.nowhere.invalid does not resolve"))
	g.Expect(unknown.Advice).To(ContainSubstring("spec.endpoint"))
	refused := fail("http://127.0.0.1:1", nil)
	g.Expect(refused.Advice).To(ContainSubstring("HTTPS_PROXY"))
	stranger := newTLSCloud(t, inTurn(clusterPage(`{}`)))
	untrusted := fail(stranger.URL, http.DefaultTransport)
	g.Expect(untrusted.Advice).To(ContainSubstring("certificate"))
}

// roundTripper turns a function into a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNoEncodingOfTheCredentialIsShown(t *testing.T) {
	c := Credential{Key: "KEY/ID+0001", Secret: `s/3+cr"et<&>=é~ `}
	clean := c.newAuthorizer().currentAuth().newCleaner("")
	basic := c.Key + ":" + c.Secret
	escape := func(s string) string { return strings.ToLower(url.QueryEscape(s)) }
	for name, text := range map[string]string{
		"as it is":            c.Secret,
		"a query":             url.QueryEscape(c.Secret),
		"a path":              url.PathEscape(c.Secret),
		"escapes in lower":    lowerEscapes(url.PathEscape(c.Secret)),
		"base64":              base64.StdEncoding.EncodeToString([]byte(basic)),
		"base64 unpadded":     base64.RawStdEncoding.EncodeToString([]byte(basic)),
		"base64 for URLs":     base64.URLEncoding.EncodeToString([]byte(basic)),
		"of the secret alone": base64.RawURLEncoding.EncodeToString([]byte(c.Secret)),
		"one byte behind":     base64.StdEncoding.EncodeToString([]byte("x" + c.Secret + "yz")),
		"two bytes behind":    base64.StdEncoding.EncodeToString([]byte("xx" + c.Secret + "z")),
		"hex":                 hex.EncodeToString([]byte(c.Secret)),
		"HTML":                html.EscapeString(c.Secret),
		"the key in a query":  url.QueryEscape(c.Key),
		"the key in lower":    lowerEscapes(url.QueryEscape(c.Key)),
		"the key, unpadded":   base64.RawStdEncoding.EncodeToString([]byte(c.Key)),
		"JSON":                strings.Trim(string(must(json.Marshal(c.Secret))), `"`),
		"in upper case":       strings.ToUpper(c.Secret),
		"in lower case":       strings.ToLower(c.Secret),
		"hex in upper case":   strings.ToUpper(hex.EncodeToString([]byte(c.Secret))),
		"base64 in lower":     strings.ToLower(base64.StdEncoding.EncodeToString([]byte(basic))),
		"the key, lower case": strings.ToLower(c.Key),
		"JSON, slashes too":   strings.ReplaceAll(strings.Trim(string(must(json.Marshal(c.Secret))), `"`), "/", `\/`),
	} {
		got := clean("before "+text+" after", 1000)
		g := NewWithT(t)
		g.Expect(got).To(ContainSubstring(redactedText), name)
		g.Expect(strings.ToLower(got)).NotTo(ContainSubstring(escape("s/3+cr")), name)
		for i := 0; i+8 < len(text); i++ {
			g.Expect(got).NotTo(ContainSubstring(text[i:i+8]), "%s: %s", name, got)
		}
	}
}

// lowerEscapes returns s with lower-case letters in its percent-escapes.
func lowerEscapes(s string) string {
	return regexp.MustCompile("%[0-9A-F]{2}").ReplaceAllStringFunc(s, strings.ToLower)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
