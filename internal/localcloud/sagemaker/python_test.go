package sagemaker_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/scriptmode/pythontest"
)

// The name that the SageMaker Python SDK makes for its SKLearn estimator.
const sklearnImage = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

// archive packs entries, of any kind, as a gzipped tar.
func archive(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, h := range entries {
		text := h.PAXRecords["STEWARD.text"]
		h.PAXRecords = nil
		h.Mode = 0o644
		h.Size = int64(len(text))
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return out.String()
}

// file is a regular file of an archive.
func file(name, text string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"STEWARD.text": text}}
}

// scriptJob asks for a job as the SDK's framework estimators do.
func scriptJob(name, image, source string, hyper map[string]string) *sm.CreateTrainingJobInput {
	all := map[string]string{"sagemaker_program": `"train.py"`, "sagemaker_submit_directory": fmt.Sprintf("%q", source),
		"sagemaker_region": `"us-east-1"`, "sagemaker_container_log_level": "20", "sagemaker_job_name": fmt.Sprintf("%q", name)}
	for k, v := range hyper {
		all[k] = v
	}
	in := trainingInput(name, all)
	in.AlgorithmSpecification.TrainingImage = &image
	in.AlgorithmSpecification.MetricDefinitions = nil
	return in
}

const sklearnProject = `import argparse, os, joblib, numpy
from sklearn.linear_model import LogisticRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

def predict_fn(rows, model):
    return model.predict_proba(rows)[:, 1]

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--strength", type=float)
    p.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    p.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    a = p.parse_args()
    rows = numpy.loadtxt(os.path.join(a.train, "rows.csv"), delimiter=",")
    model = LogisticRegression(C=a.strength).fit(rows[:, 1:], rows[:, 0])
    joblib.dump(model, os.path.join(a.model_dir, "model.joblib"))
`

// A script-mode project as the SDK submits it, in the environment that comes
// with the local cloud: two jobs at once build that once, and the model serves.
func TestScriptMode(t *testing.T) {
	pythontest.Offline(t)
	c := start(t, nil)
	rows := c.put("rows/rows.csv", "0,-1,0.5\n0,-2,0.1\n0,-3,0.2\n1,1,0.4\n1,2,0.3\n1,3,0.2\n")
	source := c.put("source/sourcedir.tar.gz", archive(t, file("train.py", sklearnProject)))
	run := func(name string) {
		in := scriptJob(name, sklearnImage, source, map[string]string{"strength": "1.5"})
		in.InputDataConfig = []types.Channel{channelOf("train", rows, types.S3DataTypeS3Prefix)}
		c.train(in)
	}
	run("one")
	run("two")
	for _, name := range []string{"one", "two"} {
		job := c.awaitBuilt(name)
		require.Equal(t, "s3://data/out/"+name+"/output/model.tar.gz", *job.ModelArtifacts.S3ModelArtifacts)
		require.Contains(t, c.log(name), "train.py --strength 1.5")
	}
	built, err := filepath.Glob(filepath.Join(c.dir, "sagemaker", "python", "*", "build.log"))
	require.NoError(t, err)
	require.Len(t, built, 1, "one environment")
	text, err := os.ReadFile(built[0])
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "building the Python environment"))
	require.Contains(t, c.log("one"), "scikit-learn-1.7.2")

	_, err = c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: aws.String("m"), ExecutionRoleArn: aws.String(role),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String(sklearnImage), ModelDataUrl: aws.String("s3://data/out/one/output/model.tar.gz"),
			Environment: map[string]string{"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}}})
	require.NoError(t, err)
	c.serveModel("m")
	out, err := c.runtime.InvokeEndpoint(t.Context(), &smr.InvokeEndpointInput{EndpointName: aws.String("m"), ContentType: aws.String("text/csv"),
		Accept: aws.String("text/csv"), Body: []byte("-3,0.2\n3,0.2\n")})
	require.NoError(t, err)
	var low, high float64
	_, err = fmt.Sscan(string(out.Body), &low, &high)
	require.NoError(t, err)
	require.Less(t, low, 0.2)
	require.Greater(t, high, 0.8)
	_, err = c.runtime.InvokeEndpoint(t.Context(), &smr.InvokeEndpointInput{EndpointName: aws.String("m"), ContentType: aws.String("image/png"), Body: []byte("x")})
	refused(t, err, "ModelError", "Content type image/png is not supported")
}

// awaitBuilt waits for a job that builds an environment first to complete.
func (c *cloud) awaitBuilt(name string) (job *sm.DescribeTrainingJobOutput) {
	c.Helper()
	require.Eventually(c, func() bool {
		job = c.job(name)
		return job.TrainingJobStatus != types.TrainingJobStatusInProgress
	}, 3*time.Minute, 20*time.Millisecond, "job "+name)
	require.Equal(c, types.TrainingJobStatusCompleted, job.TrainingJobStatus, aws.ToString(job.FailureReason))
	return job
}

// serveModel makes an endpoint of a model's name and waits for it.
func (c *cloud) serveModel(name string) {
	c.Helper()
	_, err := c.sm.CreateEndpointConfig(c.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: &name, ProductionVariants: []types.ProductionVariant{
		{VariantName: aws.String("v"), ModelName: &name, InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialInstanceCount: aws.Int32(1)}}})
	require.NoError(c, err)
	_, err = c.sm.CreateEndpoint(c.Context(), &sm.CreateEndpointInput{EndpointName: &name, EndpointConfigName: &name})
	require.NoError(c, err)
	var status types.EndpointStatus
	var reason string
	c.eventually(func() bool {
		out, err := c.sm.DescribeEndpoint(c.Context(), &sm.DescribeEndpointInput{EndpointName: &name})
		status, reason = out.EndpointStatus, aws.ToString(out.FailureReason)
		return err == nil && status != types.EndpointStatusCreating
	}, "endpoint "+name)
	require.Equal(c, types.EndpointStatusInService, status, reason)
}

// python is an image without requirements: the interpreter as it is.
func python(t *testing.T, image sagemaker.Image) func(*sagemaker.Config) {
	image.Pattern, image.Python = "py/*", pythontest.Python(t)
	return func(cfg *sagemaker.Config) { cfg.Images = append(cfg.Images, image) }
}

// What a project's requirements.txt asks for is there, in an environment of
// its own that is built again when it is not whole; what cannot be installed
// fails the job with pip's reason.
func TestProjectRequirements(t *testing.T) {
	pythontest.Offline(t)
	c := start(t, python(t, sagemaker.Image{}))
	program := file("train.py", "import six, sys, os\nopen(os.environ['SM_MODEL_DIR'] + '/v', 'w').write(six.__version__ + ' ' + sys.prefix)\n")
	c.train(scriptJob("good", "py/x", c.put("good.tar.gz", archive(t, program, file("requirements.txt", "six==1.17.0\n"))), nil))
	c.train(scriptJob("bad", "py/x", c.put("bad.tar.gz", archive(t, program, file("requirements.txt", "no-such-package-of-ours==9.9\n"))), nil))
	c.awaitBuilt("good")
	require.Contains(t, c.untar("out/good/output/model.tar.gz", "v"), "1.17.0 "+filepath.Join(c.dir, "sagemaker", "python"))
	job := c.awaitJob("bad", types.TrainingJobStatusFailed)
	require.Contains(t, *job.FailureReason, "the Python environment could not be built: ERROR: No matching distribution found for no-such-package-of-ours==9.9")
	require.Contains(t, c.log("bad"), "no-such-package-of-ours")

	c.train(scriptJob("again", "py/x", "s3://data/good.tar.gz", nil))
	c.awaitBuilt("again")
	require.NotContains(t, c.log("again"), "building the Python environment")
	// A cloud that was killed while it built leaves no record of a good end.
	env := filepath.Dir(strings.Fields(c.untar("out/good/output/model.tar.gz", "v"))[1])
	require.NoError(t, os.Remove(filepath.Join(env, "run", "exit.json")))
	require.NoError(t, os.WriteFile(filepath.Join(env, "half"), nil, 0o600))
	c.train(scriptJob("anew", "py/x", "s3://data/good.tar.gz", nil))
	c.awaitBuilt("anew")
	require.NoFileExists(t, filepath.Join(env, "half"))
	require.Contains(t, c.log("anew"), "building the Python environment")
}

func TestSourceIsUnpackedSafely(t *testing.T) {
	c := start(t, python(t, sagemaker.Image{}))
	for name, tt := range map[string]struct{ source, says string }{
		"parent":   {c.put("1.tar.gz", archive(t, file("../x", "x"))), `archive entry "../x": leaves the folder`},
		"absolute": {c.put("2.tar.gz", archive(t, file("/etc/x", "x"))), `archive entry "/etc/x": leaves the folder`},
		"link":     {c.put("3.tar.gz", archive(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/etc"})), "only files and folders"},
		"hardlink": {c.put("4.tar.gz", archive(t, tar.Header{Name: "l", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"})), "only files and folders"},
		"device":   {c.put("5.tar.gz", archive(t, tar.Header{Name: "d", Typeflag: tar.TypeChar})), "only files and folders"},
		"text":     {c.put("6.tar.gz", "no archive"), "not a gzipped archive"},
		"absent":   {"s3://data/absent.tar.gz", "source: get s3://data/absent.tar.gz"},
		"address":  {"http://example.com/x.tar.gz", "want s3://bucket/source.tar.gz or a path below /opt/ml"},
		"escape":   {"/opt/ml/../../etc", "want s3://bucket/source.tar.gz or a path below /opt/ml"},
	} {
		c.train(scriptJob(name, "py/x", tt.source, nil))
		require.Contains(t, *c.awaitJob(name, types.TrainingJobStatusFailed).FailureReason, tt.says, name)
	}
}

// A job whose source comes by a channel (as under network isolation), and one
// that fails, with the exception as its reason.
func TestScriptModeChannelAndFailure(t *testing.T) {
	c := start(t, python(t, sagemaker.Image{}))
	c.put("code/sourcedir.tar.gz", archive(t, file("train.py", "raise RuntimeError('no rows in ' + __file__)\n")))
	in := scriptJob("failing", "py/x", "/opt/ml/input/data/code/sourcedir.tar.gz", nil)
	in.InputDataConfig = []types.Channel{channelOf("code", "s3://data/code/", types.S3DataTypeS3Prefix)}
	c.train(in)
	reason := *c.awaitJob("failing", types.TrainingJobStatusFailed).FailureReason
	require.Contains(t, reason, "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"")
	require.Contains(t, reason, "RuntimeError: no rows in ")
	require.Contains(t, reason, "exit code: 1")
}

// An image's own script is the container; a job's entry point takes its place.
func TestPythonScriptAndEntrypoint(t *testing.T) {
	script := filepath.Join(t.TempDir(), "container.py")
	const text = "import os, sys\nopen(os.environ['SAGEMAKER_BASE_DIR'] + '/model/args', 'w').write(' '.join(sys.argv[1:]))\n"
	require.NoError(t, os.WriteFile(script, []byte(text), 0o600))
	c := start(t, python(t, sagemaker.Image{Script: script}))
	in := trainingInput("plain", nil)
	in.AlgorithmSpecification.TrainingImage = aws.String("py/x")
	c.train(in)
	in = trainingInput("own", nil)
	in.AlgorithmSpecification.TrainingImage = aws.String("py/x")
	in.AlgorithmSpecification.ContainerEntrypoint = []string{"python", script}
	in.AlgorithmSpecification.ContainerArguments = []string{"--fast", "1"}
	c.train(in)
	c.awaitJob("plain", types.TrainingJobStatusCompleted)
	c.awaitJob("own", types.TrainingJobStatusCompleted)
	require.Equal(t, "train", c.untar("out/plain/output/model.tar.gz", "args"))
	require.Equal(t, "--fast 1", c.untar("out/own/output/model.tar.gz", "args"))
}
