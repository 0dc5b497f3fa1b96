// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// defaultLife is how long a token is valid if the server reports no lifetime. It is the API's
	// default.
	defaultLife = 900 * time.Second
	// maxLife is the longest life of a token. If the server reports a longer life, the token
	// counts as valid for maxLife.
	maxLife = 24 * time.Hour
	// maxReplyBytes limits how many bytes readToken reads from the reply to a token exchange.
	maxReplyBytes = 1 << 20
)

// looseText is the text of a JSON string or number. Any other JSON value becomes an empty text, so
// that the rest of the reply can still be read.
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

// readToken returns the access token in the reply to a token exchange.
//
//   - sentAt is a time before the request was sent. The lifetime of the access token is
//     counted from this time.
//   - subjectAuth has the token that the operator sent to get the access token. readToken hides
//     the sent token in its errors.
func readToken(resp *http.Response, sentAt time.Time, subjectAuth authorization) (*token, error) {
	raw, lost := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes))
	var reply struct {
		AccessToken string    `json:"access_token"`
		TokenType   looseText `json:"token_type"`
		ExpiresIn   looseText `json:"expires_in"`
	}
	// Do not keep the error of Unmarshal: it may quote the reply, which contains the new token.
	odd := json.Unmarshal(raw, &reply) != nil
	came := tokenAuthorization(reply.AccessToken)
	// Hide the new token in all later messages, even if the token is never used.
	usedSecrets.add(came.id, came.hiddenForms)
	var e *Error
	switch {
	case !isJSON(resp.Header.Get("Content-Type")):
		e = malformed("the media type is not JSON")
	case lost != nil:
		return nil, &readError{lost}
	case odd:
		e = malformed("the reply is no JSON object of a token")
	case reply.AccessToken == "":
		e = malformed("the reply has no access_token")
	case strings.ContainsFunc(reply.AccessToken, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII }):
		e = malformed("the access_token has characters that no header can carry")
	case !isBearer(string(reply.TokenType)):
		e = malformed("the token_type is not Bearer")
	default:
		life := lifeOf(string(reply.ExpiresIn))
		return &token{authorization: came, renewAt: sentAt.Add(life - min(renewBefore, life/2)), endsAt: sentAt.Add(life), workedFor: &sync.Map{}}, nil
	}
	// Some servers refuse an exchange but answer with HTTP 200. The body then has the reason.
	problems, requestID := parseFailure(raw)
	subjectAuth.hiddenForms = slices.Concat(subjectAuth.hiddenForms, came.hiddenForms)
	e.quoteProblems(problems, requestID, subjectAuth.newCleaner(""))
	return nil, e
}

// tokenAuthorization returns the authorization for requests with an access token. Its header value
// is "Bearer", a space and the token.
func tokenAuthorization(text string) authorization {
	return newAuthorization("Bearer "+text, longEnough(text)...)
}

// isBearer reports whether a token_type is Bearer, N_A or empty. Some servers send N_A for an
// access token.
func isBearer(tokenType string) bool {
	return tokenType == "" || strings.EqualFold(tokenType, "Bearer") || strings.EqualFold(tokenType, "N_A")
}

// lifeOf returns how long a token is valid, at most maxLife. If expiresIn is not a positive number
// of seconds, lifeOf returns defaultLife.
func lifeOf(expiresIn string) time.Duration {
	seconds, err := strconv.ParseFloat(expiresIn, 64)
	if err != nil || !(seconds > 0) {
		return defaultLife
	}
	return max(time.Duration(min(seconds, maxLife.Seconds())*float64(time.Second)), time.Nanosecond)
}
