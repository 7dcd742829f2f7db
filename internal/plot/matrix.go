package plot

import (
	"fmt"
	"strconv"
)

// Matrix draws a confusion matrix: rows are what happened, columns what the
// model said; each cell is shaded by its share of its row.
type Matrix struct {
	Title  string
	Labels []string
	Counts [][]float64
}

// SVG draws the diagram, or returns "" when there is nothing to draw.
func (m Matrix) SVG() string {
	k := len(m.Counts)
	if k == 0 {
		return ""
	}
	cell := max(34.0, min(96.0, 330.0/float64(k)))
	const left, top = 96.0, 48.0
	c := newCanvas("chart small matrix", left+cell*float64(k)+10, top+cell*float64(k)+10, m.Title, "")
	c.text("axis", "middle", left+cell*float64(k)/2, 14, "the model said", 40)
	c.text("axis", "start", 4, top-8, "it was", 20)
	for i, row := range m.Counts {
		c.text("tick", "middle", left+cell*(float64(i)+0.5), top-10, m.label(i), 12)
		c.text("tick", "end", left-8, top+cell*(float64(i)+0.5)+4, m.label(i), 13)
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		for j, v := range row {
			share := 0.0
			if sum > 0 {
				share = v / sum
			}
			m.cell(c, left+cell*float64(j), top+cell*float64(i), cell, i, j, v, share)
		}
	}
	return c.close()
}

func (m Matrix) cell(c *canvas, x, y, size float64, i, j int, v, share float64) {
	class := "miss"
	if i == j {
		class = "hit"
	}
	count := strconv.FormatFloat(v, 'f', -1, 64)
	c.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s" fill-opacity="%.2f"><title>%s</title></rect>`, class, num(x+1), num(y+1), num(size-2), num(size-2),
		0.08+0.42*share, escape(fmt.Sprintf("it was %s, the model said %s: %s rows, %s of its row", m.label(i), m.label(j), count, Percent(share))))
	c.text("count", "middle", x+size/2, y+size/2, count, 10)
	if size >= 50 {
		c.text("value", "middle", x+size/2, y+size/2+16, Percent(share), 8)
	}
}

func (m Matrix) label(i int) string {
	if i < len(m.Labels) {
		return m.Labels[i]
	}
	return strconv.Itoa(i)
}
