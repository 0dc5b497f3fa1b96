// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Request is a request that the API server answered.
type Request struct {
	User, Verb, Group, Namespace string
	// Resource includes a subresource: "pods", "pods/status".
	Resource string
	// Code is the HTTP status of the answer.
	Code int
}

// Requests returns every request that the API server has noted, in that order. It needs
// Options.AuditLog. A line that is not yet there whole is left out: the API server writes on.
func (s *Stage) Requests() ([]Request, error) {
	text, err := os.ReadFile(s.audit)
	if err != nil {
		return nil, err
	}
	return parseAudit(text)
}

func parseAudit(text []byte) (requests []Request, err error) {
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var e struct {
			Verb           string
			User           struct{ Username string }
			ObjectRef      struct{ APIGroup, Resource, Subresource, Namespace string }
			ResponseStatus struct{ Code int }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		resource := e.ObjectRef.Resource
		if e.ObjectRef.Subresource != "" {
			resource += "/" + e.ObjectRef.Subresource
		}
		requests = append(requests, Request{e.User.Username, e.Verb, e.ObjectRef.APIGroup, e.ObjectRef.Namespace, resource, e.ResponseStatus.Code})
	}
	return requests, nil
}

// ManagerWrites returns what managers wrote in a namespace, of a resource and its subresources,
// as "verb resource".
func (s *Stage) ManagerWrites(namespace, resource string) (writes []string, err error) {
	requests, err := s.Requests()
	for _, r := range requests {
		parent, _, _ := strings.Cut(r.Resource, "/")
		if strings.Contains(r.User, ServiceAccount) && r.Namespace == namespace && parent == resource &&
			slices.Contains([]string{"create", "patch", "update", "delete"}, r.Verb) {
			writes = append(writes, r.Verb+" "+r.Resource)
		}
	}
	return writes, err
}
