// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	. "github.com/onsi/gomega"
)

// The seeds of the fuzz tests are in testdata/fuzz, one input in each file. Every run of the tests
// runs the seeds too.

// FuzzDecodePage compares page decoding with what encoding/json reads from the same bytes. A page
// must be accepted only if it is JSON of the right kind, and must have as many items as its data
// has. A part of a page must never be accepted as a page.
func FuzzDecodePage(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte, cut uint) {
		fuzzPage(t, Clusters, raw, cut)
		fuzzPage(t, Peerings, raw, cut)
	})
}

// wellFormedReason matches a reason that repeats nothing of the item, except the names of known
// members.
var wellFormedReason = regexp.MustCompile(`^([a-z_.]+: )?[a-z0-9 ]+(, want [a-z0-9]+)?$`)

func fuzzPage[Record, Filter any](t *testing.T, op *Operation[Record, Filter], raw []byte, cut uint) {
	g := NewWithT(t)
	limits := Limits{MaxPages: 2, MaxItems: 50, MaxBodyBytes: 1 << 20}
	a := listingOf(op, limits)
	decode := func(raw []byte) (*page[*Record], error) {
		return decodePage(newBody(t.Context(), bytes.NewReader(raw), limits.MaxBodyBytes), a)
	}
	p, err := decode(raw)
	if err != nil {
		g.Expect(p).To(BeNil())
		_ = expectFit(t, err, Malformed, Incomplete)
		return
	}
	var envelope map[string]json.RawMessage
	var kind string
	var data []json.RawMessage
	g.Expect(json.Unmarshal(raw, &envelope)).To(Succeed())
	g.Expect(json.Unmarshal(envelope["kind"], &kind)).To(Succeed())
	g.Expect(kind).To(Equal(op.listKind))
	g.Expect(json.Unmarshal(envelope["data"], &data)).To(Succeed())
	g.Expect(p.entries).To(HaveLen(len(data)))
	readable := map[string]bool{}
	for _, e := range p.entries {
		g.Expect(utf8.RuneCountInString(e.id)).To(BeNumerically("<=", maxIDLength))
		if e.whyUnreadable != "" {
			g.Expect(e.whyUnreadable).To(MatchRegexp(wellFormedReason.String()))
			continue
		}
		g.Expect(e.id).NotTo(BeEmpty())
		g.Expect(op.itemID(e.value)).To(Equal(e.id))
		readable[e.id] = true
	}

	pages := newCollector(a)
	g.Expect(pages.addPage(p)).To(Succeed())
	if l := pages.finishListing(); l.Complete() == nil {
		g.Expect(l.Unreadable).To(BeEmpty())
		g.Expect(l.Items).To(HaveLen(len(readable)))
		g.Expect(int64(len(readable))).To(BeNumerically(">=", p.totalSize))
	}

	if cut %= uint(len(raw)); len(bytes.TrimLeft(raw[cut:], " \t\r\n")) > 0 {
		_, err := decode(raw[:cut])
		g.Expect(err).To(HaveOccurred(), "a page that was cut")
	}
}

// FuzzPageToken checks that a next link gives only a token. The token must reach the cloud
// unchanged. The link must add no host and no other parameter to the request.
func FuzzPageToken(f *testing.F) {
	base, err := ParseEndpoint("https://api.example/prefix")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, link string) {
		g := NewWithT(t)
		token, err := pageToken(link)
		if err != nil {
			g.Expect(token).To(BeEmpty())
			e := expectFit(t, err, Malformed)
			if len(link) > 100 { // a short link may be in the text by chance
				g.Expect(e.Error()).NotTo(ContainSubstring(link))
			}
			return
		}
		ends, noLink := token == "", link == ""
		g.Expect(ends).To(Equal(noLink), "only no link is the end")
		g.Expect(len(token)).To(BeNumerically("<=", maxPageTokenLength))
		target := newQuery(params{paramEnvironment: {"env-1"}}).pageURL(base, Clusters.path, Clusters.pageSize, token)
		sent, err := url.Parse(target.String())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(sent.Scheme + "://" + sent.Host + sent.Path).To(Equal("https://api.example/prefix/cmk/v2/clusters"))
		want := url.Values{paramEnvironment: {"env-1"}, paramPageSize: {"100"}}
		if token != "" {
			want.Set(paramPageToken, token)
		}
		g.Expect(sent.Query()).To(Equal(want))
	})
}

// FuzzWaitHeaders checks that every wait and every count from a header is within its bounds.
func FuzzWaitHeaders(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, code int, retry, limit, remaining, reset string) {
		g := NewWithT(t)
		h := header(headerRetry, retry, headerLimit, limit, headerRemaining, remaining, headerReset, reset)
		wait := retryAfter(&http.Response{StatusCode: code, Header: h}, now)
		said := parseRateLimit(h)
		for _, d := range []time.Duration{wait, said.Reset} {
			g.Expect(d).To(And(BeNumerically(">=", 0), BeNumerically("<=", MaxWait)))
		}
		g.Expect(min(said.Limit, said.Remaining)).To(BeNumerically(">=", 0))
		if !said.Known {
			g.Expect(said).To(BeZero())
		}
	})
}

// FuzzErrorBody checks that every answer other than 200 gives one error of the status's class. The
// text of the error must be fit to show. It must have no secret, wherever the answer has the
// secret.
func FuzzErrorBody(f *testing.F) {
	const token = "page-token-hush"
	clean := testCredential.newAuthorizer().currentAuth().newCleaner(token)
	f.Fuzz(func(t *testing.T, code int, requestID, text string, body []byte) {
		g := NewWithT(t)
		secrets, err := json.Marshal(text + testCredential.Secret + text + testCredential.Key + token + testCredential.basicAuth())
		g.Expect(err).NotTo(HaveOccurred())
		shapes := [][]byte{
			body,
			[]byte(`{"errors":[{"code":` + string(secrets) + `,"title":` + string(secrets) + `}]}`),
			[]byte(`{"error_code":` + string(secrets) + `,"message":` + string(secrets) + `}`),
			[]byte("\ufeff" + `[{"detail":{"reason":[` + string(secrets) + `]},"requestid":` + string(secrets) + `}]`),
			[]byte(`{"errors":{` + string(secrets) + `:[` + string(secrets) + `]},"fault":{"faultstring":` + string(secrets) + `}}`),
			[]byte(`{"error":{"code":` + string(secrets) + `},"requestId":` + string(secrets) + `}`),
		}
		for i, raw := range shapes {
			resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(raw))}
			call := Call{Operation: Clusters.name, StatusCode: code, RequestID: clean(requestID, maxRequestIDLength)}
			e := expectFit(t, withCall(call, statusError(resp, time.Now(), clean)), classFor(code, raw))
			if i > 0 {
				expectNoCredential(t, e.Error())
				g.Expect(e.Error()).NotTo(ContainSubstring(token))
			}
		}
	})
}

// classFor is the class of an answer other than 200. raw is the answer's body.
func classFor(code int, raw []byte) Class {
	problems, _ := parseFailure(raw)
	switch {
	case code < 400 || code > 599:
		return Malformed
	case code == 401 || (code == 403 && invalidKey(problems)):
		return Unauthenticated
	case code == 403:
		return Forbidden
	case code == 429:
		return RateLimited
	case code >= 500 || slices.Contains([]int{407, 408, 409, 421, 423, 425, 499}, code):
		return Unavailable
	}
	return InvalidRequest
}

// expectFit asserts that err is an *Error of one of these classes, and that its text is one short
// printable line.
func expectFit(t *testing.T, err error, classes ...Class) *Error {
	t.Helper()
	g := NewWithT(t)
	e, ok := errors.AsType[*Error](err)
	g.Expect(ok).To(BeTrue(), "%T", err)
	g.Expect(classes).To(ContainElement(e.Class))
	g.Expect(e.RetryAfter).To(And(BeNumerically(">=", 0), BeNumerically("<=", MaxWait)))
	text := e.Error()
	g.Expect(utf8.ValidString(text)).To(BeTrue())
	g.Expect(utf8.RuneCountInString(text)).To(BeNumerically("<=", 700))
	g.Expect(strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })).To(Equal(-1), "%q", text)
	return e
}
