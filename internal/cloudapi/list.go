// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"net/http"
)

// asking is one listing under way: what is asked for, and what is known already.
type asking[T any] struct {
	op     *operation[T]
	limits Limits
	query
	// pageSize is how many items a page is asked to hold.
	pageSize int
	index    *Index
	// renewed reports whether a token that the cloud refused was replaced meanwhile.
	renewed bool
	// entries is what the last page's were held in, for the next page: a listing keeps
	// none of them.
	entries []entry[T]
}

// list reads every page of one operation. It returns a listing or an error,
// never both: half a listing must not be mistaken for a whole one.
//
// Where the cloud no longer takes the page token it gave, the listing starts
// over, once. What was gathered is dropped: a new first page does not continue
// old ones. Where it does not take the page size, which is the cloud's to change, smaller
// pages are asked for.
func list[T any](ctx context.Context, c *Client, op *operation[T], filter params, index *Index) (*Listing[T], error) {
	if environment, wanted := filter[paramEnvironment]; wanted && environment[0] == "" {
		return nil, name(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
	}
	a := &asking[T]{op: op, limits: c.limits, query: newQuery(filter), pageSize: op.pageSize, index: index}
	restarted := false
	for {
		l, first, err := readPages(ctx, c, a)
		switch {
		case err == nil || !badRequest(err, op.name):
			return l, advised(err, op, c.auth)
		case first && a.pageSize > smallestPage && blamesPageSize(err):
			a.pageSize = max(a.pageSize/10, smallestPage)
		case !first && !restarted:
			restarted = true
		default:
			return nil, advised(err, op, c.auth)
		}
	}
}

// advised gives a refused credential's error the way out: that of the credential's kind, and
// of an operation that refuses global API keys.
func advised[T any](err error, op *operation[T], auth authorizer) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || e.Operation != op.name || e.Class != Unauthenticated && e.Class != Forbidden:
	case auth.advice != nil:
		e.Advice = auth.advice[e.Class]
	case op.cloudKeyOnly:
		e.Advice += "; a global API key is not enough for this: use a Cloud API key or an identity pool"
	}
	return err
}

// smallestPage is the page size that is asked for where larger ones are refused: the
// API's own default.
const smallestPage = 10

// readPages reads every page once. first reports whether an error is that of the first
// page.
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

// authorized calls ask as persist does, with a credential that is fresh. Where the cloud
// refuses it all the same, as it does with a token that was withdrawn, another is used, once
// in a listing.
func authorized[T any](ctx context.Context, c *Client, a *asking[T], ask func() error) error {
	if err := c.auth.fresh(ctx); err != nil {
		return err
	}
	used := c.auth.value()
	err := c.persist(ctx, ask)
	if e, ok := errors.AsType[*Error](err); !ok || e.StatusCode != http.StatusUnauthorized || a.renewed {
		return err
	}
	switch another, failed := c.auth.renew(ctx, used); {
	case failed != nil:
		return failed
	case !another:
		return err
	}
	a.renewed = true
	return c.persist(ctx, ask)
}

// badRequest reports whether err is an answer with HTTP 400. To a request with a page
// token it means that token: all else in the request was good enough for the first
// page. The API names the parameter in some of them only.
func badRequest(err error, operation string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusBadRequest && e.Operation == operation
}

// blamesPageSize reports whether a bad request's answer speaks of the page size.
func blamesPageSize(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.pageSize
}

// fetch reads one page; an empty token is the first. It has no effect but its
// requests, so that a failure that may pass costs this page alone.
func fetch[T any](ctx context.Context, c *Client, a *asking[T], token string) (*page[T], error) {
	target := a.forPage(c.base, a.op.path, a.pageSize, token)
	var p *page[T]
	err := authorized(ctx, c, a, func() error {
		call, err := c.get(ctx, a.op.name, target, func(resp *http.Response) (err error) {
			p, err = readPage(resp, a)
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
