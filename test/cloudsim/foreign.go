package cloudsim

import "net/http"

// unreachableOrigin stands for the foreign origin of a Sim that was not started. No host can have
// its top-level domain.
const unreachableOrigin = "http://foreign.cloudsim.invalid"

// foreignOrigin is where the faults lead that lead elsewhere.
func (s *Sim) foreignOrigin() string {
	if u := s.foreignURL.Load(); u != nil {
		return *u
	}
	return unreachableOrigin
}

// ForeignCalls returns the calls that came to the foreign origin, oldest first, since
// the last ResetCalls. A client that keeps to its endpoint never makes one; in one with
// a KeyID it gave its credentials away. Only a Server has the origin.
func (s *Sim) ForeignCalls() []Call { return s.strayed.list() }

// foreignHandler is a trap for clients that go where an answer sends them. It answers
// like a cloud without objects, so that who falls for it takes everything for gone.
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
