package container

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// job lays out a job's directory as the platform does.
func job(t *testing.T, files map[string]string) string {
	t.Helper()
	base := t.TempDir()
	for name, text := range files {
		path := filepath.Join(base, "input", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return base
}

func environment(base string, more ...string) func(string) string {
	values := map[string]string{"SAGEMAKER_BASE_DIR": base, "SAGEMAKER_BIND_TO_PORT": "0"}
	for i := 0; i < len(more); i += 2 {
		values[more[i]] = more[i+1]
	}
	return func(name string) string { return values[name] }
}

// flights are rows whose lateness depends on hour, origin and whether the
// wind was measured.
func flights(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	var b strings.Builder
	b.WriteString("late,hour,origin,wind\n")
	for range n {
		hour, origin, wind := r.IntN(24), []string{"JFK", "SFO", "ORD", ""}[r.IntN(4)], strconv.Itoa(r.IntN(30))
		score := float64(hour)/6 - 2
		if origin == "ORD" || origin == "" {
			score += 1.5
		}
		if r.Float64() < 0.2 {
			wind = ""
			score -= 2
		}
		late := 0
		if r.Float64() < 1/(1+math.Exp(-score)) {
			late = 1
		}
		fmt.Fprintf(&b, "%d,%d,%s,%s\n", late, hour, origin, wind)
	}
	return b.String()
}

var line = regexp.MustCompile(`(?m)^\[(\d+)\] train-logloss=(\d\.\d{5}) validation-logloss=(\d\.\d{5}) progress=([01]\.\d\d)$`)

func TestTrainAndServe(t *testing.T) {
	for image, hyperparameters := range map[string]string{
		Linear: `{"l2":"0.5","seed":"3","task":"binary"}`,
		Trees:  `{"rounds":"60","maxLeaves":"8","_tuning_objective_metric":"validation-auc"}`,
	} {
		t.Run(image, func(t *testing.T) {
			base := job(t, map[string]string{
				"config/hyperparameters.json": hyperparameters,
				"config/inputdataconfig.json": `{"train":{"TrainingInputMode":"File","ContentType":"text/csv"},"validation":{"TrainingInputMode":"File","S3DistributionType":"FullyReplicated","RecordWrapperType":"None"}}`,
				"config/resourceconfig.json":  `{"current_host":"algo-1","hosts":["algo-1"],"network_interface_name":"eth0"}`,
				"data/train/part-1.csv":       flights(1, 3000),
				"data/train/part-2.csv":       flights(2, 3000),
				"data/validation/rows.csv":    flights(3, 2000),
			})
			var out bytes.Buffer
			require.NoError(t, run(context.Background(), image, []string{"train"}, environment(base), &out))
			require.GreaterOrEqual(t, len(line.FindAllString(out.String(), -1)), 2, out.String())
			final := regexp.MustCompile(`final .*validation-auc=(0\.\d+) .*progress=1\.00\n$`).FindStringSubmatch(out.String())
			require.NotNil(t, final, out.String())
			auc, err := strconv.ParseFloat(final[1], 64)
			require.NoError(t, err)
			require.Greater(t, auc, 0.83)
			require.NoFileExists(t, filepath.Join(base, "output", "failure"))
			checkServer(t, image, base)
		})
	}
}

// checkServer asks one server in every format and expects the same answers.
func checkServer(t *testing.T, image, base string) {
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, image, []string{"serve"}, environment(base), writer)
		_ = writer.CloseWithError(io.EOF)
		ended <- err
	}()
	var address string
	_, err := fmt.Fscanf(reader, "serving on %s\n", &address)
	require.NoError(t, err)
	require.Contains(t, address, "127.0.0.1:")
	ping, err := http.Get("http://" + address + "/ping")
	require.NoError(t, err)
	require.NoError(t, ping.Body.Close())
	require.Equal(t, http.StatusOK, ping.StatusCode)

	csv := ask(t, address, "text/csv", "23,ORD,\n2,JFK,5\n12,,7\n")
	scores := strings.Fields(csv)
	require.Len(t, scores, 3)
	high, err := strconv.ParseFloat(scores[0], 64)
	require.NoError(t, err)
	low, err := strconv.ParseFloat(scores[1], 64)
	require.NoError(t, err)
	require.Greater(t, high, low)
	want := fmt.Sprintf(`{"predictions":[{"score":%s},{"score":%s},{"score":%s}]}`, scores[0], scores[1], scores[2])
	require.Equal(t, want+"\n", ask(t, address, "application/json",
		`{"instances":[{"hour":23,"origin":"ORD","wind":null},{"wind":5,"origin":"JFK","hour":2},[12,null,7]]}`))
	require.Contains(t, ask(t, address, "text/csv", "23,LHR,3\n"), "0.")
	require.Contains(t, ask(t, address, "text/csv", "23,LHR\n"), "row 1: has 2 columns; send 3: hour,origin,wind")
	stop()
	require.NoError(t, <-ended)
}

func ask(t *testing.T, address, kind, body string) string {
	t.Helper()
	r, err := http.Post("http://"+address+"/invocations", kind, strings.NewReader(body))
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(text)
}

func TestSameFilesTwice(t *testing.T) {
	for _, image := range []string{Linear, Trees} {
		var models []string
		for range 2 {
			base := job(t, map[string]string{"config/hyperparameters.json": `{}`, "data/train/a.csv": flights(1, 2000)})
			require.NoError(t, run(context.Background(), image, []string{"train"}, environment(base), io.Discard))
			all := ""
			for _, name := range []string{"model.json", "features.json"} {
				data, err := os.ReadFile(filepath.Join(base, "model", name))
				require.NoError(t, err)
				all += string(data)
			}
			models = append(models, all)
		}
		require.Equal(t, models[0], models[1], image)
	}
}

func TestRegression(t *testing.T) {
	var b strings.Builder
	b.WriteString("y,x,w\n")
	for i := range 500 {
		fmt.Fprintf(&b, "%v,%d,%d\n", 3*float64(i)+7, i, i%2+1)
	}
	for _, image := range []string{Linear, Trees} {
		base := job(t, map[string]string{"config/hyperparameters.json": `{"weight":"w","l2":"0.001"}`, "data/train/a.csv": b.String()})
		var out bytes.Buffer
		require.NoError(t, run(context.Background(), image, []string{"train"}, environment(base), &out))
		require.Contains(t, out.String(), "task regression")
		rmse := regexp.MustCompile(`final train-rmse=([\d.]+)`).FindStringSubmatch(out.String())
		require.NotNil(t, rmse)
		v, err := strconv.ParseFloat(rmse[1], 64)
		require.NoError(t, err)
		require.Less(t, v, 45.0, "a tenth of the label's deviation")
	}
}

// stopper ends a context at the first progress line, as SIGTERM would.
type stopper struct {
	bytes.Buffer
	stop context.CancelFunc
}

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("[1]")) {
		s.stop()
	}
	return s.Buffer.Write(p)
}

func TestStopSavesTheModel(t *testing.T) {
	base := job(t, map[string]string{"config/hyperparameters.json": `{"rounds":"5000"}`, "data/train/a.csv": flights(1, 2000)})
	ctx, cancel := context.WithCancel(context.Background())
	out := &stopper{stop: cancel}
	require.NoError(t, run(ctx, Trees, []string{"train"}, environment(base), out))
	require.Contains(t, out.String(), "stopped=early steps=1 ")
	_, err := algorithms[Trees].load(filepath.Join(base, "model"))
	require.NoError(t, err)
}

func TestFailures(t *testing.T) {
	data := flights(1, 200)
	for name, c := range map[string]struct {
		image string
		args  []string
		files map[string]string
		want  string
	}{
		"image":         {"steward/forest", []string{"train"}, nil, `image "steward/forest" is not built in; there are steward/linear, steward/trees, steward/profile`},
		"arguments":     {Trees, []string{"run"}, nil, `arguments are ["run"]; give train or serve`},
		"parameter":     {Trees, []string{"train"}, map[string]string{"config/hyperparameters.json": `{"depth":"3","rounds":"x"}`}, `hyperparameter "depth" is unknown; known are task, weight, categorical, seed, rounds`},
		"other's":       {Linear, []string{"train"}, map[string]string{"config/hyperparameters.json": `{"rounds":"3"}`}, "known are task, weight, categorical, seed, l2, maxIterations"},
		"range":         {Trees, []string{"train"}, map[string]string{"config/hyperparameters.json": `{"learningRate":"7"}`}, `hyperparameter learningRate is "7"; give a number from 0.0001 to 1`},
		"no channel":    {Trees, []string{"train"}, nil, "channel train: "},
		"empty channel": {Trees, []string{"train"}, map[string]string{"data/train/_SUCCESS": ""}, "channel train: holds no files"},
		"one class":     {Trees, []string{"train"}, map[string]string{"data/train/a.csv": "y,x\n0,1\n0,2\n"}, `channel train: label "y" is 0 in all 2 rows`},
		"validation":    {Linear, []string{"train"}, map[string]string{"data/train/a.csv": data, "data/validation/a.csv": "late,x\n1,2\n"}, "channel validation: its columns are"},
		"score":         {Linear, []string{"train"}, map[string]string{"data/train/a.csv": "y,x\n10,1\n20,2\n30,3\n40,5\n", "data/validation/a.csv": "y,x\n1,1\n1,1.7e308\n", "config/hyperparameters.json": `{"task":"regression"}`}, "channel validation: row 2: the model's score is"},
		"channel name":  {Trees, []string{"train"}, map[string]string{"config/inputdataconfig.json": `{"test":{}}`}, `channel "test" is not used`},
		"pipe":          {Trees, []string{"train"}, map[string]string{"config/inputdataconfig.json": `{"train":{"TrainingInputMode":"Pipe"}}`}, `input mode "Pipe"; use File`},
		"content type":  {Trees, []string{"train"}, map[string]string{"config/inputdataconfig.json": `{"train":{"ContentType":"text/libsvm"}}`}, "use text/csv"},
		"broken config": {Trees, []string{"train"}, map[string]string{"config/inputdataconfig.json": `{`}, "inputdataconfig.json"},
		"cluster":       {Trees, []string{"train"}, map[string]string{"config/resourceconfig.json": `{"hosts":["algo-1","algo-2"]}`}, "2 instances; this image trains on one"},
		"no model":      {Trees, []string{"serve"}, nil, "load model: "},
	} {
		t.Run(name, func(t *testing.T) {
			base := job(t, c.files)
			err := run(context.Background(), c.image, c.args, environment(base), io.Discard)
			require.ErrorContains(t, err, c.want)
			reason, err := os.ReadFile(filepath.Join(base, "output", "failure"))
			require.NoError(t, err)
			require.Contains(t, string(reason), c.want)
		})
	}
}

func TestFailureIsCutToWhatThePlatformReads(t *testing.T) {
	name := strings.Repeat("é", 3000)
	data, err := json.Marshal(map[string]string{name: "1"})
	require.NoError(t, err)
	base := job(t, map[string]string{"config/hyperparameters.json": string(data)})
	require.Error(t, run(context.Background(), Trees, []string{"train"}, environment(base), io.Discard))
	reason, err := os.ReadFile(filepath.Join(base, "output", "failure"))
	require.NoError(t, err)
	require.Equal(t, 1024, utf8.RuneCount(reason))
	require.True(t, utf8.Valid(reason))
}

func TestServeSettings(t *testing.T) {
	for name, value := range map[string]string{"SAGEMAKER_BIND_TO_PORT": "http", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "-1"} {
		err := run(context.Background(), Trees, []string{"serve"}, environment(t.TempDir(), name, value), io.Discard)
		require.ErrorContains(t, err, name+` is "`+value+`"; give a whole number from 0 to`)
	}
	for _, c := range []struct{ base, host, want string }{{"", "", ""}, {"/x", "", "127.0.0.1"}, {"/x", "10.0.0.1", "10.0.0.1"}, {"", "::1", "::1"}} {
		p := program{getenv: environment(c.base, "SAGEMAKER_BIND_TO_HOST", c.host)}
		require.Equal(t, c.want, p.host())
	}
}
