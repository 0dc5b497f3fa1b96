package cloudsim

import (
	"net/url"
	"slices"
	"strings"
)

// edited serves the usual page as edit changes it. edit reports whether it did; if not,
// the page is as it was and the fault has not happened.
func edited(edit func(*draft) bool) func(*exchange) {
	return func(x *exchange) {
		x.sim.serve(x.w, x.r, func(d *draft) {
			if edit(d) {
				x.count()
			}
		})
	}
}

// wrongKind makes d an empty list of the kind that was not asked for.
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

// endlessPaging leads from this page to the first, again and again, each time by
// another token.
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

// itemMissing leaves an item of the last page out of data, but not out of total_size.
func itemMissing(d *draft) bool {
	total := d.page.total
	if d.later() {
		// What was on the pages before may be gone by now: the client has got it, and
		// total_size must be larger than all it has got.
		total += d.page.gone
	}
	return d.leaveOut(total)
}

// itemSkipped leaves an item of the last page out as if it were not there. That is
// what paging by offset does when an object of an earlier page goes meanwhile.
func itemSkipped(d *draft) bool { return d.leaveOut(d.page.total - 1) }

// leaveOut leaves out an item of the last page, which it makes the last for good.
func (d *draft) leaveOut(total int) bool {
	if !d.last() || len(d.items) == 0 {
		return false
	}
	i := len(d.items) / 2
	d.items = slices.Delete(d.items, i, i+1)
	d.meta.Next, d.meta.TotalSize = null, &total
	return true
}

// itemRepeated adds the listing's first item, which an earlier page had, or this one.
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

// spoiled makes an item in the middle of a page unreadable.
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

// LongestID and OddID are the IDs of the items too many, of FaultItemLongestID and
// FaultItemOddID: the one as long as an ID may be, the other far from an object name.
var (
	LongestID = "lkc-" + strings.Repeat("x", maxIDLength-len("lkc-"))
	OddID     = "Odd_ID/of ünusual shape."
)

func longestID(d *draft) bool { return d.addItem(LongestID) }

func oddID(d *draft) bool { return d.addItem(OddID) }

// addItem adds an item that is like the page's first but for its ID.
func (d *draft) addItem(id string) bool {
	if len(d.items) == 0 {
		return false
	}
	item := decode[tree](d.items[0])
	item["id"] = id
	d.items = append(d.items, encode(item))
	return true
}

// partialKey makes this and the pages to come those of a listing that shows a part.
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
