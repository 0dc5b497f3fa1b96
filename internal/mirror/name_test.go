// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
)

func hashOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])[:8]
}

func TestObjectNameOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ id, want string }{
		"a valid name is itself":            {"lkc-12345", "lkc-12345"},
		"a valid name with dots is itself":  {"a.b-c.d", "a.b-c.d"},
		"the longest valid name is itself":  {strings.Repeat("a", 253), strings.Repeat("a", 253)},
		"upper case goes lower":             {"LKC-Abc", "lkc-abc-" + hashOf("LKC-Abc")},
		"an underscore becomes a dash":      {"p_1", "p-1-" + hashOf("p_1")},
		"every invalid rune becomes a dash": {"a é/b", "a---b-" + hashOf("a é/b")},
		"dots between letters stay":         {"A.b", "a.b-" + hashOf("A.b")},
		"dots side by side become dashes":   {"a..b", "a--b-" + hashOf("a..b")},
		"a dot beside a dash becomes one":   {"a.-b", "a--b-" + hashOf("a.-b")},
		"leading punctuation goes":          {"-_.a", "a-" + hashOf("-_.a")},
		"trailing punctuation stays inside": {"a-", "a--" + hashOf("a-")},
		"a trailing dot becomes a dash":     {"a.", "a--" + hashOf("a.")},
		"too long is cut":                   {strings.Repeat("a", 255), strings.Repeat("a", 244) + "-" + hashOf(strings.Repeat("a", 255))},
		"only punctuation is the hash":      {"...", hashOf("...")},
		"only foreign letters is the hash":  {"日本", hashOf("日本")},
		"a space is the hash":               {" ", hashOf(" ")},
		"nothing is the hash":               {"", hashOf("")},
		"bytes that are no text":            {"a\xff\x00", "a---" + hashOf("a\xff\x00")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			g.Expect(ObjectName(c.id)).To(Equal(c.want))
			g.Expect(validation.IsDNS1123Subdomain(ObjectName(c.id))).To(BeEmpty())
		})
	}
}

func TestIDsThatLookAlikeHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 254)
	byName := map[string]string{}
	for _, id := range []string{
		"lkc-a", "lkc-A", "LKC-A", "lkc_a", "lkc a", "lkc.a", "lkc..a", "-lkc-a", "lkc-a-", ".lkc-a", "lkc-a.", "",
		" ", "é", "è", "日", "本", long, long + "a", long + "b", strings.ToUpper(long), "K", "\u212a", // The sign of the kelvin, a "k" in lower case.
	} {
		name := ObjectName(id)
		NewWithT(t).Expect(byName).NotTo(HaveKey(name), "%q and %q", id, byName[name])
		byName[name] = id
	}
}

func TestNamesAreValidAndNoTwoIDsShareOne(t *testing.T) {
	t.Parallel()
	// IDs that look alike: one is made of another by what the rule evens out.
	alike := rapid.OneOf(
		rapid.StringMatching(`[aAbB1._ -]{0,8}`),
		rapid.StringMatching(`(lkc|LKC|p)-[a-zA-Z0-9]{1,6}`),
		rapid.StringOf(rapid.RuneFrom([]rune("aAé\u212aK日-."))),
		rapid.StringMatching(`[aA]{240,260}`),
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		byName := map[string]string{}
		for _, id := range rapid.SliceOfNDistinct(alike, 2, 60, rapid.ID).Draw(t, "ids") {
			name := ObjectName(id)
			if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
				t.Fatalf("ObjectName(%q) = %q: %v", id, name, problems)
			}
			if len(validation.IsDNS1123Subdomain(id)) == 0 && name != id {
				t.Fatalf("ObjectName(%q) = %q, though the ID is a valid name", id, name)
			}
			if other, taken := byName[name]; taken {
				t.Fatalf("%q and %q are both named %q", other, id, name)
			}
			byName[name] = id
		}
	})
}

func FuzzObjectName(f *testing.F) {
	for _, id := range []string{"lkc-12345", "P_1", "", "-.-", "ü.ü", strings.Repeat(".a", 127), strings.Repeat("Z", 255)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		name := ObjectName(id)
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Errorf("ObjectName(%q) = %q: %v", id, name, problems)
		}
		if name != id && !strings.HasSuffix(name, hashOf(id)) {
			t.Errorf("ObjectName(%q) = %q, which nothing tells from that of an ID alike", id, name)
		}
		if again := ObjectName(name); again != name {
			t.Errorf("ObjectName(%q) = %q, whose name is %q", id, name, again)
		}
	})
}
