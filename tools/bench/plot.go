package main

import (
	"bytes"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// growthPlot is a picture of medians along the populations, on logarithmic axes:
// what costs the same among many is a flat line.
type growthPlot struct {
	file  string
	title string
	among string
	lines []line
}

type line struct {
	name, pattern, unit string
}

const p50, floorP50 = "p50-ns", "floor-p50-ns"

var plots = []growthPlot{
	{"changes.svg", "Changes and reads of one account", "accounts", []line{
		{"create without its hash", "CreateWithoutHash/accounts=*", p50},
		{"edit a role", "Edit/accounts=*", p50},
		{"grant", "Grant/accounts=*", p50},
		{"show", "Call/accounts=*", p50},
		{"floor of a change", "Grant/accounts=*", floorP50},
		{"floor of a call", "Call/accounts=*", floorP50},
	}},
	{"hashing.svg", "What hashes a password, and starts", "accounts", []line{
		{"create", "Create/accounts=*", p50},
		{"login", "Login/accounts=*", p50},
		{"users show, end to end", "Command/accounts=*", p50},
		{"host start", "Start/accounts=*", p50},
		{"floor of a login", "Login/accounts=*", floorP50},
		{"floor of a host start", "Start/accounts=*", floorP50},
	}},
	{"checks.svg", "Token checks and ending sessions", "sessions", []line{
		{"token check", "TokenCheck/sessions=*", p50},
		{"while sessions come and go", "TokenCheck/sessions=*/writers=1", p50},
		{"end ten sessions", "EndSessions/sessions=*", p50},
		{"floor of a check", "TokenCheck/sessions=*", floorP50},
		{"floor of an end", "EndSessions/sessions=*", floorP50},
	}},
	{"listing.svg", "Every session listed, which takes longer the more there are", "sessions", []line{
		{"users sessions", "ListSessions/sessions=*/format=table", p50},
		{"users sessions --format json", "ListSessions/sessions=*/format=json", p50},
		{"floor: snapshot and sort", "ListSessions/sessions=*/format=table", floorP50},
	}},
}

// colours can be told apart by all, and on white.
var colours = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff},
}

// greys are the floors'.
var greys = []color.Color{color.Gray{0x50}, color.Gray{0xa0}}

func (g growthPlot) draw(m *measured) ([]byte, error) {
	p := plot.New()
	p.Title.Text = g.title
	p.X.Label.Text, p.Y.Label.Text = g.among, "median"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades(grouped), decades(duration)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(-8), vg.Points(6)
	p.BackgroundColor = color.White
	p.Add(plotter.NewGrid())
	low, high, floors := math.Inf(1), math.Inf(-1), 0
	for i, l := range g.lines {
		all, err := m.along(l.pattern)
		if err != nil {
			return nil, err
		}
		points := make(plotter.XYs, len(all))
		for j, r := range all {
			points[j].X = r.population()
			if points[j].Y, err = r.metric(l.unit); err != nil {
				return nil, err
			}
			low, high = min(low, points[j].Y), max(high, points[j].Y)
		}
		drawn, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		drawn.Width, marks.Shape = vg.Points(1.5), draw.CircleGlyph{}
		if l.unit == floorP50 {
			drawn.Color, drawn.Dashes = greys[floors], []vg.Length{vg.Points(4), vg.Points(3)}
			floors++
		} else {
			drawn.Color = colours[i-floors]
		}
		marks.Color = drawn.Color
		p.Add(drawn, marks)
		p.Legend.Add(l.name, drawn, marks)
	}
	p.X.Min, p.X.Max = p.X.Min/1.3, p.X.Max*1.3
	// Whole decades, and one below for the legend.
	p.Y.Min, p.Y.Max = math.Pow10(int(math.Floor(math.Log10(low)))-1), math.Pow10(int(math.Ceil(math.Log10(high))))
	w, err := p.WriterTo(18*vg.Centimeter, 11*vg.Centimeter, "svg")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	return b.Bytes(), err
}

// whole leaves out the digits that a power of ten does not need.
var whole = strings.NewReplacer(".00 ", " ", ".0 ", " ")

// decades marks the powers of ten.
type decades func(float64) string

func (d decades) Ticks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		all = append(all, plot.Tick{Value: math.Pow(10, e), Label: whole.Replace(d(math.Pow(10, e)))})
	}
	return all
}
