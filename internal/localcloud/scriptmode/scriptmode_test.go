package scriptmode_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/scriptmode"
	"steward/internal/localcloud/scriptmode/pythontest"
)

// job is a folder that plays /opt/ml, and the package to run in it.
type job struct {
	*testing.T
	base, tools string
	env         []string
	out         bytes.Buffer
}

func newJob(t *testing.T, files map[string]string) *job {
	t.Helper()
	j := &job{T: t, base: t.TempDir()}
	var err error
	j.tools, err = scriptmode.Write(filepath.Join(t.TempDir(), "tools"))
	require.NoError(t, err)
	for name, text := range files {
		path := filepath.Join(j.base, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	j.env = []string{"PATH=" + os.Getenv("PATH"), "SAGEMAKER_BASE_DIR=" + j.base, "TRAINING_JOB_NAME=j1", "AWS_REGION=eu-west-1"}
	return j
}

func (j *job) start(act string) *exec.Cmd {
	j.Helper()
	cmd := exec.Command(pythontest.Python(j), j.tools, act)
	cmd.Env, cmd.Stdout, cmd.Stderr = j.env, &j.out, &j.out
	cmd.WaitDelay = 10 * time.Second
	require.NoError(j, cmd.Start())
	return cmd
}

func (j *job) read(name string) string {
	j.Helper()
	text, err := os.ReadFile(filepath.Join(j.base, name))
	require.NoError(j, err)
	return string(text)
}

const dump = `import json, os, sys
json.dump({"arguments": sys.argv[1:], "variables": dict(os.environ)}, open(os.environ["SM_MODEL_DIR"] + "/dump.json", "w"))
`

func TestTrainingTellsTheProgramWhatTheToolkitDoes(t *testing.T) {
	j := newJob(t, map[string]string{
		"code/train.py": dump,
		"input/config/hyperparameters.json": `{"alpha": "0.5", "n": "3", "name": "\"a b\"", "plain": "text", "flag": "true",
			"options": "{\"b\": 2, \"a\": 1}", "sagemaker_program": "\"train.py\"", "sagemaker_region": "\"eu-west-1\"",
			"sagemaker_submit_directory": "\"s3://data/source.tar.gz\"", "sagemaker_container_log_level": "10",
			"sagemaker_job_name": "\"j1\"", "sagemaker_estimator_x": "1"}`,
		"input/config/inputdataconfig.json": `{"train": {"TrainingInputMode": "File"}, "validation": {}}`,
		"input/config/resourceconfig.json": `{"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "current_instance_type": "ml.m5.large",
			"current_group_name": "g", "instance_groups": [{"instance_group_name": "g", "instance_type": "ml.m5.large", "hosts": ["algo-1", "algo-2"]}],
			"network_interface_name": "lo"}`,
	})
	require.NoError(t, j.start("train").Wait(), &j.out)
	var got struct {
		Arguments []string
		Variables map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(j.read("model/dump.json")), &got))
	require.Equal(t, []string{"--alpha", "0.5", "--flag", "True", "-n", "3", "--name", "a b", "--options", "a=1,b=2", "--plain", "text"}, got.Arguments)
	for name, want := range map[string]string{
		"SM_HPS":      `{"alpha":0.5,"flag":true,"n":3,"name":"a b","options":{"a":1,"b":2},"plain":"text"}`,
		"SM_HP_ALPHA": "0.5", "SM_HP_NAME": "a b", "SM_HP_FLAG": "true", "SM_HP_OPTIONS": `{"a":1,"b":2}`,
		"SM_CHANNELS": `["train","validation"]`, "SM_CHANNEL_TRAIN": j.base + "/input/data/train",
		"SM_CHANNEL_VALIDATION": j.base + "/input/data/validation",
		"SM_MODEL_DIR":          j.base + "/model", "SM_OUTPUT_DIR": j.base + "/output", "SM_OUTPUT_DATA_DIR": j.base + "/output/data/algo-2",
		"SM_OUTPUT_INTERMEDIATE_DIR": j.base + "/output/intermediate", "SM_INPUT_DIR": j.base + "/input", "SM_INPUT_CONFIG_DIR": j.base + "/input/config",
		"SM_HOSTS": `["algo-1","algo-2"]`, "SM_CURRENT_HOST": "algo-2", "SM_NETWORK_INTERFACE_NAME": "lo", "SM_NUM_GPUS": "0",
		"SM_CURRENT_INSTANCE_TYPE": "ml.m5.large", "SM_CURRENT_INSTANCE_GROUP": "g", "SM_INSTANCE_GROUPS": `["g"]`, "SM_IS_HETERO": "false",
		"SM_USER_ENTRY_POINT": "train.py", "SM_MODULE_NAME": "train", "SM_MODULE_DIR": "s3://data/source.tar.gz", "SM_LOG_LEVEL": "10",
		"SM_FRAMEWORK_PARAMS":  `{"sagemaker_estimator_x":1}`,
		"SM_USER_ARGS":         `["--alpha","0.5","--flag","True","-n","3","--name","a b","--options","a=1,b=2","--plain","text"]`,
		"SM_INPUT_DATA_CONFIG": `{"train":{"TrainingInputMode":"File"},"validation":{}}`,
		"SAGEMAKER_JOB_NAME":   "j1", "SAGEMAKER_REGION": "eu-west-1", "CURRENT_HOST": "algo-2", "PYTHONPATH": j.base + "/code",
	} {
		require.Equal(t, want, got.Variables[name], name)
	}
	require.Positive(t, got.Variables["SM_NUM_CPUS"])
	require.JSONEq(t, got.Variables["SM_RESOURCE_CONFIG"], j.read("input/config/resourceconfig.json"))
	var env map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.Variables["SM_TRAINING_ENV"]), &env))
	require.Equal(t, "j1", env["job_name"])
	require.Equal(t, map[string]any{"train": j.base + "/input/data/train", "validation": j.base + "/input/data/validation"}, env["channel_input_dirs"])
	require.Equal(t, 0.5, env["hyperparameters"].(map[string]any)["alpha"])
	require.Equal(t, false, env["is_master"])
}

func TestTrainingFails(t *testing.T) {
	for name, tt := range map[string]struct {
		program, code string
		status        int
		want          []string
	}{
		"exception": {"train.py", "import sys\nprint('x' * 5000, file=sys.stderr)\ndef f():\n    raise ValueError('the label has one class')\nf()\n", 1,
			[]string{"ExecuteUserScriptError:\nExitCode 1\n", "ValueError: the label has one class\"\nCommand \""}},
		"exit code":      {"train.py", "import sys\nsys.exit(7)\n", 7, []string{"ExitCode 7"}},
		"long exception": {"train.py", "raise ValueError('a' * 5000 + 'the end')\n", 1, []string{"aathe end\"\nCommand"}},
		"killed":         {"train.py", "import os\nos.kill(os.getpid(), 9)\n", 137, []string{"Signal 9"}},
		"shell":          {"run.sh", "#!/bin/sh\necho no data >&2\nexit 4\n", 4, []string{"ExitCode 4", "no data"}},
		"missing":        {"absent.py", "", 1, []string{`sagemaker_program is "absent.py"`, "it has train.py"}},
		"outside":        {"../train.py", "", 1, []string{`sagemaker_program is "../train.py"`, "name a script inside"}},
		"none":           {"", "", 1, []string{`sagemaker_program is ""`}},
	} {
		t.Run(name, func(t *testing.T) {
			file := tt.program
			if tt.code == "" {
				file = "train.py"
			}
			hyper, err := json.Marshal(map[string]string{"sagemaker_program": tt.program})
			require.NoError(t, err)
			j := newJob(t, map[string]string{"code/" + file: tt.code, "input/config/hyperparameters.json": string(hyper)})
			cmd := j.start("train")
			require.Error(t, cmd.Wait())
			require.Equal(t, tt.status, cmd.ProcessState.ExitCode(), &j.out)
			failure := strings.ReplaceAll(j.read("output/failure"), `'`, `"`)
			for _, want := range tt.want {
				require.Contains(t, failure, strings.ReplaceAll(want, `'`, `"`))
				require.Less(t, strings.Index(failure, strings.ReplaceAll(want, `'`, `"`))+len(want), 1024, "what the platform shows")
			}
		})
	}
}

func TestTrainingPassesSIGTERMOnOnce(t *testing.T) {
	j := newJob(t, map[string]string{
		"input/config/hyperparameters.json": `{"sagemaker_program": "train.py"}`,
		"code/train.py": `import os, signal, sys
told = []
def end(*_):
    told.append(1)
    open(os.environ["SM_MODEL_DIR"] + "/told", "a").write("SIGTERM\n")
    sys.exit(9)
signal.signal(signal.SIGTERM, end)
open(os.environ["SM_MODEL_DIR"] + "/ready", "w")
while True: signal.pause()
`})
	cmd := exec.Command(pythontest.Python(t), j.tools, "train")
	cmd.Env, cmd.SysProcAttr = j.env, &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(j.base, "model", "ready"))
		return err == nil
	}, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM), "to the group, as a supervisor does")
	require.Error(t, cmd.Wait())
	require.Equal(t, 9, cmd.ProcessState.ExitCode())
	require.Equal(t, "SIGTERM\n", j.read("model/told"))
}

// server is a running model server.
type server struct {
	*job
	cmd *exec.Cmd
	url string
}

func serve(t *testing.T, inference string, env ...string) *server {
	t.Helper()
	j := newJob(t, map[string]string{"code/inference.py": inference, "model/factor": "3"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	require.NoError(t, l.Close())
	j.env = append(j.env, append(env, "SAGEMAKER_BIND_TO_PORT="+port)...)
	s := &server{job: j, cmd: j.start("serve"), url: "http://127.0.0.1:" + port}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	require.Eventually(t, func() bool {
		resp, err := http.Get(s.url + "/ping")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 10*time.Millisecond, "no good /ping")
	return s
}

// ask returns status, content type and body of an invocation.
func (s *server) ask(contentType, accept, body string) (int, string, string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+"/invocations", strings.NewReader(body))
	require.NoError(s, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(s, err)
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(answer)
}

// end stops the server in good order and returns its exit code.
func (s *server) end() int {
	s.Helper()
	require.NoError(s, s.cmd.Process.Signal(syscall.SIGTERM))
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

const factor = `import os, sys
def model_fn(model_dir):
    return int(open(os.path.join(model_dir, "factor")).read())
def predict_fn(data, model):
    if data.size == 1: raise ValueError("one number is too few")
    if data.size == 2: os._exit(5)
    return data * model
`

func TestServingDefaults(t *testing.T) {
	s := serve(t, factor)
	for _, tt := range []struct {
		contentType, accept, body string
		status                    int
		answers, says             string
	}{
		{"text/csv", "text/csv", "1,2,3\n4,5,6\n", 200, "text/csv", "3.0,6.0,9.0\n12.0,15.0,18.0\n"},
		{"text/csv; charset=utf-8", "application/json", "1,2,3\n", 200, "application/json", "[[3.0, 6.0, 9.0]]"},
		{"application/json", "", "[[1, 2, 3]]", 200, "application/json", "[[3.0, 6.0, 9.0]]"},
		{"application/json", "image/png, text/csv;q=0.5", "[1, 2, 3]", 200, "text/csv", "3.0\n6.0\n9.0\n"},
		{"image/png", "text/csv", "x", 415, "text/plain", "Content type image/png is not supported"},
		{"text/csv", "image/png", "1,2,3\n", 406, "text/plain", "Content type image/png is not supported"},
		{"text/csv", "text/csv", "1\n", 500, "text/plain", "ValueError: one number is too few"},
		{"application/json", "text/csv", "[1", 500, "text/plain", "JSONDecodeError"},
		{"text/csv", "text/csv", "\xff\xfe", 400, "text/plain", "not UTF-8"},
	} {
		status, answers, body := s.ask(tt.contentType, tt.accept, tt.body)
		require.Equal(t, tt.status, status, "%s: %s", tt.body, body)
		require.Equal(t, tt.answers, answers)
		require.Contains(t, body, tt.says)
	}
	_, _, npy := s.ask("application/json", "application/x-npy", "[[1, 2, 3]]")
	require.True(t, strings.HasPrefix(npy, "\x93NUMPY"))
	status, _, body := s.ask("application/x-npy", "application/json", npy)
	require.Equal(t, 200, status, body)
	require.Equal(t, "[[9.0, 18.0, 27.0]]", body)
	require.Zero(t, s.end())
	require.Contains(t, s.out.String(), "Traceback")
}

func TestServingReplacesAWorkerThatDied(t *testing.T) {
	s := serve(t, factor, "SAGEMAKER_MODEL_SERVER_WORKERS=1")
	_, err := http.Post(s.url+"/invocations", "text/csv", strings.NewReader("1,2\n"))
	require.Error(t, err, "its worker ended")
	status, _, body := s.ask("text/csv", "text/csv", "1,2,3\n")
	require.Equal(t, 200, status, body)
	require.Zero(t, s.end())
}

// A server whose workers die before they can serve gives up, and says why; one
// whose workers die later goes on for good, with pauses.
func TestServingGivesUp(t *testing.T) {
	for code, how := range map[string]string{"os._exit(9)": "exit code 9", "os.kill(os.getpid(), 9)": "signal 9"} {
		j := newJob(t, map[string]string{"code/inference.py": "import os\ndef model_fn(d): " + code + "\n"})
		j.env = append(j.env, "SAGEMAKER_BIND_TO_PORT=0", "SAGEMAKER_MODEL_SERVER_WORKERS=1")
		cmd := j.start("serve")
		require.Error(t, cmd.Wait())
		require.Equal(t, 3, cmd.ProcessState.ExitCode())
		require.Contains(t, j.out.String(), "3 workers in a row ended while they loaded the model, the last with "+how+": correct model_fn")
	}
	s := serve(t, factor, "SAGEMAKER_MODEL_SERVER_WORKERS=1")
	for range 4 {
		_, err := http.Post(s.url+"/invocations", "text/csv", strings.NewReader("1,2\n"))
		require.Error(t, err, "its worker ended")
	}
	require.Equal(t, 200, first(s.ask("text/csv", "text/csv", "1,2,3\n")))
	require.Zero(t, s.end())
	require.Contains(t, s.out.String(), "ended with exit code 5; starting another in 0.8 s")
}

func first(status int, _, _ string) int { return status }

// A server that pauses ends at once when it is told to.
func TestServingEndsInAPause(t *testing.T) {
	j := newJob(t, map[string]string{"code/inference.py": "import os\ndef model_fn(d): os._exit(9)\n"})
	j.env = append(j.env, "SAGEMAKER_BIND_TO_PORT=0", "SAGEMAKER_MODEL_SERVER_WORKERS=1")
	out, err := os.Create(filepath.Join(j.base, "out"))
	require.NoError(t, err)
	defer out.Close()
	cmd := exec.Command(pythontest.Python(t), "-c", "import sys; sys.path.insert(0, sys.argv[1]); from scriptmode import serving; serving.FIRST_PAUSE = 3600; sys.exit(serving.main())", j.tools)
	cmd.Env, cmd.Stdout, cmd.Stderr = j.env, out, out
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return strings.Contains(j.read("out"), "starting another in 3600 s") }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}

func TestServingOwnFunctions(t *testing.T) {
	s := serve(t, `import os
def model_fn(model_dir): return "m"
def input_fn(body, content_type): return (type(body).__name__, content_type)
def predict_fn(data, model): return (os.getpid(), model) + data
def output_fn(prediction, accept): return "|".join(map(str, prediction)), "text/" + accept[-3:]
`, "SAGEMAKER_MODEL_SERVER_WORKERS=3")
	pids := map[string]bool{}
	require.Eventually(t, func() bool {
		_, answers, body := s.ask("image/png", "text/csv", "x")
		pid, rest, _ := strings.Cut(body, "|")
		pids[pid] = true
		return answers == "text/csv" && rest == "m|bytes|image/png" && len(pids) == 3
	}, 30*time.Second, time.Millisecond, "three workers answer")
	require.Zero(t, s.end())

	s = serve(t, `def model_fn(model_dir): return "m"
def transform_fn(model, body, content_type, accept): return " ".join((model, body, content_type, accept))
`)
	status, answers, body := s.ask("text/csv", "", "1,2")
	require.Equal(t, 200, status)
	require.Equal(t, "application/json", answers)
	require.Equal(t, "m 1,2 text/csv application/json", body)
	require.Zero(t, s.end())
}

func TestServingRefusesWhatCannotServe(t *testing.T) {
	for name, tt := range map[string]struct{ code, says string }{
		"no model_fn":    {"x = 1\n", "inference.py has no model_fn: define model_fn(model_dir)"},
		"both ways":      {"def model_fn(d): pass\ndef transform_fn(m, b, c, a): pass\ndef input_fn(b, c): pass\n", "has transform_fn as well as input_fn"},
		"model missing":  {"def model_fn(d): return open(d + '/model.joblib')\n", "model.joblib"},
		"ends by itself": {"import sys\nsys.exit(0)\n", "SystemExit"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, map[string]string{"code/inference.py": tt.code})
			j.env = append(j.env, "SAGEMAKER_BIND_TO_PORT=0")
			cmd := j.start("serve")
			require.Error(t, cmd.Wait())
			require.Equal(t, 3, cmd.ProcessState.ExitCode())
			require.Contains(t, j.out.String(), tt.says)
		})
	}
}
