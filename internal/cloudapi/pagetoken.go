// SPDX-License-Identifier: Apache-2.0

package cloudapi

import "net/url"

// maxPageTokenLength is the largest length of a page token, in bytes. The API promises much shorter
// tokens.
const maxPageTokenLength = 4096

// pageToken returns the page token from the URL of the next page. It returns "" if the URL is
// empty, because there is no next page then. The rest of the URL is not used, so that an answer
// cannot choose the host of the next request.
//
// A URL with no token or several tokens is an error. If it counted as the end of the listing, the
// objects on the remaining pages would look deleted.
func pageToken(next string) (string, error) {
	if next == "" {
		return "", nil
	}
	link, err := url.Parse(next)
	if err != nil {
		return "", malformed("metadata.next is not a URL")
	}
	// The rest of the query is not used, so errors there do not matter.
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
