package sagemaker

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/process"
)

// prepareProcessing makes the hosts' folders anew: configuration files, inputs,
// and the folders of outputs.
func (s *Service) prepareProcessing(ctx context.Context, job *processingJob, c cluster) error {
	if err := os.RemoveAll(s.processingDir(*job.ProcessingJobName)); err != nil {
		return err
	}
	for _, h := range c {
		dir := filepath.Join(h.ml, "config")
		if err := first(
			makeDirs(h.run, "."), makeDirs(h.tmp, "."), makeDirs(h.ml, "config", "output", "processing"),
			c.writeHosts(h),
			writeJSON(filepath.Join(dir, "resourceconfig.json"), c.resourceConfig(h)),
			writeJSON(filepath.Join(dir, "processingjobconfig.json"), job.config()),
		); err != nil {
			return err
		}
		for _, out := range job.outputs() {
			folder, _ := belowOpt("", *out.LocalPath) // was checked
			if err := makeDirs(h.ml, folder); err != nil {
				return err
			}
		}
	}
	for _, in := range job.ProcessingInputs {
		folder, _ := belowOpt("", *in.S3Input.LocalPath) // was checked
		if err := s.give(ctx, c, channelData{folder: folder, kind: types.S3DataType(in.S3Input.S3DataType), uri: *in.S3Input.S3Uri,
			sharded: in.S3Input.S3DataDistributionType == types.ProcessingS3DataDistributionTypeShardedbys3key}); err != nil {
			return err
		}
	}
	return nil
}

func (j *processingJob) outputs() (list []*types.ProcessingS3Output) {
	if j.ProcessingOutputConfig == nil {
		return nil
	}
	for i := range j.ProcessingOutputConfig.Outputs {
		list = append(list, j.ProcessingOutputConfig.Outputs[i].S3Output)
	}
	return list
}

// config is processingjobconfig.json: the request, in the API's names.
func (j *processingJob) config() map[string]any {
	return map[string]any{
		"ProcessingJobArn": j.ProcessingJobArn, "ProcessingJobName": j.ProcessingJobName, "RoleArn": j.RoleArn,
		"AppSpecification": j.AppSpecification, "Environment": j.Environment, "NetworkConfig": j.NetworkConfig,
		"ProcessingInputs": j.ProcessingInputs, "ProcessingOutputConfig": j.ProcessingOutputConfig,
		"ProcessingResources": j.ProcessingResources, "StoppingCondition": j.StoppingCondition,
	}
}

// processingRun is the container on one host.
func (s *Service) processingRun(ctx context.Context, job *processingJob, h host) (process.Spec, error) {
	a := job.AppSpecification
	return s.contain(ctx, contained{image: *a.ImageUri, entrypoint: a.ContainerEntrypoint, arguments: a.ContainerArguments, base: h.ml, tmp: h.tmp, hosts: h.hostsFile(),
		alone: job.alone(), env: job.Environment,
	}, process.Spec{
		Dir: h.run, Log: s.file(h.log), Grace: s.cfg.JobGrace, Limit: time.Duration(*job.StoppingCondition.MaxRuntimeInSeconds) * time.Second,
	})
}

func (j *processingJob) alone() bool {
	return j.NetworkConfig != nil && aws.ToBool(j.NetworkConfig.EnableNetworkIsolation)
}
