package logs

import (
	"bytes"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	bolt "go.etcd.io/bbolt"
)

// maxScanned is how many events one page looks through. As on AWS a page may
// have fewer events than there are, or none, and a token all the same.
const maxScanned = 100_000

func (s *Store) filterEvents(_ context.Context, in *cwl.FilterLogEventsInput) (*cwl.FilterLogEventsOutput, error) {
	name, err := groupOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Unmask:
		return nil, notOffered("unmask")
	case in.StartFromHead != nil && !*in.StartFromHead:
		return nil, notOffered("startFromHead false")
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil:
		return nil, invalid("logStreamNames and logStreamNamePrefix are both given: give one of them")
	case len(in.LogStreamNames) > 100:
		return nil, invalid("logStreamNames has %d names: at most 100 are allowed", len(in.LogStreamNames))
	}
	want, err := parsePattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	most := limit(in.Limit, maxEvents)
	out := &cwl.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	return out, s.db.View(func(tx *bolt.Tx) error {
		g, err := findGroup(tx, name)
		if err != nil {
			return err
		}
		within, err := s.spanOf(g, in.StartTime, in.EndTime)
		if err != nil {
			return err
		}
		from := within.first()
		if in.NextToken != nil {
			p, ok := parsePosition(*in.NextToken)
			if !ok {
				return invalid("The specified nextToken is invalid.")
			}
			from = maxPosition(from, p)
		}
		streams, err := chosen(tx, name, in)
		if err != nil {
			return err
		}
		m := newMerge(tx, streams, from)
		out.NextToken = m.collect(out, want, within, most)
		return nil
	})
}

// chosen lists the streams of a request.
func chosen(tx *bolt.Tx, group string, in *cwl.FilterLogEventsInput) ([]*stream, error) {
	if len(in.LogStreamNames) == 0 {
		return streamsOf(tx, group, aws.ToString(in.LogStreamNamePrefix))
	}
	names := slices.Compact(slices.Sorted(slices.Values(in.LogStreamNames)))
	var streams []*stream
	for _, n := range names {
		st, err := findStream(tx, group, n)
		if err != nil {
			return nil, err
		}
		streams = append(streams, st)
	}
	return streams, nil
}

// merge reads several streams as one, in the order of positions.
type merge []*reading

type reading struct {
	stream     *stream
	cursor     *bolt.Cursor
	key, value []byte
}

func newMerge(tx *bolt.Tx, streams []*stream, from position) merge {
	var m merge
	for _, st := range streams {
		r := &reading{stream: st, cursor: tx.Bucket(eventsBucket).Bucket(st.key()).Cursor()}
		if r.key, r.value = r.cursor.Seek(from.key()); r.key != nil {
			m = append(m, r)
		}
	}
	return m
}

// collect takes the events wanted into out and answers where the next page
// begins, nil if there is none.
func (m merge) collect(out *cwl.FilterLogEventsOutput, want pattern, within span, most int) *string {
	size := int64(0)
	for scanned := 0; len(m) > 0; scanned++ {
		r := slices.MinFunc(m, func(a, b *reading) int { return bytes.Compare(a.key, b.key) })
		e := read(r.key, r.value)
		if e.time() >= within.to {
			return nil
		}
		hit := want.matches(e.message)
		if len(out.Events) == most || scanned == maxScanned || hit && size > 0 && size+e.cost() > maxBytes {
			return aws.String(e.at.String())
		}
		if hit {
			size += e.cost()
			out.Events = append(out.Events, types.FilteredLogEvent{EventId: aws.String(e.at.String()), LogStreamName: &r.stream.Name,
				Message: aws.String(e.message), Timestamp: aws.Int64(e.time()), IngestionTime: aws.Int64(e.ingested)})
		}
		if r.key, r.value = r.cursor.Next(); r.key == nil {
			m = slices.DeleteFunc(m, func(o *reading) bool { return o == r })
		}
	}
	return nil
}
