package autoscaling

import (
	"context"
	"maps"
	"strings"

	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// maxTags is how many tags a target may have, by the API reference of TagResource.
const maxTags = 50

// checkTags refuses what the API's model allows and AWS does not.
func checkTags(tags map[string]string) error {
	for key := range tags {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Tag key %s: aws: prefixed tag key names are not allowed for external use.", key)
		}
	}
	return nil
}

func tooManyTags(t *target) error {
	if len(t.Tags) > maxTags {
		return wire.Errorf("TooManyTagsException", "%s would have %d tags, at most %d are allowed: remove some", t.ARN, len(t.Tags), maxTags)
	}
	return nil
}

func (s *Service) tag(_ context.Context, in *aas.TagResourceInput) (*aas.TagResourceOutput, error) {
	err := checkTags(in.Tags)
	if err == nil {
		err = s.retag(*in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	}
	return &aas.TagResourceOutput{}, err
}

func (s *Service) untag(_ context.Context, in *aas.UntagResourceInput) (*aas.UntagResourceOutput, error) {
	return &aas.UntagResourceOutput{}, s.retag(*in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (s *Service) retag(arn string, edit func(map[string]string)) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		t, err := targetOf(tx, arn)
		if err != nil {
			return err
		}
		edit(t.Tags)
		if err := tooManyTags(t); err != nil {
			return err
		}
		return write(tx, targetBucket, t.Resource, t)
	})
}

func (s *Service) listTags(_ context.Context, in *aas.ListTagsForResourceInput) (*aas.ListTagsForResourceOutput, error) {
	t, err := view(s, func(tx *bolt.Tx) (*target, error) { return targetOf(tx, *in.ResourceARN) })
	if err != nil {
		return nil, err
	}
	return &aas.ListTagsForResourceOutput{Tags: t.Tags}, nil
}

// targetOf finds a target by its ARN, with AWS's code if there is none.
func targetOf(tx *bolt.Tx, arn string) (*target, error) {
	list, err := all[target](tx, targetBucket, "")
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if t.ARN == arn {
			return t, nil
		}
	}
	return nil, wire.Errorf("ResourceNotFoundException", "Resource not found: %s", arn)
}
