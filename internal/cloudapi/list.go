// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// asking is a listing under way: its operation and filter, and the items so far.
type asking[T any] struct {
	operation
	query
	limits Limits
	index  *Index
	// read decodes one item and projects it.
	read func(raw jsontext.Value) entry[T]
	// pageSize is how many items to request for a page. It is smaller than operation.pageSize if
	// the cloud refused the larger page.
	pageSize int
	room     *room
	// taken is the estimated memory of the items so far, in bytes. The room counts it too.
	taken int64
	// bodies is how many bytes of pages were read so far.
	bodies int64
	// entries is the memory for the entries of a page. All pages of the listing use the same
	// memory.
	entries []entry[T]
	// accepted identifies the authorization of the last page.
	accepted mark
}

// List reads every page of an operation and returns the items that the filter selects. index is the
// Index of the last listing with the same filter, or nil. project returns what to keep of a record.
// List calls project for each selected item that index does not have, when the item comes, and then
// drops the record.
//
// List returns a listing or an error, never both, so that no caller takes a part of a listing for
// the whole. See [Listing.Complete] for when the absence of an object means something. The error is
// an *Error, or the error of TokenOptions.Subject.
//
// If the cloud refuses a page token that came from the cloud itself, the listing starts over, but
// only once. All items so far are dropped, because they do not fit the new pages.
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
			// The API refused the page token, because only the token differs from the request for
			// the first page. List does not look for the name of the parameter in the answer,
			// because many such answers do not have it.
			restarted = true
		default:
			return nil, a.advised(err, c.auth)
		}
		a.drop(0)
	}
}

// hold adds n to the estimated memory of the items. It returns an error if that is too much for the
// listing or for the room.
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

// drop reduces the estimated memory to the given number of bytes, and gives the rest back to the
// room.
func (a *asking[T]) drop(to int64) {
	a.room.give(a.taken - to)
	a.taken = to
}

// advised adds advice to the error of a refused credential. The advice depends on the kind of
// credential, and on whether the operation refuses global API keys.
func (a *asking[T]) advised(err error, auth authorizer) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || e.Operation != a.name || e.Class != Unauthenticated && e.Class != Forbidden:
	case auth.advice != nil && a.apiKeyOnly:
		e.Advice = "the API documents only API keys for this operation, no token of an identity pool: " +
			"mirror this kind by a source with an API key, or set its policy to Ignore"
	case auth.advice != nil:
		e.Advice = auth.advice[e.Class]
	case a.cloudKeyOnly:
		e.Advice += "; a global API key is not enough for this: use a Cloud API key or an identity pool"
	}
	return err
}

// smallestPage is the smallest page size that List requests. It is the API's own default. List
// requests smaller pages if the cloud refuses large ones, because the cloud may lower the largest
// page size. A listing of a hundred small pages is better than no listing until the next release.
const smallestPage = 10

// readPages reads every page once. If there is an error, first reports whether the request for the
// first page failed.
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
		if p.next == "" {
			return pages.finish(), false, nil
		}
		token = p.next
	}
}

// badRequest reports whether err is an HTTP 400 of this operation.
func badRequest(err error, operation string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation == operation
}

// blamesPageSize reports whether the answer in err mentions the page size.
func blamesPageSize(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.pageSize
}

// fetch reads one page. An empty token means the first page. A failed attempt leaves nothing
// behind, so only this page has to be requested again.
func fetch[T any](ctx context.Context, c *Client, a *asking[T], token string) (*page[T], error) {
	target := a.forPage(c.base, a.path, a.pageSize, token)
	before := a.taken
	var p *page[T]
	err := c.authorized(ctx, a.operation, a.accepted, func() error {
		a.drop(before)
		call, err := c.get(ctx, a.name, target, token, func(ctx context.Context, resp *http.Response) (err error) {
			p, err = readPage(ctx, resp, a)
			return err
		})
		if err == nil {
			p.call, a.accepted = call, call.sentWith
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// authorized makes sure that there is a valid credential, and calls ask through persist. If the
// cloud then refuses a token with HTTP 401, authorized gets the next token and calls ask again. It
// does not if operation o refuses every token. accepted identifies the authorization that the cloud
// accepted last.
func (c *Client) authorized(ctx context.Context, o operation, accepted mark, ask func() error) error {
	if err := c.auth.refresh(ctx, c); err != nil {
		return err
	}
	err := c.persist(ctx, mayPass, ask)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized || o.apiKeyOnly {
		return err
	}
	switch renewed, failed := c.auth.renew(ctx, c, e.sentWith, e.sentWith == accepted); {
	case failed != nil:
		return failed
	case !renewed:
		return err
	}
	return c.persist(ctx, mayPass, ask)
}
