package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/report"
	"steward/internal/stats"
)

// Evaluation asks models for answers and measures them. Role is the ARN that
// jobs act as.
type Evaluation struct {
	Jobs    *cloud.Jobs
	Models  *cloud.Models
	Objects *cloud.Objects
	Bucket  string
	Role    string
	Prices  cloud.Prices
}

// Evaluate measures a model's answers on a part, whole and by slices. When the
// part holds one class only, the metrics that this leaves undefined are absent.
// Of a binary model's test part it also stores the curves behind the metrics.
func (e *Evaluation) Evaluate(ctx context.Context, in lifecycle.EvaluateInput) (lifecycle.Evaluation, error) {
	columns, err := sliceColumns(in.Slices)
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	t, err := readTruth(ctx, e.Objects, in.Part, columns)
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	scores, err := readScores(ctx, e.Objects, in.Scored.URI, len(t.labels))
	if err != nil {
		return lifecycle.Evaluation{}, err
	}
	defer alive(ctx, "measuring on the "+in.Name+" part")()
	metrics, err := measure(in.Task, scores, t.labels)
	if err != nil && !undefined(err) {
		return lifecycle.Evaluation{}, lifecycle.Fail(lifecycle.JobFailed, "answers in %s: %v", in.Scored.URI, err)
	}
	out := lifecycle.Evaluation{
		Part: in.Name, Rows: int64(len(scores)), Metrics: metrics, Scores: in.Scored.URI, Cost: in.Scored.Cost,
	}
	for _, want := range in.Slices {
		slices, err := t.slice(in.Task, want, scores)
		if err != nil {
			return lifecycle.Evaluation{}, err
		}
		out.Slices = append(out.Slices, slices...)
	}
	if err != nil || in.Name != testPart || in.Task != lifecycle.Binary {
		return out, nil
	}
	out.Curves, err = e.keepCurves(ctx, in.Scored.URI, stats.Scored{Score: scores, Label: t.labels})
	return out, err
}

// testPart is the part that a release is judged by.
const testPart = "test"

// keepCurves stores what the metrics look like, next to the answers that they
// are about.
func (e *Evaluation) keepCurves(ctx context.Context, scores string, s stats.Scored) (*lifecycle.Evidence, error) {
	judged, err := report.Judge(s, threshold)
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.JobFailed, "curves of the answers in %s: %v", scores, err)
	}
	raw, err := json.Marshal(judged)
	if err != nil {
		return nil, fmt.Errorf("curves of the answers in %s: %w", scores, err)
	}
	sum := sha256.Sum256(raw)
	kept := &lifecycle.Evidence{URI: scores + "curves.json", Digest: "sha256:" + hex.EncodeToString(sum[:])}
	return kept, e.Objects.Put(ctx, kept.URI, raw)
}

// threshold is the score from which a binary answer counts as class 1.
const threshold = 0.5

// measure returns all metrics of a task. An undefined error comes with those
// that are defined.
func measure(task lifecycle.Task, scores, labels []float64) (stats.Metrics, error) {
	if task == lifecycle.Regression {
		return stats.Regression(stats.Scored{Score: scores, Label: labels})
	}
	return stats.Binary(stats.Scored{Score: scores, Label: labels}, threshold)
}

// undefined tells whether an error is about labels that leave some metrics
// without a meaning.
func undefined(err error) bool {
	return errors.Is(err, stats.ErrOneClass) || errors.Is(err, stats.ErrConstantLabel)
}

// seed makes comparisons by resampling repeatable.
const seed = 1

// Compare compares challenger and champion on the same rows, metric by metric:
// AUC by DeLong, all others by a paired bootstrap. Rows of one class only are
// lifecycle.DataRejected for a metric that needs two.
func (e *Evaluation) Compare(ctx context.Context, in lifecycle.CompareInput) ([]lifecycle.Comparison, error) {
	t, err := readTruth(ctx, e.Objects, in.Part, nil)
	if err != nil {
		return nil, err
	}
	champion, err := readScores(ctx, e.Objects, in.Champion, len(t.labels))
	if err != nil {
		return nil, err
	}
	challenger, err := readScores(ctx, e.Objects, in.Challenger, len(t.labels))
	if err != nil {
		return nil, err
	}
	defer alive(ctx, "comparing with the champion")()
	out := make([]lifecycle.Comparison, 0, len(in.Metrics))
	for _, metric := range in.Metrics {
		c, err := stats.PairedBootstrap(metric, t.labels, champion, challenger, stats.BootstrapOptions{Seed: seed, Threshold: threshold})
		if err != nil {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "compare by %s on %s: %v", metric, in.Part.Truth, err)
		}
		out = append(out, lifecycle.Comparison{
			Metric: c.Metric, Champion: c.Champion, Challenger: c.Challenger, Delta: c.Delta,
			Low: c.Low, High: c.High, Confidence: c.Confidence, Method: c.Method, Rows: int64(c.Rows),
		})
	}
	return out, nil
}
