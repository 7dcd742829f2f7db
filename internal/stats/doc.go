// Package stats holds the arithmetic of the life of a model: profiles of data,
// drift between two profiles, quality of predictions, comparison of two models
// on the same rows, and estimates of quality while ground truth is missing.
//
// It is pure: no files, no clock, no network, and no types of other packages
// of this module. Every formula and threshold names its source.
package stats
