// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// listCall is the state of one call of List.
type listCall[T any] struct {
	operation
	query
	limits Limits
	index  *Index
	// decodeItem decodes one item, see readItem.
	decodeItem func(raw jsontext.Value) entry[T]
	// pageSize is how many items each request asks for. If the cloud refuses this page size, List
	// lowers pageSize.
	pageSize int
	memory   *memoryLimit
	// heldBytes is the estimated memory of the items read so far, in bytes, without known items.
	heldBytes int64
	// bodyBytes is the total size of the pages read so far, in bytes.
	bodyBytes int64
	// entryBuffer has the items of one page. The next page uses the same buffer.
	entryBuffer []entry[T]
}

// List reads all pages of a list operation and returns the items that match the filter.
//
//   - lastIndex has hashes of the items of the last listing with the same filter. List does not
//     decode an item whose hash is in lastIndex. If lastIndex is nil, List decodes all items.
//   - projectItem returns the part of an item that the caller keeps. List calls projectItem only
//     for items that it decodes.
//
// If List cannot read all pages, it returns an error and no items. The error is an *Error, or an
// error that TokenOptions.Subject returned. Without an error, some items may still be missing or
// unreadable: see [Listing.Complete].
func List[Record, Filter, T any](ctx context.Context, c *Client, op *Operation[Record, Filter], filter Filter,
	lastIndex *Index, projectItem func(*Record) T,
) (*Listing[T], error) {
	parameters := op.filterParams(filter)
	if environment, wanted := parameters[paramEnvironment]; wanted && environment[0] == "" {
		return nil, withCall(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
	}
	a := &listCall[T]{operation: op.operation, query: newQuery(parameters), limits: c.limits, index: lastIndex, pageSize: op.pageSize, memory: c.memory}
	a.decodeItem = func(raw jsontext.Value) entry[T] { return readItem(raw, op, a.query, projectItem) }
	defer a.releaseDownTo(0)
	restarted := false
	for {
		l, firstFailed, err := readPages(ctx, c, a)
		switch {
		case err == nil || !badRequest(err, op.name):
			return l, a.withAdvice(err, c.auth)
		case firstFailed && a.pageSize > smallestPage && blamesPageSize(err):
			a.pageSize = max(a.pageSize/10, smallestPage)
		case !firstFailed && !restarted:
			// The cloud accepted the first request and refused a later request. The requests are
			// equal except for the page token, so the token is invalid. Start the listing again,
			// but only once.
			restarted = true
		default:
			return nil, a.withAdvice(err, c.auth)
		}
		a.releaseDownTo(0)
	}
}

// holdMemory adds n bytes to the estimated memory of the listing's items. It returns an error if
// this listing, or all listings of the process together, would need too much memory.
func (a *listCall[T]) holdMemory(n int64) error {
	if a.heldBytes+n > a.limits.MaxHeldBytes {
		return newError(Incomplete, fmt.Sprintf("incomplete listing: its items take more than %d MiB", a.limits.MaxHeldBytes>>20))
	}
	if !a.memory.reserveBytes(n) {
		return newError(Incomplete, fmt.Sprintf("incomplete listing: the items of all listings under way take more than %d MiB", a.memory.maxBytes>>20))
	}
	a.heldBytes += n
	return nil
}

// releaseDownTo lowers the estimated memory of the listing's items to the given number of bytes.
func (a *listCall[T]) releaseDownTo(heldBytes int64) {
	a.memory.releaseBytes(a.heldBytes - heldBytes)
	a.heldBytes = heldBytes
}

// withAdvice returns the given error. If the cloud refused the credential, withAdvice first updates
// the error's Advice.
func (a *listCall[T]) withAdvice(err error, auth authorizer) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || e.Operation != a.name || e.Class != Unauthenticated && e.Class != Forbidden:
	case auth.adviceByClass != nil && a.apiKeyOnly:
		e.Advice = "the API documents only API keys for this operation, no token of an identity pool: " +
			"mirror this kind by a source with a Cloud API key, or set its policy to Ignore"
	case auth.adviceByClass != nil:
		e.Advice = auth.adviceByClass[e.Class]
	case a.cloudKeyOnly:
		e.Advice += "; a global API key is not enough for this: use a Cloud API key"
		if !a.apiKeyOnly {
			e.Advice += " or an identity pool"
		}
	}
	return err
}

// smallestPage is the smallest page size that List tries if the cloud refuses larger page sizes. It
// is the API's default.
const smallestPage = 10

// readPages reads all pages. firstFailed is true if the first page failed.
func readPages[T any](ctx context.Context, c *Client, a *listCall[T]) (l *Listing[T], firstFailed bool, err error) {
	pages := newCollector(a)
	for token := ""; ; {
		p, err := fetchPage(ctx, c, a, token)
		if err != nil {
			return nil, token == "", err
		}
		if err := pages.addPage(p); err != nil {
			return nil, false, err
		}
		if p.nextToken == "" {
			return pages.finishListing(), false, nil
		}
		token = p.nextToken
	}
}

// badRequest reports whether err means that the cloud answered the given operation with HTTP 400.
func badRequest(err error, operation string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation == operation
}

// blamesPageSize reports whether the cloud's error message mentions the page size.
func blamesPageSize(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.blamesPageSize
}

// fetchPage reads one page, with retries. An empty token means the first page.
func fetchPage[T any](ctx context.Context, c *Client, a *listCall[T], token string) (*page[T], error) {
	target := a.pageURL(c.base, a.path, a.pageSize, token)
	before := a.heldBytes
	var p *page[T]
	err := c.doWithToken(ctx, a.operation, func() error {
		a.releaseDownTo(before)
		call, err := c.sendGET(ctx, a.name, target, token, func(ctx context.Context, resp *http.Response) (err error) {
			p, err = readPage(ctx, resp, a)
			return err
		})
		if err == nil {
			p.call = call
			c.auth.tokenAccepted(c, a.name, call.sentWith)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// doWithToken makes sure that there is a valid token, and calls doRequest with retries. If the
// cloud refuses the token with HTTP 401, and a new token can help, doWithToken gets a new token and
// calls doRequest again.
func (c *Client) doWithToken(ctx context.Context, o operation, doRequest func() error) error {
	if err := c.auth.ensureToken(ctx, c); err != nil {
		return err
	}
	err := c.doWithRetries(ctx, canRetryRequest, doRequest)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized || o.apiKeyOnly {
		return err
	}
	switch renewed, failed := c.auth.renewToken(ctx, c, o.name, e.sentWith); {
	case failed != nil:
		return failed
	case !renewed:
		return err
	}
	return c.doWithRetries(ctx, canRetryRequest, doRequest)
}
