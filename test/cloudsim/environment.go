package cloudsim

import "net/url"

// Environment is an environment as it is sent. It has no spec, no status and no phase.
type Environment struct {
	APIVersion       string            `json:"api_version,omitempty"`
	Kind             string            `json:"kind,omitempty"`
	ID               string            `json:"id"`
	Metadata         Metadata          `json:"metadata"`
	DisplayName      string            `json:"display_name,omitempty"`
	StreamGovernance *StreamGovernance `json:"stream_governance_config,omitempty"`
}

// StreamGovernance is the Stream Governance package of an environment.
type StreamGovernance struct {
	Package string `json:"package"`
}

var environmentKind = of(func(doc *Inventory) *[]Environment { return &doc.Environments }, kind{
	op:               OpListEnvironments,
	path:             "/org/v2/environments",
	apiVersion:       "org/v2",
	name:             "Environment",
	noun:             "environment",
	plural:           "environments",
	maxPageSize:      100,
	organizationWide: true,
	optional:         []string{"metadata.deleted_at", "display_name", "stream_governance_config"},
	undocumented:     func(tree) {},
})

// PutEnvironment adds e, or replaces the environment with the same ID. Objects can be listed only
// if their environment exists.
func (s *Sim) PutEnvironment(e Environment) { put(s, s.of(environmentKind), &e) }

// AddEnvironment adds an environment without objects, if it does not exist. A listing of it is then
// empty and no error. Adding an object also adds the object's environment.
func (s *Sim) AddEnvironment(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.know(id)
}

// RemoveEnvironment removes the environment from the organization. Its objects stay, but cannot be
// listed until the environment exists again. The error wraps ErrNotFound.
func (s *Sim) RemoveEnvironment(id string) error { return remove(s, s.of(environmentKind), id) }

// RenameEnvironment gives an environment another display name. The error wraps ErrNotFound.
func (s *Sim) RenameEnvironment(id, name string) error {
	return update(s, s.of(environmentKind), id, func(o object) { o.(*Environment).DisplayName = name })
}

// Environments returns the IDs of all environments, in order of creation.
func (s *Sim) Environments() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := []string{}
	for _, e := range s.of(environmentKind).all("") {
		ids = append(ids, e.id)
	}
	return ids
}

// know adds the environment of an object. An object without an environment is kept, but cannot be
// listed.
func (s *Sim) know(id string) {
	if all := s.of(environmentKind); id != "" && all.byID[id] == nil {
		all.put(&Environment{ID: id, DisplayName: id}, s.now())
	}
}

func (e *Environment) key() (string, string) { return e.ID, "" }
func (e *Environment) meta() *Metadata       { return &e.Metadata }
func (e *Environment) setID(id string)       { e.ID = id }
func (e *Environment) setPhase(string)       {}
func (e *Environment) facets() [][]string    { return nil }
func (e *Environment) estrange(int)          {}

func (e *Environment) complete() {
	fill(&e.APIVersion, environmentKind.apiVersion)
	fill(&e.Kind, environmentKind.name)
	fill(&e.Metadata.Self, apiURL+environmentKind.path+"/"+url.PathEscape(e.ID))
	fill(&e.Metadata.ResourceName, environmentName(e.ID))
}

func (e *Environment) check() error {
	var k checks
	k.word("api_version", e.APIVersion, environmentKind.apiVersion)
	k.word("kind", e.Kind, environmentKind.name)
	k.id("id", e.ID)
	if e.StreamGovernance != nil {
		k.oneOf("stream_governance_config.package", e.StreamGovernance.Package, "ESSENTIALS", "ADVANCED")
	}
	return k.outcome()
}
