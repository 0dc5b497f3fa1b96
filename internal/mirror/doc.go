// SPDX-License-Identifier: Apache-2.0

// Package mirror decides what to write to the cluster. The input is the records of the cloud API
// and the objects in the cluster. The output is a value of type Plan. The package does no I/O and
// reads no clock, so that tests can check every decision.
//
// A sync takes these steps, in this order:
//
//	record ──Project──► observation ──Ledger.Record──► Ledger
//	Ledger + existing observations ──Desire──► Desired
//	Desired + existing observations ──Make──► Plan
package mirror
