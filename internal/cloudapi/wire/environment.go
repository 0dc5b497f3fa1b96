// SPDX-License-Identifier: Apache-2.0

package wire

// Environment is one environment, as the API org/v2 sends it. Unlike other cloud objects, it has no
// spec and no status.
type Environment struct {
	ID          string     `json:"id"`
	Metadata    ObjectMeta `json:"metadata"`
	DisplayName string     `json:"display_name"`
}
