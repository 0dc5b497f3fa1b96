// SPDX-License-Identifier: Apache-2.0

package options_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/internal/options"
)

// The test reads a Secret with client-go, in JSON and in protobuf. The log must not contain the
// Secret at any log level.
func TestNoLogLevelShowsASecret(t *testing.T) {
	const value = "s3cr3t-that-nobody-may-see"
	secret := &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: "ccloud", Namespace: "platform"}, Data: map[string][]byte{"api-secret": []byte(value)}}
	for _, mediaType := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), mediaType)
			w.Header().Set("Content-Type", mediaType)
			_ = info.Serializer.Encode(secret, w)
		}))
		t.Cleanup(server.Close)
		// logged reads the Secret with this log level, and returns the log.
		logged := func(level int, made func(logr.Logger) logr.Logger) string {
			g := NewWithT(t)
			var log bytes.Buffer
			logger := made(zap.New(zap.WriteTo(&log), zap.Level(zapcore.Level(-level))))
			config := &rest.Config{Host: server.URL, BearerToken: "token-that-nobody-may-see", ContentConfig: rest.ContentConfig{ContentType: mediaType}}
			client, err := kubernetes.NewForConfig(config)
			g.Expect(err).NotTo(HaveOccurred())
			got, err := client.CoreV1().Secrets("platform").Get(logr.NewContext(t.Context(), logger), "ccloud", metav1.GetOptions{})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(string(got.Data["api-secret"])).To(Equal(value))
			// The log may have the Secret in a hex dump, so remove the blanks and line breaks of
			// the dump.
			return strings.NewReplacer(" ", "", `\n`, "", "|", "").Replace(log.String())
		}
		shown := Or(ContainSubstring(value[:6]), ContainSubstring("token-that"), ContainSubstring(hex.EncodeToString([]byte(value[:4]))),
			ContainSubstring(base64.StdEncoding.EncodeToString([]byte(value))[:12]))
		g := NewWithT(t)
		g.Expect(logged(12, func(l logr.Logger) logr.Logger { return l })).To(shown, "client-go would")
		for level := range 13 {
			g.Expect(logged(level, options.Discreet)).NotTo(shown, "%s at level %d", mediaType, level)
		}
	}
}

func TestALoggerThatIsDiscreetLogsTheRest(t *testing.T) {
	g := NewWithT(t)
	var log bytes.Buffer
	logger := options.Discreet(zap.New(zap.WriteTo(&log), zap.Level(zapcore.Level(-12)))).WithName("name").WithValues("key", "value")
	logger.V(6).Info("said")
	logger.V(7).Info("hidden")
	g.Expect(log.String()).To(And(ContainSubstring("said"), ContainSubstring("name"), ContainSubstring(`"key":"value"`), Not(ContainSubstring("hidden"))))
	g.Expect(logger.V(7).Enabled()).To(BeFalse())
}
