// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"testing"

	. "github.com/onsi/gomega"
)

// The API server writes while a test reads, so a log may end anywhere.
func TestALineOfTheAuditLogCountsOnceItIsWhole(t *testing.T) {
	t.Parallel()
	first := `{"verb":"patch","user":{"username":"u"},"objectRef":{"apiGroup":"g","resource":"r","subresource":"status","namespace":"n"},"responseStatus":{"code":200}}` + "\n"
	second := `{"verb":"get","user":{"username":"v"},"objectRef":{"resource":"r"}}` + "\n"
	for cut := range len(second) {
		g := NewWithT(t)
		g.Expect(parseAudit([]byte(first + second[:cut]))).To(Equal([]Request{{"u", "patch", "g", "n", "r/status", 200}}))
	}
	NewWithT(t).Expect(parseAudit([]byte(first + second))).To(HaveLen(2))
}
