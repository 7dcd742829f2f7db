package sagemaker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"steward/internal/localcloud/process"
	"steward/internal/localcloud/process/processtest"
)

// TestMain lets the test binary play every process of these tests: supervisor,
// container, and a whole cloud that can be killed.
func TestMain(m *testing.M) {
	if process.Main() {
		return
	}
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "container":
			container(os.Args[2])
			return
		case "cloud":
			hostCloud(os.Args[2])
			return
		}
	}
	must(os.Setenv("GORACE", noSleep))
	os.Exit(m.Run())
}

// noSleep keeps the race detector from holding every ended process for a
// second.
const noSleep = "atexit_sleep_ms=0"

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
}

// base is where the container contract puts everything.
func base(elem ...string) string {
	return filepath.Join(append([]string{os.Getenv("SAGEMAKER_BASE_DIR")}, elem...)...)
}

func container(command string) {
	fmt.Println("pid", processtest.Self(), command)
	switch command {
	case "train":
		train()
	case "serve":
		serve()
	case "process":
		processData(os.Args[3:])
	default:
		fmt.Println("arguments", os.Args[2:])
	}
}

// train does what the hyperparameter "mode" says.
func train() {
	data, err := os.ReadFile(base("input", "config", "hyperparameters.json"))
	must(err)
	var hyper map[string]string
	must(json.Unmarshal(data, &hyper))
	switch hyper["mode"] {
	case "fail":
		must(os.WriteFile(base("output", "failure"), []byte("the label has one class"), 0o644))
		os.Exit(1)
	case "crash":
		fmt.Println("last words")
		os.Exit(3)
	case "hang":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("auc=0.25")
		<-stop
		must(os.WriteFile(base("model", "model.txt"), []byte("partial"), 0o644))
	case "cluster":
		trainTogether(hyper["fails"])
	case "peers":
		addresses, err := net.LookupHost("algo-2")
		must(err)
		must(os.WriteFile(base("model", "model.txt"), fmt.Append(nil, addresses), 0o644))
	case "literal":
		trainLiterally()
	case "pipe":
		trainFromPipes(hyper["epochs"])
	case "checkpoint":
		trainOn()
	case "last":
		fmt.Println("auc=" + hyper["score"])
		if hyper["score"] == "none" {
			os.Exit(1)
		}
	case "score":
		fmt.Println("auc=" + hyper["score"])
		writeModel()
	case "gate":
		fmt.Println("auc=0.125")
		awaitFile(hyper["gate"])
		fallthrough
	default:
		writeModel()
	}
}

// trainTogether is one of several hosts; the one that fails says why, and the
// others wait for their end then.
func trainTogether(fails string) {
	var config struct {
		Host  string   `json:"current_host"`
		Group string   `json:"current_group_name"`
		Hosts []string `json:"hosts"`
	}
	data, err := os.ReadFile(base("input", "config", "resourceconfig.json"))
	must(err)
	must(json.Unmarshal(data, &config))
	fmt.Println("auc=0.5 on", config.Host)
	if fails == config.Host {
		must(os.WriteFile(base("output", "failure"), []byte(fails+" is out of memory"), 0o644))
		os.Exit(1)
	}
	if fails != "" {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("waits")
		<-stop
		os.Exit(0)
	}
	files, err := filepath.Glob(base("input", "data", "*", "*"))
	must(err)
	for i := range files {
		files[i] = filepath.Base(filepath.Dir(files[i])) + "/" + filepath.Base(files[i])
	}
	must(os.WriteFile(base("model", config.Host+".txt"), fmt.Appendf(nil, "%s of %v: %v", config.Group, config.Hosts, files), 0o644))
	must(os.WriteFile(base("model", "same.txt"), []byte(config.Host), 0o644))
}

// processData copies its input to its outputs, does what the last argument says
// and leaves a message.
func processData(arguments []string) {
	mode, in := arguments[len(arguments)-1], strings.TrimPrefix(arguments[0], "--input=")
	files, err := filepath.Glob(filepath.Join(in, "*"))
	must(err)
	var config struct {
		Host string `json:"current_host"`
	}
	data, err := os.ReadFile(base("config", "resourceconfig.json"))
	must(err)
	must(json.Unmarshal(data, &config))
	job, err := os.ReadFile(base("config", "processingjobconfig.json"))
	must(err)
	must(os.WriteFile(base("processing", "live", config.Host+".json"), job, 0o644))
	for _, f := range files {
		data, err := os.ReadFile(f)
		must(err)
		must(os.WriteFile(filepath.Join(arguments[1], filepath.Base(f)), fmt.Appendf(nil, "%s by %s in %s", data, config.Host, os.Getenv("COLOUR")), 0o644))
	}
	must(os.WriteFile(base("output", "message"), []byte("done by "+config.Host), 0o644))
	switch mode {
	case "fail":
		os.Exit(4)
	case "hang":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("hangs")
		<-stop
	default:
		if strings.HasPrefix(mode, "/") {
			fmt.Println("waits")
			awaitFile(mode)
		}
	}
}

// trainFromPipes reads the epochs of the channel train.
func trainFromPipes(epochs string) {
	var all bytes.Buffer
	n, err := strconv.Atoi(epochs)
	must(err)
	for epoch := range n {
		data, err := os.ReadFile(base("input", "data", fmt.Sprintf("train_%d", epoch)))
		must(err)
		fmt.Fprintf(&all, "%d:%s\n", epoch, data)
	}
	must(os.WriteFile(base("model", "model.txt"), all.Bytes(), 0o644))
}

// trainOn goes on from a checkpoint; without one it makes one and waits to be
// interrupted.
func trainOn() {
	state := base("checkpoints", "deep", "state")
	if data, err := os.ReadFile(state); err == nil {
		must(os.WriteFile(base("model", "model.txt"), []byte("from "+string(data)), 0o644))
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	must(os.MkdirAll(filepath.Dir(state), 0o755))
	must(os.WriteFile(state, []byte("step 1"), 0o644))
	fmt.Println("saved")
	<-stop
	must(os.WriteFile(state, []byte("step two"), 0o644))
}

func awaitFile(path string) {
	tick := time.NewTicker(5 * time.Millisecond)
	for range tick.C {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
}

// writeModel makes a model of everything that the job was given.
func writeModel() {
	var all bytes.Buffer
	for _, dir := range []string{base("input", "data"), base("input", "config")} {
		must(filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, _ := filepath.Rel(base("input"), path)
			data, err := os.ReadFile(path)
			fmt.Fprintf(&all, "%s:%s\n", filepath.ToSlash(name), bytes.TrimSpace(data))
			return err
		}))
	}
	for _, k := range []string{"TRAINING_JOB_NAME", "TRAINING_JOB_ARN", "AWS_REGION", "COLOUR", "SECRET_OF_THE_HOST"} {
		fmt.Fprintf(&all, "%s=%s\n", k, os.Getenv(k))
	}
	must(os.WriteFile(base("model", "model.txt"), all.Bytes(), 0o644))
	must(os.WriteFile(base("output", "data", "extra.txt"), []byte("extra"), 0o644))
	fmt.Println("auc=0.5")
	fmt.Fprintln(os.Stderr, "auc=0.91 loss=nan")
}

// serve plays a model server; model.txt says which: name, and "sick" or
// "crash".
func serve() {
	data, err := os.ReadFile(base("model", "model.txt"))
	must(err)
	name, mode, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	if mode == "crash" {
		os.Exit(1)
	}
	http.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		if mode == "sick" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		must(err)
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("X-Amzn-SageMaker-Custom-Attributes", "saw "+r.Header.Get("X-Amzn-SageMaker-Custom-Attributes"))
		answerAs(w, name, string(body))
	})
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		os.Exit(0)
	}()
	must(http.ListenAndServe("127.0.0.1:"+os.Getenv("SAGEMAKER_BIND_TO_PORT"), nil))
}

func answerAs(w http.ResponseWriter, name, body string) {
	switch arg, rest, _ := strings.Cut(body, " "); arg {
	case "pid":
		fmt.Fprint(w, processtest.Self())
	case "env":
		fmt.Fprint(w, os.Getenv(rest))
	case "dial":
		fmt.Fprint(w, dial(rest))
	case "boom":
		http.Error(w, "boom", http.StatusInternalServerError)
	case "bad":
		http.Error(w, "bad row", http.StatusBadRequest)
	case "elsewhere":
		w.Header().Set("Location", "/ping")
		http.Error(w, "elsewhere", http.StatusTemporaryRedirect)
	case "die":
		os.Exit(3)
	case "gate":
		must(os.WriteFile(rest+".waiting", nil, 0o644))
		awaitFile(rest)
		fmt.Fprint(w, name)
	case "parts": // the second only when the file is there
		fmt.Fprint(w, "one ")
		must(http.NewResponseController(w).Flush())
		awaitFile(rest)
		fmt.Fprint(w, "two")
	case "flood": // until nobody listens
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 64<<10))
		}
		must(os.WriteFile(rest+".waiting", nil, 0o644))
	case "tear":
		fmt.Fprint(w, "one ")
		must(http.NewResponseController(w).Flush())
		panic(http.ErrAbortHandler)
	default:
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, "late ") { // so that a later batch overtakes this one
				awaitFile(strings.TrimSpace(strings.TrimPrefix(line, "late ")))
			}
			if touch, ok := strings.CutPrefix(line, "touch "); ok {
				must(os.WriteFile(strings.TrimSpace(touch), nil, 0o644))
			}
			fmt.Fprintf(w, "%s<%s>\n", name, strings.TrimSpace(line))
		}
	}
}
