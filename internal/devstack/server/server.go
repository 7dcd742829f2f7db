package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Times that a server may take. Ours is ready within half a second and ends
// within two; a machine that is busy compiling is slower.
const (
	startup = time.Minute
	ending  = 20 * time.Second
	look    = 20 * time.Millisecond
)

// Options say how to run a server.
type Options struct {
	Program    Program
	Port       int               // gRPC; 0 is any free one
	UIPort     int               // 0 is any free one
	Database   string            // SQLite file
	Log        string            // file that the output is appended to
	Attributes map[string]string // search attributes, name to type (Keyword, Int …)
}

// Server is a running server. It ends with the process that started it, however
// that ends; elsewhere than on Linux only our own does.
type Server struct {
	Address string // host:port of gRPC
	UI      string // URL of the web UI
	PID     int
	ending  time.Duration // how long it may take to end in good order
	cmd     *exec.Cmd
	stdin   *os.File
	done    chan struct{}
	err     error // valid once done is closed
}

// tries is how often a server that ends at once is started. Free ports, ours and
// those of both programs' inner services, are bound a moment after they were
// chosen: on a busy machine somebody else may have been faster.
const tries = 4

// errEnded is a server that did not live to answer.
var errEnded = errors.New("it ended at once")

// Start starts a server and waits until it answers. Ports that are given must be
// free.
func Start(ctx context.Context, o Options) (s *Server, err error) {
	for range tries {
		now := o
		if err := errors.Join(choose(&now.Port), choose(&now.UIPort)); err != nil {
			return nil, err
		}
		if s, err = start(ctx, now); !errors.Is(err, errEnded) {
			break
		}
	}
	return s, err
}

// choose puts a port that nobody listens on in the place of 0.
func choose(port *int) error {
	if *port != 0 {
		return nil
	}
	l, err := net.Listen("tcp", address(0))
	if err != nil {
		return fmt.Errorf("temporal server: no free port: %w", err)
	}
	*port = l.Addr().(*net.TCPAddr).Port
	return l.Close()
}

func start(ctx context.Context, o Options) (*Server, error) {
	s := newServer(o)
	if err := s.launch(o); err != nil {
		return nil, fmt.Errorf("temporal server %s: %w", o.Program.Path, err)
	}
	if err := s.await(ctx); err != nil {
		_ = s.cmd.Process.Kill()
		<-s.done
		return nil, fmt.Errorf("temporal server %s: %w%s", o.Program.Path, err, tail(o.Log))
	}
	return s, nil
}

func newServer(o Options) *Server {
	return &Server{Address: address(o.Port), UI: "http://" + address(o.UIPort), ending: ending, done: make(chan struct{})}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// arguments are those that both programs take. Ours is tuned by itself.
func (o Options) arguments() []string {
	args := []string{"server", "start-dev", "--ip", "127.0.0.1", "--log-level", "warn", "--db-filename", o.Database,
		"--port", strconv.Itoa(o.Port), "--ui-port", strconv.Itoa(o.UIPort)}
	for name, kind := range o.Attributes {
		args = append(args, "--search-attribute", name+"="+kind)
	}
	if o.Program.Ours {
		return append(args, "--with-parent")
	}
	for _, pragma := range []string{"journal_mode=wal", "synchronous=2"} {
		args = append(args, "--sqlite-pragma", pragma)
	}
	for _, setting := range []string{"history.transferProcessorMaxPollRPS=2000", "history.timerProcessorMaxPollRPS=2000",
		`history.timerProcessorMaxTimeShift="10ms"`, "frontend.namespaceRPS.visibility=100"} {
		args = append(args, "--dynamic-config-value", setting)
	}
	return args
}

// launch starts the process in a group of its own, so that Ctrl-C on the
// terminal reaches only its parent, which stops it last.
func (s *Server) launch(o Options) error {
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	stdin, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = stdin.Close() }()
	s.stdin = hold
	s.cmd = exec.Command(o.Program.Path, o.arguments()...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = stdin, log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bind(s.cmd.SysProcAttr)
	launched := make(chan error)
	go s.run(launched)
	if err := <-launched; err != nil {
		return errors.Join(err, hold.Close())
	}
	s.PID = s.cmd.Process.Pid
	return nil
}

// run starts the process and sees it to its end on one thread, to which the
// process is bound.
func (s *Server) run(launched chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.cmd.Start()
	launched <- err
	if err != nil {
		return
	}
	s.err = s.cmd.Wait()
	_ = s.stdin.Close()
	close(s.done)
}

// await returns when the namespace and the UI answer.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startup, fmt.Errorf("it did not answer at %s within %s", s.Address, startup))
	defer cancel()
	c, err := client.NewLazyClient(client.Options{HostPort: s.Address, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for !s.answers(ctx, c) {
		select {
		case <-s.done:
			return errEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
	return nil
}

func (s *Server) answers(ctx context.Context, c client.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: client.DefaultNamespace})
	if err != nil {
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.UI, "http://"))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// Done is closed when the server has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server in good order, or at once when ctx ends first or it takes
// too long.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.ending, fmt.Errorf("it did not end within %s", s.ending))
	defer cancel()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		_ = s.cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("temporal server: killed: %w", context.Cause(ctx))
	}
}

// tail is the end of a log, to show why a server did not start.
func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = slices.Clip(lines[max(0, len(lines)-5):])
	return "; the end of " + log + ":\n" + strings.Join(lines, "\n")
}

// quiet keeps the client's failed attempts, while the server starts, out of
// the log.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
