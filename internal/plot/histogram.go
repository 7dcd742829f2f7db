package plot

import "fmt"

// Histogram draws how numbers are distributed, one or two samples over the same
// bins: the first filled, the second outlined.
type Histogram struct {
	Title string
	Names []string // of the samples
	Edges []float64
	// Shares are, for each sample, the shares of its rows in the bins between the
	// edges: one fewer than Edges.
	Shares [][]float64
	// Below and Above are the shares beyond the first and the last edge, for each
	// sample; nil when there are none.
	Below, Above []float64
}

// SVG draws the diagram, or returns "" when there is nothing to draw.
func (h Histogram) SVG() string {
	if len(h.Edges) < 2 || len(h.Shares) == 0 || !drawable(h.Edges[0]) || !drawable(h.Edges[len(h.Edges)-1]) {
		return ""
	}
	const w, ht = 420.0, 232.0
	c := newCanvas("chart small", w, ht, h.Title, "")
	a := axes{left: 56, top: 34, right: w - 14, bottom: ht - 34, x0: h.Edges[0], x1: h.Edges[len(h.Edges)-1]}
	top := 0.0
	for _, s := range h.Shares {
		for _, v := range s {
			top = max(top, v)
		}
	}
	ticks := Ticks(0, max(top, 1e-6))
	a.y1 = ticks[len(ticks)-1]
	a.gridY(c, ticks, percents(ticks))
	round := within(Ticks(a.x0, a.x1), a.x0, a.x1)
	a.ticksX(c, round, tickTexts(round))
	for i, shares := range h.Shares {
		h.draw(c, a, i, shares)
	}
	c.legend(a.left, 16, h.Names...)
	h.beyond(c, a)
	return c.close()
}

func percents(ticks []float64) []string {
	out := make([]string, len(ticks))
	for i, v := range ticks {
		out[i] = Percent(v)
	}
	return out
}

func (h Histogram) draw(c *canvas, a axes, i int, shares []float64) {
	c.add(`<g class="s%d">`, i)
	if i > 0 {
		c.add(`<polyline class="step" points="%s,%s`, num(a.left), num(a.bottom))
		for j, v := range shares {
			c.add(" %s,%s %s,%s", num(a.x(h.Edges[j])), num(a.y(v)), num(a.x(h.Edges[j+1])), num(a.y(v)))
		}
		c.add(` %s,%s"/>`, num(a.right), num(a.bottom))
	}
	for j, v := range shares {
		class := "fill"
		if i > 0 {
			class = "ghost" // only to be pointed at
		}
		hint := fmt.Sprintf("%s, %s to %s: %s", h.name(i), Number(h.Edges[j]), Number(h.Edges[j+1]), Percent(v))
		if v > 0 {
			c.rect(class, a.x(h.Edges[j]), a.y(v), a.x(h.Edges[j+1])-a.x(h.Edges[j]), a.bottom-a.y(v), hint)
		}
	}
	c.add("</g>")
}

func (h Histogram) name(i int) string {
	if i < len(h.Names) {
		return h.Names[i]
	}
	return ""
}

// beyond says what lies outside the bins, since a few far values would squeeze
// all others into one.
func (h Histogram) beyond(c *canvas, a axes) {
	for i := range h.Shares {
		y := a.top + 12 + 13*float64(i)
		if i < len(h.Below) && h.Below[i] > 0 {
			c.text(fmt.Sprintf("beyond t%d", i), "start", a.left+4, y, "← "+Percent(h.Below[i]), 20)
		}
		if i < len(h.Above) && h.Above[i] > 0 {
			c.text(fmt.Sprintf("beyond t%d", i), "end", a.right-2, y, Percent(h.Above[i])+" →", 20)
		}
	}
}
