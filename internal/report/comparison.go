package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"steward/internal/stats"
)

// Side is one of two tables that are compared.
type Side struct {
	Name    string         `json:"name"`
	Profile *stats.Profile `json:"-"`
	Rows    int64          `json:"rows"`
}

// Comparison says how table B differs from table A, most important first.
type Comparison struct {
	A       Side     `json:"a"`
	B       Side     `json:"b"`
	Watch   float64  `json:"watch"` // PSI from which a column is watched
	Act     float64  `json:"act"`   // PSI from which it has moved far
	Summary []string `json:"summary"`
	Columns []Column `json:"columns"`
	Label   *Column  `json:"label,omitempty"`
	Skipped []string `json:"skipped,omitempty"` // why columns are not compared
}

// Column is how one column has moved.
type Column struct {
	stats.Drift
	Story string      `json:"story"` // in words
	Shape stats.Shape `json:"shape"`
	A     Summary     `json:"a"`
	B     Summary     `json:"b"`
}

// Options of Compare. Zero values are the defaults of stats.CompareProfiles.
type Options struct {
	stats.DriftOptions
	Label    string   // column with what really happened; "" for none
	ChosenBy []string // columns by whose values the rows were chosen: they differ of course
}

// idShare is the share of different values from which a column of texts or whole
// numbers only names its rows: what it holds never comes again.
const idShare = 0.9

// Compare explains what changed from a to b. A column that only one of them has,
// and one that cannot be compared, is told and left out; options that name
// columns which are not there are an error.
func Compare(a, b Side, opt Options) (*Comparison, error) {
	a.Rows, b.Rows = a.Profile.Rows, b.Profile.Rows
	c := &Comparison{A: a, B: b}
	if c.Watch, c.Act = opt.Watch, opt.Act; c.Watch == 0 {
		c.Watch = 0.1
	}
	if c.Act == 0 {
		c.Act = 0.2
	}
	if opt.Columns == nil {
		opt.Columns = c.comparable(opt)
	}
	if opt.Label != "" && !slices.Contains(opt.Columns, opt.Label) {
		opt.Columns = append(opt.Columns, opt.Label)
	}
	if len(opt.Columns) == 0 {
		return nil, fmt.Errorf("%s and %s have no column that could be compared", a.Name, b.Name)
	}
	drifts, err := stats.CompareProfiles(a.Profile, b.Profile, opt.DriftOptions)
	if err != nil {
		return nil, err
	}
	for _, d := range drifts {
		col, err := c.column(d)
		if err != nil {
			return nil, err
		}
		if d.Column == opt.Label {
			c.Label = &col
		} else {
			c.Columns = append(c.Columns, col)
		}
	}
	slices.SortStableFunc(c.Columns, func(x, y Column) int {
		return cmp.Or(cmp.Compare(rank(x.Level), rank(y.Level)), cmp.Compare(y.PSI, x.PSI), cmp.Compare(x.Drift.Column, y.Drift.Column))
	})
	c.summarise()
	return c, nil
}

// rank orders levels by how much they ask for a look.
func rank(l stats.Level) int {
	return slices.Index([]stats.Level{stats.Act, stats.Watch, stats.Inconclusive, stats.None}, l)
}

// comparable are the columns that both tables have, of one kind, and that say
// something about more than a row.
func (c *Comparison) comparable(opt Options) []string {
	var out []string
	for _, a := range c.A.Profile.Columns {
		b, ok := c.B.Profile.Column(a.Name)
		switch {
		case !ok:
			c.skip("%s is only in %s", a.Name, c.A.Name)
		case a.Kind != b.Kind:
			c.skip("%s is a %s in %s and a %s in %s", a.Name, a.Kind, c.A.Name, b.Kind, c.B.Name)
		case a.Kind == stats.Time:
			c.skip("%s holds times, which always move on", a.Name)
		case slices.Contains(opt.ChosenBy, a.Name):
			c.skip("the rows were chosen by %s", a.Name)
		case a.Name != opt.Label && names(a) && names(b):
			c.skip("%s names rows: nearly all its values differ", a.Name)
		default:
			out = append(out, a.Name)
		}
	}
	for _, b := range c.B.Profile.Columns {
		if _, ok := c.A.Profile.Column(b.Name); !ok {
			c.skip("%s is only in %s", b.Name, c.B.Name)
		}
	}
	return out
}

func (c *Comparison) skip(format string, args ...any) {
	c.Skipped = append(c.Skipped, fmt.Sprintf(format, args...))
}

func names(c stats.ColumnProfile) bool {
	for _, q := range c.Quantiles {
		if q.Value != math.Trunc(q.Value) {
			return false
		}
	}
	return c.Count > 20 && float64(c.Distinct) > idShare*float64(c.Count)
}

func (c *Comparison) column(d stats.Drift) (Column, error) {
	a, _ := c.A.Profile.Column(d.Column) // they were compared
	b, _ := c.B.Profile.Column(d.Column)
	shape, err := stats.ShapeOf(a, b)
	if err != nil {
		return Column{}, err
	}
	return Column{Drift: d, Story: story(a, b), Shape: shape, A: Summarise(a), B: Summarise(b)}, nil
}

// Worst is the highest level of any column but the label.
func (c *Comparison) Worst() stats.Level {
	if len(c.Columns) == 0 {
		return stats.None
	}
	return c.Columns[0].Level
}

// Reached tells whether a column is at a level or above; "" is never reached.
func (c *Comparison) Reached(l stats.Level) bool {
	worst := c.Worst()
	return worst == stats.Act && l != "" || worst == stats.Watch && l == stats.Watch
}

// change is the relative change from a to b, NaN from 0.
func change(a, b float64) float64 {
	if a == 0 {
		return math.NaN()
	}
	return (b - a) / math.Abs(a)
}
