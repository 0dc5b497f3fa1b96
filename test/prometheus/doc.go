// SPDX-License-Identifier: Apache-2.0

// Package prometheus has nothing but tests: they hold the alerts and the dashboard against
// Prometheus' own parsers, templates and query engine. It is a module of its own because of these.
package prometheus
