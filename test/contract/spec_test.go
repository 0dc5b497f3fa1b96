// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	. "github.com/onsi/gomega"
)

// published is the operations as the vendor publishes them, by path.
type published map[string]*routers.Route

// environmentsSpec is the one operation of which no specification can be had as a module.
//
//go:embed testdata/environments.openapi.yaml
var environmentsSpec []byte

// loadSpecs reads the specifications, which takes about a second, once.
var loadSpecs = sync.OnceValues(func() (published, error) {
	p := published{}
	return p, errors.Join(
		p.load(clustersSpec(), clustersPath, "listCmkV2Clusters"),
		p.load(networkingSpec(), peeringsPath, "listNetworkingV1Peerings"),
		p.load(networkingSpec(), networksPath, "listNetworkingV1Networks"),
		p.load(registriesSpec(), registriesPath, "listSrcmV3Clusters"),
		p.load(networkingSpec(), transitGatewaysPath, "listNetworkingV1TransitGatewayAttachments"),
		p.load(networkingSpec(), privateLinksPath, "listNetworkingV1PrivateLinkAccesses"),
		p.load(environmentsSpec, environmentsPath, "listOrgV2Environments"),
	)
})

// specs returns the published operations.
func specs(t testing.TB) published {
	t.Helper()
	p, err := loadSpecs()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return p
}

// load adds the operation of a path from a specification.
func (p published) load(raw []byte, path, id string) error {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(raw)
	if err != nil {
		return fmt.Errorf("loading the specification of %s: %w", path, err)
	}
	if err := doc.Validate(loader.Context); err != nil {
		return fmt.Errorf("the specification of %s: %w", path, err)
	}
	for _, schema := range doc.Components.Schemas {
		closeWords(schema.Value)
	}
	item := doc.Paths.Value(path)
	if item == nil || item.Get == nil || item.Get.OperationID != id {
		return fmt.Errorf("the specification has no GET %s called %s", path, id)
	}
	p[path] = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: http.MethodGet, Operation: item.Get}
	return nil
}

// closeWords makes the words that the specification lists as x-extensible-enum the
// only ones. A reader must bear others, and the client's own tests see to that; but
// the simulated cloud, unless told otherwise, is to use the words there are.
func closeWords(schema *openapi3.Schema) {
	if words, ok := schema.Extensions["x-extensible-enum"].([]any); ok {
		schema.Enum = words
	}
	for _, property := range schema.Properties {
		if property.Ref == "" { // else it is a component, and has its own turn
			closeWords(property.Value)
		}
	}
}

// absolute is the format uri, which the validator has no opinion on.
var absolute = openapi3.NewCallbackValidator(func(value string) error {
	u, err := url.Parse(value)
	if err != nil || !u.IsAbs() || u.Host == "" {
		return fmt.Errorf("%q is not an absolute URI", value)
	}
	return nil
})

// options make the validator as strict as it can be.
func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true, // else it would write them into the request
		AuthenticationFunc:                authenticate,
		SchemaValidationOptions:           []openapi3.SchemaValidationOption{openapi3.WithStringFormatValidator("uri", absolute)},
	}
}

// authenticate accepts a request as one with a Cloud API key.
func authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.SecuritySchemeName != "cloud-api-key" || in.SecurityScheme.Type != "http" || in.SecurityScheme.Scheme != "basic" {
		return errors.New("not by this scheme")
	}
	if key, secret, ok := in.RequestValidationInput.Request.BasicAuth(); !ok || key == "" || secret == "" {
		return errors.New("no key and secret")
	}
	return nil
}

// route finds the operation a request asks for.
func (p published) route(r *http.Request) (*routers.Route, error) {
	route := p[r.URL.Path]
	if route == nil || r.Method != route.Method {
		return nil, fmt.Errorf("%s %s is no operation", r.Method, r.URL.Path)
	}
	return route, nil
}

// checkRequest says how a request breaks the specification, which includes
// parameters it does not have: the validator lets those pass.
func (p published) checkRequest(r *http.Request) error {
	route, err := p.route(r)
	if err != nil {
		return err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("the query string cannot be read: %w", err)
	}
	for name, values := range query {
		parameter := route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name)
		if parameter == nil {
			return fmt.Errorf("%s has no parameter %q", route.Operation.OperationID, name)
		}
		if len(values) > 1 && !parameter.Schema.Value.Type.Is(openapi3.TypeArray) {
			return fmt.Errorf("%s was given %d times", name, len(values))
		}
	}
	if accept := r.Header.Get("Accept"); accept != "application/json" {
		return fmt.Errorf("the request accepts %q, and the answers are application/json", accept)
	}
	return openapi3filter.ValidateRequest(r.Context(),
		&openapi3filter.RequestValidationInput{Request: r, Route: route, Options: options()})
}

// checkAnswer says how an answer breaks the specification of the operation that its
// request asked for.
func (p published) checkAnswer(a answer) error {
	route, err := p.route(a.request)
	if err != nil {
		return err
	}
	err = openapi3filter.ValidateResponse(a.request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.request, Route: route, Options: options()},
		Status:                 a.status,
		Header:                 a.header,
		Body:                   io.NopCloser(bytes.NewReader(a.body)),
		Options:                options(),
	})
	if err != nil {
		return fmt.Errorf("%d for %s: %w", a.status, a.request.URL, err)
	}
	documented := route.Operation.Responses.Status(a.status).Value
	if documented.Content == nil && len(a.body) > 0 {
		return fmt.Errorf("%d for %s has a body, and there is to be none", a.status, a.request.URL)
	}
	return nil
}

// missingHeaders returns the headers that the specification names for an answer and
// the answer does not have. None is required, so that lacking one breaks nothing.
func (p published) missingHeaders(a answer) []string {
	var missing []string
	for name := range p[a.request.URL.Path].Operation.Responses.Status(a.status).Value.Headers {
		if a.header.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}
