// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestOriginHasOneFormForEverySpelling(t *testing.T) {
	tests := map[string]string{
		"https://api.confluent.cloud":            "https://api.confluent.cloud",
		"https://api.confluent.cloud/":           "https://api.confluent.cloud",
		"https://api.confluent.cloud:443/a/b/":   "https://api.confluent.cloud",
		"https://api.confluent.cloud:0443":       "https://api.confluent.cloud",
		"https://api.confluent.cloud:":           "https://api.confluent.cloud",
		"HTTPS://API.Confluent.Cloud":            "https://api.confluent.cloud",
		"https://api.confluent.cloud:80":         "https://api.confluent.cloud:80",
		"http://localhost:80":                    "http://localhost",
		"http://localhost:443":                   "http://localhost:443",
		"http://127.0.0.1:8080/prefix":           "http://127.0.0.1:8080",
		"https://[2001:DB8::1]:443":              "https://[2001:db8::1]",
		"https://[2001:db8::1]:8443":             "https://[2001:db8::1]:8443",
		"https://api.confluent.cloud.evil.com/x": "https://api.confluent.cloud.evil.com",
	}
	for endpoint, want := range tests {
		t.Run(endpoint, func(t *testing.T) {
			g := NewWithT(t)
			got, err := Origin(endpoint)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(want))
		})
	}
}

func TestParseEndpointKeepsAPathPrefix(t *testing.T) {
	g := NewWithT(t)
	u, err := ParseEndpoint("https://Gateway.example:443/confluent/v1//")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(u.String()).To(Equal("https://gateway.example/confluent/v1"))
}

func TestParseEndpointSaysWhatIsWrongAndRepeatsNothing(t *testing.T) {
	tests := map[string]struct{ endpoint, want string }{
		"empty":             {"", "is empty"},
		"no scheme":         {"api.confluent.cloud", "no scheme"},
		"only a path":       {"/cmk/v2", "no scheme"},
		"network path":      {"//api.confluent.cloud", "no scheme"},
		"another scheme":    {"ftp://api.confluent.cloud", "neither https nor http"},
		"opaque":            {"https:api.confluent.cloud", "no host"},
		"no host":           {"https://", "no host"},
		"no host but port":  {"https://:443", "no host"},
		"user info":         {"https://user:hunter2@api.confluent.cloud", "user info"},
		"user alone":        {"https://hunter2@api.confluent.cloud", "user info"},
		"query":             {"https://api.confluent.cloud?hunter2", "a query"},
		"empty query":       {"https://api.confluent.cloud/?", "a query"},
		"fragment":          {"https://api.confluent.cloud/#hunter2", "a fragment"},
		"empty fragment":    {"https://api.confluent.cloud#", "a fragment"},
		"port zero":         {"https://api.confluent.cloud:0", "port"},
		"port out of range": {"https://api.confluent.cloud:65536", "port"},
		"no URL":            {"https://hunter2:x y@[::1", "not a URL"},
		"spaces":            {" https://api.confluent.cloud", "not a URL"},
		"line break":        {"https://api.confluent.cloud\n", "not a URL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			u, err := ParseEndpoint(tt.endpoint)
			g.Expect(u).To(BeNil())
			g.Expect(err).To(MatchError(ContainSubstring(tt.want)))
			g.Expect(err.Error()).NotTo(ContainSubstring("hunter2"))
			_, err = Origin(tt.endpoint)
			g.Expect(err).To(HaveOccurred())
		})
	}
}
