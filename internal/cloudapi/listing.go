// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxShownItems is the largest number of unreadable items that an error message names.
const maxShownItems = 5

// mostReserved is the largest number of items for which memory is reserved in advance. The cloud
// may report a number of items that is far too large.
const mostReserved = 20_000

// Item is one listed object.
type Item[T any] struct {
	ID string
	// Known is true if the Index given to List has the same item, byte for byte.
	Known bool
	// Value is the part of the item that the caller of List keeps. It is zero if Known is true.
	Value T
}

// Listing is the result of List. The method Complete says whether a Listing is complete. An object
// that is missing from a complete Listing counts as deleted. The zero Listing is not complete.
type Listing[T any] struct {
	// Items has the readable items, each ID once. If several items have the same ID, the last one
	// counts.
	Items []Item[T]
	// Unreadable has the items that could not be read. If a later item with the same ID could be
	// read, Items has the later item.
	Unreadable []UnreadableItem
	// Pages is how many pages were read, at least 1.
	Pages int
	// Index is for the next call of List with the same filter.
	Index *Index
	// Unchanged is true if the listing has exactly the items of the Index given to List, byte for
	// byte.
	Unchanged bool

	operation string
	requestID string
	totalSize int64
	// leftOut is how many items List filtered out.
	leftOut int
}

// Complete returns nil if all items came and could be read. If not, it returns an *Error of class
// Incomplete.
func (l *Listing[T]) Complete() error {
	if l == nil || l.Pages == 0 {
		return newError(Incomplete, "incomplete listing: no page was read")
	}
	var reasons []string
	if len(l.Unreadable) > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %d items cannot be read: %s",
			len(l.Unreadable), len(l.Items)+len(l.Unreadable), describe(l.Unreadable)))
	}
	// total_size includes the items that List filtered out.
	if came := len(l.Items) + len(l.Unreadable) + l.leftOut; int64(came) < l.totalSize {
		reasons = append(reasons, fmt.Sprintf("%d items came, total_size says %d", came, l.totalSize))
	}
	if len(reasons) == 0 {
		return nil
	}
	return withCall(Call{Operation: l.operation, StatusCode: http.StatusOK, RequestID: l.requestID},
		newError(Incomplete, "incomplete listing: "+strings.Join(reasons, "; ")))
}

// describe names the first unreadable items, each with its reason, for an error message.
func describe(items []UnreadableItem) string {
	var shown []string
	for _, item := range items[:min(len(items), maxShownItems)] {
		who := truncate(usedSecrets.hideSecrets(printableLine(item.ID)), maxShownIDLength)
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

// collector makes a listing from its pages.
type collector[T any] struct {
	*listCall[T]
	listing Listing[T]
	// marks has the mark (hash and length) of each item in listing.Items, in the same order.
	marks []mark
	// at maps an ID to the index of its item in listing.Items.
	at map[string]int
	// lost has the IDs whose items must be removed from listing.Items, because the listing had a
	// second item with the same ID, and the second item was unreadable or filtered out.
	lost map[string]bool
	// leftOut has the items that List filtered out. The key is the item's ID. The value is the
	// item's mark (hash and length).
	leftOut map[string]mark
	// tokens has a hash of each page token so far, to notice a token that comes twice.
	tokens map[mark]bool
}

// newCollector returns a collector for one listing.
func newCollector[T any](a *listCall[T]) *collector[T] {
	return &collector[T]{
		listCall: a,
		listing:  Listing[T]{operation: a.name},
		at:       make(map[string]int, a.index.size()),
		lost:     map[string]bool{},
		leftOut:  map[string]mark{},
		tokens:   map[mark]bool{},
	}
}

// add adds the next page. It returns an error if the listing exceeds a limit, or if a page token
// comes twice.
func (c *collector[T]) add(p *page[T]) error {
	l := &c.listing
	l.Pages++
	l.requestID = p.call.RequestID
	// Keep the largest total_size of all pages. If an object is deleted during the listing, another
	// object can move to a page that was already read, and so be missed. The smaller total_size of
	// a later page would hide that an object is missing.
	l.totalSize = max(l.totalSize, p.totalSize)
	if l.Pages == 1 && len(p.entries) > 0 {
		room := max(len(p.entries), c.index.size(), int(min(p.totalSize, mostReserved, int64(c.limits.MaxItems))))
		l.Items, c.marks = make([]Item[T], 0, room), make([]mark, 0, room)
	}
	for i := range p.entries {
		c.take(&p.entries[i], i)
	}
	switch token := markOfText(p.nextToken); {
	case len(l.Items)+len(l.Unreadable)+len(c.leftOut) > c.limits.MaxItems:
		return withCall(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items", c.limits.MaxItems)))
	case p.nextToken == "":
		return nil
	case c.tokens[token]:
		return withCall(p.call, newError(Incomplete, "incomplete listing: a page token came twice"))
	case l.Pages == c.limits.MaxPages:
		return withCall(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d pages", c.limits.MaxPages)))
	default:
		c.tokens[token] = true
	}
	return nil
}

// take adds one item of a page. The parameter index is the item's place in the page.
func (c *collector[T]) take(e *entry[T], index int) {
	l := &c.listing
	at, twice := c.at[e.id]
	item := Item[T]{ID: e.id, Known: e.isKnown, Value: e.value}
	switch {
	case e.whyUnreadable != "":
		l.Unreadable = append(l.Unreadable, UnreadableItem{ID: e.id, Page: l.Pages, Index: index, Reason: e.whyUnreadable})
		c.lose(e.id, twice)
	case e.isLeftOut:
		c.leftOut[e.id] = e.mark
		c.lose(e.id, twice)
	case twice:
		l.Items[at], c.marks[at] = item, e.mark
		delete(c.lost, e.id)
		delete(c.leftOut, e.id)
	default:
		c.at[e.id] = len(l.Items)
		l.Items, c.marks = append(l.Items, item), append(c.marks, e.mark)
		delete(c.leftOut, e.id)
	}
}

// lose marks the earlier item with the same ID for removal. If the parameter listed is false, there
// is no earlier item, and lose does nothing.
func (c *collector[T]) lose(id string, listed bool) {
	if listed {
		c.lost[id] = true
	}
}

// finish returns the listing.
func (c *collector[T]) finish() *Listing[T] {
	l := &c.listing
	l.leftOut = len(c.leftOut)
	l.Unchanged = c.index != nil && len(l.Items) == c.index.size() && len(l.Unreadable)+len(c.lost) == 0 &&
		!slices.ContainsFunc(l.Items, func(item Item[T]) bool { return !item.Known })
	if l.Unchanged && c.knewAllLeftOut() {
		l.Index = c.index
		return l
	}
	l.Index = &Index{ids: make(map[mark]string, len(l.Items)-len(c.lost))}
	for i, item := range l.Items {
		if !c.lost[item.ID] {
			l.Index.ids[c.marks[i]] = item.ID
		}
	}
	if len(c.leftOut) > 0 {
		l.Index.leftOut = make(map[mark]string, len(c.leftOut))
		for id, m := range c.leftOut {
			l.Index.leftOut[m] = id
		}
	}
	l.Items = slices.DeleteFunc(l.Items, func(item Item[T]) bool { return c.lost[item.ID] })
	return l
}

// knewAllLeftOut returns true if every item that List filtered out of this listing was also
// filtered out of the last listing.
func (c *collector[T]) knewAllLeftOut() bool {
	for _, m := range c.leftOut {
		if _, known := c.index.leftOut[m]; !known {
			return false
		}
	}
	return true
}
