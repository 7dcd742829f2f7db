// Package dataset reads tables (CSV, Parquet, JSON lines, from any
// io.ReaderAt) as a stream of typed batches, and does to them what a release
// needs: declared checks, profiles, the split into training, validation and
// test parts, and writing parts as CSV or Parquet.
//
// What reads or writes rows belongs here; what only computes on numbers belongs
// to package stats. Nothing here knows where bytes come from.
package dataset
