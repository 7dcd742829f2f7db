package faults

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/wire"
)

var quiet = slog.New(slog.DiscardHandler)

func put(key string) func() wire.Call {
	return func() wire.Call {
		return wire.Call{Service: "s3", Operation: "PutObject", Resources: []string{"b/" + key}}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, says string }{
		{"no JSON", "{\n\"rules\": [\n}", "line 3"},
		{"unknown field", `{"rules": [{"fault": "lost", "chance": 1}]}`, `unknown field "chance"`},
		{"more", `{} {}`, "more follows"},
		{"no fault", `{"rules": [{}]}`, `rules[0]: fault ""`},
		{"unknown fault", `{"rules": [{"fault": "lost"}, {"fault": "lots"}]}`, `rules[1]: fault "lots": it is one of [throttle error quota answer lost slow interrupt slow-start rollback]`},
		{"unknown service", `{"rules": [{"fault": "lost", "service": "sqs"}]}`, `service "sqs": it is one of application-autoscaling, logs, monitoring, s3, sagemaker, sns, sts`},
		{"quota elsewhere", `{"rules": [{"fault": "quota", "service": "s3"}]}`, "set service to sagemaker"},
		{"answer without code", `{"rules": [{"fault": "answer"}]}`, "needs it"},
		{"code without answer", `{"rules": [{"fault": "lost", "code": "X"}]}`, `code "X"`},
		{"message without answer", `{"rules": [{"fault": "lost", "message": "m"}]}`, "go with fault answer"},
		{"status", `{"rules": [{"fault": "answer", "code": "X", "status": 200}]}`, "status 200"},
		{"delay", `{"rules": [{"fault": "lost", "delay": "2"}]}`, `delay "2": write a duration such as 2s`},
		{"slow without delay", `{"rules": [{"fault": "slow"}]}`, "needs a delay"},
		{"slow start without delay", `{"rules": [{"fault": "slow-start"}]}`, "slow-start needs a delay"},
		{"interrupted call", `{"rules": [{"fault": "interrupt", "operation": "CreateTrainingJob"}]}`, "leave operation out"},
		{"interruption elsewhere", `{"rules": [{"fault": "interrupt", "service": "s3"}]}`, "befalls what runs in sagemaker"},
		{"after", `{"rules": [{"fault": "lost", "after": -1}]}`, "after -1"},
		{"count", `{"rules": [{"fault": "lost", "count": -1}]}`, "count -1"},
		{"probability", `{"rules": [{"fault": "lost", "probability": 1.5}]}`, "probability 1.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			require.ErrorContains(t, err, tt.says)
		})
	}
	_, err := Parse([]byte(`{"rules": [{"fault": "lots", "after": -1}, {"fault": "slow"}]}`))
	for _, all := range []string{"rules[0]: fault", "rules[0]: after", "rules[1]: fault slow"} {
		require.ErrorContains(t, err, all)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults.json")
	_, err := Load(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte(`{"rules": [{"fault": "no"}]}`), 0o600))
	_, err = Load(path)
	require.ErrorContains(t, err, path)
	require.NoError(t, os.WriteFile(path, []byte(`{"seed": 3, "rules": [{"fault": "lost"}]}`), 0o600))
	p, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, Plan{Seed: 3, Rules: []Rule{{Fault: Lost}}}, p)
}

func TestWhichCalls(t *testing.T) {
	train := wire.Call{Service: "sagemaker", Operation: "CreateTrainingJob", Resources: []string{"arn:aws:iam::1:role/r", "job-1"}}
	for _, tt := range []struct {
		name string
		rule Rule
		call wire.Call
		want bool
	}{
		{"every", Rule{}, train, true},
		{"service", Rule{Service: "sagemaker"}, train, true},
		{"other service", Rule{Service: "s3"}, train, false},
		{"operation", Rule{Operation: "CreateTrainingJob"}, train, true},
		{"operations", Rule{Operation: "Create*Job"}, train, true},
		{"not a part of it", Rule{Operation: "Create"}, train, false},
		{"a dot is a dot", Rule{Operation: "Create.rainingJob"}, train, false},
		{"any of its names", Rule{Resource: "job-*"}, train, true},
		{"none of its names", Rule{Resource: "job"}, train, false},
		{"over slashes", Rule{Resource: "b/*.json"}, put("a/b/c.json")(), true},
		{"no names", Rule{Resource: "*"}, wire.Call{Service: "sts"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Fault = Lost
			i := NewInjector(Plan{Rules: []Rule{tt.rule}}, quiet)
			require.Equal(t, wire.Upset{Lost: tt.want}, i.Upset(func() wire.Call { return tt.call }))
		})
	}
}

func TestWhatBefallsThem(t *testing.T) {
	for _, tt := range []struct {
		rule          Rule
		service, code string
		status        int
	}{
		{Rule{Fault: Throttle}, "s3", "SlowDown", 503},
		{Rule{Fault: Throttle}, "sagemaker", "ThrottlingException", 0},
		{Rule{Fault: Throttle}, "monitoring", "Throttling", 0},
		{Rule{Fault: Error}, "s3", "InternalError", 500},
		{Rule{Fault: Error}, "sts", "InternalFailure", 500},
		{Rule{Fault: Quota, Service: "sagemaker"}, "sagemaker", "ResourceLimitExceeded", 0},
		{Rule{Fault: Answer, Code: "ValidationException", Message: "Could not find it", Status: 404}, "sagemaker", "ValidationException", 404},
	} {
		tt.rule.Delay = "3s"
		up := NewInjector(Plan{Rules: []Rule{tt.rule}}, quiet).Upset(func() wire.Call { return wire.Call{Service: tt.service} })
		require.Equal(t, 3*time.Second, up.Delay)
		require.False(t, up.Lost)
		require.Equal(t, tt.code, up.Error.Code)
		require.Equal(t, tt.status, up.Error.Status)
	}
	require.Equal(t, wire.Upset{Delay: time.Minute}, Rule{Fault: Slow, Delay: "1m"}.upset("s3"))
}

// run tells which of n calls go wrong.
func run(i *Injector, n int) string {
	out := make([]byte, n)
	for at := range out {
		out[at] = '.'
		if i.Upset(put("k")).Lost {
			out[at] = 'x'
		}
	}
	return string(out)
}

func TestHowOften(t *testing.T) {
	for want, r := range map[string]Rule{
		"xxxxxx": {}, "..xxxx": {After: 2}, "xx....": {Count: 2}, ".x....": {After: 1, Count: 1},
	} {
		r.Fault = Lost
		require.Equal(t, want, run(NewInjector(Plan{Rules: []Rule{r}}, quiet), 6))
	}
	i := NewInjector(Plan{Rules: []Rule{{Fault: Error, Count: 1}, {Fault: Lost, Count: 2}}}, quiet)
	require.Equal(t, ".xx.", run(i, 4), "an exhausted rule gives way to the next")
	_, reports := i.Reports()
	require.Equal(t, []int{4, 1, 3, 2}, []int{reports[0].Seen, reports[0].Injected, reports[1].Seen, reports[1].Injected})
}

func TestSeed(t *testing.T) {
	with := func(seed uint64, before ...Rule) string {
		return run(NewInjector(Plan{Seed: seed, Rules: append(before, Rule{Fault: Lost, Probability: 0.3})}, quiet), 2000)
	}
	require.Equal(t, with(7), with(7))
	require.NotEqual(t, with(7), with(8))
	// 600 expected, with a standard deviation of 20.5.
	require.InDelta(t, 600, strings.Count(with(7), "x"), 100)
	require.Equal(t, with(7, Rule{Fault: Lost, Service: "sts"}), with(7, Rule{Fault: Error, Service: "sts", Probability: 0.5}),
		"what other rules do changes nothing")
}

func TestEveryFaultIsLogged(t *testing.T) {
	var log bytes.Buffer
	i := NewInjector(Plan{Rules: []Rule{{Fault: Lost, Count: 2}}}, slog.New(slog.NewTextHandler(&log, nil)))
	run(i, 5)
	require.Equal(t, 2, strings.Count(log.String(), "fault injected"))
	require.Contains(t, log.String(), "operation=PutObject")
	require.Contains(t, log.String(), "b/k")
}

func TestAdmin(t *testing.T) {
	i := NewInjector(Plan{}, quiet)
	ask := func(from, method, body string) (int, string) {
		r := httptest.NewRequest(method, "/_local/faults", strings.NewReader(body))
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const here = "127.0.0.1:5000"
	code, text := ask(here, http.MethodPut, `{"seed": 5, "rules": [{"fault": "lost", "count": 1}]}`)
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"seed": 5, "rules": [{"fault": "lost", "count": 1, "seen": 0, "injected": 0}]}`, text)
	require.Equal(t, "x.", run(i, 2))

	code, text = ask(here, http.MethodPut, `{"rules": [{"fault": "none"}]}`)
	require.Equal(t, 400, code)
	require.Contains(t, text, `fault "none"`)
	_, text = ask("[::1]:5000", http.MethodGet, "")
	require.JSONEq(t, `{"seed": 5, "rules": [{"fault": "lost", "count": 1, "seen": 2, "injected": 1}]}`, text, "a wrong plan changes nothing")

	for _, far := range []string{"10.1.2.3:5000", "nonsense"} {
		code, _ = ask(far, http.MethodDelete, "")
		require.Equal(t, 403, code)
	}
	code, _ = ask(here, http.MethodPost, "{}")
	require.Equal(t, 405, code)
	code, text = ask(here, http.MethodDelete, "")
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"seed": 0, "rules": []}`, text)
}

func TestWhatRuns(t *testing.T) {
	i := NewInjector(Plan{Rules: []Rule{
		{Fault: Interrupt, Resource: "spot-*", Delay: "2s", After: 1, Count: 1},
		{Fault: SlowStart, Resource: "endpoint/blue", Delay: "1m"},
	}}, quiet)
	require.Equal(t, wire.Upset{}, i.Upset(put("spot-1")), "calls are left alone")
	_, struck := i.Strike(Interrupt, "other")
	require.False(t, struck)
	_, struck = i.Strike(Interrupt, "spot-1")
	require.False(t, struck, "the first passes")
	delay, struck := i.Strike(Interrupt, "spot-2")
	require.True(t, struck)
	require.Equal(t, 2*time.Second, delay)
	_, struck = i.Strike(Interrupt, "spot-3")
	require.False(t, struck, "one is enough")
	delay, struck = i.Strike(SlowStart, "endpoint", "endpoint/blue")
	require.True(t, struck, "by any of its names")
	require.Equal(t, time.Minute, delay)

	changed := i.Changed()
	select {
	case <-changed:
		t.Fatal("nothing has changed")
	default:
	}
	i.Set(Plan{})
	<-changed
	_, struck = i.Strike(SlowStart, "endpoint/blue")
	require.False(t, struck)
}
