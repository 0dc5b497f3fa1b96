// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
	"github.com/ccloud-dev/inventory-operator/test/controlplane"
)

const namespace = "default"

// server is an API server that serves the kinds.
type server struct {
	client.Client
	config *rest.Config
}

// TestAPIServer takes one API server through all tests, for a start costs seconds.
func TestAPIServer(t *testing.T) {
	g := NewWithT(t)
	plane, err := controlplane.Start(t.Context(), controlplane.Options{
		CRDPaths: []string{"../../config/crd/bases"},
		Log:      t.Output(),
	})
	g.Expect(err).NotTo(HaveOccurred(), "the CRDs install")
	t.Cleanup(func() { g.Expect(plane.Stop()).To(Succeed()) })

	scheme := runtime.NewScheme()
	g.Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	g.Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	s := &server{config: plane.Config()}
	s.Client, err = client.New(s.config, client.Options{Scheme: scheme})
	g.Expect(err).NotTo(HaveOccurred())

	t.Run("a source gets the contract's defaults", s.sourceDefaults)
	t.Run("a workload identity has the contract's defaults", s.identityDefaults)
	t.Run("a source that says what it may is taken", s.sourceAccepted)
	t.Run("a source that is wrong is refused with the way out", s.sourceRefused)
	t.Run("a source keeps its environment", s.environmentImmutable)
	t.Run("an observation that is wrong is refused", s.observationRefused)
	t.Run("an observation keeps its spec", s.specImmutable)
	t.Run("every field of an observation comes back", s.statusComesBack)
	t.Run("observations are selected by field", s.selectedByField)
	t.Run("what the server takes, Go decodes", s.decodes)
	t.Run("kinds have their short names and category", s.names)
	t.Run("kinds have the contract's columns", s.columns)
	t.Run("columns show fields that exist", s.columnsShowFields)
	t.Run("every field is explained", s.explained)
}

// object returns an object of a kind from its spec.
func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// with returns an object with some fields set, or removed where the value is
// absent. A path separates its members by dots.
func with(o *unstructured.Unstructured, path string, value any) *unstructured.Unstructured {
	o = o.DeepCopy()
	fields := strings.Split(path, ".")
	if value == absent {
		unstructured.RemoveNestedField(o.Object, fields...)
		return o
	}
	if err := unstructured.SetNestedField(o.Object, value, fields...); err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	return o
}

// absent is the value of a field that is not there.
var absent any = new(struct{})

// attempt is one object and what the server should say of it.
type attempt struct {
	name    string
	path    string
	value   any
	message string
}

// refuses tries to create base with each attempt's field set.
func (s *server) refuses(t *testing.T, base *unstructured.Unstructured, attempts []attempt) {
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			err := s.Create(t.Context(), with(base, a.path, a.value), client.DryRunAll)
			g.Expect(err).To(MatchError(ContainSubstring(a.message)))
		})
	}
}

// crds returns the CRD of each kind, by kind.
func (s *server) crds(t *testing.T) map[string]*apiextensionsv1.CustomResourceDefinition {
	g := NewWithT(t)
	list := &apiextensionsv1.CustomResourceDefinitionList{}
	g.Expect(s.List(t.Context(), list)).To(Succeed())
	byKind := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for i := range list.Items {
		byKind[list.Items[i].Spec.Names.Kind] = &list.Items[i]
	}
	want := []string{kindSource, kindDiscovery}
	for kind := range observationKinds {
		want = append(want, kind)
	}
	g.Expect(slices.Collect(maps.Keys(byKind))).To(ConsistOf(want))
	return byKind
}

const (
	kindSource    = "InventorySource"
	kindDiscovery = "EnvironmentDiscovery"
	kindCluster   = "KafkaClusterObservation"
	kindPeering   = "PeeringObservation"
	kindNetwork   = "NetworkObservation"
	kindRegistry  = "SchemaRegistryObservation"
	kindGateway   = "TransitGatewayAttachmentObservation"
	kindLink      = "PrivateLinkAccessObservation"
)

func (s *server) names(t *testing.T) {
	g := NewWithT(t)
	found, err := discovery.NewDiscoveryClientForConfig(s.config)
	g.Expect(err).NotTo(HaveOccurred())
	served, err := found.ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
	g.Expect(err).NotTo(HaveOccurred())
	resources := map[string]metav1.APIResource{}
	for _, r := range served.APIResources {
		resources[r.Name] = r
	}
	for resource, short := range map[string]string{
		"inventorysources": "isrc", "kafkaclusterobservations": "kco", "peeringobservations": "peo", "networkobservations": "neo",
		"schemaregistryobservations": "sro", "environmentdiscoveries": "edisc", "transitgatewayattachmentobservations": "tgo",
		"privatelinkaccessobservations": "plo",
	} {
		g.Expect(resources).To(And(HaveKey(resource), HaveKey(resource+"/status")))
		g.Expect(resources[resource].ShortNames).To(ConsistOf(short))
		g.Expect(resources[resource].Categories).To(ConsistOf("ccloud"))
		g.Expect(resources[resource].Namespaced).To(BeTrue())
	}
}

func (s *server) columns(t *testing.T) {
	g := NewWithT(t)
	// A column after the bar shows in wide output only.
	want := map[string]string{
		kindSource:    "ENVIRONMENT DISPLAY-NAME CLUSTERS PEERINGS READY REASON LAST-SYNC AGE | NETWORKS STATUS",
		kindDiscovery: "ENVIRONMENTS MISSING SOURCES READY REASON LAST-SYNC AGE | TO-CREATE TO-CHANGE TO-DELETE STATUS",
		kindCluster:   "DISPLAY-NAME PHASE TYPE CLOUD REGION READY AGE | BOOTSTRAP NETWORK SOURCE",
		kindPeering:   "DISPLAY-NAME PHASE CLOUD REGION NETWORK READY AGE | ERROR SOURCE",
		kindLink:      "DISPLAY-NAME PHASE CLOUD NETWORK READY AGE | ACCOUNT SUBSCRIPTION PROJECT ERROR SOURCE",
		kindGateway:   "DISPLAY-NAME PHASE CLOUD NETWORK READY AGE | TRANSIT-GATEWAY ROUTES ERROR SOURCE",
		kindNetwork:   "DISPLAY-NAME PHASE CLOUD REGION CIDR READY AGE | CONNECTIONS DNS-DOMAIN SOURCE",
		kindRegistry:  "DISPLAY-NAME PHASE PACKAGE CLOUD REGION READY AGE | ENDPOINT SOURCE",
	}
	for kind, crd := range s.crds(t) {
		var narrow, wide []string
		for _, c := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if c.Priority == 0 {
				narrow = append(narrow, c.Name)
			} else {
				wide = append(wide, c.Name)
			}
		}
		g.Expect(strings.Join(narrow, " ")+" | "+strings.Join(wide, " ")).To(Equal(want[kind]), kind)
	}
}

// A column that reads a field which does not exist is empty, and nothing else says so.
func (s *server) columnsShowFields(t *testing.T) {
	crds := s.crds(t)
	for kind, crd := range crds {
		for _, c := range crd.Spec.Versions[0].AdditionalPrinterColumns {
			if strings.HasPrefix(c.JSONPath, ".metadata.") {
				continue // The API server's own.
			}
			t.Run(kind+" "+c.Name, func(t *testing.T) {
				path, _, _ := strings.Cut(strings.TrimPrefix(c.JSONPath, "."), "[")
				schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
				for field := range strings.SplitSeq(path, ".") {
					NewWithT(t).Expect(schema.Properties).To(HaveKey(field), c.JSONPath)
					property := schema.Properties[field]
					schema = &property
				}
			})
		}
	}
	// All that a network may connect, and not only what is active.
	NewWithT(t).Expect(crds[kindNetwork].Spec.Versions[0].AdditionalPrinterColumns).To(ContainElement(And(
		HaveField("Name", "CONNECTIONS"), HaveField("JSONPath", ".status.connectionTypes"))))
}

func (s *server) explained(t *testing.T) {
	for kind, crd := range s.crds(t) {
		t.Run(kind, func(t *testing.T) {
			g := NewWithT(t)
			schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
			// The API server itself explains metadata.
			delete(schema.Properties, "metadata")
			fields := 0
			unexplained := walk(kind, schema, &fields)
			g.Expect(fields).To(BeNumerically(">", 20))
			g.Expect(unexplained).To(BeEmpty())
		})
	}
}

// walk counts the fields of a schema and returns the paths of those without a
// description.
func walk(path string, schema *apiextensionsv1.JSONSchemaProps, fields *int) []string {
	*fields++
	var unexplained []string
	if strings.TrimSpace(schema.Description) == "" {
		unexplained = append(unexplained, path)
	}
	for name, property := range schema.Properties {
		unexplained = append(unexplained, walk(path+"."+name, &property, fields)...)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		for name, property := range schema.Items.Schema.Properties {
			unexplained = append(unexplained, walk(path+"[]."+name, &property, fields)...)
		}
	}
	return unexplained
}
