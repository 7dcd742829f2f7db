package sagemaker

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// shift is how the traffic of an endpoint moves from the servers of the old
// configuration to those of the new one. The zero value moves it at once.
type shift struct {
	Shares []float64     // of the traffic that the new servers take, step by step, before they take all
	Wait   time.Duration // after each of these steps
	Linger time.Duration // after the last step, before the old servers end
	Alarms []string      // CloudWatch alarms; one of them in ALARM takes the traffic back
	Limit  time.Duration // for the whole deployment; 0 for none
}

// steps counts the moves of traffic, the last to all of it included.
func (f shift) steps() int { return len(f.Shares) + 1 }

// share is what the new servers have of the traffic after a step, from 1 on.
func (f shift) share(step int) float64 {
	if step > len(f.Shares) {
		return 1
	}
	return f.Shares[step-1]
}

// wait is the baking time after a step.
func (f shift) wait(step int) time.Duration {
	if step > len(f.Shares) {
		return f.Linger
	}
	return f.Wait
}

// Bounds of a step, in percent of the instances, from the API reference of
// TrafficRoutingConfig and RollingUpdatePolicy.
const (
	leastLinear  = 10
	leastRolling = 5
	mostStep     = 50
)

// shiftOf checks a deployment's configuration for an endpoint of so many
// instances and reads how its traffic moves.
func shiftOf(c *types.DeploymentConfig, instances int32) (shift, error) {
	var f shift
	if c == nil {
		return f, nil
	}
	err := first(
		only("DeploymentConfig.", c, "BlueGreenUpdatePolicy", "RollingUpdatePolicy", "AutoRollbackConfiguration"),
		f.guard(c.AutoRollbackConfiguration),
	)
	switch {
	case err != nil:
	case c.BlueGreenUpdatePolicy != nil && c.RollingUpdatePolicy != nil:
		err = invalid("DeploymentConfig: only one of BlueGreenUpdatePolicy and RollingUpdatePolicy may be given.")
	case c.BlueGreenUpdatePolicy != nil:
		err = f.blueGreen(c.BlueGreenUpdatePolicy, instances)
	case c.RollingUpdatePolicy != nil:
		err = f.rolling(c.RollingUpdatePolicy, instances)
	}
	return f, err
}

// guard reads the alarms, which a configuration must have.
func (f *shift) guard(c *types.AutoRollbackConfig) error {
	if c == nil {
		return nil
	}
	if len(c.Alarms) == 0 {
		return invalid("DeploymentConfig.AutoRollbackConfiguration.Alarms: 1 to 10 alarms must be given.")
	}
	for _, a := range c.Alarms {
		if aws.ToString(a.AlarmName) == "" {
			return invalid("DeploymentConfig.AutoRollbackConfiguration.Alarms: an alarm needs its AlarmName.")
		}
		f.Alarms = append(f.Alarms, *a.AlarmName)
	}
	return nil
}

func (f *shift) blueGreen(p *types.BlueGreenUpdatePolicy, instances int32) error {
	const path = "DeploymentConfig.BlueGreenUpdatePolicy."
	t, path2 := p.TrafficRoutingConfiguration, path+"TrafficRoutingConfiguration."
	f.Linger, f.Limit, f.Wait = seconds(p.TerminationWaitInSeconds), seconds(p.MaximumExecutionTimeoutInSeconds), seconds(t.WaitIntervalInSeconds)
	var err error
	switch t.Type {
	case types.TrafficRoutingConfigTypeCanary:
		var size float64
		if size, err = sizeOf(path2+"CanarySize", t.CanarySize, instances, 1); err == nil {
			f.Shares = []float64{size}
		}
		return first(err, only(path2, t, "Type", "WaitIntervalInSeconds", "CanarySize"))
	case types.TrafficRoutingConfigTypeLinear:
		err = f.line(path2+"LinearStepSize", t.LinearStepSize, instances, leastLinear)
		return first(err, only(path2, t, "Type", "WaitIntervalInSeconds", "LinearStepSize"))
	}
	return only(path2, t, "Type", "WaitIntervalInSeconds") // all at once
}

// rolling moves traffic as the batches come. The new servers start together and
// the old ones end together: here no capacity is scarce.
func (f *shift) rolling(p *types.RollingUpdatePolicy, instances int32) error {
	const path = "DeploymentConfig.RollingUpdatePolicy."
	f.Limit, f.Wait = seconds(p.MaximumExecutionTimeoutInSeconds), seconds(p.WaitIntervalInSeconds)
	err := f.line(path+"MaximumBatchSize", p.MaximumBatchSize, instances, leastRolling)
	if err == nil && p.RollbackMaximumBatchSize != nil {
		_, err = sizeOf(path+"RollbackMaximumBatchSize", p.RollbackMaximumBatchSize, instances, leastRolling)
	}
	f.Linger = f.Wait // every batch bakes, the last as well
	return err
}

// line moves traffic in equal steps.
func (f *shift) line(field string, c *types.CapacitySize, instances int32, least float64) error {
	size, err := sizeOf(field, c, instances, least)
	if err != nil {
		return err
	}
	for n := 1; float64(n)*size < 1-1e-9; n++ {
		f.Shares = append(f.Shares, float64(n)*size)
	}
	return nil
}

// sizeOf is a step as a share of the instances.
func sizeOf(field string, c *types.CapacitySize, instances int32, least float64) (float64, error) {
	if c == nil {
		return 0, invalid("%s must be given.", field)
	}
	percent := float64(*c.Value)
	if c.Type == types.CapacitySizeTypeInstanceCount {
		percent *= 100 / float64(instances)
	}
	if percent < least || percent > mostStep {
		return 0, invalid("%s of %s %d is %.4g percent of %d instances: it must be from %g to %d percent.", field, c.Type, *c.Value, percent, instances, least, mostStep)
	}
	return percent / 100, nil
}

func seconds(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }
