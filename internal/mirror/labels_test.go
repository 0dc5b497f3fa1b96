// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
)

// texts are of few characters, so that those a rule turns on come often.
var texts = rapid.Custom(func(t *rapid.T) string {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aZ0-_.é ")), 0, 12, -1).Draw(t, "text")
	return strings.Repeat(text, rapid.SampledFrom([]int{1, 1, 1, 8, 40}).Draw(t, "times"))
})

func TestTheQuickChecksSayWhatTheAPIServersDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "of")
		g := NewWithT(t)
		g.Expect(isLabelValue(text)).To(Equal(len(validation.IsValidLabelValue(text)) == 0), "label value %q", text)
		g.Expect(isSubdomain(text)).To(Equal(len(validation.IsDNS1123Subdomain(text)) == 0), "subdomain %q", text)
	})
	for _, n := range []int{63, 64, 253, 254} {
		text := strings.Repeat("a", n)
		NewWithT(t).Expect(isLabelValue(text)).To(Equal(n <= 63))
		NewWithT(t).Expect(isSubdomain(text)).To(Equal(n <= 253))
	}
}
