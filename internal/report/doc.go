// Package report tells people what statistics say: in words, tables and
// pictures, for a terminal or as a page of its own. It measures nothing.
package report
