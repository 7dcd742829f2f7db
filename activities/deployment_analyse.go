package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// Analyse says how a variant served between two instants. Too few requests, or
// a level that there is no data for, is inconclusive; metrics that cannot be
// read are an error, as an outcome: the rollout has a limit for each.
func (d *Deployment) Analyse(ctx context.Context, in lifecycle.AnalyseInput) (lifecycle.Analysed, error) {
	out := lifecycle.Analysed{At: in.To}
	served, err := d.Metrics.Variant(ctx, lifecycle.EndpointName(in.Model), in.Variant, in.From, in.To, percentiles(in.Levels))
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	if err != nil {
		out.Outcome, out.Detail = lifecycle.Faulty, err.Error()
		return out, nil //nolint:nilerr // a measurement that failed is an outcome
	}
	out.Requests = served.Requests
	out.Measured, out.Outcome, out.Detail = judgeLevels(in.Levels, served, int64(in.Samples))
	return out, nil
}

// percentiles are the levels that are latencies.
func percentiles(levels []lifecycle.Level) []string {
	var out []string
	for _, l := range levels {
		if l.Name != levelErrors {
			out = append(out, l.Name)
		}
	}
	return out
}

const levelErrors = "errors"

// judgeLevels measures each level against its bound. Fewer requests than
// samples prove nothing, whatever they show.
func judgeLevels(levels []lifecycle.Level, served cloud.Served, samples int64) ([]lifecycle.Reading, lifecycle.Outcome, string) {
	var readings []lifecycle.Reading
	var words []string
	for _, l := range levels {
		r, text := judgeLevel(l, served)
		if served.Requests < max(1, samples) {
			r.Outcome = lifecycle.Inconclusive
		}
		readings, words = append(readings, r), append(words, text)
	}
	outcome := worst(readings)
	detail := strings.Join(words, "; ")
	if served.Requests < max(1, samples) {
		detail = fmt.Sprintf("%d requests, fewer than the %d that are needed", served.Requests, max(1, samples))
	}
	return readings, outcome, detail
}

func judgeLevel(l lifecycle.Level, served cloud.Served) (lifecycle.Reading, string) {
	r := lifecycle.Reading{Name: l.Name, Max: l.Max, Outcome: lifecycle.Pass}
	value, known := served.Latency[l.Name]
	if l.Name == levelErrors {
		value, known = float64(served.Errors)/float64(max(1, served.Requests)), served.Requests > 0
	}
	if !known {
		r.Outcome = lifecycle.Inconclusive
		return r, l.Name + " has no data"
	}
	r.Value = value
	relation := "within"
	if value > l.Max.Value {
		r.Outcome, relation = lifecycle.Failed, "above"
	}
	return r, fmt.Sprintf("%s %s is %s %s", l.Name, amount(value, l), relation, l.Max)
}

// amount writes a measured value in the form of its bound.
func amount(value float64, l lifecycle.Level) string {
	if l.Name == levelErrors {
		return fmt.Sprintf("%.4g", value)
	}
	return time.Duration(value * float64(time.Second)).Round(10 * time.Microsecond).String()
}

// worst is fail if anything failed, else inconclusive if anything is unknown.
// No reading at all is inconclusive.
func worst(readings []lifecycle.Reading) lifecycle.Outcome {
	outcome := lifecycle.Pass
	for _, r := range readings {
		switch r.Outcome {
		case lifecycle.Failed:
			return lifecycle.Failed
		case lifecycle.Pass:
		default:
			outcome = r.Outcome
		}
	}
	if len(readings) == 0 {
		return lifecycle.Inconclusive
	}
	return outcome
}
