package logs

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// group is the record of a log group.
type group struct {
	Created   int64
	Retention int32 `json:",omitempty"` // days; 0 keeps for ever
	Bytes     int64 // of its events, as AWS counts them
}

// Operations are the operations of the CloudWatch Logs API that this cloud
// offers.
func (s *Store) Operations() wire.Operations {
	return wire.Operations{
		"CreateLogGroup":        wire.Op(s.createGroup),
		"DeleteLogGroup":        wire.Op(s.deleteGroup),
		"DescribeLogGroups":     wire.Op(s.describeGroups),
		"PutRetentionPolicy":    wire.Op(s.putRetention),
		"DeleteRetentionPolicy": wire.Op(s.deleteRetention),
		"CreateLogStream":       wire.Op(s.createStream),
		"DeleteLogStream":       wire.Op(s.deleteStream),
		"DescribeLogStreams":    wire.Op(s.describeStreams),
		"PutLogEvents":          wire.Op(s.putEvents),
		"GetLogEvents":          wire.Op(s.getEvents),
		"FilterLogEvents":       wire.Op(s.filterEvents),
	}.Constrained("logs")
}

func noGroup() error {
	return wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
}

// findGroup reads a group's record, or refuses.
func findGroup(tx *bolt.Tx, name string) (*group, error) {
	g, err := get[group](tx.Bucket(groupsBucket), name)
	if err == nil && g == nil {
		err = noGroup()
	}
	return g, err
}

func (s *Store) createGroup(_ context.Context, in *cwl.CreateLogGroupInput) (*cwl.CreateLogGroupOutput, error) {
	switch {
	case in.LogGroupClass != "" && in.LogGroupClass != types.LogGroupClassStandard:
		return nil, notOffered("logGroupClass " + string(in.LogGroupClass))
	case aws.ToBool(in.DeletionProtectionEnabled):
		return nil, notOffered("deletionProtectionEnabled")
	case len(in.Tags) > 0:
		return nil, notOffered("tags")
	}
	return &cwl.CreateLogGroupOutput{}, s.db.Update(func(tx *bolt.Tx) error {
		created, err := s.addGroup(tx, *in.LogGroupName)
		if err == nil && !created {
			err = wire.Errorf("ResourceAlreadyExistsException", "The specified log group already exists")
		}
		return err
	})
}

// addGroup makes a group unless it is there.
func (s *Store) addGroup(tx *bolt.Tx, name string) (created bool, err error) {
	b := tx.Bucket(groupsBucket)
	if b.Get([]byte(name)) != nil {
		return false, nil
	}
	return true, put(b, name, group{Created: s.now()})
}

func (s *Store) deleteGroup(_ context.Context, in *cwl.DeleteLogGroupInput) (*cwl.DeleteLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	return &cwl.DeleteLogGroupOutput{}, s.db.Update(func(tx *bolt.Tx) error {
		if _, err := findGroup(tx, name); err != nil {
			return err
		}
		all, err := streamsOf(tx, name, "")
		if err != nil {
			return err
		}
		for _, st := range all {
			if err := st.remove(tx, name); err != nil {
				return err
			}
		}
		if tx.Bucket(streamsBucket).Bucket([]byte(name)) != nil {
			if err := tx.Bucket(streamsBucket).DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return tx.Bucket(groupsBucket).Delete([]byte(name))
	})
}

func (s *Store) describeGroups(_ context.Context, in *cwl.DescribeLogGroupsInput) (*cwl.DescribeLogGroupsOutput, error) {
	switch {
	case len(in.AccountIdentifiers) > 0 || aws.ToBool(in.IncludeLinkedAccounts):
		return nil, notOffered("accountIdentifiers and includeLinkedAccounts")
	case len(in.LogGroupIdentifiers) > 0:
		return nil, notOffered("logGroupIdentifiers")
	case in.LogGroupNamePattern != nil && in.LogGroupNamePrefix != nil:
		return nil, invalid("logGroupNamePattern and logGroupNamePrefix are mutually exclusive: give one of them")
	}
	most := limit(in.Limit, maxDescribed)
	after, err := decodeToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cwl.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	wanted := func(name string) bool {
		return name > after && strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) &&
			strings.Contains(strings.ToLower(name), strings.ToLower(aws.ToString(in.LogGroupNamePattern))) &&
			(in.LogGroupClass == "" || in.LogGroupClass == types.LogGroupClassStandard)
	}
	return out, s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(groupsBucket).Cursor()
		for k, _ := c.Seek([]byte(after)); k != nil; k, _ = c.Next() {
			if !wanted(string(k)) {
				continue
			}
			if len(out.LogGroups) == most {
				out.NextToken = encodeToken(*out.LogGroups[most-1].LogGroupName)
				return nil
			}
			g, err := findGroup(tx, string(k))
			if err != nil {
				return err
			}
			out.LogGroups = append(out.LogGroups, s.describeGroup(string(k), g))
		}
		return nil
	})
}

func (s *Store) describeGroup(name string, g *group) types.LogGroup {
	arn := s.arn(name)
	d := types.LogGroup{LogGroupName: &name, Arn: aws.String(arn + ":*"), LogGroupArn: &arn, CreationTime: &g.Created,
		MetricFilterCount: aws.Int32(0), StoredBytes: &g.Bytes, LogGroupClass: types.LogGroupClassStandard}
	if g.Retention > 0 {
		d.RetentionInDays = &g.Retention
	}
	return d
}

func (s *Store) arn(group string) string {
	return "arn:aws:logs:" + s.cfg.Region + ":" + s.cfg.Account + ":log-group:" + group
}

// retentions are the days that PutRetentionPolicy takes (API reference).
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (s *Store) putRetention(_ context.Context, in *cwl.PutRetentionPolicyInput) (*cwl.PutRetentionPolicyOutput, error) {
	if days := aws.ToInt32(in.RetentionInDays); !slices.Contains(retentions, days) {
		return nil, invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", days, retentions)
	}
	return &cwl.PutRetentionPolicyOutput{}, s.retain(in.LogGroupName, *in.RetentionInDays)
}

func (s *Store) deleteRetention(_ context.Context, in *cwl.DeleteRetentionPolicyInput) (*cwl.DeleteRetentionPolicyOutput, error) {
	return &cwl.DeleteRetentionPolicyOutput{}, s.retain(in.LogGroupName, 0)
}

func (s *Store) retain(name *string, days int32) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		g, err := findGroup(tx, aws.ToString(name))
		if err != nil {
			return err
		}
		g.Retention = days
		return put(tx.Bucket(groupsBucket), *name, g)
	})
}

func encodeToken(place string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(place)))
}

func decodeToken(token *string) (string, error) {
	place, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return "", invalid("The specified nextToken is invalid.")
	}
	return string(place), nil
}
