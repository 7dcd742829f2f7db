package policy

import (
	"fmt"
	"math"

	"steward/internal/lifecycle"
)

// Winner picks the candidate with the best value of the selection metric on the
// validation part. Ties go to the candidate that is declared first, so the
// simpler one should stand first in the file.
func Winner(rule lifecycle.Select, runs []lifecycle.CandidateRun) (string, error) {
	best, name := math.NaN(), ""
	for _, c := range runs {
		if c.Validation == nil {
			continue
		}
		v, ok := c.Validation.Metrics[rule.Metric]
		if !ok || math.IsNaN(v) {
			continue
		}
		if name == "" || (rule.Goal == "maximize" && v > best) || (rule.Goal == "minimize" && v < best) {
			best, name = v, c.Name
		}
	}
	if name == "" {
		return "", fmt.Errorf("no candidate has a value of %s on the validation part", rule.Metric)
	}
	return name, nil
}

// Estimate is the most that the jobs of a release may cost: every candidate, and
// every instance that profiles, for the longest allowed time at its hourly price.
func Estimate(s lifecycle.Spec, hourly map[string]float64) (float64, error) {
	sum, t := 0.0, s.Training
	if p := s.Data.Profile; p != nil {
		price, ok := hourly[p.Instance]
		if !ok {
			return 0, fmt.Errorf("profile: no price is known for instance %s", p.Instance)
		}
		sum += price * float64(p.Count) * t.MaxRuntime.Std().Hours()
	}
	for _, c := range t.Candidates {
		price, ok := hourly[c.Instance]
		if !ok {
			return 0, fmt.Errorf("candidate %s: no price is known for instance %s", c.Name, c.Instance)
		}
		sum += price * t.MaxRuntime.Std().Hours()
	}
	return sum, nil
}
