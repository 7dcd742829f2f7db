package sagemaker

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// TestTrainingTime follows a job by a clock of its own.
func TestTrainingTime(t *testing.T) {
	type step struct {
		to    types.SecondaryStatus
		after time.Duration // in the status before
	}
	const (
		starting, downloading, training, uploading = types.SecondaryStatusStarting, types.SecondaryStatusDownloading, types.SecondaryStatusTraining, types.SecondaryStatusUploading
		interrupted, stopping, stopped, completed  = types.SecondaryStatusInterrupted, types.SecondaryStatusStopping, types.SecondaryStatusStopped, types.SecondaryStatusCompleted
	)
	for name, tt := range map[string]struct {
		spot            bool
		steps           []step
		status          types.TrainingJobStatus
		total, billable int32
		limit           time.Duration // of a run that would begin now
	}{
		"straight":    {false, []step{{downloading, time.Minute}, {training, time.Second}, {uploading, 98 * time.Second}, {completed, time.Second}}, "Completed", 100, 100, 900 * time.Second},
		"spot":        {true, []step{{downloading, 0}, {training, 0}, {completed, 100 * time.Second}}, "Completed", 100, 30, 900 * time.Second},
		"interrupted": {true, []step{{downloading, 0}, {training, 0}, {interrupted, 40 * time.Second}, {starting, time.Hour}, {downloading, time.Hour}, {training, 0}, {completed, 60 * time.Second}}, "Completed", 100, 30, 900 * time.Second},
		"over again":  {false, []step{{downloading, 0}, {training, 0}, {starting, time.Hour}, {downloading, 0}, {training, 0}, {completed, 10 * time.Second}}, "Completed", 10, 10, 990 * time.Second},
		"stopped":     {false, []step{{downloading, 0}, {training, 0}, {stopping, 5 * time.Second}, {uploading, time.Second}, {stopped, time.Second}}, "Stopped", 7, 7, 993 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			var j trainingJob
			j.EnableManagedSpotTraining = &tt.spot
			j.StoppingCondition = &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(1000)}
			j.enter(starting, now)
			for _, s := range tt.steps {
				now = now.Add(s.after)
				j.enter(s.to, now)
			}
			require.True(t, j.final())
			require.Equal(t, tt.status, j.TrainingJobStatus)
			require.Equal(t, tt.total, *j.TrainingTimeInSeconds)
			require.Equal(t, tt.billable, *j.BillableTimeInSeconds)
			require.Equal(t, tt.limit, j.limit())
			for i, s := range j.SecondaryStatusTransitions {
				require.NotEmpty(t, *s.StatusMessage, s.Status)
				require.NotNil(t, s.EndTime, i)
			}
		})
	}
}

func TestShard(t *testing.T) {
	all := []source{{name: "a"}, {name: "b"}, {name: "c"}}
	require.Equal(t, []source{{name: "a"}, {name: "c"}}, shard(all, 0, 2))
	require.Equal(t, []source{{name: "b"}}, shard(all, 1, 2))
	require.Empty(t, shard(all, 3, 4), "more hosts than objects")
}

func TestWithin(t *testing.T) {
	require.Equal(t, []string{"python3", "/b/processing/code/run.py", "--in=/b/x", "--opt/ml/x", "/opt/mlx"},
		within("/b", []string{"python3", "/opt/ml/processing/code/run.py", "--in=/opt/ml/x", "--opt/ml/x", "/opt/mlx"}))
}
