package stats

import (
	"fmt"
	"time"
)

// ProfileVersion is the version of the Profile document this package writes.
// Version 1, which had no zeros, skewness, kurtosis, lengths, frequent numbers,
// and times as numbers only, can be compared, but not merged.
const ProfileVersion = 2

// Kind says how the values of a column are profiled and compared.
type Kind string

// Kinds of columns. Times are numbers in Unix seconds; they are profiled, but
// never compared, because time always moves on.
const (
	Number   Kind = "number"
	Category Kind = "category"
	Time     Kind = "time"
)

// Field names one column to profile.
type Field struct {
	Name string
	Kind Kind
}

// Profile is a mergeable summary of a table: a versioned JSON document.
type Profile struct {
	Version int             `json:"version"`
	Rows    int64           `json:"rows"`
	Columns []ColumnProfile `json:"columns"`
}

// ColumnProfile summarises one column. Count + Missing + Infinite are the rows.
// What a number or a time has covers its Count finite values, and is nil where
// it is undefined or no float64.
type ColumnProfile struct {
	Name      string     `json:"name"`
	Kind      Kind       `json:"kind"`
	Count     int64      `json:"count"`
	Missing   int64      `json:"missing"`
	Infinite  int64      `json:"infinite,omitempty"`
	Zeros     int64      `json:"zeros,omitempty"`
	Min       *float64   `json:"min,omitempty"`
	Max       *float64   `json:"max,omitempty"`
	Mean      *float64   `json:"mean,omitempty"`
	Std       *float64   `json:"std,omitempty"`      // of the sample (n−1)
	Skewness  *float64   `json:"skewness,omitempty"` // G₁, of the sample
	Kurtosis  *float64   `json:"kurtosis,omitempty"` // G₂, excess, of the sample
	Earliest  *time.Time `json:"earliest,omitempty"` // of times
	Latest    *time.Time `json:"latest,omitempty"`
	Lengths   *Lengths   `json:"lengths,omitempty"` // of texts
	Quantiles []Quantile `json:"quantiles,omitempty"`
	Histogram []Bin      `json:"histogram,omitempty"` // estimated, for charts
	Distinct  uint64     `json:"distinct"`            // exact when Complete, else estimated

	// Top lists values by falling count, ties by value. When Complete it lists
	// every value with its exact count; otherwise the counts of the most
	// frequent values. No count, nor that of a value that is not listed (0), is
	// too low by more than TopShort. A text of more than 256 bytes is listed by
	// its beginning, its length and its hash.
	Top      []Frequency `json:"top,omitempty"`
	TopShort int64       `json:"topShort,omitempty"`
	Complete bool        `json:"complete"`

	Sketch      []byte `json:"sketch,omitempty"`      // of a number or time: KLL, k=1024, as in Apache DataSketches
	Cardinality []byte `json:"cardinality,omitempty"` // HyperLogLog, 2^14 registers
}

// Lengths are the lengths of texts in characters (Unicode code points).
type Lengths struct {
	Min  int64   `json:"min"`
	Max  int64   `json:"max"`
	Mean float64 `json:"mean"`
}

// Quantile is the value below or at which a share Rank of the values lies.
type Quantile struct {
	Rank  float64 `json:"rank"`
	Value float64 `json:"value"`
}

// Bin is one bar of a histogram, (From, To]; the first one contains From too.
type Bin struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int64   `json:"count"`
}

// Frequency is a value and how often it occurred.
type Frequency struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// Column returns the profile of a column, or false if there is none.
func (p *Profile) Column(name string) (ColumnProfile, bool) {
	for _, c := range p.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return ColumnProfile{}, false
}

// MissingShare is the share of rows without a value, 0 for no rows.
func (c ColumnProfile) MissingShare() float64 {
	if rows := c.rows(); rows > 0 {
		return float64(c.Missing) / rows
	}
	return 0
}

func (c ColumnProfile) rows() float64 { return float64(c.Count + c.Missing + c.Infinite) }

// MergeProfiles adds up the profiles of two shards or windows of one table. The
// columns must be the same, in the same order.
func MergeProfiles(a, b *Profile) (*Profile, error) {
	pa, err := restore(a)
	if err != nil {
		return nil, err
	}
	pb, err := restore(b)
	if err != nil {
		return nil, err
	}
	if err := pa.Merge(pb); err != nil {
		return nil, err
	}
	return pa.Profile(), nil
}

func (p *Profile) check() error {
	if p == nil {
		return fmt.Errorf("no profile given")
	}
	if p.Version < 1 || p.Version > ProfileVersion {
		return fmt.Errorf("profile version %d is not known; this program reads versions 1 to %d: profile the data again",
			p.Version, ProfileVersion)
	}
	return nil
}
