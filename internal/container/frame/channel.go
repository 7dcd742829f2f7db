package frame

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// channel is a folder of CSV files that share one header.
type channel struct {
	files  []string
	header []string
}

func openChannel(dir string) (*channel, error) {
	paths, err := files(dir)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("holds no files; put CSV files with a header row into it")
	}
	first, err := open(paths[0])
	if err != nil {
		return nil, err
	}
	defer first.close()
	return &channel{files: paths, header: first.header}, nil
}

// each calls visit for every record of every file in order.
func (c *channel) each(ctx context.Context, visit func(record []string) error) error {
	for _, path := range c.files {
		f, err := open(path)
		if err != nil {
			return err
		}
		err = c.walk(ctx, f, visit)
		f.close()
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (c *channel) walk(ctx context.Context, f *file, visit func([]string) error) error {
	if !slices.Equal(f.header, c.header) {
		return fmt.Errorf("its columns are %s; want %s", strings.Join(f.header, ", "), strings.Join(c.header, ", "))
	}
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return fmt.Errorf("stopped while reading: %w", context.Cause(ctx))
		}
		record, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(record); err != nil {
			return fmt.Errorf("line %d: %w", f.Line(), err)
		}
	}
}
