// Package sagemaker is the local cloud's SageMaker: training and processing jobs, batch
// transform, the model registry, models, endpoint configurations and endpoints
// with weighted variants, data capture and invocation.
//
// What belongs here: the states of these resources and the container contract.
// Jobs and model servers are real subprocesses (package process). Every
// resource is a JSON record in one bbolt file, committed before the reply; a
// state machine per kind stands in a file of its own. A request field that
// would change behaviour and is not supported is refused by name.
package sagemaker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"golang.org/x/time/rate"

	"steward/internal/localcloud/events"
	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/wire"
)

// Objects is the object store that jobs read and write. Get of a missing key
// is an error.
type Objects interface {
	List(ctx context.Context, bucket, prefix string) ([]s3.Object, error)
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, error)
	Put(ctx context.Context, bucket, key string, body io.Reader, size int64) error
}

// Metrics takes the measurements of endpoints.
type Metrics interface {
	Record(namespace, name string, dimensions map[string]string, value float64, at time.Time)
}

// Alarms tells the states of CloudWatch alarms; false if there is none of the
// name.
type Alarms interface {
	AlarmState(name string) (cwtypes.StateValue, bool)
}

// Config says where the service keeps its state and what it works with.
// Zero durations and counts take the defaults named here.
type Config struct {
	Dir, Region, Account           string
	Objects                        Objects
	Metrics                        Metrics
	Logs                           Logs    // of containers; without, they are files only
	Alarms                         Alarms  // that guard deployments; without, there are none
	Scaling                        Scaling // of variants; without, there is none
	Faults                         Faults  // of jobs and model servers; without, there are none
	Images                         []Image
	Rules                          []events.Rule // where events go
	Topics                         events.Topics
	Logger                         *slog.Logger
	Endpoint, AccessKey, SecretKey string    // how containers reach the local cloud
	Isolation                      Isolation // of containers (IsolationAuto)
	State                          string    // folder of the whole cloud, which isolated containers do not see (Dir)

	MaxJobs         int           // jobs that run at once; more wait (twice the number of CPUs)
	JobGrace        time.Duration // from SIGTERM to SIGKILL for a stopped job (120 s, as AWS)
	ServerGrace     time.Duration // the same for a model server (30 s, as AWS)
	StartupTimeout  time.Duration // until a model server's first good /ping, unless the variant says (60 s)
	CaptureInterval time.Duration // between deliveries of captured data (1 s)
	SyncInterval    time.Duration // between uploads of checkpoints and continuous outputs (5 s)
	TuningInterval  time.Duration // between looks at the objectives of running tuning jobs (1 s)
	ShiftInterval   time.Duration // between looks at the alarms and the clock while traffic moves (1 s)
	AsyncInterval   time.Duration // between looks at the queues of asynchronous requests, which are then measured (10 s)

	Now func() time.Time // the clock of deployments, queues and of what is measured; time.Now if nil
}

// Service is the running service.
type Service struct {
	cfg    Config
	images images
	plain  error // why containers have no namespaces; nil if they have
	store  *store
	log    *slog.Logger

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	opening sync.RWMutex   // spawn against Close
	work    sync.WaitGroup // everything Close waits for
	slots   chan struct{}

	tasks     registry[*task]
	endpoints registry[*endpoint]
	client    *http.Client // to model servers
	ports     *ports
	spool     *spool        // of captured data
	notices   *outbox.Queue // of ended asynchronous requests

	environments *environments // of Python images
	shadows      chan struct{} // bounds mirrored requests in flight
	// complaints bounds what the log says of captures that fail and asynchronous
	// requests that are tried again, which every invocation may do.
	complaints *rate.Limiter
}

// New opens the service on its directory and takes up everything that was
// there: jobs are finished or joined, endpoints come back with new servers.
// Two services cannot share a directory.
func New(cfg Config) (*Service, error) {
	cfg = defaults(cfg)
	imgs, err := checkImages(slices.Concat(cfg.Images, frameworks()))
	if err != nil {
		return nil, err
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, err
	}
	if cfg.State, err = filepath.Abs(cmp.Or(cfg.State, cfg.Dir)); err != nil {
		return nil, err
	}
	plain, err := cfg.Isolation.settle(cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("sagemaker: %w", err)
	}
	for _, dir := range []string{"python", "jobs", "processing", "servers", "logs", "capture"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, dir), 0o755); err != nil {
			return nil, fmt.Errorf("sagemaker: %w", err)
		}
	}
	db, err := openStore(filepath.Join(cfg.Dir, "sagemaker.db"))
	if err != nil {
		return nil, err
	}
	// Only now nobody else can be using the directory.
	if err := emptied(filepath.Join(cfg.Dir, asyncFolder)); err != nil {
		return nil, errors.Join(fmt.Errorf("sagemaker: %w", err), db.close())
	}
	s := &Service{cfg: cfg, images: imgs, plain: plain, store: db, log: cfg.Logger, ports: newPorts(), environments: newEnvironments(filepath.Join(cfg.Dir, "python")),
		slots: make(chan struct{}, cfg.MaxJobs), shadows: make(chan struct{}, maxShadows), complaints: rate.NewLimiter(rate.Every(time.Minute), 1),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second, DisableCompression: true},
			// A model's redirect is its answer: nothing else may be asked in its name.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	bus, err := events.Open(events.Config{DB: db.db, Region: cfg.Region, Account: cfg.Account, Rules: cfg.Rules, Topics: cfg.Topics, Log: s.log})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sagemaker: %w", err), db.close())
	}
	if len(cfg.Rules) > 0 { // else nobody would hear
		db.tell(bus)
	}
	s.spawn(func() { bus.Run(s.ctx) })
	if err := s.openNotices(); err != nil {
		s.cancel()
		s.work.Wait()
		return nil, errors.Join(fmt.Errorf("sagemaker: %w", err), db.close())
	}
	s.spawn(func() { s.notices.Run(s.ctx) })
	if s.spool, err = newSpool(filepath.Join(cfg.Dir, "capture"), cfg.Objects, s.log); err == nil {
		err = s.resume()
	}
	if err != nil {
		s.cancel()
		s.work.Wait()
		return nil, errors.Join(err, db.close())
	}
	return s, nil
}

func defaults(cfg Config) Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&cfg.JobGrace, 120*time.Second)
	set(&cfg.ServerGrace, 30*time.Second)
	set(&cfg.StartupTimeout, 60*time.Second)
	set(&cfg.CaptureInterval, time.Second)
	set(&cfg.ShiftInterval, time.Second)
	set(&cfg.AsyncInterval, 10*time.Second)
	set(&cfg.SyncInterval, 5*time.Second)
	set(&cfg.TuningInterval, time.Second)
	if cfg.MaxJobs <= 0 {
		cfg.MaxJobs = 2 * runtime.NumCPU()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return cfg
}

// resume takes up the work that an earlier service left.
func (s *Service) resume() error {
	stale, err := s.staleServers()
	if err != nil {
		return err
	}
	logs := s.orphaned()
	s.spawn(func() { s.sweepServers(stale, logs) })
	if err := s.resumeTraining(); err != nil {
		return err
	}
	if err := s.resumeProcessing(); err != nil {
		return err
	}
	if err := s.resumeTuning(); err != nil {
		return err
	}
	if err := s.resumeTransforms(); err != nil {
		return err
	}
	if err := s.resumeEndpoints(); err != nil {
		return err
	}
	s.spawn(func() { s.spool.run(s.ctx, s.cfg.CaptureInterval) })
	return nil
}

// spawn runs f as work that Close waits for. A closed service starts nothing:
// what f would have done is taken up by the next one.
func (s *Service) spawn(f func()) (started bool) {
	s.opening.RLock()
	defer s.opening.RUnlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.work.Go(f)
	return true
}

// Close ends the service: model servers are stopped, captured data is
// delivered where that is possible (the rest is kept), running jobs are
// interrupted and start over with the next service on this directory. It fails when ctx ends before that is done.
func (s *Service) Close(ctx context.Context) error {
	s.opening.Lock()
	s.cancel()
	s.opening.Unlock()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("sagemaker: close: %w", ctx.Err())
	}
	s.client.CloseIdleConnections()
	s.spool.deliver(ctx, true)
	return s.store.close()
}

// Operations are the operations of the SageMaker API that this cloud offers.
func (s *Service) Operations() wire.Operations {
	ops := wire.Operations{}
	for _, add := range []func(wire.Operations){
		s.trainingOperations, s.tuningOperations, s.processingOperations, s.transformOperations, s.registryOperations, s.cardOperations,
		s.modelOperations, s.endpointConfigOperations, s.endpointOperations, s.tagOperations,
	} {
		add(ops)
	}
	return ops.Constrained("sagemaker")
}

// registry holds what is live now, by name.
type registry[T any] struct {
	mu sync.Mutex
	m  map[string]T
}

func (r *registry[T]) get(name string) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.m[name]
	return v, ok
}

func (r *registry[T]) put(name string, v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[string]T{}
	}
	r.m[name] = v
}

func (r *registry[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.m))
}

func (r *registry[T]) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.m, name)
}
