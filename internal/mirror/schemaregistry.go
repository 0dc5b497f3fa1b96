// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// SchemaRegistry is the Kind of Schema Registry clusters. ReadyPhase and OtherPhases are the phases
// of a Schema Registry cluster in the cloud API srcm/v3.
var SchemaRegistry = observationKind(Kind{
	Name:        "SchemaRegistry",
	Condition:   v1alpha1.ConditionSchemaRegistrySynced,
	ReadyPhase:  phaseReadySchemaRegistry,
	OtherPhases: []string{"PROVISIONING", "FAILED"},
	content: observationContent(
		func(o *v1alpha1.SchemaRegistryObservation) *v1alpha1.SchemaRegistryObservationStatus {
			return &o.Status
		},
		func(s *v1alpha1.SchemaRegistryObservationStatus) observationParts {
			return observationParts{&s.Conditions, &s.Observed, ""} // The API gives no error message.
		}),
	InfoMetric: "schema_registry_info",
	InfoLabels: []string{"schema_registry_id", "display_name", "phase", "package", "cloud", "region"},
	Info: func(o v1alpha1.Observation) []string {
		status := &o.(*v1alpha1.SchemaRegistryObservation).Status
		return []string{o.CloudID(), status.DisplayName, status.Phase, status.Package, status.Cloud, status.Region}
	},
	attachFacts: attachSchemaRegistry,
},
	func(s *v1alpha1.MirrorSettings) (selection any, policy v1alpha1.MirrorPolicy) {
		return &s.SchemaRegistry, cmp.Or(s.SchemaRegistry.Policy, v1alpha1.MirrorPolicyIgnore)
	},
	func(s *v1alpha1.InventorySourceStatus) **v1alpha1.InventorySummary { return &s.SchemaRegistry })

const phaseReadySchemaRegistry = "PROVISIONED"

// registriesOfEnvironments has the Schema Registry clusters of each environment. The observation of
// a Kafka cluster shows only the first Schema Registry cluster. These rules give the order of the
// Schema Registry clusters. The first rule that makes a difference counts:
//
//   - A cluster that has been missing in the cloud for a minute or longer comes last.
//   - A cluster with the phase PROVISIONED comes first.
//   - A cluster with an HTTP endpoint comes first.
//   - The names of the observations decide.
var registriesOfEnvironments = &topic[v1alpha1.SchemaRegistryReference]{
	func(a, b v1alpha1.SchemaRegistryReference) int {
		first := func(a, b bool) int {
			switch {
			case a == b:
				return 0
			case a:
				return -1
			}
			return 1
		}
		return cmp.Or(
			first(a.Observed == "", b.Observed == ""),
			first(a.Phase == phaseReadySchemaRegistry, b.Phase == phaseReadySchemaRegistry),
			first(a.HTTPEndpoint != "", b.HTTPEndpoint != ""),
			cmp.Compare(a.Name, b.Name))
	},
}

func attachSchemaRegistry(t topics, o Object, observed string) {
	registry := o.(*v1alpha1.SchemaRegistryObservation)
	registriesOfEnvironments.addFacts(t, registry.Spec.Environment, v1alpha1.SchemaRegistryReference{
		Name: registry.Name, Phase: registry.Status.Phase, HTTPEndpoint: registry.Status.HTTPEndpoint, Observed: observed,
	})
}

// joinSchemaRegistry returns a reference to the first Schema Registry cluster of an environment;
// nil if there is none. If the reference does not change, the result is oldReference itself.
func joinSchemaRegistry(t topics, environment string, oldReference *v1alpha1.SchemaRegistryReference) *v1alpha1.SchemaRegistryReference {
	first := registriesOfEnvironments.firstFact(t, environment)
	switch {
	case first.Name == "":
		return nil
	case oldReference != nil && *oldReference == first:
		return oldReference
	}
	return &first
}

// ProjectSchemaRegistry converts a Schema Registry cluster from the cloud into an observation. It
// sets no conditions, and no facts about other cloud objects.
func ProjectSchemaRegistry(r *wire.SchemaRegistry) v1alpha1.Observation {
	o := &v1alpha1.SchemaRegistryObservation{}
	o.Spec.ClusterID = r.ID
	regional := r.Spec.PrivateNetworkingConfig.RegionalEndpoints
	o.Status = v1alpha1.SchemaRegistryObservationStatus{
		Phase:                        r.Status.Phase,
		DisplayName:                  r.Spec.DisplayName,
		Package:                      r.Spec.Package,
		Cloud:                        r.Spec.Cloud,
		Region:                       r.Spec.Region,
		HTTPEndpoint:                 r.Spec.HTTPEndpoint,
		CatalogHTTPEndpoint:          r.Spec.CatalogHTTPEndpoint,
		PrivateHTTPEndpoint:          r.Spec.PrivateHTTPEndpoint,
		PrivateRegionalEndpoints:     regionalEndpoints(regional),
		PrivateRegionalEndpointCount: int32(len(regional)),
		CloudMetadata:                cloudMetadata(r.Metadata),
	}
	o.Labels = kindLabels(
		v1alpha1.LabelCloud, r.Spec.Cloud,
		v1alpha1.LabelRegion, r.Spec.Region,
	)
	return o
}

const (
	// maxRegions is the largest number of regional endpoints in a status.
	maxRegions = 100
	// maxRegionsSize is the largest total size of the regional endpoints in a status, in bytes of
	// JSON.
	maxRegionsSize = 256 << 10
)

// regionalEndpoints returns the endpoints, sorted by region. It leaves out endpoints that do not
// fit into a status, and regions with a name that is too long.
func regionalEndpoints(byRegion map[string]string) []v1alpha1.PrivateRegionalEndpoint {
	var endpoints []v1alpha1.PrivateRegionalEndpoint
	size := 0
	for _, region := range slices.Sorted(maps.Keys(byRegion)) {
		if len(region) > maxText {
			continue
		}
		url := Truncate(byRegion[region], maxText)
		size += jsonSize(region, url)
		if len(endpoints) == maxRegions || size > maxRegionsSize {
			break
		}
		endpoints = append(endpoints, v1alpha1.PrivateRegionalEndpoint{Region: region, HTTPEndpoint: url})
	}
	return endpoints
}
