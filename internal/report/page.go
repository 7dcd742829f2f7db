package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"

	"steward/internal/plot"
	"steward/internal/stats"
)

//go:embed page.html
var source string

//go:embed page.css
var style string

var pages = template.Must(template.New("page").Funcs(template.FuncMap{
	"figure": func(d stats.Drift, v float64) string { return figure(d, v) },
	"share":  share, "signed": signed, "number": plot.Number, "level": level,
}).Parse(source))

// page is what both kinds of pages show.
type page struct {
	Title    string
	Style    template.CSS
	Made     string
	Profile  *profilePage
	Compared *comparisonPage
}

type profilePage struct {
	Side
	Columns []picture
}

type comparisonPage struct {
	*Comparison
	Overview template.HTML
	Missing  template.HTML
	Far      []picture // what has moved, to be seen at once
	Near     []picture // the rest
}

// picture is one column with its diagram.
type picture struct {
	Summary
	Column Column
	Plot   template.HTML
}

// WriteProfilePage writes a table's profile as one page without anything else to
// load. made is when, for the reader.
func WriteProfilePage(w io.Writer, s Side, made time.Time) error {
	p := &profilePage{Side: s}
	p.Rows = s.Profile.Rows
	for _, c := range s.Profile.Columns {
		shape, err := stats.ShapeOf(c, c)
		if err != nil {
			return err
		}
		p.Columns = append(p.Columns, picture{Summary: Summarise(c), Plot: draw(c.Name, shape, []string{"share of the rows"})})
	}
	return pages.Execute(w, page{Title: "Profile of " + s.Name, Style: css(), Made: when(made), Profile: p})
}

// WriteComparisonPage writes a comparison as one page without anything else to
// load: words, pictures, figures.
func WriteComparisonPage(w io.Writer, c *Comparison, made time.Time) error {
	p := &comparisonPage{Comparison: c, Overview: c.overview(), Missing: c.missing()}
	for _, col := range c.all() {
		pic := picture{Column: col, Plot: draw(col.Drift.Column, col.Shape, []string{"A", "B"})}
		if col.Level == stats.None && (c.Label == nil || col.Drift.Column != c.Label.Drift.Column) {
			p.Near = append(p.Near, pic)
		} else {
			p.Far = append(p.Far, pic)
		}
	}
	return pages.Execute(w, page{Title: c.A.Name + " against " + c.B.Name, Style: css(), Made: when(made), Compared: p})
}

func css() template.CSS { return template.CSS(plot.Style + style) }

func when(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// draw draws a shape: of one sample if one name is given.
func draw(title string, s stats.Shape, names []string) template.HTML {
	shares := s.Shares[:len(names)]
	if s.Labels != nil {
		return template.HTML(plot.Categories{Title: title, Names: names, Labels: s.Labels, Shares: shares}.SVG())
	}
	return template.HTML(plot.Histogram{Title: title, Names: names, Edges: s.Edges, Shares: shares,
		Below: s.Below[:len(names)], Above: s.Above[:len(names)]}.SVG())
}

func (c *Comparison) overview() template.HTML {
	r := plot.Ranking{Title: "how far each column moved", Unit: "PSI",
		Limits: []plot.Limit{{Value: c.Watch, Label: "watch"}, {Value: c.Act, Label: "act"}}}
	for _, col := range c.all() {
		mark := map[stats.Level]plot.Mark{stats.Watch: plot.Triangle, stats.Act: plot.Square}[col.Level]
		r.Names, r.Values, r.Marks = append(r.Names, col.Drift.Column), append(r.Values, col.PSI), append(r.Marks, mark)
	}
	return template.HTML(r.SVG())
}

// missing draws the shares of missing values, if there are any.
func (c *Comparison) missing() template.HTML {
	g := plot.Categories{Title: "rows without a value", Names: []string{"A", "B"}, Shares: make([][]float64, 2)}
	for _, col := range c.all() {
		a, _ := c.A.Profile.Column(col.Drift.Column)
		b, _ := c.B.Profile.Column(col.Drift.Column)
		if a.Missing+b.Missing > 0 {
			g.Labels = append(g.Labels, col.Drift.Column)
			g.Shares[0], g.Shares[1] = append(g.Shares[0], a.MissingShare()), append(g.Shares[1], b.MissingShare())
		}
	}
	return template.HTML(g.SVG())
}
