// SPDX-License-Identifier: Apache-2.0

package cloudapi

import "net/url"

// maxPageTokenLength is the most bytes of a page token. It is 16 times what the API promises, and
// short enough for a URL.
const maxPageTokenLength = 4096

// pageToken returns the token in a list's next link; "" for an empty link, which ends the list.
// Nothing else of the link is used: an answer must not decide which host is asked.
//
// A link without a token, or with several, is Malformed. If it counted as the end, the listing
// would lack the other pages, and no error would say so.
func pageToken(next string) (string, error) {
	if next == "" {
		return "", nil
	}
	link, err := url.Parse(next)
	if err != nil {
		return "", malformed("metadata.next is not a URL")
	}
	// Other parameters may be odd, because they are not used.
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
