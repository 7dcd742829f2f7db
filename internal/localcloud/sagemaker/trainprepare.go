package sagemaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// prepareTraining makes the hosts' folders anew: configuration files, input
// channels and checkpoints as the container contract has them. It returns the
// feeds of channels in Pipe mode.
func (s *Service) prepareTraining(ctx context.Context, job *trainingJob, c cluster) ([]feed, error) {
	if err := s.images.check(*job.AlgorithmSpecification.TrainingImage); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(s.trainingDir(*job.TrainingJobName)); err != nil {
		return nil, err
	}
	for _, h := range c {
		if err := first(
			makeDirs(h.run, "."), makeDirs(h.tmp, "."),
			makeDirs(h.ml, "input/config", "input/data", "model", "output/data", "checkpoints", "code"),
			c.writeHosts(h),
			writeTrainingConfig(filepath.Join(h.ml, "input", "config"), job, c, h),
		); err != nil {
			return nil, err
		}
	}
	var feeds []feed
	for i := range job.InputDataConfig {
		more, err := s.prepareChannel(ctx, job, c, &job.InputDataConfig[i])
		if err != nil {
			return nil, err
		}
		feeds = append(feeds, more...)
	}
	return feeds, s.restoreCheckpoints(ctx, job, c)
}

func (s *Service) prepareChannel(ctx context.Context, job *trainingJob, c cluster, ch *types.Channel) ([]feed, error) {
	src := ch.DataSource.S3DataSource
	data := channelData{folder: "input/data/" + *ch.ChannelName, kind: src.S3DataType, uri: *src.S3Uri,
		sharded: src.S3DataDistributionType == types.S3DataDistributionShardedByS3Key, groups: src.InstanceGroupNames}
	if inputMode(job.AlgorithmSpecification, ch) != types.TrainingInputModePipe {
		return nil, s.give(ctx, c, data)
	}
	parts, err := s.spread(ctx, c, data)
	if err != nil {
		return nil, err
	}
	var feeds []feed
	for _, h := range c.of(data.groups) {
		f := feed{dir: filepath.Join(h.ml, "input", "data"), channel: *ch.ChannelName, list: parts[h.name], gzip: ch.CompressionType == types.CompressionTypeGzip}
		if err := f.open(0); err != nil {
			return nil, err
		}
		feeds = append(feeds, f)
	}
	return feeds, nil
}

// piped reports whether a channel of the job is in Pipe mode.
func (j *trainingJob) piped() bool {
	for i := range j.InputDataConfig {
		if inputMode(j.AlgorithmSpecification, &j.InputDataConfig[i]) == types.TrainingInputModePipe {
			return true
		}
	}
	return false
}

// checkpoints gives where a job's checkpoints are, below /opt/ml and in S3;
// false if it has none.
func (j *trainingJob) checkpoints() (folder string, at location, ok bool) {
	if j.CheckpointConfig == nil {
		return "", location{}, false
	}
	folder = "checkpoints"
	if j.CheckpointConfig.LocalPath != nil {
		folder, _ = belowOpt("", *j.CheckpointConfig.LocalPath) // was checked
	}
	at, _ = parseLocation("", *j.CheckpointConfig.S3Uri) // was checked
	return folder, at, true
}

// restoreCheckpoints gives every host what an earlier run, or another job, left.
func (s *Service) restoreCheckpoints(ctx context.Context, job *trainingJob, c cluster) error {
	folder, at, ok := job.checkpoints()
	if !ok {
		return nil
	}
	list, err := s.prefix(ctx, at.join(""))
	if err != nil {
		return err
	}
	for _, src := range list {
		if !filepath.IsLocal(src.name) {
			return fmt.Errorf("checkpoint %s: %q is not a relative path", src.at, src.name)
		}
	}
	for _, h := range c {
		to := h.tree(folder)
		if err := first(makeDirs(to.dir(), "."), s.download(ctx, list, to.dir()), noteRestored(h, to)); err != nil {
			return err
		}
	}
	return nil
}

// restoredFile notes what a host was given, beside what its container sees.
func (h host) restoredFile() string { return filepath.Join(filepath.Dir(h.ml), "restored.json") }

func noteRestored(h host, checkpoints tree) error {
	given, err := versions(checkpoints)
	if err != nil {
		return err
	}
	text, err := json.Marshal(given)
	if err != nil {
		return err
	}
	return os.WriteFile(h.restoredFile(), text, 0o600)
}

// mirrorCheckpoints mirrors what hosts write, for a run that begins and for one that
// is found again. What a host was given is not its own: sent back, it could take the
// place of what another host has written since.
func (s *Service) mirrorCheckpoints(job *trainingJob, c cluster) (all []*mirror) {
	folder, at, ok := job.checkpoints()
	if !ok {
		return nil
	}
	for _, h := range c {
		m := s.mirror(h.tree(folder), at)
		text, err := os.ReadFile(h.restoredFile())
		if err == nil {
			err = json.Unmarshal(text, &m.seen)
		}
		if err != nil {
			s.log.Error("what a host was given is not known: it is sent back", "host", h.name, "error", err)
		}
		all = append(all, m)
	}
	return all
}

// channelConfig is an entry of inputdataconfig.json.
type channelConfig struct {
	TrainingInputMode  string
	S3DistributionType string
	RecordWrapperType  string
	CompressionType    string `json:",omitempty"`
	ContentType        string `json:",omitempty"`
}

func writeTrainingConfig(dir string, job *trainingJob, c cluster, h host) error {
	channels := map[string]channelConfig{}
	for i := range job.InputDataConfig {
		ch := &job.InputDataConfig[i]
		if groups := ch.DataSource.S3DataSource.InstanceGroupNames; len(groups) > 0 && !slices.Contains(groups, h.group) {
			continue
		}
		channels[*ch.ChannelName] = configure(job.AlgorithmSpecification, ch)
	}
	hyper := job.HyperParameters
	if hyper == nil {
		hyper = map[string]string{}
	}
	return errors.Join(
		writeJSON(filepath.Join(dir, "hyperparameters.json"), hyper),
		writeJSON(filepath.Join(dir, "inputdataconfig.json"), channels),
		writeJSON(filepath.Join(dir, "resourceconfig.json"), c.resourceConfig(h)),
	)
}

func configure(a *types.AlgorithmSpecification, c *types.Channel) channelConfig {
	either := func(v, otherwise string) string {
		if v == "" {
			return otherwise
		}
		return v
	}
	return channelConfig{
		TrainingInputMode:  string(inputMode(a, c)),
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
