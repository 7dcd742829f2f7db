package sagemaker_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process/processtest"
	"steward/internal/localcloud/sagemaker"
)

// production makes a variant of a model of the same name.
func production(name string, weight float32) types.ProductionVariant {
	return types.ProductionVariant{VariantName: &name, ModelName: &name, InstanceType: types.ProductionVariantInstanceTypeMlM5Large,
		InitialInstanceCount: aws.Int32(1), InitialVariantWeight: &weight}
}

func (c *cloud) config(name string, variants ...types.ProductionVariant) {
	c.Helper()
	_, err := c.sm.CreateEndpointConfig(c.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: &name, ProductionVariants: variants})
	require.NoError(c, err)
}

func (c *cloud) endpoint(name, config string) {
	c.Helper()
	_, err := c.sm.CreateEndpoint(c.Context(), &sm.CreateEndpointInput{EndpointName: &name, EndpointConfigName: &config})
	require.NoError(c, err)
	require.Contains(c, []types.EndpointStatus{types.EndpointStatusCreating, types.EndpointStatusInService, types.EndpointStatusFailed}, c.described(name).EndpointStatus)
}

func (c *cloud) update(name, config string) {
	c.Helper()
	_, err := c.sm.UpdateEndpoint(c.Context(), &sm.UpdateEndpointInput{EndpointName: &name, EndpointConfigName: &config})
	require.NoError(c, err)
}

func (c *cloud) described(name string) *sm.DescribeEndpointOutput {
	c.Helper()
	out, err := c.sm.DescribeEndpoint(c.Context(), &sm.DescribeEndpointInput{EndpointName: &name})
	require.NoError(c, err)
	return out
}

func (c *cloud) awaitEndpoint(name string, status types.EndpointStatus) (out *sm.DescribeEndpointOutput) {
	c.Helper()
	c.eventually(func() bool {
		out = c.described(name)
		return out.EndpointStatus == status
	}, "endpoint "+name+" never became "+string(status))
	return out
}

func (c *cloud) delete(name string) {
	c.Helper()
	_, err := c.sm.DeleteEndpoint(c.Context(), &sm.DeleteEndpointInput{EndpointName: &name})
	require.NoError(c, err)
	c.eventually(func() bool {
		_, err := c.sm.DescribeEndpoint(c.Context(), &sm.DescribeEndpointInput{EndpointName: &name})
		return err != nil
	}, "endpoint is still there")
}

// ask invokes an endpoint; target may be empty.
func (c *cloud) ask(name, target, body string) (*smr.InvokeEndpointOutput, error) {
	in := &smr.InvokeEndpointInput{EndpointName: &name, Body: []byte(body), ContentType: aws.String("text/csv"),
		InferenceId: aws.String("id-" + body), CustomAttributes: aws.String("attr")}
	if target != "" {
		in.TargetVariant = &target
	}
	return c.runtime.InvokeEndpoint(c.Context(), in)
}

func (c *cloud) answer(name, target, body string) string {
	c.Helper()
	out, err := c.ask(name, target, body)
	require.NoError(c, err)
	return string(out.Body)
}

// pid names the process that answers: see processtest.
func (c *cloud) pid(name, target string) string {
	c.Helper()
	return c.answer(name, target, "pid")
}

func TestEndpointServes(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("blue", "blue")
	c.config("both", production("red", 3), production("blue", 1))
	c.endpoint("e", "both")
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "both", *d.EndpointConfigName)
	require.Len(t, d.ProductionVariants, 2)
	require.Equal(t, float32(3), *d.ProductionVariants[0].CurrentWeight)
	require.Equal(t, int32(1), *d.ProductionVariants[0].CurrentInstanceCount)

	seen := map[string]int{}
	for range 80 {
		out, err := c.ask("e", "", "1,2")
		require.NoError(t, err)
		name := *out.InvokedProductionVariant
		require.Equal(t, name+"<1,2>\n", string(out.Body))
		require.Equal(t, "text/csv", *out.ContentType)
		require.Equal(t, "saw attr", *out.CustomAttributes)
		seen[name]++
	}
	require.Greater(t, seen["red"], seen["blue"])
	require.Positive(t, seen["blue"])
	require.Equal(t, "blue<x>\n", c.answer("e", "blue", "x"))
	require.Equal(t, "blue", c.answer("e", "blue", "env COLOUR"))

	red, blue := c.pid("e", "red"), c.pid("e", "blue")
	_, err := c.sm.UpdateEndpointWeightsAndCapacities(t.Context(), &sm.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: aws.String("e"),
		DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: aws.String("red"), DesiredWeight: aws.Float32(0)}, {VariantName: aws.String("blue"), DesiredInstanceCount: aws.Int32(2)}}})
	require.NoError(t, err)
	d = c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Zero(t, *d.ProductionVariants[0].CurrentWeight)
	require.Equal(t, int32(2), *d.ProductionVariants[1].CurrentInstanceCount)
	for range 20 {
		require.Equal(t, "blue<y>\n", c.answer("e", "", "y"))
	}
	require.Equal(t, red, c.pid("e", "red"), "servers are kept when only weights change")

	c.delete("e")
	c.requireGone(red)
	c.requireGone(blue)
	_, err = c.ask("e", "", "x")
	refused(t, err, "ValidationError", "Endpoint e of account 000000000000 not found.")
}

func TestEndpointUpdate(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("blue", "blue")
	c.config("old", production("red", 1))
	c.config("new", production("blue", 1))
	c.config("grown", production("blue", 1), production("red", 1))
	c.endpoint("e", "old")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	red := c.pid("e", "")

	// A request in flight during the update is answered by the old server.
	gate := filepath.Join(t.TempDir(), "gate")
	var inFlight sync.WaitGroup
	inFlight.Go(func() {
		out, err := c.ask("e", "", "gate "+gate)
		if err != nil || string(out.Body) != "red" {
			t.Errorf("request in flight: %v %v", out, err)
		}
	})
	c.eventually(func() bool {
		_, err := os.Stat(gate + ".waiting")
		return err == nil
	}, "the request never reached the old server")
	inflight, _ := c.metrics.sum("AWS/SageMaker/Invocations/e/red")
	c.update("e", "new")
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "new", *d.EndpointConfigName)
	require.Nil(t, d.FailureReason)
	require.Equal(t, "blue<x>\n", c.answer("e", "", "x"))
	require.Equal(t, float64(1), inflight, "only the request for the process id has been answered so far")
	require.NotZero(t, processtest.Find(red), "the old server drains")
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	inFlight.Wait()
	c.requireGone(red)

	blue := c.pid("e", "")
	c.update("e", "grown")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, blue, c.pid("e", "blue"), "an unchanged variant keeps its server")
	require.Equal(t, "red<x>\n", c.answer("e", "red", "x"))
}

// TestNoRequestIsLost sends requests all through several updates.
func TestNoRequestIsLost(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("blue", "blue")
	c.config("red", production("red", 1))
	c.config("blue", production("blue", 1))
	c.endpoint("e", "red")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	stop, failed := make(chan struct{}), make(chan error, 4)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := c.ask("e", "", "x"); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for _, config := range []string{"blue", "red", "blue"} {
		c.update("e", config)
		c.awaitEndpoint("e", types.EndpointStatusInService)
	}
	close(stop)
	clients.Wait()
	close(failed)
	require.NoError(t, <-failed)
}

func TestUnhealthyEndpoint(t *testing.T) {
	c := start(t, func(cfg *sagemaker.Config) { cfg.StartupTimeout = 2 * time.Second })
	c.model("good", "good")
	c.model("sick", "sick sick")
	c.model("crash", "crash crash")
	for _, name := range []string{"good", "sick", "crash"} {
		v := production(name, 1)
		if name != "sick" {
			v.ContainerStartupHealthCheckTimeoutInSeconds = aws.Int32(60)
		}
		c.config(name, v)
	}
	for _, name := range []string{"sick", "crash"} {
		c.endpoint(name, name)
		d := c.awaitEndpoint(name, types.EndpointStatusFailed)
		require.Contains(t, *d.FailureReason, "The primary container for production variant "+name+" did not pass the ping health check")
		require.Equal(t, name, *d.EndpointConfigName)
		c.eventually(func() bool { // a server's folder goes after its process
			left, err := os.ReadDir(filepath.Join(c.dir, "sagemaker", "servers"))
			return err == nil && len(left) == 0
		}, "a server was left behind")
		_, err := c.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: &name, EndpointConfigName: aws.String("good")})
		refused(t, err, "ValidationException", "in status Failed")
		c.delete(name)
	}

	c.endpoint("e", "good")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	pid := c.pid("e", "")
	c.update("e", "sick")
	d := c.described("e")
	require.Equal(t, types.EndpointStatusUpdating, d.EndpointStatus)
	require.Equal(t, "good", *d.EndpointConfigName)
	require.Equal(t, "sick", *d.PendingDeploymentSummary.EndpointConfigName)
	for _, call := range []func() error{
		func() error {
			_, err := c.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("good")})
			return err
		},
		func() error {
			_, err := c.sm.DeleteEndpoint(t.Context(), &sm.DeleteEndpointInput{EndpointName: aws.String("e")})
			return err
		},
	} {
		refused(t, call(), "ValidationException", "Cannot update in-progress endpoint")
	}
	require.Equal(t, "good<x>\n", c.answer("e", "", "x"), "the old server serves meanwhile")
	d = c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "good", *d.EndpointConfigName, "rolled back")
	require.Contains(t, *d.FailureReason, "ping health check")
	require.Nil(t, d.PendingDeploymentSummary)
	require.Equal(t, pid, c.pid("e", ""))
}

func TestDeadServerComesBack(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.config("c", production("red", 1))
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	pid := c.pid("e", "")
	_, err := c.ask("e", "", "die")
	refused(t, err, "ModelError", "the connection to the model server broke")
	c.eventually(func() bool {
		out, err := c.ask("e", "", "pid")
		return err == nil && string(out.Body) != pid
	}, "server never came back")
	c.requireGone(pid)
}

func TestEndpointResources(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.config("c", production("red", 1))
	ctx, name := t.Context(), aws.String
	_, err := c.sm.CreateModel(ctx, &sm.CreateModelInput{ModelName: name("red"), PrimaryContainer: &types.ContainerDefinition{Image: name(image)}})
	refused(t, err, "ValidationException", `Cannot create already existing model "arn:aws:sagemaker:us-east-1:000000000000:model/red".`)
	_, err = c.sm.CreateModel(ctx, &sm.CreateModelInput{ModelName: name("no-data"), PrimaryContainer: &types.ContainerDefinition{Image: name(image), ModelDataUrl: name("s3://data/none.tar.gz")}})
	refused(t, err, "ValidationException", "Could not find model data at s3://data/none.tar.gz.")
	_, err = c.sm.CreateModel(ctx, &sm.CreateModelInput{ModelName: name("two"), Containers: []types.ContainerDefinition{{Image: name(image)}, {Image: name(image)}}})
	refused(t, err, "ValidationException", "a model of 2 containers is not supported")
	_, err = c.sm.CreateEndpointConfig(ctx, &sm.CreateEndpointConfigInput{EndpointConfigName: name("c"), ProductionVariants: []types.ProductionVariant{production("red", 1)}})
	refused(t, err, "ValidationException", `Cannot create already existing endpoint configuration "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config/c".`)
	_, err = c.sm.CreateEndpointConfig(ctx, &sm.CreateEndpointConfigInput{EndpointConfigName: name("d"), ProductionVariants: []types.ProductionVariant{production("nothing", 1)}})
	refused(t, err, "ValidationException", `Could not find model "arn:aws:sagemaker:us-east-1:000000000000:model/nothing".`)
	_, err = c.sm.CreateEndpointConfig(ctx, &sm.CreateEndpointConfigInput{EndpointConfigName: name("d"), ProductionVariants: []types.ProductionVariant{production("red", 1)}, ExplainerConfig: &types.ExplainerConfig{ClarifyExplainerConfig: &types.ClarifyExplainerConfig{ShapConfig: &types.ClarifyShapConfig{ShapBaselineConfig: &types.ClarifyShapBaselineConfig{}}}}})
	refused(t, err, "ValidationException", "ExplainerConfig is not supported by the local cloud")
	_, err = c.sm.CreateEndpoint(ctx, &sm.CreateEndpointInput{EndpointName: name("e"), EndpointConfigName: name("none")})
	refused(t, err, "ValidationException", "Could not find endpoint configuration")
	_, err = c.sm.DescribeEndpoint(ctx, &sm.DescribeEndpointInput{EndpointName: name("e")})
	refused(t, err, "ValidationException", `Could not find endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e".`)

	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	_, err = c.sm.CreateEndpoint(ctx, &sm.CreateEndpointInput{EndpointName: name("e"), EndpointConfigName: name("c")})
	refused(t, err, "ValidationException", `Cannot create already existing endpoint "arn:aws:sagemaker:us-east-1:000000000000:endpoint/e".`)
	list, err := c.sm.ListEndpoints(ctx, &sm.ListEndpointsInput{StatusEquals: types.EndpointStatusInService})
	require.NoError(t, err)
	require.Len(t, list.Endpoints, 1)
	configs, err := c.sm.ListEndpointConfigs(ctx, &sm.ListEndpointConfigsInput{})
	require.NoError(t, err)
	require.Len(t, configs.EndpointConfigs, 1)
	models, err := c.sm.ListModels(ctx, &sm.ListModelsInput{NameContains: name("RED")})
	require.NoError(t, err)
	require.Len(t, models.Models, 1)

	_, err = c.sm.DeleteEndpointConfig(ctx, &sm.DeleteEndpointConfigInput{EndpointConfigName: name("c")})
	require.NoError(t, err)
	_, err = c.sm.DeleteModel(ctx, &sm.DeleteModelInput{ModelName: name("red")})
	require.NoError(t, err)
	_, err = c.sm.DescribeModel(ctx, &sm.DescribeModelInput{ModelName: name("red")})
	refused(t, err, "ValidationException", "Could not find model")
	require.Equal(t, "red<x>\n", c.answer("e", "", "x"), "what serves needs neither")
}
