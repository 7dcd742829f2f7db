package cloudwatch

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"
)

// keepHistory is how long CloudWatch keeps what happened to alarms.
const keepHistory = 30 * 24 * time.Hour

// record adds to the history, in the order of time.
func record(tx *bolt.Tx, alarm string, kind types.HistoryItemType, now time.Time, summary string, data any) error {
	b := tx.Bucket(historyBucket)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	item, err := json.Marshal(types.AlarmHistoryItem{AlarmName: &alarm, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: kind,
		HistorySummary: &summary, HistoryData: aws.String(plainJSON(data)), Timestamp: &now})
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	return b.Put(binary.BigEndian.AppendUint64(key, n), item)
}

// recordConfiguration notes that an alarm was made (old is nil), changed or deleted
// (x is nil).
func recordConfiguration(tx *bolt.Tx, old, x *alarm, now time.Time) error {
	kind, verb, shown := "Update", "updated", x // as CloudWatch words it
	switch {
	case old == nil:
		kind, verb = "Create", "created"
	case x == nil:
		kind, verb, shown = "Delete", "deleted", old
	}
	data := map[string]any{"version": "1.0", "type": kind}
	if x != nil {
		data[verb+"Alarm"] = x.MetricAlarm
	}
	return record(tx, *shown.AlarmName, types.HistoryItemTypeConfigurationUpdate, now, fmt.Sprintf("Alarm %q %s", *shown.AlarmName, verb), data)
}

// historyState is a state in the data of a StateUpdate.
type historyState struct {
	Value  types.StateValue `json:"stateValue"`
	Reason string           `json:"stateReason"`
	Data   json.RawMessage  `json:"stateReasonData,omitempty"`
}

func historyStateOf(x *alarm) historyState {
	return historyState{x.StateValue, *x.StateReason, json.RawMessage(aws.ToString(x.StateReasonData))}
}

func recordState(tx *bolt.Tx, old, x *alarm, now time.Time) error {
	return record(tx, *x.AlarmName, types.HistoryItemTypeStateUpdate, now, fmt.Sprintf("Alarm updated from %s to %s", old.StateValue, x.StateValue), struct {
		Version string       `json:"version"`
		Old     historyState `json:"oldState"`
		New     historyState `json:"newState"`
	}{"1.0", historyStateOf(old), historyStateOf(x)})
}

func recordAction(tx *bolt.Tx, do action, failure error, now time.Time) error {
	state, summary := "Succeeded", "Successfully executed action "+do.Topic
	data := map[string]string{"actionState": state, "notificationResource": do.Topic}
	if failure != nil {
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", do.Topic, failure.Error())
		data["actionState"], data["error"] = "Failed", failure.Error()
	}
	return record(tx, do.Alarm, types.HistoryItemTypeAction, now, summary, data)
}

func (a *Alarms) describeHistory(_ context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	if in.AlarmContributorId != nil {
		return nil, wrong("AlarmContributorId is not supported by the local cloud: leave it out")
	}
	limit, err := records(in.MaxRecords)
	if err != nil {
		return nil, err
	}
	skip, err := offset(aws.ToString(in.NextToken))
	if err != nil {
		return nil, err
	}
	items, err := a.history(in)
	if err != nil {
		return nil, err
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(items)
	}
	from, to := min(skip, len(items)), min(skip+limit, len(items))
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: orEmpty(items[from:to])}
	if to < len(items) {
		out.NextToken = aws.String(strconv.Itoa(to))
	}
	return out, nil
}

// history gives what a request asks for, the oldest first.
func (a *Alarms) history(in *cloudwatch.DescribeAlarmHistoryInput) ([]types.AlarmHistoryItem, error) {
	var items []types.AlarmHistoryItem
	if len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		return items, nil
	}
	err := a.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(historyBucket).ForEach(func(k, v []byte) error {
			var item types.AlarmHistoryItem
			if err := json.Unmarshal(v, &item); err != nil {
				return fmt.Errorf("item %x of the history of alarms is damaged: %w", k, err)
			}
			if (in.AlarmName == nil || *in.AlarmName == *item.AlarmName) && (in.HistoryItemType == "" || in.HistoryItemType == item.HistoryItemType) &&
				(in.StartDate == nil || !item.Timestamp.Before(*in.StartDate)) && (in.EndDate == nil || item.Timestamp.Before(*in.EndDate)) {
				items = append(items, item)
			}
			return nil
		})
	})
	return items, err
}

// sweepHistory forgets what happened before a time.
func (a *Alarms) sweepHistory(before time.Time) error {
	end := binary.BigEndian.AppendUint64(nil, uint64(before.UnixNano()))
	return a.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(historyBucket)
		for k, _ := b.Cursor().First(); k != nil && bytes.Compare(k, end) < 0; k, _ = b.Cursor().First() {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}
