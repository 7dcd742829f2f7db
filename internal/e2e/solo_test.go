package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"
)

// How much the local cloud has to endure: little in every run of the tests, as
// much as one likes on demand (make endure).
var (
	kills   = flag.Int("kills", 5, "how often the local cloud is killed under load")
	updates = flag.Int("updates", 6, "how often an endpoint is changed under traffic")
	seed    = flag.Uint64("seed", 1, "of the moments and the load")
)

// solo is a `steward cloud` without the rest of the stack. Each of its lives has
// an address of its own.
type solo struct {
	*testing.T
	home    string
	program *program
	clients
}

// clients speak to one life of a cloud. They try everything once: a load must
// know what became of each attempt.
type clients struct {
	s3      *s3.Client
	sm      *sagemaker.Client
	runtime *sagemakerruntime.Client
	dying   chan struct{} // closed when calls may fail from now on
}

// newSolo makes a home and starts its cloud. At the end of the test the cloud
// ends in good order, and nothing of it is left running.
func newSolo(t *testing.T) *solo {
	t.Helper()
	c := &solo{T: t, home: filepath.Join(t.TempDir(), "home")}
	require.NoError(t, writeImages(c.home))
	c.start()
	t.Cleanup(func() {
		require.NoError(t, c.program.end(syscall.SIGTERM), c.program.said())
		require.Empty(t, processes(t, c.home), "a cloud that has ended leaves no process behind")
	})
	return c
}

// start begins the next life and returns when it serves.
func (c *solo) start() {
	c.Helper()
	var err error
	c.program, err = launch(c.home, "cloud", "cloud", "--listen", "127.0.0.1:0")
	require.NoError(c, err)
	address := c.program.awaitWord(c.T, `"msg":"local cloud serves","address":"([^"]+)"`)
	env := c.env()
	cfg := aws.Config{Region: env["AWS_REGION"], BaseEndpoint: aws.String("http://" + address), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")}
	c.clients = clients{s3.NewFromConfig(cfg), sagemaker.NewFromConfig(cfg), sagemakerruntime.NewFromConfig(cfg), make(chan struct{})}
}

// env reads the home's env file.
func (c *solo) env() map[string]string {
	c.Helper()
	text, err := os.ReadFile(filepath.Join(c.home, "env"))
	require.NoError(c, err)
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[name] = value
	}
	return env
}

// crash ends this life as kill -9 does.
func (c *solo) crash() {
	c.Helper()
	close(c.dying)
	c.program.kill(c.T)
}

// bounded ends a load that hangs.
func (c *solo) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(c.Context(), patience, fmt.Errorf("not within %s", patience))
}
