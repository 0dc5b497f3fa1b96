// SPDX-License-Identifier: Apache-2.0

// Package mirror decides what to write to the cluster. Its functions are pure: cloud records and
// existing objects go in, and a Plan comes out. The package uses no clients, clocks or I/O. So
// table tests can cover every decision, above all every deletion.
//
// A sync takes these steps, in this order:
//
//	record ──Project──► observation ──Ledger.Record──► Ledger
//	Ledger + existing observations ──Desire──► Desired (kinds joined)
//	Desired + existing observations ──Make──► Plan
package mirror
