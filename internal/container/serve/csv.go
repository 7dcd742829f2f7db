package serve

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"steward/internal/container/frame"
)

// csv scores rows without a header, features in model order.
func (c *call) csv(body io.Reader) error {
	s := c.model.Schema()
	rows := frame.NewRows(body, -1)
	for {
		record, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.fields(record, s); err != nil {
			return c.failed(err)
		}
		if err := c.score(); err != nil {
			return err
		}
	}
}

func (c *call) fields(record []string, s *frame.Schema) error {
	if len(record) != len(s.Features) {
		return fmt.Errorf("has %d columns; send %d: %s", len(record), len(s.Features), strings.Join(s.Names(), ","))
	}
	for j, text := range record {
		v, err := s.Features[j].Encode(text)
		if err != nil {
			return fmt.Errorf("column %d: %w", j+1, err)
		}
		c.row[j] = v
	}
	return nil
}
