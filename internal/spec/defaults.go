package spec

import (
	"time"

	"steward/internal/lifecycle"
)

// setDefaults fills in what the file leaves open. The schema names the same
// values, so that editors show them.
func setDefaults(f *lifecycle.ModelFile) {
	s := &f.Spec
	orElse(&s.Data.Task, lifecycle.Binary)
	for i := range s.Data.Checks {
		orElse(&s.Data.Checks[i].Severity, "stop")
	}
	if c := s.Data.Constraints; c != nil {
		orElse(&c.Severity, "stop")
	}
	if p := s.Data.Profile; p != nil {
		orElse(&p.Image, "steward/profile")
		orElse(&p.Count, 1)
	}
	orElse(&s.Data.Split.MinRows, 10)
	orElse(&s.Training.MaxRuntime, hours(1))
	for _, c := range s.Training.Candidates {
		if c.Script != nil {
			orElse(&c.Script.Inference, c.Script.EntryPoint)
		}
	}
	for i := range s.Gates {
		orElse(&s.Gates[i].MinRows, 1)
	}
	for i := range s.Approval.Require {
		orElse(&s.Approval.Require[i].Count, 1)
	}
	orElse(&s.Approval.Automatic, "never")
	orElse(&s.Rollout.Endpoint.Count, 1)
	orElse(&s.Rollout.Endpoint.Startup, lifecycle.Duration(10*time.Minute))
	for _, step := range s.Rollout.Steps {
		if step.Smoke != nil {
			orElse(&step.Smoke.Rows, 20)
		}
	}
	orElse(&s.Rollout.Analysis.MaxFailures, 1)
	orElse(&s.Rollout.Analysis.MaxInconclusive, 10)
	orElse(&s.Rollout.Analysis.Expire, hours(24))
	orElse(&s.Watch.Lag, lifecycle.Duration(5*time.Minute))
	orElse(&s.Watch.Drift, "auto")
	orElse(&s.Watch.MinRows, 200)
	orElse(&s.Watch.InARow, 2)
	orElse(&s.Retrain.MaxPerMonth, 4)
}

func orElse[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

func hours(n int) lifecycle.Duration { return lifecycle.Duration(time.Duration(n) * time.Hour) }
