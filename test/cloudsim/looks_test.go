package cloudsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/test/cloudsim"
)

// spoilt is what a test can check: the answer with the fault and its error, and the three good
// pages of the listing.
type spoilt struct {
	answer
	err  error
	page int // from 0
	good [3]answer
	sim  *cloudsim.Sim
	url  string
}

func (s spoilt) whole() string { return s.good[s.page].body }

// looks has a function for each fault. The function checks what the fault looks like over the
// network. The fault happens on the first page that can have it.
var looks = map[cloudsim.Fault]func(Gomega, spoilt){
	cloudsim.FaultResetBefore: func(g Gomega, s spoilt) {
		g.Expect(s.err).To(Or(MatchError(syscall.ECONNRESET), MatchError(io.EOF)))
		g.Expect(s.status).To(BeZero())
	},
	cloudsim.FaultResetInBody: func(g Gomega, s spoilt) {
		g.Expect(s.err).To(MatchError(syscall.ECONNRESET))
		g.Expect(s.status).To(Equal(200))
		g.Expect(s.body).To(Equal(s.whole()[:len(s.whole())/2]))
	},
	cloudsim.FaultResetAfterBody: func(g Gomega, s spoilt) {
		if s.err != nil { // the reset came before the body
			g.Expect(s.err).To(MatchError(syscall.ECONNRESET))
			return
		}
		s.same(g)
	},
	cloudsim.FaultCutBody: func(g Gomega, s spoilt) {
		g.Expect(s.err).To(MatchError(io.ErrUnexpectedEOF))
		g.Expect(s.body).To(Equal(s.whole()[:len(s.whole())/2]))
	},
	cloudsim.FaultNoAnswer: func(g Gomega, s spoilt) { g.Expect(s.err).To(MatchError(io.EOF)) },
	cloudsim.FaultHangInBody: func(g Gomega, s spoilt) {
		g.Expect(s.err).To(MatchError(io.ErrUnexpectedEOF))
		g.Expect(s.body).To(Equal(s.whole()[:len(s.whole())/2]))
	},
	cloudsim.FaultSlowBody: func(g Gomega, s spoilt) { s.same(g) },
	cloudsim.FaultEndlessBody: func(g Gomega, s spoilt) {
		// Either the client or the simulator gives up first. Both are right.
		g.Expect(s.err).To(Or(MatchError("the body is too long"), MatchError(io.ErrUnexpectedEOF)))
		g.Expect(s.header.Get("Content-Length")).To(BeEmpty())
		g.Expect(strings.TrimRight(s.body, " ")).To(Equal(strings.TrimSuffix(s.whole(), "]}")))
	},
	cloudsim.FaultTruncatedJSON: func(g Gomega, s spoilt) {
		g.Expect(s.err).NotTo(HaveOccurred())
		g.Expect(s.body).To(Equal(s.whole()[:len(s.whole())/2]))
	},
	cloudsim.FaultTrailingGarbage: func(g Gomega, s spoilt) {
		g.Expect(s.body).To(And(HavePrefix(s.whole()), ContainSubstring("}\n<!--")))
	},
	cloudsim.FaultGzipBomb: func(g Gomega, s spoilt) {
		g.Expect(s.err).To(MatchError("the body is too long"))
		g.Expect(strings.TrimRight(s.body, " ")).To(Equal(strings.TrimSuffix(s.whole(), "}")))
	},
	cloudsim.FaultHTML:        body("text/html", 200, "<!DOCTYPE html>"),
	cloudsim.FaultHTMLAsJSON:  body("application/json", 200, "<!DOCTYPE html>"),
	cloudsim.FaultEmptyBody:   body("application/json", 200, ""),
	cloudsim.FaultEmptyObject: body("application/json", 200, "{}"),
	cloudsim.FaultNull:        body("application/json", 200, "null"),
	cloudsim.FaultWrongKind: func(g Gomega, s spoilt) {
		g.Expect(s.body).To(MatchJSON(`{"api_version":"networking/v1","kind":"PeeringList","metadata":{"total_size":0},"data":[]}`))
	},
	cloudsim.FaultNoData: func(g Gomega, s spoilt) {
		g.Expect(s.list(g).Kind).To(Equal("ClusterList"))
		g.Expect(s.body).NotTo(ContainSubstring("data\":"+"["), "nor null")
		g.Expect(s.body).To(HaveSuffix("}}"))
	},
	cloudsim.FaultNoContent: body("", 204, ""),
	cloudsim.FaultPartialContent: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(206))
		g.Expect(s.body).To(Equal(s.whole()))
	},

	cloudsim.FaultRepeatedToken: func(g Gomega, s spoilt) {
		g.Expect(token(g, s.list(g).Metadata.Next)).To(Equal(token(g, s.good[0].list(g).Metadata.Next)))
		g.Expect(s.list(g).ids()).To(Equal(numberedFrom(10, 19)))
	},
	cloudsim.FaultEndlessPaging: endless,
	cloudsim.FaultTokenExpired: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(400))
		g.Expect(s.failure(g).Source.Parameter).To(Equal("page_token"))
	},
	cloudsim.FaultForeignNext: func(g Gomega, s spoilt) {
		next, good := *s.list(g).Metadata.Next, *s.good[0].list(g).Metadata.Next
		g.Expect(next).NotTo(HavePrefix(s.url))
		g.Expect(token(g, &next)).To(Equal(token(g, &good)))
		a, err := http.Get(next) //nolint:noctx // a client that goes astray
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(a.Body.Close()).To(Succeed())
		g.Expect(s.sim.ForeignCalls()).To(HaveLen(1))
		s.sim.ResetCalls()
	},
	cloudsim.FaultRedirect: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(307))
		g.Expect(s.header.Get("Location")).To(Equal(clustersPath + "?environment=env-abc123&page_size=10"))
	},
	cloudsim.FaultRedirectForeign: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(307))
		g.Expect(s.header.Get("Location")).To(HaveSuffix(clustersPath + "?environment=env-abc123&page_size=10"))
		g.Expect(s.header.Get("Location")).NotTo(HavePrefix(s.url))
	},

	cloudsim.FaultItemMissing: func(g Gomega, s spoilt) {
		g.Expect(s.page).To(Equal(2))
		g.Expect(s.list(g).ids()).To(Equal([]string{"lkc-20", "lkc-21", "lkc-23", "lkc-24"}))
		g.Expect(*s.list(g).Metadata.TotalSize).To(Equal(25))
	},
	cloudsim.FaultItemSkipped: func(g Gomega, s spoilt) {
		g.Expect(s.list(g).ids()).To(Equal([]string{"lkc-20", "lkc-21", "lkc-23", "lkc-24"}))
		g.Expect(*s.list(g).Metadata.TotalSize).To(Equal(24))
	},
	cloudsim.FaultItemRepeated: func(g Gomega, s spoilt) {
		g.Expect(s.list(g).ids()).To(Equal(append(numberedFrom(0, 9), "lkc-00")))
	},
	cloudsim.FaultItemWrongType: item(`"id":"lkc-05"`, `"metadata":7`),
	cloudsim.FaultItemNotObject: item(`,"lkc-05",`),
	cloudsim.FaultItemNull:      item(`,null,`),
	cloudsim.FaultItemNoID: func(g Gomega, s spoilt) {
		item("cluster=lkc-05")(g, s)
		g.Expect(s.body).NotTo(ContainSubstring(`"id":"lkc-05"`))
	},
	cloudsim.FaultItemLongID:    item(`"id":"lkc-05` + strings.Repeat("x", 256) + `"`),
	cloudsim.FaultItemLongestID: tooMany(cloudsim.LongestID),
	cloudsim.FaultItemOddID:     tooMany(cloudsim.OddID),

	cloudsim.FaultRateLimited:         limited("1", "0", "1"),
	cloudsim.FaultRateLimitedBare:     limited("", "", ""),
	cloudsim.FaultRateLimitedReset:    limited("", "", "1"),
	cloudsim.FaultRateLimitedNegative: limited("-3600", "-1", "-3600"),
	cloudsim.FaultRateLimitedAbsurd:   limited("99999999999999999999", "99999999999999999999", "99999999999999999999"),
	cloudsim.FaultRateLimitedDate: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(429))
		at, err := http.ParseTime(s.header.Get("Retry-After"))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(time.Until(at)).To(BeNumerically("~", 0, 3*time.Second))
	},

	cloudsim.FaultUnauthorized: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(401))
		g.Expect(s.header.Get("WWW-Authenticate")).To(HavePrefix("Basic error="))
		g.Expect(s.failure(g).Detail).To(HavePrefix("invalid API key"))
	},
	cloudsim.FaultForbidden:      body("application/json", 403, "forbidden access"),
	cloudsim.FaultForbiddenKey:   body("application/json", 403, "invalid API key"),
	cloudsim.FaultBadRequest:     body("application/json", 400, `"parameter":"environment"`),
	cloudsim.FaultNotFound:       body("application/json", 404, `{"errors":[{"error_code":40401,`),
	cloudsim.FaultInternalError:  body("application/json", 500, `{"error_code":50001,`),
	cloudsim.FaultNotImplemented: body("application/json", 501, `"status":"501"`),
	cloudsim.FaultBadGateway:     body("text/html", 502, "<!DOCTYPE html>"),
	cloudsim.FaultUnavailable:    body("", 503, ""),
	cloudsim.FaultGatewayTimeout: func(g Gomega, s spoilt) {
		body("application/json", 504, `"error":{"code":504`)(g, s)
		g.Expect(s.body).To(ContainSubstring(`"requestId":"` + s.header.Get("X-Request-Id") + `"`))
	},
	cloudsim.FaultProxyAuth:    body("text/html", 407, "<!DOCTYPE html>"),
	cloudsim.FaultConflict:     body("application/json", 409, `"code":"conflict"`),
	cloudsim.FaultMisdirected:  body("", 421, ""),
	cloudsim.FaultLocked:       body("", 423, ""),
	cloudsim.FaultTooEarly:     body("", 425, ""),
	cloudsim.FaultClientClosed: body("", 499, ""),
	cloudsim.FaultHangInError: func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(500))
		g.Expect(s.err).To(HaveOccurred())
	},

	cloudsim.FaultPartialKey: func(g Gomega, s spoilt) {
		total := *s.list(g).Metadata.TotalSize
		g.Expect(total).To(BeNumerically("~", 12, 8))
		g.Expect(s.page).To(BeZero())
	},
	cloudsim.FaultBlindKey: func(g Gomega, s spoilt) {
		g.Expect(s.list(g).ids()).To(BeEmpty())
		g.Expect(*s.list(g).Metadata.TotalSize).To(BeZero())
		g.Expect(s.list(g).Metadata.Next).To(BeNil())
	},
}

// same expects the answer of the good page.
func (s spoilt) same(g Gomega) {
	g.Expect(s.err).NotTo(HaveOccurred())
	g.Expect(s.body).To(Equal(s.whole()))
}

func numberedFrom(from, to int) []string {
	ids := []string{}
	for i := from; i <= to; i++ {
		ids = append(ids, fmt.Sprintf("lkc-%02d", i))
	}
	return ids
}

func body(contentType string, status int, text string) func(Gomega, spoilt) {
	return func(g Gomega, s spoilt) {
		g.Expect(s.err).NotTo(HaveOccurred())
		g.Expect(s.status).To(Equal(status))
		g.Expect(s.header.Get("Content-Type")).To(Equal(contentType))
		g.Expect(s.body).To(ContainSubstring(text))
		if text == "" {
			g.Expect(s.body).To(BeEmpty())
		}
	}
}

// item expects a good page except for one item: the sixth of the first page.
func item(texts ...string) func(Gomega, spoilt) {
	return func(g Gomega, s spoilt) {
		var bad, good struct{ Data []json.RawMessage }
		g.Expect(json.Unmarshal([]byte(s.body), &bad)).To(Succeed())
		g.Expect(json.Unmarshal([]byte(s.whole()), &good)).To(Succeed())
		g.Expect(bad.Data).To(HaveLen(10))
		for i := range bad.Data {
			g.Expect(bytes.Equal(bad.Data[i], good.Data[i])).To(Equal(i != 5), strconv.Itoa(i))
		}
		for _, text := range texts {
			g.Expect("," + string(bad.Data[5]) + ",").To(ContainSubstring(strings.Trim(text, `"`)))
		}
	}
}

func tooMany(id string) func(Gomega, spoilt) {
	return func(g Gomega, s spoilt) { g.Expect(s.list(g).ids()).To(Equal(append(numberedFrom(0, 9), id))) }
}

func limited(retryAfter, remaining, reset string) func(Gomega, spoilt) {
	return func(g Gomega, s spoilt) {
		g.Expect(s.status).To(Equal(429))
		g.Expect(s.body).To(BeEmpty())
		g.Expect(s.header.Get("Retry-After")).To(Equal(retryAfter))
		g.Expect(s.header.Get("X-RateLimit-Remaining")).To(Equal(remaining))
		g.Expect(s.header.Get("X-RateLimit-Reset")).To(Equal(reset))
		g.Expect(s.header.Get("X-Request-Id")).NotTo(BeEmpty())
	}
}

// endless follows more pages than the listing has without the fault.
func endless(g Gomega, s spoilt) {
	tokens := map[string]bool{}
	for a := s.answer; len(tokens) < 40; {
		l := a.list(g)
		g.Expect(l.ids()).To(Equal(numberedFrom(0, 9)))
		tokens[token(g, l.Metadata.Next)] = true
		a = get(s.sim, clustersPath, "&page_size=10&page_token="+token(g, l.Metadata.Next))
	}
	s.sim.ClearFaults()
	for last := range tokens {
		a := get(s.sim, clustersPath, "&page_size=10&page_token="+last)
		g.Expect(a.failure(g).Source.Parameter).To(Equal("page_token"), "it ends with the faults")
	}
}
