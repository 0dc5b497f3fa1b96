// SPDX-License-Identifier: Apache-2.0

package options_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/ccloud-dev/inventory-operator/internal/options"
)

// The test sets each flag to the default that its help text names. The log must stay the same.
func TestTheHelpOfLoggingTellsTheDefaultsThereAre(t *testing.T) {
	g := NewWithT(t)
	// logged returns what is logged with these flags. It checks that each line has a time in RFC
	// 3339, and removes the time.
	logged := func(args ...string) (lines []map[string]any) {
		flags := flag.NewFlagSet("manager", flag.ContinueOnError)
		logging := options.BindLogging(flags)
		g.Expect(flags.Parse(args)).To(Succeed())
		var out bytes.Buffer
		logger := zap.New(zap.UseFlagOptions(logging), zap.WriteTo(&out))
		logger.V(1).Info("debug")
		logger.Info("info")
		logger.Error(errors.New("cause"), "error")
		for line := range bytes.Lines(out.Bytes()) {
			var entry map[string]any
			g.Expect(json.Unmarshal(line, &entry)).To(Succeed(), string(line))
			_, err := time.Parse(time.RFC3339, entry["ts"].(string))
			g.Expect(err).NotTo(HaveOccurred())
			delete(entry, "ts")
			lines = append(lines, entry)
		}
		return lines
	}
	plain := logged()
	g.Expect(plain).To(HaveLen(2))
	g.Expect(plain[1]).NotTo(HaveKey("stacktrace"))
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	options.BindLogging(flags)
	for name, value := range map[string]string{
		"zap-encoder": "json", "zap-log-level": "info", "zap-stacktrace-level": "panic", "zap-time-encoding": "rfc3339",
	} {
		g.Expect(flags.Lookup(name).Usage).To(HaveSuffix("Default "+value+"."), name)
		g.Expect(logged("--"+name+"="+value)).To(Equal(plain), name)
	}
	g.Expect(logged("--zap-log-level=debug")).To(HaveLen(3))
}
