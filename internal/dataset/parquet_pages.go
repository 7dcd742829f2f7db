package dataset

import (
	"bufio"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Limits of one page: far above what writers make (about 1 MiB and 20,000
// values), far below what would take the process down.
const (
	maxPageBytes  = 256 << 20
	maxPageValues = 1 << 26
)

// checkPages walks the page headers of a column chunk before the library does,
// because it allocates what a header asks for without looking at the file.
func checkPages(r io.ReaderAt, size int64, meta *format.ColumnMetaData) error {
	start := meta.DataPageOffset
	if meta.DictionaryPageOffset > 0 && meta.DictionaryPageOffset < start {
		start = meta.DictionaryPageOffset
	}
	length := meta.TotalCompressedSize
	if start < 4 || length < 0 || start > size || length > size-start {
		return fmt.Errorf("%d bytes at %d lie outside the %d of the file", length, start, size)
	}
	chunk := io.NewSectionReader(r, start, length)
	in := bufio.NewReader(chunk)
	protocol := new(thrift.CompactProtocol)
	for at, values := int64(0), int64(0); values < meta.NumValues; {
		var header format.PageHeader
		if err := thrift.NewDecoder(protocol.NewReader(in)).Decode(&header); err != nil {
			return fmt.Errorf("page header at %d: %w", start+at, err)
		}
		read, err := chunk.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		at = read - int64(in.Buffered())
		n, err := checkPage(&header, length-at, meta.NumValues-values)
		if err != nil {
			return fmt.Errorf("page at %d: %w", start+at, err)
		}
		values += n
		at += int64(header.CompressedPageSize)
		if err := skip(chunk, in, int(header.CompressedPageSize), at); err != nil {
			return err
		}
	}
	return nil
}

// skip moves past a page, without reading what is not buffered yet.
func skip(chunk *io.SectionReader, in *bufio.Reader, n int, to int64) error {
	if n <= in.Buffered() {
		_, err := in.Discard(n)
		return err
	}
	_, err := chunk.Seek(to, io.SeekStart)
	in.Reset(chunk)
	return err
}

// checkPage returns how many values of the column a page holds.
func checkPage(h *format.PageHeader, bytesLeft, valuesLeft int64) (int64, error) {
	compressed, plain := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if compressed < 0 || compressed > bytesLeft {
		return 0, fmt.Errorf("%d bytes, and %d left in the column", compressed, bytesLeft)
	}
	if plain < 0 || plain > maxPageBytes {
		return 0, fmt.Errorf("%d bytes decompressed, more than the %d that are read", plain, maxPageBytes)
	}
	values := int64(0)
	switch h.Type {
	case format.DataPage:
		values = int64(h.DataPageHeader.V.NumValues)
	case format.DataPageV2:
		values = int64(h.DataPageHeaderV2.V.NumValues)
	case format.DictionaryPage:
		if n := int64(h.DictionaryPageHeader.V.NumValues); n < 0 || n > 8*plain {
			return 0, fmt.Errorf("a dictionary of %d values in %d bytes", n, plain)
		}
		return 0, nil
	default:
		return 0, nil
	}
	if values < 0 || values > valuesLeft || values > maxPageValues {
		return 0, fmt.Errorf("%d values, and %d left in the column", values, valuesLeft)
	}
	return values, nil
}
