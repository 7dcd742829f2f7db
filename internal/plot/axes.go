package plot

// axes map values to a box within a canvas, x to the right and y upwards.
type axes struct {
	left, top, right, bottom float64 // the box
	x0, x1, y0, y1           float64 // the values at its edges
}

func (a axes) x(v float64) float64 { return a.left + (a.right-a.left)*(v-a.x0)/(a.x1-a.x0) }
func (a axes) y(v float64) float64 { return a.bottom - (a.bottom-a.top)*(v-a.y0)/(a.y1-a.y0) }

// gridY draws horizontal lines at round values, and what they stand for.
func (a axes) gridY(c *canvas, ticks []float64, texts []string) {
	for i, v := range ticks {
		c.line("grid", a.left, a.y(v), a.right, a.y(v))
		c.text("tick", "end", a.left-7, a.y(v)+4, texts[i], 12)
	}
}

// ticksX writes round values below the box.
func (a axes) ticksX(c *canvas, ticks []float64, texts []string) {
	for i, v := range ticks {
		c.line("grid", a.x(v), a.bottom, a.x(v), a.bottom+4)
		c.text("tick", "middle", a.x(v), a.bottom+17, texts[i], 12)
	}
}

// names writes what the axes are.
func (a axes) names(c *canvas, x, y string) {
	c.text("axis", "middle", (a.left+a.right)/2, a.bottom+34, x, 60)
	c.add(`<text class="axis" text-anchor="middle" transform="translate(%s %s) rotate(-90)">%s</text>`, num(a.left-42), num((a.top+a.bottom)/2), escape(y))
}

// within keeps the values of one axis that lie in [low, high].
func within(ticks []float64, low, high float64) []float64 {
	slack := (high - low) * 1e-9
	var out []float64
	for _, t := range ticks {
		if t >= low-slack && t <= high+slack {
			out = append(out, t)
		}
	}
	return out
}
