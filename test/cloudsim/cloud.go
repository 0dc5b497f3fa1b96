package cloudsim

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Handler returns the simulated cloud. It serves the list operations and the token exchange. For
// any other path it answers 404, and for any other verb 405. Each answer has its own X-Request-Id.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op := operation(r)
		w.Header().Set("X-Request-Id", newRequestID())
		w = s.calls.begin(w, r, op, s.now())
		if !s.fail(op, w, r) {
			s.serve(w, r, nil)
		}
	})
}

// Usual returns the cloud without the recorder and without faults. A fault that spoils a good
// answer gets the answer from here.
func (s *Sim) Usual() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, nil) })
}

// operation returns the operation that a request asks for.
func operation(r *http.Request) Op {
	if k := kindAt(r.URL.Path); k != nil && r.Method == http.MethodGet {
		return k.op
	}
	if r.URL.Path == exchangePath && r.Method == http.MethodPost {
		return OpExchange
	}
	return OpOther
}

// listed returns the collection that is listed at this path, or nil.
func (s *Sim) listed(path string) *collection {
	for _, c := range s.collections {
		if c.kind.path == path {
			return c
		}
	}
	return nil
}

// serve answers as the cloud does. If edit is not nil, it changes a page before the page is sent.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, edit func(*draft)) {
	if operation(r) == OpExchange {
		s.exchange(w, r)
		return
	}
	c := s.listed(r.URL.Path)
	if c == nil {
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
	s.list(w, r, c, edit)
}

// list answers a list operation. It checks the authentication, the rate limit and the parameters,
// and then sends the page.
func (s *Sim) list(w http.ResponseWriter, r *http.Request, c *collection, edit func(*draft)) {
	key, f := s.authenticate(r)
	if f != nil {
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
	if slices.Contains(key.Refused, c.kind.op) {
		forbidden("user_unauthorized", noRights).write(w)
		return
	}
	if c.kind.apiKeyOnly && isToken(r) {
		unauthenticated("this operation takes API keys only").write(w)
		return
	}
	if c.kind.cloudKeyOnly && key.Global != 0 {
		refuseGlobal(key.Global).write(w)
		return
	}
	q, f := s.ask(r, c.kind, key)
	if f != nil {
		f.write(w)
		return
	}
	d := s.newDraft(r, c, q)
	if edit != nil {
		edit(d)
	}
	use.setHeader(w.Header())
	writeJSON(w, http.StatusOK, d.encode())
}

// ask reads the query of a request. It fails if the query is wrong, or if the key may not ask it.
func (s *Sim) ask(r *http.Request, k *kind, key Key) (query, *failure) {
	q, f := s.parseQuery(r.URL.RawQuery, k)
	if f != nil {
		return q, f
	}
	// A fault may hide objects, and so may the key. The smaller view counts.
	q.filter.view = max(q.filter.view, key.Sees)
	if k.organizationWide {
		q.filter.only = key.Environments
		return q, nil
	}
	return q, s.authorize(key, q.environment)
}

// authenticate returns the key of a request. The answer is 401 unless the request has a known key
// with its secret, or a valid access token. The answer is 403 if the key has no rights.
func (s *Sim) authenticate(r *http.Request) (Key, *failure) {
	if isToken(r) {
		return s.bearer(r.Header.Get("Authorization"))
	}
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
		return Key{}, forbidden("user_unauthorized", noRights)
	}
	return key, nil
}

// isToken reports whether a request has an access token, valid or not.
func isToken(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// authorize returns nil if the environment exists and the key may see it. Like the cloud, it does
// not say which of the two is wrong.
func (s *Sim) authorize(key Key, environment string) *failure {
	s.mu.RLock()
	exists := s.of(environmentKind).byID[environment] != nil
	s.mu.RUnlock()
	if exists && (key.Environments == nil || slices.Contains(key.Environments, environment)) {
		return nil
	}
	return forbidden("forbidden_access",
		"forbidden access: environment "+strconv.Quote(environment)+" does not exist or is not visible to this API key")
}
