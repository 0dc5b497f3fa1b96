// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"context"
	"net/http"
)

// list reads every page of one operation. It returns a listing or an error,
// never both: half a listing must not be mistaken for a whole one.
func list[T any](ctx context.Context, c *Client, op *operation[T], filter query) (*Listing[T], error) {
	if filter[paramEnvironment][0] == "" {
		return nil, name(Call{Operation: op.name}, newError(InvalidRequest, "not sent: the filter's Environment is empty"))
	}
	pages := newCollector(op, c.limits)
	for token := ""; ; {
		p, err := fetch(ctx, c, op, filter, token)
		if err != nil {
			return nil, err
		}
		if err := pages.add(p); err != nil {
			return nil, err
		}
		if p.next == "" {
			return pages.finish(), nil
		}
		token = p.next
	}
}

// fetch reads one page; an empty token is the first. It has no effect but its
// requests, so that a page may be fetched again.
func fetch[T any](ctx context.Context, c *Client, op *operation[T], filter query, token string) (*page[T], error) {
	var p *page[T]
	call, err := c.get(ctx, op.name, filter.forPage(c.base, op.path, op.pageSize, token),
		func(resp *http.Response) (err error) {
			p, err = readPage(resp, op, c.limits)
			return err
		})
	if err != nil {
		return nil, err
	}
	p.call = call
	return p, nil
}
