// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/budget"
)

// echoing is a transport. It answers an exchange with a new token, which has a number. It refuses
// every list, and its words repeat the request's header Authorization and the text that extra
// returns.
func echoing(exchanges *atomic.Int32, extra func() string) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		code, body := http.StatusForbidden, fmt.Sprintf(`{"errors":[{"code":"x","title":"no right for %s %s"}]}`, r.Header.Get("Authorization"), extra())
		if r.Method == http.MethodPost {
			code, body = http.StatusOK, fmt.Sprintf(`{"access_token":"access-token-%d","expires_in":900}`, exchanges.Add(1))
		}
		return &http.Response{StatusCode: code, Header: header("Content-Type", "application/json"), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

func TestATokenThatCameWhileARequestWaitedIsHidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var exchanges atomic.Int32
		tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Subject: func(context.Context) (string, error) { return testSubject, nil }})
		g.Expect(err).NotTo(HaveOccurred())
		share := budget.New(0, 0).For("both")
		client := func(b *budget.Budget) *Client {
			return clientOf(t, echoing(&exchanges, func() string { return "" }), func(o *Options) { o.Tokens, o.Budget = tokens, b })
		}
		g.Expect(client(nil).Authorize(t.Context())).To(Succeed())
		for range 2 { // two requests in flight, so that the next one waits
			_, err := share.Lease(t.Context(), time.Second)
			g.Expect(err).NotTo(HaveOccurred())
		}
		failed := make(chan error)
		go func() {
			_, err := listClusters(t.Context(), client(share), inEnv1, nil)
			failed <- err
		}()
		synctest.Wait()
		g.Expect(tokens.renewToken(t.Context(), client(nil), Clusters.name, markOfText("Bearer access-token-1"))).To(BeTrue(), "as another listing's 401 does")
		g.Expect(<-failed).To(MatchError(And(ContainSubstring("403 Forbidden: x: no right for Bearer "+redactedText), Not(ContainSubstring("access-token")))))
	})
}

func TestEverySecretThatWasUsedIsHiddenFromThenOn(t *testing.T) {
	g := NewWithT(t)
	var exchanges atomic.Int32
	words := ""
	transport := echoing(&exchanges, func() string { return words })
	now := time.Now()
	tokens, err := NewTokenSource(TokenOptions{Endpoint: "https://api.example/sts", Now: func() time.Time { return now },
		Subject: func(context.Context) (string, error) {
			return fmt.Sprintf("subject-token-%d", exchanges.Load()), nil
		}})
	g.Expect(err).NotTo(HaveOccurred())
	withTokens := clientOf(t, transport, func(o *Options) { o.Tokens = tokens })
	for range 20 {
		g.Expect(withTokens.Authorize(t.Context())).To(Succeed())
		_, _ = listClusters(t.Context(), withTokens, inEnv1, nil)
		now = now.Add(time.Hour)
	}
	former := Credential{Key: "FORMERKEY0000001", Secret: "former/secret+value=="}
	_, _ = listClusters(t.Context(), clientOf(t, transport, func(o *Options) { o.Credential = former }), inEnv1, nil)

	for name, text := range map[string]string{
		"the first token":          "access-token-1 ",
		"the second subject token": "subject-token-1 ",
		"the former key's secret":  former.Secret,
		"in a URL":                 url.QueryEscape(former.Secret),
		"the former header":        former.basicAuth(),
		"in upper case":            strings.ToUpper(former.Secret),
		"the first token, shouted": "ACCESS-TOKEN-1 ",
		"in base64":                base64.StdEncoding.EncodeToString([]byte("x" + former.Secret)),
	} {
		words = "before " + text + " after"
		_, err := listClusters(t.Context(), clientOf(t, transport), inEnv1, nil)
		g.Expect(err).To(MatchError(MatchRegexp(`before \S*`+regexpQuoted(redactedText)+`\S* after`)), name)
		g.Expect(err.Error()).NotTo(ContainSubstring(strings.TrimSpace(text)), name)
		expectNoCredential(t, err.Error())
	}
}

func TestTheIDOfAnUnreadableItemHidesASecret(t *testing.T) {
	g := NewWithT(t)
	c := newCloud(t, inTurn(clusterPage(`{}`, fmt.Sprintf(`{"id":"lkc %s","spec":7}`, testCredential.Secret))))
	l, err := c.list(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(l.Complete()).To(MatchError(ContainSubstring("lkc " + redactedText + " (spec: number, want object)")))
}

func regexpQuoted(s string) string { return strings.NewReplacer("[", `\[`, "]", `\]`).Replace(s) }

func TestAFormerTokenIsHiddenFromALaterExchange(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	now := time.Now()
	exchanges := 0
	tokens, client := newTokens(t, func(w http.ResponseWriter, r *http.Request) {
		if exchanges++; exchanges > 1 {
			answer(w, http.StatusBadRequest, `{"error":"invalid_grant","error_description":"former-access-token is still good"}`)
			return
		}
		reply(`{"access_token":"former-access-token","expires_in":900}`)(w, r)
	}, func(o *TokenOptions) { o.Now = func() time.Time { return now } })
	g.Expect(tokens.ensureToken(t.Context(), client)).To(Succeed())
	_, _ = listClusters(t.Context(), client, inEnv1, nil) // which sends it
	now = now.Add(time.Hour)
	g.Expect(tokens.ensureToken(t.Context(), client)).To(MatchError(ContainSubstring("invalid_grant: " + redactedText + " is still good")))
}

func TestSecretsThatOverlapAreHiddenWhole(t *testing.T) {
	g := NewWithT(t)
	s := &secretStore{recentSet: newSecretSet(), formerSet: newSecretSet()}
	for _, text := range []string{"abcdefgh", "efghijklmn", "abcdefghxyz", "short"} {
		s.add(markOfText(text), []string{text})
	}
	for text, want := range map[string]string{
		"":                          "",
		"nothing":                   "nothing",
		"short":                     "short",
		"abcdefgh":                  redactedText,
		"<abcdefghijklmn>":          "<" + redactedText + ">",
		"<abcdefghxyz>":             "<" + redactedText + ">",
		"abcdefg abcdefgh efghijkl": "abcdefg " + redactedText + " efghijkl",
		"abcdefghabcdefgh!":         redactedText + redactedText + "!",
		"1 efghijklmn 2 abcdefgh 3": "1 " + redactedText + " 2 " + redactedText + " 3",
	} {
		g.Expect(s.hideSecrets(text)).To(Equal(want), text)
	}
}

func TestSecretsOfAnyAlphabetAreHiddenInAnyCase(t *testing.T) {
	g := NewWithT(t)
	s := &secretStore{recentSet: newSecretSet(), formerSet: newSecretSet()}
	secret := "Straße-Ⱥ-Σίσυφος-İ\xff"
	s.add(markOfText(secret), encodedForms(secret))
	for _, same := range []string{secret, strings.ToLower(secret), strings.ToUpper(secret), strings.ReplaceAll(secret, "S", "ſ")} {
		g.Expect(s.hideSecrets("Ⱥé\xfe "+same+" Ⱥé\xfe")).To(Equal("Ⱥé\xfe "+redactedText+" Ⱥé\xfe"), same)
	}
	g.Expect(s.hideSecrets("ABC", encodedForms("b")...)).To(Equal("A" + redactedText + "C"))
}

func TestSecretsInUseAreNeverForgotten(t *testing.T) {
	g := NewWithT(t)
	s := &secretStore{recentSet: newSecretSet(), formerSet: newSecretSet()}
	add := func(text string) { s.add(markOfText(text), []string{text}) }
	for i := range 3 * maxSecretsInSet {
		add(fmt.Sprintf("a token that was used once %d", i))
		add("a key that is used all day")
	}
	g.Expect(s.hideSecrets("a key that is used all day")).To(Equal(redactedText))
	g.Expect(s.hideSecrets(fmt.Sprintf("a token that was used once %d", 2*maxSecretsInSet))).To(Equal(redactedText), "the last of them are remembered")
	g.Expect(len(s.recentSet.secretIDs)+len(s.formerSet.secretIDs)).To(BeNumerically("<=", 2*maxSecretsInSet), "and memory is bounded")
}
