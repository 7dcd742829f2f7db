package logs

import (
	"context"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	bolt "go.etcd.io/bbolt"
)

// span is a stretch of time: from is in it, to is not.
type span struct{ from, to int64 }

// spanOf reads startTime and endTime; what the group keeps no longer is left out.
func (s *Store) spanOf(g *group, start, end *int64) (span, error) {
	in := span{max(aws.ToInt64(start), s.oldest(g)), math.MaxInt64}
	if end != nil {
		in.to = *end
	}
	if aws.ToInt64(start) < 0 || in.to < 0 {
		return in, invalid("startTime and endTime are milliseconds since 1970: they must not be negative")
	}
	if start != nil && end != nil && *start > *end {
		return in, invalid("startTime %d is after endTime %d", *start, *end)
	}
	return in, nil
}

// first is the position before all events of the span.
func (s span) first() position { return position{hi: uint64(s.from)} }

// last is the position after all of them.
func (s span) last() position { return position{hi: uint64(s.to)} }

func (s *Store) getEvents(_ context.Context, in *cwl.GetLogEventsInput) (*cwl.GetLogEventsOutput, error) {
	name, err := groupOf(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.Unmask {
		return nil, notOffered("unmask")
	}
	most := limit(in.Limit, maxEvents)
	forwards, at, given := aws.ToBool(in.StartFromHead), position{}, in.NextToken != nil
	if given {
		if at, forwards, err = parseToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	var found []event
	var within span
	err = s.db.View(func(tx *bolt.Tx) error {
		st, err := findStream(tx, name, aws.ToString(in.LogStreamName))
		if err != nil {
			return err
		}
		g, err := findGroup(tx, name)
		if err != nil {
			return err
		}
		if within, err = s.spanOf(g, in.StartTime, in.EndTime); err != nil {
			return err
		}
		if !given {
			at = within.last()
			if forwards {
				at = within.first()
			}
		}
		c := tx.Bucket(eventsBucket).Bucket(st.key()).Cursor()
		if forwards {
			found = ahead(c, at, within, most)
		} else {
			found = behind(c, at, within, most)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer(found, at, forwards, given, within), nil
}

// ahead reads the events after a position, in their order.
func ahead(c *bolt.Cursor, at position, within span, most int) []event {
	var found []event
	size := int64(0)
	at = maxPosition(at.next(), within.first())
	for k, v := c.Seek(at.key()); k != nil && len(found) < most; k, v = c.Next() {
		e := read(k, v)
		if size += e.cost(); e.time() >= within.to || size > maxBytes && len(found) > 0 {
			break
		}
		found = append(found, e)
	}
	return found
}

// behind reads the latest events before a position, in their order.
func behind(c *bolt.Cursor, at position, within span, most int) []event {
	var found []event
	size := int64(0)
	if compare(within.last(), at) < 0 {
		at = within.last()
	}
	back := c.Prev
	if k, _ := c.Seek(at.key()); k == nil {
		back = c.Last
	}
	for k, v := back(); k != nil && len(found) < most; k, v = c.Prev() {
		e := read(k, v)
		if size += e.cost(); e.time() < within.from || size > maxBytes && len(found) > 0 {
			break
		}
		found = append(found, e)
	}
	slices.Reverse(found)
	return found
}

func compare(a, b position) int { return slices.Compare([]uint64{a.hi, a.lo}, []uint64{b.hi, b.lo}) }

func maxPosition(a, b position) position {
	if compare(a, b) < 0 {
		return b
	}
	return a
}

// answer words the events found from a position. At the end of the stream the
// token of its direction is the one that was given, as on AWS: that is how
// clients know.
func answer(found []event, at position, forwards, given bool, within span) *cwl.GetLogEventsOutput {
	out := &cwl.GetLogEventsOutput{Events: []types.OutputLogEvent{}}
	for _, e := range found {
		out.Events = append(out.Events, types.OutputLogEvent{Message: aws.String(e.message), Timestamp: aws.Int64(e.time()), IngestionTime: aws.Int64(e.ingested)})
	}
	switch n := len(found); {
	case n > 0:
		out.NextForwardToken, out.NextBackwardToken = forward(found[n-1].at), backward(found[0].at)
	case forwards:
		out.NextForwardToken, out.NextBackwardToken = forward(at), backward(at.next())
	case !given: // nothing yet: what comes is ahead
		out.NextForwardToken, out.NextBackwardToken = forward(within.first()), backward(within.first())
	default:
		out.NextForwardToken, out.NextBackwardToken = forward(at.before()), backward(at)
	}
	return out
}

// before is the position just before p.
func (p position) before() position {
	if p.lo == 0 {
		p.hi--
	}
	p.lo--
	return p
}
