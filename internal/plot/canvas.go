package plot

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// canvas collects the elements of one diagram.
type canvas struct{ strings.Builder }

// newCanvas opens a diagram. Title and what says, to those who do not see, what
// it shows.
func newCanvas(class string, w, h float64, title, what string) *canvas {
	c := &canvas{}
	label := title
	if what != "" {
		label += ": " + what
	}
	c.add(`<svg class="%s" viewBox="0 0 %s %s" role="img" aria-label="%s">`, class, num(w), num(h), escape(label))
	return c
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(c, format, args...) }

func (c *canvas) close() string {
	c.WriteString("</svg>")
	return c.String()
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.add(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

// text writes at most limit characters, and all of them under the pointer.
func (c *canvas) text(class, anchor string, x, y float64, text string, limit int) {
	shown, hint := text, ""
	if utf8.RuneCountInString(text) > limit {
		shown, hint = string([]rune(text)[:limit-1])+"…", "<title>"+escape(text)+"</title>"
	}
	c.add(`<text class="%s" x="%s" y="%s" text-anchor="%s">%s%s</text>`, class, num(x), num(y), anchor, escape(shown), hint)
}

// rect draws a box that tells, under the pointer, what it stands for.
func (c *canvas) rect(class string, x, y, w, h float64, hint string) {
	c.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>`, class, num(x), num(y), num(w), num(h), escape(hint))
}

// legend names the series in one line that begins at x.
func (c *canvas) legend(x, y float64, names ...string) {
	for i, name := range names {
		c.add(`<g class="s%d"><rect class="key" x="%s" y="%s" width="11" height="11"/></g>`, i, num(x), num(y-10))
		c.text("legend", "start", x+16, y, name, 28)
		x += 30 + 6.4*float64(min(utf8.RuneCountInString(name), 28))
	}
}

// num writes a coordinate with at most one decimal.
func num(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func escape(s string) string { return html.EscapeString(s) }

// Percent writes a share as people say it: 12.3 %, 0.04 %, 100 %. Number and sign
// stay in one line.
func Percent(share float64) string {
	const sign = "\u00a0%"
	p := math.Round(100*share*1e9) / 1e9 // 0.15 is 15, not 15.000000000000002
	switch size := math.Abs(p); {
	case p == math.Trunc(p) || size >= 99.95:
		return strconv.FormatFloat(p+0, 'f', 0, 64) + sign // −0 is 0
	case size < 0.1:
		return strconv.FormatFloat(p, 'g', 1, 64) + sign
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + sign
}

// Number writes a value with at most four significant digits, without an
// exponent while it is readable without: 12,345.6 is 12346, 0.00012 stays.
func Number(v float64) string {
	size := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case size >= 1e7 || size < 1e-4:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case size >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 3 - int(math.Floor(math.Log10(size)))
	text := strconv.FormatFloat(v, 'f', max(digits, 0), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
