// SPDX-License-Identifier: Apache-2.0

// Package mirror decides what to write to the cluster. The input is records of the cloud and
// objects of the cluster. The output is a Plan. The package uses no clients, clocks or I/O, so that
// tests can check every decision.
//
// A sync takes these steps, in this order:
//
//	record ──Project──► observation ──Ledger.Record──► Ledger
//	Ledger + existing observations ──Desire──► Desired
//	Desired + existing observations ──Make──► Plan
package mirror
