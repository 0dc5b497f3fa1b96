package cloudsim

import "net/http"

// unreachableOrigin is the foreign origin of a Sim that was not started. Its top-level domain does
// not exist.
const unreachableOrigin = "http://foreign.cloudsim.invalid"

// foreignOrigin returns the origin to which some faults lead.
func (s *Sim) foreignOrigin() string {
	if u := s.foreignURL.Load(); u != nil {
		return *u
	}
	return unreachableOrigin
}

// ForeignCalls returns the calls of the foreign origin since the last ResetCalls, oldest first. A
// client that keeps to its endpoint never calls the foreign origin. If a call has a KeyID, the
// client gave its credential away. Only a started Server has this origin.
func (s *Sim) ForeignCalls() []Call { return s.strayed.list() }

// foreignHandler is a trap for clients that follow an answer to another origin. It answers like a
// cloud without objects. So a client that follows takes all its objects for deleted.
func (s *Sim) foreignHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", newRequestID())
		w = s.strayed.begin(w, r, operation(r), s.now())
		k := kindAt(r.URL.Path)
		if k == nil {
			k = clusterKind
		}
		writeJSON(w, http.StatusOK, (&draft{kind: k, items: none}).encode())
	})
}
