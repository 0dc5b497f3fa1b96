// SPDX-License-Identifier: Apache-2.0

package options

import (
	"flag"

	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// BindLogging declares zap's flags and returns the options of the logger. The options are set when
// the flags are parsed. BindLogging also replaces the help of each flag: zap's own texts name zap's
// defaults, which are not the manager's.
func BindLogging(flags *flag.FlagSet) *zap.Options {
	// No stack traces of errors: they show where an error is logged, which says nothing about its
	// cause.
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
