package spec_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/spec"
)

// scripted is the example with a script in the place of its trees.
func scripted(t *testing.T, script string) []byte {
	t.Helper()
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	return []byte(strings.Replace(string(raw), "        image: steward/trees\n", "        image: 683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1\n        script: "+script+"\n", 1))
}

func TestLoadScript(t *testing.T) {
	file, err := spec.Load("m.yaml", scripted(t, "{source: src, entryPoint: train.py}"))
	require.NoError(t, err)
	require.Equal(t, "train.py", file.Spec.Training.Candidates[1].Script.Inference, "default")
	_, err = spec.LoadUploaded("m.yaml", scripted(t, "{source: src, entryPoint: train.py}"))
	require.ErrorContains(t, err, "spec.training.candidates[1].script.source: the gateway cannot see this folder: apply the file with steward apply")
	_, err = spec.LoadUploaded("m.yaml", scripted(t, `{source: "s3://b/x.tar.gz", entryPoint: train.py, inference: lib/serve.py}`))
	require.NoError(t, err)
}

func TestLoadScriptRefuses(t *testing.T) {
	for script, want := range map[string]string{
		"{entryPoint: train.py}":                              "script.source: this field is missing",
		"{source: src}":                                       "script.entryPoint: this field is missing",
		`{source: src, entryPoint: "/etc/x.py"}`:              "script.entryPoint: it must match",
		`{source: src, entryPoint: "lib/../../x.py"}`:         "script.entryPoint: the program must lie inside the source",
		`{source: src, entryPoint: a.py, inference: a/../b}`:  "script.inference: the program must lie inside the source",
		`{source: "s3://bucket/x.zip", entryPoint: train.py}`: "script.source: it must be a folder, or the S3 address of an archive",
		`{source: "git://host/x", entryPoint: train.py}`:      "script.source: only folders and S3 addresses are known",
	} {
		_, err := spec.Load("m.yaml", scripted(t, script))
		require.ErrorContains(t, err, want, script)
	}
	own := strings.Replace(string(scripted(t, "{source: src, entryPoint: train.py}")), "hyperparameters: {", "hyperparameters: {sagemaker_program: x.py, ", 1)
	_, err := spec.Load("m.yaml", []byte(own))
	require.ErrorContains(t, err, "candidates[1].hyperparameters.sagemaker_program: script mode sets")
	raw, err := os.ReadFile(example)
	require.NoError(t, err)
	_, err = spec.Load("m.yaml", []byte(strings.Replace(string(raw), "image: steward/trees", "image: steward/trees\n        script: {source: src, entryPoint: train.py}", 1)))
	require.ErrorContains(t, err, "candidates[1].script: image steward/trees runs no scripts")
}
