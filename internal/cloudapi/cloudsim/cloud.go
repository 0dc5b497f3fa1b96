package cloudsim

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	defaultPageSize    = 10
	maxPageTokenLength = 255
)

// Handler returns the simulated cloud: both list operations, 404 for every other
// path and 405 for every other verb. Each answer has an X-Request-Id of its own.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := operation(r)
		w.Header().Set("X-Request-Id", newRequestID())
		w = s.calls.begin(w, r, op, s.now())
		if fault := s.faults.next(op, r); fault != nil {
			fault.ServeHTTP(w, r)
			return
		}
		s.usual(w, r)
	})
}

// Usual returns the cloud without recorder and faults: what a fault wraps that
// spoils a good answer.
func (s *Sim) Usual() http.Handler { return http.HandlerFunc(s.usual) }

// operation says which operation a request asks for.
func operation(r *http.Request) Op {
	if r.Method == http.MethodGet {
		switch r.URL.Path {
		case clusterKind.path:
			return OpListClusters
		case peeringKind.path:
			return OpListPeerings
		}
	}
	return OpOther
}

func (s *Sim) usual(w http.ResponseWriter, r *http.Request) {
	var c *collection
	switch r.URL.Path {
	case clusterKind.path:
		c = s.clusters
	case peeringKind.path:
		c = s.peerings
	default:
		f := failure{status: http.StatusNotFound, code: "resource_not_found", title: "Not Found",
			detail: "there is nothing at " + r.URL.Path}
		f.write(w)
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		f := failure{status: http.StatusMethodNotAllowed, code: "method_not_allowed", title: "Method Not Allowed",
			detail: r.Method + " is not allowed here, only GET is"}
		f.write(w)
		return
	}
	s.list(w, r, c)
}

// list answers a list operation: authentication, rate limit, parameters, the page.
func (s *Sim) list(w http.ResponseWriter, r *http.Request, c *collection) {
	key, f := s.authenticate(r)
	if f != nil {
		if f.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic error="invalid_key", error_description="The API Key is invalid"`)
		}
		f.write(w)
		return
	}
	use := s.limits.take(key.ID, s.clock())
	if !use.allowed {
		use.setHeader(w.Header())
		w.Header().Set("Retry-After", strconv.Itoa(use.reset))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	q, f := s.parseQuery(r.URL.RawQuery, c.kind)
	if f == nil {
		f = s.authorize(key, q.environment)
	}
	if f != nil {
		f.write(w)
		return
	}
	s.mu.RLock()
	p := c.page(q.environment, q.filter, q.cursor, q.pageSize)
	s.mu.RUnlock()
	use.setHeader(w.Header())
	writeJSON(w, http.StatusOK, s.body(r, c.kind, q, p))
}

// authenticate tells who asks. Anything but a known key and its secret is a 401, a
// key without rights a 403.
func (s *Sim) authenticate(r *http.Request) (Key, *failure) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return Key{}, unauthenticated("invalid API key: the request has no API key: send its ID and secret by Basic authentication")
	}
	s.mu.RLock()
	key, known := s.keys[id]
	s.mu.RUnlock()
	if !known || subtle.ConstantTimeCompare([]byte(secret), []byte(key.Secret)) != 1 {
		return Key{}, unauthenticated("invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key")
	}
	if key.Forbidden {
		return Key{}, forbidden("user_unauthorized", "forbidden access: the API key's owner has no rights to this operation")
	}
	return key, nil
}

// authorize lets a key through to an environment that exists and that it may see;
// which of the two is wrong it does not say, as the cloud does not.
func (s *Sim) authorize(key Key, environment string) *failure {
	s.mu.RLock()
	exists := s.environments[environment]
	s.mu.RUnlock()
	if exists && (key.Environments == nil || slices.Contains(key.Environments, environment)) {
		return nil
	}
	return forbidden("forbidden_access",
		"forbidden access: environment "+strconv.Quote(environment)+" does not exist or is not visible to this API key")
}

// query is what a list request asks for.
type query struct {
	values      url.Values // as given, for the links
	environment string
	filter      filter
	pageSize    int
	scope       scope
	cursor      uint64
}

// parseQuery reads the parameters of a list request. It is as strict as the contract
// allows, so that a client's slip shows: a parameter that the operation does not have,
// has once only, or has not got a value for is a 400.
func (s *Sim) parseQuery(raw string, k *kind) (query, *failure) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, badParameter("", "the query string cannot be read: %v", err)
	}
	q := query{values: values, filter: make(filter, len(k.filters)), pageSize: defaultPageSize}
	for name, given := range values {
		if f := checkParameter(name, given, k); f != nil {
			return query{}, f
		}
	}
	if q.environment = values.Get("environment"); q.environment == "" {
		return query{}, badParameter("environment", "environment is required: give the ID of the environment to list")
	}
	for i, name := range k.filters {
		wanted := slices.Clone(values[name])
		slices.Sort(wanted)
		q.filter[i] = slices.Compact(wanted)
	}
	if values.Has("page_size") {
		q.pageSize, err = strconv.Atoi(values.Get("page_size"))
		if err != nil || q.pageSize < 1 || q.pageSize > k.maxPageSize {
			return query{}, badParameter("page_size", "page_size must be an integer from 1 to %d, not %q",
				k.maxPageSize, values.Get("page_size"))
		}
	}
	q.scope = newScope(k.op, q.environment, q.filter)
	if values.Has("page_token") {
		token := values.Get("page_token")
		if utf8.RuneCountInString(token) > maxPageTokenLength {
			return query{}, badParameter("page_token", "page_token is longer than %d characters", maxPageTokenLength)
		}
		cursor, ok := s.tokens.open(token, q.scope)
		if !ok {
			return query{}, badParameter("page_token",
				"page_token is not one of this listing: it is unknown, or of another operation, environment or filter")
		}
		q.cursor = cursor
	}
	return q, nil
}

func checkParameter(name string, given []string, k *kind) *failure {
	repeatable := slices.Contains(k.filters, name)
	switch {
	case !repeatable && !slices.Contains([]string{"environment", "page_size", "page_token"}, name):
		return badParameter(name, "%s has no parameter %q", k.op, name)
	case !repeatable && len(given) > 1:
		return badParameter(name, "%s was given %d times, it may be given once", name, len(given))
	case slices.Contains(given, ""):
		return badParameter(name, "%s was given without a value: leave it out or give it one", name)
	}
	return nil
}

// listMeta is the contract's ListMeta.
type listMeta struct {
	First     *string `json:"first"`
	Last      *string `json:"last"`
	Prev      *string `json:"prev"`
	Next      *string `json:"next"`
	TotalSize *int    `json:"total_size,omitempty"`
}

// body returns the answer to q: the envelope around the page's encoded objects.
func (s *Sim) body(r *http.Request, k *kind, q query, p page) json.RawMessage {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	link := func(cursor uint64, there bool) *string {
		if !there {
			return nil
		}
		q.values.Del("page_token")
		if cursor > 0 {
			q.values.Set("page_token", s.tokens.seal(cursor, q.scope))
		}
		u := scheme + r.Host + k.path + "?" + q.values.Encode()
		return &u
	}
	meta := listMeta{
		First: link(0, true),
		Last:  link(p.last, true),
		Prev:  link(p.prev, p.hasPrev),
		Next:  link(p.next, p.hasNext),
	}
	if !s.omitTotalSize {
		meta.TotalSize = &p.total
	}
	return envelope(k, meta, p.items)
}

func envelope(k *kind, meta listMeta, items []json.RawMessage) json.RawMessage {
	head := encode(struct {
		APIVersion string   `json:"api_version"`
		Kind       string   `json:"kind"`
		Metadata   listMeta `json:"metadata"`
	}{k.apiVersion, k.name + "List", meta})
	head = head[:len(head)-1] // without its closing brace: data follows
	size := len(head) + len(`,"data":[]}`) + len(items)
	for _, item := range items {
		size += len(item)
	}
	b := make([]byte, 0, size)
	b = append(b, head...)
	b = append(b, `,"data":[`...)
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, "]}"...)
}
