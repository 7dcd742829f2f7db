package activities

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/localcloud/faults"
)

func TestDeployAndReplaceAndRetire(t *testing.T) {
	w := newWorld(t)
	d := w.deployment
	one, two := w.release(1, "good"), w.release(2, "good")

	opening := deploy(1, serve(one, 100))
	opening.First = true
	first, err := ask(w, d.Deploy, opening)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"r1": 100}, first.Weights)
	d.Role += "-renamed"
	again, err := ask(w, d.Deploy, opening)
	require.NoError(t, err, "what serves was made under another role")
	require.Equal(t, first, again, "a repeat changes nothing")

	both, err := ask(w, d.Deploy, deploy(2, serve(one, 100), serve(two, 0)))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"r1": 100, "r2": 0}, both.Weights)
	moved, err := ask(w, d.SetWeights, deploy(2, serve(one, 70), serve(two, 30)))
	require.NoError(t, err)
	require.Equal(t, lifecycle.Serving{Config: both.Config, Weights: map[string]int{"r1": 70, "r2": 30}}, moved)
	back, err := ask(w, d.Deploy, deploy(2, serve(one, 100), serve(two, 0)))
	require.NoError(t, err)
	require.Equal(t, both, back, "weights set since do not stay")
	_, err = ask(w, d.SetWeights, deploy(2, serve(two, 100)))
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(err))

	_, err = ask(w, d.Deploy, deploy(2, serve(two, 100)))
	require.NoError(t, err)
	require.Len(t, w.inventory(), 1+3+2, "nothing that served was removed yet: %v", w.inventory())
	removed, err := ask(w, d.RemoveUnused, lifecycle.RemoveInput{Of: lifecycle.Of{Model: testModel, Release: 2}})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"endpoint-config/" + first.Config, "endpoint-config/" + both.Config, "model/steward-fraud-r1"}, removed.Resources)
	require.Equal(t, []string{"config/steward-fraud-r2", "endpoint/steward-fraud on r2", "model/steward-fraud-r2"}, w.inventory())

	_, err = ask(w, d.Retire, lifecycle.RemoveInput{Of: lifecycle.Of{Model: testModel}})
	require.NoError(t, err)
	require.Empty(t, w.inventory())
	removed, err = ask(w, d.Retire, lifecycle.RemoveInput{Of: lifecycle.Of{Model: testModel}})
	require.NoError(t, err)
	require.Empty(t, removed.Resources, "a second time there is nothing")
}

// A model whose record was lost does not know what its endpoint serves.
func TestAFirstDeploymentDoesNotReplaceWhatServes(t *testing.T) {
	w := newWorld(t)
	_, err := ask(w, w.deployment.Deploy, deploy(7, serve(w.release(7, "good"), 100)))
	require.NoError(t, err)
	before := w.inventory()
	in := deploy(1, serve(w.release(1, "good"), 100))
	in.First = true
	w.calls.since()
	_, err = ask(w, w.deployment.Deploy, in)
	require.Equal(t, lifecycle.Conflict, lifecycle.ErrorType(err), "%v", err)
	require.True(t, cloud.Final(err))
	require.ErrorContains(t, err, "endpoint steward-fraud serves r7 with 100 % of the traffic")
	require.ErrorContains(t, err, "delete the endpoint")
	require.Equal(t, []string{"DescribeEndpoint"}, w.calls.since(), "nothing is touched")
	require.Equal(t, before, w.inventory())
}

func TestFirstReleaseThatCannotServeLeavesNothing(t *testing.T) {
	w := newWorld(t)
	_, err := ask(w, w.deployment.Deploy, deploy(1, serve(w.release(1, "crash"), 100)))
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "ping health check")
	require.Empty(t, w.inventory())
}

func TestChallengerThatCannotServeLeavesTheChampion(t *testing.T) {
	w := newWorld(t)
	one := w.release(1, "good")
	before, err := ask(w, w.deployment.Deploy, deploy(1, serve(one, 100)))
	require.NoError(t, err)
	_, err = ask(w, w.deployment.Deploy, deploy(2, serve(one, 100), serve(w.release(2, "crash"), 0)))
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err))
	require.ErrorContains(t, err, "ping health check")
	require.Equal(t, []string{"config/steward-fraud-r1", "endpoint/steward-fraud on r1", "model/steward-fraud-r1"}, w.inventory())
	after, err := w.deployment.Endpoints.Describe(t.Context(), "steward-fraud")
	require.NoError(t, err)
	require.Equal(t, before, lifecycle.Serving{Config: after.Config, Weights: after.Weights})
	answer, err := w.deployment.Endpoints.Invoke(t.Context(), "steward-fraud", "r1", "id-1", []byte("0.5,ZRH\n"))
	require.NoError(t, err)
	require.Equal(t, "0.5\n", string(answer))
}

// SageMaker may take a change back by itself and say that all is well.
func TestASilentRollbackIsNoticed(t *testing.T) {
	w := newWorld(t)
	one := w.release(1, "good")
	before, err := ask(w, w.deployment.Deploy, deploy(1, serve(one, 100)))
	require.NoError(t, err)
	w.upset(t, faults.Rule{Fault: faults.Rollback, Resource: "steward-fraud", Count: 1})
	_, err = ask(w, w.deployment.Deploy, deploy(2, serve(one, 100), serve(w.release(2, "good"), 0)))
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err), "%v", err)
	require.ErrorContains(t, err, before.Config)
	after, err := w.deployment.Endpoints.Describe(t.Context(), "steward-fraud")
	require.NoError(t, err)
	require.Equal(t, before, lifecycle.Serving{Config: after.Config, Weights: after.Weights})
}

// An endpoint that failed for a release that was given up does not stand in the
// way of the next one.
func TestAFailedEndpointIsReplaced(t *testing.T) {
	w := newWorld(t)
	d, bad := w.deployment, deploy(1, serve(w.release(1, "crash"), 100))
	require.NoError(t, d.Models.Create(t.Context(), cloud.Model{Of: bad.Of, Name: "steward-fraud-r1",
		Image: bad.Variants[0].Champion.Model.Image, Data: bad.Variants[0].Champion.Model.URI, Role: d.Role}))
	config, err := d.Endpoints.CreateConfig(t.Context(), d.config(bad))
	require.NoError(t, err)
	_, err = d.Endpoints.Serve(t.Context(), bad.Of, config, func(lifecycle.Progress) {})
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err))

	serving, err := ask(w, d.Deploy, deploy(2, serve(w.release(2, "good"), 100)))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"r2": 100}, serving.Weights)
}

// A worker that dies while it waits leaves the endpoint to the next attempt.
func TestDeployTakesUpWhatAnEarlierAttemptBegan(t *testing.T) {
	for _, next := range []string{"deploy", "retire"} {
		t.Run(next, func(t *testing.T) {
			w := newWorld(t)
			d, in := w.deployment, deploy(1, serve(w.release(1, "good"), 100))
			ctx, die := context.WithCancel(t.Context())
			c := d.config(in)
			require.NoError(t, d.Models.Create(ctx, cloud.Model{Of: in.Of, Name: c.Variants[0].Model,
				Image: in.Variants[0].Champion.Model.Image, Data: in.Variants[0].Champion.Model.URI, Role: d.Role}))
			config, err := d.Endpoints.CreateConfig(ctx, c)
			require.NoError(t, err)
			_, err = d.Endpoints.Serve(ctx, in.Of, config, func(p lifecycle.Progress) {
				if p.Status == "Creating" {
					die()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			if next == "retire" {
				_, err := ask(w, d.Retire, lifecycle.RemoveInput{Of: in.Of})
				require.NoError(t, err)
				require.Empty(t, w.inventory())
				return
			}
			w.calls.since()
			serving, err := ask(w, d.Deploy, in)
			require.NoError(t, err)
			require.Equal(t, lifecycle.Serving{Config: config, Weights: map[string]int{"r1": 100}}, serving)
			require.NotContains(t, w.calls.since(), "CreateEndpoint", "it was there already")
		})
	}
}

func TestDeployRefuses(t *testing.T) {
	w := newWorld(t)
	for i, tt := range []struct {
		name   string
		change func(*lifecycle.Manifest)
		after  func(*lifecycle.Champion)
		kind   string
		want   string
	}{
		{"nobody approved", nil, func(c *lifecycle.Champion) { c.Approved = nil }, lifecycle.NotApproved, "still wanted: 1 data-scientist, 1 product-manager"},
		{"one person missing", nil, func(c *lifecycle.Champion) { c.Approved = c.Approved[:1] }, lifecycle.NotApproved, "still wanted: 1 "},
		{"another digest was approved", nil, func(c *lifecycle.Champion) {
			m := w.manifest(c.Release, "good")
			m.Cost = 7
			c.Approved = w.approved(m).Approved
		}, lifecycle.NotApproved, "does not count: it is about the evidence sha256:"},
		{"a forged decision", nil, func(c *lifecycle.Champion) { c.Approved[0].Subject = "eve" }, lifecycle.NotApproved, "changed after it was signed"},
		{"approved by the author", func(m *lifecycle.Manifest) { m.Trigger.Author = "ada" }, nil, lifecycle.NotApproved, "still wanted: 1 data-scientist"},
		{"an author of another name", nil, func(c *lifecycle.Champion) { c.Author = "ada" }, lifecycle.NotApproved, "still wanted: 1 data-scientist"},
		{"a manifest that was changed", nil, func(c *lifecycle.Champion) {
			raw, err := w.objects.Get(t.Context(), c.Evidence.URI)
			require.NoError(t, err)
			require.NoError(t, w.objects.Put(t.Context(), c.Evidence.URI, []byte(strings.Replace(string(raw), "0.6", "0.5", 1))))
		}, lifecycle.Invalid, "was changed: it has digest"},
		{"evidence of another release", nil, func(c *lifecycle.Champion) { c.Release += 100 }, lifecycle.Invalid, "is about model/fraud/release/"},
		{"a failed gate", func(m *lifecycle.Manifest) {
			m.Verdicts = append(m.Verdicts, lifecycle.Verdict{Gate: "auc by origin", Outcome: lifecycle.Failed, Detail: "0.4 in ZRH"})
		}, nil, lifecycle.GatesFailed, `gate "auc by origin" ended fail: 0.4 in ZRH`},
		{"an undecided gate", func(m *lifecycle.Manifest) { m.Verdicts[0].Outcome = lifecycle.Inconclusive }, nil, lifecycle.GatesFailed, "inconclusive"},
		{"no gate at all", func(m *lifecycle.Manifest) { m.Verdicts = nil }, nil, lifecycle.GatesFailed, "holds no gate"},
		{"another artifact", nil, func(c *lifecycle.Champion) { c.Model.URI += "x" }, lifecycle.Invalid, "its evidence is about"},
		{"an artifact that was replaced", nil, func(c *lifecycle.Champion) {
			require.NoError(t, w.objects.Put(t.Context(), c.Model.URI, []byte("other")))
		}, lifecycle.Invalid, "artifact s3://"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := w.manifest(i+1, "good")
			if tt.change != nil {
				tt.change(&m)
			}
			c := w.approved(m)
			if tt.after != nil {
				tt.after(&c)
			}
			w.calls.since()
			_, err := ask(w, w.deployment.Deploy, deploy(c.Release, serve(c, 100)))
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, tt.kind, lifecycle.ErrorType(err))
			require.True(t, cloud.Final(err), "trying again cannot help")
			require.Empty(t, w.calls.since(), "SageMaker was asked for something")
		})
	}
	t.Run("weights", func(t *testing.T) {
		_, err := ask(w, w.deployment.Deploy, deploy(50, serve(w.release(50, "good"), 90)))
		require.ErrorContains(t, err, "add up to 90")
		_, err = ask(w, w.deployment.Deploy, deploy(50))
		require.ErrorContains(t, err, "no variant")
		require.Empty(t, w.calls.since())
	})
	t.Run("weights of what nobody approved", func(t *testing.T) {
		c := w.release(51, "good")
		c.Approved = nil
		_, err := ask(w, w.deployment.SetWeights, deploy(51, serve(c, 100)))
		require.Equal(t, lifecycle.NotApproved, lifecycle.ErrorType(err))
		require.Empty(t, w.calls.since())
	})
}

func TestSmokeAndAnalyse(t *testing.T) {
	w := newWorld(t)
	d := w.deployment
	from := time.Now()
	_, err := ask(w, d.Deploy, deploy(1, serve(w.release(1, "good"), 100)))
	require.NoError(t, err)
	part := lifecycle.Part{Input: modelURI(testBucket, testModel, "releases/1/parts/test/input/")}
	w.put("releases/1/parts/test/input/part-0.csv", "0.1,ZRH\n0.25,GVA\n")
	w.put("releases/1/parts/test/input/part-1.csv", "0.75,ZRH\n")
	scores := func(name, second string) string {
		w.put("releases/1/scores/"+name+"/part-0.csv.out", "0.1000000001\n"+second+"\n")
		w.put("releases/1/scores/"+name+"/part-1.csv.out", "0.75\n")
		return modelURI(testBucket, testModel, "releases/1/scores/"+name+"/")
	}
	smoke := func(rows int, uri string) error {
		return tell(w, d.Smoke, lifecycle.SmokeInput{Of: lifecycle.Of{Model: testModel, Release: 1}, Variant: "r1", Rows: rows, Part: part, Scores: uri})
	}
	require.NoError(t, smoke(0, scores("same", "0.25")))
	require.NoError(t, smoke(1, scores("other", "0.26")), "only the rows asked for are compared")
	err = smoke(3, scores("other", "0.26"))
	require.ErrorContains(t, err, `row 2: the endpoint answered "0.25", the batch transform "0.26"`)
	require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err))
	require.ErrorContains(t, smoke(3, scores("text", "high")), `"high"`)
	require.ErrorContains(t, smoke(3, modelURI(testBucket, testModel, "nowhere/")), "nothing to compare with")

	analyse := func(variant string, samples int, levels ...lifecycle.Level) lifecycle.Analysed {
		a, err := ask(w, d.Analyse, lifecycle.AnalyseInput{Of: lifecycle.Of{Model: testModel, Release: 1}, Variant: variant,
			From: from, To: time.Now(), Samples: samples, Levels: levels})
		require.NoError(t, err)
		return a
	}
	fast := lifecycle.Level{Name: "p99", Max: lifecycle.Bound{Value: 30, Seconds: true}}
	slow := lifecycle.Level{Name: "p50", Max: lifecycle.Bound{Value: 0, Seconds: true}}
	none := lifecycle.Level{Name: "errors", Max: lifecycle.Bound{Value: 0}}
	good := analyse("r1", 5, fast, none)
	require.Equal(t, lifecycle.Pass, good.Outcome, "%+v", good)
	require.Positive(t, good.Measured[0].Value)
	require.Equal(t, int64(3+1+2+2), good.Requests, "as many rows as the smoke tests sent")
	require.Equal(t, lifecycle.Failed, analyse("r1", 5, slow, none).Outcome)
	require.Equal(t, lifecycle.Inconclusive, analyse("r1", 1000, slow).Outcome)
	require.Equal(t, lifecycle.Inconclusive, analyse("r7", 1, none).Outcome, "a variant that nobody asked")
}

func TestAContainerThatFailsFailsTheSmokeTest(t *testing.T) {
	for _, tt := range []struct{ mode, want string }{{"broken", "500"}, {"off", `row 1: the endpoint answered "0.35", the batch transform "0.1"`}} {
		t.Run(tt.mode, func(t *testing.T) {
			w := newWorld(t)
			_, err := ask(w, w.deployment.Deploy, deploy(1, serve(w.release(1, tt.mode), 100)))
			require.NoError(t, err)
			in := lifecycle.SmokeInput{Of: lifecycle.Of{Model: testModel, Release: 1}, Variant: "r1",
				Part:   lifecycle.Part{Input: w.put("in/a.csv", "0.1,ZRH\n")},
				Scores: w.put("out/a.csv.out", "0.1\n")}
			err = tell(w, w.deployment.Smoke, in)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, lifecycle.ServingFault, lifecycle.ErrorType(err))
			require.True(t, cloud.Final(err))
		})
	}
}

func TestJudgeLevels(t *testing.T) {
	p99 := lifecycle.Level{Name: "p99", Max: lifecycle.Bound{Value: 0.2, Seconds: true}}
	errors := lifecycle.Level{Name: "errors", Max: lifecycle.Bound{Value: 0.01}}
	for _, tt := range []struct {
		name    string
		served  cloud.Served
		samples int64
		want    []lifecycle.Outcome // errors, p99, all
		detail  string
	}{
		{"good", cloud.Served{Requests: 200, Errors: 2, Latency: map[string]float64{"p99": 0.2}}, 200,
			[]lifecycle.Outcome{lifecycle.Pass, lifecycle.Pass, lifecycle.Pass}, "errors 0.01 is within 0.01; p99 200ms is within 200ms"},
		{"slow", cloud.Served{Requests: 200, Latency: map[string]float64{"p99": 0.25}}, 200,
			[]lifecycle.Outcome{lifecycle.Pass, lifecycle.Failed, lifecycle.Failed}, "p99 250ms is above 200ms"},
		{"faulty", cloud.Served{Requests: 200, Errors: 3, Latency: map[string]float64{"p99": 0.1}}, 200,
			[]lifecycle.Outcome{lifecycle.Failed, lifecycle.Pass, lifecycle.Failed}, "errors 0.015 is above 0.01"},
		{"no latency", cloud.Served{Requests: 200}, 200,
			[]lifecycle.Outcome{lifecycle.Pass, lifecycle.Inconclusive, lifecycle.Inconclusive}, "p99 has no data"},
		{"faulty without latency", cloud.Served{Requests: 200, Errors: 200}, 200,
			[]lifecycle.Outcome{lifecycle.Failed, lifecycle.Inconclusive, lifecycle.Failed}, "errors 1 is above 0.01"},
		{"too few", cloud.Served{Requests: 199, Errors: 199, Latency: map[string]float64{"p99": 9}}, 200,
			[]lifecycle.Outcome{lifecycle.Inconclusive, lifecycle.Inconclusive, lifecycle.Inconclusive}, "199 requests, fewer than the 200"},
		{"silence", cloud.Served{}, 0,
			[]lifecycle.Outcome{lifecycle.Inconclusive, lifecycle.Inconclusive, lifecycle.Inconclusive}, "0 requests"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			readings, all, detail := judgeLevels([]lifecycle.Level{errors, p99}, tt.served, tt.samples)
			require.Equal(t, tt.want, []lifecycle.Outcome{readings[0].Outcome, readings[1].Outcome, all})
			require.Contains(t, detail, tt.detail)
		})
	}
	_, all, _ := judgeLevels(nil, cloud.Served{Requests: 10}, 1)
	require.Equal(t, lifecycle.Inconclusive, all, "nothing was measured")
}
