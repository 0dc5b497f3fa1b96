// SPDX-License-Identifier: Apache-2.0

package cloudapi

import "net/url"

// maxPageTokenLength is the largest length of a page token, in bytes. It is 16 times the length
// that the API promises, and short enough for a URL.
const maxPageTokenLength = 4096

// pageToken returns the page token in next, the list's link to the next page. If next is empty, the
// list ends, and the token is "". The rest of the link is not used, because an answer must not
// decide which host gets the next request.
//
// A link without a token, or with several tokens, gives an error of class Malformed. If such a link
// ended the list, the other pages would be missing without an error.
func pageToken(next string) (string, error) {
	if next == "" {
		return "", nil
	}
	link, err := url.Parse(next)
	if err != nil {
		return "", malformed("metadata.next is not a URL")
	}
	// Ignore errors in other parameters, because those parameters are not used.
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
