package sagemaker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

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

// processingRun is the container on one host. Paths below /opt/ml in the command
// are those of the folder that plays it, unless a container engine mounts that
// there: the command of the SageMaker Python SDK names the script by such a path.
func (s *Service) processingRun(ctx context.Context, job *processingJob, h host) (process.Spec, error) {
	a := job.AppSpecification
	img, err := s.images.find(*a.ImageUri)
	if err != nil {
		return process.Spec{}, err
	}
	entrypoint, arguments := a.ContainerEntrypoint, a.ContainerArguments
	if img.Docker == "" {
		entrypoint, arguments = within(h.ml, entrypoint), within(h.ml, arguments)
	}
	return s.contain(ctx, contained{image: *a.ImageUri, entrypoint: entrypoint, arguments: arguments, base: h.ml, tmp: h.tmp}, process.Spec{
		Dir: h.run, WorkDir: h.ml, Log: s.file(h.log), Env: s.baseEnv(h.ml, h.tmp, job.Environment, nil),
		Grace: s.cfg.JobGrace, Limit: time.Duration(*job.StoppingCondition.MaxRuntimeInSeconds) * time.Second,
	})
}

// within puts base in the place of /opt/ml where an argument, or the value of an
// option (--input=/opt/ml/…), is a path below it.
func within(base string, arguments []string) []string {
	mapped := make([]string, len(arguments))
	for i, a := range arguments {
		option, value, isOption := strings.Cut(a, "=")
		if !isOption {
			option, value = "", a
		}
		if rest, ok := strings.CutPrefix(value, optRoot+"/"); ok {
			value = base + "/" + rest
		}
		mapped[i] = value
		if isOption {
			mapped[i] = option + "=" + value
		}
	}
	return mapped
}
