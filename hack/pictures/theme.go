// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"strings"
)

// Colours of a light page. A reader who prefers dark gets dark's in their place.
const (
	paper  = "#FFFFFF"
	ink    = "#1F2328"
	faint  = "#59636E"
	lines  = "#D1D9E0"
	blue   = "#0969DA"
	orange = "#BC4C00"
)

// dark has the colour for each colour above on a dark page.
var dark = []struct{ light, dark string }{
	{paper, "#0D1117"}, {ink, "#E6EDF3"}, {faint, "#9198A1"}, {lines, "#3D444D"}, {blue, "#4493F8"}, {orange, "#F0883E"},
}

// headed gives a drawing its title for those who cannot see it, and the colours of a dark page. In
// the drawing every colour stands in a style, as "fill:#1F2328". A program that knows no style sheet
// shows the light colours.
func headed(drawing, title string) string {
	var style strings.Builder
	for _, colour := range dark {
		for _, of := range []string{"fill", "stroke"} {
			_, _ = fmt.Fprintf(&style, `[style*="%s:%s"]{%[1]s:%[3]s!important}`+"\n", of, colour.light, colour.dark)
		}
	}
	start := strings.Index(drawing, "<svg")
	end := start + strings.Index(drawing[start:], ">")
	return "<!-- Drawn by `make pictures`, do not edit. -->\n" + drawing[start:end] + ` role="img">` + "\n<title>" + html.EscapeString(title) + "</title>\n" +
		"<style>@media (prefers-color-scheme:dark){\n" + style.String() + "}</style>" + drawing[end+1:]
}
