package sagemaker

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// FuzzLocation holds that an address that is taken means what it says, and that
// its bucket can be a folder.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{"s3://data/a/b", "s3://data", "s3://data/", "s3://../x", "s3://a..b/x", "S3://data/x", "s3://da ta/x", "s3:///x", "http://data/x", "s3://data//a/../b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		at, err := parseLocation("S3Uri", uri)
		if err != nil {
			require.Equal(t, location{}, at)
			return
		}
		require.Equal(t, strings.TrimSuffix(uri, "/"), strings.TrimSuffix(at.String(), "/"))
		require.True(t, filepath.IsLocal(at.bucket) && at.bucket == filepath.Base(at.bucket), at.bucket)
		require.True(t, strings.HasPrefix(at.join("x").key, at.key))
	})
}

// shelf is an object store with the same body everywhere.
type shelf struct {
	failing
	body string
}

func (s shelf) Get(context.Context, string, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(s.body)), nil
}

func (s shelf) List(context.Context, string, string) ([]s3.Object, error) {
	return []s3.Object{{Key: s.body}}, nil
}

// FuzzSources holds that no manifest, and no key below a prefix, takes a job out
// of its channel's folder.
func FuzzSources(f *testing.F) {
	for _, seed := range []string{`[{"prefix": "s3://data/in/"}, "a.csv", "b/c.csv"]`, `[{"prefix": "s3://data/"}, "../../x"]`, `[{"prefix": "s3://data/"}, "/x"]`, `[]`, `{}`, `[1]`,
		`[{"prefix": 1}]`, `[{"prefix": "s3://data/"}, {"prefix": "s3://data/"}]`, `[{"prefix": "s3://data/"}, ""]`, `[{"prefix"`, "in/a.csv", "in/../../x", "in//x", "in/\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := &Service{cfg: Config{Objects: shelf{body: body}}}
		for _, kind := range []types.S3DataType{types.S3DataTypeManifestFile, types.S3DataTypeS3Prefix} {
			found, err := s.sources(t.Context(), kind, "s3://data/in/")
			if err != nil {
				require.Empty(t, found)
				continue
			}
			require.NotEmpty(t, found)
			for _, src := range found {
				require.True(t, filepath.IsLocal(src.name), src.name)
			}
		}
	})
}

// FuzzSpool holds that of a file that was left behind exactly the complete lines
// are delivered.
func FuzzSpool(f *testing.F) {
	for _, seed := range []string{"", "{}\n", "{}\n{\"half", "half", "\n", "\n\n\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, left []byte) {
		path := filepath.Join(t.TempDir(), "left.jsonl")
		require.NoError(t, os.WriteFile(path, left, 0o600))
		require.NoError(t, trim(path))
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(left[:bytes.LastIndexByte(left, '\n')+1]), string(kept))
	})
}

// FuzzPayloads holds that the payloads of a transform are its input, whole, in
// order and within the limit.
func FuzzPayloads(f *testing.F) {
	for _, seed := range []string{"", "a\nb\nc", "\n", "\n\n", "a\r\n", strings.Repeat("x", 100), "a\n" + strings.Repeat("x", 64) + "\nb\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 64
		for _, how := range []struct{ lines, single bool }{{false, false}, {true, false}, {true, true}} {
			var joined []byte
			err := payloads(bytes.NewReader(input), how.lines, how.single, limit, func(p []byte) bool {
				require.NotEmpty(t, p)
				require.LessOrEqual(t, len(p), limit)
				if how.single {
					require.LessOrEqual(t, bytes.Count(p, []byte("\n")), 1)
				}
				joined = append(joined, p...)
				return true
			})
			if err == nil {
				require.Equal(t, string(input), string(joined))
			}
		}
	})
}

// FuzzImage holds that a registry that is taken can answer for any image.
func FuzzImage(f *testing.F) {
	f.Add("steward/*", "steward/linear:1")
	f.Add("[a-", "a")
	f.Add("a[b", "a")
	f.Add("\\", "")
	f.Add("host:5000/x", "host:5000/x@sha256:00")
	f.Fuzz(func(t *testing.T, pattern, image string) {
		list, err := checkImages([]Image{{Pattern: pattern, Command: []string{"x"}}})
		if err != nil {
			return
		}
		found, err := list.find(image)
		require.Equal(t, err == nil, found != nil)
	})
}
