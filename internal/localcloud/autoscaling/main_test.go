package autoscaling_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"steward/internal/localcloud/process"
)

// noSleep keeps the race detector from holding every ended process for a second.
const noSleep = "atexit_sleep_ms=0"

// TestMain lets the test binary play the supervisor of model servers and the servers.
func TestMain(m *testing.M) {
	if process.Main() {
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "container" {
		serve()
		return
	}
	if err := os.Setenv("GORACE", noSleep); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// serve answers every invocation with its port; one with a path in its body
// makes a file there first, and is answered when that is gone.
func serve() {
	http.HandleFunc("GET /ping", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) {
		if gate, _ := io.ReadAll(r.Body); len(gate) > 0 {
			await(string(gate))
		}
		_, _ = fmt.Fprint(w, os.Getenv("SAGEMAKER_BIND_TO_PORT"))
	})
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		os.Exit(0)
	}()
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("SAGEMAKER_BIND_TO_PORT"), nil))
}

func await(gate string) {
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		return
	}
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := os.Stat(gate); err != nil {
			return
		}
	}
}
