// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"errors"
	"net/http"
)

// list reads every page of one operation. It returns a listing or an error,
// never both: half a listing must not be mistaken for a whole one.
//
// Where the cloud no longer takes the page token it gave, the listing starts
// over, once. What was gathered is dropped: a new first page does not continue
// old ones.
func list[T any](ctx context.Context, c *Client, op *operation[T], filter query) (*Listing[T], error) {
	if filter[paramEnvironment][0] == "" {
		return nil, name(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
	}
	l, lost, err := readPages(ctx, c, op, filter)
	if lost {
		l, _, err = readPages(ctx, c, op, filter)
	}
	return l, err
}

// readPages is list without starting over; lost is whether that might help.
func readPages[T any](ctx context.Context, c *Client, op *operation[T], filter query) (l *Listing[T], lost bool, err error) {
	pages := newCollector(op, c.limits)
	for token := ""; ; {
		p, err := fetch(ctx, c, op, filter, token)
		if err != nil {
			return nil, token != "" && tokenRefused(err), err
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

// tokenRefused says whether err, of a request that carried a page token, is the
// cloud's no to that token. Any 400 is: all else in the request was good enough
// for the first page. The API names the parameter in some of them only.
func tokenRefused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.StatusCode == http.StatusBadRequest
}

// fetch reads one page; an empty token is the first. It has no effect but its
// requests, so that a failure that may pass costs this page alone.
func fetch[T any](ctx context.Context, c *Client, op *operation[T], filter query, token string) (*page[T], error) {
	target := filter.forPage(c.base, op.path, op.pageSize, token)
	var p *page[T]
	err := c.persist(ctx, func() error {
		call, err := c.get(ctx, op.name, target, func(resp *http.Response) (err error) {
			p, err = readPage(resp, op, c.limits)
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
