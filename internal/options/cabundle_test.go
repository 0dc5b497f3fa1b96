// SPDX-License-Identifier: Apache-2.0

package options

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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
	empty := written(t, []byte("# no certificate yet\n"))
	_, err = parse("--ca-bundle", empty, "--concurrent-syncs", "0")
	g.Expect(err).To(MatchError(And(ContainSubstring("--ca-bundle: "+empty+": has no certificate"), ContainSubstring("--concurrent-syncs"))))
}

func TestACABundleIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	lines := strings.SplitAfter(good, "\n")
	for name, tt := range map[string]struct{ bundle, want string }{
		"one":                       {good, ""},
		"two":                       {good + good, ""},
		"comments":                  {"# Issuer: CN=one\n" + good + "\n# Issuer: CN=two\r\n" + good + "\nthe end", ""},
		"Windows line ends":         {strings.ReplaceAll(good+good, "\n", "\r\n"), ""},
		"a corrupt one behind":      {good + strings.Replace(good, lines[2], "!"+lines[2], 1), "cut or damaged"},
		"a corrupt one before":      {strings.Replace(good, lines[2], "!"+lines[2], 1) + good, "cut or damaged"},
		"a byte changed":            {good + strings.Replace(good, lines[1], "AAAA"+lines[1][4:], 1), "block 2 is no certificate"},
		"one cut short":             {good + good[:len(good)/2], "cut or damaged"},
		"one without its beginning": {good + strings.Join(lines[1:], ""), "cut or damaged"},
		"no certificate":            {good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "block 2 is no certificate"},
		"an empty one":              {good + "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "block 2 is no certificate"},
		"a private key":             {good + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", `block 2 is "PRIVATE KEY"`},
		"a trusted certificate":     {good + strings.ReplaceAll(good, "CERTIFICATE", "TRUSTED CERTIFICATE"), `block 2 is "TRUSTED CERTIFICATE"`},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			path := written(t, []byte(tt.bundle))
			o, err := parse("--ca-bundle", path)
			if tt.want == "" {
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(o.Roots).NotTo(BeNil())
				return
			}
			g.Expect(err).To(MatchError(And(ContainSubstring("--ca-bundle: "+path+": "), ContainSubstring(tt.want))))
		})
	}
}
