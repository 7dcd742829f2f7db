package sagemaker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func quietService(t *testing.T) *Service {
	s, err := New(Config{Dir: t.TempDir(), Objects: failing{}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

// TestRestoreLeavesOthersChanges restores an endpoint while an update that was
// asked for meanwhile is on its way, and then ends a change that is over.
func TestRestoreLeavesOthersChanges(t *testing.T) {
	s := quietService(t)
	served, wanted := &deployment{Config: "served"}, &deployment{Config: "wanted"}
	rec := endpointRecord{Name: "e", ARN: "arn:e", Status: types.EndpointStatusUpdating, Deployed: served, Target: wanted}
	require.NoError(t, s.store.endpoints.insert("e", rec.ARN, nil, &rec))
	ep := s.newEndpoint("e", true)
	s.restore(ep, false)
	got, err := s.store.endpoints.get("e")
	require.NoError(t, err)
	require.Equal(t, types.EndpointStatusUpdating, got.Status)
	require.Equal(t, wanted, got.Target)

	for range 2 {
		s.change(ep)
		got, err = s.store.endpoints.get("e")
		require.NoError(t, err)
		require.Equal(t, types.EndpointStatusInService, got.Status)
		require.Equal(t, wanted, got.Deployed)
	}
	got.settle(nil, time.Now())
	require.Equal(t, wanted, got.Deployed)
}

func TestStateIsRecordedInTheEnd(t *testing.T) {
	s := quietService(t)
	calls := 0
	require.NoError(t, s.repeat(func() error {
		if calls++; calls == 1 {
			return io.ErrShortWrite
		}
		return nil
	}))
	require.Equal(t, 2, calls)
	require.ErrorIs(t, persist(s, s.store.training, "none", func(*trainingJob) {}), errMissing)
	s.cancel()
	require.ErrorIs(t, s.repeat(func() error { return io.ErrShortWrite }), io.ErrShortWrite)
}

func TestBatchIsBounded(t *testing.T) {
	for _, tt := range []struct {
		concurrent, payload *int32
		askC, askP          int
		wantC, wantP        int
	}{
		{nil, nil, 0, 0, 1, 6},
		{nil, nil, 1 << 40, 0, 16, 6},
		{nil, nil, 1 << 40, 1 << 40, 1, 100},
		{nil, nil, -1, -1, 1, 6},
		{aws.Int32(0), nil, 4, 10, 4, 10},
		{aws.Int32(10), nil, 99, 50, 10, 10},
		{nil, aws.Int32(50), 99, 1, 2, 50},
	} {
		job := &transformJob{}
		job.MaxConcurrentTransforms, job.MaxPayloadInMB = tt.concurrent, tt.payload
		b := (&Service{client: new(http.Client)}).newBatch(job)
		b.adopt(tt.askC, tt.askP)
		require.Equal(t, [2]int{tt.wantC, tt.wantP}, [2]int{b.concurrent, b.payload >> 20}, "%+v", tt)
	}
	in := &sm.CreateTransformJobInput{TransformResources: &types.TransformResources{}, MaxConcurrentTransforms: aws.Int32(0)}
	require.NoError(t, checkAmounts(in))
	in.MaxConcurrentTransforms = aws.Int32(17)
	require.ErrorContains(t, checkAmounts(in), "MaxConcurrentTransforms 17 times MaxPayloadInMB 6 is above 100")
	in.MaxPayloadInMB = aws.Int32(5)
	require.NoError(t, checkAmounts(in))
}

func TestNames(t *testing.T) {
	require.NoError(t, checkChannelName("train_v1.2"))
	for _, bad := range []string{".", ".."} {
		require.Error(t, checkChannelName(bad), bad)
	}

	for uri, want := range map[string]string{
		"s3://data": "", "s3://my.bucket-1/x": "", "s3://ab/x": "is not a bucket name", "s3://../x": "is not a bucket name",
		"s3://a..b/x": "is not a bucket name", "s3://Data/x": "is not a bucket name", "s3:///x": "is not an S3 address", "data/x": "is not an S3 address",
	} {
		_, err := parseLocation("S3Uri", uri)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want, uri)
	}
}

func TestTagsOnCreate(t *testing.T) {
	s := quietService(t)
	var tags []types.Tag
	for i := range maxTags + 1 {
		tags = append(tags, types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")})
	}
	_, err := s.createGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g"), Tags: tags})
	require.ErrorContains(t, err, "at most 50 are allowed")
	_, err = s.createGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g"), Tags: tags[1:]})
	require.NoError(t, err)
	_, err = s.createPackage(t.Context(), &sm.CreateModelPackageInput{ModelPackageGroupName: aws.String("g"), Tags: tags[:1]})
	require.ErrorContains(t, err, "tag the group")
}

func TestScraperReadsEveryKindOfLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	s := newScraper([]types.MetricDefinition{{Name: aws.String("loss"), Regex: aws.String(`loss=([0-9.]+)`)}})
	s.follow(file)
	add := func(text string) float32 {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		if list := s.read(); len(list) > 0 {
			return *list[0].Value
		}
		return -1
	}
	require.Equal(t, float32(-1), add("loss=0."))
	require.Equal(t, float32(0.5), add("5\r"))
	require.Equal(t, float32(0.25), add("1% loss=0.4\r2% loss=0.25\rloss=0.1"))
	require.Equal(t, float32(0.25), add(" "+strings.Repeat(".", 3<<20)+" loss=0.01"), "not before the line's end")
	require.Equal(t, float32(0.1), add("\n"), "far out in a line nothing is looked for")
	require.Len(t, s.lastLine(0), maxLogLine)
	require.Equal(t, float32(0.125), add("loss=0.125\r\n"))
	require.Equal(t, "loss=0.125", s.lastLine(0))
}
