package activities

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"steward/internal/cloud"
	"steward/internal/container"
	"steward/internal/localcloud"
	"steward/internal/localcloud/process"
	"steward/internal/localcloud/sagemaker"
)

// TestMain lets the test binary play every process that the local cloud starts:
// its supervisor and the containers.
func TestMain(m *testing.M) {
	if process.Main() {
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "image" {
		os.Exit(playImage(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// playImage runs a built-in image, or one that misbehaves.
func playImage(image, command string) int {
	switch image {
	case "test/fails":
		out := filepath.Join(os.Getenv("SAGEMAKER_BASE_DIR"), "output")
		if err := os.WriteFile(filepath.Join(out, "failure"), []byte("out of luck"), 0o600); err != nil {
			fmt.Println(err)
		}
		return 1
	case "test/hangs":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		fmt.Println("train-auc=0.5 progress=0.25")
		<-ctx.Done()
		return 0
	}
	if err := container.Run(context.Background(), image, []string{command}); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// testBucket is Steward's own bucket in tests; testRole what jobs act as.
const (
	testBucket = "steward"
	testRole   = "arn:aws:iam::000000000000:role/steward"
	testPoll   = 20 * time.Millisecond
)

// startCloud runs a local cloud for one test and connects to it as production
// does, by the environment. It has the buckets steward and source.
func startCloud(t *testing.T) *cloud.Clients {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var images []sagemaker.Image
	for _, name := range []string{container.Linear, container.Trees, container.Profile, "test/fails", "test/hangs"} {
		images = append(images, sagemaker.Image{Pattern: name, Command: []string{self, "image", name}})
	}
	server, err := localcloud.New(localcloud.Config{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", AccessKey: "key", SecretKey: "secret",
		Images: images, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	t.Setenv("AWS_ENDPOINT_URL", "http://"+server.Addr())
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	clients, err := cloud.New(ctx)
	require.NoError(t, err)
	objects := cloud.NewObjects(clients.S3)
	for _, bucket := range []string{testBucket, "source"} {
		require.NoError(t, objects.EnsureBucket(ctx, bucket))
	}
	return clients
}

// environment runs activities as a worker does.
func environment(t *testing.T, activities ...any) *testsuite.TestActivityEnvironment {
	t.Helper()
	suite := new(testsuite.WorkflowTestSuite)
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	for _, a := range activities {
		env.RegisterActivity(a)
	}
	return env
}

// run executes an activity and decodes its answer.
func run[In, Out any](t *testing.T, env *testsuite.TestActivityEnvironment, activity func(context.Context, In) (Out, error), in In) Out {
	t.Helper()
	out, err := try(env, activity, in)
	require.NoError(t, err)
	return out
}

// try is run for an activity that may fail.
func try[In, Out any](env *testsuite.TestActivityEnvironment, activity func(context.Context, In) (Out, error), in In) (out Out, err error) {
	value, err := env.ExecuteActivity(activity, in)
	if err != nil {
		return out, err
	}
	return out, value.Get(&out)
}
