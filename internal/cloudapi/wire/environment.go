// SPDX-License-Identifier: Apache-2.0

package wire

// Environment is one environment of the API org/v2. An environment has no spec and no status. Other
// cloud objects have both.
type Environment struct {
	ID          string     `json:"id"`
	Metadata    ObjectMeta `json:"metadata"`
	DisplayName string     `json:"display_name"`
}
