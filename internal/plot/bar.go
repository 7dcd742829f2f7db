package plot

import (
	"fmt"
	"html"
	"strings"
)

// Share is one part of a bar, in percent.
type Share struct {
	Name    string
	Percent int
}

// Bar draws shares of a whole side by side, of class "s0", "s1", … in the
// order given. Parts too narrow for their name show it under the pointer only.
func Bar(title string, shares []Share) string {
	const width, height = 760.0, 30.0
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="bar" viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, html.EscapeString(title))
	x := 0.0
	for i, s := range shares {
		w := width * float64(s.Percent) / 100
		label := html.EscapeString(fmt.Sprintf("%s %d %%", s.Name, s.Percent))
		fmt.Fprintf(&b, `<g class="s%d"><rect x="%s" y="0" width="%s" height="%g"><title>%s</title></rect>`, i, num(x), num(w), height, label)
		if w >= 60 {
			fmt.Fprintf(&b, `<text x="%s" y="20" text-anchor="middle">%s</text>`, num(x+w/2), label)
		}
		b.WriteString("</g>")
		x += w
	}
	b.WriteString("</svg>")
	return b.String()
}
