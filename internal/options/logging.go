// SPDX-License-Identifier: Apache-2.0

package options

import (
	"flag"

	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// BindLogging declares the flags of zap, the logger. Parsing the flags sets the returned options.
// BindLogging replaces zap's help texts, because the manager's defaults differ from zap's
// defaults.
func BindLogging(flags *flag.FlagSet) *zap.Options {
	// Log no stack traces for errors: a stack trace shows where the code logs the error, but not
	// what caused the error.
	logging := &zap.Options{TimeEncoder: zapcore.RFC3339TimeEncoder, StacktraceLevel: zapcore.PanicLevel}
	logging.BindFlags(flags)
	for name, usage := range map[string]string{
		"zap-devel":            "Log for development: --zap-encoder=console --zap-log-level=debug.",
		"zap-encoder":          "How to log: json or console. Default json.",
		"zap-log-level":        "What to log: debug, info, error, panic, or a number above 0 for more than debug. Default info.",
		"zap-stacktrace-level": "From which level on stack traces are logged: info, error or panic. Default panic.",
		"zap-time-encoding":    "How to log times: epoch, millis, nano, iso8601, rfc3339 or rfc3339nano. Default rfc3339.",
	} {
		flags.Lookup(name).Usage = usage
	}
	return logging
}
