// Package container is the built-in images: programs that keep the SageMaker
// container contract (`train`, `serve` and `process` under /opt/ml) without a
// container. Each image has a subpackage; this one lays out directories, reads
// the job's settings and reports progress and failure.
package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"steward/internal/container/frame"
	"steward/internal/container/linear"
	"steward/internal/container/metric"
	"steward/internal/container/params"
	"steward/internal/container/profile"
	"steward/internal/container/serve"
	"steward/internal/container/trees"
)

// Names of the images.
const (
	Linear  = "steward/linear"
	Trees   = "steward/trees"
	Profile = "steward/profile"
)

// Images lists the names that Run knows.
func Images() []string { return []string{Linear, Trees, Profile} }

// model is what training leaves and serving loads.
type model interface {
	serve.Model
	Save(dir string) error
}

// fit trains a model; valid is nil without a validation channel.
type fit func(ctx context.Context, train, valid *frame.Frame, report func(metric.Progress)) (model, error)

// algorithm is an image that trains and serves: configure declares its hyperparameters and says how
// it wants its categories and how it fits.
type algorithm struct {
	configure func(p *params.Set) (frame.Options, fit)
	load      func(dir string) (serve.Model, error)
}

var algorithms = map[string]algorithm{
	Linear: {
		configure: func(p *params.Set) (frame.Options, fit) {
			o := linear.Configure(p)
			return frame.Options{MaxLevels: 1000, MinLevelRows: 10, Other: true},
				func(ctx context.Context, train, valid *frame.Frame, report func(metric.Progress)) (model, error) {
					return result(linear.Fit(ctx, train, valid, o, report))
				}
		},
		load: func(dir string) (serve.Model, error) { return loaded(linear.Load(dir)) },
	},
	Trees: {
		configure: func(p *params.Set) (frame.Options, fit) {
			o := trees.Configure(p)
			// One bin is left for other categories.
			return frame.Options{MaxLevels: o.MaxBins - 1, MinLevelRows: 1},
				func(ctx context.Context, train, valid *frame.Frame, report func(metric.Progress)) (model, error) {
					return result(trees.Fit(ctx, train, valid, o, report))
				}
		},
		load: func(dir string) (serve.Model, error) { return loaded(trees.Load(dir)) },
	},
}

// result and loaded keep a nil pointer from becoming a non-nil interface.
func result[M model](m M, err error) (model, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

func loaded[M serve.Model](m M, err error) (serve.Model, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// program is one run of an image.
type program struct {
	base   string // /opt/ml, or where SAGEMAKER_BASE_DIR says
	getenv func(string) string
	out    io.Writer
	algorithm
}

// Run is the entry point of an image; args is `train` or `serve`, or `process`
// for the one that profiles. SIGTERM and the end of ctx stop it in good order:
// training keeps the best model so far, serving finishes open requests. An error
// is also left where the platform looks for the reason, in output/failure or, of
// a processing job, output/message; the caller exits with status 1.
func Run(ctx context.Context, image string, args []string) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	return run(ctx, image, args, os.Getenv, os.Stdout)
}

func run(ctx context.Context, image string, args []string, getenv func(string) string, out io.Writer) error {
	p := &program{base: getenv("SAGEMAKER_BASE_DIR"), getenv: getenv, out: out}
	if p.base == "" {
		p.base = "/opt/ml"
	}
	if err := p.start(ctx, image, args); err != nil {
		where := "failure"
		if image == Profile {
			where = "message"
		}
		return errors.Join(fmt.Errorf("%s %s: %w", image, strings.Join(args, " "), err), p.fail(where, err))
	}
	return nil
}

func (p *program) start(ctx context.Context, image string, args []string) error {
	if image == Profile {
		return p.process(ctx, args)
	}
	known, ok := algorithms[image]
	if !ok {
		return fmt.Errorf("image %q is not built in; there are %s", image, strings.Join(Images(), ", "))
	}
	p.algorithm = known
	switch {
	case slices.Equal(args, []string{"train"}):
		return p.train(ctx)
	case slices.Equal(args, []string{"serve"}):
		return p.serve(ctx)
	default:
		return fmt.Errorf("arguments are %q; give train or serve", args)
	}
}

func (p *program) process(ctx context.Context, args []string) error {
	if !slices.Equal(args, []string{"process"}) {
		return fmt.Errorf("arguments are %q; give process", args)
	}
	return profile.Run(ctx, p.path("processing"), p.out)
}

func (p *program) path(parts ...string) string {
	return filepath.Join(append([]string{p.base}, parts...)...)
}

// maxReason is how many characters of a failure the platform reads.
const maxReason = 1024

// fail leaves the reason for the platform.
func (p *program) fail(where string, err error) error {
	reason := err.Error()
	if utf8.RuneCountInString(reason) > maxReason {
		reason = string([]rune(reason)[:maxReason])
	}
	if err := os.MkdirAll(p.path("output"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(p.path("output", where), []byte(reason), 0o644)
}
