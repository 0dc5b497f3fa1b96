// SPDX-License-Identifier: Apache-2.0

package options

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi"
)

// written writes a file and returns its path.
func written(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.crt")
	NewWithT(t).Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return path
}

func TestACABundleIsTrustedBesideTheSystems(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	ask := func(o *Options) error {
		response, err := cloudapi.NewTransport(o.Roots).RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil))
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	g.Expect(parsed(t).Roots).To(BeNil(), "the system's alone")
	g.Expect(ask(parsed(t))).To(MatchError(ContainSubstring("unknown authority")))

	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	o := parsed(t, "--ca-bundle", written(t, bundle))
	g.Expect(ask(o)).To(Succeed())
	g.Expect(o.Manager.Metrics.BindAddress).To(Equal(":8443"))
}

func TestACABundleThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	_, err := parse("--ca-bundle", "/nowhere/ca.crt")
	g.Expect(err).To(MatchError(And(ContainSubstring("--ca-bundle"), ContainSubstring("/nowhere/ca.crt"), ContainSubstring("no such file"))))
	key := written(t, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	_, err = parse("--ca-bundle", key, "--concurrent-syncs", "0")
	g.Expect(err).To(MatchError(And(ContainSubstring("--ca-bundle: "+key+" has no certificate"), ContainSubstring("--concurrent-syncs"))))
}
