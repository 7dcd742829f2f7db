package sagemaker_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

// fullDisk is an object store that has room for nothing below some prefixes.
type fullDisk struct {
	sagemaker.Objects
	freed    atomic.Bool
	refused  atomic.Int32
	prefixes []string
}

func (d *fullDisk) Put(ctx context.Context, bucket, key string, body io.Reader, size int64) error {
	for _, p := range d.prefixes {
		if strings.HasPrefix(key, p) && !d.freed.Load() {
			d.refused.Add(1)
			return fmt.Errorf("write blob: %w", syscall.ENOSPC)
		}
	}
	return d.Objects.Put(ctx, bucket, key, body, size)
}

// TestFullDisk holds that nothing is called done that could not be stored, and
// that captured requests wait until it can.
func TestFullDisk(t *testing.T) {
	disk := &fullDisk{prefixes: []string{"out/", "captured/"}}
	c := start(t, func(cfg *sagemaker.Config) { disk.Objects, cfg.Objects = cfg.Objects, disk })
	c.train(trainingInput("full", nil))
	job := c.awaitJob("full", types.TrainingJobStatusFailed)
	require.Contains(t, *job.FailureReason, "ClientError: Artifact upload failed: put s3://data/out/full/output/model.tar.gz")
	require.Contains(t, *job.FailureReason, "no space left on device")
	require.False(t, c.has("out/"))

	c.model("red", "red")
	c.put("rows/in.csv", "1\n2\n")
	c.transform(transformInput("full", "red", "s3://data/rows/"))
	require.Contains(t, *c.awaitTransform("full", types.TransformJobStatusFailed).FailureReason, "no space left on device")

	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"),
		ProductionVariants: []types.ProductionVariant{production("red", 1)}, DataCaptureConfig: captureTo("s3://data/captured", 100, types.CaptureModeInput)})
	require.NoError(t, err)
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	before := disk.refused.Load()
	require.Equal(t, "red<1>\n", c.answer("e", "", "1"), "who asks a model is answered")
	c.eventually(func() bool { return disk.refused.Load() >= before+2 }, "the capture was not tried twice")
	require.Empty(t, c.captures("captured/"))
	disk.freed.Store(true)
	c.eventually(func() bool { return len(c.captures("captured/")) == 1 }, "the capture was not delivered when there was room again")
}
