package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// invoked is the endpoint of the case, and its job, model and configuration.
const invoked = "invoked"

// invokeBench asks an endpoint that captures every request and answer. The peer
// is another server of the same model, asked directly and then through a bare hop:
// where the model answers in less time than a hop takes, the hop is the limit.
type invokeBench struct{ rows int } // of a request

func (b invokeBench) run(ctx context.Context, l lab) (_ []result, err error) {
	c, err := startCloud(ctx, l)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.deploy(ctx); err != nil {
		return nil, err
	}
	direct, err := c.serveDirectly(ctx, l)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, direct.stop()) }()
	row := bytes.Repeat([]byte("0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8\n"), b.rows)
	through, err := c.signed(ctx, "sagemaker", http.MethodPost, "/endpoints/"+invoked+"/invocations", row, http.Header{"Content-Type": {"text/csv"}})
	if err != nil {
		return nil, err
	}
	past := message{http.MethodPost, direct.url() + "/invocations", through.header, row}
	if err := sameAnswer(ctx, c.client, through, past); err != nil {
		return nil, err
	}
	mine, theirs, err := compare(ctx, l, "directly", sending(c.client, through), sending(c.client, past))
	if err != nil {
		return nil, err
	}
	hop, err := startHop(ctx, direct.url())
	if err != nil {
		return nil, err
	}
	defer func() { _ = hop.stop() }() // a signal is its only end
	past.url = hop.url() + "/invocations"
	again, hopped, err := compare(ctx, l, "by a bare hop", sending(c.client, through), sending(c.client, past))
	return []result{
		{ours: mine.rate, peer: theirs.rate, unit: "/s", least: 0.7},
		{name: "-p99", ours: mine.p99, peer: theirs.p99, unit: "ms", most: 2},
		{name: "-hop", ours: again.rate, peer: hopped.rate, unit: "/s", least: 0.7},
	}, err
}

func sameAnswer(ctx context.Context, client *http.Client, a, b message) error {
	one, err := a.send(ctx, client)
	if err != nil {
		return err
	}
	other, err := b.send(ctx, client)
	if err == nil && !bytes.Equal(one, other) {
		err = fmt.Errorf("the endpoint answers %q, the model server %q", one, other)
	}
	return err
}

// deploy trains a model and puts it behind the endpoint.
func (c *localCloud) deploy(ctx context.Context) error {
	if err := c.put(ctx, "/"+bucket+"/rows/rows.csv", rows()); err != nil {
		return err
	}
	if _, err := c.sm.CreateTrainingJob(ctx, training(invoked)); err != nil {
		return err
	}
	job, err := c.ended(ctx, invoked)
	if err != nil {
		return err
	}
	if job.TrainingJobStatus != types.TrainingJobStatusCompleted {
		return fmt.Errorf("the training job is %s: %s", job.TrainingJobStatus, aws.ToString(job.FailureReason))
	}
	name := aws.String(invoked)
	_, modelErr := c.sm.CreateModel(ctx, &sagemaker.CreateModelInput{ModelName: name, ExecutionRoleArn: job.RoleArn,
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String(image), ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts}})
	_, configErr := c.sm.CreateEndpointConfig(ctx, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: name,
		ProductionVariants: []types.ProductionVariant{{VariantName: name, ModelName: name, InitialInstanceCount: aws.Int32(1),
			InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialVariantWeight: aws.Float32(1)}},
		DataCaptureConfig: &types.DataCaptureConfig{EnableCapture: aws.Bool(true), InitialSamplingPercentage: aws.Int32(100), DestinationS3Uri: aws.String("s3://" + bucket + "/captured"),
			CaptureOptions: []types.CaptureOption{{CaptureMode: types.CaptureModeInput}, {CaptureMode: types.CaptureModeOutput}}}})
	_, endpointErr := c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: name, EndpointConfigName: name})
	if err := errors.Join(modelErr, configErr, endpointErr); err != nil {
		return err
	}
	return settled(ctx, func() (bool, error) {
		d, err := c.sm.DescribeEndpoint(ctx, &sagemaker.DescribeEndpointInput{EndpointName: name})
		if err == nil && d.EndpointStatus == types.EndpointStatusFailed {
			err = errors.New(aws.ToString(d.FailureReason))
		}
		return err == nil && d.EndpointStatus == types.EndpointStatusInService, err
	})
}

// rows are a sum of eight features.
func rows() []byte {
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // data, not secrets
	var b bytes.Buffer
	b.WriteString("y,a,b,c,d,e,f,g,h\n")
	for range 2000 {
		sum, line := 0.0, strings.Builder{}
		for range 8 {
			v := random.Float64()
			sum += v
			fmt.Fprintf(&line, ",%.4f", v)
		}
		fmt.Fprintf(&b, "%.4f%s\n", sum, &line)
	}
	return b.Bytes()
}

// serveDirectly starts a server of the trained model beside the cloud's.
func (c *localCloud) serveDirectly(ctx context.Context, l lab) (*child, error) {
	base := filepath.Join(l.dir, "ml")
	if err := c.fetchModel(ctx, filepath.Join(base, "model")); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, c.cmd.Path, "image", image, "serve")
	cmd.Env = append(os.Environ(), "SAGEMAKER_BASE_DIR="+base, fmt.Sprintf("SAGEMAKER_BIND_TO_PORT=%d", ports[0]))
	return startChild(cmd, "serving on ", func(line string) (string, error) {
		_, address, _ := strings.Cut(line, "serving on ")
		return address, nil
	})
}

// fetchModel unpacks the job's model, which is a few files.
func (c *localCloud) fetchModel(ctx context.Context, dir string) error {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("models/" + invoked + "/output/model.tar.gz")})
	if err != nil {
		return err
	}
	defer func() { _ = out.Body.Close() }()
	z, err := gzip.NewReader(out.Body)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(files)
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), data, 0o600)); err != nil {
			return err
		}
	}
}
