package sagemaker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packed is a gzipped tar of entries whose contents are zeros.
func packed(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	w := tar.NewWriter(z)
	for _, h := range headers {
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write(make([]byte, h.Size))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return data.Bytes()
}

// gzipped packs what need not be a tar.
func gzipped(t testing.TB, tar []byte) []byte {
	t.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	_, err := z.Write(tar)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return data.Bytes()
}

func file(name string, size int64) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: size, Mode: 0o7777}
}

// cage is a folder in a folder, which nothing that is unpacked may leave.
type cage struct{ around, dir string }

func newCage(t testing.TB) cage {
	t.Helper()
	c := cage{around: t.TempDir()}
	c.dir = filepath.Join(c.around, "dir")
	require.NoError(t, os.Mkdir(c.dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(c.around, "beside"), []byte("beside"), 0o600))
	return c
}

// check holds that what is around is as it was and that inside there are files
// and folders only, and returns the files with their sizes.
func (c cage) check(t testing.TB) map[string]int64 {
	t.Helper()
	around, err := os.ReadDir(c.around)
	require.NoError(t, err)
	require.Len(t, around, 2)
	beside, err := os.ReadFile(filepath.Join(c.around, "beside"))
	require.NoError(t, err)
	require.Equal(t, "beside", string(beside))
	files := map[string]int64{}
	require.NoError(t, filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		require.True(t, d.Type().IsRegular(), "%s is %s", path, d.Type())
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky|0o022), path)
		name, err := filepath.Rel(c.dir, path)
		files[filepath.ToSlash(name)] = info.Size()
		return err
	}))
	return files
}

// tight are the bounds of the tests.
var tight = bounds{bytes: 100 << 10, entries: 100, free: 8 << 10, ratio: 20}

func TestUnpackRefuses(t *testing.T) {
	link := func(kind byte, to string) tar.Header { return tar.Header{Name: "link", Typeflag: kind, Linkname: to} }
	many := make([]tar.Header, 101)
	for i := range many {
		many[i] = file(fmt.Sprint(i), 0)
	}
	long := strings.Repeat("n", 200)
	whole := packed(t, file("model", 5000))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for _, tt := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"dotdot", packed(t, file("../beside", 4)), "leaves the folder"},
		{"hidden dotdot", packed(t, file("a/../../beside", 4)), "leaves the folder"},
		{"folder dotdot", packed(t, tar.Header{Name: "../more/", Typeflag: tar.TypeDir}), "leaves the folder"},
		{"absolute", packed(t, file("/etc/evil", 4)), "leaves the folder"},
		{"symbolic link", packed(t, link(tar.TypeSymlink, "/etc")), "only files and folders"},
		{"symbolic link within", packed(t, file("model", 1), link(tar.TypeSymlink, "model")), "only files and folders"},
		{"through a link", packed(t, tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: ".."}, file("link/beside", 4)), "only files and folders"},
		{"hard link", packed(t, link(tar.TypeLink, "../beside")), "only files and folders"},
		{"character device", packed(t, tar.Header{Name: "dev", Typeflag: tar.TypeChar, Devmajor: 1}), "only files and folders"},
		{"block device", packed(t, tar.Header{Name: "dev", Typeflag: tar.TypeBlock}), "only files and folders"},
		{"fifo", packed(t, tar.Header{Name: "pipe", Typeflag: tar.TypeFifo}), "only files and folders"},
		{"itself", packed(t, file(".", 1)), "is a directory"},
		{"file and folder", packed(t, file("a", 1), file("a/b", 1)), "file exists"},
		{"line break", packed(t, file("a\nb", 1)), "control characters"},
		{"escape", packed(t, file("a\x1b[2J", 1)), "control characters"},
		{"deep", packed(t, file(strings.Repeat("d/", 65)+"f", 1)), "more than 1024 bytes or 64 folders"},
		{"long", packed(t, file(strings.Repeat(long+"/", 6)+"f", 1)), "more than 1024 bytes or 64 folders"},
		{"long element", packed(t, file(strings.Repeat("n", 300), 1)), "name too long"},
		{"many files", packed(t, many...), "too many files and folders"},
		{"many folders", packed(t, file(strings.Repeat("d/", 60)+"f", 1), file(strings.Repeat("e/", 60)+"f", 1)), "too many files and folders"},
		{"too large", packed(t, file("big", 100<<10+1)), "beyond the limit of 102400 bytes"},
		{"too large together", packed(t, file("a", 6<<10), tar.Header{Name: "b", Typeflag: tar.TypeReg, Size: 100 << 10}), "beyond the limit"},
		{"bomb", packed(t, file("zeros", 90<<10)), "which no honest archive does"},
		{"bomb of headers", packed(t, tar.Header{Name: "x", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"a.b": strings.Repeat("x", 90<<10)}}, file("model", 1)), "which no honest archive does"},
		{"bomb behind the end", gzipped(t, make([]byte, 90<<10)), "which no honest archive does"},
		{"sparse", gzipped(t, sparse(t, 1<<40)), "beyond the limit"},
		{"sparse bomb", gzipped(t, sparse(t, 90<<10)), "which no honest archive does"},
		{"cut short", whole[:len(whole)-20], "unexpected EOF"},
		{"without its checksum", whole[:len(whole)-8], "unexpected EOF"},
		{"damaged", flipped, "checksum"},
		{"NUL in a name", gzipped(t, raw(t, "path=a\x00b")), "invalid tar header"},
		{"negative size", gzipped(t, raw(t, "size=-1")), "invalid tar header"},
		{"not a tar", gzipped(t, bytes.Repeat([]byte("model"), 1000)), "archive: "},
		{"not gzipped", []byte("plain"), "not a gzipped archive"},
		{"nothing", nil, "not a gzipped archive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCage(t)
			require.ErrorContains(t, unpackWithin(bytes.NewReader(tt.archive), c.dir, tight), tt.want)
			c.check(t)
		})
	}
}

// raw is a tar whose only entry is preceded by a PAX record as it stands, which
// archive/tar would not write.
func raw(t testing.TB, record string) []byte {
	t.Helper()
	length := len(record) + 4 // with its own two digits, a space and a line break
	return extended(t, fmt.Sprintf("%d %s\n", length, record), nil)
}

// sparse is a tar with a file that is all hole (GNU format 1.0 in PAX).
func sparse(t testing.TB, size int64) []byte {
	t.Helper()
	var records strings.Builder
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=hole", fmt.Sprintf("GNU.sparse.realsize=%d", size)} {
		fmt.Fprintf(&records, "%d %s\n", len(r)+4, r)
	}
	data := make([]byte, 512)
	copy(data, fmt.Sprintf("1\n%d\n0\n", size)) // one fragment at the end, of no bytes
	return extended(t, records.String(), data)
}

// extended is a tar of one file with a PAX header of one's own writing.
func extended(t testing.TB, records string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, h := range []struct {
		kind byte
		body []byte
	}{{tar.TypeXHeader, []byte(records)}, {tar.TypeReg, data}} {
		var block bytes.Buffer
		w := tar.NewWriter(&block)
		require.NoError(t, w.WriteHeader(&tar.Header{Name: "entry", Typeflag: tar.TypeReg, Size: int64(len(h.body)), Format: tar.FormatUSTAR}))
		header := block.Bytes()[:512]
		header[156] = h.kind
		copy(header[148:], "        ")
		sum := 0
		for _, b := range header {
			sum += int(b)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		out.Write(header)
		out.Write(h.body)
		out.Write(make([]byte, (512-len(h.body)%512)%512))
	}
	out.Write(make([]byte, 1024))
	return out.Bytes()
}

func TestUnpack(t *testing.T) {
	for _, tt := range []struct {
		name    string
		archive []byte
		want    map[string]int64
	}{
		{"files and folders", packed(t, tar.Header{Name: "./", Typeflag: tar.TypeDir}, file("./code/model.txt", 4), tar.Header{Name: "empty/", Typeflag: tar.TypeDir}, file("größe 1", 7)), map[string]int64{"code/model.txt": 4, "größe 1": 7}},
		{"nothing in it", packed(t), map[string]int64{}},
		{"the later of two", packed(t, file("a", 7), file("b", 1), file("./a", 3)), map[string]int64{"a": 3, "b": 1}},
		{"dots within", packed(t, file("a/../b", 2)), map[string]int64{"b": 2}},
		{"padded", append(packed(t, file("a", 1)), make([]byte, 100)...), map[string]int64{"a": 1}},
		{"in two members", append(gzipped(t, sparse(t, 100)[:512]), gzipped(t, sparse(t, 100)[512:])...), map[string]int64{"hole": 100}},
		{"global header", packed(t, tar.Header{Name: "x", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "by git"}}, file("a", 1)), map[string]int64{"a": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCage(t)
			require.NoError(t, unpackWithin(bytes.NewReader(tt.archive), c.dir, tight))
			require.Equal(t, tt.want, c.check(t))
		})
	}
	require.NoError(t, unpack(bytes.NewReader(packed(t, file("zeros", 20<<20))), newCage(t).dir, maxUnpacked), "a model may well begin with zeros")
}

// FuzzUnpack holds that whatever is unpacked stays in its folder and within its
// bounds, and can be removed.
func FuzzUnpack(f *testing.F) {
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, h := range []tar.Header{file("a/b", 3), file("../c", 1), {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../beside"}, file("l", 1)} {
		require.NoError(f, w.WriteHeader(&h))
		_, err := w.Write(make([]byte, h.Size))
		require.NoError(f, err)
	}
	require.NoError(f, w.Close())
	f.Add(plain.Bytes(), true)
	f.Add(sparse(f, 1000), true)
	f.Add(raw(f, "path=../../x"), true)
	f.Add(packed(f, file("a", 1)), false)
	f.Add([]byte("\x1f\x8b"), false)
	f.Fuzz(func(t *testing.T, data []byte, isTar bool) {
		if isTar {
			data = gzipped(t, data)
		}
		c := newCage(t)
		_ = unpackWithin(bytes.NewReader(data), c.dir, tight)
		total := int64(0)
		for _, size := range c.check(t) {
			total += size
		}
		require.LessOrEqual(t, total, tight.bytes)
		require.NoError(t, os.RemoveAll(c.dir))
	})
}

// A full disk is not taken for an archive.
func TestPackOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model"), []byte("model"), 0o600))
	_, err := pack("/dev/full", dir)
	require.ErrorContains(t, err, "no space left on device")
}

func TestModelDataErrors(t *testing.T) {
	at, err := parseLocation("ModelDataUrl", "s3://data/m.tar.gz")
	require.NoError(t, err)
	require.EqualError(t, notExtracted(at, io.ErrUnexpectedEOF), `Failed to extract model data archive for container "container_1" from URL "s3://data/m.tar.gz". Please ensure that the object located at the URL is a valid tar.gz archive. (unexpected EOF)`)
	require.ErrorIs(t, notDownloaded(at, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
	require.ErrorContains(t, notDownloaded(at, io.EOF), "that the role passed to CreateModel has permissions to download the object. (EOF)")
}
