package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// Query is a select by a connection. Rows are put in the order of ID and, for
// rows of one id, of Time: so the same rows make the same files.
type Query struct{ Connection, SQL, ID, Time string }

// File is a Parquet file of rows.
type File struct {
	Name   string
	SHA256 string // hex
	Bytes  int64
	Rows   int64
}

// fileRows is the most rows of one file.
const fileRows = 1 << 20

// Export runs a query in a transaction that reads one state of the database and
// cannot write, and writes the rows into Parquet files in a folder. It holds a
// batch of rows and a piece of a file at a time. progress is told of every batch.
//
// A connection that the worker does not have is lifecycle.Denied; a query that
// cannot run, takes too long, or gives no rows or values that cannot be read is
// lifecycle.DataRejected.
func (d *Databases) Export(ctx context.Context, q Query, dir string, progress func()) (files []File, err error) {
	conn, err := d.connect(ctx, q.Connection)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := conn.Exec(ctx, "begin transaction isolation level repeatable read read only").Close(); err != nil {
		return nil, translate(err, q.Connection)
	}
	columns, sql, err := q.plan(ctx, conn)
	if err != nil {
		return nil, err
	}
	e := &export{dir: dir, columns: columns, progress: progress}
	err = e.run(conn.ExecParams(ctx, sql, nil, nil, nil, nil))
	if err = errors.Join(err, e.end()); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, named(err, q.Connection)
	}
	if len(e.files) == 0 {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "connection %s: the query gives no rows", q.Connection)
	}
	return e.files, nil
}

// named keeps errors that have a type.
func named(err error, connection string) error {
	if lifecycle.ErrorType(err) != "" {
		return err
	}
	return translate(err, connection)
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// plan asks the server for the columns, and puts the rows in order. What is
// inside parentheses can only be a query that reads.
func (q Query) plan(ctx context.Context, conn *pgconn.PgConn) ([]column, string, error) {
	inner := "select * from (\n" + strings.TrimRight(q.SQL, "; \t\r\n") + "\n) as source"
	described, err := conn.Prepare(ctx, "", inner, nil)
	if err != nil {
		return nil, "", translate(err, q.Connection)
	}
	var columns []column
	order := map[string]string{}
	for _, f := range described.Fields {
		c, err := columnOf(f, q.ID)
		if err != nil {
			return nil, "", lifecycle.Fail(lifecycle.DataRejected, "connection %s: %v", q.Connection, err)
		}
		if _, twice := order[f.Name]; twice {
			return nil, "", lifecycle.Fail(lifecycle.DataRejected, "connection %s: two columns are called %q: rename one in the query", q.Connection, f.Name)
		}
		if order[f.Name] = quote(f.Name); c.text {
			order[f.Name] += ` collate "C"`
		}
		columns = append(columns, c)
	}
	for _, name := range []string{q.ID, q.Time} {
		if order[name] == "" {
			return nil, "", lifecycle.Fail(lifecycle.DataRejected, "connection %s: the query gives no column %q", q.Connection, name)
		}
	}
	return columns, fmt.Sprintf("%s order by %s, %s", inner, order[q.ID], order[q.Time]), nil
}

// export writes rows into one file after the other.
type export struct {
	dir      string
	columns  []column
	progress func()
	files    []File
	rows     int64 // in all
	batch    [][]any

	file *os.File // that is being written, or nil
	hash hash.Hash
	out  *dataset.ParquetWriter
}

func (e *export) schema() dataset.Schema {
	schema := make(dataset.Schema, len(e.columns))
	for i, c := range e.columns {
		schema[i] = c.Field
	}
	return schema
}

func (e *export) run(result *pgconn.ResultReader) error {
	for result.NextRow() {
		if err := e.add(result.Values()); err != nil {
			return err
		}
	}
	if _, err := result.Close(); err != nil {
		return err
	}
	return e.flush()
}

// add takes a row as the server writes it.
func (e *export) add(values [][]byte) error {
	e.rows++
	row := make([]any, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		var err error
		if row[i], err = e.columns[i].parse(string(v)); err != nil {
			return lifecycle.Fail(lifecycle.DataRejected, "row %d of the query, in the order of the id: column %q: %v", e.rows, e.columns[i].Name, err)
		}
	}
	if e.batch = append(e.batch, row); len(e.batch) == dataset.BatchRows {
		return e.flush()
	}
	return nil
}

// flush writes the rows gathered, and ends a file that is full.
func (e *export) flush() error {
	if len(e.batch) == 0 {
		return nil
	}
	e.progress()
	b, err := dataset.NewBatch(e.schema(), e.batch)
	if err != nil {
		return lifecycle.Fail(lifecycle.DataRejected, "rows of the query up to %d: %v", e.rows, err)
	}
	if e.file == nil {
		if e.file, err = os.CreateTemp(e.dir, "steward-postgres-*"); err != nil {
			return err
		}
		e.hash = sha256.New()
		e.out = dataset.NewParquetWriter(io.MultiWriter(e.file, e.hash), e.schema())
		e.files = append(e.files, File{Name: e.file.Name()})
	}
	if err := e.out.Write(b, nil); err != nil {
		return err
	}
	last := &e.files[len(e.files)-1]
	last.Rows += int64(len(e.batch))
	e.batch = e.batch[:0]
	if last.Rows >= fileRows {
		return e.end()
	}
	return nil
}

// end closes the file that is being written.
func (e *export) end() error {
	if e.file == nil {
		return nil
	}
	last := &e.files[len(e.files)-1]
	err := e.out.Close()
	info, statErr := e.file.Stat()
	if err = errors.Join(err, statErr, e.file.Close()); err == nil {
		last.Bytes, last.SHA256 = info.Size(), hex.EncodeToString(e.hash.Sum(nil))
	}
	e.file = nil
	return err
}
