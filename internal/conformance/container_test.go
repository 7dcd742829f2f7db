package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// containerArgument makes the test binary a training and serving container, the
// same on the local cloud and on AWS: <binary> container
// train|serve|process.
const containerArgument = "container"

// ml is a path under /opt/ml, or under what stands for it.
func ml(elem ...string) string {
	base := os.Getenv("SAGEMAKER_BASE_DIR")
	if base == "" {
		base = "/opt/ml"
	}
	return filepath.Join(append([]string{base}, elem...)...)
}

func contain(command string) {
	var err error
	switch command {
	case "train":
		err = train()
	case "serve":
		err = serve()
	case "process":
		err = copyFiles()
	default:
		err = fmt.Errorf("unknown command %q", os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// train writes a model that tells what the job was given, after doing what the
// hyperparameter "do" says: fail, wait to be stopped, read pipes, tell it of each
// host, or go on after an interruption.
func train() error {
	var hyper map[string]string
	text, err := os.ReadFile(ml("input", "config", "hyperparameters.json"))
	if err == nil {
		err = json.Unmarshal(text, &hyper)
	}
	if err != nil {
		return err
	}
	fmt.Println("score=0.25")
	switch hyper["do"] {
	case "fail":
		if err := os.WriteFile(ml("output", "failure"), []byte("the label has one class"), 0o644); err != nil {
			return err
		}
		os.Exit(7)
	case "wait":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return os.WriteFile(ml("model", "model.txt"), []byte("stopped"), 0o644)
	case "pipe":
		return readPipes()
	case "each":
		return writeModel(host()+".json", inventory())
	case "spot":
		return resume()
	}
	fmt.Println("score=0.75 loss=1e-3")
	if err := os.WriteFile(ml("output", "data", "note.txt"), []byte("a note"), 0o644); err != nil {
		return err
	}
	return writeModel("model.txt", inventory())
}

func writeModel(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(ml("model", name), text, 0o644)
}

// host is the name of the instance.
func host() string {
	var resources struct {
		Current string `json:"current_host"`
	}
	text, err := os.ReadFile(ml("input", "config", "resourceconfig.json"))
	if err == nil {
		err = json.Unmarshal(text, &resources)
	}
	if err != nil {
		return err.Error()
	}
	return resources.Current
}

// readPipes reads the first two epochs of the channel train.
func readPipes() error {
	found := map[string]string{}
	for name, path := range map[string]string{"config": ml("input", "config", "inputdataconfig.json"), "train_0": ml("input", "data", "train_0")} {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found[name] = string(text)
	}
	text, err := os.ReadFile(ml("input", "data", "train_1"))
	if err != nil {
		return err
	}
	found["train_1"] = string(text)
	return writeModel("model.txt", found)
}

// resume leaves a checkpoint when it is told to end, and from one it finishes.
func resume() error {
	checkpoint := ml("checkpoints", "state")
	if state, err := os.ReadFile(checkpoint); err == nil {
		return os.WriteFile(ml("model", "model.txt"), []byte("resumed after "+string(state)), 0o644)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("score=0.5")
	<-stop
	return os.WriteFile(checkpoint, []byte("run 1"), 0o644)
}

// inventory is everything that a training job finds.
func inventory() map[string]string {
	found := map[string]string{}
	_ = filepath.WalkDir(ml("input"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := os.ReadFile(path)
			name, _ := filepath.Rel(ml("input"), path)
			found[filepath.ToSlash(name)] = string(text)
		}
		return err
	})
	for _, key := range []string{"TRAINING_JOB_NAME", "TRAINING_JOB_ARN", "AWS_REGION", "COLOUR"} {
		found[key] = os.Getenv(key)
	}
	return found
}

// copyFiles copies its input to its output, or waits to be stopped.
func copyFiles() error {
	if len(os.Args) > 3 && os.Args[3] == "wait" {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return nil
	}
	if err := os.MkdirAll(ml("output"), 0o755); err != nil {
		return err
	}
	var files int
	err := fs.WalkDir(os.DirFS(ml("processing", "in")), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	})
	if err == nil {
		err = os.CopyFS(ml("processing", "out"), os.DirFS(ml("processing", "in")))
	}
	if err != nil {
		return err
	}
	return os.WriteFile(ml("output", "message"), fmt.Appendf(nil, "%d files in %s", files, os.Getenv("COLOUR")), 0o644)
}

// slowness is how long a model named "slow" takes to get healthy.
const slowness = 5 * time.Second

// serve answers each request with the model's name and what was sent. One named
// "slow" takes its time to get healthy, one named "broken" ends at once.
func serve() error {
	text, err := os.ReadFile(ml("model", "model.txt"))
	if err != nil {
		return err
	}
	model, began := strings.TrimSpace(string(text)), time.Now()
	if model == "broken" {
		return errors.New("the model is broken")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		if model == "slow" && time.Since(began) < slowness {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) { infer(w, r, model) })
	addr := ":8080"
	if port := os.Getenv("SAGEMAKER_BIND_TO_PORT"); port != "" {
		addr = "127.0.0.1:" + port
	}
	server := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func infer(w http.ResponseWriter, r *http.Request, model string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch text := string(body); {
	case text == "bad":
		http.Error(w, "a bad row", http.StatusBadRequest)
	case text == "boom":
		http.Error(w, "out of luck", http.StatusInternalServerError)
	case strings.HasPrefix(text, "env "):
		fmt.Fprint(w, os.Getenv(strings.TrimPrefix(text, "env ")))
	default:
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("X-Amzn-SageMaker-Custom-Attributes", "saw "+r.Header.Get("X-Amzn-SageMaker-Custom-Attributes"))
		for line := range strings.Lines(text) {
			fmt.Fprintf(w, "%s<%s>%s\n", model, strings.TrimSpace(line), r.Header.Get("Accept"))
		}
	}
}
