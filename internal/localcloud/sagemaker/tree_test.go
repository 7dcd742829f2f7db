package sagemaker

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTreeFollowsLinks(t *testing.T) {
	files := map[string]string{"model/best": "b", "model/steps/1/state": "s", "checkpoints/last": "l"}
	for name, tt := range map[string]struct {
		link, to string // to: a path, or $ROOT/… for one of this machine
		want     map[string]string
		says     string
	}{
		"file":                   {"model/now", "best", map[string]string{"now": "b"}, ""},
		"by the namespace":       {"model/now", "/opt/ml/model/steps/1/state", map[string]string{"now": "s"}, ""},
		"by the machine":         {"model/now", "$ROOT/model/best", map[string]string{"now": "b"}, ""},
		"folder":                 {"model/latest", "steps/1", map[string]string{"latest/state": "s"}, ""},
		"elsewhere below opt":    {"model/last", "../checkpoints/last", map[string]string{"last": "l"}, ""},
		"out":                    {"model/secret", "$ROOT/../secret", nil, "/opt/ml/model/secret is a link to a place that is not below /opt/ml: put a copy of that there"},
		"out by the namespace":   {"model/secret", "/opt/ml/../secret", nil, "/opt/ml/model/secret is a link to a place that is not below /opt/ml"},
		"system":                 {"model/hosts", "/etc/hosts", nil, "/opt/ml/model/hosts is a link to a place that is not below /opt/ml"},
		"nowhere":                {"model/gone", "nothing", nil, "/opt/ml/model/gone is a link to nothing, and there is nothing: remove it"},
		"into itself":            {"model/steps/up", "..", nil, "/opt/ml/model/steps/up is a link to a folder that it is in: remove it"},
		"to itself":              {"model/self", "self", nil, "/opt/ml/model/self"},
		"the folder out":         {"model", "$ROOT/..", nil, "/opt/ml/model is a link to a place that is not below /opt/ml"},
		"the folder is one here": {"model", "checkpoints", map[string]string{"last": "l"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			from := tree{filepath.Join(dir, "ml"), "model"}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600))
			for file, text := range files {
				at := filepath.Join(from.root, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
			}
			want := map[string]string{"best": "b", "steps/1/state": "s"}
			link := filepath.Join(from.root, filepath.FromSlash(tt.link))
			if tt.link == "model" {
				require.NoError(t, os.RemoveAll(link))
				want = map[string]string{}
			}
			require.NoError(t, os.Symlink(os.Expand(tt.to, func(string) string { return from.root }), link))
			for name, text := range tt.want {
				want[name] = text
			}
			got := map[string]string{}
			err := from.each(func(name, file string, info fs.FileInfo) error {
				text, err := os.ReadFile(file)
				got[name] = string(text)
				require.Equal(t, int64(len(text)), info.Size())
				return err
			})
			if tt.says != "" {
				require.ErrorContains(t, err, tt.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
	require.NoError(t, tree{t.TempDir(), "model"}.each(nil), "it need not be there")
}
