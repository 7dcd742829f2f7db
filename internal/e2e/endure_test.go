package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// prepare trains a model and puts it behind steady.
func (c *solo) prepare() {
	c.Helper()
	ctx, cancel := c.bounded()
	defer cancel()
	_, err := c.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	require.NoError(c, err)
	rows := "y,x\n" + string(bytes.Repeat([]byte("1,0\n3,1\n5,2\n"), 20))
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("rows/rows.csv"), Body: bytes.NewReader([]byte(rows))})
	require.NoError(c, err)
	_, err = c.sm.CreateTrainingJob(ctx, training("line", "steward/linear"))
	require.NoError(c, err)
	job, err := c.trained(ctx, "line")
	require.NoError(c, err)
	_, err = c.sm.CreateModel(ctx, &sagemaker.CreateModelInput{ModelName: aws.String("line"), ExecutionRoleArn: job.RoleArn,
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String("steward/linear"), ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts}})
	require.NoError(c, err)
	for _, name := range configs {
		_, err = c.sm.CreateEndpointConfig(ctx, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: &name,
			ProductionVariants: []types.ProductionVariant{{VariantName: &name, ModelName: aws.String("line"), InitialInstanceCount: aws.Int32(1),
				InstanceType: types.ProductionVariantInstanceTypeMlM5Large, InitialVariantWeight: aws.Float32(1)}},
			DataCaptureConfig: &types.DataCaptureConfig{EnableCapture: aws.Bool(true), InitialSamplingPercentage: aws.Int32(100),
				DestinationS3Uri: aws.String("s3://" + bucket + "/captured"), CaptureOptions: []types.CaptureOption{{CaptureMode: types.CaptureModeInput}}}})
		require.NoError(c, err)
	}
	_, err = c.sm.CreateEndpoint(ctx, &sagemaker.CreateEndpointInput{EndpointName: aws.String(steady), EndpointConfigName: &configs[0]})
	require.NoError(c, err)
	_, err = c.inService(ctx, steady)
	require.NoError(c, err)
}

// kill -9 of the cloud at any moment, under load, costs time and nothing else:
// what was acknowledged is there, training goes on in the same process,
// endpoints come back, every answered request was captured, and in the end
// nothing is left running.
func TestCloudEnduresKills(t *testing.T) {
	t.Parallel()
	c := newSolo(t)
	c.prepare()
	random := rand.New(rand.NewPCG(*seed, 0))
	writers := []*writer{newWriter(1), newWriter(2), newWriter(3)}
	callers := []*caller{{prefix: "a"}, {prefix: "b"}}
	short, held := &shortJobs{prefix: "short"}, &heldJobs{home: c.home, random: random}
	change, pass := &changer{is: configs[0]}, &passing{}
	loads := []load{short, held, change, pass}
	for _, w := range writers {
		loads = append(loads, w)
	}
	for _, i := range callers {
		loads = append(loads, i)
	}
	var slowest time.Duration
	for range *kills {
		ctx, cancel := c.bounded()
		done := drive(ctx, c.clients, loads)
		<-time.After(100*time.Millisecond + time.Duration(random.IntN(1400))*time.Millisecond)
		if held.crossed == 0 {
			require.NoError(t, held.running(ctx)) // on a slow machine no moment might find one
		}
		c.crash()
		require.NoError(t, done())
		require.NoError(t, held.meanwhile())
		if random.IntN(3) == 0 {
			c.miscarry(time.Duration(random.IntN(200)) * time.Millisecond)
		}
		began := time.Now()
		c.start()
		slowest = max(slowest, time.Since(began))
		require.NoError(t, checkAll(ctx, c.clients, loads))
		cancel()
	}
	ctx, cancel := c.bounded()
	defer cancel()
	objects := 0
	for _, w := range writers {
		w.checkAgain()
		objects += w.acknowledged
	}
	require.NoError(t, checkAll(ctx, c.clients, loads))
	require.NoError(t, checkAll(ctx, c.clients, []load{held}))
	require.NoError(t, checkCaptured(ctx, c.clients, callers))
	require.Positive(t, objects)
	require.Positive(t, held.crossed)
	t.Logf("%d kills: %d changes of objects, %d short jobs, %d joinings of running jobs, %d changes of an endpoint, %d creations and deletions of others, %d invocations acknowledged; none lost; serving again within %s at most",
		*kills, objects, len(short.acknowledged), held.crossed, change.acknowledged, pass.acknowledged, len(callers[0].ids)+len(callers[1].ids), slowest.Round(time.Millisecond))
}

// miscarry begins a life and ends it by kill -9 while it takes up what the last
// one left.
func (c *solo) miscarry(after time.Duration) {
	c.Helper()
	p, err := launch(c.home, "cloud", "cloud", "--listen", "127.0.0.1:0")
	require.NoError(c, err)
	<-time.After(after)
	p.kill(c.T)
}

// Changes of an endpoint's configuration and of its number of servers cost no
// request.
func TestEndpointEnduresUpdates(t *testing.T) {
	t.Parallel()
	c := newSolo(t)
	c.prepare()
	callers := []*caller{{prefix: "a"}, {prefix: "b"}, {prefix: "c"}, {prefix: "d"}}
	var loads []load
	for _, i := range callers {
		loads = append(loads, i)
	}
	done := drive(t.Context(), c.clients, loads)
	change := &changer{is: configs[0]}
	for n := range *updates {
		ctx, cancel := c.bounded()
		if n%2 == 0 {
			require.NoError(t, change.step(ctx, c.clients))
		} else {
			require.NoError(t, c.scale(ctx, change.is, int32(2-n/2%2)))
		}
		cancel()
	}
	close(c.dying)
	require.NoError(t, done())
	answered := 0
	for _, i := range callers {
		answered += len(i.ids)
	}
	require.Greater(t, answered, *updates)
	t.Logf("%d updates: %d invocations, none failed", *updates, answered)
}

// scale gives a variant of steady a number of servers.
func (c clients) scale(ctx context.Context, variant string, servers int32) error {
	_, err := c.sm.UpdateEndpointWeightsAndCapacities(ctx, &sagemaker.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: aws.String(steady),
		DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: &variant, DesiredInstanceCount: &servers}}})
	if err != nil {
		return err
	}
	d, err := c.inService(ctx, steady)
	if err == nil && *d.ProductionVariants[0].CurrentInstanceCount != servers {
		err = fmt.Errorf("%s has %d servers and not %d", steady, *d.ProductionVariants[0].CurrentInstanceCount, servers)
	}
	return err
}
