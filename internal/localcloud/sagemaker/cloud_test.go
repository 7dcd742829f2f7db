package sagemaker_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/logs"
	"steward/internal/localcloud/process"
	"steward/internal/localcloud/process/processtest"
	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/wire"
)

const (
	account = "000000000000"
	image   = "test/model:1"
	role    = "arn:aws:iam::" + account + ":role/test"
)

var _ sagemaker.Objects = (*s3.Store)(nil)

// recorder keeps what was measured.
type recorder struct {
	mu     sync.Mutex
	values map[string][]float64 // by namespace/name/endpoint/variant
}

func (r *recorder) Record(namespace, name string, d map[string]string, value float64, _ time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[string][]float64{}
	}
	key := strings.Join([]string{namespace, name, d["EndpointName"], d["VariantName"]}, "/")
	r.values[key] = append(r.values[key], value)
}

func (r *recorder) sum(key string) (total float64, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.values[key] {
		total += v
	}
	return total, len(r.values[key])
}

// last is the newest value.
func (r *recorder) last(key string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.values[key]; len(all) > 0 {
		return all[len(all)-1]
	}
	return -1
}

// hosted are the services of one directory.
type hosted struct {
	service *sagemaker.Service
	store   *s3.Store
	logs    *logs.Store
	metrics *recorder
}

// host opens the services of a directory.
func host(dir string, change func(*sagemaker.Config)) (hosted, error) {
	store, err := s3.Open(filepath.Join(dir, "s3"))
	if err != nil {
		return hosted{}, err
	}
	kept, err := logs.Open(logs.Config{Dir: filepath.Join(dir, "logs"), Skip: process.UsageMark, Region: "us-east-1", Account: account, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return hosted{}, err
	}
	metrics := new(recorder)
	cfg := sagemaker.Config{Dir: filepath.Join(dir, "sagemaker"), Region: "us-east-1", Account: account, Objects: store, Metrics: metrics, Logs: kept,
		Images: []sagemaker.Image{{Pattern: "test/*", Command: []string{"env", "GORACE=" + noSleep, os.Args[0], "container"}}},
		Logger: slog.New(slog.DiscardHandler), Endpoint: "http://127.0.0.1:1", AccessKey: "key", SecretKey: "secret",
		CaptureInterval: 20 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	service, err := sagemaker.New(cfg)
	return hosted{service, store, kept, metrics}, err
}

func (h hosted) handler() (http.Handler, error) {
	objects, err := h.store.Handler(slog.New(slog.DiscardHandler))
	return wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"},
		wire.JSON("sagemaker", "SageMaker", h.service.Operations()), wire.REST("sagemaker", "/endpoints/", h.service.Runtime()),
		wire.JSON("logs", "Logs_20140328", h.logs.Operations()), wire.S3(objects)), err
}

// hostCloud is a whole cloud in a process of its own: it says where it listens
// and waits to be killed.
func hostCloud(dir string) {
	h, err := host(dir, nil)
	must(err)
	serve, err := h.handler()
	must(err)
	fmt.Println(httptest.NewServer(serve).URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	must(h.service.Close(context.Background()))
}

// cloud is the service under test behind HTTP, with the SDK's clients.
type cloud struct {
	*testing.T
	dir    string
	change func(*sagemaker.Config)
	hosted
	server  *httptest.Server
	sm      *sm.Client
	cwl     *cwl.Client
	runtime *smr.Client
}

func start(t *testing.T, change func(*sagemaker.Config)) *cloud {
	c := &cloud{T: t, dir: t.TempDir(), change: change}
	c.open()
	t.Cleanup(c.shut)
	require.NoError(t, c.store.CreateBucket(t.Context(), "data"))
	return c
}

func (c *cloud) open() {
	var err error
	c.hosted, err = host(c.dir, c.change)
	require.NoError(c, err)
	h, err := c.handler()
	require.NoError(c, err)
	c.server = httptest.NewServer(h)
	c.connect(c.server.URL)
}

func (c *cloud) connect(url string) {
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	c.sm, c.runtime, c.cwl = sm.NewFromConfig(cfg), smr.NewFromConfig(cfg), cwl.NewFromConfig(cfg)
}

// shut ends the cloud as a clean stop does; nothing may be left running.
func (c *cloud) shut() {
	if c.server == nil {
		return
	}
	c.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(c, c.service.Close(ctx))
	require.NoError(c, c.logs.Close())
	require.NoError(c, c.store.Close())
	c.server = nil
	for _, dir := range []string{"servers", "capture"} {
		entries, err := os.ReadDir(filepath.Join(c.dir, "sagemaker", dir))
		require.NoError(c, err)
		require.Empty(c, entries, dir)
	}
}

func (c *cloud) put(key, body string) string {
	c.Helper()
	require.NoError(c, c.store.Put(context.Background(), "data", key, strings.NewReader(body), int64(len(body))))
	return "s3://data/" + key
}

func (c *cloud) get(key string) string {
	c.Helper()
	r, err := c.store.Get(context.Background(), "data", key)
	require.NoError(c, err, key)
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(c, err)
	return string(data)
}

func (c *cloud) has(key string) bool {
	objects, err := c.store.List(context.Background(), "data", key)
	require.NoError(c, err)
	return len(objects) > 0
}

// untar returns the one file of an archive that ends with name.
func (c *cloud) untar(key, name string) string {
	c.Helper()
	z, err := gzip.NewReader(strings.NewReader(c.get(key)))
	require.NoError(c, err)
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		require.NoError(c, err, "no %s in %s", name, key)
		if strings.HasSuffix(h.Name, name) {
			data, err := io.ReadAll(r)
			require.NoError(c, err)
			return string(data)
		}
	}
}

// model makes a model whose server behaves as content says (see serve).
func (c *cloud) model(name, content string) {
	c.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	w := tar.NewWriter(z)
	require.NoError(c, w.WriteHeader(&tar.Header{Name: "model.txt", Mode: 0o644, Size: int64(len(content))}))
	_, err := w.Write([]byte(content))
	require.NoError(c, err)
	require.NoError(c, w.Close())
	require.NoError(c, z.Close())
	url := c.put("models/"+name+".tar.gz", data.String())
	_, err = c.sm.CreateModel(c.Context(), &sm.CreateModelInput{ModelName: &name, ExecutionRoleArn: aws.String(role),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String(image), ModelDataUrl: &url, Environment: map[string]string{"COLOUR": "blue"}}})
	require.NoError(c, err)
}

// eventually polls until check is true.
func (c *cloud) eventually(check func() bool, message string) {
	c.Helper()
	require.Eventually(c, check, 30*time.Second, 5*time.Millisecond, message)
}

func (c *cloud) requireGone(process string) {
	c.Helper()
	c.eventually(func() bool { return processtest.Find(process) == 0 }, fmt.Sprintf("process %s is still there", process))
}

// log is the latest log file below TrainingJobs/<job>, or another folder.
func (c *cloud) log(path ...string) string {
	c.Helper()
	if len(path) == 1 {
		path = []string{"TrainingJobs", path[0]}
	}
	files, err := filepath.Glob(filepath.Join(c.dir, "sagemaker", "logs", filepath.Join(path...), "*.log"))
	require.NoError(c, err)
	if len(files) == 0 {
		return ""
	}
	data, err := os.ReadFile(files[len(files)-1])
	require.NoError(c, err)
	return string(data)
}

// loggedPID waits for the name of its process that a container prints first.
func (c *cloud) loggedPID(log ...string) (process string) {
	c.Helper()
	c.eventually(func() bool {
		if fields := strings.Fields(c.log(log...)); len(fields) > 2 {
			process = fields[1]
		}
		return process != ""
	}, "no process id in the log")
	return process
}

// refused asserts an error's code and a part of its message.
func refused(t require.TestingT, err error, code, message string) {
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), api.ErrorMessage())
	require.Contains(t, api.ErrorMessage(), message)
}
