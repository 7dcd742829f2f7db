package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// Monitoring measures what serves. Bucket holds the captured traffic and gets
// the reports.
type Monitoring struct {
	Objects *cloud.Objects
	Metrics *cloud.Metrics
	Bucket  string
}

// defaultMinRows is the fewest rows that anything is concluded from when the
// model file does not say; the same as stats.DriftOptions.
const defaultMinRows = 200

// maxUnread is the share of requests that may be unintelligible before a window
// proves nothing.
const maxUnread = 0.01

// measurement is the whole measurement of a window, as stored.
type measurement struct {
	Window  lifecycle.Window `json:"window"`
	Traffic captured         `json:"traffic"`
	Columns []stats.Drift    `json:"columns"`
	Profile *stats.Profile   `json:"profile"`
	Truth   *matched         `json:"truth,omitempty"`
}

// MeasureTraffic measures a closed window of a champion's traffic: how far the
// inputs moved from the training data, and the predictions from those on the
// test part; for a binary task an estimate of quality; the service levels.
// Every judgement is a finding. No traffic, too little of it, or traffic that
// cannot be read is an inconclusive finding. The whole measurement is stored
// under windows/; the returned Window names it.
func (m *Monitoring) MeasureTraffic(ctx context.Context, in lifecycle.MeasureInput) (lifecycle.Window, error) {
	baseline, err := m.baseline(ctx, in.Champion.Parts.Baseline)
	if err != nil {
		return in.Window, err
	}
	profile := newTally(in.Champion.Parts.Features, baseline)
	var scores []float64
	seen, err := m.readCaptured(ctx, in, func(x exchange) {
		for _, row := range x.rows {
			profile.add(row)
		}
		scores = append(scores, x.scores...)
	})
	if err != nil {
		return in.Window, cloud.Wrap(err, "window %s", in.Window.ID)
	}
	r := measurement{Window: in.Window, Traffic: seen, Profile: profile.done()}
	r.Window.Rows, r.Window.Findings = seen.Rows, unclear(seen, minRows(in.Watch), in.Watch)
	if err := m.measureDrift(ctx, in, &r, baseline, profile.names(), scores); err != nil {
		return in.Window, cloud.Wrap(err, "window %s", in.Window.ID)
	}
	if err := m.measureServices(ctx, in, &r.Window); err != nil {
		return in.Window, err
	}
	return m.store(ctx, in, r)
}

func minRows(w lifecycle.Watch) int64 {
	if w.MinRows > 0 {
		return w.MinRows
	}
	return defaultMinRows
}

// unclear are the reasons why traffic proves nothing.
func unclear(seen captured, least int64, w lifecycle.Watch) []lifecycle.Finding {
	var out []lifecycle.Finding
	add := func(format string, args ...any) {
		out = append(out, lifecycle.Finding{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Inconclusive, Detail: fmt.Sprintf(format, args...)})
	}
	if float64(seen.Unread) > maxUnread*float64(seen.Requests) {
		add("%d of %d requests could not be understood, e.g. %s", seen.Unread, seen.Requests, seen.Example)
	}
	switch {
	case seen.Requests == 0:
		add("no request was captured: that says nothing about the model")
	case seen.Rows < least:
		add("%d rows, fewer than the %d that are needed", seen.Rows, least)
	}
	return out
}

// baseline reads the profile of the training data.
func (m *Monitoring) baseline(ctx context.Context, uri string) (*stats.Profile, error) {
	raw, err := m.Objects.Get(ctx, uri)
	if err != nil {
		return nil, cloud.Wrap(err, "baseline profile")
	}
	var p stats.Profile
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, lifecycle.Fail(lifecycle.Invalid, "baseline profile %s: %v", uri, err)
	}
	return &p, nil
}

// measureDrift compares features and predictions with what the champion was
// built on and judged by.
func (m *Monitoring) measureDrift(ctx context.Context, in lifecycle.MeasureInput, r *measurement, baseline *stats.Profile, features []string, scores []float64) error {
	if r.Traffic.Rows == 0 {
		return nil
	}
	opt := stats.DriftOptions{Columns: features, MinRows: minRows(in.Watch)}
	inputs, err := stats.CompareProfiles(baseline, r.Profile, opt)
	if err != nil {
		return lifecycle.Fail(lifecycle.Invalid, "input drift: %v", err)
	}
	test, err := readScores(ctx, m.Objects, in.Champion.Test.Scores, int(in.Champion.Test.Rows))
	if err != nil {
		return err
	}
	opt.Columns = []string{prediction}
	outputs, err := stats.CompareProfiles(profileScores(test), profileScores(scores), opt)
	if err != nil {
		return lifecycle.Fail(lifecycle.Invalid, "prediction drift: %v", err)
	}
	r.Columns = slices.Concat(inputs, outputs)
	for _, d := range r.Columns {
		r.Window.Drift = append(r.Window.Drift, compact(d))
	}
	if in.Watch.Drift != "off" && len(r.Window.Findings) == 0 {
		r.Window.Findings = append(r.Window.Findings, judgeDrift(r.Window.Drift))
	}
	if in.Data.Task != lifecycle.Regression {
		// It fails for answers that are no probabilities, and is advisory only.
		r.Window.Estimate, _ = stats.CBPE(scores, threshold)
	}
	return nil
}

// compact keeps of a column's measures the one that its level rests on.
func compact(d stats.Drift) lifecycle.Drift {
	out := lifecycle.Drift{Column: d.Column, Measure: d.Measure, Level: string(d.Level), Value: d.PSI}
	switch d.Measure {
	case "missing":
		out.Value = d.Missing
	case "unseen":
		out.Value = d.Unseen
	case "rows":
		out.Value = float64(d.Rows)
	}
	return out
}

func judgeDrift(columns []lifecycle.Drift) lifecycle.Finding {
	moved, other := named(columns, stats.Act), named(columns, stats.Watch)
	f := lifecycle.Finding{Cause: lifecycle.CauseDrift, Outcome: lifecycle.Pass}
	switch {
	case len(moved) > 0:
		f.Outcome = lifecycle.Failed
		f.Detail = fmt.Sprintf("%d of %d columns moved: %s", len(moved), len(columns), strings.Join(moved, ", "))
	case len(named(columns, stats.Inconclusive)) > 0:
		f.Outcome = lifecycle.Inconclusive
		f.Detail = "too few rows in the baseline to compare: " + strings.Join(named(columns, stats.Inconclusive), ", ")
	case len(other) > 0:
		f.Detail = "no column moved enough to act; to be watched: " + strings.Join(other, ", ")
	default:
		f.Detail = fmt.Sprintf("none of %d columns moved", len(columns))
	}
	return f
}

// named lists the columns at a level with their measures.
func named(columns []lifecycle.Drift, level stats.Level) []string {
	var out []string
	for _, d := range columns {
		if d.Level == string(level) {
			out = append(out, fmt.Sprintf("%s (%s %.3g)", d.Column, d.Measure, d.Value))
		}
	}
	return out
}

// measureServices judges the service levels. Nothing served is no good news, and
// metrics that cannot be read are an error, as an outcome: what else is known of
// the window is worth more than another attempt. It returns only a cancellation.
func (m *Monitoring) measureServices(ctx context.Context, in lifecycle.MeasureInput, w *lifecycle.Window) error {
	if len(in.Watch.Services) == 0 {
		return nil
	}
	served, err := m.Metrics.Variant(ctx, lifecycle.EndpointName(in.Model), lifecycle.Variant(in.Champion.Release),
		w.From, w.To, percentiles(in.Watch.Services))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := lifecycle.Finding{Cause: lifecycle.CauseAlert, Outcome: lifecycle.Faulty}
	if err != nil {
		f.Detail = err.Error()
	} else {
		w.Services, f.Outcome, f.Detail = judgeLevels(in.Watch.Services, served, minRows(in.Watch))
	}
	w.Findings = append(w.Findings, f)
	return nil
}

// store writes a measurement and returns its window, which names it.
func (m *Monitoring) store(ctx context.Context, in lifecycle.MeasureInput, r measurement) (lifecycle.Window, error) {
	r.Window.Report = modelURI(m.Bucket, in.Model, "windows/"+in.Window.ID+".json")
	raw, err := json.Marshal(r)
	if err != nil {
		return in.Window, fmt.Errorf("report of window %s: %w", in.Window.ID, err)
	}
	return r.Window, m.Objects.Put(ctx, r.Window.Report, raw)
}

// stored reads the measurement that MeasureTraffic wrote, or an empty one.
func (m *Monitoring) stored(ctx context.Context, in lifecycle.MeasureInput) (measurement, error) {
	var r measurement
	raw, err := m.Objects.Get(ctx, modelURI(m.Bucket, in.Model, "windows/"+in.Window.ID+".json"))
	if errors.Is(err, cloud.ErrNotFound) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	return r, cloud.Wrap(err, "report of window %s", in.Window.ID)
}
