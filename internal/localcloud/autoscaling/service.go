package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/wire"
)

// Endpoints are SageMaker's operations that scaling uses.
type Endpoints interface {
	DescribeEndpoint(context.Context, *sagemaker.DescribeEndpointInput) (*sagemaker.DescribeEndpointOutput, error)
	UpdateEndpointWeightsAndCapacities(context.Context, *sagemaker.UpdateEndpointWeightsAndCapacitiesInput) (*sagemaker.UpdateEndpointWeightsAndCapacitiesOutput, error)
}

// Config says where the service keeps its state and what it works with.
type Config struct {
	Dir, Region, Account string
	Alarms               *cloudwatch.Alarms // that policies own
	Now                  func() time.Time   // the clock, time.Now if nil; the one of the alarms
	Tick                 time.Duration      // how often alarms and endpoints are looked at (1 s)
	Log                  *slog.Logger
}

// Service is the running service.
type Service struct {
	cfg       Config
	db        *bolt.DB
	endpoints Endpoints // from Start on

	editing sync.Mutex    // held while targets, policies and their alarms change together
	changed chan struct{} // a target was registered
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Open takes up the targets and policies in a directory, and makes it if it is not
// there. Nothing is scaled before Start.
func Open(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Tick <= 0 {
		cfg.Tick = time.Second
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("auto scaling: %w", err)
	}
	path := filepath.Join(cfg.Dir, "autoscaling.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("auto scaling: %s is in use: another local cloud runs on this directory; stop it or choose another directory", path)
	}
	if err != nil {
		return nil, fmt.Errorf("auto scaling: open %s: %w", path, err)
	}
	s := &Service{cfg: cfg, db: db, changed: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("auto scaling: open %s: %w", path, err), db.Close())
	}
	return s, nil
}

// load makes the buckets, and the alarms that a crash kept from being made.
func (s *Service) load() error {
	var policies []*policy
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		for _, name := range [][]byte{targetBucket, policyBucket, activityBucket, runningBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		policies, err = all[policy](tx, policyBucket, "")
		return err
	})
	for _, p := range policies {
		if err == nil {
			err = s.restoreAlarms(p)
		}
	}
	return err
}

// Start scales from now on, and finishes what was begun.
func (s *Service) Start(endpoints Endpoints) {
	s.endpoints = endpoints
	s.running.Go(s.watch)
}

// Close ends the scaling. An activity in progress is taken up by the next service.
func (s *Service) Close() error {
	s.cancel()
	s.running.Wait()
	return s.db.Close()
}

// Operations are the operations of Application Auto Scaling that this cloud offers.
func (s *Service) Operations() wire.Operations {
	return wire.Operations{
		"RegisterScalableTarget":    wire.Op(s.register),
		"DeregisterScalableTarget":  wire.Op(s.deregister),
		"DescribeScalableTargets":   wire.Op(s.describeTargets),
		"PutScalingPolicy":          wire.Op(s.putPolicy),
		"DeleteScalingPolicy":       wire.Op(s.deletePolicy),
		"DescribeScalingPolicies":   wire.Op(s.describePolicies),
		"DescribeScalingActivities": wire.Op(s.describeActivities),
		"TagResource":               wire.Op(s.tag),
		"UntagResource":             wire.Op(s.untag),
		"ListTagsForResource":       wire.Op(s.listTags),
	}.Constrained("autoscaling")
}
