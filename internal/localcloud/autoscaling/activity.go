package autoscaling

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// keepActivities is how long activities are listed, as on AWS: six weeks.
const keepActivities = 6 * 7 * 24 * time.Hour

// activity is the record of a scaling activity.
type activity struct {
	types.ScalingActivity
	Key      string
	From, To int32
	Asked    bool // SageMaker took the change
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// newActivity is one that begins now.
func newActivity(t *target, d decision, from int32, now time.Time) *activity {
	now = now.UTC()
	a := &activity{From: from, To: d.to, ScalingActivity: types.ScalingActivity{ActivityId: aws.String(uuid.NewString()), ServiceNamespace: namespace,
		ResourceId: &t.Resource, ScalableDimension: dimension, Cause: &d.cause, StartTime: &now,
		Description: aws.String("Setting desired instance count to " + itoa(d.to) + "."), StatusCode: types.ScalingActivityStatusCodeInProgress}}
	if d.reason != nil {
		a.Description, a.StatusCode = aws.String("Attempting to scale due to alarm triggered"), types.ScalingActivityStatusCodeFailed
		a.EndTime, a.NotScaledReasons = &now, []types.NotScaledReason{*d.reason}
	}
	return a
}

// add gives an activity its place, behind all that began before.
func (a *activity) add(tx *bolt.Tx) error {
	n, err := tx.Bucket(activityBucket).NextSequence()
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(stampOf(*a.StartTime), n)
	a.Key = fmt.Sprintf("%x", key)
	return write(tx, activityBucket, a.Key, a)
}

// stampOf sorts by time.
func stampOf(at time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano())) }

// waits tells how far SageMaker is.
func (a *activity) waits() {
	a.Asked = true
	a.StatusMessage = aws.String(fmt.Sprintf("Successfully set desired instance count to %d. Waiting for change to be fulfilled by sagemaker.", a.To))
}

// ends closes an activity; failure is why it came to nothing, if it did.
func (a *activity) ends(failure error, now time.Time) {
	a.EndTime, a.StatusCode = aws.Time(now.UTC()), types.ScalingActivityStatusCodeSuccessful
	a.StatusMessage = aws.String(fmt.Sprintf("Successfully set desired instance count to %d. Change successfully fulfilled by sagemaker.", a.To))
	if failure != nil {
		a.StatusCode = types.ScalingActivityStatusCodeFailed
		a.StatusMessage = aws.String(fmt.Sprintf("Failed to set desired instance count to %d. Reason: %s", a.To, failure))
	}
}

// running gives the activities in progress.
func running(tx *bolt.Tx) (list []*activity, err error) {
	err = tx.Bucket(runningBucket).ForEach(func(_, key []byte) error {
		a, err := read[activity](tx, activityBucket, string(key))
		list = append(list, a)
		return err
	})
	return list, err
}

// describeActivities lists activities, the newest first.
func (s *Service) describeActivities(_ context.Context, in *aas.DescribeScalingActivitiesInput) (*aas.DescribeScalingActivitiesOutput, error) {
	list, err := view(s, func(tx *bolt.Tx) ([]*activity, error) { return all[activity](tx, activityBucket, "") })
	if err != nil {
		return nil, err
	}
	since := s.cfg.Now().Add(-keepActivities)
	list = slices.DeleteFunc(list, func(a *activity) bool {
		return in.ServiceNamespace != namespace || in.ScalableDimension != "" && in.ScalableDimension != dimension || a.StartTime.Before(since) ||
			in.ResourceId != nil && *in.ResourceId != *a.ResourceId || len(a.NotScaledReasons) > 0 && !aws.ToBool(in.IncludeNotScaledActivities)
	})
	slices.Reverse(list)
	list, next, err := page(list, func(a *activity) string { return a.Key }, below, in.MaxResults, maxListed, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &aas.DescribeScalingActivitiesOutput{ScalingActivities: []types.ScalingActivity{}, NextToken: next}
	for _, a := range list {
		out.ScalingActivities = append(out.ScalingActivities, a.ScalingActivity)
	}
	return out, nil
}

func below(key, place string) bool { return key < place }

// sweep forgets activities that began before a time.
func (s *Service) sweep(before time.Time) error {
	end := fmt.Sprintf("%x", stampOf(before))
	return s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(activityBucket)
		for k, _ := b.Cursor().First(); k != nil && string(k) < end; k, _ = b.Cursor().First() {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}
