package cloudwatch

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"
)

// Look is what the service that owns an alarm sees of it.
type Look struct {
	State   types.StateValue
	Enabled bool // its actions
	// Value is the alarm's statistic of the last whole period, which began at At.
	// Known is false if that period has no data.
	Value float64
	At    time.Time
	Known bool
}

// PutOwned makes or changes an alarm of another service of this cloud. Its actions
// may name what is no topic: that service takes them itself, by looking at the
// alarm. It refuses with a [wire.Error] what PutMetricAlarm would.
func (a *Alarms) PutOwned(in *cloudwatch.PutMetricAlarmInput) error {
	if err := CheckAlarm(in); err != nil {
		return err
	}
	return a.keep(in)
}

// RemoveOwned deletes alarms; those that are not there are passed over.
func (a *Alarms) RemoveOwned(names ...string) error {
	now := a.cfg.Now().UTC()
	return a.db.Update(func(tx *bolt.Tx) error {
		for _, name := range names {
			if err := removeAlarm(tx, name, now); err != nil && !errors.Is(err, errNoAlarm) {
				return err
			}
		}
		return nil
	})
}

// Look sees an alarm now; false if there is none of the name.
func (a *Alarms) Look(name string) (l Look, found bool, err error) {
	x, err := a.get(name)
	if errors.Is(err, errNoAlarm) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	samples, err := a.samples(&x.MetricAlarm, a.cfg.Now())
	if err != nil {
		return l, true, fmt.Errorf("alarm %s: %w", name, err)
	}
	newest := samples[0]
	return Look{State: x.StateValue, Enabled: *x.ActionsEnabled, Value: newest.value, At: newest.at, Known: newest.known}, true, nil
}

func isTopic(action string) bool { return strings.HasPrefix(action, "arn:aws:sns:") }
