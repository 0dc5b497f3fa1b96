// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// asking is one listing under way: the question, and what is known so far.
type asking[T any] struct {
	operation
	query
	limits Limits
	index  *Index
	// read decodes one item and projects it.
	read func(raw jsontext.Value) entry[T]
	// pageSize is how many items a page should hold. It shadows the operation's.
	pageSize int
	room     *room
	// taken is how many bytes of the room the items hold so far, by estimate.
	taken int64
	// bodies is how many bytes were read.
	bodies int64
	// entries is the memory of the last page's entries, which the next page uses again: a listing
	// keeps no entry.
	entries []entry[T]
}

// List reads every page of an operation and returns the items that the filter selects. project
// returns what to keep of a record. It is called once, as the item comes, for each item that index
// does not know; then the record is dropped. index is that of the last listing with the same
// filter, or nil.
//
// It returns a listing or an *Error, never both: half a listing must not be mistaken for a whole
// one. See [Listing.Complete] for what may be concluded. If no token could be had, the error is
// that of TokenOptions.Subject.
//
// If the cloud no longer accepts the page token that it gave, the listing starts over, once. All
// items so far are dropped, because a new first page does not continue old ones.
func List[Record, Filter, T any](ctx context.Context, c *Client, op *Operation[Record, Filter], filter Filter,
	index *Index, project func(*Record) T,
) (*Listing[T], error) {
	parameters := op.params(filter)
	if environment, wanted := parameters[paramEnvironment]; wanted && environment[0] == "" {
		return nil, name(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
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
			restarted = true
		default:
			return nil, a.advised(err, c.auth)
		}
		a.drop(0)
	}
}

// hold counts what an item holds, by estimate. An error means that this is too much.
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

// drop gives back what was taken beyond so many bytes.
func (a *asking[T]) drop(to int64) {
	a.room.give(a.taken - to)
	a.taken = to
}

// advised adds advice to the error of a refused credential. It fits the kind of the credential, and
// an operation that refuses global API keys.
func (a *asking[T]) advised(err error, auth authorizer) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || e.Operation != a.name || e.Class != Unauthenticated && e.Class != Forbidden:
	case auth.advice != nil:
		e.Advice = auth.advice[e.Class]
	case a.cloudKeyOnly:
		e.Advice += "; a global API key is not enough for this: use a Cloud API key or an identity pool"
	}
	return err
}

// smallestPage is the page size to ask for if larger ones are refused. It is the API's own default.
// The cloud may lower the largest size, and a listing of a hundred small pages is better than none
// until the next release.
const smallestPage = 10

// readPages reads every page once. first reports whether an error is that of the first page.
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

// badRequest reports whether err is an answer with HTTP 400. If the request had a page token, the
// API refused the token: the rest of the request worked for the first page. Only some of these
// answers name the parameter.
func badRequest(err error, operation string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation == operation
}

// blamesPageSize reports whether the answer to a bad request mentions the page size.
func blamesPageSize(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.pageSize
}

// fetch reads one page; an empty token means the first. A page that failed leaves nothing behind,
// so only this page has to be asked for again.
func fetch[T any](ctx context.Context, c *Client, a *asking[T], token string) (*page[T], error) {
	target := a.forPage(c.base, a.path, a.pageSize, token)
	before := a.taken
	var p *page[T]
	err := c.authorized(ctx, func() error {
		a.drop(before)
		call, err := c.get(ctx, a.name, target, token, func(ctx context.Context, resp *http.Response) (err error) {
			p, err = readPage(ctx, resp, a)
			return err
		})
		if err == nil {
			p.call = call
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// authorized calls ask as persist does, with a valid credential. The cloud may refuse it all the
// same, if a token was withdrawn. Then it calls ask again with the next token.
func (c *Client) authorized(ctx context.Context, ask func() error) error {
	if err := c.auth.refresh(ctx, c); err != nil {
		return err
	}
	err := c.persist(ctx, mayPass, ask)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusUnauthorized {
		return err
	}
	switch renewed, failed := c.auth.renew(ctx, c, e.sentWith); {
	case failed != nil:
		return failed
	case !renewed:
		return err
	}
	return c.persist(ctx, mayPass, ask)
}
