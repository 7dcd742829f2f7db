package logs

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// stream is the record of a log stream. Times are those of its events, 0 for
// none.
type stream struct {
	Name                  string
	ID                    uint64 // its bucket of events
	Created               int64
	First, Last, Ingested int64
	Bytes                 int64
}

// findStream reads a stream's record, or refuses.
func findStream(tx *bolt.Tx, group, name string) (*stream, error) {
	if _, err := findGroup(tx, group); err != nil {
		return nil, err
	}
	st, err := get[stream](tx.Bucket(streamsBucket).Bucket([]byte(group)), name)
	if err == nil && st == nil {
		err = wire.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	return st, err
}

// streamsOf lists the streams of a group whose names begin with prefix, by name.
func streamsOf(tx *bolt.Tx, group, prefix string) ([]*stream, error) {
	b := tx.Bucket(streamsBucket).Bucket([]byte(group))
	if b == nil {
		return nil, nil
	}
	var all []*stream
	c := b.Cursor()
	for k, _ := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, _ = c.Next() {
		st, err := get[stream](b, string(k))
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, nil
}

// addStream makes a stream of a group that is there, unless the stream is.
func (s *Store) addStream(tx *bolt.Tx, group, name string) (st *stream, created bool, err error) {
	b, err := tx.Bucket(streamsBucket).CreateBucketIfNotExists([]byte(group))
	if err != nil {
		return nil, false, err
	}
	if st, err = get[stream](b, name); err != nil || st != nil {
		return st, false, err
	}
	id, err := tx.Bucket(streamsBucket).NextSequence()
	if err != nil {
		return nil, false, err
	}
	st = &stream{Name: name, ID: id, Created: s.now()}
	if _, err = tx.Bucket(eventsBucket).CreateBucket(st.key()); err != nil {
		return nil, false, err
	}
	return st, true, put(b, name, st)
}

// remove deletes a stream and its events.
func (st *stream) remove(tx *bolt.Tx, group string) error {
	if err := tx.Bucket(eventsBucket).DeleteBucket(st.key()); err != nil {
		return err
	}
	if err := grow(tx, group, -st.Bytes); err != nil {
		return err
	}
	return tx.Bucket(streamsBucket).Bucket([]byte(group)).Delete([]byte(st.Name))
}

// grow changes what a group counts as its size.
func grow(tx *bolt.Tx, name string, by int64) error {
	g, err := findGroup(tx, name)
	if err != nil || by == 0 {
		return err
	}
	g.Bytes += by
	return put(tx.Bucket(groupsBucket), name, g)
}

func (s *Store) createStream(_ context.Context, in *cwl.CreateLogStreamInput) (*cwl.CreateLogStreamOutput, error) {
	return &cwl.CreateLogStreamOutput{}, s.db.Update(func(tx *bolt.Tx) error {
		if _, err := findGroup(tx, *in.LogGroupName); err != nil {
			return err
		}
		_, created, err := s.addStream(tx, *in.LogGroupName, *in.LogStreamName)
		if err == nil && !created {
			err = wire.Errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
		}
		return err
	})
}

func (s *Store) deleteStream(_ context.Context, in *cwl.DeleteLogStreamInput) (*cwl.DeleteLogStreamOutput, error) {
	return &cwl.DeleteLogStreamOutput{}, s.db.Update(func(tx *bolt.Tx) error {
		st, err := findStream(tx, aws.ToString(in.LogGroupName), aws.ToString(in.LogStreamName))
		if err != nil {
			return err
		}
		return st.remove(tx, *in.LogGroupName)
	})
}

func (s *Store) describeStreams(_ context.Context, in *cwl.DescribeLogStreamsInput) (*cwl.DescribeLogStreamsOutput, error) {
	name, err := groupOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	most := limit(in.Limit, maxDescribed)
	after, err := decodeToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	place := func(st *stream) string {
		if byTime {
			return fmt.Sprintf("%020d", st.Last) + st.Name
		}
		return st.Name
	}
	compare := func(a, b string) int {
		if aws.ToBool(in.Descending) {
			a, b = b, a
		}
		return strings.Compare(a, b)
	}
	var all []*stream
	err = s.db.View(func(tx *bolt.Tx) (err error) {
		if _, err = findGroup(tx, name); err == nil {
			all, err = streamsOf(tx, name, aws.ToString(in.LogStreamNamePrefix))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(st *stream) bool { return after != "" && compare(place(st), after) <= 0 })
	slices.SortFunc(all, func(a, b *stream) int { return compare(place(a), place(b)) })
	out := &cwl.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	if len(all) > most {
		all = all[:most]
		out.NextToken = encodeToken(place(all[most-1]))
	}
	for _, st := range all {
		out.LogStreams = append(out.LogStreams, st.describe(s.arn(name)))
	}
	return out, nil
}

// describe words the record as DescribeLogStreams does; AWS says 0 for the
// stored bytes of every stream since 2019.
func (st *stream) describe(group string) types.LogStream {
	d := types.LogStream{LogStreamName: &st.Name, Arn: aws.String(group + ":log-stream:" + st.Name), CreationTime: &st.Created,
		UploadSequenceToken: aws.String(sequenceToken)}
	d.StoredBytes = aws.Int64(0) //nolint:staticcheck // deprecated, and still answered
	if st.Bytes > 0 {
		d.FirstEventTimestamp, d.LastEventTimestamp, d.LastIngestionTime = &st.First, &st.Last, &st.Ingested
	}
	return d
}
