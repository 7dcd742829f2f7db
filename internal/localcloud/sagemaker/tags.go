package sagemaker

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// maxTags is the limit of tags on one resource in the SageMaker API reference.
const maxTags = 50

func (s *Service) tagOperations(ops wire.Operations) {
	ops["AddTags"] = wire.Op(s.addTags)
	ops["ListTags"] = wire.Op(s.listTags)
	ops["DeleteTags"] = wire.Op(s.deleteTags)
}

func (s *Service) addTags(_ context.Context, in *sm.AddTagsInput) (*sm.AddTagsOutput, error) {
	tags, err := s.changeTags(in.ResourceArn, func(m map[string]string) error {
		maps.Copy(m, tagMap(in.Tags))
		return checkTags(*in.ResourceArn, m, in.Tags)
	})
	return &sm.AddTagsOutput{Tags: tags}, err
}

// checkTags checks the tags that are new and the number of all.
func checkTags(arn string, all map[string]string, added []types.Tag) error {
	if len(all) > maxTags {
		return invalid("%d tags on %s: at most %d are allowed", len(all), arn, maxTags)
	}
	seen := map[string]bool{}
	for _, t := range added {
		switch key := *t.Key; {
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("%s: aws: prefixed tag key names are not allowed for external use.", key)
		case seen[key]:
			return invalid("Duplicate tag keys found: %s is given more than once.", key)
		}
		seen[*t.Key] = true
	}
	return nil
}

func (s *Service) deleteTags(_ context.Context, in *sm.DeleteTagsInput) (*sm.DeleteTagsOutput, error) {
	_, err := s.changeTags(in.ResourceArn, func(m map[string]string) error {
		maps.DeleteFunc(m, func(k, _ string) bool { return slices.Contains(in.TagKeys, k) })
		return nil
	})
	return &sm.DeleteTagsOutput{}, err
}

// listTags answers all tags at once: the smallest page that may be asked for
// holds as many as a resource may have.
func (s *Service) listTags(_ context.Context, in *sm.ListTagsInput) (*sm.ListTagsOutput, error) {
	if aws.ToString(in.NextToken) != "" {
		return nil, invalid("NextToken %q is not a token of this list: it has no second page", *in.NextToken)
	}
	var tags map[string]string
	err := s.store.db.View(func(tx *bolt.Tx) (err error) {
		tags, err = readTags(tx, in.ResourceArn)
		return err
	})
	return &sm.ListTagsOutput{Tags: tagList(tags)}, err
}

func (s *Service) changeTags(arn *string, change func(map[string]string) error) ([]types.Tag, error) {
	var tags map[string]string
	err := s.store.db.Update(func(tx *bolt.Tx) (err error) {
		if tags, err = readTags(tx, arn); err != nil {
			return err
		}
		if err = change(tags); err != nil {
			return err
		}
		return writeTags(tx, *arn, tags)
	})
	return tagList(tags), err
}

// readTags answers a resource's tags; every resource has an entry, if an empty
// one.
func readTags(tx *bolt.Tx, arn *string) (map[string]string, error) {
	data := tx.Bucket(tagBucket).Get([]byte(aws.ToString(arn)))
	if data == nil {
		return nil, invalid("Requested resource not found: %s", aws.ToString(arn))
	}
	tags := map[string]string{}
	return tags, json.Unmarshal(data, &tags)
}

func tagList(m map[string]string) []types.Tag {
	tags := make([]types.Tag, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(m[k])})
	}
	return tags
}
