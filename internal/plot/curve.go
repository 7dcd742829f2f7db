package plot

import (
	"fmt"
	"math"
)

// Curves draws lines in the unit square: ROC, precision and recall, reliability.
type Curves struct {
	Title, X, Y string
	Lines       []Line
	Diagonal    bool // what guessing, or perfect calibration, would give
	Level       *float64
}

// Line is one line. Low and High, if given, are an interval of Y at each point,
// which is then marked; Labels say more of a point under the pointer.
type Line struct {
	Name      string
	X, Y      []float64
	Low, High []float64
	Labels    []string
}

// maxCurvePoints is how many points of a line are drawn: more cannot be seen.
const maxCurvePoints = 400

// SVG draws the diagram, or returns "" when no line has a point.
func (p Curves) SVG() string {
	const w, ht = 380.0, 360.0
	names, any := []string{}, false
	for _, l := range p.Lines {
		names = append(names, l.Name)
		any = any || len(l.X) > 0
	}
	if !any {
		return ""
	}
	c := newCanvas("chart small", w, ht, p.Title, "")
	a := axes{left: 58, top: 28, right: w - 14, bottom: ht - 46, x1: 1, y1: 1}
	ticks := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	a.gridY(c, ticks, tickTexts(ticks))
	a.ticksX(c, ticks, tickTexts(ticks))
	a.names(c, p.X, p.Y)
	if p.Diagonal {
		c.line("diagonal", a.left, a.bottom, a.right, a.top)
	}
	if p.Level != nil && drawable(*p.Level) {
		c.line("diagonal", a.left, a.y(*p.Level), a.right, a.y(*p.Level))
	}
	for i, l := range p.Lines {
		l.draw(c, a, i)
	}
	c.legend(a.left, 15, names...)
	return c.close()
}

func (l Line) draw(c *canvas, a axes, i int) {
	c.add(`<g class="s%d l%d"><polyline points="`, i, i)
	for k := 0; k < len(l.X); k += l.stride(k) {
		if unit(l.X[k]) && unit(l.Y[k]) {
			c.add("%s,%s ", num(a.x(l.X[k])), num(a.y(l.Y[k])))
		}
	}
	c.add(`"/>`)
	if l.Low != nil {
		for k := range l.X {
			l.mark(c, a, i, k)
		}
	}
	c.add("</g>")
}

// stride thins a line; its last point is always drawn.
func (l Line) stride(k int) int {
	step := (len(l.X) + maxCurvePoints - 1) / maxCurvePoints
	if k < len(l.X)-1 {
		return min(step, len(l.X)-1-k)
	}
	return step
}

func (l Line) mark(c *canvas, a axes, i, k int) {
	x, y := l.X[k], l.Y[k]
	if !unit(x) || !unit(y) {
		return
	}
	if unit(l.Low[k]) && unit(l.High[k]) {
		c.line("whisker", a.x(x), a.y(l.Low[k]), a.x(x), a.y(l.High[k]))
	}
	hint := fmt.Sprintf("%s: %s, %s", l.Name, Number(x), Number(y))
	if k < len(l.Labels) {
		hint = l.Labels[k]
	}
	if i%2 == 0 {
		c.add(`<circle cx="%s" cy="%s" r="3.5"><title>%s</title></circle>`, num(a.x(x)), num(a.y(y)), escape(hint))
	} else {
		c.rect("fill", a.x(x)-3.5, a.y(y)-3.5, 7, 7, hint)
	}
}

func unit(v float64) bool { return v >= 0 && v <= 1 && !math.IsNaN(v) }
