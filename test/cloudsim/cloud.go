package cloudsim

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Handler returns the simulated cloud: the list operations and the token exchange, 404 for every other
// path and 405 for every other verb. Each answer has an X-Request-Id of its own.
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

// Usual returns the cloud without recorder and faults: what a fault wraps that
// spoils a good answer.
func (s *Sim) Usual() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, nil) })
}

// operation says which operation a request asks for.
func operation(r *http.Request) Op {
	if k := kindAt(r.URL.Path); k != nil && r.Method == http.MethodGet {
		return k.op
	}
	if r.URL.Path == exchangePath && r.Method == http.MethodPost {
		return OpExchange
	}
	return OpOther
}

// listed returns the objects that a request for this path lists, or nil.
func (s *Sim) listed(path string) *collection {
	for _, c := range s.collections {
		if c.kind.path == path {
			return c
		}
	}
	return nil
}

// serve answers as the cloud does. A page goes out as edit leaves it, if there is one.
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

// list answers a list operation: authentication, rate limit, parameters, the page.
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

// ask reads what a request with this key asks for, and whether it may.
func (s *Sim) ask(r *http.Request, k *kind, key Key) (query, *failure) {
	q, f := s.parseQuery(r.URL.RawQuery, k)
	if f != nil {
		return q, f
	}
	// More than a fault leaves, a key does not show either.
	q.filter.view = max(q.filter.view, key.Sees)
	if k.organizationWide {
		q.filter.only = key.Environments
		return q, nil
	}
	return q, s.authorize(key, q.environment)
}

// authenticate tells who asks. Anything but a known key and its secret, or an access token
// that is good, is a 401, a key without rights a 403.
func (s *Sim) authenticate(r *http.Request) (Key, *failure) {
	if authorization := r.Header.Get("Authorization"); strings.HasPrefix(authorization, "Bearer ") {
		return s.bearer(authorization)
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

// authorize lets a key through to an environment that exists and that it may see;
// which of the two is wrong it does not say, as the cloud does not.
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
