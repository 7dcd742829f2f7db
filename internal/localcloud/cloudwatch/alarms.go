package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/outbox"
	"steward/internal/localcloud/wire"
)

// Topics takes what alarms have to say. A *[wire.Error] means that another attempt
// is of no use.
type Topics interface {
	Publish(ctx context.Context, topicARN, subject, message string) error
}

// AlarmsConfig says what alarms work with.
type AlarmsConfig struct {
	Region, Account string
	Topics          Topics           // without, alarms have no actions
	Now             func() time.Time // the clock, time.Now if nil
	Tick            time.Duration    // how often the clock is looked at (1 s)
	Log             *slog.Logger
}

// Alarms watches the metrics of a store: each alarm compares a statistic with its
// threshold, and changes of state are notified to topics.
type Alarms struct {
	cfg     AlarmsConfig
	metrics *Store
	db      *bolt.DB
	actions *outbox.Queue

	changed chan struct{} // an alarm was put
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	next map[string]time.Time // evaluation of each alarm
}

var (
	alarmBucket   = []byte("alarms")
	historyBucket = []byte("alarm-history")
)

// alarm is the record of an alarm.
type alarm struct {
	types.MetricAlarm
	Tags map[string]string
}

// NewAlarms takes up the alarms of a store. They are to be closed before it.
func NewAlarms(metrics *Store, cfg AlarmsConfig) (*Alarms, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Tick <= 0 {
		cfg.Tick = time.Second
	}
	a := &Alarms{cfg: cfg, metrics: metrics, db: metrics.db, changed: make(chan struct{}, 1), next: map[string]time.Time{}}
	err := a.db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(alarmBucket)
		if err == nil {
			_, err = tx.CreateBucketIfNotExists(historyBucket)
		}
		return err
	})
	if err == nil {
		a.actions, err = outbox.Open(outbox.Config{DB: a.db, Bucket: "alarm-actions", Send: a.notify, Log: cfg.Log})
	}
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.running.Go(func() { a.actions.Run(ctx) })
	a.running.Go(func() { a.watch(ctx) })
	return a, nil
}

// Close ends the evaluation. Actions that were not done are kept.
func (a *Alarms) Close() error {
	a.cancel()
	a.running.Wait()
	return nil
}

// Operations are the operations on alarms.
func (a *Alarms) Operations() wire.Operations {
	return wire.Operations{
		"PutMetricAlarm":          wire.Op(a.put),
		"DescribeAlarms":          wire.Op(a.describe),
		"DescribeAlarmsForMetric": wire.Op(a.describeForMetric),
		"DescribeAlarmHistory":    wire.Op(a.describeHistory),
		"DeleteAlarms":            wire.Op(a.remove),
		"SetAlarmState":           wire.Op(a.setState),
		"EnableAlarmActions":      wire.Op(a.enable),
		"DisableAlarmActions":     wire.Op(a.disable),
		"TagResource":             wire.Op(a.tag),
		"UntagResource":           wire.Op(a.untag),
		"ListTagsForResource":     wire.Op(a.listTags),
	}
}

// AlarmState is the present state of an alarm; false if there is none of the name.
func (a *Alarms) AlarmState(name string) (types.StateValue, bool) {
	x, err := a.get(name)
	if err != nil {
		return "", false
	}
	return x.StateValue, true
}

var errNoAlarm = errors.New("no such alarm")

// get reads an alarm, or answers errNoAlarm.
func (a *Alarms) get(name string) (x *alarm, err error) {
	err = a.db.View(func(tx *bolt.Tx) (err error) {
		x, err = readAlarm(tx, name)
		return err
	})
	return x, err
}

func readAlarm(tx *bolt.Tx, name string) (*alarm, error) {
	data := tx.Bucket(alarmBucket).Get([]byte(name))
	if data == nil {
		return nil, errNoAlarm
	}
	return parseAlarm(name, data)
}

func parseAlarm(name string, data []byte) (*alarm, error) {
	x := new(alarm)
	if err := json.Unmarshal(data, x); err != nil {
		return nil, fmt.Errorf("the record of alarm %s is damaged: %w", name, err)
	}
	return x, nil
}

func writeAlarm(tx *bolt.Tx, x *alarm) error {
	data, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return tx.Bucket(alarmBucket).Put([]byte(*x.AlarmName), data)
}

// change edits an alarm in one transaction, or answers errNoAlarm.
func (a *Alarms) change(name string, edit func(tx *bolt.Tx, x *alarm) error) error {
	return a.db.Update(func(tx *bolt.Tx) error {
		x, err := readAlarm(tx, name)
		if err != nil {
			return err
		}
		if err := edit(tx, x); err != nil {
			return err
		}
		return writeAlarm(tx, x)
	})
}

// all gives the alarms by name.
func (a *Alarms) all() ([]*alarm, error) {
	var list []*alarm
	err := a.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(alarmBucket).ForEach(func(k, v []byte) error {
			x, err := parseAlarm(string(k), v)
			list = append(list, x)
			return err
		})
	})
	return list, err
}

func (a *Alarms) arn(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", a.cfg.Region, a.cfg.Account, name)
}
