// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// defaultLife is how long a token is valid if the reply does not say. The API gives a token
	// this life if the exchange asks for no other. Source: sts/v1, expires_in.
	defaultLife = 900 * time.Second
	// mostLife bounds the life in a reply, because a reply may be wrong.
	mostLife = 24 * time.Hour
	// maxReplyBytes bounds the reply of an exchange.
	maxReplyBytes = 1 << 20
)

// readToken reads the reply to an exchange. asked is when the exchange was sent.
func readToken(resp *http.Response, asked time.Time) (*token, error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, malformed("the media type is not JSON")
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes))
	if err != nil {
		return nil, &readError{err}
	}
	var reply struct {
		AccessToken string    `json:"access_token"`
		TokenType   looseText `json:"token_type"`
		ExpiresIn   looseText `json:"expires_in"`
	}
	// Errors of package json may quote what they could not read.
	if json.Unmarshal(raw, &reply) != nil {
		return nil, malformed("the reply is no JSON object of a token")
	}
	switch {
	case reply.AccessToken == "":
		return nil, malformed("the reply has no access_token")
	case strings.ContainsFunc(reply.AccessToken, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII }):
		return nil, malformed("the access_token has characters that no header can carry")
	case !bearer(string(reply.TokenType)):
		return nil, malformed("the token_type is not Bearer")
	}
	life := lifeOf(string(reply.ExpiresIn))
	return &token{newToken(reply.AccessToken), asked.Add(life - min(renewBefore, life/2)), asked.Add(life)}, nil
}

// newToken returns the authorization of an access token.
func newToken(text string) authorization {
	if len(text) < minHiddenLength { // It is hardly a secret, and hiding it would remove parts of words.
		return newAuthorization("Bearer " + text)
	}
	return newAuthorization("Bearer "+text, text)
}

// bearer reports whether a token_type is Bearer, absent, or N_A. In RFC 8693 N_A stands for a token
// that is not an access token, but some exchanges give it for every token.
func bearer(tokenType string) bool {
	return tokenType == "" || strings.EqualFold(tokenType, "Bearer") || strings.EqualFold(tokenType, "N_A")
}

// lifeOf returns how long a token is valid: defaultLife if expiresIn is not a number above 0. That
// is no error: the token is new, and if it ends sooner, the cloud refuses it and it is renewed.
func lifeOf(expiresIn string) time.Duration {
	seconds, err := strconv.ParseFloat(expiresIn, 64)
	if err != nil || !(seconds > 0) {
		return defaultLife
	}
	return max(time.Duration(min(seconds, mostLife.Seconds())*float64(time.Second)), time.Nanosecond)
}
