package activities

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// captureLine is a line of SageMaker's data capture.
type captureLine struct {
	CaptureData struct {
		EndpointInput  observation `json:"endpointInput"`
		EndpointOutput observation `json:"endpointOutput"`
	} `json:"captureData"`
	EventMetadata struct {
		InferenceID   string    `json:"inferenceId"`
		InferenceTime time.Time `json:"inferenceTime"`
	} `json:"eventMetadata"`
}

// observation is a request's or answer's body: text, or base64 if its content
// type was not listed for capture.
type observation struct {
	Data     string `json:"data"`
	Encoding string `json:"encoding"`
}

func (o observation) bytes() ([]byte, error) {
	switch o.Encoding {
	case "CSV":
		return []byte(o.Data), nil
	case "BASE64":
		return base64.StdEncoding.DecodeString(o.Data)
	}
	return nil, fmt.Errorf("encoding %q is not CSV: send requests as text/csv", o.Encoding)
}

// exchange is one captured request with its answers, row by row. The id is
// empty unless it names a single row.
type exchange struct {
	id     string
	at     time.Time
	rows   [][]string
	scores []float64
}

// captured counts what was read of a window's traffic.
type captured struct {
	Rows     int64  `json:"rows"`
	Requests int64  `json:"requests"`
	Unread   int64  `json:"unread"` // requests that could not be understood
	Example  string `json:"example,omitempty"`
}

// readCaptured reads what a variant was asked and answered in a window, and
// gives each exchange to use. A request that cannot be understood is counted.
func (m *Monitoring) readCaptured(ctx context.Context, in lifecycle.MeasureInput, use func(exchange)) (captured, error) {
	var seen captured
	root := captureURI(m.Bucket, in.Model) + "/" + lifecycle.EndpointName(in.Model) + "/" + lifecycle.Variant(in.Champion.Release) + "/"
	// A file of the hour after the window may hold its last requests.
	last := in.Window.To.UTC().Truncate(time.Hour).Add(time.Hour)
	for hour := in.Window.From.UTC().Truncate(time.Hour); !hour.After(last); hour = hour.Add(time.Hour) {
		for o, err := range m.Objects.List(ctx, root+hour.Format("2006/01/02/15/")) {
			if err != nil {
				return seen, err
			}
			// S3 tells whole seconds.
			if o.Modified.Before(in.Window.From.Truncate(time.Second)) {
				continue
			}
			if err := m.readCaptureFile(ctx, o.URI, in, &seen, use); err != nil {
				return seen, err
			}
		}
	}
	return seen, nil
}

func (m *Monitoring) readCaptureFile(ctx context.Context, uri string, in lifecycle.MeasureInput, seen *captured, use func(exchange)) error {
	body, err := m.Objects.Read(ctx, uri)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	pulse{ctx, "reading " + uri}.beat()
	lines := bufio.NewReaderSize(body, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			seen.take(line, fmt.Sprintf("%s line %d", uri, n), in, use)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return cloud.Wrap(err, "read %s", uri)
		}
	}
}

// take reads one line and hands it on if it belongs to the window.
func (c *captured) take(line []byte, where string, in lifecycle.MeasureInput, use func(exchange)) {
	var l captureLine
	err := json.Unmarshal(line, &l)
	at := l.EventMetadata.InferenceTime
	if err == nil && (at.Before(in.Window.From) || !at.Before(in.Window.To) || strings.HasPrefix(l.EventMetadata.InferenceID, smokeID)) {
		return
	}
	c.Requests++
	var x exchange
	if err == nil {
		x, err = l.exchange(len(in.Champion.Parts.Features))
	}
	if err != nil {
		if c.Unread++; c.Example == "" {
			c.Example = where + ": " + err.Error()
		}
		return
	}
	c.Rows += int64(len(x.rows))
	use(x)
}

func (l captureLine) exchange(features int) (exchange, error) {
	x := exchange{id: l.EventMetadata.InferenceID, at: l.EventMetadata.InferenceTime}
	input, err := l.CaptureData.EndpointInput.bytes()
	if err != nil {
		return x, fmt.Errorf("input: %w", err)
	}
	reader := csv.NewReader(bytes.NewReader(input))
	reader.FieldsPerRecord = features
	if x.rows, err = reader.ReadAll(); err != nil {
		return x, fmt.Errorf("input: %w", err)
	}
	output, err := l.CaptureData.EndpointOutput.bytes()
	if err != nil {
		return x, fmt.Errorf("output: %w", err)
	}
	if x.scores, err = scoresIn(output); err != nil {
		return x, fmt.Errorf("output: %w", err)
	}
	if len(x.scores) != len(x.rows) {
		return x, fmt.Errorf("%d rows were sent, %d were answered", len(x.rows), len(x.scores))
	}
	if len(x.rows) != 1 {
		x.id = ""
	}
	return x, nil
}

// scoresIn reads one number a line.
func scoresIn(answer []byte) ([]float64, error) {
	var out []float64
	for line := range strings.FieldsSeq(string(answer)) {
		v, err := strconv.ParseFloat(line, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("answer %.80q is not a number", line)
		}
		out = append(out, v)
	}
	return out, nil
}
