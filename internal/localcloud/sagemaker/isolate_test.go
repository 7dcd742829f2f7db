package sagemaker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process"
	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/scriptmode/pythontest"
)

// plainly runs containers without namespaces.
func plainly(cfg *sagemaker.Config) { cfg.Isolation = sagemaker.IsolationNone }

// refusedHere reports that this machine has no namespaces, after it has held
// that a cloud which must have them does not open.
func refusedHere(t *testing.T) bool {
	t.Helper()
	why := process.Namespaces()
	if why == nil {
		return false
	}
	t.Log(why)
	_, err := host(t.TempDir(), func(cfg *sagemaker.Config) { cfg.Isolation = sagemaker.IsolationNamespaces })
	require.ErrorContains(t, err, `isolation "namespaces": `+why.Error())
	return true
}

// dial says how it goes to reach an address.
func dial(address string) string {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	_ = conn.Close()
	return "reached"
}

// trainLiterally knows no other place than /opt/ml. Its model is what it sees.
func trainLiterally() {
	text, err := os.ReadFile("/opt/ml/input/config/hyperparameters.json")
	must(err)
	var hyper map[string]string
	must(json.Unmarshal(text, &hyper))
	wd, err := os.Getwd()
	must(err)
	input, err := os.ReadFile("/opt/ml/input/data/train/a")
	must(err)
	state, err := os.ReadDir(hyper["state"])
	must(err)
	scratch, err := os.CreateTemp("", "")
	must(err)
	must(scratch.Close())
	must(os.WriteFile("/opt/ml/model/model.txt", fmt.Appendf(nil, "%s in %s and %s, at %s, sees %v, %s; endpoint %q", input, wd, os.Getenv("SAGEMAKER_BASE_DIR"),
		os.Getenv("HOME"), state, dial(hyper["dial"]), os.Getenv("AWS_ENDPOINT_URL")), 0o644))
	if hyper["fails"] != "" {
		must(os.WriteFile("/opt/ml/output/failure", []byte(hyper["fails"]), 0o644))
		os.Exit(1)
	}
}

func literal(c *cloud, name, address string) *sm.CreateTrainingJobInput {
	in := trainingInput(name, map[string]string{"mode": "literal", "state": filepath.Join(c.dir, "sagemaker"), "dial": address})
	in.InputDataConfig = []types.Channel{channelOf("train", c.put("in/a", "data"), types.S3DataTypeS3Prefix)}
	return in
}

func listening(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A container that has /opt/ml written into it finds there what is its own, and
// nothing of other jobs.
func TestContainersSeeOptML(t *testing.T) {
	if refusedHere(t) {
		return
	}
	c := start(t, func(cfg *sagemaker.Config) { cfg.Isolation = sagemaker.IsolationNamespaces })
	address := listening(t)
	c.train(literal(c, "literal", address))
	c.awaitJob("literal", types.TrainingJobStatusCompleted)
	require.Equal(t, `data in /opt/ml and /opt/ml, at /opt/ml, sees [d jobs/ d python/], reached; endpoint "http://127.0.0.1:1"`, c.untar("out/literal/output/model.tar.gz", "model.txt"))
	in := literal(c, "fails", address)
	in.HyperParameters["fails"] = "all labels are one"
	c.train(in)
	require.Contains(t, *c.awaitJob("fails", types.TrainingJobStatusFailed).FailureReason, "AlgorithmError: all labels are one, exit code: 1")

	processing := processingInput("literal", "")
	processing.AppSpecification.ContainerEntrypoint = []string{"sh", "-c", "cat /opt/ml/processing/in/a > /opt/ml/processing/result/b; grep -o literal /opt/ml/config/processingjobconfig.json | sort -u > /opt/ml/output/message"}
	processing.AppSpecification.ContainerArguments = nil
	c.process(processing)
	require.Equal(t, "literal", *c.awaitProcessing("literal", types.ProcessingJobStatusCompleted).ExitMessage)
	require.Equal(t, "data", c.get("result/b"))
}

// Hosts of a job find each other by name.
func TestHostsHaveNames(t *testing.T) {
	if refusedHere(t) {
		return
	}
	c := start(t, nil)
	in := trainingInput("named", map[string]string{"mode": "peers"})
	in.ResourceConfig.InstanceCount = aws.Int32(2)
	c.train(in)
	c.awaitJob("named", types.TrainingJobStatusCompleted)
	require.Equal(t, "[127.0.0.1]", c.untar("out/named/output/model.tar.gz", "model.txt"))
}

const literalScript = `import json, os
hyper = json.load(open("/opt/ml/input/config/hyperparameters.json"))
assert os.environ["SM_MODEL_DIR"] == "/opt/ml/model", os.environ["SM_MODEL_DIR"]
assert os.environ["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
with open("/opt/ml/model/model.txt", "w") as f:
    f.write(hyper["depth"] + open("/opt/ml/input/data/train/a").read())
`

func TestScriptSeesOptML(t *testing.T) {
	if refusedHere(t) {
		return
	}
	c := start(t, withPython(pythontest.Python(t)))
	in := scriptJob("script", "bring/own", c.put("source/sourcedir.tar.gz", archive(t, file("train.py", literalScript))), map[string]string{"depth": "3"})
	in.InputDataConfig = []types.Channel{channelOf("train", c.put("in/a", " data"), types.S3DataTypeS3Prefix)}
	c.train(in)
	c.awaitBuilt("script")
	require.Equal(t, "3 data", c.untar("out/script/output/model.tar.gz", "model.txt"))
}

func withPython(python string) func(*sagemaker.Config) {
	return func(cfg *sagemaker.Config) {
		cfg.Images = append(cfg.Images, sagemaker.Image{Pattern: "bring/*", Python: python})
	}
}

// Without namespaces everything goes on working for containers that ask where
// their folder is.
func TestWithoutNamespaces(t *testing.T) {
	c := start(t, plainly)
	in := trainingInput("plain", map[string]string{"rounds": "7"})
	in.AlgorithmSpecification.ContainerEntrypoint = []string{os.Args[0], "container", "train", "--config=/opt/ml/input/config"}
	c.train(in)
	c.awaitJob("plain", types.TrainingJobStatusCompleted)
	require.Contains(t, c.untar("out/plain/output/model.tar.gz", "model.txt"), `"rounds": "7"`)

	c.put("in/a", "a")
	c.process(processingInput("plain", ""))
	c.awaitProcessing("plain", types.ProcessingJobStatusCompleted)
	require.Equal(t, "a by algo-1 in red", c.get("result/a"))

	c.model("m", "m")
	c.serveModel("m")
	require.Equal(t, "m<x>\n", c.answer("m", "", "x"))
	require.Equal(t, filepath.Join(c.dir, "sagemaker", "servers"), filepath.Dir(filepath.Dir(c.answer("m", "", "env SAGEMAKER_BASE_DIR"))))
}

// alone asks for network isolation in all three ways.
func (c *cloud) alone(address string) (training, processing, model error) {
	in := literal(c, "alone", address)
	in.EnableNetworkIsolation = aws.Bool(true)
	_, training = c.sm.CreateTrainingJob(c.Context(), in)
	p := processingInput("alone", "")
	p.NetworkConfig = &types.NetworkConfig{EnableNetworkIsolation: aws.Bool(true)}
	p.ProcessingResources.ClusterConfig.InstanceCount = aws.Int32(1)
	_, processing = c.sm.CreateProcessingJob(c.Context(), p)
	c.model("other", "other")
	_, model = c.sm.CreateModel(c.Context(), &sm.CreateModelInput{ModelName: aws.String("alone"), ExecutionRoleArn: aws.String(role), EnableNetworkIsolation: aws.Bool(true),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String(image), ModelDataUrl: aws.String("s3://data/models/other.tar.gz")}})
	return training, processing, model
}

func TestNetworkIsolation(t *testing.T) {
	if refusedHere(t) {
		return
	}
	c := start(t, nil)
	address := listening(t)
	training, processing, model := c.alone(address)
	require.NoError(t, training)
	require.NoError(t, processing)
	require.NoError(t, model)

	c.awaitJob("alone", types.TrainingJobStatusCompleted)
	require.True(t, *c.job("alone").EnableNetworkIsolation)
	saw := c.untar("out/alone/output/model.tar.gz", "model.txt")
	require.Contains(t, saw, "connection refused")
	require.Contains(t, saw, `endpoint ""`)
	c.awaitProcessing("alone", types.ProcessingJobStatusCompleted)

	c.serveModel("alone")
	require.Equal(t, "other<x>\n", c.answer("alone", "", "x"))
	require.Contains(t, c.answer("alone", "", "dial "+address), "connection refused")
	out, err := c.runtime.InvokeEndpoint(t.Context(), &smr.InvokeEndpointInput{EndpointName: aws.String("alone"), Body: bytes.Repeat([]byte("x\n"), 100000)})
	require.NoError(t, err)
	require.True(t, strings.Repeat("other<x>\n", 100000) == string(out.Body))
	d, err := c.sm.DescribeModel(t.Context(), &sm.DescribeModelInput{ModelName: aws.String("alone")})
	require.NoError(t, err)
	require.True(t, *d.EnableNetworkIsolation)
	c.transform(transformInput("alone", "alone", c.put("rows/in.csv", "y\n")))
	c.awaitTransform("alone", types.TransformJobStatusCompleted)
	require.Equal(t, "other<y>\n", c.get("out/in.csv.out"))
	_, err = c.ask("alone", "", "die")
	refused(t, err, "ModelError", "the connection to the model server broke")
	c.eventually(func() bool {
		out, err := c.ask("alone", "", "x")
		return err == nil && string(out.Body) == "other<x>\n"
	}, "it comes back")

	in := literal(c, "cluster", address)
	in.EnableNetworkIsolation, in.ResourceConfig.InstanceCount = aws.Bool(true), aws.Int32(2)
	_, err = c.sm.CreateTrainingJob(t.Context(), in)
	refused(t, err, "ValidationException", "EnableNetworkIsolation of a job with several instances is not supported")
	p := processingInput("cluster", "")
	p.NetworkConfig = &types.NetworkConfig{EnableNetworkIsolation: aws.Bool(true)}
	p.ProcessingResources.ClusterConfig.InstanceCount = aws.Int32(2)
	_, err = c.sm.CreateProcessingJob(t.Context(), p)
	refused(t, err, "ValidationException", "NetworkConfig.EnableNetworkIsolation of a job with several instances is not supported")
}

func TestNetworkIsolationNeedsNamespaces(t *testing.T) {
	c := start(t, plainly)
	training, processing, model := c.alone(listening(t))
	const why = ` is not supported by the local cloud: there are no namespaces here (isolation is "none"): leave it out`
	refused(t, training, "ValidationException", "EnableNetworkIsolation"+why)
	refused(t, processing, "ValidationException", "NetworkConfig.EnableNetworkIsolation"+why)
	refused(t, model, "ValidationException", "EnableNetworkIsolation"+why)
}

// A model that was made where there were namespaces is not served without.
func TestModelAloneIsNotServedPlainly(t *testing.T) {
	if refusedHere(t) {
		return
	}
	c := start(t, nil)
	_, _, err := c.alone(listening(t))
	require.NoError(t, err)
	c.awaitJob("alone", types.TrainingJobStatusCompleted)
	c.awaitProcessing("alone", types.ProcessingJobStatusCompleted)
	c.shut()
	c.change = plainly
	c.open()
	c.config("alone", types.ProductionVariant{VariantName: aws.String("v"), ModelName: aws.String("alone"), InstanceType: "ml.m5.large", InitialInstanceCount: aws.Int32(1)})
	c.endpoint("alone", "alone")
	require.Contains(t, *c.awaitEndpoint("alone", types.EndpointStatusFailed).FailureReason, `there are no namespaces here: isolation is "none"`)
}

func TestEngineAlone(t *testing.T) {
	calls := fakeEngine(t)
	c := start(t, engine("*"))
	in := trainingInput("boxed", nil)
	in.AlgorithmSpecification.TrainingImage, in.EnableNetworkIsolation = aws.String("boxed/fraud:1"), aws.Bool(true)
	c.train(in)
	c.awaitJob("boxed", types.TrainingJobStatusCompleted)
	text, err := os.ReadFile(calls)
	require.NoError(t, err)
	require.Contains(t, string(text), " --network none ")
	require.NotContains(t, string(text), "AWS_SECRET_ACCESS_KEY")
	_, err = c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: aws.String("boxed"), ExecutionRoleArn: aws.String(role), EnableNetworkIsolation: aws.Bool(true),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String("boxed/fraud:1")}})
	refused(t, err, "ValidationException", "EnableNetworkIsolation of a model that a container engine runs is not supported")
}

func TestIsolationIsChecked(t *testing.T) {
	_, err := host(t.TempDir(), func(cfg *sagemaker.Config) { cfg.Isolation = "full" })
	require.ErrorContains(t, err, `isolation "full" is not known: want "auto", "none" or "namespaces"`)
}
