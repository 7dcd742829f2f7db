package localcloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"steward/internal/localcloud/autoscaling"
	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/faults"
	"steward/internal/localcloud/logs"
	"steward/internal/localcloud/process"
	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/sns"
	"steward/internal/localcloud/wire"
)

// HealthPath answers 200 without a signature as soon as the cloud serves. No
// bucket can have its first segment as a name.
const HealthPath = "/_local/health"

// FaultsPath shows, sets and ends faults, for programs on this machine and
// without a signature: see [faults.Injector.ServeHTTP].
const FaultsPath = "/_local/faults"

// cloudwatchTarget is CloudWatch's name in its protocols.
const cloudwatchTarget = "GraniteServiceVersion20100801"

const (
	// headerTimeout cuts off clients that open a connection and say nothing.
	headerTimeout = 10 * time.Second
	// drainTimeout is how long requests under way may take at the end.
	drainTimeout = 15 * time.Second
	// closeTimeout lets model servers use the 30 s that SageMaker gives them.
	closeTimeout = 45 * time.Second
)

// Server is the running cloud.
type Server struct {
	listener net.Listener
	http     *http.Server
	objects  *s3.Store
	metrics  *cloudwatch.Store
	topics   *sns.Service
	alarms   *cloudwatch.Alarms
	logs     *logs.Store
	models   *sagemaker.Service
	scaling  *autoscaling.Service
}

// New listens, opens the directory and takes up the work that was left in it. It
// fails if the port is taken or another process has the directory open, and
// closes cfg.Listener then. A server
// that New has made must be served: Serve also closes what New has opened.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{listener: cfg.Listener}
	if s.listener == nil {
		if s.listener, err = listen(cfg.Addr); err != nil {
			return nil, err
		}
	}
	if err := s.open(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("local cloud: %w", err), s.close(context.Background()), s.listener.Close())
	}
	return s, nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("local cloud: the port of %s is taken: stop the program that has it or choose another address: %w", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("local cloud: %w", err)
	}
	return l, nil
}

// open opens the stores, the object store first: its lock guards the directory.
func (s *Server) open(cfg Config) (err error) {
	if s.objects, err = s3.Open(filepath.Join(cfg.Dir, "s3"), s3.Location(cfg.Region, cfg.Account)); err != nil {
		return err
	}
	if s.metrics, err = cloudwatch.Open(filepath.Join(cfg.Dir, "cloudwatch"), cfg.Logger); err != nil {
		return err
	}
	if s.topics, err = sns.Open(sns.Config{Dir: filepath.Join(cfg.Dir, "sns"), Region: cfg.Region, Account: cfg.Account, URL: s.url(), Anywhere: cfg.RemoteReceivers, Log: cfg.Logger}); err != nil {
		return err
	}
	s.objects.Notify(s.topics)
	if s.alarms, err = cloudwatch.NewAlarms(s.metrics, cloudwatch.AlarmsConfig{Region: cfg.Region, Account: cfg.Account, Topics: s.topics, Log: cfg.Logger}); err != nil {
		return err
	}
	if s.logs, err = logs.Open(logs.Config{Dir: filepath.Join(cfg.Dir, "logs"), Skip: process.UsageMark, Region: cfg.Region, Account: cfg.Account, Logger: cfg.Logger}); err != nil {
		return err
	}
	objects, err := s.objects.Handler(cfg.Logger)
	if err != nil {
		return err
	}
	if s.scaling, err = autoscaling.Open(autoscaling.Config{Dir: filepath.Join(cfg.Dir, "autoscaling"), Region: cfg.Region, Account: cfg.Account, Alarms: s.alarms, Log: cfg.Logger}); err != nil {
		return err
	}
	injector := faults.NewInjector(cfg.Faults, cfg.Logger)
	s.models, err = sagemaker.New(sagemaker.Config{
		Dir: filepath.Join(cfg.Dir, "sagemaker"), Region: cfg.Region, Account: cfg.Account,
		Objects: s.objects, Metrics: s.metrics, Logs: s.logs, Alarms: s.alarms, Scaling: s.scaling, Faults: injector, Images: cfg.Images, Logger: cfg.Logger,
		Rules: cfg.Rules, Topics: s.topics, Isolation: cfg.Isolation, State: cfg.Dir,
		Endpoint: s.url(), AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey,
	})
	if err != nil {
		return err
	}
	s.scaling.Start(s.models)
	verifier := wire.Verifier{AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey, Now: cfg.Now}
	router := wire.NewRouter(verifier,
		wire.S3(objects),
		wire.JSON("sagemaker", "SageMaker", s.models.Operations()),
		wire.REST("sagemaker", "/endpoints/", s.models.Runtime()),
		wire.CBOR("monitoring", cloudwatchTarget, s.monitoring()),
		wire.QueryCompatibleJSON("monitoring", cloudwatchTarget, s.monitoring()),
		wire.JSON("logs", "Logs_20140328", s.logs.Operations()),
		wire.JSON("monitoring", "GraniteServiceVersion20100801", s.monitoring()), // as boto3 asks
		wire.Query("sns", sns.Namespace, s.topics.Operations()),
		wire.JSON("application-autoscaling", "AnyScaleFrontendService", s.scaling.Operations()),
		wire.Query("sts", "https://sts.amazonaws.com/doc/2011-06-15/", security{cfg.Account, verifier}.operations()),
	).Upsetting(injector.Upset)
	s.http = &http.Server{
		Handler: s.beside(router, injector), ReadHeaderTimeout: headerTimeout,
		ErrorLog: slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}
	return nil
}

// monitoring are the operations of CloudWatch.
func (s *Server) monitoring() wire.Operations {
	ops := s.metrics.Operations()
	maps.Copy(ops, s.alarms.Operations())
	return ops
}

// beside answers what is not AWS's.
func (s *Server) beside(aws, injector http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == HealthPath:
			_, _ = io.WriteString(w, "ok\n") // a client that has gone needs no answer
		case r.URL.Path == FaultsPath:
			injector.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, sns.Path):
			s.topics.ServeHTTP(w, r)
		default:
			aws.ServeHTTP(w, r)
		}
	})
}

// Addr is where the server listens, such as "127.0.0.1:4566".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// url is how programs on this machine reach the server, wherever it listens.
func (s *Server) url() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// Serve answers requests until ctx ends; then it lets those under way finish,
// stops model servers and writes everything out. Jobs that still run are taken
// up by the next server on the directory.
func (s *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	var err error
	select {
	case <-ctx.Done():
		err = s.drain(context.WithoutCancel(ctx))
		if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
			err = errors.Join(err, stopped)
		}
	case err = <-served:
		err = fmt.Errorf("local cloud: %w", err)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return errors.Join(err, s.close(closing))
}

func (s *Server) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("local cloud: requests did not end within %s: %w", drainTimeout, err), s.http.Close())
	}
	return nil
}

// close closes what is open, users before what they use.
func (s *Server) close(ctx context.Context) error {
	var errs []error
	if s.scaling != nil {
		errs = append(errs, s.scaling.Close())
	}
	if s.models != nil {
		errs = append(errs, s.models.Close(ctx))
	}
	if s.alarms != nil {
		errs = append(errs, s.alarms.Close())
	}
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	if s.objects != nil {
		errs = append(errs, s.objects.Close())
	}
	if s.topics != nil {
		errs = append(errs, s.topics.Close())
	}
	if s.metrics != nil {
		errs = append(errs, s.metrics.Close())
	}
	return errors.Join(errs...)
}
