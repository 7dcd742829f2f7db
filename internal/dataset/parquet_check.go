package dataset

import (
	"github.com/parquet-go/parquet-go/format"
)

// checkGroup holds a row group against what the file says of itself. LZ4 is
// refused because the library hands out what its decoder has not written to, and
// asks for more and more memory when the input is damaged.
func (p *parquetReader) checkGroup(i int, g *format.RowGroup, fields []parquetField) error {
	for _, f := range fields {
		if f.index >= len(g.Columns) {
			return p.errorf("damaged Parquet: row group %d has no column %s", i, f.name)
		}
		meta := &g.Columns[f.index].MetaData
		if meta.NumValues != g.NumRows {
			return p.errorf("damaged Parquet: row group %d has %d rows and %d values of column %s", i, g.NumRows, meta.NumValues, f.name)
		}
		if meta.Codec == format.Lz4Raw {
			return p.errorf("column %s is compressed with LZ4, which cannot be read: write the file with zstd or snappy", f.name)
		}
		if err := checkPages(p.bytes, p.size, meta); err != nil {
			return p.errorf("damaged Parquet: row group %d: column %s: %w", i, f.name, err)
		}
	}
	return nil
}
