// Package traffic replays the rows of a data file against an endpoint, as the
// product that uses the model would ask, and plays the rest of the world too:
// it delivers what really happened to those rows later, as ground truth, and
// lands the labelled rows as new source files.
package traffic
