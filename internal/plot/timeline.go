package plot

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// Timeline is one diagram of values over time.
type Timeline struct {
	Title    string // read aloud by screen readers
	From, To time.Time
	Series   []Series
	Limits   []Limit
	Markers  []Marker
	Zero     bool // the value axis begins at zero
}

// Series is one line, of class "s0", "s1", … in the order given.
type Series struct {
	Name   string
	Dashed bool // and hollow points: an estimate
	Points []Point
}

// Mark is the shape of a point.
type Mark int

// Marks, from harmless to alarming.
const (
	Circle Mark = iota
	Triangle
	Square
)

// Point is one value. Those that are no finite number, or beyond 1e300, are left
// out.
type Point struct {
	At    time.Time
	Value float64
	Mark  Mark
	Label string // shown under the pointer
}

// Limit is a horizontal line, left out like a point.
type Limit struct {
	Value float64
	Label string
}

// Marker is a vertical line: something happened.
type Marker struct {
	At    time.Time
	Label string
}

// Size of a timeline and of its margins, in its own units.
const (
	width, height            = 760.0, 230.0
	left, right, top, bottom = 52.0, 96.0, 22.0, 28.0
)

// frame maps instants and values to the diagram.
type frame struct {
	from, to time.Time
	low      float64
	high     float64
	ticks    []float64
}

func (f frame) x(t time.Time) float64 {
	span := f.to.Sub(f.from).Seconds()
	if span <= 0 {
		return left
	}
	return left + (width-left-right)*t.Sub(f.from).Seconds()/span
}

func (f frame) y(v float64) float64 {
	return height - bottom - (height-top-bottom)*(v-f.low)/(f.high-f.low)
}

func (f frame) inside(t time.Time) bool { return !t.Before(f.from) && !t.After(f.to) }

// SVG draws the diagram, or returns "" when no series has a point.
func (c Timeline) SVG() string {
	f, ok := c.frame()
	if !ok {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, html.EscapeString(c.Title))
	c.drawAxes(&b, f)
	c.drawLimits(&b, f)
	c.drawMarkers(&b, f)
	for i, s := range c.Series {
		s.draw(&b, f, i)
	}
	b.WriteString("</svg>")
	return b.String()
}

// frame spans all finite values, and the limits.
func (c Timeline) frame() (frame, bool) {
	low, high, any := math.Inf(1), math.Inf(-1), false
	take := func(v float64) { low, high = min(low, v), max(high, v) }
	for _, s := range c.Series {
		for _, p := range s.finite() {
			take(p.Value)
			any = true
		}
	}
	if !any {
		return frame{}, false
	}
	for _, l := range c.Limits {
		if drawable(l.Value) {
			take(l.Value)
		}
	}
	if c.Zero {
		take(0)
	}
	ticks := Ticks(low, high)
	return frame{from: c.From, to: c.To, low: ticks[0], high: ticks[len(ticks)-1], ticks: ticks}, true
}

func (c Timeline) drawAxes(b *strings.Builder, f frame) {
	for i, text := range tickTexts(f.ticks) {
		y := f.y(f.ticks[i])
		fmt.Fprintf(b, `<line class="grid" x1="%g" x2="%g" y1="%s" y2="%s"/>`, left, width-right, num(y), num(y))
		fmt.Fprintf(b, `<text class="tick" x="%g" y="%s" text-anchor="end">%s</text>`, left-8, num(y+4), text)
	}
	const n = 4
	for i := range n + 1 {
		at := f.from.Add(f.to.Sub(f.from) * time.Duration(i) / n)
		fmt.Fprintf(b, `<text class="tick" x="%s" y="%g" text-anchor="middle">%s</text>`, num(f.x(at)), height-8, at.UTC().Format(layout(f.to.Sub(f.from))))
	}
}

// layout shows as much of an instant as a span needs.
func layout(span time.Duration) string {
	switch {
	case span < 30*time.Minute:
		return "15:04:05"
	case span < 24*time.Hour:
		return "15:04"
	case span < 8*24*time.Hour:
		return "2 Jan 15:04"
	}
	return "2 Jan 2006"
}

func (c Timeline) drawLimits(b *strings.Builder, f frame) {
	for _, l := range c.Limits {
		if !drawable(l.Value) {
			continue
		}
		y := num(f.y(l.Value))
		fmt.Fprintf(b, `<line class="limit" x1="%g" x2="%g" y1="%s" y2="%s"/>`, left, width-right, y, y)
		fmt.Fprintf(b, `<text class="limit-label" x="%g" y="%s">%s</text>`, width-right+8, num(f.y(l.Value)+4), html.EscapeString(l.Label))
	}
}

// drawMarkers leaves out a label that would be written over the one before.
func (c Timeline) drawMarkers(b *strings.Builder, f frame) {
	last := math.Inf(-1)
	for _, m := range c.Markers {
		if !f.inside(m.At) {
			continue
		}
		x := f.x(m.At)
		fmt.Fprintf(b, `<line class="marker" x1="%s" x2="%s" y1="%g" y2="%g"/>`, num(x), num(x), top, height-bottom)
		if x-last > 26 {
			fmt.Fprintf(b, `<text class="marker-label" x="%s" y="%g" text-anchor="middle">%s</text>`, num(x), top-7, html.EscapeString(m.Label))
			last = x
		}
	}
}

func (s Series) finite() []Point {
	var points []Point
	for _, p := range s.Points {
		if drawable(p.Value) {
			points = append(points, p)
		}
	}
	return points
}

func (s Series) draw(b *strings.Builder, f frame, i int) {
	points := s.finite()
	class := fmt.Sprintf("s%d", i)
	if s.Dashed {
		class += " dashed"
	}
	fmt.Fprintf(b, `<g class="%s"><polyline points="`, class)
	for j, p := range points {
		if j > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(num(f.x(p.At)) + "," + num(f.y(p.Value)))
	}
	b.WriteString(`"/>`)
	for _, p := range points {
		p.draw(b, f.x(p.At), f.y(p.Value))
	}
	b.WriteString("</g>")
}

func (p Point) draw(b *strings.Builder, x, y float64) {
	title := "<title>" + html.EscapeString(p.Label) + "</title>"
	switch p.Mark {
	case Triangle:
		fmt.Fprintf(b, `<path class="watch" d="M%s %sl5 9h-10z">%s</path>`, num(x), num(y-5.5), title)
	case Square:
		fmt.Fprintf(b, `<rect class="act" x="%s" y="%s" width="8" height="8">%s</rect>`, num(x-4), num(y-4), title)
	default:
		fmt.Fprintf(b, `<circle cx="%s" cy="%s" r="3.5">%s</circle>`, num(x), num(y), title)
	}
}
