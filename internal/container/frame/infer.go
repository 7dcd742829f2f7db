package frame

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Options says how to read a training channel.
type Options struct {
	Task        Task     // empty: binary if all labels are 0 or 1, else regression
	Weight      string   // name of the weight column, empty for none
	Categorical []string // columns to treat as categories although they parse as numbers

	MaxLevels    int  // categories kept for a feature; the rarest beyond are other
	MinLevelRows int  // categories with fewer rows are other
	Other        bool // keep a code for other even if no category was dropped
}

// infer reads a whole channel once to find the type of each column: numeric if
// every value that is not missing parses as a number.
func infer(ctx context.Context, c *channel, o Options) (*Schema, error) {
	if err := checkHeader(c.header, o); err != nil {
		return nil, err
	}
	numeric := slices.Repeat([]bool{true}, len(c.header))
	err := c.each(ctx, func(record []string) error {
		for i, text := range record {
			if numeric[i] {
				numeric[i] = parses(text)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return schema(c.header, numeric, o)
}

func parses(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return true
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

func schema(header []string, numeric []bool, o Options) (*Schema, error) {
	s := &Schema{Task: o.Task, Label: header[0], Weight: o.Weight}
	for i, name := range header[1:] {
		if name == o.Weight {
			continue
		}
		kind := Categorical
		if numeric[i+1] && !slices.Contains(o.Categorical, name) {
			kind = Numeric
		}
		s.Features = append(s.Features, Feature{Name: name, Kind: kind})
	}
	if len(s.Features) == 0 {
		return nil, errors.New("has no feature columns; the first column is the label, all but the weight are features")
	}
	s.prepare()
	return s, nil
}

func checkHeader(header []string, o Options) error {
	seen := map[string]bool{}
	for i, name := range header {
		if name == "" {
			return fmt.Errorf("header: column %d has no name; name every column", i+1)
		}
		if seen[name] {
			return fmt.Errorf("header: column %q occurs twice; rename one", name)
		}
		seen[name] = true
	}
	for _, name := range append(slices.Clone(o.Categorical), o.Weight) {
		if name != "" && !slices.Contains(header[1:], name) {
			return fmt.Errorf("column %q is named by a hyperparameter (weight or categorical) but is not among the columns %s",
				name, strings.Join(header[1:], ", "))
		}
	}
	if o.Weight != "" && slices.Contains(o.Categorical, o.Weight) {
		return fmt.Errorf("column %q is both weight and categorical; name it in one hyperparameter only", o.Weight)
	}
	return nil
}
