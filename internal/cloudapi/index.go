// SPDX-License-Identifier: Apache-2.0

package cloudapi

// Index remembers the items of one listing by their bytes, so that the next listing of
// the same question decodes only what changed. The nil Index knows nothing.
type Index struct{}
