package sagemaker

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("unchanged")

// resumeTuning takes up the tuning jobs that have not ended.
func (s *Service) resumeTuning() error {
	jobs, err := s.store.tunings.unended()
	for _, j := range jobs {
		s.spawn(func() { s.tune(*j.HyperParameterTuningJobName) })
	}
	return err
}

// tune sees a tuning job to its end, or until the service closes. It looks again
// at every change of a training job or of the tuning job, and at every tick.
//
// What it decides stands in the record before it is done: a training job that
// the record names and that does not exist is made, so that a crash in between
// neither loses one nor makes two.
func (s *Service) tune(name string) {
	tick := time.NewTicker(s.cfg.TuningInterval)
	defer tick.Stop()
	curves := map[string]*curve{}
	for {
		trained, asked := s.store.training.changes.wait(), s.store.tunings.changes.wait()
		ended, err := s.tuneOn(name, curves)
		if errors.Is(err, errMissing) || ended {
			return
		}
		if err != nil && s.ctx.Err() == nil {
			s.log.Error("tuning job: trying again", "job", name, "error", err)
		}
		select {
		case <-trained:
		case <-asked:
		case <-tick.C:
		case <-s.ctx.Done():
			return
		}
	}
}

// tuneOn observes, decides and acts once.
func (s *Service) tuneOn(name string, curves map[string]*curve) (ended bool, err error) {
	now := time.Now().UTC()
	var j *tuningJob
	err = s.store.db.Update(func(tx *bolt.Tx) error {
		if j, err = s.store.tunings.read(tx, name); err != nil {
			return err
		}
		changed, err := s.observe(tx, j)
		if err != nil {
			return err
		}
		if !j.advance(now) && !changed {
			return errUnchanged
		}
		return s.store.tunings.write(tx, name, j)
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return false, err
	}
	if j.final() {
		return true, nil
	}
	return false, s.act(j, curves)
}

// observe takes in what has become of the training jobs.
func (s *Service) observe(tx *bolt.Tx, j *tuningJob) (changed bool, err error) {
	for _, t := range j.running() {
		job, err := s.store.training.read(tx, *t.TrainingJobName)
		switch {
		case errors.Is(err, errMissing) && t.Launched:
			t.lose("InternalServerError: the training job was deleted")
			changed = true
		case errors.Is(err, errMissing):
		case err != nil:
			return false, err
		case aws.ToString(job.TuningJobArn) != *j.HyperParameterTuningJobArn:
			t.lose("ClientError: a training job with this name already exists")
			changed = true
		default:
			changed = t.see(job, j.objective(t.Definition)) || changed
		}
	}
	return changed, nil
}

// act makes the training jobs that are decided and not there, and stops those
// that shall not go on.
func (s *Service) act(j *tuningJob, curves map[string]*curve) error {
	var stop []string
	for _, t := range j.running() {
		switch {
		case !t.Launched && !j.Winding:
			if err := s.launchTrial(j, t); err != nil {
				return err
			}
		case j.Winding && t.TrainingJobStatus == types.TrainingJobStatusInProgress:
			stop = append(stop, *t.TrainingJobName)
		}
	}
	if j.HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType == types.TrainingJobEarlyStoppingTypeAuto && !j.Winding {
		stop = append(stop, s.hopeless(j, curves)...)
	}
	for _, name := range stop {
		_, err := s.stopTrainingJob(s.ctx, &sm.StopTrainingJobInput{TrainingJobName: &name})
		if _, refused := errors.AsType[*wire.Error](err); err != nil && !refused { // refused: it has ended
			return err
		}
	}
	return nil
}

// launchTrial makes a trial's training job. One that cannot be made counts as
// failed.
func (s *Service) launchTrial(j *tuningJob, t *trial) error {
	in, err := j.training(t)
	if err != nil {
		return err
	}
	_, err = s.startTraining(in, j.HyperParameterTuningJobArn)
	refusal, refused := errors.AsType[*wire.Error](err)
	if !refused || refusal.Code == "ResourceInUse" { // it is there, whosever it is: the next look tells
		return err
	}
	_, err = s.store.tunings.update(*j.HyperParameterTuningJobName, func(j *tuningJob) error {
		for _, running := range j.running() {
			if *running.TrainingJobName == *t.TrainingJobName {
				running.lose("ClientError: " + refusal.Message)
			}
		}
		return nil
	})
	return err
}
