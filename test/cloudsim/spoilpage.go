package cloudsim

import (
	"net/url"
	"slices"
	"strings"
)

// edited serves the usual page after edit has changed it. edit returns false if it did not change
// the page. The fault then has not happened.
func edited(edit func(*draft) bool) func(*exchange) {
	return func(x *exchange) {
		x.sim.serve(x.w, x.r, func(d *draft) {
			if edit(d) {
				x.count()
			}
		})
	}
}

// wrongKind makes d an empty list of another kind.
func wrongKind(d *draft) bool {
	next := (slices.Index(kinds, d.kind) + 1) % len(kinds)
	d.kind, d.items = kinds[next], none
	d.meta = listMeta{TotalSize: new(int)}
	return true
}

func repeatedToken(d *draft) bool {
	if !d.later() {
		return false
	}
	d.meta.Next = d.linkWith(d.request.URL.Query().Get("page_token"))
	return true
}

// endlessPaging makes the next link lead to the first page again, and so on without end. Each link
// has a new token.
func endlessPaging(d *draft) bool {
	if d.query.round > 0 {
		return false
	}
	d.query = d.sim.endlessOf(d.query, d.kind)
	d.meta.Next = d.link(1, true)
	return true
}

func foreignNext(d *draft) bool {
	next, err := url.Parse(text(d.meta.Next))
	if err != nil || next.Host == "" {
		return false
	}
	d.meta.Next = encode(d.sim.foreignOrigin() + next.RequestURI())
	return true
}

// itemMissing leaves an item of the last page out. total_size still counts the item.
func itemMissing(d *draft) bool {
	total := d.page.total
	if d.later() {
		// Objects of the pages before may be deleted by now, but the client has got them.
		// total_size must be larger than the number of all items that the client has got.
		total += d.page.gone
	}
	return d.leaveOut(total)
}

// itemSkipped leaves an item of the last page out, and total_size does not count it. This happens
// if a cloud pages by offset and an object of an earlier page is deleted during the listing.
func itemSkipped(d *draft) bool { return d.leaveOut(d.page.total - 1) }

// leaveOut leaves an item of the last page out. It also makes sure that no page follows this one.
func (d *draft) leaveOut(total int) bool {
	if !d.last() || len(d.items) == 0 {
		return false
	}
	i := len(d.items) / 2
	d.items = slices.Delete(d.items, i, i+1)
	d.meta.Next, d.meta.TotalSize = null, &total
	return true
}

// itemRepeated adds the first item of the listing again. That item is on this page or on an earlier
// one.
func itemRepeated(d *draft) bool {
	d.sim.mu.RLock()
	first := d.collection.page(d.query.environment, d.query.filter, 0, 1).entries
	d.sim.mu.RUnlock()
	if len(first) == 0 || len(d.items) == 0 {
		return false
	}
	d.items = append(d.items, first[0].as(d.sim.Mode()))
	return true
}

// spoiled makes the item in the middle of a page unreadable.
func spoiled(change func(item tree) any) func(*exchange) {
	return edited(func(d *draft) bool {
		if len(d.items) == 0 {
			return false
		}
		i := len(d.items) / 2
		d.items[i] = encode(change(decode[tree](d.items[i])))
		return true
	})
}

func wrongType(item tree) any {
	item["metadata"] = 7
	return item
}

func notObject(item tree) any { return item["id"] }

func nothing(tree) any { return nil }

func noID(item tree) any {
	delete(item, "id")
	return item
}

func longID(item tree) any {
	id, _ := item["id"].(string)
	item["id"] = id + strings.Repeat("x", maxIDLength+1)
	return item
}

// LongestID is the ID of the item that FaultItemLongestID adds. It has the largest allowed length.
// OddID is the ID of the item that FaultItemOddID adds. It is very different from an object name.
var (
	LongestID = "lkc-" + strings.Repeat("x", maxIDLength-len("lkc-"))
	OddID     = "Odd_ID/of ünusual shape."
)

func longestID(d *draft) bool { return d.addItem(LongestID) }

func oddID(d *draft) bool { return d.addItem(OddID) }

// addItem adds an item. The item is a copy of the page's first item, with another ID.
func (d *draft) addItem(id string) bool {
	if len(d.items) == 0 {
		return false
	}
	item := decode[tree](d.items[0])
	item["id"] = id
	d.items = append(d.items, encode(item))
	return true
}

// partialKey shows only a part of the objects on this page and the pages after it.
func partialKey(d *draft) bool { return d.showLess(d.sim.partOf(d.query, d.kind)) }

func blindKey(d *draft) bool {
	q := d.query
	q.filter.view = ViewNone
	return d.showLess(q)
}

func (d *draft) showLess(q query) bool {
	less := d.sim.newDraft(d.request, d.collection, q)
	if less.page.total >= d.page.total {
		return false
	}
	*d = *less
	return true
}
