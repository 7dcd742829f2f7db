package dataset

import "slices"

// Repeats counts rows that occur twice, and rows of the test part that the
// others hold too. It keeps hashes of 64 bits, two for every row: 16 bytes.
type Repeats struct {
	whole    []string // columns of a row, without its id
	content  []string // features and label
	splitter *Splitter
	unsplit  error

	rows  []uint64
	parts []uint64 // of content; the lowest bit says whether it is in the test part
}

// NewRepeats counts repeated rows. Two rows are the same if they have the same
// values in all columns of whole; a row of the test part is known from another
// part if it has the same values in content. Without a splitter, for the reason
// given, only the first is counted.
func NewRepeats(whole, content []string, splitter *Splitter, unsplit error) *Repeats {
	return &Repeats{whole: whole, content: content, splitter: splitter, unsplit: unsplit}
}

// Add takes the rows of a batch.
func (r *Repeats) Add(b *Batch) error {
	whole, err := b.pick(r.whole)
	if err != nil {
		return err
	}
	content, err := b.pick(r.content)
	if err != nil {
		return err
	}
	var parts []Part
	if r.splitter != nil {
		if parts, err = r.splitter.Parts(b); err != nil {
			r.unsplit, r.splitter = err, nil
		}
	}
	var h hasher
	for row := range b.Rows {
		r.rows = append(r.rows, h.of(whole, row))
		if parts == nil {
			continue
		}
		sum := h.of(content, row) &^ 1
		if parts[row] == Test {
			sum |= 1
		}
		r.parts = append(r.parts, sum)
	}
	return nil
}

func (b *Batch) pick(names []string) ([]*column, error) {
	at, err := b.Schema.Select(names)
	if err != nil {
		return nil, err
	}
	out := make([]*column, len(at))
	for i, col := range at {
		out[i] = &b.columns[col]
	}
	return out, nil
}

// Duplicates returns how many rows repeat an earlier one.
func (r *Repeats) Duplicates() (repeated, rows int) {
	slices.Sort(r.rows)
	for i := 1; i < len(r.rows); i++ {
		if r.rows[i] == r.rows[i-1] {
			repeated++
		}
	}
	return repeated, len(r.rows)
}

// Overlap returns how many rows of the test part are known from other parts,
// or why that cannot be told.
func (r *Repeats) Overlap() (known, tested int, err error) {
	if r.splitter == nil {
		return 0, 0, r.unsplit
	}
	slices.Sort(r.parts)
	for i := 0; i < len(r.parts); {
		same, of := i, 0
		for ; same < len(r.parts) && r.parts[same]>>1 == r.parts[i]>>1; same++ {
			of += int(r.parts[same] & 1)
		}
		if tested += of; of < same-i {
			known += of
		}
		i = same
	}
	return known, tested, nil
}
