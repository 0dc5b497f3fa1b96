package cloudsim

import (
	"encoding/json"
	"net/http"
	"strings"
)

// listMeta is the ListMeta of the contract. A link is a JSON value. If it is nil, the member is
// left out.
type listMeta struct {
	First     json.RawMessage `json:"first,omitempty"`
	Last      json.RawMessage `json:"last,omitempty"`
	Prev      json.RawMessage `json:"prev,omitempty"`
	Next      json.RawMessage `json:"next,omitempty"`
	TotalSize *int            `json:"total_size,omitempty"`
}

var (
	null      = json.RawMessage("null")
	emptyText = json.RawMessage(`""`)
	none      = []json.RawMessage{}
)

// draft is a page before it is sent.
type draft struct {
	sim        *Sim
	request    *http.Request
	collection *collection
	kind       *kind
	query      query
	page       page

	meta  listMeta
	items []json.RawMessage // nil is sent as null
}

// newDraft returns the page that q asks for. The page has the form of the present mode.
func (s *Sim) newDraft(r *http.Request, c *collection, q query) *draft {
	d := &draft{sim: s, request: r, collection: c, kind: c.kind, query: q}
	s.mu.RLock()
	d.page = c.page(q.environment, q.filter, q.cursor, q.pageSize)
	s.mu.RUnlock()
	d.meta = listMeta{
		First: d.link(0, true),
		Last:  d.link(d.page.last, true),
		Prev:  d.link(d.page.prev, d.page.hasPrev),
		Next:  d.link(d.page.next, d.page.hasNext),
	}
	if q.round > 0 {
		d.meta.Next = d.link(q.round+1, true)
	}
	if !s.omitTotalSize {
		d.meta.TotalSize = &d.page.total
	}
	d.items = make([]json.RawMessage, len(d.page.entries))
	mode := s.Mode()
	for i, e := range d.page.entries {
		d.items[i] = e.as(mode)
	}
	if mode == ModeWire {
		s.wire.change(d)
	}
	return d
}

// later reports whether this page is not the first page.
func (d *draft) later() bool { return d.request.URL.Query().Has("page_token") }

// last reports whether no page follows this one.
func (d *draft) last() bool { return !d.page.hasNext && d.query.round == 0 }

// link returns the link to the page that begins after cursor. If there is false, it returns null.
func (d *draft) link(cursor uint64, there bool) json.RawMessage {
	if !there {
		return null
	}
	token := ""
	if cursor > 0 {
		token = d.sim.tokens.seal(cursor, d.query.scope)
	}
	return d.linkWith(token)
}

// linkWith returns the link to the page with this token. "" means the first page.
func (d *draft) linkWith(token string) json.RawMessage {
	scheme := "http://"
	if d.request.TLS != nil {
		scheme = "https://"
	}
	values := d.query.values
	values.Del("page_token")
	if token != "" {
		values.Set("page_token", token)
	}
	return encode(scheme + d.request.Host + d.kind.path + "?" + values.Encode())
}

// encode returns the body: the envelope with the encoded objects.
func (d *draft) encode() json.RawMessage {
	head := encode(struct {
		APIVersion string   `json:"api_version"`
		Kind       string   `json:"kind"`
		Metadata   listMeta `json:"metadata"`
	}{d.kind.apiVersion, d.kind.name + "List", d.meta})
	head = head[:len(head)-1] // remove the closing brace: data follows
	size := len(head) + len(`,"data":[]}`) + len(d.items)
	for _, item := range d.items {
		size += len(item)
	}
	b := make([]byte, 0, size)
	b = append(b, head...)
	if d.items == nil {
		return append(b, `,"data":null}`...)
	}
	b = append(b, `,"data":[`...)
	for i, item := range d.items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, "]}"...)
}

// text returns the URL of a link. It returns "" if the link is not a string.
func text(link json.RawMessage) string {
	var u string
	_ = json.Unmarshal(link, &u) // a link that is not a string is not a URL
	return strings.TrimSpace(u)
}
