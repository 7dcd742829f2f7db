package sagemaker

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// task is a job that a goroutine of this service sees to its end.
type task struct {
	name    string
	stop    chan struct{} // closed when the job shall stop
	once    sync.Once
	metrics *scraper // of a training job
}

func newTask(name string) *task { return &task{name: name, stop: make(chan struct{})} }

// halt asks the job to stop; more than once is the same as once.
func (t *task) halt() { t.once.Do(func() { close(t.stop) }) }

func (t *task) stopping() bool {
	select {
	case <-t.stop:
		return true
	default:
		return false
	}
}

// until ends with ctx or when the job shall stop.
func (t *task) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-t.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// occupy waits for one of the service's job slots, and returns what gives it
// back. waiting is called when there is none at once.
func (s *Service) occupy(ctx context.Context, waiting func() error) (release func(), err error) {
	release = func() { <-s.slots }
	select {
	case s.slots <- struct{}{}:
		return release, nil
	default:
	}
	if err := waiting(); err != nil {
		return nil, err
	}
	select {
	case s.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// baseEnv is the environment that every container has, over the user's own:
// scrubbed, with the way to the local cloud unless it has no network. root is
// where it finds what belongs at /opt/ml.
func (s *Service) baseEnv(c contained, root string) []string {
	env := map[string]string{
		"LANG": "C.UTF-8", "HOME": root, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_REGION": s.cfg.Region, "AWS_DEFAULT_REGION": s.cfg.Region,
		"PATH": os.Getenv("PATH"), "TMPDIR": c.tmp,
	}
	if !c.alone {
		env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = s.cfg.Endpoint, s.cfg.AccessKey, s.cfg.SecretKey
	}
	for _, more := range []map[string]string{c.env, c.contract, {"SAGEMAKER_BASE_DIR": root}} {
		maps.Copy(env, more)
	}
	list := make([]string, 0, len(env))
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	return list
}

// makeDirs makes folders below base.
func makeDirs(base string, names ...string) error {
	for _, n := range names {
		if err := os.MkdirAll(filepath.Join(base, filepath.FromSlash(n)), 0o755); err != nil {
			return err
		}
	}
	return nil
}
