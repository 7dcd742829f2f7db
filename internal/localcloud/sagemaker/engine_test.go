package sagemaker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

// fakeEngine puts a docker into PATH that notes its arguments and environment,
// and runs `run` as a shell command with the volume's folder as its own.
func fakeEngine(t *testing.T) (calls string) {
	t.Helper()
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	script := `#!/bin/sh
echo "$@" >> ` + calls + `
[ "$1" = run ] || exit 0
env > ` + calls + `.env
while [ "$1" != --volume ]; do shift; done
cd "${2%:/opt/ml}"
echo trained > model/model.txt
case "$*" in *fail*) exit 3 ;; *hang*) trap 'echo told > model/model.txt; exit 0' TERM; echo hanging; while :; do sleep 0.05; done ;; esac
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return calls
}

func engine(image string) func(*sagemaker.Config) {
	return func(cfg *sagemaker.Config) {
		cfg.Images = append(cfg.Images, sagemaker.Image{Pattern: "boxed/*", Docker: image})
	}
}

func TestContainerEngine(t *testing.T) {
	calls := fakeEngine(t)
	c := start(t, engine("*"))
	in := trainingInput("boxed", map[string]string{"rounds": "7"})
	in.AlgorithmSpecification.TrainingImage = aws.String("boxed/fraud:1")
	in.Environment = map[string]string{"SECRET": "of the job"}
	c.train(in)
	c.awaitJob("boxed", types.TrainingJobStatusCompleted)
	require.Equal(t, "trained\n", c.untar("out/boxed/output/model.tar.gz", "model.txt"))

	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 2, "run, and rm at its end")
	require.Regexp(t, `^run --rm --name (steward-\S+) --network host --volume \S+/jobs/boxed/algo-1/ml:/opt/ml (--env \S+ )+boxed/fraud:1 train$`, lines[0])
	require.Equal(t, "rm --force "+strings.Fields(lines[0])[3], lines[1])
	for _, name := range []string{"--env SECRET ", "--env TRAINING_JOB_NAME ", "--env AWS_ENDPOINT_URL ", "--env SAGEMAKER_BASE_DIR=/opt/ml "} {
		require.Contains(t, lines[0], name)
	}
	require.NotContains(t, lines[0], "of the job", "values are no arguments")
	require.NotContains(t, lines[0], "--env PATH")
	env, err := os.ReadFile(calls + ".env")
	require.NoError(t, err)
	require.Contains(t, string(env), "SECRET=of the job\n")

	in = trainingInput("own", nil)
	in.AlgorithmSpecification.TrainingImage = aws.String("boxed/fraud:1")
	in.AlgorithmSpecification.ContainerEntrypoint = []string{"python", "-u"}
	in.AlgorithmSpecification.ContainerArguments = []string{"fail.py"}
	c.train(in)
	require.Contains(t, *c.awaitJob("own", types.TrainingJobStatusFailed).FailureReason, "exit code: 3")
	text, err = os.ReadFile(calls)
	require.NoError(t, err)
	require.Regexp(t, `--entrypoint python boxed/fraud:1 -u fail.py\n`, string(text))
}

// Stopping a job stops its container, and the container is gone after it.
func TestContainerEngineStops(t *testing.T) {
	calls := fakeEngine(t)
	c := start(t, engine("local/hang"))
	in := trainingInput("stopped", nil)
	in.AlgorithmSpecification.TrainingImage = aws.String("boxed/fraud:1")
	c.train(in)
	c.eventually(func() bool {
		return strings.Contains(c.log("stopped"), "hanging")
	}, "it runs")
	_, err := c.sm.StopTrainingJob(t.Context(), &sm.StopTrainingJobInput{TrainingJobName: aws.String("stopped")})
	require.NoError(t, err)
	c.awaitJob("stopped", types.TrainingJobStatusStopped)
	require.Equal(t, "told\n", c.untar("out/stopped/output/model.tar.gz", "model.txt"))
	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Regexp(t, `local/hang train\nrm --force steward-\S+\n$`, string(text))
}

func TestContainerEngineMissing(t *testing.T) {
	c := start(t, engine("*"))
	t.Setenv("PATH", t.TempDir())
	in := trainingInput("boxed", nil)
	in.AlgorithmSpecification.TrainingImage = aws.String("boxed/fraud:1")
	c.train(in)
	require.Contains(t, *c.awaitJob("boxed", types.TrainingJobStatusFailed).FailureReason,
		"image boxed/fraud:1: it is to be run by a container engine, and none of docker, podman, nerdctl is in PATH: install one, or give command or python in its place in images.json")
}
