// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/util/jsonpath"
	"sigs.k8s.io/yaml"
)

// schemas are what fields may be in one place of an object. There are several of them for several kinds.
type schemas []*apiextensionsv1.JSONSchemaProps

// resources returns what a command prints of each kind, by all the names that kubectl takes for it: the
// object, or a list.
func resources(t *testing.T) map[string]*apiextensionsv1.JSONSchemaProps {
	t.Helper()
	g := NewWithT(t)
	files, err := filepath.Glob(filepath.Join(root, "config", "crd", "bases", "*.yaml"))
	g.Expect(err).NotTo(HaveOccurred())
	all := map[string]*apiextensionsv1.JSONSchemaProps{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		g.Expect(err).NotTo(HaveOccurred())
		kind := &apiextensionsv1.CustomResourceDefinition{}
		g.Expect(yaml.UnmarshalStrict(text, kind)).To(Succeed())
		object := kind.Spec.Versions[0].Schema.OpenAPIV3Schema
		anything := apiextensionsv1.JSONSchemaProps{}
		anything.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &anything}
		anything.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &anything}
		object.Properties["metadata"] = anything // Kubernetes' own.
		printed := &apiextensionsv1.JSONSchemaProps{Properties: maps.Clone(object.Properties)}
		printed.Properties["items"] = apiextensionsv1.JSONSchemaProps{Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: object}}
		for _, name := range append(kind.Spec.Names.ShortNames, kind.Spec.Names.Plural, kind.Spec.Names.Singular) {
			all[name] = printed
		}
	}
	return all
}

// field returns what a field of these may be.
func (s schemas) field(name string) (found schemas) {
	for _, of := range s {
		if property, is := of.Properties[name]; is {
			found = append(found, &property)
		} else if of.AdditionalProperties != nil && of.AdditionalProperties.Schema != nil {
			found = append(found, of.AdditionalProperties.Schema)
		}
	}
	return found
}

// items returns what the members of these may be.
func (s schemas) items() (found schemas) {
	for _, of := range s {
		if of.Items != nil {
			found = append(found, of.Items.Schema)
		}
	}
	return found
}

// within returns these and all that is in them, except Kubernetes' own.
func (s schemas) within() schemas {
	all := slices.Clone(s)
	for _, of := range s {
		for name, property := range of.Properties {
			if name != "metadata" {
				all = append(all, schemas{&property}.within()...)
			}
		}
	}
	if items := s.items(); items != nil {
		all = append(all, items.within()...)
	}
	return all
}

// follow returns what a path leads to from these; the error names the first step that no kind has.
func (s schemas) follow(path *jsonpath.ListNode) (schemas, error) {
	for _, node := range path.Nodes {
		switch node := node.(type) {
		case *jsonpath.FieldNode:
			s = s.field(node.Value)
		case *jsonpath.ArrayNode, *jsonpath.WildcardNode:
			s = s.items()
		case *jsonpath.RecursiveNode:
			s = s.within()
		case *jsonpath.FilterNode:
			s = s.items()
			for _, side := range []*jsonpath.ListNode{node.Left, node.Right} {
				if _, err := s.follow(side); err != nil {
					return nil, err
				}
			}
		}
		if len(s) == 0 {
			return nil, fmt.Errorf("no kind has %v", node)
		}
	}
	return s, nil
}

// follows returns an error if a template of jsonpath asks for a field that none of these has.
func (s schemas) follows(template string) error {
	parsed, err := jsonpath.Parse("", template)
	if err != nil {
		return err
	}
	outer := []schemas{}
	for _, node := range parsed.Root.Nodes {
		action, is := node.(*jsonpath.ListNode)
		if !is {
			continue // Text between the actions.
		}
		word := ""
		if len(action.Nodes) > 0 {
			if identifier, is := action.Nodes[0].(*jsonpath.IdentifierNode); is {
				word = identifier.Name
			}
		}
		if word == "end" {
			s, outer = outer[len(outer)-1], outer[:len(outer)-1]
			continue
		}
		found, err := s.follow(action)
		if err != nil {
			return err
		}
		if word == "range" {
			outer, s = append(outer, s), found
		}
	}
	return nil
}

// printing finds in a page the commands that print fields: what they are of, by which means, and the fields.
var printing = regexp.MustCompile("kubectl ((?:[^'`\n|;&]|\\\\\n)*?)(?:-o |--output |--output=|--for=)(jsonpath|custom-columns)=(?:'([^']*)'|([^\\s'`]+))")

// ofOthers finds commands that print fields of what is not ours.
var ofOthers = regexp.MustCompile(`\b(config view|get (configmap|pod|deployments?)) `)

func TestEveryFieldThatACommandPrintsIsThere(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	kinds := resources(t)
	count := 0
	for _, page := range append(markdown(t), "config/prometheus/rules.yaml", "config/cloud-alerts/rules.yaml", "charts/inventory-operator/templates/NOTES.txt") {
		text := read(t, page)
		if strings.HasSuffix(page, ".yaml") {
			text = strings.Join(strings.Fields(text), " ") // A command may go on in the next line.
		}
		for _, found := range printing.FindAllStringSubmatch(text, -1) {
			var of schemas
			for _, word := range strings.FieldsFunc(found[1], func(r rune) bool { return strings.ContainsRune(" ,/\\\n", r) }) {
				if kind, is := kinds[word]; is {
					of = append(of, kind)
				}
			}
			if len(of) == 0 {
				g.Expect(found[1]).To(MatchRegexp(ofOthers.String()), "%s: %s", page, found[0])
				continue
			}
			templates := []string{found[3] + found[4]}
			if found[2] == "custom-columns" {
				templates = nil
				for column := range strings.SplitSeq(found[3]+found[4], ",") {
					_, path, _ := strings.Cut(column, ":")
					templates = append(templates, "{"+path+"}")
				}
			}
			for _, template := range templates {
				g.Expect(of.follows(template)).To(Succeed(), "%s: %s", page, found[0])
				count++
			}
		}
	}
	g.Expect(count).To(BeNumerically(">", 40))
}

func TestAFieldThatNoKindHasIsFound(t *testing.T) {
	t.Parallel()
	kinds := resources(t)
	for template, is := range map[string]bool{
		`{range .status.endpoints[*]}{.clusterID}{"\n"}{end}{.status.phase}`: true,
		`{.status.endpoints[?(@.accessPointID=="a")].clusterID}`:             true,
		`{range .items[*].status..conditions[*]}{.type}{end}`:                true,
		`{.metadata.ownerReferences[0].kind}{.metadata.labels}`:              true,
		`{range .status.kafkaClusters[*]}{.clusterID}{end}`:                  false,
		`{range .status.endpoints[*]}{.name}{end}`:                           false,
		`{range .status.endpoints[*]}{.clusterID}{end}{.clusterID}`:          false,
		`{.status.endpoints[?(@.id=="a")].clusterID}`:                        false,
		`{.status.endpoints[?(@.accessPointID=="a")].id}`:                    false,
		`{range .items[*].status..held}{.message}{end}`:                      false,
		`{.status.phase.name}`:                                               false,
	} {
		err := schemas{kinds["peo"]}.follows(template)
		NewWithT(t).Expect(err == nil).To(Equal(is), "%s: %v", template, err)
	}
}
