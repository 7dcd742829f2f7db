package activities

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// smokeTolerance is how far an answer may lie from the batch transform's, which
// the same container gave for the same row: text may have been rounded.
const smokeTolerance = 1e-6

// smokeID begins the inference ids of smoke requests, which are captured with
// the traffic and must not be measured as such.
const smokeID = "steward-smoke-"

// defaultSmokeRows is how many rows are sent when the model file does not say.
const defaultSmokeRows = 20

// Smoke sends known rows to one variant, whatever its weight, and compares its
// answers with those of the batch transform on which the release was judged. An
// answer that differs, or none, is lifecycle.ServingFault naming the row.
func (d *Deployment) Smoke(ctx context.Context, in lifecycle.SmokeInput) error {
	wanted := in.Rows
	if wanted <= 0 {
		wanted = defaultSmokeRows
	}
	rows, err := d.firstLines(ctx, in.Part.Input, "", wanted)
	if err != nil {
		return err
	}
	scores, err := d.firstLines(ctx, in.Scores, ".out", len(rows))
	if err != nil {
		return err
	}
	if len(rows) == 0 || len(scores) < len(rows) {
		return lifecycle.Fail(lifecycle.ServingFault, "smoke test of %s: %d rows in %s, %d answers in %s: there is nothing to compare with",
			in.Variant, len(rows), in.Part.Input, len(scores), in.Scores)
	}
	for i, row := range rows {
		if err := d.smokeRow(ctx, in, i, row, scores[i]); err != nil {
			return err
		}
		beat(ctx)(lifecycle.Progress{Job: "smoke test of " + in.Variant, Status: "InProgress", Done: float64(i+1) / float64(len(rows))})
	}
	return nil
}

func (d *Deployment) smokeRow(ctx context.Context, in lifecycle.SmokeInput, i int, row, score string) error {
	answer, err := d.Endpoints.Invoke(ctx, lifecycle.EndpointName(in.Model), in.Variant, smokeID+strconv.Itoa(i+1), []byte(row+"\n"))
	if errors.Is(err, cloud.ErrModel) || errors.Is(err, cloud.ErrNotFound) {
		return lifecycle.Fail(lifecycle.ServingFault, "smoke test of %s: row %d: %v", in.Variant, i+1, err)
	}
	if err != nil {
		return cloud.Wrap(err, "smoke test of %s: row %d", in.Variant, i+1)
	}
	got, gotErr := strconv.ParseFloat(strings.TrimSpace(string(answer)), 64)
	want, wantErr := strconv.ParseFloat(strings.TrimSpace(score), 64)
	if gotErr != nil || wantErr != nil || !(math.Abs(got-want) <= smokeTolerance) {
		return lifecycle.Fail(lifecycle.ServingFault, "smoke test of %s: row %d: the endpoint answered %.80q, the batch transform %.80q",
			in.Variant, i+1, strings.TrimSpace(string(answer)), strings.TrimSpace(score))
	}
	return nil
}

// firstLines reads the first n lines of the objects under a prefix whose names
// end so, in the order of their names.
func (d *Deployment) firstLines(ctx context.Context, prefix, suffix string, n int) ([]string, error) {
	var lines []string
	for o, err := range d.Objects.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if len(lines) == n {
			break
		}
		if !strings.HasSuffix(o.URI, suffix) || o.Size == 0 {
			continue
		}
		if lines, err = d.appendLines(ctx, o.URI, lines, n); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func (d *Deployment) appendLines(ctx context.Context, uri string, lines []string, n int) ([]string, error) {
	body, err := d.Objects.Read(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	in := bufio.NewScanner(body)
	in.Buffer(nil, 1<<20)
	for len(lines) < n && in.Scan() {
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", uri, err)
	}
	return lines, nil
}
