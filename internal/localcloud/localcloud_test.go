package localcloud_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud"
	modelhosting "steward/internal/localcloud/sagemaker"
)

func config(dir string) localcloud.Config {
	return localcloud.Config{Dir: dir, Addr: "127.0.0.1:0", AccessKey: "key", SecretKey: "secret", Logger: slog.New(slog.DiscardHandler)}
}

// serve runs a cloud and gives the SDK's configuration for it and a function
// that ends it.
func serve(t *testing.T, cfg localcloud.Config) (aws.Config, func()) {
	server, err := localcloud.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-served)
		}
	}
	t.Cleanup(stop)
	url := "http://" + server.Addr()
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}, stop
}

func TestAllServicesOnOnePort(t *testing.T) {
	cfg, _ := serve(t, config(t.TempDir()))
	resp, err := http.Get(*cfg.BaseEndpoint + localcloud.HealthPath) //nolint:noctx // ends with the test's server
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "200 OK: ok\n", resp.Status+": "+string(body))

	id, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::000000000000:user/local", *id.Arn)
	_, err = s3.NewFromConfig(cfg).ListBuckets(t.Context(), &s3.ListBucketsInput{})
	require.NoError(t, err)
	_, err = cloudwatch.NewFromConfig(cfg).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	require.NoError(t, err)
	_, err = cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	require.NoError(t, err)
	targets, err := applicationautoscaling.NewFromConfig(cfg).DescribeScalableTargets(t.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Empty(t, targets.ScalableTargets)
	jobs, err := sagemaker.NewFromConfig(cfg).ListTrainingJobs(t.Context(), &sagemaker.ListTrainingJobsInput{})
	require.NoError(t, err)
	require.Empty(t, jobs.TrainingJobSummaries)
	_, err = sagemaker.NewFromConfig(cfg).CreateNotebookInstance(t.Context(), &sagemaker.CreateNotebookInstanceInput{NotebookInstanceName: aws.String("n"), RoleArn: aws.String("arn:aws:iam::000000000000:role/r"), InstanceType: "ml.t2.medium"})
	require.ErrorContains(t, err, "UnknownOperationException: SageMaker: operation CreateNotebookInstance")
}

func TestSecondStartFindsEverything(t *testing.T) {
	dir := t.TempDir()
	cfg, stop := serve(t, config(dir))
	_, err := s3.NewFromConfig(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("kept")})
	require.NoError(t, err)
	_, err = sagemaker.NewFromConfig(cfg).CreateModelPackageGroup(t.Context(), &sagemaker.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("kept")})
	require.NoError(t, err)
	stop()
	cfg, _ = serve(t, config(dir))
	_, err = s3.NewFromConfig(cfg).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("kept")})
	require.NoError(t, err)
	_, err = sagemaker.NewFromConfig(cfg).DescribeModelPackageGroup(t.Context(), &sagemaker.DescribeModelPackageGroupInput{ModelPackageGroupName: aws.String("kept")})
	require.NoError(t, err)
}

// slowBody gives its last byte only when told to.
type slowBody struct {
	head *strings.Reader
	tail chan struct{}
	sent bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	if n, err := b.head.Read(p); !errors.Is(err, io.EOF) {
		return n, err
	}
	if b.sent {
		return 0, io.EOF
	}
	<-b.tail
	b.sent = true
	p[0] = '!'
	return 1, nil
}

func TestStopLetsRequestsFinish(t *testing.T) {
	dir := t.TempDir()
	cfg, stop := serve(t, config(dir))
	client := s3.NewFromConfig(cfg)
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("data")})
	require.NoError(t, err)
	signed, err := s3.NewPresignClient(client).PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("slow")})
	require.NoError(t, err)
	body := &slowBody{head: strings.NewReader(strings.Repeat("x", 1<<20)), tail: make(chan struct{})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, signed.URL, body)
	require.NoError(t, err)
	req.ContentLength = 1<<20 + 1
	put := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = errors.Join(resp.Body.Close(), map[bool]error{false: errors.New(resp.Status)}[resp.StatusCode == 200])
		}
		put <- err
	}()
	// A megabyte does not fit into the kernel's buffers and gofakes3 alone: once a
	// body is in the store's directory, the request is under way.
	require.Eventually(t, func() bool {
		found, err := filepath.Glob(filepath.Join(dir, "s3", "blobs", "*", "*"))
		return err == nil && len(found) == 1
	}, 10*time.Second, 5*time.Millisecond)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	require.Eventually(t, func() bool { // it has begun to stop
		c, err := net.Dial("tcp", req.URL.Host)
		return err != nil || c.Close() != nil
	}, 10*time.Second, time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("the cloud stopped with a request under way")
	default:
	}
	close(body.tail)
	require.NoError(t, <-put)
	<-stopped
}

func TestTakenPortAndDirectory(t *testing.T) {
	dir := t.TempDir()
	cfg, _ := serve(t, config(dir))
	_, err := localcloud.New(config(dir))
	require.ErrorContains(t, err, "object store "+filepath.Join(dir, "s3")+": another process has it open; stop that process")

	taken := config(t.TempDir())
	taken.Addr = strings.TrimPrefix(*cfg.BaseEndpoint, "http://")
	_, err = localcloud.New(taken)
	require.ErrorContains(t, err, "the port of "+taken.Addr+" is taken: stop the program that has it or choose another address")
}

func TestOwnListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg := config(t.TempDir())
	cfg.Addr, cfg.Listener = "", l
	sdk, _ := serve(t, cfg)
	require.Equal(t, "http://"+l.Addr().String(), *sdk.BaseEndpoint)
}

func TestBadConfig(t *testing.T) {
	for says, change := range map[string]func(*localcloud.Config){
		"no directory is given":         func(c *localcloud.Config) { c.Dir = "" },
		"no address is given":           func(c *localcloud.Config) { c.Addr = "" },
		"access key and secret key":     func(c *localcloud.Config) { c.SecretKey = "" },
		`account "12" is not 12 digits`: func(c *localcloud.Config) { c.Account = "12" },
		"images[0]":                     func(c *localcloud.Config) { c.Images = []modelhosting.Image{{Pattern: "a"}} },
		"unknown port":                  func(c *localcloud.Config) { c.Addr = "127.0.0.1:http99" },
	} {
		cfg := config(t.TempDir())
		change(&cfg)
		_, err := localcloud.New(cfg)
		require.ErrorContains(t, err, says)
	}
}

func TestLoadImages(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "images.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "needs.txt"), []byte("six==1.17.0\nnumpy==2.3.5\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "c.py"), nil, 0o600))
	text := `[{"pattern": "a/*", "command": ["x", "y"]},
		{"pattern": "b", "python": "./py/bin/python", "requirements": "needs.txt", "script": "c.py"},
		{"pattern": "c", "python": "python3", "requirements": ["six==1.17.0"], "framework": "xgboost"}, {"pattern": "d", "docker": "*"}]`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	images, err := localcloud.LoadImages(path)
	require.NoError(t, err)
	require.Equal(t, []modelhosting.Image{
		{Pattern: "a/*", Command: []string{"x", "y"}},
		{Pattern: "b", Python: filepath.Join(dir, "py/bin/python"), Requirements: modelhosting.Requirements{Lines: []string{"six==1.17.0", "numpy==2.3.5"}}, Script: filepath.Join(dir, "c.py")},
		{Pattern: "c", Python: "python3", Requirements: modelhosting.Requirements{Lines: []string{"six==1.17.0"}}, Framework: "xgboost"},
		{Pattern: "d", Docker: "*"},
	}, images)
	_, err = localcloud.LoadImages(path + ".none")
	require.ErrorContains(t, err, path+".none")
}

func TestLoadImagesRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.json")
	for text, says := range map[string]string{
		"[\n{\"patern\": \"a\"}]":           `line 2 or after: json: unknown field "patern"`,
		"[\n\n{]":                           "line",
		`[] []`:                             "more follows the list",
		`[{"pattern": "a"}]`:                `images[0]: pattern "a": command is empty: name the program`,
		`[{"pattern": "[", "docker": "*"}]`: `images[0]: pattern "[": want a name`,
		`[{"pattern": "a", "docker": "*", "python": "python3"}]`:                                   "it has docker and python: give exactly one of command, python and docker",
		`[{"pattern": "a", "docker": "*", "script": "x.py"}]`:                                      "requirements, script and framework go with python, not with docker",
		`[{"pattern": "a", "python": "python3", "script": "x.py"}]`:                                "is not a file: correct its path",
		`[{"pattern": "a", "python": "python3", "requirements": 7}]`:                               "requirements 7: want a list of requirements or the path",
		`[{"pattern": "a", "python": "python3", "requirements": "none.txt"}]`:                      "none.txt: no such file",
		`[{"pattern": "a", "python": "python3", "requirements": ["-r x.txt"]}]`:                    `requirements: "-r x.txt" refers to files here`,
		`[{"pattern": "a", "python": "python3", "requirements": ["./mine"]}]`:                      `requirements: "./mine" refers to files here`,
		`[{"pattern": "b", "docker": "*"}, {"pattern": "a", "python": "p", "framework": "torch"}]`: `images[1]: pattern "a": framework "torch": it is "xgboost" or left out`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := localcloud.LoadImages(path)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, says)
	}
}
