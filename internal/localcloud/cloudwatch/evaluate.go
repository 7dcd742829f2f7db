package cloudwatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	bolt "go.etcd.io/bbolt"
)

// evaluateEvery is how often every alarm is evaluated. The periods it looks at begin
// at full minutes, those below a minute at multiples of this.
const evaluateEvery = 10 * time.Second

// watch evaluates alarms when their time comes, until ctx ends.
func (a *Alarms) watch(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Tick)
	defer tick.Stop()
	var swept time.Time
	for {
		now := a.cfg.Now()
		if err := a.evaluateAll(now); err != nil {
			a.cfg.Log.Error("alarms could not be evaluated", "error", err)
		}
		if now.Sub(swept) > time.Hour {
			swept = now
			if err := a.sweepHistory(now.Add(-keepHistory)); err != nil {
				a.cfg.Log.Error("sweeping the history of alarms", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.changed:
		}
	}
}

// evaluateSoon has an alarm evaluated out of turn.
func (a *Alarms) evaluateSoon(name string) {
	a.mu.Lock()
	delete(a.next, name)
	a.mu.Unlock()
	select {
	case a.changed <- struct{}{}:
	default: // it is known that something has changed
	}
}

// due tells whether it is an alarm's turn, and if so ends that.
func (a *Alarms) due(name string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.next[name]) {
		return false
	}
	a.next[name] = now.Truncate(evaluateEvery).Add(evaluateEvery)
	return true
}

func (a *Alarms) evaluateAll(now time.Time) error {
	list, err := a.all()
	if err != nil {
		return err
	}
	var errs []error
	for _, x := range list {
		if a.due(*x.AlarmName, now) {
			errs = append(errs, a.evaluate(x, now))
		}
	}
	return errors.Join(errs...)
}

// evaluate finds the state of an alarm and records it if it is another one.
func (a *Alarms) evaluate(x *alarm, now time.Time) error {
	samples, err := a.samples(&x.MetricAlarm, now)
	var next state
	if err != nil {
		next = state{types.StateValueInsufficientData, "Insufficient Data: " + err.Error(), ""}
	} else {
		v := judge(&x.MetricAlarm, samples)
		next = state{v.state, v.reason(&x.MetricAlarm), v.data(&x.MetricAlarm, samples, now)}
	}
	if next.value == "" || next.value == x.StateValue {
		return nil
	}
	err = a.change(*x.AlarmName, func(tx *bolt.Tx, y *alarm) error {
		if !y.AlarmConfigurationUpdatedTimestamp.Equal(*x.AlarmConfigurationUpdatedTimestamp) || y.StateValue != x.StateValue {
			return errOvertaken
		}
		return a.enter(tx, y, next, now)
	})
	if errors.Is(err, errOvertaken) || errors.Is(err, errNoAlarm) {
		return nil
	}
	return err
}

// errOvertaken says that an alarm changed while it was evaluated.
var errOvertaken = errors.New("the alarm has changed")

// samples reads an alarm's evaluation range, the newest period first.
func (a *Alarms) samples(x *types.MetricAlarm, now time.Time) ([]sample, error) {
	dims, err := dimensions("alarm", x.Dimensions)
	if err != nil {
		return nil, err
	}
	take, err := statisticOf(statisticName(x))
	if err != nil {
		return nil, err
	}
	period := time.Duration(*x.Period) * time.Second
	n := int(*x.EvaluationPeriods) + spare
	end := now.Truncate(min(period, time.Minute))
	if period < time.Minute {
		end = now.Truncate(evaluateEvery)
	}
	w := window{start: end.Add(-time.Duration(n) * period), end: end, period: period}
	points, _, err := a.metrics.query(aws.ToString(x.Namespace), aws.ToString(x.MetricName), dims, x.Unit, w)
	if err != nil {
		return nil, err
	}
	samples := make([]sample, n)
	for i := range samples {
		samples[i].at = w.start.Add(time.Duration(i) * period)
	}
	for _, p := range points {
		i := int(p.at.Sub(w.start) / period)
		samples[i].value, samples[i].known = take(&p.summary)
		samples[i].count = p.count
	}
	slices.Reverse(samples)
	return samples, nil
}
