// SPDX-License-Identifier: Apache-2.0

package cloudapi

import "net/url"

// maxPageTokenLength is the largest length of a page token, in bytes. The API promises much shorter
// tokens.
const maxPageTokenLength = 4096

// pageToken returns the page token from the URL of the next page. If the URL is empty, there is no
// next page, and the result is "". The rest of the URL is not used, so that an answer cannot choose
// the host of the next request.
//
// A URL with no token or several tokens is an error. Do not treat such a URL as the end of the
// listing: the objects on the remaining pages would look deleted.
func pageToken(next string) (string, error) {
	if next == "" {
		return "", nil
	}
	link, err := url.Parse(next)
	if err != nil {
		return "", malformed("metadata.next is not a URL")
	}
	// Ignore the error, because it may be about another parameter. If the page token cannot be
	// parsed, values has no page token.
	values, _ := url.ParseQuery(link.RawQuery)
	tokens := values[paramPageToken]
	switch {
	case len(tokens) != 1 || tokens[0] == "":
		return "", malformed("metadata.next has no one page_token")
	case len(tokens[0]) > maxPageTokenLength:
		return "", malformed("metadata.next has a page_token longer than %d bytes", maxPageTokenLength)
	}
	return tokens[0], nil
}
