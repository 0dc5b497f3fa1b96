// SPDX-License-Identifier: Apache-2.0

// Package mirror decides what to write. Its functions are pure: cloud records and existing objects
// go in, a Plan comes out. It knows nothing of clients, clocks or I/O, so every decision can be
// tested as a table, above all every deletion.
//
// The steps, in the order a sync takes them:
//
//	record ──Project──► observation ──Ledger.Record──► Ledger
//	Ledger + existing observations ──Desire──► Desired (kinds joined)
//	Desired + existing observations ──Make──► Plan
package mirror
