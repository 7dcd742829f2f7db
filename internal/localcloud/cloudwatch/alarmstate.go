package cloudwatch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/wire"
)

// state is what an alarm is in and why.
type state struct {
	value        types.StateValue
	reason, data string
}

// enter moves an alarm to a state. A change goes into the history and, unless its
// actions are disabled, to its topics.
func (a *Alarms) enter(tx *bolt.Tx, x *alarm, to state, now time.Time) error {
	old := *x
	now = now.UTC()
	x.StateValue, x.StateReason, x.StateUpdatedTimestamp = to.value, &to.reason, &now
	x.StateReasonData = nil
	if to.data != "" {
		x.StateReasonData = &to.data
	}
	if old.StateValue == to.value {
		return nil
	}
	x.StateTransitionedTimestamp = &now
	if err := recordState(tx, &old, x, now); err != nil {
		return err
	}
	if !*x.ActionsEnabled {
		return nil
	}
	actions := map[types.StateValue][]string{
		types.StateValueOk: x.OKActions, types.StateValueAlarm: x.AlarmActions, types.StateValueInsufficientData: x.InsufficientDataActions,
	}
	for _, do := range actions[to.value] {
		if err := a.owe(tx, x, do, old.StateValue, now); err != nil {
			return err
		}
	}
	return nil
}

// owe has an action done. What is no topic is another service's, which looks at the
// alarm itself.
func (a *Alarms) owe(tx *bolt.Tx, x *alarm, do string, old types.StateValue, now time.Time) error {
	if !isTopic(do) {
		return recordAction(tx, action{Alarm: *x.AlarmName, Topic: do}, nil, now)
	}
	body, err := json.Marshal(action{*x.AlarmName, do, a.subject(x), a.message(x, old)})
	if err != nil {
		return err
	}
	return a.actions.Put(tx, do, body)
}

// setState sets a state until the next evaluation finds another.
func (a *Alarms) setState(_ context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	to := state{in.StateValue, aws.ToString(in.StateReason), aws.ToString(in.StateReasonData)}
	switch {
	case to.value == "" || in.StateReason == nil:
		return nil, wrong("The parameters StateValue and StateReason are required.")
	case len(to.reason) > 1023 || len(to.data) > 4000:
		return nil, wrong("StateReason has %d characters and StateReasonData %d; at most 1023 and 4000 are allowed.", len(to.reason), len(to.data))
	case to.data != "" && !json.Valid([]byte(to.data)):
		return nil, wire.Errorf("InvalidFormat", "StateReasonData is not JSON.")
	}
	err := a.change(aws.ToString(in.AlarmName), func(tx *bolt.Tx, x *alarm) error { return a.enter(tx, x, to, a.cfg.Now()) })
	if errors.Is(err, errNoAlarm) {
		return nil, &wire.Error{Code: "ResourceNotFound", Message: "Alarm " + aws.ToString(in.AlarmName) + " does not exist", Status: 404}
	}
	return &cloudwatch.SetAlarmStateOutput{}, err
}

// action is a notification that an alarm owes to a topic.
type action struct{ Alarm, Topic, Subject, Message string }

// notify does an action and says in the history how that went. What a topic refuses
// is not tried again.
func (a *Alarms) notify(ctx context.Context, _ string, body []byte) error {
	var do action
	if err := json.Unmarshal(body, &do); err != nil {
		return err
	}
	failure := a.cfg.Topics.Publish(ctx, do.Topic, do.Subject, do.Message)
	if _, refused := errors.AsType[*wire.Error](failure); failure != nil && !refused {
		return failure
	}
	return a.db.Update(func(tx *bolt.Tx) error { return recordAction(tx, do, failure, a.cfg.Now().UTC()) })
}

func (a *Alarms) subject(x *alarm) string {
	return string(x.StateValue) + `: "` + *x.AlarmName + `" in ` + a.regionName()
}

func (a *Alarms) regionName() string { return cmp.Or(regions[a.cfg.Region], a.cfg.Region) }
