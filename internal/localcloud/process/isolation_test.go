package process

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process/processtest"
)

// everywhere tests what holds for plain runs and for those in namespaces. A
// machine that has none must say so to whoever asks for them.
func everywhere(t *testing.T, test func(t *testing.T, spec func(part string) Spec)) {
	t.Run("plain", func(t *testing.T) {
		test(t, func(part string) Spec { return spec(t, part) })
	})
	t.Run("namespaces", func(t *testing.T) {
		if refused(t) {
			return
		}
		test(t, func(part string) Spec { return isolated(t, part) })
	})
}

// refused reports that this machine has no namespaces, after it has held that
// such a run is refused then.
func refused(t *testing.T) bool {
	t.Helper()
	if Namespaces() == nil {
		return false
	}
	t.Log(Namespaces())
	_, err := Start(isolated(t, "exit"))
	require.Error(t, err)
	return true
}

// isolated is a run that finds its working directory at /opt/ml.
func isolated(t *testing.T, part string) Spec {
	s := spec(t, part)
	s.Isolation = &Isolation{Mounts: []Mount{{s.WorkDir, "/opt/ml"}}}
	s.WorkDir = "/opt/ml"
	return s
}

// look prints what a run sees of the machine.
func look() {
	fmt.Println("parent", os.Getppid())
	entries, err := os.ReadDir("/proc")
	numbers := 0
	for _, e := range entries {
		if _, bad := strconv.Atoi(e.Name()); bad == nil {
			numbers++
		}
	}
	fmt.Println("processes", numbers, err)
	for _, path := range os.Args[3:] {
		text, err := os.ReadFile(path)
		fmt.Println(path, string(text), errors.Is(err, os.ErrNotExist))
	}
	fmt.Println(os.WriteFile("/opt/ml/made", []byte("inside"), 0o644))
	environment, err := os.ReadFile("/proc/1/environ")
	fmt.Printf("environment of init: %q %v\n", environment, err)
}

func TestIsolation(t *testing.T) {
	if refused(t) {
		return
	}
	s := isolated(t, "look")
	ml := s.Isolation.Mounts[0].From
	state := t.TempDir()
	hidden, shown := filepath.Join(state, "hidden"), filepath.Join(state, "shown", "file")
	require.NoError(t, os.Mkdir(filepath.Dir(shown), 0o755))
	for path, text := range map[string]string{hidden: "secret", shown: "ours", filepath.Join(ml, "input"): "data"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	s.Isolation.Hidden = []string{state}
	s.Isolation.Mounts = append(s.Isolation.Mounts, Mount{filepath.Dir(shown), filepath.Dir(shown)})
	s.Command = append(s.Command, hidden, shown, "/opt/ml/input")
	before, err := os.ReadDir("/opt")
	require.NoError(t, err)
	for _, entry := range before {
		if entry.Name() != "ml" {
			s.Command = append(s.Command, filepath.Join("/opt", entry.Name(), "none"))
		}
	}
	r, err := Start(s)
	require.NoError(t, err)
	e := ended(t, r)
	log, err := os.ReadFile(s.Log)
	require.NoError(t, err)
	require.True(t, e.OK(), string(log))
	lines := strings.Split(string(log), "\n")
	require.Equal(t, []string{"parent 1", "processes 2 <nil>", hidden + "  true", shown + " ours false", "/opt/ml/input data false"}, lines[:5])
	require.Contains(t, string(log), `environment of init: "" <nil>`)
	text, err := os.ReadFile(filepath.Join(ml, "made"))
	require.NoError(t, err)
	require.Equal(t, "inside", string(text), "it is the same folder")

	text, err = os.ReadFile(hidden)
	require.NoError(t, err)
	require.Equal(t, "secret", string(text), "nothing has changed outside")
	after, err := os.ReadDir("/opt")
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// What is in a folder that gets a new neighbour is still found there.
func TestMakeRoom(t *testing.T) {
	if refused(t) {
		return
	}
	s := isolated(t, "look")
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tools", "bin"), 0o755))
	for name, text := range map[string]string{"file": "a file", "tools/bin/python": "a program"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	require.NoError(t, os.Symlink("tools/bin", filepath.Join(dir, "link")))
	place := filepath.Join(dir, "place")
	require.NoError(t, os.WriteFile(filepath.Join(s.Isolation.Mounts[0].From, "data"), []byte("the run's"), 0o644))
	s.Isolation.Mounts = append(s.Isolation.Mounts, Mount{s.Isolation.Mounts[0].From, place})
	want := map[string]string{"file": "a file", "tools/bin/python": "a program", "link/python": "a program", "place/data": "the run's"}
	for name := range want {
		s.Command = append(s.Command, filepath.Join(dir, name))
	}
	r, err := Start(s)
	require.NoError(t, err)
	require.True(t, ended(t, r).OK())
	log, err := os.ReadFile(s.Log)
	require.NoError(t, err)
	for name, text := range want {
		require.Contains(t, string(log), filepath.Join(dir, name)+" "+text+" false")
	}
	require.NoDirExists(t, place)
}

// An init process ends everything that it can see, and so wants to be one.
func TestInitOutsideOfNamespaces(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // there is no init process elsewhere
	}
	report, tell, err := os.Pipe()
	require.NoError(t, err)
	defer report.Close()
	cmd := exec.Command(os.Args[0], initMarker, t.TempDir())
	cmd.ExtraFiles = []*os.File{tell}
	require.NoError(t, cmd.Start())
	require.NoError(t, tell.Close())
	said, err := io.ReadAll(report)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Contains(t, string(said), fmt.Sprintf("process %d is no init process", cmd.Process.Pid))
}

// A run alone reaches itself and nobody else, and is reached by one port.
func TestAlone(t *testing.T) {
	if refused(t) {
		return
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	mine, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := mine.Addr().(*net.TCPAddr).Port
	require.NoError(t, mine.Close())
	s := isolated(t, "alone")
	s.Isolation.Alone, s.Isolation.Port = true, port
	s.Command = append(s.Command, strconv.Itoa(port), other.Addr().String())
	r, err := Start(s)
	require.NoError(t, err)
	require.NotEmpty(t, logged(t, s, "pid "))
	conn, err := net.Dial("tcp", mine.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "hello")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "hello from inside", string(answer))
	require.True(t, ended(t, r).OK())
	log, err := os.ReadFile(s.Log)
	require.NoError(t, err)
	require.Contains(t, string(log), "connection refused")
}

// alone serves one connection on a port, after it has tried to reach an address.
func alone(port, other string) {
	_, err := net.Dial("tcp", other)
	fmt.Println(err)
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		os.Exit(2)
	}
	fmt.Println("pid", processtest.Self())
	conn, err := l.Accept()
	if err != nil {
		os.Exit(3)
	}
	text, _ := io.ReadAll(conn)
	_, _ = fmt.Fprintf(conn, "%s from inside", text)
	_ = conn.Close()
}
