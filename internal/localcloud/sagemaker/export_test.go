package sagemaker

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// Interrupted records in the directory of a closed service that a training job
// was interrupted.
func Interrupted(dir, job string) error {
	db, err := openStore(filepath.Join(dir, "sagemaker.db"))
	if err != nil {
		return err
	}
	_, err = db.training.update(job, func(j *trainingJob) error {
		j.enter(types.SecondaryStatusInterrupted, time.Now().UTC())
		return nil
	})
	return errors.Join(err, db.close())
}
