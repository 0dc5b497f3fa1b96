// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	. "github.com/onsi/gomega"
)

func TestCredentialShowsInNoVerbLogOrJSON(t *testing.T) {
	holders := map[string]any{
		"value":   testCredential,
		"pointer": &testCredential,
		"options": Options{Credential: testCredential},
		"list":    []Credential{testCredential},
	}
	for name, holder := range holders {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T %[1]v"} {
				expectNoCredential(t, fmt.Sprintf(verb, holder))
			}
		})
	}

	g := NewWithT(t)
	raw, err := json.Marshal(testCredential)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(raw)).To(Equal(`"[redacted]"`))
	g.Expect(testCredential.String()).To(Equal("[redacted]"))
	g.Expect(testCredential.GoString()).To(Equal("[redacted]"))

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "credential", testCredential)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "credential", testCredential)
	g.Expect(log.String()).To(ContainSubstring("[redacted]"))
	expectNoCredential(t, log.String())
}

func TestClientShowsNoCredential(t *testing.T) {
	c := newCloud(t, inTurn("{}")).client(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%d"} {
		expectNoCredential(t, fmt.Sprintf(verb, c))
		expectNoCredential(t, fmt.Sprintf(verb, *c))
		expectNoCredential(t, fmt.Sprintf(verb, *c.guard))
	}
}

func TestNewNamesTheOptionAtFaultAndTheWayOut(t *testing.T) {
	valid := Options{Endpoint: "https://api.confluent.cloud", Credential: testCredential, UserAgent: testUserAgent}
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"no endpoint":        {func(o *Options) { o.Endpoint = "" }, "Options.Endpoint: endpoint is empty; give"},
		"endpoint's port":    {func(o *Options) { o.Endpoint = "https://h:0" }, "between 1 and 65535"},
		"no key":             {func(o *Options) { o.Credential.Key = "" }, "Options.Credential.Key is empty; give"},
		"no secret":          {func(o *Options) { o.Credential.Secret = "" }, "Options.Credential.Secret is empty; give"},
		"key with a colon":   {func(o *Options) { o.Credential.Key += ":x" }, "Options.Credential.Key has a colon"},
		"key with a newline": {func(o *Options) { o.Credential.Key += "\n" }, "Options.Credential.Key has a line break"},
		"secret with one":    {func(o *Options) { o.Credential.Secret += "\n" }, "Options.Credential.Secret has a line break"},
		"no user agent":      {func(o *Options) { o.UserAgent = "" }, "Options.UserAgent is empty"},
		"user agent breaks":  {func(o *Options) { o.UserAgent = "a\r\nb: c" }, "Options.UserAgent is empty or has control"},
		"negative limit":     {func(o *Options) { o.Limits.MaxPages = -1 }, "Options.Limits has a negative field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			o := valid
			tt.change(&o)
			c, err := New(o)
			g.Expect(c).To(BeNil())
			g.Expect(err).To(MatchError(ContainSubstring(tt.want)))
			expectNoCredential(t, err.Error())
		})
	}

	g := NewWithT(t)
	c, err := New(valid)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(c.limits).To(Equal(DefaultLimits))
	g.Expect(c.guard.next).To(BeIdenticalTo(defaultTransport()), "clients without a transport share one")
}
