package cloudsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxIDLength = 255

// FieldError says which field of a document is wrong, and what would be right.
type FieldError struct {
	Field   string // path, as in clusters[3].spec.config.kind
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// checks collects the first breach of the contract in one object.
type checks struct{ err *FieldError }

func (c *checks) fail(field, format string, args ...any) {
	if c.err == nil {
		c.err = &FieldError{field, fmt.Sprintf(format, args...)}
	}
}

// outcome avoids the typed nil that returning c.err itself would be.
func (c *checks) outcome() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *checks) given(field, value string) {
	if value == "" {
		c.fail(field, "is required")
	}
}

func (c *checks) id(field, value string) {
	c.given(field, value)
	if utf8.RuneCountInString(value) > maxIDLength {
		c.fail(field, "is longer than %d characters", maxIDLength)
	}
}

func (c *checks) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.fail(field, "is %q: use one of %s", value, strings.Join(allowed, ", "))
	}
}

// word is for api_version and kind, which may be left out.
func (c *checks) word(field, value, only string) {
	if value != "" && value != only {
		c.fail(field, "is %q: leave it out or use %s", value, only)
	}
}

func (c *checks) notNegative(field string, value int32) {
	if value < 0 {
		c.fail(field, "is %d: use 1 or more, or leave it out", value)
	}
}

func (c *Cluster) check() error {
	var k checks
	k.word("api_version", c.APIVersion, clusterKind.apiVersion)
	k.word("kind", c.Kind, clusterKind.name)
	k.id("id", c.ID)
	k.id("spec.environment.id", c.Spec.Environment.ID)
	k.given("spec.display_name", c.Spec.DisplayName)
	k.oneOf("spec.availability", c.Spec.Availability, "MULTI_ZONE", "SINGLE_ZONE", "HIGH", "LOW")
	k.oneOf("spec.cloud", c.Spec.Cloud, "AWS", "GCP", "AZURE")
	k.given("spec.region", c.Spec.Region)
	c.Spec.Config.check(&k)
	for _, id := range slices.Sorted(maps.Keys(c.Spec.Endpoints)) {
		e, field := c.Spec.Endpoints[id], "spec.endpoints."+id
		k.given(field+".kafka_bootstrap_endpoint", e.KafkaBootstrapEndpoint)
		k.given(field+".http_endpoint", e.HTTPEndpoint)
		k.oneOf(field+".connection_type", e.ConnectionType, ConnectionPublic, ConnectionPrivateLink, ConnectionPNI)
	}
	if c.Spec.Network != nil {
		k.id("spec.network.id", c.Spec.Network.ID)
	}
	if c.Spec.BYOK != nil {
		k.id("spec.byok.id", c.Spec.BYOK.ID)
	}
	k.oneOf("status.phase", c.Status.Phase, clusterKind.phases...)
	k.notNegative("status.cku", c.Status.CKU)
	return k.outcome()
}

func (c ClusterConfig) check(k *checks) {
	k.oneOf("spec.config.kind", c.Kind, "Basic", "Standard", "Dedicated", "Enterprise", "Freight")
	k.notNegative("spec.config.cku", c.CKU)
	k.notNegative("spec.config.max_ecku", c.MaxECKU)
	if c.Kind == "Dedicated" && c.CKU == 0 {
		k.fail("spec.config.cku", "is required for Dedicated, 1 or more")
	}
	if len(c.Zones) > 3 || len(slices.Compact(slices.Sorted(slices.Values(c.Zones)))) < len(c.Zones) {
		k.fail("spec.config.zones", "must be up to 3 different zones")
	}
	if c.ReleasePriority != "" {
		k.oneOf("spec.config.release_priority", c.ReleasePriority, "REGULAR", "PRIORITY")
	}
}

func (p *Peering) check() error {
	var k checks
	k.word("api_version", p.APIVersion, peeringKind.apiVersion)
	k.word("kind", p.Kind, peeringKind.name)
	k.id("id", p.ID)
	k.id("spec.environment.id", p.Spec.Environment.ID)
	k.id("spec.network.id", p.Spec.Network.ID)
	p.Spec.Cloud.check(&k)
	k.oneOf("status.phase", p.Status.Phase, peeringKind.phases...)
	return k.outcome()
}

var (
	awsAccount = regexp.MustCompile(`^\d{12}$`)
	route      = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+/\d+$`)
)

func (c PeeringCloud) check(k *checks) {
	k.oneOf("spec.cloud.kind", c.Kind, "AwsPeering", "GcpPeering", "AzurePeering")
	switch c.Kind {
	case "AwsPeering":
		if !awsAccount.MatchString(c.Account) {
			k.fail("spec.cloud.account", "is %q: use the 12 digits of an AWS account", c.Account)
		}
		k.given("spec.cloud.vpc", c.VPC)
		if c.Routes == nil {
			k.fail("spec.cloud.routes", "is required for AwsPeering, as a list, which may be empty")
		}
		for i, r := range c.Routes {
			if !route.MatchString(r) {
				k.fail(fmt.Sprintf("spec.cloud.routes[%d]", i), "is %q: use an IPv4 range such as 10.108.16.0/21", r)
			}
		}
		k.given("spec.cloud.customer_region", c.CustomerRegion)
	case "GcpPeering":
		k.given("spec.cloud.project", c.Project)
		k.given("spec.cloud.vpc_network", c.VPCNetwork)
	case "AzurePeering":
		k.given("spec.cloud.tenant", c.Tenant)
		k.given("spec.cloud.vnet", c.VNet)
		k.given("spec.cloud.customer_region", c.CustomerRegion)
	}
}

// checkInventory holds every object of the document against the contract.
func checkInventory(doc Inventory) error {
	if slices.Contains(doc.Environments, "") {
		return &FieldError{"environments", "an environment's ID is empty"}
	}
	for i := range doc.Clusters {
		if err := at(&clusterKind, i, doc.Clusters[i].check()); err != nil {
			return err
		}
	}
	for i := range doc.Peerings {
		if err := at(&peeringKind, i, doc.Peerings[i].check()); err != nil {
			return err
		}
	}
	return nil
}

// checkKey makes sure that the object can be found by its ID and be listed.
func checkKey(o object) error {
	id, environment := o.key()
	var c checks
	c.id("id", id)
	c.id("spec.environment.id", environment)
	return c.outcome()
}

// checkKeys does the same for all objects of a kind, whose IDs must be unique.
func checkKeys(k *kind, objects []object) error {
	places := make(map[string]int, len(objects))
	for i, o := range objects {
		if err := at(k, i, checkKey(o)); err != nil {
			return err
		}
		id, _ := o.key()
		if first, twice := places[id]; twice {
			return at(k, i, &FieldError{"id",
				fmt.Sprintf("%s is the ID of %s[%d] too: IDs must be unique", id, k.plural, first)})
		}
		places[id] = i
	}
	return nil
}

// at puts the place of an object in its document in front of the field.
func at(k *kind, i int, err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return &FieldError{fmt.Sprintf("%s[%d].%s", k.plural, i, field.Field), field.Problem}
	}
	return err
}

// ReadDocument reads exactly one JSON document into target, a pointer. A field that
// target does not have is an error. The error is a *FieldError where a field is known,
// and names the line in any case.
func ReadDocument(r io.Reader, target any) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("the document is empty: send JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(target); err != nil {
		return explain(err, body, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("line %d: there is more behind the JSON document", line(body, dec.InputOffset()))
	}
	return nil
}

// explain puts an error of the JSON decoder into the words of a document's author.
func explain(err error, body []byte, offset int64) error {
	var (
		syntax   *json.SyntaxError
		mismatch *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: not JSON: %w", line(body, syntax.Offset), err)
	case errors.As(err, &mismatch) && mismatch.Field != "":
		return &FieldError{mismatch.Field, fmt.Sprintf("line %d: is a %s, must be a %s",
			line(body, mismatch.Offset), mismatch.Value, mismatch.Type.Kind())}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d: the document ends too early", line(body, int64(len(body))))
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if quoted, ok := strings.CutPrefix(text, "unknown field "); ok {
		if name, unquoteErr := strconv.Unquote(quoted); unquoteErr == nil {
			return &FieldError{name, "there is no such field: see GET /inventory for those there are"}
		}
	}
	return fmt.Errorf("line %d: %s", line(body, offset), text)
}

// line returns the number of the line that the offset is in.
func line(body []byte, offset int64) int {
	return 1 + bytes.Count(body[:min(max(offset, 0), int64(len(body)))], []byte("\n"))
}
