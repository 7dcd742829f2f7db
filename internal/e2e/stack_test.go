package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"steward/internal/apiclient"
)

// The people of the embedded stack. Deniz orders, so Ana and Pat may decide.
const (
	engineer  = "deniz"
	scientist = "ana"
	product   = "pat"
	operator  = "oli"
)

// stack is a running `steward dev`, as its own output describes it.
type stack struct {
	*program   `json:"-"`
	Home       string            `json:"home"`
	Gateway    string            `json:"gateway"`
	TemporalUI string            `json:"temporalUI"`
	Logins     map[string]string `json:"logins"`
	Env        map[string]string `json:"env"`
}

// freePorts lets no two stacks get in each other's way.
var freePorts = []string{"--temporal-port", "0", "--ui-port", "0", "--cloud-port", "0", "--gateway-port", "0"}

// startDev starts a stack and returns when it says that it runs.
func startDev(home string, more ...string) (*stack, error) {
	if err := writeImages(home); err != nil {
		return nil, err
	}
	args := append([]string{"dev", "-o", "json"}, freePorts...)
	p, err := launch(home, "dev", append(args, more...)...)
	if err != nil {
		return nil, err
	}
	s := &stack{program: p}
	if err := json.NewDecoder(p.out).Decode(s); err != nil {
		return nil, errors.Join(fmt.Errorf("steward dev did not start: %s", p.said()), p.end(syscall.SIGTERM))
	}
	return s, nil
}

// newStack starts a stack for one test.
func newStack(t *testing.T, home string, more ...string) *stack {
	t.Helper()
	s, err := startDev(home, more...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.end(syscall.SIGTERM), "steward dev: %s", s.said())
		s.showLog(t)
	})
	return s
}

// showLog helps to understand a test that failed.
func (s *stack) showLog(t *testing.T) {
	if !t.Failed() {
		return
	}
	text, err := os.ReadFile(filepath.Join(s.Home, "logs", "steward.log"))
	if err == nil {
		lines := strings.Split(string(text), "\n")
		t.Log("the end of its log:\n" + strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
}

// shared is a stack for all tests that do not stop or break it.
var shared sharedStack

type sharedStack struct {
	home  string
	once  sync.Once
	stack *stack
	err   error
}

func (s *sharedStack) get(t *testing.T) *stack {
	t.Helper()
	s.once.Do(func() { s.stack, s.err = startDev(s.home) })
	require.NoError(t, s.err)
	return s.stack
}

func (s *sharedStack) end() error {
	if s.stack == nil {
		return nil
	}
	if err := s.stack.end(syscall.SIGTERM); err != nil {
		return err
	}
	left, err := os.ReadDir(filepath.Join(s.home, "tmp"))
	if len(left) > 0 {
		err = fmt.Errorf("temporary files are left behind: %v", left)
	}
	return err
}

// steward runs the command as a person.
func (s *stack) steward(t *testing.T, as string, args ...string) answer {
	t.Helper()
	return ask(t, s.Home, append(args, "--as", as, "--gateway", s.Gateway)...)
}

// must is steward for what has to succeed.
func (s *stack) must(t *testing.T, as string, args ...string) string {
	t.Helper()
	a := s.steward(t, as, args...)
	require.Zero(t, a.code, "steward %s: %s%s", strings.Join(args, " "), a.err, a.out)
	return a.out
}

// as speaks to the gateway for a person.
func (s *stack) as(t *testing.T, person string) *apiclient.Client {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(s.Home, "tokens", person))
	require.NoError(t, err)
	return apiclient.New(s.Gateway, strings.TrimSpace(string(token)))
}

// aws is how to reach the local cloud.
func (s *stack) aws() aws.Config {
	return aws.Config{
		Region: s.Env["AWS_REGION"], BaseEndpoint: aws.String(s.Env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(s.Env["AWS_ACCESS_KEY_ID"], s.Env["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// temporal connects to the stack's server.
func (s *stack) temporal(t *testing.T) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.Env["TEMPORAL_ADDRESS"], Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// quiet keeps the client's messages out of the tests' output.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
