package localcloud_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud"
)

// FuzzImages holds that a registry file is read to its end or refused with its
// name.
func FuzzImages(f *testing.F) {
	for _, seed := range []string{`[{"pattern": "team/*", "command": ["python3", "x.py"]}]`, `[]`, `null`, `[] []`, `[{"pattern": 1}]`, `[{"patern": "x"}]`, "[\n{", "\xff", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "images.json")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		images, err := localcloud.LoadImages(path)
		if err != nil {
			require.ErrorContains(t, err, path)
			require.Empty(t, images)
		}
	})
}
