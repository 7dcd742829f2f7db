package activities

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"steward/internal/container"
	"steward/internal/lifecycle"
)

// sourceArchive is a project that SageMaker's script mode can unpack.
func sourceArchive(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "train.py", Mode: 0o644, Size: int64(len(text))}))
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return out.Bytes()
}

// pin runs Training.pin as an activity does.
func (b *bench) pin(in lifecycle.TrainInput) (code *lifecycle.Code, err error) {
	b.env.RegisterActivityWithOptions(b.training.pin, activity.RegisterOptions{Name: "pin", DisableAlreadyRegisteredCheck: true})
	value, err := b.env.ExecuteActivity("pin", in)
	if err != nil {
		return nil, err
	}
	return code, value.Get(&code)
}

// A candidate with a script trains from a source that is kept by its content,
// and its model says what serves it.
func TestTrainWithAScript(t *testing.T) {
	b := newBench(t)
	_, parts := b.parts(300)
	in := b.candidate(container.Linear, parts)
	in.Candidate.Script = &lifecycle.Script{Source: "s3://source/mine.tar.gz", EntryPoint: "train.py", Inference: "serve.py"}
	in.Candidate.Hyperparameters = map[string]any{"rounds": 7.0, "kind": "fast", "deep": true}
	objects := b.training.Objects
	require.NoError(t, objects.Put(t.Context(), "s3://source/mine.tar.gz", sourceArchive(t, "x = 1")))

	code, err := b.pin(in)
	require.NoError(t, err)
	require.Equal(t, "serve.py", code.Inference)
	require.Equal(t, lifecycle.CodeURI(testBucket, in.Model, code.Digest), code.URI)
	kept, err := objects.Get(t.Context(), code.URI)
	require.NoError(t, err)
	require.Equal(t, sourceArchive(t, "x = 1"), kept)
	require.Equal(t, map[string]string{"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": code.URI,
		"SAGEMAKER_CONTAINER_LOG_LEVEL": "20", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}, lifecycle.Trained{Code: code}.ServingEnv())

	// The image is not one with script mode: what it was given is what counts.
	_, err = try(b.env, b.training.Train, in)
	require.Equal(t, lifecycle.JobFailed, lifecycle.ErrorType(err), "%v", err)
	job, err := b.clients.SageMaker.DescribeTrainingJob(t.Context(), &sagemaker.DescribeTrainingJobInput{TrainingJobName: &in.Job})
	require.NoError(t, err)
	delete(job.HyperParameters, "task")
	delete(job.HyperParameters, "categorical")
	require.Equal(t, map[string]string{"rounds": "7", "kind": `"fast"`, "deep": "true", "sagemaker_program": `"train.py"`,
		"sagemaker_submit_directory": `"` + code.URI + `"`, "sagemaker_job_name": `"` + in.Job + `"`, "sagemaker_container_log_level": "20"}, job.HyperParameters)

	// A later attempt at the same job trains from what the first one did.
	require.NoError(t, objects.Put(t.Context(), "s3://source/mine.tar.gz", sourceArchive(t, "x = 3")))
	again, err := b.pin(in)
	require.NoError(t, err)
	require.Equal(t, code, again)

	// Content under the address of other content was tampered with.
	in.Candidate.Script.Source, in.Job = code.URI, "another"
	again, err = b.pin(in)
	require.NoError(t, err)
	require.Equal(t, code, again)
	require.NoError(t, objects.Put(t.Context(), code.URI, sourceArchive(t, "x = 2")))
	_, err = b.pin(in)
	require.Equal(t, lifecycle.Invalid, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "was changed")
}

func TestTrainRefusesSources(t *testing.T) {
	b := newBench(t)
	in := lifecycle.TrainInput{Of: lifecycle.Of{Model: "m", Release: 1}, Job: "sources", Candidate: lifecycle.Candidate{Name: "c"}}
	for source, want := range map[string]string{"src": "is a folder: apply the model file with steward apply", "s3://source/none.tar.gz": "candidate c: script source"} {
		in.Candidate.Script = &lifecycle.Script{Source: source, EntryPoint: "train.py", Inference: "train.py"}
		_, err := b.pin(in)
		require.ErrorContains(t, err, want)
	}
}

// What was trained before there were scripts, and without one, is written as ever.
func TestTrainedWithoutCodeIsAsItWas(t *testing.T) {
	text, err := json.Marshal(lifecycle.Trained{Job: "j"})
	require.NoError(t, err)
	require.NotContains(t, string(text), "code")
	require.Nil(t, lifecycle.Trained{}.ServingEnv())
}
