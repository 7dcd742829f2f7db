package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// prepareTraining makes the job's folder anew: configuration files and input
// channels as the container contract has them.
func (s *Service) prepareTraining(ctx context.Context, job *trainingJob) error {
	if err := s.images.check(*job.AlgorithmSpecification.TrainingImage); err != nil {
		return err
	}
	d := s.jobDirs(*job.TrainingJobName)
	if err := os.RemoveAll(d.root); err != nil {
		return err
	}
	if err := first(
		makeDirs(d.root, "run", "tmp"),
		makeDirs(d.ml, "input/config", "input/data", "model", "output/data", "checkpoints", "code"),
		writeTrainingConfig(filepath.Join(d.ml, "input", "config"), job),
	); err != nil {
		return err
	}
	for _, c := range job.InputDataConfig {
		src := c.DataSource.S3DataSource
		list, err := s.sources(ctx, src.S3DataType, *src.S3Uri)
		if err != nil {
			return err
		}
		if err := s.download(ctx, list, filepath.Join(d.ml, "input", "data", *c.ChannelName)); err != nil {
			return err
		}
	}
	return nil
}

// channelConfig is an entry of inputdataconfig.json.
type channelConfig struct {
	TrainingInputMode  string
	S3DistributionType string
	RecordWrapperType  string
	CompressionType    string `json:",omitempty"`
	ContentType        string `json:",omitempty"`
}

// resourceConfig is resourceconfig.json.
type resourceConfig struct {
	CurrentHost         string          `json:"current_host"`
	CurrentInstanceType string          `json:"current_instance_type"`
	CurrentGroupName    string          `json:"current_group_name"`
	Hosts               []string        `json:"hosts"`
	InstanceGroups      []instanceGroup `json:"instance_groups"`
	NetworkInterface    string          `json:"network_interface_name"`
}

type instanceGroup struct {
	Name  string   `json:"instance_group_name"`
	Type  string   `json:"instance_type"`
	Hosts []string `json:"hosts"`
}

func writeTrainingConfig(dir string, job *trainingJob) error {
	channels := map[string]channelConfig{}
	for _, c := range job.InputDataConfig {
		channels[*c.ChannelName] = channel(c)
	}
	hyper := job.HyperParameters
	if hyper == nil {
		hyper = map[string]string{}
	}
	kind, hosts := string(job.ResourceConfig.InstanceType), []string{"algo-1"}
	return errors.Join(
		writeJSON(filepath.Join(dir, "hyperparameters.json"), hyper),
		writeJSON(filepath.Join(dir, "inputdataconfig.json"), channels),
		writeJSON(filepath.Join(dir, "resourceconfig.json"), resourceConfig{
			CurrentHost: hosts[0], CurrentInstanceType: kind, CurrentGroupName: "homogeneousCluster", Hosts: hosts,
			InstanceGroups:   []instanceGroup{{"homogeneousCluster", kind, hosts}},
			NetworkInterface: "lo",
		}),
	)
}

func channel(c types.Channel) channelConfig {
	either := func(v, otherwise string) string {
		if v == "" {
			return otherwise
		}
		return v
	}
	return channelConfig{
		TrainingInputMode:  "File",
		S3DistributionType: either(string(c.DataSource.S3DataSource.S3DataDistributionType), "FullyReplicated"),
		RecordWrapperType:  either(string(c.RecordWrapperType), "None"),
		CompressionType:    string(c.CompressionType),
		ContentType:        aws.ToString(c.ContentType),
	}
}

func writeJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
