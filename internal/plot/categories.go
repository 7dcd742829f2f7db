package plot

import "fmt"

// Categories draws the shares of categories, of one or two samples: a pair of
// bars for each, the first filled, the second outlined.
type Categories struct {
	Title  string
	Names  []string // of the samples
	Labels []string // of the categories
	Shares [][]float64
}

// SVG draws the diagram, or returns "" when there is nothing to draw.
func (g Categories) SVG() string {
	if len(g.Labels) == 0 || len(g.Shares) == 0 {
		return ""
	}
	const w, name = 420.0, 118.0
	bar := 9.0
	if len(g.Shares) == 1 {
		bar = 12
	}
	row := bar*float64(len(g.Shares)) + 7
	ht := 30 + row*float64(len(g.Labels)) + 24
	c := newCanvas("chart small", w, ht, g.Title, "")
	top := 0.0
	for _, s := range g.Shares {
		for _, v := range s {
			top = max(top, v)
		}
	}
	ticks := Ticks(0, max(top, 1e-6))
	a := axes{left: name, top: 26, right: w - 48, bottom: ht - 22, x1: ticks[len(ticks)-1], y1: 1}
	for i, t := range percents(ticks) {
		c.line("grid", a.x(ticks[i]), a.top, a.x(ticks[i]), a.bottom)
		if i%2 == 0 {
			c.text("tick", "middle", a.x(ticks[i]), a.bottom+15, t, 12)
		}
	}
	for k, label := range g.Labels {
		y := a.top + 4 + row*float64(k)
		c.text("tick", "end", a.left-7, y+row/2, label, 17)
		for i, shares := range g.Shares {
			g.draw(c, a, i, y+bar*float64(i), bar, label, shares[k])
		}
	}
	c.legend(a.left, 15, g.Names...)
	return c.close()
}

func (g Categories) draw(c *canvas, a axes, i int, y, bar float64, label string, share float64) {
	class := "fill"
	if i > 0 {
		class = "outline"
	}
	name := ""
	if i < len(g.Names) {
		name = g.Names[i] + ", "
	}
	c.add(`<g class="s%d">`, i)
	c.rect(class, a.left, y, a.x(share)-a.left, bar-2, fmt.Sprintf("%s%s: %s", name, label, Percent(share)))
	c.add("</g>")
}
