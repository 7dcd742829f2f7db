package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/params"
)

// The channels of a training job.
const (
	trainChannel      = "train"
	validationChannel = "validation"
)

// train runs one training job from its directory.
func (p *program) train(ctx context.Context) error {
	started := time.Now()
	options, fit, err := p.settings()
	if err != nil {
		return err
	}
	if err := p.checkInput(); err != nil {
		return err
	}
	train, valid, err := p.read(ctx, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "train: %d rows, %d features, task %s\n", train.Rows(), len(train.Columns), train.Schema.Task)
	var last metric.Progress
	m, err := fit(ctx, train, valid, func(now metric.Progress) {
		last = now
		p.report(train.Schema.Task, now)
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.path("model"), 0o755); err != nil {
		return err
	}
	if err := m.Save(p.path("model")); err != nil {
		return err
	}
	return p.conclude(ctx, m, train, valid, last.Step, time.Since(started))
}

// settings reads the hyperparameters; all mistakes in them are told at once.
func (p *program) settings() (frame.Options, fit, error) {
	set, err := params.Load(p.path("input", "config", "hyperparameters.json"))
	if err != nil {
		return frame.Options{}, nil, err
	}
	task := set.Choice("task", string(frame.Binary), string(frame.Regression))
	weight, categorical := set.Text("weight"), set.List("categorical")
	options, fit := p.configure(set)
	options.Task, options.Weight, options.Categorical = frame.Task(task), weight, categorical
	return options, fit, set.Err()
}

// checkInput refuses what would otherwise be ignored without a word: channels
// nobody reads, input modes and content types that are not understood, and
// clusters of more than one machine.
func (p *program) checkInput() error {
	var channels map[string]struct{ TrainingInputMode, ContentType string }
	if err := readConfig(p.path("input", "config", "inputdataconfig.json"), &channels); err != nil {
		return err
	}
	for name, c := range channels {
		if !slices.Contains([]string{trainChannel, validationChannel}, name) {
			return fmt.Errorf("channel %q is not used; give %s and, if you like, %s", name, trainChannel, validationChannel)
		}
		if c.TrainingInputMode != "" && c.TrainingInputMode != "File" && c.TrainingInputMode != "FastFile" {
			return fmt.Errorf("channel %q has input mode %q; use File", name, c.TrainingInputMode)
		}
		if kind, _, _ := strings.Cut(c.ContentType, ";"); kind != "" && kind != "text/csv" {
			return fmt.Errorf("channel %q has content type %q; use text/csv", name, c.ContentType)
		}
	}
	var cluster struct {
		Hosts []string `json:"hosts"`
	}
	if err := readConfig(p.path("input", "config", "resourceconfig.json"), &cluster); err != nil {
		return err
	}
	if len(cluster.Hosts) > 1 {
		return fmt.Errorf("the job has %d instances; this image trains on one", len(cluster.Hosts))
	}
	return nil
}

// readConfig reads one of the platform's files; without it into stays as it is.
func readConfig(path string, into any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (p *program) read(ctx context.Context, o frame.Options) (train, valid *frame.Frame, err error) {
	train, err = frame.Read(ctx, p.path("input", "data", trainChannel), o)
	if err != nil {
		return nil, nil, fmt.Errorf("channel %s: %w", trainChannel, err)
	}
	dir := p.path("input", "data", validationChannel)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return train, nil, nil
	}
	valid, err = frame.ReadAs(ctx, dir, train.Schema)
	if err != nil {
		return nil, nil, fmt.Errorf("channel %s: %w", validationChannel, err)
	}
	return train, valid, nil
}

var lossNames = map[frame.Task]string{frame.Binary: "logloss", frame.Regression: "rmse"}

// report prints a line that MetricDefinitions can take apart.
func (p *program) report(task frame.Task, now metric.Progress) {
	name := lossNames[task]
	line := fmt.Sprintf("[%d] train-%s=%.5f", now.Step, name, now.Train)
	if !math.IsNaN(now.Valid) {
		line += fmt.Sprintf(" validation-%s=%.5f", name, now.Valid)
	}
	fmt.Fprintf(p.out, "%s progress=%.2f\n", line, float64(now.Step)/float64(now.Steps))
}

// conclude measures the model that was kept, which the last step's may not be.
// A metric's last value is the one the platform records.
func (p *program) conclude(ctx context.Context, m model, train, valid *frame.Frame, steps int, took time.Duration) error {
	line := "final"
	for _, set := range []struct {
		name string
		data *frame.Frame
	}{{trainChannel, train}, {validationChannel, valid}} {
		if set.data == nil {
			continue
		}
		text, err := measure(set.name, m, set.data)
		if err != nil {
			return err
		}
		line += text
	}
	if ctx.Err() != nil {
		line += " stopped=early"
	}
	fmt.Fprintf(p.out, "%s steps=%d seconds=%.1f progress=1.00\n", line, steps, took.Seconds())
	return nil
}
