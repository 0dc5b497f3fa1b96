// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A page such as the one that `make bench` writes, with figures of its own.
const benchmarks = "# Benchmarks\n\n" + beginMark + `
Measured on a day.

### cold

Objects into an empty namespace.

![A plot](pictures/first-sync.svg)

| figure | measured | goal | |
| --- | ---: | ---: | --- |
| 3000 objects: ours | 111 objects/s |  |  |
| 3000 objects: floor: bare client | 122 objects/s |  |  |
| 3000 objects: manager's CPU | 31.1 s |  |  |
| 3000 objects: all of it | 1.51 min |  |  |

### steady

3000 unchanged objects, 10 syncs one after another.

| figure | measured | goal | |
| --- | ---: | ---: | --- |
| CPU per sync | 41 ms |  |  |
| time per sync | 52 ms |  |  |

### churn

3000 objects, 7 % of them changed before each of 3 syncs.

| figure | measured | goal | |
| --- | ---: | ---: | --- |
| CPU per sync | 1.61 s |  |  |
| time per sync | 2.72 s |  |  |

### memory

Resident memory of a new manager.

| figure | measured | goal | |
| --- | ---: | ---: | --- |
| at 0 observations | 33.3 MiB | at most 40 MiB | met |
| at 100 observations | 34.4 MiB |  |  |
| at 3000 observations | 77.7 MiB | at most 80 MiB | met |
| the API server's memory, at 3000 | 999 MiB |  |  |

` + endMark

const shown = `$ kubectl -n platform get isrc
NAME         READY   LAST-SYNC   AGE
env-abc123   True    1s          12s
env-old456   True    2m10s       12s

$ kubectl -n platform get kco
NAME         DISPLAY-NAME   AGE
lkc-7mb0m2   a & <b>        1s
`

// input returns what a picture is drawn from.
func input(name string) string {
	if name == "demo" {
		return shown
	}
	return benchmarks
}

// drawn draws a picture and returns it with the texts in it.
func drawn(t *testing.T, name, from string) (picture string, texts []string) {
	t.Helper()
	var out strings.Builder
	if err := run([]string{name}, strings.NewReader(from), &out); err != nil {
		t.Fatal(err)
	}
	inText := false
	for decoder := xml.NewDecoder(strings.NewReader(out.String())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), texts
		}
		if err != nil {
			t.Fatalf("%s is no XML: %v", name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		}
	}
}

func TestPlotsShowTheFiguresOfThePage(t *testing.T) {
	for name, want := range map[string][]string{
		"first-sync": {"111", "122", "3,000 objects", "operator", "floor: bare client"},
		"sync-cost":  {"31.1 s", "1.51 min", "1.61 s", "2.72 s", "41 ms", "52 ms", "7 % changed", "10 ms", "100 s"},
		"memory":     {"33.3 MiB", "77.7 MiB", "0", "500", "3,000", "80", "goal, at most"},
	} {
		_, texts := drawn(t, name, benchmarks)
		for _, text := range want {
			if !slices.Contains(texts, text) {
				t.Errorf("%s lacks %q; it has %q", name, text, texts)
			}
		}
	}
	if _, texts := drawn(t, "memory", benchmarks); slices.Contains(texts, "34.4 MiB") {
		t.Error("memory: the words of two points would overlap")
	}
}

// Each point is as far up as its figure says.
func TestPointsAreWhereTheirFiguresAre(t *testing.T) {
	read, err := readPage(benchmarks)
	if err != nil {
		t.Fatal(err)
	}
	p, err := memory(read)
	if err != nil {
		t.Fatal(err)
	}
	if p.X.Min != 0 || p.X.Max != 3000 || p.Y.Min != 0 || p.Y.Max != 80 {
		t.Errorf("memory goes from %v, %v to %v, %v", p.X.Min, p.Y.Min, p.X.Max, p.Y.Max)
	}
	if p, err = syncCost(read); err != nil {
		t.Fatal(err)
	}
	if p.X.Min != 0.01 || p.X.Max != 100 {
		t.Errorf("sync-cost goes from %v s to %v s", p.X.Min, p.X.Max)
	}
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	for name := range pictures {
		first, _ := drawn(t, name, input(name))
		if second, _ := drawn(t, name, input(name)); first != second {
			t.Errorf("%s differs from itself", name)
		}
	}
	later := strings.NewReplacer("1s ", "9s ", "12s", "21s", "2m10s", "3m44s").Replace(shown)
	first, texts := drawn(t, "demo", shown)
	if second, _ := drawn(t, "demo", later); first != second {
		t.Error("demo differs by the ages")
	}
	for _, want := range []string{"env-abc123   True    5s          5s", "env-old456   True    5s          5s", "lkc-7mb0m2   a & <b>        5s"} {
		if !slices.Contains(texts, want) {
			t.Errorf("demo lacks %q; it has %q", want, texts)
		}
	}
}

// On a dark page no colour stays as it is.
func TestEveryColourHasOneForDarkPages(t *testing.T) {
	colour := regexp.MustCompile(`(?:fill|stroke):(#[0-9A-F]{6})`)
	for name := range pictures {
		picture, _ := drawn(t, name, input(name))
		_, drawing, is := strings.Cut(picture, "</style>")
		if !is {
			t.Fatalf("%s has no style", name)
		}
		for _, found := range colour.FindAllStringSubmatch(drawing, -1) {
			if !strings.Contains(picture, `[style*="`+found[0]+`"]{`) {
				t.Errorf("%s: nothing in place of %s", name, found[0])
			}
		}
		if !strings.Contains(picture, `role="img"`) || !strings.Contains(picture, "<title>") {
			t.Errorf("%s has no words for those who cannot see it", name)
		}
	}
}

func TestBadInputIsNamed(t *testing.T) {
	without := func(old, new string) string { return strings.Replace(benchmarks, old, new, 1) }
	for _, tc := range []struct{ picture, input, want string }{
		{"pie", "", `no picture "pie"; there are: demo, first-sync, memory, sync-cost`},
		{"demo", "NAME\n", "does not begin with a command"},
		{"memory", "# Benchmarks\n", "the page lacks the lines"},
		{"memory", without("### memory", "### other"), `memory: the page has no section "memory"`},
		{"memory", without("33.3 MiB", "33.3 GiB"), `"33.3 GiB" is not in MiB`},
		{"memory", without("at most 80 MiB", "at most 1 GiB"), `"1 GiB" is not in MiB`},
		{"memory", without("at 0 observations", "idle"), ""},
		{"memory", strings.NewReplacer("at 0 o", "o", "at 100 o", "o").Replace(benchmarks), `section "memory" has no two figures`},
		{"first-sync", without("ours", "mine"), `section "cold" has no figure such as`},
		{"first-sync", without("floor", "roof"), `section "cold" has no figure "3000 objects: floor: bare client"`},
		{"first-sync", without("111 objects/s", "many"), `"many" is no figure`},
		{"sync-cost", without("3000 unchanged", "many unchanged"), `section "steady": its first line does not match`},
		{"sync-cost", without("3000 objects, 7 %", "4000 objects, 7 %"), `section "churn": its first line does not match`},
		{"sync-cost", without("41 ms", "41 MiB"), `"41 MiB" is not in s`},
	} {
		err := run([]string{tc.picture}, strings.NewReader(tc.input), io.Discard)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, not %q", tc.picture, err, tc.want)
		}
	}
	if err := run(nil, nil, nil); err == nil || !strings.Contains(err.Error(), strings.Join(slices.Sorted(maps.Keys(pictures)), ", ")) {
		t.Errorf("without a name: %v", err)
	}
}

func TestStepsAreRound(t *testing.T) {
	for most, want := range map[float64][]string{
		800:    {"0", "100", "200", "300", "400", "500", "600", "700", "800"},
		100000: {"0", "20,000", "40,000", "60,000", "80,000", "100,000"},
		267:    {"0", "50", "100", "150", "200", "250"},
		3000:   {"0", "500", "1,000", "1,500", "2,000", "2,500", "3,000"},
	} {
		var labels []string
		for _, tick := range steps(most) {
			labels = append(labels, tick.Label)
		}
		if !slices.Equal(labels, want) {
			t.Errorf("up to %v: %q, not %q", most, labels, want)
		}
	}
}
