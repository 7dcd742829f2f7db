package main

import (
	"context"

	"steward/internal/lifecycle"
)

// world has the activities that a release and a model call, under their real
// names. Each answers at once, as a world would in which all goes well.
type world struct {
	asked chan int // releases whose approval is asked for
}

func newWorld() *world { return &world{asked: make(chan int, 1)} }

var (
	trained  = lifecycle.Trained{Job: "steward-bench-r2-trees", Image: "steward/trees", URI: "s3://steward/models/bench/model.tar.gz", Digest: "sha256:model", Seconds: 60, Cost: 0.01}
	tested   = lifecycle.Evaluation{Part: "test", Rows: 5000, Metrics: map[string]float64{"auc": 0.75, "logloss": 0.4}, Scores: "s3://steward/models/bench/scores/"}
	evidence = lifecycle.Evidence{URI: "s3://steward/models/bench/releases/2/manifest.json", Digest: "sha256:evidence"}
	parts    = lifecycle.Parts{
		Train:      lifecycle.Part{Rows: 35000, Digest: "sha256:train", Train: "s3://steward/models/bench/train/"},
		Validation: lifecycle.Part{Rows: 5000, Digest: "sha256:validation", Input: "s3://steward/models/bench/validation/input/", Truth: "s3://steward/models/bench/validation/truth/"},
		Test:       lifecycle.Part{Rows: 10000, Digest: "sha256:test", Input: "s3://steward/models/bench/test/input/", Truth: "s3://steward/models/bench/test/truth/"},
		Baseline:   "s3://steward/models/bench/baseline.json", BaseRate: 0.2,
	}
)

// Record takes a ledger entry.
func (*world) Record(context.Context, lifecycle.Entry) error { return nil }

// OpenLedger knows no earlier life.
func (*world) OpenLedger(context.Context, string) (lifecycle.Head, error) {
	return lifecycle.Head{}, nil
}

// Seal fixes the evidence.
func (*world) Seal(context.Context, lifecycle.Manifest) (lifecycle.Evidence, error) {
	return evidence, nil
}

// VerifyDecision believes everybody.
func (*world) VerifyDecision(context.Context, lifecycle.Decision) (lifecycle.Verified, error) {
	return lifecycle.Verified{OK: true}, nil
}

// Tell passes on that an approval is asked for.
func (w *world) Tell(ctx context.Context, n lifecycle.Notice) error {
	if n.Kind != lifecycle.NoticeApproval {
		return nil
	}
	select {
	case w.asked <- n.Release:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TakeSnapshot returns a snapshot.
func (*world) TakeSnapshot(context.Context, lifecycle.SnapshotInput) (lifecycle.Snapshot, error) {
	return lifecycle.Snapshot{URI: "s3://steward/models/bench/snapshots/aa/manifest.json", Digest: "sha256:snapshot", Files: 2, Rows: 50000}, nil
}

// CheckSnapshot finds nothing wrong.
func (*world) CheckSnapshot(context.Context, lifecycle.CheckInput) ([]lifecycle.CheckResult, error) {
	return []lifecycle.CheckResult{{Name: "rows", Pass: true, Severity: "stop", Observed: "50000", Expected: "≥ 10000"}}, nil
}

// PrepareParts returns a split.
func (*world) PrepareParts(context.Context, lifecycle.PrepareInput) (lifecycle.Parts, error) {
	return parts, nil
}

// Quote knows a price for everything.
func (*world) Quote(_ context.Context, instances []string) (map[string]float64, error) {
	prices := map[string]float64{}
	for _, i := range instances {
		prices[i] = 0.2
	}
	return prices, nil
}

// Train returns a model.
func (*world) Train(context.Context, lifecycle.TrainInput) (lifecycle.Trained, error) {
	return trained, nil
}

// Score returns answers.
func (*world) Score(context.Context, lifecycle.ScoreInput) (lifecycle.Scored, error) {
	return lifecycle.Scored{URI: tested.Scores, Cost: 0.01}, nil
}

// Evaluate finds every model equally good.
func (*world) Evaluate(context.Context, lifecycle.EvaluateInput) (lifecycle.Evaluation, error) {
	return tested, nil
}

// Compare finds no difference.
func (*world) Compare(context.Context, lifecycle.CompareInput) ([]lifecycle.Comparison, error) {
	return []lifecycle.Comparison{{Metric: "auc", Champion: 0.75, Challenger: 0.75, Low: -0.001, High: 0.001, Confidence: 0.95, Method: "DeLong", Rows: 10000}}, nil
}

// Register returns a model package.
func (*world) Register(context.Context, lifecycle.RegisterInput) (string, error) {
	return "arn:aws:sagemaker:us-east-1:000000000000:model-package/steward-bench/2", nil
}

// SetApproval marks a model package.
func (*world) SetApproval(context.Context, lifecycle.ApprovalInput) error { return nil }

// Deploy serves what was asked for.
func (*world) Deploy(_ context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
	return serving(in), nil
}

// SetWeights serves what was asked for.
func (*world) SetWeights(_ context.Context, in lifecycle.DeployInput) (lifecycle.Serving, error) {
	return serving(in), nil
}

func serving(in lifecycle.DeployInput) lifecycle.Serving {
	out := lifecycle.Serving{Config: "steward-bench-r2", Weights: map[string]int{}}
	for _, v := range in.Variants {
		out.Weights[lifecycle.Variant(v.Champion.Release)] = v.Weight
	}
	return out
}

// Smoke finds the answers right.
func (*world) Smoke(context.Context, lifecycle.SmokeInput) error { return nil }

// RemoveUnused finds nothing to remove.
func (*world) RemoveUnused(context.Context, lifecycle.RemoveInput) (lifecycle.Removed, error) {
	return lifecycle.Removed{}, nil
}
