// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// asking is the state of one call of List.
type asking[T any] struct {
	operation
	query
	limits Limits
	index  *Index
	// read decodes one item, see readItem.
	read func(raw jsontext.Value) entry[T]
	// pageSize is how many items each request asks for. If the cloud refuses this page size, List
	// lowers pageSize.
	pageSize int
	room     *room
	// taken is the estimated memory of the items read so far, in bytes.
	taken int64
	// bodies is the total size of the pages read so far, in bytes.
	bodies int64
	// entries is a buffer for the items of one page. The next page uses the same buffer.
	entries []entry[T]
}

// List reads all pages of a list operation and returns the items that match the filter.
//
//   - The parameter index is the Index of the last listing with the same filter, or nil. List does
//     not decode an item again if this Index has the item.
//   - The function project returns the part of an item that the caller keeps. List does not call
//     project for an item that it does not decode.
//
// If List cannot read all pages, it returns an error and no items. The error is an *Error, or an
// error that TokenOptions.Subject returned. [Listing.Complete] says whether the listing is
// complete.
func List[Record, Filter, T any](ctx context.Context, c *Client, op *Operation[Record, Filter], filter Filter,
	index *Index, project func(*Record) T,
) (*Listing[T], error) {
	parameters := op.params(filter)
	if environment, wanted := parameters[paramEnvironment]; wanted && environment[0] == "" {
		return nil, withCall(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
	}
	a := &asking[T]{operation: op.operation, query: newQuery(parameters), limits: c.limits, index: index, pageSize: op.pageSize, room: c.room}
	a.read = func(raw jsontext.Value) entry[T] { return readItem(raw, op, a.query, project) }
	defer a.drop(0)
	restarted := false
	for {
		l, first, err := readPages(ctx, c, a)
		switch {
		case err == nil || !badRequest(err, op.name):
			return l, a.advised(err, c.auth)
		case first && a.pageSize > smallestPage && blamesPageSize(err):
			a.pageSize = max(a.pageSize/10, smallestPage)
		case !first && !restarted:
			// The cloud accepted the first request and refused a later request. The requests are
			// equal except for the page token, so the token is invalid. Start the listing again,
			// but only once.
			restarted = true
		default:
			return nil, a.advised(err, c.auth)
		}
		a.drop(0)
	}
}

// hold adds n bytes to the estimated memory of the listing's items. It returns an error if this
// listing, or all listings of the process together, would need too much memory.
func (a *asking[T]) hold(n int64) error {
	if a.taken+n > a.limits.MaxHeldBytes {
		return newError(Incomplete, fmt.Sprintf("incomplete listing: its items take more than %d MiB", a.limits.MaxHeldBytes>>20))
	}
	if !a.room.take(n) {
		return newError(Incomplete, fmt.Sprintf("incomplete listing: the items of all listings under way take more than %d MiB", a.room.most>>20))
	}
	a.taken += n
	return nil
}

// drop lowers the estimated memory of the listing's items to the given number of bytes.
func (a *asking[T]) drop(to int64) {
	a.room.give(a.taken - to)
	a.taken = to
}

// advised returns the given error. If the cloud refused the credential, advised first adds advice
// for a person to the error.
func (a *asking[T]) advised(err error, auth authorizer) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || e.Operation != a.name || e.Class != Unauthenticated && e.Class != Forbidden:
	case auth.advice != nil && a.apiKeyOnly:
		e.Advice = "the API documents only API keys for this operation, no token of an identity pool: " +
			"mirror this kind by a source with a Cloud API key, or set its policy to Ignore"
	case auth.advice != nil:
		e.Advice = auth.advice[e.Class]
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

// readPages reads all pages. The result first is true if the first page failed.
func readPages[T any](ctx context.Context, c *Client, a *asking[T]) (l *Listing[T], first bool, err error) {
	pages := newCollector(a)
	for token := ""; ; {
		p, err := fetch(ctx, c, a, token)
		if err != nil {
			return nil, token == "", err
		}
		if err := pages.add(p); err != nil {
			return nil, false, err
		}
		if p.nextToken == "" {
			return pages.finish(), false, nil
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
	return ok && e.pageSize
}

// fetch reads one page, with retries. An empty token means the first page.
func fetch[T any](ctx context.Context, c *Client, a *asking[T], token string) (*page[T], error) {
	target := a.forPage(c.base, a.path, a.pageSize, token)
	before := a.taken
	var p *page[T]
	err := c.authorized(ctx, a.operation, func() error {
		a.drop(before)
		call, err := c.get(ctx, a.name, target, token, func(ctx context.Context, resp *http.Response) (err error) {
			p, err = readPage(ctx, resp, a)
			return err
		})
		if err == nil {
			p.call = call
			c.auth.accepted(c, a.name, call.sentWith)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// authorized makes sure that there is a valid token, and calls the function ask with retries. If
// the cloud refuses the token with HTTP 401, authorized gets a new token and calls ask again.
func (c *Client) authorized(ctx context.Context, o operation, ask func() error) error {
	if err := c.auth.refresh(ctx, c); err != nil {
		return err
	}
	err := c.persist(ctx, mayPass, ask)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized || o.apiKeyOnly {
		return err
	}
	switch renewed, failed := c.auth.renew(ctx, c, o.name, e.sentWith); {
	case failed != nil:
		return failed
	case !renewed:
		return err
	}
	return c.persist(ctx, mayPass, ask)
}
