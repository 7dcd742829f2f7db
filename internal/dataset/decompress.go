package dataset

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

var (
	gzipMagic    = []byte{0x1f, 0x8b}
	zstdMagic    = []byte{0x28, 0xb5, 0x2f, 0xfd}
	parquetMagic = []byte("PAR1")
	byteOrder    = []byte{0xef, 0xbb, 0xbf} // the mark some programs put before UTF-8
)

const (
	readBuffer = 256 << 10
	zstdWindow = 128 << 20 // the most memory a zstd file may ask for
)

// plain returns the text of a source, decompressed as its first bytes tell,
// without a byte order mark.
func plain(r io.ReaderAt, size int64) (*bufio.Reader, func(), error) {
	in := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), readBuffer)
	closer := func() {}
	magic, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	switch {
	case bytes.HasPrefix(magic, gzipMagic):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, fmt.Errorf("damaged gzip: %w", err)
		}
		in = bufio.NewReaderSize(z, readBuffer)
	case bytes.HasPrefix(magic, zstdMagic):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("damaged zstd: %w", err)
		}
		in, closer = bufio.NewReaderSize(z, readBuffer), z.Close
	}
	if mark, _ := in.Peek(4); bytes.HasPrefix(mark, byteOrder) {
		_, err = in.Discard(len(byteOrder))
	} else if bytes.HasPrefix(mark, parquetMagic) {
		closer()
		return nil, nil, fmt.Errorf("this is a Parquet file: set its format to parquet")
	} else {
		err = nil
	}
	return in, closer, err
}
