package logs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	bolt "go.etcd.io/bbolt"
)

// Limits of PutLogEvents (API reference).
const (
	maxAge   = 14 * 24 * time.Hour
	maxAhead = 2 * time.Hour
	maxSpan  = 24 * time.Hour
)

// sequenceToken is what PutLogEvents answers: AWS ignores tokens since 2023 and
// goes on to answer one.
const sequenceToken = "49039859631110293310000000000000000000000000000000000000"

func (s *Store) putEvents(_ context.Context, in *cwl.PutLogEventsInput) (*cwl.PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	out := &cwl.PutLogEventsOutput{NextSequenceToken: aws.String(sequenceToken)}
	return out, s.db.Update(func(tx *bolt.Tx) error {
		name := aws.ToString(in.LogGroupName)
		st, err := findStream(tx, name, aws.ToString(in.LogStreamName))
		if err != nil {
			return err
		}
		g, err := findGroup(tx, name)
		if err != nil {
			return err
		}
		var taken []event
		taken, out.RejectedLogEventsInfo = s.sift(in.LogEvents, g)
		return s.write(tx, name, st, taken)
	})
}

func checkBatch(events []types.InputLogEvent) error {
	size := 0
	for i, e := range events {
		n := len(*e.Message) + eventCost
		if n > maxBytes {
			return invalid("Log event too large: %d bytes exceeds limit of %d", n, maxBytes)
		}
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		size += n
	}
	if size > maxBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBytes)
	}
	if *events[len(events)-1].Timestamp-*events[0].Timestamp > maxSpan.Milliseconds() {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// sift takes the events whose time is right and says which are not.
func (s *Store) sift(events []types.InputLogEvent, g *group) ([]event, *types.RejectedLogEventsInfo) {
	now, oldest := s.now(), s.oldest(g)
	var taken []event
	var rejected types.RejectedLogEventsInfo
	for i, e := range events {
		switch t := *e.Timestamp; {
		case t < oldest:
			rejected.ExpiredLogEventEndIndex = aws.Int32(int32(i + 1))
		case t < now-maxAge.Milliseconds():
			rejected.TooOldLogEventEndIndex = aws.Int32(int32(i + 1))
		case t > now+maxAhead.Milliseconds():
			if rejected.TooNewLogEventStartIndex == nil {
				rejected.TooNewLogEventStartIndex = aws.Int32(int32(i))
			}
		default:
			taken = append(taken, event{at: position{hi: uint64(t)}, ingested: now, message: *e.Message})
		}
	}
	if rejected == (types.RejectedLogEventsInfo{}) {
		return taken, nil
	}
	return taken, &rejected
}
