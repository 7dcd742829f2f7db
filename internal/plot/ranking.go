package plot

import "fmt"

// Ranking draws one value for each of several names, with the limits that it is
// judged by: how far each column moved, or how much it matters.
type Ranking struct {
	Title  string
	Unit   string // of the values: what the axis is called
	Names  []string
	Values []float64
	Marks  []Mark // how bad each is; nil: none is
	Limits []Limit
}

// SVG draws the diagram, or returns "" when there is nothing to draw.
func (r Ranking) SVG() string {
	if len(r.Names) == 0 {
		return ""
	}
	const w, row = 860.0, 21.0
	ht := 30 + row*float64(len(r.Names)) + 42
	c := newCanvas("chart", w, ht, r.Title, "")
	high := 0.0
	for _, v := range r.Values {
		if drawable(v) {
			high = max(high, v)
		}
	}
	for _, l := range r.Limits {
		high = max(high, l.Value)
	}
	ticks := Ticks(0, max(high, 1e-9))
	a := axes{left: 200, top: 26, right: w - 70, bottom: 26 + row*float64(len(r.Names)), x1: ticks[len(ticks)-1], y1: 1}
	a.ticksX(c, ticks, tickTexts(ticks))
	c.text("axis", "middle", (a.left+a.right)/2, a.bottom+35, r.Unit, 60)
	for k, name := range r.Names {
		r.draw(c, a, k, name, a.top+row*float64(k))
	}
	for _, l := range r.Limits {
		c.line("limit", a.x(l.Value), a.top-4, a.x(l.Value), a.bottom)
		c.text("limit-label", "middle", a.x(l.Value), a.top-9, l.Label, 20)
	}
	return c.close()
}

func (r Ranking) draw(c *canvas, a axes, k int, name string, y float64) {
	const bar = 13.0
	c.text("tick", "end", a.left-8, y+bar, name, 26)
	v := r.Values[k]
	if !drawable(v) {
		return
	}
	class := "s0"
	if k < len(r.Marks) {
		class = [...]string{Circle: "s0", Triangle: "warned", Square: "alarmed"}[r.Marks[k]]
	}
	c.add(`<g class="%s">`, class)
	c.rect("fill", a.left, y+3, max(a.x(v)-a.left, 1), bar, fmt.Sprintf("%s: %.3f", name, v))
	c.add("</g>")
	c.text("value", "start", max(a.x(v), a.left)+6, y+bar+1, fmt.Sprintf("%.3f", v), 10)
}
