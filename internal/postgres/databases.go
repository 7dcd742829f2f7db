// Package postgres reads the rows of a query into files, for a worker that
// follows other people's model files: by connections that its operator named,
// in transactions that can only read.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/lifecycle"
)

// Databases are the connections that may be used, by name.
type Databases struct {
	urls    map[string]string
	timeout time.Duration // of one statement
}

// defaultTimeout is long enough for a table of some hundred million rows.
const defaultTimeout = time.Hour

const connectTimeout = 10 * time.Second

// New returns Databases at addresses as PostgreSQL's own programs take them
// (postgres://user:password@host/database), with the most that a statement may
// take, an hour when 0.
func New(urls map[string]string, timeout time.Duration) *Databases {
	if timeout == 0 {
		timeout = defaultTimeout
	}
	return &Databases{urls: urls, timeout: timeout}
}

// connect opens a session that can only read, and in which values are written in
// one way whatever the server's settings.
func (d *Databases) connect(ctx context.Context, name string) (*pgconn.PgConn, error) {
	url, listed := d.urls[name]
	if !listed {
		return nil, lifecycle.Fail(lifecycle.Denied, "connection %s is not one that this worker has: its operator can list it in STEWARD_SOURCES", name)
	}
	config, err := pgconn.ParseConfig(url)
	if err != nil { // it may hold the password
		return nil, lifecycle.Fail(lifecycle.Denied, "connection %s: the address that this worker has for it cannot be understood: have its operator correct it", name)
	}
	config.ConnectTimeout = connectTimeout
	for key, value := range map[string]string{
		"application_name": "steward", "DateStyle": "ISO, YMD", "TimeZone": "UTC", "IntervalStyle": "iso_8601",
		"extra_float_digits": "1", "bytea_output": "hex", "client_encoding": "UTF8",
		"default_transaction_read_only": "on", "statement_timeout": strconv.FormatInt(d.timeout.Milliseconds(), 10),
	} {
		config.RuntimeParams[key] = value
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	return conn, translate(err, name)
}

// final are the classes of PostgreSQL's error codes that no retry mends: wrong
// data, a wrong query or rights, no such database, a wrong password. Source:
// appendix A of PostgreSQL's manual.
var final = []string{"22", "25", "28", "3D", "3F", "42", "0A"}

// translate makes what a query or its author is to blame for lifecycle.DataRejected.
func translate(err error, connection string) error {
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("connection %s: %w", connection, err)
	}
	text := pg.Message
	if pg.Hint != "" {
		text += "; " + pg.Hint
	}
	if pg.Code == "57014" {
		return lifecycle.Fail(lifecycle.DataRejected, "connection %s: %s: make the query cheaper, or have the worker's operator raise queryTimeout in STEWARD_SOURCES", connection, text)
	}
	for _, class := range final {
		if strings.HasPrefix(pg.Code, class) {
			return lifecycle.Fail(lifecycle.DataRejected, "connection %s: %s (%s)", connection, text, pg.Code)
		}
	}
	return fmt.Errorf("connection %s: %s (%s)", connection, text, pg.Code)
}
