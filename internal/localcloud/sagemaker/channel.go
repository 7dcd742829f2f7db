package sagemaker

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// checkChannelName refuses the dots that are no folder's name.
func checkChannelName(name string) error {
	if name == "." || name == ".." {
		return invalid("InputDataConfig.ChannelName %q cannot be the name of a folder: use letters", name)
	}
	return nil
}

func checkChannels(in *sm.CreateTrainingJobInput) error {
	seen := map[string]bool{}
	for i := range in.InputDataConfig {
		c := &in.InputDataConfig[i]
		if err := first(
			checkChannelName(*c.ChannelName),
			only("InputDataConfig.", c, "ChannelName", "DataSource", "ContentType", "CompressionType", "InputMode", "RecordWrapperType"),
			oneOf("InputDataConfig.RecordWrapperType", c.RecordWrapperType, types.RecordWrapperNone),
		); err != nil {
			return err
		}
		if seen[*c.ChannelName] {
			return invalid("InputDataConfig: the channel name %q is there twice: names of channels must be unique", *c.ChannelName)
		}
		seen[*c.ChannelName] = true
		if c.CompressionType == types.CompressionTypeGzip && inputMode(in.AlgorithmSpecification, c) != types.TrainingInputModePipe {
			return invalid("InputDataConfig.CompressionType Gzip of channel %q goes with the input mode Pipe only: in other modes leave it out and let the container decompress", *c.ChannelName)
		}
		if err := checkSource(c.DataSource, groupsOf(in.ResourceConfig)); err != nil {
			return err
		}
	}
	return nil
}

func checkSource(s *types.DataSource, groups []types.InstanceGroup) error {
	if err := first(only("InputDataConfig.DataSource.", s, "S3DataSource"), required(s, "S3DataSource")); err != nil {
		return err
	}
	const path = "InputDataConfig.DataSource.S3DataSource."
	d := s.S3DataSource
	_, bad := parseLocation("S3Uri", aws.ToString(d.S3Uri))
	for _, name := range d.InstanceGroupNames {
		if !slices.ContainsFunc(groups, func(g types.InstanceGroup) bool { return *g.InstanceGroupName == name }) {
			return invalid("%sInstanceGroupNames: %q is none of ResourceConfig.InstanceGroups", path, name)
		}
	}
	return first(
		only(path, d, "S3DataType", "S3Uri", "S3DataDistributionType", "InstanceGroupNames"),
		oneOf(path+"S3DataType", d.S3DataType, types.S3DataTypeS3Prefix, types.S3DataTypeManifestFile),
		bad)
}

// inputMode is a channel's, or else the job's.
func inputMode(a *types.AlgorithmSpecification, c *types.Channel) types.TrainingInputMode {
	if c.InputMode != "" {
		return c.InputMode
	}
	return a.TrainingInputMode
}

// shard is a host's part of the sources, every n-th of them; all hosts' parts
// are about equally many.
func shard(all []source, host, hosts int) []source {
	var part []source
	for i := host; i < len(all); i += hosts {
		part = append(part, all[i])
	}
	return part
}

// channelData is an input of a job: what it holds and how hosts get it.
type channelData struct {
	folder  string // below /opt/ml
	kind    types.S3DataType
	uri     string
	sharded bool
	groups  []string
}

// spread lists what each of the hosts gets; a host that gets nothing is not in
// the answer.
func (s *Service) spread(ctx context.Context, c cluster, data channelData) (map[string][]source, error) {
	all, err := s.sources(ctx, data.kind, data.uri)
	if err != nil {
		return nil, err
	}
	parts := map[string][]source{}
	takers := c.of(data.groups)
	for i, h := range takers {
		parts[h.name] = all
		if data.sharded {
			parts[h.name] = shard(all, i, len(takers))
		}
	}
	return parts, nil
}

// give downloads an input to the hosts.
func (s *Service) give(ctx context.Context, c cluster, data channelData) error {
	parts, err := s.spread(ctx, c, data)
	if err != nil {
		return err
	}
	for _, h := range c.of(data.groups) {
		dir := filepath.Join(h.ml, filepath.FromSlash(data.folder))
		if err := first(makeDirs(dir, "."), s.download(ctx, parts[h.name], dir)); err != nil {
			return err
		}
	}
	return nil
}
