package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"steward/internal/devstack"
)

// localCloud is a running `steward cloud` with a bucket.
type localCloud struct {
	*child
	keys   aws.Credentials
	s3     *s3.Client
	sm     *sagemaker.Client
	client *http.Client // for requests that the SDK would make costly
}

// bucket is where the cases keep their objects.
const bucket = "bench"

// startCloud returns when the cloud serves. A second one in the same lab finds
// what the first has left.
func startCloud(ctx context.Context, l lab) (*localCloud, error) {
	program, err := filepath.Abs(l.steward)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(l.dir, "home")
	p, err := startChild(exec.CommandContext(ctx, program, "cloud", "--home", dir, "--listen", "127.0.0.1:0"), `"msg":"local cloud serves"`, func(line string) (string, error) {
		var said struct{ Address string }
		err := json.Unmarshal([]byte(line), &said)
		return said.Address, err
	})
	if err != nil {
		return nil, fmt.Errorf("steward cloud: %w; `make build` makes it", err)
	}
	c := &localCloud{child: p, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	if err := c.connect(ctx, dir); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *localCloud) connect(ctx context.Context, dir string) error {
	home, err := devstack.At(dir)
	if err != nil {
		return err
	}
	env, err := home.ReadEnv()
	if err != nil {
		return err
	}
	c.keys = aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"]}
	cfg := aws.Config{Region: env["AWS_REGION"], BaseEndpoint: aws.String(c.url()),
		Credentials: credentials.NewStaticCredentialsProvider(c.keys.AccessKeyID, c.keys.SecretAccessKey, "")}
	c.s3, c.sm = s3.NewFromConfig(cfg), sagemaker.NewFromConfig(cfg)
	_, err = c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	return err
}

// child is a server that runs beside the bench.
type child struct {
	cmd     *exec.Cmd
	address string
}

// startChild returns when the program has said, in a line with a mark, where it
// listens.
func startChild(cmd *exec.Cmd, mark string, address func(line string) (string, error)) (*child, error) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &child{cmd: cmd}
	var heard []string
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if heard = append(heard, lines.Text()); strings.Contains(lines.Text(), mark) {
			break
		}
	}
	if len(heard) == 0 || !strings.Contains(heard[len(heard)-1], mark) {
		return nil, errors.Join(fmt.Errorf("it ended: %s", strings.Join(heard, "\n")), cmd.Wait())
	}
	if p.address, err = address(heard[len(heard)-1]); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	go func() {
		for lines.Scan() { // so that it never waits for somebody to listen
		}
	}()
	return p, nil
}

func (p *child) url() string { return "http://" + p.address }

// stop ends it in good order.
func (p *child) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.cmd.Wait()
}

// peak is the most memory that the process itself ever held in RAM, in MB.
func (p *child) peak() (float64, error) { return p.memory("VmHWM") }

// own is the memory that it holds now and that is no file's, in MB.
func (p *child) own() (float64, error) { return p.memory("RssAnon") }

// memory is a line of proc_pid_status(5) in MB.
func (p *child) memory(name string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("memory is read from Linux's /proc: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kilobytes, err := strconv.Atoi(fields[1])
			return float64(kilobytes) * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("/proc has no line %s", name)
}
