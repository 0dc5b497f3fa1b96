// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"net/http"
	"net/url"
)

// guard sends requests. There are two kinds of guards:
//
//   - A guard without an exchangeURL adds the credential. It sends only a GET to the scheme, host
//     and port of the configured endpoint. So a bug elsewhere cannot change the cloud, and cannot
//     send the credential to another server.
//   - A guard with an exchangeURL sends only a POST to exchangeURL, and adds no credential.
type guard struct {
	origin string
	// exchangeURL is the URL that returns access tokens; "" in a guard for GET requests.
	exchangeURL string
	userAgent   string
	next        http.RoundTripper
}

// sendChecked sends a request with the given Authorization header. If checkRequest refuses the
// request, sendChecked sends nothing, and returns an *Error of class Malformed.
func (g *guard) sendChecked(req *http.Request, authorization string) (*http.Response, error) {
	if err := g.checkRequest(req); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Header.Del("Authorization")
	if g.exchangeURL == "" {
		out.Header.Set("Authorization", authorization)
	}
	out.Header.Set("User-Agent", g.userAgent)
	out.Header.Set("Accept", "application/json")
	return g.next.RoundTrip(out)
}

// checkRequest returns an error for a request that the guard must not send.
func (g *guard) checkRequest(req *http.Request) error {
	switch {
	case g.exchangeURL == "" && req.Method != http.MethodGet:
		return newError(Malformed, "a request other than GET is refused: this client only reads")
	case g.exchangeURL != "" && (req.Method != http.MethodPost || req.URL.String() != g.exchangeURL):
		return newError(Malformed, "a request other than the token exchange is refused")
	}
	origin, err := originOf(req.URL)
	if err != nil || origin != g.origin {
		return newError(Malformed, "a request to an origin other than "+g.origin+" is refused")
	}
	if req.Host == "" {
		return nil
	}
	// Check the Host header too, because it can name a different server than the URL.
	named, err := originOf(&url.URL{Scheme: req.URL.Scheme, Host: req.Host})
	if err != nil || named != g.origin {
		return newError(Malformed, "a request with another host's name in its header is refused")
	}
	return nil
}

// isRedirect reports whether a status code means a redirect.
func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirectTarget returns the URL to which an answer redirects. If this URL has another scheme, host
// or port than the request, redirectTarget returns an error of class Malformed.
func redirectTarget(resp *http.Response, origin string, clean cleaner) (*url.URL, error) {
	target, err := resp.Location()
	if err != nil {
		return nil, newError(Malformed, "redirect without a usable Location")
	}
	other, err := originOf(target)
	if err != nil {
		return nil, newError(Malformed, "redirect without a usable Location")
	}
	if other != origin {
		return nil, newError(Malformed, fmt.Sprintf("redirect from %s to %s refused: another origin",
			origin, clean(other, maxCauseLength)))
	}
	// The URL of a redirect may contain a user name and a password. Remove them.
	target.User = nil
	return target, nil
}
