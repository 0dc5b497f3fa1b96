// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ccloud-dev/inventory-operator/api/v1alpha1"
)

// minimalSource is a source with nothing but what is required.
func minimalSource(name string) *unstructured.Unstructured {
	return object(kindSource, name, map[string]any{
		"environment": "env-abc123",
		"credentials": map[string]any{"apiKey": map[string]any{"secretRef": map[string]any{"name": "ccloud"}}},
	})
}

func duration(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

func (s *server) sourceDefaults(t *testing.T) {
	g := NewWithT(t)
	created := minimalSource("defaults")
	g.Expect(s.Create(t.Context(), created, client.DryRunAll)).To(Succeed())
	text, err := json.Marshal(created.Object["spec"])
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(text).To(MatchJSON(`{
		"environment": "env-abc123",
		"endpoint": "https://api.confluent.cloud",
		"credentials": {"apiKey": {"secretRef": {"name": "ccloud"}}},
		"interval": "5m",
		"timeout": "1m",
		"kafkaClusters": {"policy": "Mirror"},
		"peerings": {"policy": "Mirror"},
		"prune": {"policy": "Delete", "afterMisses": 2, "gracePeriod": "0s", "maxPercent": 20}
	}`))

	source := &v1alpha1.InventorySource{}
	g.Expect(json.Unmarshal(text, &source.Spec)).To(Succeed())
	g.Expect(getters(source)).To(Equal(getters(&v1alpha1.InventorySource{})), "code and schema agree on every default")
}

// getters returns what the source's methods say where a field may be absent.
func getters(s *v1alpha1.InventorySource) map[string]any {
	return map[string]any{
		"interval": s.GetInterval(), "timeout": s.GetTimeout(), "staleAfter": s.GetStaleAfter(), "endpoint": s.GetEndpoint(),
		"afterMisses": s.Spec.Prune.GetAfterMisses(), "maxPercent": s.Spec.Prune.GetMaxPercent(),
		"gracePeriod": s.Spec.Prune.GetGracePeriod(),
	}
}

func TestFieldsThatAreAbsentReadAsTheContractsDefaults(t *testing.T) {
	t.Parallel()
	NewWithT(t).Expect(getters(&v1alpha1.InventorySource{})).To(Equal(map[string]any{
		"interval": 5 * time.Minute, "timeout": time.Minute, "staleAfter": 15 * time.Minute,
		"endpoint":    "https://api.confluent.cloud",
		"afterMisses": 2, "maxPercent": 20, "gracePeriod": time.Duration(0),
	}))
}

func TestFieldsThatAreSetReadAsSet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	misses, percent := int32(1), int32(0)
	source := &v1alpha1.InventorySource{Spec: v1alpha1.InventorySourceSpec{
		Endpoint: "https://example.com",
		MirrorSettings: v1alpha1.MirrorSettings{Interval: duration(time.Hour), Timeout: duration(time.Second),
			Prune: v1alpha1.Prune{AfterMisses: &misses, MaxPercent: &percent, GracePeriod: duration(2 * time.Second)}},
	}}
	want := map[string]any{
		"interval": time.Hour, "timeout": time.Second, "staleAfter": 3 * time.Hour, "endpoint": "https://example.com",
		"afterMisses": 1, "maxPercent": 0, "gracePeriod": 2 * time.Second,
	}
	g.Expect(getters(source)).To(Equal(want))
	source.Spec.StaleAfter, want["staleAfter"] = duration(time.Minute), time.Minute
	g.Expect(getters(source)).To(Equal(want))
}

func (s *server) sourceAccepted(t *testing.T) {
	for name, set := range map[string]struct {
		path  string
		value any
	}{
		"longest environment":  {"spec.environment", strings.Repeat("e", 255)},
		"http endpoint":        {"spec.endpoint", "http://127.0.0.1:8080"},
		"endpoint with a path": {"spec.endpoint", "https://gateway.example.com/confluent/"},
		"IPv6 endpoint":        {"spec.endpoint", "https://[::1]:8443"},
		"shortest interval":    {"spec.interval", "10s"},
		"compound interval":    {"spec.interval", "1h30m"},
		"fractional interval":  {"spec.interval", "10.5s"},
		"milliseconds":         {"spec.interval", "10000ms"},
		"shortest timeout":     {"spec.timeout", "1s"},
		"longest timeout":      {"spec.timeout", "1h"},
		"shortest staleAfter":  {"spec.staleAfter", "10m"},
		"a day of grace":       {"spec.prune.gracePeriod", "24h"},
		"least afterMisses":    {"spec.prune.afterMisses", int64(1)},
		"most afterMisses":     {"spec.prune.afterMisses", int64(100)},
		"least maxPercent":     {"spec.prune.maxPercent", int64(0)},
		"most maxPercent":      {"spec.prune.maxPercent", int64(100)},
		"Retain":               {"spec.prune.policy", "Retain"},
		"workload identity":    {"spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "pool-xyz"}}},
		"workload identity in full": {"spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "pool-xyz",
			"serviceAccountName": "reader", "audience": "any words", "tokenEndpoint": "http://127.0.0.1:8080/sts"}}},
		"other keys of a Secret":   {"spec.credentials.apiKey.secretRef", map[string]any{"name": "ccloud", "apiKeyKey": "CONFLUENT_CLOUD_API_KEY", "apiSecretKey": "tls.key"}},
		"keys the wrong way round": {"spec.credentials.apiKey.secretRef", map[string]any{"name": "ccloud", "apiKeyKey": "api-secret", "apiSecretKey": "api-key"}},
		"Ignore":                   {"spec.peerings.policy", "Ignore"},
		"ConfigMaps":               {"spec.kafkaClusters.configMaps", "Enabled"},
		"no ConfigMaps":            {"spec.kafkaClusters.configMaps", "Disabled"},
		"keys of properties":       {"spec.kafkaClusters.configMapKeys", "Properties"},
		"keys of an environment":   {"spec.kafkaClusters.configMapKeys", "Environment"},
		"all content":              {"spec.kafkaClusters.configMapContent", "All"},
		"endpoints as content":     {"spec.kafkaClusters.configMapContent", "Endpoints"},
		"an unknown phase":         {"spec.peerings.phases", []any{"READY", "NEWER_THAN_US"}},
		"odd display names":        {"spec.peerings.displayNames", []any{"prod & test", "ünï"}},
		"label with prefix":        {"spec.template.labels", map[string]any{"example.com/team": "a_b.c-D", "team": ""}},
		"annotation of any text":   {"spec.template.annotations", map[string]any{"example.com/Note": "any text, and: all"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := with(minimalSource("accepted"), set.path, set.value)
			NewWithT(t).Expect(s.Create(t.Context(), source, client.DryRunAll)).To(Succeed())
		})
	}
}

// What the API server says of values that are wrong.
const (
	noCredential  = "exactly one member must be set under credentials: write apiKey.secretRef.name, the name of a Secret with the keys api-key and api-secret, or workloadIdentity.identityPool"
	badSecretKey  = "a key of a Secret has letters, digits, '-', '_' and '.' only"
	sameSecretKey = "apiKeyKey and apiSecretKey must differ"
	badEndpoint   = "endpoint must be an absolute http:// or https:// URL without user info, query or fragment, for example https://api.confluent.cloud"
	badInterval   = "interval must be a duration of at least 10s and at most 8760h, for example 30s or 5m"
	badTimeout    = "timeout must be a duration from 1s to 1h, for example 1m"
	badStale      = "staleAfter must be a duration of at least 10s and at most 26280h, for example 15m"
	staleTooSoon  = "staleAfter must be at least twice interval"
	badName       = "name must be the name of an object"
	badGrace      = "gracePeriod must be a duration from 0s to 8760h, for example 0s or 1h"
	badLabelKey   = "template.labels: every key must be a label key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	badLabel      = "template.labels: every value must be a label value: at most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit"
	badNoteKey    = "template.annotations: every key must be an annotation key such as team or example.com/team, and not start with inventory.ccloud.dev/"
	tooShort      = "should be at least 1 chars long"
)

func (s *server) sourceRefused(t *testing.T) {
	base := with(minimalSource("refused"), "spec.template", map[string]any{})
	s.refuses(t, base, []attempt{
		{"no environment", "spec.environment", absent, "spec.environment: Required value"},
		{"empty environment", "spec.environment", "", tooShort},
		{"long environment", "spec.environment", strings.Repeat("e", 256), "may not be more than 255"},
		{"no credentials", "spec.credentials", absent, noCredential},
		{"empty credentials", "spec.credentials", map[string]any{}, noCredential},
		{"null credentials", "spec.credentials", nil, noCredential},
		{"null apiKey", "spec.credentials.apiKey", nil, noCredential},
		{"unknown credential", "spec.credentials", map[string]any{"password": "x"}, noCredential},
		{"both credentials", "spec.credentials.workloadIdentity", map[string]any{"identityPool": "pool-xyz"}, noCredential},
		{"no identity pool", "spec.credentials", map[string]any{"workloadIdentity": map[string]any{}}, "identityPool: Required value"},
		{"empty identity pool", "spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": ""}}, tooShort},
		{"bad ServiceAccount", "spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "p", "serviceAccountName": "A b"}},
			"serviceAccountName must be the name of an object"},
		{"empty audience", "spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "p", "audience": ""}}, tooShort},
		{"bad token endpoint", "spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "p", "tokenEndpoint": "https://u:p@api.confluent.cloud/x"}},
			"tokenEndpoint must be an absolute http:// or https:// URL without user info, query or fragment"},
		{"no secretRef", "spec.credentials.apiKey", map[string]any{}, "spec.credentials.apiKey.secretRef: Required value"},
		{"no Secret's name", "spec.credentials.apiKey.secretRef", map[string]any{}, "spec.credentials.apiKey.secretRef.name: Required value"},
		{"empty Secret's name", "spec.credentials.apiKey.secretRef.name", "", tooShort},
		{"bad Secret's name", "spec.credentials.apiKey.secretRef.name", "UPPER_ /x", badName},
		{"empty key of a Secret", "spec.credentials.apiKey.secretRef.apiKeyKey", "", tooShort},
		{"bad key of a Secret", "spec.credentials.apiKey.secretRef.apiKeyKey", "a/b", badSecretKey},
		{"bad key of a Secret, for the secret", "spec.credentials.apiKey.secretRef.apiSecretKey", "a b", badSecretKey},
		{"long key of a Secret", "spec.credentials.apiKey.secretRef.apiKeyKey", strings.Repeat("k", 254), "may not be more than 253"},
		{"one key of a Secret for both", "spec.credentials.apiKey.secretRef.apiKeyKey", "api-secret", sameSecretKey},
		{"one key of a Secret for both, the other way", "spec.credentials.apiKey.secretRef.apiSecretKey", "api-key", sameSecretKey},

		{"empty endpoint", "spec.endpoint", "", badEndpoint},
		{"endpoint without scheme", "spec.endpoint", "api.confluent.cloud", badEndpoint},
		{"endpoint without host", "spec.endpoint", "https://", badEndpoint},
		{"endpoint with a port only", "spec.endpoint", "https://:443", badEndpoint},
		{"endpoint with a path only", "spec.endpoint", "/cmk/v2", badEndpoint},
		{"endpoint of another scheme", "spec.endpoint", "ftp://api.confluent.cloud", badEndpoint},
		{"endpoint with user and password", "spec.endpoint", "https://user:password@api.confluent.cloud", badEndpoint},
		{"endpoint with user", "spec.endpoint", "https://user@api.confluent.cloud/", badEndpoint},
		{"endpoint with query", "spec.endpoint", "https://api.confluent.cloud/?a=b", badEndpoint},
		{"endpoint with query behind the host", "spec.endpoint", "https://api.confluent.cloud?a=b", badEndpoint},
		{"endpoint with fragment", "spec.endpoint", "https://api.confluent.cloud/#top", badEndpoint},
		{"endpoint with a space", "spec.endpoint", "https://api confluent.cloud", badEndpoint},
		{"endpoint with a bad port", "spec.endpoint", "https://api.confluent.cloud:https", badEndpoint},

		{"short interval", "spec.interval", "5s", badInterval},
		{"interval a little short", "spec.interval", "9.999s", badInterval},
		{"interval in words", "spec.interval", "banana", badInterval},
		{"interval without unit", "spec.interval", "10", badInterval},
		{"interval in days", "spec.interval", "1d", badInterval},
		{"negative interval", "spec.interval", "-10s", badInterval},
		{"empty interval", "spec.interval", "", badInterval},
		{"interval beyond what Go counts", "spec.interval", "3000000h", badInterval},
		{"interval of more than a year", "spec.interval", "8761h", badInterval},
		{"interval as a number", "spec.interval", int64(300), "must be of type string"},
		{"short timeout", "spec.timeout", "999ms", badTimeout},
		{"long timeout", "spec.timeout", "1h1s", badTimeout},
		{"timeout in words", "spec.timeout", "soon", badTimeout},
		{"short staleAfter", "spec.staleAfter", "9s", badStale},
		{"staleAfter in words", "spec.staleAfter", "never", badStale},
		{"staleAfter beyond what Go counts", "spec.staleAfter", "9999999h", badStale},
		{"staleAfter shorter than interval", "spec.staleAfter", "4m59s", staleTooSoon},
		{"staleAfter as long as interval", "spec.staleAfter", "5m", staleTooSoon},
		{"staleAfter that jitter would pass", "spec.staleAfter", "9m59s", staleTooSoon},

		{"unknown policy for clusters", "spec.kafkaClusters.policy", "Sometimes", `supported values: "Mirror", "Ignore"`},
		{"unknown policy for peerings", "spec.peerings.policy", "Sometimes", `supported values: "Mirror", "Ignore"`},
		{"unknown policy for ConfigMaps", "spec.kafkaClusters.configMaps", "Mirror", `supported values: "Disabled", "Enabled"`},
		{"unknown form of keys", "spec.kafkaClusters.configMapKeys", "environment", `supported values: "Properties", "Environment"`},
		{"no form of keys", "spec.kafkaClusters.configMapKeys", "", `supported values: "Properties", "Environment"`},
		{"unknown content", "spec.kafkaClusters.configMapContent", "Names", `supported values: "All", "Endpoints"`},
		{"no content", "spec.kafkaClusters.configMapContent", "", `supported values: "All", "Endpoints"`},
		{"unknown prune policy", "spec.prune.policy", "Mirror", `supported values: "Delete", "Retain"`},
		{"no miss", "spec.prune.afterMisses", int64(0), "should be greater than or equal to 1"},
		{"too many misses", "spec.prune.afterMisses", int64(101), "should be less than or equal to 100"},
		{"negative percent", "spec.prune.maxPercent", int64(-1), "should be greater than or equal to 0"},
		{"too much percent", "spec.prune.maxPercent", int64(101), "should be less than or equal to 100"},
		{"grace in words", "spec.prune.gracePeriod", "a while", badGrace},
		{"negative grace", "spec.prune.gracePeriod", "-1s", badGrace},
		{"grace beyond what Go counts", "spec.prune.gracePeriod", "9999999h", badGrace},

		{"network of a cluster twice", "spec.kafkaClusters.networks", []any{"n-1", "n-1"}, "Duplicate value"},
		{"network of a peering twice", "spec.peerings.networks", []any{"n-1", "n-1"}, "Duplicate value"},
		{"display name twice", "spec.peerings.displayNames", []any{"a", "b", "a"}, "Duplicate value"},
		{"phase twice", "spec.peerings.phases", []any{"READY", "READY"}, "Duplicate value"},
		{"empty filter", "spec.peerings.phases", []any{""}, tooShort},

		{"label key with a space", "spec.template.labels", map[string]any{"a b": "x"}, badLabelKey},
		{"label key of ours", "spec.template.labels", map[string]any{"inventory.ccloud.dev/source": "x"}, badLabelKey},
		{"label key with two slashes", "spec.template.labels", map[string]any{"a/b/c": "x"}, badLabelKey},
		{"label key with an empty part", "spec.template.labels", map[string]any{"a..b/x": "x"}, badLabelKey},
		{"label key with a long prefix", "spec.template.labels", map[string]any{strings.Repeat("p", 254) + "/x": "x"}, badLabelKey},
		{"long label key", "spec.template.labels", map[string]any{strings.Repeat("k", 64): "x"}, badLabelKey},
		{"label value with a space", "spec.template.labels", map[string]any{"team": "a b"}, badLabel},
		{"label value ending in a dash", "spec.template.labels", map[string]any{"team": "a-"}, badLabel},
		{"long label value", "spec.template.labels", map[string]any{"team": strings.Repeat("v", 64)}, "may not be more than 63"},
		{"annotation key of ours", "spec.template.annotations", map[string]any{"inventory.ccloud.dev/template-keys": "x"}, badNoteKey},
		{"annotation key with a space", "spec.template.annotations", map[string]any{"a b": "x"}, badNoteKey},
	})
}

func (s *server) environmentImmutable(t *testing.T) {
	g := NewWithT(t)
	source := minimalSource("immutable")
	g.Expect(s.Create(t.Context(), source)).To(Succeed())
	g.Expect(s.Update(t.Context(), with(source, "spec.environment", "env-other"))).To(MatchError(ContainSubstring(
		"environment is immutable: to mirror another environment create another InventorySource and delete this one")))
	g.Expect(s.Update(t.Context(), with(source, "spec.interval", "1h"))).To(Succeed(), "everything else may change")
}

func (s *server) identityDefaults(t *testing.T) {
	g := NewWithT(t)
	created := with(minimalSource("identity"), "spec.credentials", map[string]any{"workloadIdentity": map[string]any{"identityPool": "pool-xyz"}})
	g.Expect(s.Create(t.Context(), created, client.DryRunAll)).To(Succeed())
	text, err := json.Marshal(created.Object["spec"])
	g.Expect(err).NotTo(HaveOccurred())
	spec := v1alpha1.InventorySourceSpec{}
	g.Expect(json.Unmarshal(text, &spec)).To(Succeed())
	g.Expect(*spec.Credentials.WorkloadIdentity).To(Equal(v1alpha1.WorkloadIdentityCredential{IdentityPool: "pool-xyz"}.WithDefaults()),
		"code and schema agree on every default")
	g.Expect(*spec.Credentials.WorkloadIdentity).To(Equal(v1alpha1.WorkloadIdentityCredential{
		IdentityPool: "pool-xyz", ServiceAccountName: "default", Audience: "https://api.confluent.cloud",
		TokenEndpoint: "https://api.confluent.cloud/sts/v1/oauth2/token"}))
}
