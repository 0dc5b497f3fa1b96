// SPDX-License-Identifier: Apache-2.0

package cloudapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAnAnswerThatIsNoPageIsMalformedAndNeverEmpty(t *testing.T) {
	const hush = "hush-hush"
	tests := map[string]struct{ body, want string }{
		"empty":                {"", "the body is empty"},
		"white space":          {" \n\t", "the body is empty"},
		"null":                 {"null", "not a JSON object"},
		"array":                {`[{"kind":"ClusterList","data":[]}]`, "not a JSON object"},
		"string":               {`"hush-hush"`, "not a JSON object"},
		"number":               {"0", "not a JSON object"},
		"HTML":                 {"<html>hush-hush</html>", "not valid JSON"},
		"byte order mark":      {"\ufeff" + clusterPage(`{}`), "not valid JSON"},
		"empty object":         {"{}", "kind is not ClusterList"},
		"no kind":              {`{"data":[],"metadata":{}}`, "kind is not ClusterList"},
		"null kind":            {`{"kind":null,"data":[]}`, "kind is not ClusterList"},
		"wrong kind":           {`{"kind":"hush-hush","data":[]}`, "kind is not ClusterList"},
		"the other list":       {`{"kind":"PeeringList","data":[]}`, "kind is not ClusterList"},
		"kind in lower case":   {`{"kind":"clusterlist","data":[]}`, "kind is not ClusterList"},
		"kind of wrong type":   {`{"kind":5,"data":[]}`, "kind: number, want string"},
		"Kind":                 {`{"Kind":"ClusterList","data":[]}`, "kind is not ClusterList"},
		"no data":              {`{"kind":"ClusterList","metadata":{}}`, "no data member"},
		"Data":                 {`{"kind":"ClusterList","Data":[]}`, "no data member"},
		"data object":          {`{"kind":"ClusterList","data":{"hush-hush":1}}`, "data is not an array"},
		"data string":          {`{"kind":"ClusterList","data":"hush-hush"}`, "data is not an array"},
		"data false":           {`{"kind":"ClusterList","data":false}`, "data is not an array"},
		"data twice":           {`{"kind":"ClusterList","data":[{"id":"lkc-1"}],"data":[]}`, "a member twice"},
		"kind twice":           {`{"kind":"ClusterList","kind":"ClusterList","data":[]}`, "a member twice"},
		"metadata twice":       {`{"kind":"ClusterList","metadata":{},"metadata":{},"data":[]}`, "a member twice"},
		"next twice":           {`{"kind":"ClusterList","metadata":{"next":"/x?page_token=hush-hush","next":null},"data":[]}`, "a member twice"},
		"escaped twice":        {`{"kind":"ClusterList","data":[],"dat\u0061":[]}`, "a member twice"},
		"metadata array":       {`{"kind":"ClusterList","metadata":[],"data":[]}`, "metadata is not an object"},
		"metadata string":      {`{"kind":"ClusterList","metadata":"","data":[]}`, "metadata is not an object"},
		"something after":      {clusterPage(`{}`) + "hush-hush", "not valid JSON"},
		"a page after":         {clusterPage(`{}`) + clusterPage(`{}`), "something follows"},
		"a brace after":        {clusterPage(`{}`) + "}", "not valid JSON"},
		"a number after":       {clusterPage(`{}`) + " 5", "something follows"},
		"ends in an item":      {`{"kind":"ClusterList","data":[{"id":"lkc-1"`, "the JSON ends early"},
		"ends after an item":   {`{"kind":"ClusterList","data":[{"id":"lkc-1"},`, "the JSON ends early"},
		"ends in data":         {`{"kind":"ClusterList","data":[`, "the JSON ends early"},
		"ends after data":      {`{"kind":"ClusterList","data":[]`, "the JSON ends early"},
		"ends before metadata": {`{"kind":"ClusterList","metadata":`, "the JSON ends early"},
		"ends after a key":     {`{"kind":"ClusterList","data"`, "the JSON ends early"},
		"ends in metadata":     {`{"kind":"ClusterList","metadata":{"next":null`, "the JSON ends early"},
		"comma in data":        {clusterPage(`{}`, `{"id":"lkc-1"}`, ``), "not valid JSON"},
		"comma at the end":     {`{"kind":"ClusterList","data":[],}`, "not valid JSON"},
		"bracket for brace":    {`{"kind":"ClusterList","data":[}`, "not valid JSON"},
		"no quotes":            {`{kind:"ClusterList","data":[]}`, "not valid JSON"},
		"NaN":                  {`{"kind":"ClusterList","data":[NaN]}`, "not valid JSON"},
		"an item not JSON":     {clusterPage(`{}`, `{"id":"lkc-1",}`), "not valid JSON"},
		"nested without end":   {clusterPage(`{}`, strings.Repeat("[", 20_000)), "the JSON ends early"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, err := newCloud(t, inTurn(tt.body)).list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, Malformed)
			g.Expect(e.StatusCode).To(Equal(200))
			g.Expect(e.Error()).To(HavePrefix("listCmkV2Clusters: 200 OK: malformed response: "))
			g.Expect(e.Error()).To(HaveSuffix(" (request id req-1)"))
			g.Expect(e.Error()).To(ContainSubstring(tt.want))
			g.Expect(e.Error()).NotTo(ContainSubstring(hush))
		})
	}
}

func TestAWellFormedPageIsTakenWhateverSurroundsIt(t *testing.T) {
	tests := map[string]string{
		"data null":        `{"kind":"ClusterList","data":null}`,
		"data empty":       `{"kind":"ClusterList","data":[]}`,
		"data first":       `{"data":[],"metadata":{},"kind":"ClusterList","api_version":"cmk/v2"}`,
		"unknown members":  `{"new":{"a":[1,null,{"b":"}"}]},"kind":"ClusterList","data":[],"other":null,"metadata":{"x":[[]],"NEXT":"/y?page_token=z"}}`,
		"api_version null": `{"kind":"ClusterList","data":[],"api_version":null,"metadata":null}`,
		"escaped key":      `{"\u006bind":"ClusterList","data":[]}`,
		"white space":      " \r\n{\"kind\" : \"ClusterList\",\n\t\"data\" : [ ] }\n\n ",
		"total_size 0.0":   `{"kind":"ClusterList","data":[],"metadata":{"total_size":0.0}}`,
		"total_size 1.5":   `{"kind":"ClusterList","data":[],"metadata":{"total_size":1.5}}`,
		"total_size 1e30":  `{"kind":"ClusterList","data":[],"metadata":{"total_size":1e30}}`,
		"total_size word":  `{"kind":"ClusterList","data":[],"metadata":{"total_size":"many"}}`,
		"total_size list":  `{"kind":"ClusterList","data":[],"metadata":{"total_size":[7]}}`,
		"total_size < 0":   `{"kind":"ClusterList","data":[],"metadata":{"total_size":-7}}`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, err := newCloud(t, inTurn(body)).list(t)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(l.Items).To(BeEmpty())
			g.Expect(l.Pages).To(Equal(1))
			g.Expect(l.Complete()).To(Succeed())
		})
	}
}

func TestOnlyAJSONMediaTypeIsAPage(t *testing.T) {
	tests := map[string]bool{
		"application/json":                true,
		"application/json; charset=utf-8": true,
		"Application/JSON":                true,
		"application/json; charset":       true,
		"application/vnd.api+json":        true,
		"text/html":                       false,
		"text/plain":                      false,
		"application/jsonx":               false,
		"application/x-ndjson":            false,
		"json":                            false,
		";":                               false,
		"":                                false,
	}
	for contentType, ok := range tests {
		t.Run(contentType, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				_, _ = io.WriteString(w, clusterPage(`{}`))
			})
			_, err := c.list(t)
			if ok {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			g.Expect(expectError(t, err, Malformed).Error()).To(ContainSubstring("the media type is not JSON"))
		})
	}
}

func TestOnly200IsAPage(t *testing.T) {
	for _, code := range []int{201, 202, 203, 204, 205, 206, 226, 300, 304, 305, 600, 999} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				body := clusterPage(`{}`)
				if code == 204 || code == 304 {
					body = ""
				}
				answer(w, code, body)
			})
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			g.Expect(expectError(t, err, Malformed).StatusCode).To(Equal(code))
		})
	}
}

// zip returns text compressed.
func zip(t *testing.T, text io.Reader) []byte {
	t.Helper()
	g := NewWithT(t)
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.Copy(w, text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(w.Close()).To(Succeed())
	return out.Bytes()
}

// zipped answers with body, which is already compressed. encoding is the name of the compression.
func zipped(body []byte, encoding string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		answer(w, http.StatusOK, string(body))
	}
}

func TestACompressedPageIsReadAsAnyOther(t *testing.T) {
	g := NewWithT(t)
	whole := zip(t, strings.NewReader(clusterPage(`{}`, clusterItem("lkc-1", ""))))
	l, err := newCloud(t, zipped(whole, "gzip")).list(t)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(ids(l.Items)).To(Equal([]string{"lkc-1"}))

	_, err = newCloud(t, zipped([]byte(clusterPage(`{}`)), "Identity")).list(t)
	g.Expect(err).NotTo(HaveOccurred())

	_, err = newCloud(t, zipped(whole, "br")).list(t)
	g.Expect(expectError(t, err, Malformed).Error()).To(ContainSubstring("an encoding that was not asked for"))

	wrong := bytes.Clone(whole)
	wrong[len(wrong)-6] ^= 0xff // change the checksum
	_, err = newCloud(t, zipped(wrong, "gzip")).list(t)
	g.Expect(expectError(t, err, Malformed).Error()).To(ContainSubstring("cannot be decompressed"))

	_, err = newCloud(t, zipped([]byte("no gzip at all, but long enough"), "gzip")).list(t)
	g.Expect(expectError(t, err, Malformed).Error()).To(ContainSubstring("cannot be decompressed"))

	_, err = newCloud(t, zipped(whole[:len(whole)-12], "gzip")).list(t)
	g.Expect(expectError(t, err, Unavailable).Error()).To(ContainSubstring("the connection was closed early"))
}

func TestACompressedBombIsBounded(t *testing.T) {
	const decompressed = 24 << 20
	prefix := `{"kind":"ClusterList","data":[`
	bombs := map[string]io.Reader{
		"one string":  io.MultiReader(strings.NewReader(prefix+`"`), io.LimitReader(filler('x'), decompressed)),
		"white space": io.MultiReader(strings.NewReader(prefix), io.LimitReader(filler(' '), decompressed)),
		"depth":       io.MultiReader(strings.NewReader(prefix), io.LimitReader(filler('['), decompressed)),
	}
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, zipped(zip(t, text), "gzip"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := c.list(t, func(o *Options) { o.Limits.MaxBodyBytes = 256 << 10 })
			runtime.ReadMemStats(&after)
			expectError(t, err, Malformed)
			g.Expect(after.TotalAlloc - before.TotalAlloc).To(BeNumerically("<", 8<<20))
		})
	}
}

// filler is a reader that returns the same byte without end.
type filler byte

func (f filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(f)
	}
	return len(p), nil
}

func TestElementsThatGrowInDecodingAreBoundedWithinAPage(t *testing.T) {
	g := NewWithT(t)
	body := `{"kind":"ClusterList","data":[0` + strings.Repeat(",0", 300_000) + `]}`
	c := newCloud(t, inTurn(body))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.list(t, func(o *Options) { o.Limits.MaxItems = 1000 })
	runtime.ReadMemStats(&after)
	expectError(t, err, Incomplete)
	g.Expect(after.TotalAlloc-before.TotalAlloc).To(BeNumerically("<", 16<<20), "of some 170 MiB")
}

func TestAConnectionCutIsUnavailableAndNotMalformed(t *testing.T) {
	whole := clusterPage(`{}`, clusterItem("lkc-1", ""))
	tests := map[string]func(w http.ResponseWriter){
		"before the header": func(http.ResponseWriter) {},
		"in the body":       func(w http.ResponseWriter) { answer(w, 200, whole[:40]) },
		"before the body":   func(w http.ResponseWriter) { answer(w, 200, "") },
		"after the JSON":    func(w http.ResponseWriter) { answer(w, 200, whole) },
		"short of its length": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)+1))
			answer(w, 200, whole)
		},
	}
	for name, begin := range tests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newCloud(t, func(w http.ResponseWriter, _ *http.Request) {
				begin(w)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			if name == "before the header" {
				c.Config.Handler = c.record(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			}
			l, err := c.list(t)
			g.Expect(l).To(BeNil())
			e := expectError(t, err, Unavailable)
			g.Expect(e.Error()).To(ContainSubstring("no whole answer: the connection was closed early"))
		})
	}
}
