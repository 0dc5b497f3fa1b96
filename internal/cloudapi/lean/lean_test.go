// SPDX-License-Identifier: Apache-2.0

package lean_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/lean"
	"github.com/ccloud-dev/inventory-operator/internal/cloudapi/wire"
)

// thing has a field of each form.
type thing struct {
	Text  string          `json:"text"`
	Small int32           `json:"small"`
	Large int64           `json:"large"`
	Flag  *bool           `json:"flag"`
	List  []string        `json:"list"`
	Part  part            `json:"part"`
	Table map[string]part `json:"table"`
}

type part struct {
	Name string `json:"name"`
	Size int32  `json:"size"`
}

var (
	things   = lean.For[thing]()
	clusters = lean.For[wire.Cluster]()
	peerings = lean.For[wire.Peering]()
)

// decode decodes a whole text.
func decode[T any](shape *lean.Shape[T], raw []byte) (*T, bool) {
	var d lean.Decoder
	d.Reset(raw)
	into := new(T)
	return into, shape.Decode(&d, into) && d.End()
}

func TestWhatIsUsualIsDecodedAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{}`,
		" { \t\r\n} ",
		`{"text":"a","small":-7,"large":123456789012345678,"flag":true,"list":["x","","x"],"part":{"name":"n","size":1},"table":{"A":{"name":"a"},"b":{}}}`,
		`{"text":null,"small":null,"large":null,"flag":null,"list":null,"part":null,"table":null}`,
		`{"list":[],"table":{}}`,
		`{"list":[null,"x",null],"table":{"a":null,"b":{"name":null}}}`,
		`{"table":{"a":{"name":"first","size":1},"a":{"name":"last"}}}`,
		`{"flag":false,"small":0,"large":-0}`,
		`{"text":"\u00e9\n\"\\\/\ud83d\ude00\ud83d","list":["\t"]}`,
		`{"text":"Zürich"}`,
		`{"other":[1,-0.5,2e9,1E-3,"s\u0000",{"a":{"b":[]},"\u0061":null},true,false,null,"` + "\xff" + `"],"text":"kept"}`,
	} {
		g := NewWithT(t)
		got, ok := decode(things, []byte(raw))
		g.Expect(ok).To(BeTrue(), raw)
		want := new(thing)
		g.Expect(json.Unmarshal([]byte(raw), want)).To(Succeed(), raw)
		g.Expect(got).To(Equal(want), raw)
	}
}

func TestWhatIsUnusualIsRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"nothing":                   ``,
		"null":                      `null`,
		"an array":                  `[]`,
		"no end":                    `{"text":"a"`,
		"something behind":          `{} {}`,
		"a comma too many":          `{"text":"a",}`,
		"a comma too few":           `{"text":"a" "small":1}`,
		"no colon":                  `{"text" "a"}`,
		"a key that is none":        `{text:"a"}`,
		"a member twice":            `{"text":"a","text":"b"}`,
		"a key in capitals":         `{"Text":"a"}`,
		"a key with escapes":        `{"te\u0078t":"a"}`,
		"a key outside of ASCII":    `{"` + "te\u017ft" + `":"a"}`,
		"another type":              `{"text":1}`,
		"another type for a number": `{"small":"1"}`,
		"another type for a flag":   `{"flag":"true"}`,
		"another type in a list":    `{"list":[1]}`,
		"another type for a struct": `{"part":[]}`,
		"another type in a table":   `{"table":{"a":1}}`,
		"a fraction":                `{"small":1.0}`,
		"an exponent":               `{"small":1e3}`,
		"a leading zero":            `{"small":01}`,
		"a sign alone":              `{"small":-}`,
		"too large a number":        `{"small":2147483648}`,
		"far too large a number":    `{"large":1234567890123456789}`,
		"no UTF-8":                  `{"text":"` + "\xff" + `"}`,
		"a control character":       "{\"text\":\"a\nb\"}",
		"an escape that is none":    `{"text":"\x"}`,
		"half an escape":            `{"text":"\u00"}`,
		"a string without end":      `{"text":"a`,
		"an escape without end":     `{"text":"\`,
		"a word that is none":       `{"flag":truth}`,
		"what is skipped, broken":   `{"other":{"a":tru}}`,
		"a number skipped, broken":  `{"other":1.}`,
		"an exponent skipped":       `{"other":1e}`,
		"nested too deep":           `{"other":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		_, ok := decode(things, []byte(raw))
		NewWithT(t).Expect(ok).To(BeFalse(), name)
	}
}

func TestWordsThatComeAgainAreOneCopy(t *testing.T) {
	var d lean.Decoder
	into := new(thing)
	raw := []byte(`{"list":["a-word-that-comes-again","a-word-that-comes-again"]}`)
	allocations := testing.AllocsPerRun(10, func() {
		d.Reset(raw)
		*into = thing{}
		things.Decode(&d, into)
	})
	NewWithT(t).Expect(allocations).To(BeNumerically("==", 1), "the list itself")
}

func TestATypeThatCannotBeDecodedIsAMistake(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	g.Expect(func() { lean.For[struct{ A string }]() }).To(PanicWith(ContainSubstring("json tag")))
	g.Expect(func() {
		lean.For[struct {
			A string `json:"a,omitempty"`
		}]()
	}).To(PanicWith(ContainSubstring("json tag")))
	g.Expect(func() {
		lean.For[struct {
			A float64 `json:"a"`
		}]()
	}).To(PanicWith(ContainSubstring("float64")))
}

// FuzzDecode holds whatever is decoded to what encoding/json makes of it.
func FuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		sameAsJSON(t, things, raw)
		sameAsJSON(t, clusters, raw)
		sameAsJSON(t, peerings, raw)
	})
}

func sameAsJSON[T any](t *testing.T, shape *lean.Shape[T], raw []byte) {
	got, ok := decode(shape, raw)
	if !ok {
		return
	}
	want := new(T)
	g := NewWithT(t)
	g.Expect(json.Unmarshal(raw, want)).To(Succeed())
	g.Expect(got).To(Equal(want))
}
