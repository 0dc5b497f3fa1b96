// SPDX-License-Identifier: Apache-2.0

package options

import "github.com/go-logr/logr"

// mostVerbose is the highest log level that is allowed. At higher levels, client-go logs headers
// and the content of Secrets.
const mostVerbose = 6

// Discreet returns a logger that passes messages to l, but drops messages above the level
// mostVerbose, because these messages can contain credentials.
func Discreet(l logr.Logger) logr.Logger {
	sink := l.GetSink()
	if deep, ok := sink.(logr.CallDepthLogSink); ok {
		sink = deep.WithCallDepth(1) // Skip the frame of discreet.Info.
	}
	return logr.New(discreet{sink})
}

type discreet struct{ logr.LogSink }

// Enabled implements logr.LogSink.
func (d discreet) Enabled(level int) bool { return level <= mostVerbose && d.LogSink.Enabled(level) }

// Info implements logr.LogSink.
func (d discreet) Info(level int, msg string, pairs ...any) {
	if level <= mostVerbose {
		d.LogSink.Info(level, msg, pairs...)
	}
}

// WithValues implements logr.LogSink.
func (d discreet) WithValues(pairs ...any) logr.LogSink {
	return discreet{d.LogSink.WithValues(pairs...)}
}

// WithName implements logr.LogSink.
func (d discreet) WithName(name string) logr.LogSink { return discreet{d.LogSink.WithName(name)} }

// WithCallDepth implements logr.CallDepthLogSink.
func (d discreet) WithCallDepth(depth int) logr.LogSink {
	if deep, ok := d.LogSink.(logr.CallDepthLogSink); ok {
		return discreet{deep.WithCallDepth(depth)}
	}
	return d
}
