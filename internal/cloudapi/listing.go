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

// maxReserved is the upper limit of total_size when addPage reserves memory for the items.
// total_size is the number of items that the cloud reports, and may be far too large.
const maxReserved = 20_000

// Item is one listed object.
type Item[T any] struct {
	ID string
	// Known is true if the previous listing had the same item, byte for byte. List compares the
	// item with the Index of the previous listing.
	Known bool
	// Value is the part of the item that the caller of List keeps. It is zero if Known is true.
	Value T
}

// Listing is the result of List. [Listing.Complete] says whether a Listing is complete. An object
// that is missing from a complete Listing counts as deleted. The zero Listing is not complete.
type Listing[T any] struct {
	// Items has the readable items, each ID once. If several items have the same ID, the last one
	// counts.
	Items []Item[T]
	// Unreadable has the items that could not be read. If List can read a later item with the same
	// ID, Items has the later item. The unreadable item stays in Unreadable.
	Unreadable []UnreadableItem
	// Pages is how many pages were read, at least 1.
	Pages int
	// Index has the ID and a hash of each readable item. Pass it to the next call of List with the
	// same filter: List then recognizes the items that did not change.
	Index *Index
	// Unchanged is true if this listing has exactly the items of the previous listing, byte for
	// byte.
	Unchanged bool

	operation string
	requestID string
	totalSize int64
	// leftOutCount is how many items List filtered out.
	leftOutCount int
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
			len(l.Unreadable), len(l.Items)+len(l.Unreadable), describeItems(l.Unreadable)))
	}
	// The cloud's count, total_size, includes the items that List filtered out.
	if came := len(l.Items) + len(l.Unreadable) + l.leftOutCount; int64(came) < l.totalSize {
		reasons = append(reasons, fmt.Sprintf("%d items came, total_size says %d", came, l.totalSize))
	}
	if len(reasons) == 0 {
		return nil
	}
	return withCall(Call{Operation: l.operation, StatusCode: http.StatusOK, RequestID: l.requestID},
		newError(Incomplete, "incomplete listing: "+strings.Join(reasons, "; ")))
}

// describeItems names the first unreadable items, each with its reason, for an error message.
func describeItems(items []UnreadableItem) string {
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
	// itemMarks has the mark (hash and length) of each item in listing.Items, in the same order.
	itemMarks []mark
	// itemIndex maps an ID to the index of its item in listing.Items.
	itemIndex map[string]int
	// lostIDs has the ID of each item in listing.Items that came again, and was unreadable or
	// filtered out the second time. finishListing removes these items from listing.Items.
	lostIDs map[string]bool
	// leftOutMarks has the items that List filtered out. It maps the ID of such an item to the
	// item's mark (hash and length).
	leftOutMarks map[string]mark
	// pageTokens has a hash of each page token so far, to notice a token that comes twice.
	pageTokens map[mark]bool
}

// newCollector returns a collector for one listing.
func newCollector[T any](a *listCall[T]) *collector[T] {
	return &collector[T]{
		listCall:     a,
		listing:      Listing[T]{operation: a.name},
		itemIndex:    make(map[string]int, a.index.itemCount()),
		lostIDs:      map[string]bool{},
		leftOutMarks: map[string]mark{},
		pageTokens:   map[mark]bool{},
	}
}

// addPage adds the next page. It returns an error if the listing exceeds a limit, or if a page
// token comes twice.
func (c *collector[T]) addPage(p *page[T]) error {
	l := &c.listing
	l.Pages++
	l.requestID = p.call.RequestID
	// Keep the largest total_size (the cloud's count of objects) of all pages. If an object is
	// deleted during the listing, another object can move to a page that was already read. The
	// listing then lacks the moved object. The smaller total_size of a later page would hide this
	// gap.
	l.totalSize = max(l.totalSize, p.totalSize)
	if l.Pages == 1 && len(p.entries) > 0 {
		room := max(len(p.entries), c.index.itemCount(), int(min(p.totalSize, maxReserved, int64(c.limits.MaxItems))))
		l.Items, c.itemMarks = make([]Item[T], 0, room), make([]mark, 0, room)
	}
	for i := range p.entries {
		c.addItem(&p.entries[i], i)
	}
	switch token := markOfText(p.nextToken); {
	case len(l.Items)+len(l.Unreadable)+len(c.leftOutMarks) > c.limits.MaxItems:
		return withCall(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d items", c.limits.MaxItems)))
	case p.nextToken == "":
		return nil
	case c.pageTokens[token]:
		return withCall(p.call, newError(Incomplete, "incomplete listing: a page token came twice"))
	case l.Pages == c.limits.MaxPages:
		return withCall(p.call, newError(Incomplete, fmt.Sprintf("incomplete listing: more than %d pages", c.limits.MaxPages)))
	default:
		c.pageTokens[token] = true
	}
	return nil
}

// addItem adds one item of a page. pageIndex is the item's place in the page, counted from 0.
func (c *collector[T]) addItem(e *entry[T], pageIndex int) {
	l := &c.listing
	at, twice := c.itemIndex[e.id]
	item := Item[T]{ID: e.id, Known: e.isKnown, Value: e.value}
	switch {
	case e.whyUnreadable != "":
		l.Unreadable = append(l.Unreadable, UnreadableItem{ID: e.id, Page: l.Pages, Index: pageIndex, Reason: e.whyUnreadable})
		c.loseEarlier(e.id, twice)
	case e.isLeftOut:
		c.leftOutMarks[e.id] = e.mark
		c.loseEarlier(e.id, twice)
	case twice:
		l.Items[at], c.itemMarks[at] = item, e.mark
		delete(c.lostIDs, e.id)
		delete(c.leftOutMarks, e.id)
	default:
		c.itemIndex[e.id] = len(l.Items)
		l.Items, c.itemMarks = append(l.Items, item), append(c.itemMarks, e.mark)
		delete(c.leftOutMarks, e.id)
	}
}

// loseEarlier records that the earlier item with the given ID must be removed from listing.Items.
// If isListed is false, there is no such item, and loseEarlier does nothing.
func (c *collector[T]) loseEarlier(id string, isListed bool) {
	if isListed {
		c.lostIDs[id] = true
	}
}

// finishListing returns the listing.
func (c *collector[T]) finishListing() *Listing[T] {
	l := &c.listing
	l.leftOutCount = len(c.leftOutMarks)
	l.Unchanged = c.index != nil && len(l.Items) == c.index.itemCount() && len(l.Unreadable)+len(c.lostIDs) == 0 &&
		!slices.ContainsFunc(l.Items, func(item Item[T]) bool { return !item.Known })
	if l.Unchanged && c.knewAllLeftOut() {
		l.Index = c.index
		return l
	}
	l.Index = &Index{itemIDs: make(map[mark]string, len(l.Items)-len(c.lostIDs))}
	for i, item := range l.Items {
		if !c.lostIDs[item.ID] {
			l.Index.itemIDs[c.itemMarks[i]] = item.ID
		}
	}
	if len(c.leftOutMarks) > 0 {
		l.Index.leftOutIDs = make(map[mark]string, len(c.leftOutMarks))
		for id, m := range c.leftOutMarks {
			l.Index.leftOutIDs[m] = id
		}
	}
	l.Items = slices.DeleteFunc(l.Items, func(item Item[T]) bool { return c.lostIDs[item.ID] })
	return l
}

// knewAllLeftOut returns true if the previous listing also left out each item in leftOutMarks, byte
// for byte. The previous listing may have left out further items.
func (c *collector[T]) knewAllLeftOut() bool {
	for _, m := range c.leftOutMarks {
		if _, known := c.index.leftOutIDs[m]; !known {
			return false
		}
	}
	return true
}
