package sns

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// pageSize is how many topics or subscriptions one answer lists, as on AWS.
const pageSize = 100

const maxTags = 50

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (s *Service) arn(name string) string {
	return "arn:aws:sns:" + s.cfg.Region + ":" + s.cfg.Account + ":" + name
}

// createTopic makes a topic, or gives the one that is there if it is the same.
func (s *Service) createTopic(_ context.Context, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := aws.ToString(in.Name)
	switch {
	case !topicName.MatchString(name):
		return nil, invalid("Topic Name %q: it must have 1 to 256 letters, digits, hyphens and underscores; FIFO topics are not supported by the local cloud", name)
	case in.DataProtectionPolicy != nil:
		return nil, invalid("DataProtectionPolicy is not supported by the local cloud: leave it out")
	}
	attributes := map[string]string{}
	for attribute, value := range in.Attributes {
		if err := checkTopicAttribute("Attributes", attribute, value); err != nil {
			return nil, err
		}
		attributes[attribute] = value
	}
	t := topic{ARN: s.arn(name), Attributes: attributes, Tags: map[string]string{}}
	if err := addTags(t.Tags, in.Tags); err != nil {
		return nil, err
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		old, err := read[topic](tx, topicBucket, t.ARN)
		switch {
		case errors.Is(err, errMissing):
			return write(tx, topicBucket, t.ARN, t)
		case err != nil:
			return err
		case !within(attributes, old.Attributes):
			return invalid("Attributes Reason: Topic already exists with different attributes")
		case len(in.Tags) > 0 && !maps.Equal(t.Tags, old.Tags):
			return invalid("Tags Reason: Topic already exists with different tags")
		}
		return nil
	})
	return &sns.CreateTopicOutput{TopicArn: &t.ARN}, err
}

// within tells whether every entry of part is in whole.
func within(part, whole map[string]string) bool {
	for k, v := range part {
		if have, ok := whole[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// deleteTopic deletes a topic with its subscriptions; one that is not there is fine.
func (s *Service) deleteTopic(_ context.Context, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	if err := checkARN("TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		var gone []string
		err := each(tx, subscriptionBucket, *in.TopicArn+":", "", func(sub *subscription) bool {
			gone = append(gone, sub.ARN)
			return true
		})
		for _, arn := range gone {
			err = errors.Join(err, tx.Bucket(subscriptionBucket).Delete([]byte(arn)))
		}
		return errors.Join(err, tx.Bucket(topicBucket).Delete([]byte(*in.TopicArn)))
	})
	return &sns.DeleteTopicOutput{}, err
}

// listTopics gives topics in the order of their names; a token is the last ARN of
// the page before.
func (s *Service) listTopics(_ context.Context, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	out := &sns.ListTopicsOutput{Topics: []types.Topic{}}
	err := s.db.View(func(tx *bolt.Tx) error {
		return each(tx, topicBucket, "", aws.ToString(in.NextToken), func(t *topic) bool {
			if len(out.Topics) == pageSize {
				out.NextToken = out.Topics[pageSize-1].TopicArn
				return false
			}
			out.Topics = append(out.Topics, types.Topic{TopicArn: &t.ARN})
			return true
		})
	})
	return out, err
}

func (s *Service) tag(_ context.Context, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	return &sns.TagResourceOutput{}, s.retag(in.ResourceArn, func(tags map[string]string) error { return addTags(tags, in.Tags) })
}

func (s *Service) untag(_ context.Context, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	return &sns.UntagResourceOutput{}, s.retag(in.ResourceArn, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

func (s *Service) retag(arn *string, edit func(map[string]string) error) error {
	return noResource(s.changeTopic(arn, func(_ *bolt.Tx, t *topic) error { return edit(t.Tags) }))
}

// noResource words a missing topic as the operations on tags do.
func noResource(err error) error {
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Code == "NotFound" {
		return &wire.Error{Code: "ResourceNotFound", Message: "Resource does not exist", Status: e.Status}
	}
	return err
}

// addTags adds tags within AWS's limits.
func addTags(to map[string]string, tags []types.Tag) error {
	for _, t := range tags {
		if n := len(aws.ToString(t.Key)); n == 0 || n > 128 || len(aws.ToString(t.Value)) > 256 {
			return invalid("Tags Reason: tag %q: a key has 1 to 128 characters, a value at most 256", aws.ToString(t.Key))
		}
		to[*t.Key] = aws.ToString(t.Value)
	}
	if len(to) > maxTags {
		return wire.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	}
	return nil
}

func (s *Service) listTags(_ context.Context, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
	out := &sns.ListTagsForResourceOutput{Tags: []types.Tag{}}
	err := s.db.View(func(tx *bolt.Tx) error {
		t, err := s.topic(tx, in.ResourceArn)
		if err != nil {
			return noResource(err)
		}
		for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
			out.Tags = append(out.Tags, types.Tag{Key: &key, Value: aws.String(t.Tags[key])})
		}
		return nil
	})
	return out, err
}
