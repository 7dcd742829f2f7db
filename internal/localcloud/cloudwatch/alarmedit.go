package cloudwatch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// remove deletes alarms, all or none.
func (a *Alarms) remove(_ context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) == 0 || len(in.AlarmNames) > maxNames {
		return nil, wrong("AlarmNames has %d entries, not 1 to %d.", len(in.AlarmNames), maxNames)
	}
	now := a.cfg.Now().UTC()
	err := a.db.Update(func(tx *bolt.Tx) error {
		for _, name := range in.AlarmNames {
			err := removeAlarm(tx, name, now)
			if errors.Is(err, errNoAlarm) {
				return &wire.Error{Code: "ResourceNotFound", Message: "Alarm " + name + " does not exist", Status: 404}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return &cloudwatch.DeleteAlarmsOutput{}, err
}

// removeAlarm deletes an alarm, or answers errNoAlarm.
func removeAlarm(tx *bolt.Tx, name string, now time.Time) error {
	x, err := readAlarm(tx, name)
	if err != nil {
		return err
	}
	if err := tx.Bucket(alarmBucket).Delete([]byte(name)); err != nil {
		return err
	}
	return recordConfiguration(tx, x, nil, now)
}

func (a *Alarms) enable(_ context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, a.setActions(in.AlarmNames, true)
}

func (a *Alarms) disable(_ context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, a.setActions(in.AlarmNames, false)
}

// setActions passes over alarms that do not exist, as CloudWatch does.
func (a *Alarms) setActions(names []string, enabled bool) error {
	if len(names) == 0 || len(names) > maxNames {
		return wrong("AlarmNames has %d entries, not 1 to %d.", len(names), maxNames)
	}
	for _, name := range names {
		err := a.change(name, func(tx *bolt.Tx, x *alarm) error {
			old, now := *x, a.cfg.Now().UTC()
			x.ActionsEnabled, x.AlarmConfigurationUpdatedTimestamp = &enabled, &now
			return recordConfiguration(tx, &old, x, now)
		})
		if err != nil && !errors.Is(err, errNoAlarm) {
			return err
		}
	}
	return nil
}

func (a *Alarms) tag(_ context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	err := checkTags(in.Tags)
	if err == nil {
		err = a.retag(in.ResourceARN, func(tags map[string]string) {
			for _, t := range in.Tags {
				tags[*t.Key] = aws.ToString(t.Value)
			}
		})
	}
	return &cloudwatch.TagResourceOutput{}, err
}

func (a *Alarms) untag(_ context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	return &cloudwatch.UntagResourceOutput{}, a.retag(in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (a *Alarms) retag(arn *string, edit func(map[string]string)) error {
	err := a.change(a.named(arn), func(_ *bolt.Tx, x *alarm) error {
		edit(x.Tags)
		if len(x.Tags) > maxTags {
			return wrong("%s would have %d tags, at most %d are allowed.", *arn, len(x.Tags), maxTags)
		}
		return nil
	})
	return notFound(err, arn)
}

func (a *Alarms) listTags(_ context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	x, err := a.get(a.named(in.ResourceARN))
	if err != nil {
		return nil, notFound(err, in.ResourceARN)
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []types.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(x.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: &key, Value: aws.String(x.Tags[key])})
	}
	return out, nil
}

// named is the name in an alarm's ARN, empty if it is none of ours.
func (a *Alarms) named(arn *string) string {
	prefix := a.arn("")
	if text := aws.ToString(arn); len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return ""
}

func notFound(err error, arn *string) error {
	if errors.Is(err, errNoAlarm) {
		return &wire.Error{Code: "ResourceNotFoundException", Message: "Unknown resource " + aws.ToString(arn), Status: 404}
	}
	return err
}

// checkTags refuses tags that AWS would, by "Tag" of the CloudWatch API reference.
func checkTags(tags []types.Tag) error {
	if len(tags) > maxTags {
		return wrong("%d tags are given, at most %d are allowed.", len(tags), maxTags)
	}
	for _, t := range tags {
		if n := len(aws.ToString(t.Key)); n == 0 || n > 128 || len(aws.ToString(t.Value)) > 256 {
			return wrong("Tag %q: a key has 1 to 128 characters, a value at most 256.", aws.ToString(t.Key))
		}
	}
	return nil
}
