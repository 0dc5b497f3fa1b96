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

// mostReserved bounds the number of items for which memory is reserved in advance. This number
// comes from the cloud, which may report too many items.
const mostReserved = 20_000

// Item is one listed object.
type Item[T any] struct {
	ID string
	// Known reports whether the Index given to List has the object's bytes. If so, the object was
	// not decoded, and Value is zero.
	Known bool
	// Value is the projected record.
	Value T
}

// Listing is the result of a list operation, from all its pages. Each of its items is an object
// that exists. The absence of an object means something only if Complete returns nil.
//
// The zero Listing is not complete.
type Listing[T any] struct {
	// Items has the readable items. Each ID is there once, in the order in which the IDs first
	// came. If several items have the same ID, the last item counts.
	Items []Item[T]
	// Unreadable has the items that could not be read, in the order in which they came. If an ID is
	// in Items too, the last item with this ID was readable.
	Unreadable []UnreadableItem
	// Pages is how many pages were read, at least 1.
	Pages int
	// Index remembers the items for the next listing with the same filter.
	Index *Index
	// Unchanged reports whether the items are exactly those of the Index given to List, byte for
	// byte, and no item is unreadable.
	Unchanged bool

	operation string
	requestID string
	totalSize int64
	// leftOut is how many items the local filter left out.
	leftOut int
}

// Complete returns nil if the listing is complete: every item could be read, and no page reported
// more items than came. Otherwise it returns an *Error of class Incomplete that says why. Complete
// does not have to look for missing pages: if a page does not come whole, there is no Listing.
func (l *Listing[T]) Complete() error {
	if l == nil || l.Pages == 0 {
		return newError(Incomplete, "incomplete listing: no page was read")
	}
	var reasons []string
	if len(l.Unreadable) > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %d items cannot be read: %s",
			len(l.Unreadable), len(l.Items)+len(l.Unreadable), describe(l.Unreadable)))
	}
	// An item that came twice counts once. Otherwise it would hide that another item did not come.
	// An item that the local filter left out counts, because the cloud counted it.
	if came := len(l.Items) + len(l.Unreadable) + l.leftOut; int64(came) < l.totalSize {
		reasons = append(reasons, fmt.Sprintf("%d items came, total_size says %d", came, l.totalSize))
	}
	if len(reasons) == 0 {
		return nil
	}
	return withCall(Call{Operation: l.operation, StatusCode: http.StatusOK, RequestID: l.requestID},
		newError(Incomplete, "incomplete listing: "+strings.Join(reasons, "; ")))
}

// describe returns the IDs of the first items, each with the reason why it is unreadable.
func describe(items []UnreadableItem) string {
	var shown []string
	for _, item := range items[:min(len(items), maxShownItems)] {
		who := truncate(used.hide(printable(item.ID)), maxShownIDLength)
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
	*asking[T]
	listing Listing[T]
	// marks are the marks of listing.Items, in the same order.
	marks []mark
	// at maps an ID to the index of its item in listing.Items.
	at map[string]int
	// lost has the IDs of items in listing.Items that no longer count, because a later item with
	// the same ID is unreadable or left out.
	lost map[string]bool
	// leftOut has the items that the local filter left out. The key is an item's ID, the value is
	// its mark.
	leftOut map[string]mark
	// tokens has the marks of the page tokens that came so far.
	tokens map[mark]bool
}

// newCollector returns a collector for one listing.
func newCollector[T any](a *asking[T]) *collector[T] {
	return &collector[T]{
		asking:  a,
		listing: Listing[T]{operation: a.name},
		at:      make(map[string]int, a.index.size()),
		lost:    map[string]bool{},
		leftOut: map[string]mark{},
		tokens:  map[mark]bool{},
	}
}

// add adds the next page. An error means that these pages cannot become a complete listing.
func (c *collector[T]) add(p *page[T]) error {
	l := &c.listing
	l.Pages++
	l.requestID = p.call.RequestID
	// The largest total of all pages counts, because the inventory may change while its pages are
	// read. If an object is deleted, the objects after it move forward. An object may move from the
	// next page to a page that was already read. Then it never comes. The total of the last page
	// does not count the deleted object, so it would hide that one object did not come. The largest
	// total shows it. But after a deletion, the largest total can be too large even if every object
	// came. Then this listing is incomplete without need, and the next listing is complete again.
	l.totalSize = max(l.totalSize, p.totalSize)
	if l.Pages == 1 && len(p.entries) > 0 {
		room := max(len(p.entries), c.index.size(), int(min(p.totalSize, mostReserved, int64(c.limits.MaxItems))))
		l.Items, c.marks = make([]Item[T], 0, room), make([]mark, 0, room)
	}
	for i := range p.entries {
		c.take(&p.entries[i], i)
	}
	switch token := markOfText(p.next); {
	case len(l.Items)+len(l.Unreadable)+len(c.leftOut) > c.limits.MaxItems:
		return withCall(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items", c.limits.MaxItems)))
	case p.next == "":
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

// take adds one entry. index is the entry's place in its page.
func (c *collector[T]) take(e *entry[T], index int) {
	l := &c.listing
	at, twice := c.at[e.id]
	item := Item[T]{ID: e.id, Known: e.known, Value: e.value}
	switch {
	case e.unreadable != "":
		l.Unreadable = append(l.Unreadable, UnreadableItem{ID: e.id, Page: l.Pages, Index: index, Reason: e.unreadable})
		c.lose(e.id, twice)
	case e.leftOut:
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

// lose notes that an earlier item with this ID no longer counts. listed reports whether there is
// such an item.
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

// knewAllLeftOut reports whether the index has the bytes of all items that were left out.
func (c *collector[T]) knewAllLeftOut() bool {
	for _, m := range c.leftOut {
		if _, known := c.index.leftOut[m]; !known {
			return false
		}
	}
	return true
}
