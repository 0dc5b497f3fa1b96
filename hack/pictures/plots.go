// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// family measures like Arial and Helvetica, one of which most readers have.
var family = font.Font{Typeface: "Liberation", Variant: "Sans"}

// Sizes of a plot.
const (
	plotWidth  = 580
	plotHeight = 310
	titleSize  = 15
	textSize   = 12
	edge       = 14
)

// plotOf returns what draws a plot from the text of docs/benchmarks.md.
func plotOf(build func(page) (*plot.Plot, error)) func(string) (string, error) {
	return func(text string) (string, error) {
		read, err := readPage(text)
		if err != nil {
			return "", err
		}
		p, err := build(read)
		if err != nil {
			return "", err
		}
		canvas := vgsvg.New(plotWidth, plotHeight)
		whole := draw.New(canvas)
		whole.SetColor(hex(paper))
		whole.Fill(whole.Path())
		p.Draw(draw.Crop(whole, edge, -edge, edge, -edge))
		var out strings.Builder
		if _, err := canvas.WriteTo(&out); err != nil {
			return "", err
		}
		return headed(strings.ReplaceAll(out.String(), "font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"), p.Title.Text), nil
	}
}

// memory draws the resident memory by the number of observations, and the goal.
func memory(read page) (*plot.Plot, error) {
	s, err := read.section("memory")
	if err != nil {
		return nil, err
	}
	at := regexp.MustCompile(`^at (\d+) observations$`)
	var measured, goals plotter.XYs
	var words []string
	for _, r := range s.rows {
		found := at.FindStringSubmatch(r.figure)
		if found == nil {
			continue
		}
		x, _ := strconv.ParseFloat(found[1], 64)
		figure, err := readQuantity(r.measured)
		if err != nil {
			return nil, err
		}
		y, err := figure.in("MiB")
		if err != nil {
			return nil, err
		}
		measured, words = append(measured, plotter.XY{X: x, Y: y}), append(words, figure.text)
		if goal, is := strings.CutPrefix(r.goal, "at most "); is {
			limit, err := readQuantity(goal)
			if err != nil {
				return nil, err
			}
			if y, err = limit.in("MiB"); err != nil {
				return nil, err
			}
			goals = append(goals, plotter.XY{X: x, Y: y})
		}
	}
	if len(measured) < 2 {
		return nil, fmt.Errorf("section %q has no two figures such as \"at 1000 observations\"", s.name)
	}
	p := newPlot("Memory by observations (less is better)", "observations", "resident memory in MiB")
	line, points, err := plotter.NewLinePoints(measured)
	if err != nil {
		return nil, err
	}
	line.LineStyle = draw.LineStyle{Color: hex(blue), Width: 2}
	points.GlyphStyle = draw.GlyphStyle{Color: hex(blue), Radius: 4, Shape: draw.CircleGlyph{}}
	limits, err := plotter.NewScatter(goals)
	if err != nil {
		return nil, err
	}
	limits.GlyphStyle = draw.GlyphStyle{Color: hex(orange), Radius: 9, Shape: dash{}}
	labels, err := labelled(measured, apart(measured, words), vg.Point{X: 9, Y: -13})
	if err != nil {
		return nil, err
	}
	p.Add(line, points, limits, labels)
	p.Legend.Add("operator", line, points)
	p.Legend.Add("goal, at most", limits)
	p.X.Min, p.Y.Min = 0, 0
	p.X.Tick.Marker, p.Y.Tick.Marker = steps(p.X.Max), steps(p.Y.Max)
	return p, nil
}

// firstSync draws how many objects a second a first sync mirrors, and the floor, for each size.
func firstSync(read page) (*plot.Plot, error) {
	s, err := read.section("cold")
	if err != nil {
		return nil, err
	}
	ours := regexp.MustCompile(`^(\d+) objects: ours$`)
	var sizes []string
	var series [2]plotter.Values
	var words [2][]string
	for _, r := range s.rows {
		found := ours.FindStringSubmatch(r.figure)
		if found == nil {
			continue
		}
		sizes = append(sizes, thousands(found[1])+" objects")
		for i, name := range []string{r.figure, found[1] + " objects: floor: bare client"} {
			figure, err := s.figure(name)
			if err != nil {
				return nil, err
			}
			value, err := figure.in("objects/s")
			if err != nil {
				return nil, err
			}
			series[i], words[i] = append(series[i], value), append(words[i], strings.TrimSuffix(figure.text, " objects/s"))
		}
	}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("section %q has no figure such as \"2000 objects: ours\"", s.name)
	}
	p := newPlot("First sync by size, beside its floor (more is better)", "size of the source", "objects mirrored a second")
	const width = 60
	for i, style := range []struct {
		name, colour string
		offset       vg.Length
	}{{"operator", blue, -width/2 - 2}, {"floor: bare client", orange, width/2 + 2}} {
		bars, err := plotter.NewBarChart(series[i], width)
		if err != nil {
			return nil, err
		}
		bars.Color, bars.LineStyle, bars.Offset = hex(style.colour), draw.LineStyle{}, style.offset
		tops := make(plotter.XYs, len(series[i]))
		for at, value := range series[i] {
			tops[at] = plotter.XY{X: float64(at), Y: value}
		}
		labels, err := labelled(tops, words[i], vg.Point{X: style.offset, Y: 5})
		if err != nil {
			return nil, err
		}
		for at := range labels.TextStyle {
			labels.TextStyle[at].XAlign = text.XCenter
		}
		p.Add(bars, labels)
		p.Legend.Add(style.name, bars)
	}
	p.NominalX(sizes...)
	p.Y.Min = 0
	p.X.Tick.Label.Font.Size = textSize
	p.X.Min, p.X.Max = -0.6, float64(len(sizes))-0.4
	p.Y.Tick.Marker = steps(p.Y.Max)
	p.Y.Max *= 1.4 // Room for the legend.
	return p, nil
}

// syncCost draws the processor time and the duration of a sync, by what changed.
func syncCost(read page) (*plot.Plot, error) {
	steady, err := read.section("steady")
	if err != nil {
		return nil, err
	}
	churn, err := read.section("churn")
	if err != nil {
		return nil, err
	}
	cold, err := read.section("cold")
	if err != nil {
		return nil, err
	}
	size, err := steady.number(regexp.MustCompile(`^(\d+) unchanged objects`))
	if err != nil {
		return nil, err
	}
	share, err := churn.number(regexp.MustCompile(`^` + size + ` objects, (\d+) % of them changed`))
	if err != nil {
		return nil, err
	}
	rows := []struct {
		of      section
		what    string
		figures [2]string
	}{
		{cold, "all are new", [2]string{size + " objects: manager's CPU", size + " objects: all of it"}},
		{churn, share + " % changed", [2]string{"CPU per sync", "time per sync"}},
		{steady, "nothing changed", [2]string{"CPU per sync", "time per sync"}},
	}
	var series [2]plotter.XYs
	var words [2][]string
	var names []string
	for y, row := range rows {
		names = append(names, row.what)
		for i, name := range row.figures {
			figure, err := row.of.figure(name)
			if err != nil {
				return nil, err
			}
			value, err := figure.in("s")
			if err != nil {
				return nil, err
			}
			series[i] = append(series[i], plotter.XY{X: value, Y: float64(y) + []float64{0.17, -0.17}[i]})
			words[i] = append(words[i], figure.text)
		}
	}
	p := newPlot("Cost of a sync of "+thousands(size)+" objects, by what changed (less is better)", "time, on a logarithmic scale", "")
	p.NominalY(names...)
	p.Y.Padding, p.Legend.Top, p.Legend.YOffs = 8, false, 6 // All but the lower left has points.
	p.Y.Tick.Label.Font.Size = textSize
	for i, style := range []struct {
		name, colour string
		shape        draw.GlyphDrawer
	}{{"manager's CPU time", blue, draw.CircleGlyph{}}, {"time from start to end", orange, draw.PyramidGlyph{}}} {
		points, err := plotter.NewScatter(series[i])
		if err != nil {
			return nil, err
		}
		points.GlyphStyle = draw.GlyphStyle{Color: hex(style.colour), Radius: 5.5, Shape: style.shape}
		labels, err := labelled(series[i], words[i], vg.Point{X: 10, Y: -4})
		if err != nil {
			return nil, err
		}
		p.Add(points, labels)
		p.Legend.Add(style.name, points)
	}
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades(p.X.Min, p.X.Max)
	p.X.Min, p.X.Max = decade(p.X.Min, math.Floor), decade(p.X.Max, math.Ceil)
	p.Y.Min, p.Y.Max = -0.9, float64(len(rows))-0.6
	return p, nil
}

// decade returns the power of ten next to a value, in the direction of round.
func decade(value float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(value)))
}

// decades has a tick at each power of ten around a range of seconds.
func decades(from, to float64) (ticks plot.ConstantTicks) {
	for exponent := math.Floor(math.Log10(from)); exponent <= math.Ceil(math.Log10(to)); exponent++ {
		value := math.Pow(10, exponent)
		label := strconv.FormatFloat(value, 'g', -1, 64) + " s"
		if exponent < 0 {
			label = strconv.FormatFloat(math.Round(value*1e6)/1e3, 'g', -1, 64) + " ms"
		}
		ticks = append(ticks, plot.Tick{Value: value, Label: label})
	}
	return ticks
}

// apart drops the words of points that are too near to the one before.
func apart(points plotter.XYs, words []string) []string {
	kept, last := make([]string, len(words)), math.Inf(-1)
	for i, point := range points {
		if point.X-last >= points[len(points)-1].X/20 {
			kept[i], last = words[i], point.X
		}
	}
	return kept
}

// steps has up to nine ticks from 0 up to a value: at multiples of 1, 2 or 5 with zeros behind.
func steps(most float64) (ticks plot.ConstantTicks) {
	step := decade(most, math.Floor)
	for _, parts := range []float64{10, 5, 2} {
		if most/(step/parts) <= 8 {
			step /= parts
			break
		}
	}
	for value := 0.0; value <= most; value += step {
		ticks = append(ticks, plot.Tick{Value: value, Label: thousands(strconv.FormatFloat(value, 'f', -1, 64))})
	}
	return ticks
}

// dash is a glyph: a flat line.
type dash struct{}

// DrawGlyph draws it.
func (dash) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: 2.5})
	var path vg.Path
	path.Move(vg.Point{X: at.X - style.Radius, Y: at.Y})
	path.Line(vg.Point{X: at.X + style.Radius, Y: at.Y})
	c.Stroke(path)
}

// newPlot returns an empty plot with a grid.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text, p.Title.Padding, p.Title.TextStyle = title, 10, style(titleSize, ink)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = text.XCenter, text.YTop
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = hex(faint), hex(faint)
		aligned := axis.Label.TextStyle
		axis.Label.TextStyle = style(textSize, faint)
		axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign, axis.Label.TextStyle.Rotation = aligned.XAlign, aligned.YAlign, aligned.Rotation
		axis.Label.Padding = 6
		axis.Tick.Label.Font, axis.Tick.Label.Color = font.From(family, textSize), hex(faint)
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs, p.Legend.YOffs, p.Legend.Padding, p.Legend.ThumbnailWidth = 12, -4, 4, 18
	p.Legend.TextStyle = style(textSize, ink)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = hex(lines), hex(lines)
	grid.Horizontal.Width, grid.Vertical.Width = 0.7, 0.7
	p.Add(grid)
	return p
}

// labelled returns the words next to the points.
func labelled(at plotter.XYs, words []string, offset vg.Point) (*plotter.Labels, error) {
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: words})
	if err != nil {
		return nil, err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i] = style(textSize, ink)
	}
	labels.Offset = offset
	return labels, nil
}

func style(size vg.Length, colour string) text.Style {
	return text.Style{Color: hex(colour), Font: font.From(family, size), Handler: plot.DefaultTextHandler}
}

// hex reads a colour such as #1F2328.
func hex(colour string) color.Color {
	value, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 24)
	if err != nil {
		panic(err) // It is one of this program's.
	}
	return color.RGBA{uint8(value >> 16), uint8(value >> 8), uint8(value), 0xFF}
}
