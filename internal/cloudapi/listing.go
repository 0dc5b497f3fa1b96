// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxShownItems is how many unreadable items an error names.
const maxShownItems = 5

// mostReserved is for how many items room is made on the cloud's word that there are
// so many.
const mostReserved = 20_000

// Item is one listed object.
type Item[T any] struct {
	ID string
	// Record is nil where the object's bytes are those that the Index knows.
	Record *T
}

// Listing is what a list operation returned, all its pages taken together. What it
// holds is true of the cloud; the absence of an object means something only if Complete
// returns nil.
//
// The zero Listing is not complete.
type Listing[T any] struct {
	// Items are the readable items, each ID once, in the order first seen. Of
	// an item that came twice it is the last one.
	Items []Item[T]
	// Unreadable are the items that could not be read, in the order they came.
	// An ID is in both lists only if it was readable when it came last.
	Unreadable []UnreadableItem
	// Pages is how many pages were read, at least 1.
	Pages int
	// RateLimit is the last one seen.
	RateLimit RateLimit
	// Index remembers the items for the next listing with the same filter. It is the
	// one that was given if the listing is Unchanged.
	Index *Index
	// Unchanged reports whether all items of the Index that was given came, byte for
	// byte, and nothing else.
	Unchanged bool

	operation string
	requestID string
	totalSize int64
}

// Complete returns nil if the listing is whole: every item could be read, and
// there are no fewer than the cloud said on any page that there are. That every page came whole
// is given by the listing being there at all. Otherwise it returns an *Error
// of class Incomplete that says why.
func (l *Listing[T]) Complete() error {
	if l == nil || l.Pages == 0 {
		return newError(Incomplete, "incomplete listing: no page was read")
	}
	var reasons []string
	if len(l.Unreadable) > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %d items cannot be read: %s",
			len(l.Unreadable), len(l.Items)+len(l.Unreadable), describe(l.Unreadable)))
	}
	// Items that repeat across pages are counted once: that one was seen twice
	// says nothing of the one that was not seen.
	if came := len(l.Items) + len(l.Unreadable); int64(came) < l.totalSize {
		reasons = append(reasons, fmt.Sprintf("%d items came, total_size says %d", came, l.totalSize))
	}
	if len(reasons) == 0 {
		return nil
	}
	return name(Call{Operation: l.operation, StatusCode: http.StatusOK, RequestID: l.requestID},
		newError(Incomplete, "incomplete listing: "+strings.Join(reasons, "; ")))
}

// describe names the first few items, each with its reason.
func describe(items []UnreadableItem) string {
	var shown []string
	for _, item := range items[:min(len(items), maxShownItems)] {
		who := truncate(printable(item.ID), maxShownIDLength)
		if who == "" {
			who = fmt.Sprintf("item %d of page %d", item.Index+1, item.Page)
		}
		shown = append(shown, who+" ("+item.Reason+")")
	}
	if more := len(items) - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

// collector puts a listing together from its pages.
type collector[T any] struct {
	*asking[T]
	listing Listing[T]
	// marks tell the bytes of listing.Items.
	marks []mark
	// at is where in listing.Items the item with an ID is.
	at map[string]int
	// lost are the IDs of items in listing.Items that came again unreadable.
	lost map[string]bool
	// tokens are the page tokens that came so far.
	tokens map[string]bool
}

// newCollector returns a collector for one listing.
func newCollector[T any](a *asking[T]) *collector[T] {
	return &collector[T]{
		asking:  a,
		listing: Listing[T]{operation: a.op.name},
		at:      make(map[string]int, a.index.size()),
		lost:    map[string]bool{},
		tokens:  map[string]bool{},
	}
}

// add takes in the next page. An error means that the pages can no longer make
// a whole listing.
func (c *collector[T]) add(p *page[T]) error {
	l := &c.listing
	l.Pages++
	l.requestID = p.call.RequestID
	if p.call.RateLimit.Known {
		l.RateLimit = p.call.RateLimit
	}
	// The largest total that any page gives counts. The inventory changes while its
	// pages are read, and where something is deleted meanwhile, what comes behind it
	// moves forward: an item may slip from a page yet to come to one already read,
	// and never be seen. The last total would then fit a listing that lacks it. So a
	// deletion can make a listing incomplete that is not; the next one is not.
	l.totalSize = max(l.totalSize, p.totalSize)
	if l.Pages == 1 && len(p.entries) > 0 {
		room := max(len(p.entries), c.index.size(), int(min(p.totalSize, mostReserved, int64(c.limits.MaxItems))))
		l.Items, c.marks = make([]Item[T], 0, room), make([]mark, 0, room)
	}
	for i := range p.entries {
		c.take(&p.entries[i], i)
	}
	switch {
	case len(l.Items)+len(l.Unreadable) > c.limits.MaxItems:
		return name(p.call, tooManyItems(c.limits.MaxItems))
	case p.next == "":
		return nil
	case c.tokens[p.next]:
		return name(p.call, newError(Incomplete, "incomplete listing: a page token came twice"))
	case l.Pages == c.limits.MaxPages:
		return name(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d pages", c.limits.MaxPages)))
	}
	c.tokens[p.next] = true
	return nil
}

// take takes in one entry, the index-th of its page.
func (c *collector[T]) take(e *entry[T], index int) {
	l := &c.listing
	at, twice := c.at[e.id]
	switch {
	case e.unreadable != "":
		l.Unreadable = append(l.Unreadable, UnreadableItem{ID: e.id, Page: l.Pages, Index: index, Reason: e.unreadable})
		if twice {
			c.lost[e.id] = true
		}
	case twice:
		l.Items[at], c.marks[at] = Item[T]{e.id, e.record}, e.mark
		delete(c.lost, e.id)
	default:
		c.at[e.id] = len(l.Items)
		l.Items, c.marks = append(l.Items, Item[T]{e.id, e.record}), append(c.marks, e.mark)
	}
}

// finish returns the listing.
func (c *collector[T]) finish() *Listing[T] {
	l := &c.listing
	changed := c.index == nil || len(l.Items) != c.index.size() || len(l.Unreadable) > 0
	for i := 0; i < len(l.Items) && !changed; i++ {
		changed = l.Items[i].Record != nil
	}
	if !changed {
		l.Index, l.Unchanged = c.index, true
		return l
	}
	l.Index = &Index{make(map[mark]string, len(l.Items))}
	for i, item := range l.Items {
		if !c.lost[item.ID] {
			l.Index.ids[c.marks[i]] = item.ID
		}
	}
	l.Items = slices.DeleteFunc(l.Items, func(item Item[T]) bool { return c.lost[item.ID] })
	return l
}

// tooManyItems is the error of a listing with more items than allowed.
func tooManyItems(limit int) *Error {
	return newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items", limit))
}
