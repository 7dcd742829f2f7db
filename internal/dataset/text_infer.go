package dataset

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// infer finds the types of the wanted columns (nil: all). Of JSON lines it
// returns the others too: only the last line tells which there are.
func (t *textFile) infer(ctx context.Context, columns []string, extent extent) (found, error) {
	wanted, err := t.rowsOf(columns)
	if err != nil {
		return found{}, err
	}
	whole := extent == everything || extent == undeclared && !t.declares(wanted)
	next := t.next
	if !whole {
		next = t.onlyFirst()
	}
	var all found
	newWork := func() func(chunk) (found, error) {
		rows, _ := t.rowsOf(columns) // has worked before
		if t.format == JSONL {
			rows = newJSONRows(nil)
		}
		var b block
		return func(c chunk) (found, error) {
			defer t.parsed(c)
			return t.inferChunk(c, rows, &b, columns)
		}
	}
	err = inOrder(ctx, next, newWork, func(f found) error {
		all.merge(f)
		return nil
	})
	all.whole = whole || t.cutter.ended
	if err == nil && all.rows == 0 && all.whole {
		err = fmt.Errorf("%s: %w", t.src.Name, ErrEmpty)
	}
	return all, err
}

// declares tells whether the types of all columns are declared. The keys of JSON
// lines are not known before all were read.
func (t *textFile) declares(wanted rowsOf) bool {
	rows, isCSV := wanted.(*csvRows)
	return isCSV && !slices.ContainsFunc(rows.wanted, func(name string) bool { return t.src.Types[name] == "" })
}

func (t *textFile) onlyFirst() func(context.Context) (chunk, error) {
	done := false
	return func(ctx context.Context) (chunk, error) {
		if done {
			return chunk{}, io.EOF
		}
		done = true
		return t.next(ctx)
	}
}

func (t *textFile) inferChunk(c chunk, rows rowsOf, b *block, wanted []string) (found, error) {
	var out found
	rows.start(c)
	for {
		if err := rows.next(b); err != nil {
			return out, t.at(err)
		}
		if b.rows() == 0 {
			return out, nil
		}
		for i, name := range b.names {
			if wanted == nil || slices.Contains(wanted, name) {
				if err := refuseNested(b, i); err != nil {
					return out, t.at(err)
				}
			}
			out.see(i, name, b.text, b.cells[i])
		}
		out.rows += int64(b.rows())
	}
}

func refuseNested(b *block, column int) error {
	for row, c := range b.cells[column] {
		if c&nestedCell != 0 {
			return &lineError{b.lines[row], complain(b.names[column], "", c.of(b.text), errNested)}
		}
	}
	return nil
}
