package cloud

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// Jobs runs training jobs, batch transforms and processing jobs. All who wait for jobs through
// one Jobs share its listings.
type Jobs struct {
	client      *sagemaker.Client
	trainings   *poller
	transforms  *poller
	processings *poller
}

// NewJobs returns Jobs that look at what runs once every poll.
func NewJobs(client *sagemaker.Client, poll time.Duration) *Jobs {
	j := &Jobs{client: client}
	j.trainings = newPoller(poll, j.listTrainings)
	j.transforms = newPoller(poll, j.listTransforms)
	j.processings = newPoller(poll, j.listProcessings)
	return j
}

// Ended is a job that is over. Reason says why one that did not complete did not.
type Ended struct {
	Completed bool
	Stopped   bool
	Reason    string
	Output    string // S3 URI of model.tar.gz; of a training alone
	Metrics   map[string]float64
	Billed    time.Duration
}

// namePrefix begins the names of all our jobs, so listings leave out others'.
const namePrefix = "steward-"

// confirm tells whether the resource that has the name of the one asked for is
// the one asked for: its tag carries the digest of what was asked for.
func confirm(ctx context.Context, client *sagemaker.Client, kind, name string, arn *string, wanted []types.Tag) error {
	out, err := client.ListTags(ctx, &sagemaker.ListTagsInput{ResourceArn: arn})
	if err != nil {
		return translate(err, "tags of %s %s", kind, name)
	}
	if have, want := tagged(out.Tags, TagSpec), tagged(wanted, TagSpec); have != want {
		return lifecycle.Fail(lifecycle.Conflict,
			"%s %s exists with another specification (tag %s is %q, this request's is %q): somebody else made it, delete it or rename the model",
			kind, name, TagSpec, have, want)
	}
	return nil
}

// stopped tells whether there was something to stop or delete; that there is
// nothing any more is no error.
func stopped(err error) (bool, error) {
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrEnded) {
		return false, nil
	}
	return err == nil, err
}

// progressOf fills what all kinds of jobs report.
func progressOf(name, status string, started *time.Time, metrics map[string]float64) lifecycle.Progress {
	p := lifecycle.Progress{Job: name, Status: status, Started: aws.ToTime(started)}
	for k, v := range metrics {
		if k == progressMetric {
			p.Done = v
			continue
		}
		if p.Metrics == nil {
			p.Metrics = map[string]float64{}
		}
		p.Metrics[k] = v
	}
	return p
}
