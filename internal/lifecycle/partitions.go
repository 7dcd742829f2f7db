package lifecycle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Partitions says how the folders of a source name the period of the files in
// them. Made by ParsePartitions.
type Partitions struct {
	levels []partitionLevel
	tokens int // how many of 2006, 01, 02, 15 there are
}

// partitionLevel is one folder: column=layout, or the layout alone.
type partitionLevel struct{ column, layout string }

// PartitionColumn is a column that a folder gives to all rows of the files in
// it. Type is integer for a part of a date (month=01 is 1), time for a whole
// date, and string for what lies between (2006-01).
type PartitionColumn struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"` // times as RFC 3339
}

var (
	partitionFolder = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_]*)=)?((?:2006|01|02|15)(?:[-_T]?(?:01|02|15))*)$`)
	partitionToken  = regexp.MustCompile(`2006|01|02|15`)
	partitionOrder  = []string{"2006", "01", "02", "15"}
)

// ParsePartitions reads a layout such as year=2006/month=01/day=02, dt=2006-01-02
// or 2006/01/02/15, after Go's reference time and Hive's column=value. Year,
// month, day and hour come in this order, with none left out between: so the
// order of names is that of time.
func ParsePartitions(layout string) (Partitions, error) {
	var p Partitions
	var tokens []string
	for folder := range strings.SplitSeq(layout, "/") {
		m := partitionFolder.FindStringSubmatch(folder)
		if m == nil {
			return p, fmt.Errorf("folder %q is not written with 2006, 01, 02 and 15, such as year=2006/month=01 or dt=2006-01-02", folder)
		}
		p.levels = append(p.levels, partitionLevel{m[1], m[2]})
		tokens = append(tokens, partitionToken.FindAllString(m[2], -1)...)
	}
	if p.tokens = len(tokens); p.tokens > len(partitionOrder) || !slices.Equal(tokens, partitionOrder[:p.tokens]) {
		return p, fmt.Errorf("write year (2006), month (01), day (02) and hour (15) in this order, leaving none out between")
	}
	return p, nil
}

// Depth is how many folders name a partition.
func (p Partitions) Depth() int { return len(p.levels) }

// Path names the partition that an instant belongs to, without a slash at the end.
func (p Partitions) Path(t time.Time) string {
	folders := make([]string, len(p.levels))
	for i, l := range p.levels {
		if folders[i] = t.UTC().Format(l.layout); l.column != "" {
			folders[i] = l.column + "=" + folders[i]
		}
	}
	return strings.Join(folders, "/")
}

// Period is the time from which on and before which the rows of a partition lie.
func (p Partitions) Period(path string) (from, to time.Time, err error) {
	if from, err = p.begin(path); err != nil {
		return from, to, err
	}
	switch p.tokens {
	case 1:
		return from, from.AddDate(1, 0, 0), nil
	case 2:
		return from, from.AddDate(0, 1, 0), nil
	case 3:
		return from, from.AddDate(0, 0, 1), nil
	}
	return from, from.Add(time.Hour), nil
}

func (p Partitions) begin(path string) (time.Time, error) {
	folders := strings.Split(path, "/")
	var layouts, values []string
	for i, l := range p.levels {
		if i >= len(folders) {
			break
		}
		value := folders[i]
		if l.column != "" {
			value = strings.TrimPrefix(value, l.column+"=")
		}
		layouts, values = append(layouts, l.layout), append(values, value)
	}
	t, err := time.Parse(strings.Join(layouts, "/"), strings.Join(values, "/"))
	if err != nil || p.Path(t) != path {
		return t, fmt.Errorf("%q is not a partition such as %s", path, p.Path(time.Date(2006, 1, 2, 15, 0, 0, 0, time.UTC)))
	}
	return t, nil
}

// Columns are those that the folders of a partition give, of their values at
// its beginning.
func (p Partitions) Columns(from time.Time) []PartitionColumn {
	var out []PartitionColumn
	for _, l := range p.levels {
		c := PartitionColumn{Name: l.column, Type: "string", Value: from.UTC().Format(l.layout)}
		switch tokens := partitionToken.FindAllString(l.layout, -1); {
		case l.column == "":
			continue
		case len(tokens) == 1:
			c.Type = "integer"
			if c.Value = strings.TrimLeft(c.Value, "0"); c.Value == "" {
				c.Value = "0"
			}
		case len(tokens) >= 3 && tokens[0] == "2006":
			c.Type, c.Value = "time", from.UTC().Format(time.RFC3339)
		}
		out = append(out, c)
	}
	return out
}
