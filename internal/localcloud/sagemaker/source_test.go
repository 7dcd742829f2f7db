package sagemaker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFetchSource(t *testing.T) {
	const refused = "sagemaker_submit_directory"
	for submitted, want := range map[string]string{
		"":                                "the model's",
		"/opt/ml/input/data/code":         "the channel's",
		"file:///opt/ml/input/data/code/": "the channel's",
		"/opt/ml/code":                    "there before",
		"/opt/ml/code/":                   "there before",
		"/opt/ml/code/deep":               refused,
		"/opt/ml/input/../code/deep":      refused,
		"/opt/ml/":                        refused,
		"/opt/ml/input/..":                refused,
		"/opt/ml":                         refused,
		"/opt/ml/../x":                    refused,
		"/opt/ml/nothing":                 refused,
	} {
		t.Run(submitted, func(t *testing.T) {
			base := t.TempDir()
			for dir, text := range map[string]string{"code": "there before", "code/deep": "below", "input/data/code": "the channel's", "model/code": "the model's"} {
				require.NoError(t, makeDirs(base, dir))
				require.NoError(t, os.WriteFile(filepath.Join(base, filepath.FromSlash(dir), "train.py"), []byte(text), 0o600))
			}
			err := new(Service).fetchSource(t.Context(), submitted, base, t.TempDir())
			if want == refused {
				require.ErrorContains(t, err, refused)
				want = "there before"
			} else {
				require.NoError(t, err)
			}
			text, err := os.ReadFile(filepath.Join(base, "code", "train.py"))
			require.NoError(t, err)
			require.Equal(t, want, string(text))
		})
	}
}
