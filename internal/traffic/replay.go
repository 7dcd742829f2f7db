package traffic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"golang.org/x/time/rate"

	"steward/internal/cloud"
	"steward/internal/lifecycle"
)

// maxInFlight bounds the requests that wait for an answer. An endpoint that
// cannot keep up lowers the rate, and the progress shows it.
const maxInFlight = 256

// Replay is one run of traffic.
type Replay struct {
	Rows      *Rows
	Endpoint  string
	Rate      float64       // requests a second
	Limit     int           // of requests; 0 sends every row once
	Duration  time.Duration // 0 for no end but Limit
	MayFail   float64       // largest share of the requests that may fail
	Truth     *Truth        // nil delivers nothing
	Endpoints *cloud.Endpoints
	Objects   *cloud.Objects
	Report    func(Progress) // called once a second and at the end; may be nil
}

// ErrRows is returned when the rows run out before Duration is over.
var ErrRows = errors.New("there are no more rows to send")

// ErrFailed is returned when more requests failed than may, as soon as that is
// certain: the rest of the traffic would only be more of the same.
var ErrFailed = errors.New("too many requests failed")

// errTruth ends sending because truth could not be written; its delivery says why.
var errTruth = errors.New("ground truth is lost")

// Run sends rows, each once, until the limit, the duration or the end of ctx;
// then it delivers the ground truth that is still due, as the delay says, or at
// once if ctx has ended. Three things end it early: ground truth that cannot be
// written, since the rest of the traffic would never be judged; an endpoint that
// does not exist; and more failures than may be. It returns what was counted,
// even with an error.
func (r *Replay) Run(ctx context.Context) (Progress, error) {
	meter := newMeter()
	stopReports := r.reportEverySecond(meter)
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var truth *delivery
	if r.Truth != nil {
		truth = r.Truth.start(ctx, func() { stop(errTruth) }, r.Rows, r.Objects, meter)
	}
	all, err := r.send(ctx, sending, meter, stop, truth)
	err = errors.Join(err, r.verdict(ctx, sending, meter.counts()))
	if truth != nil {
		err = errors.Join(err, truth.finish())
	}
	if err == nil && all && r.Duration > 0 {
		err = ErrRows
	}
	stopReports()
	if r.Report != nil {
		r.Report(meter.progress())
	}
	return meter.progress(), err
}

// verdict is why the traffic was in vain, or nil: what ended sending early or, if
// nothing did, too many failures.
func (r *Replay) verdict(ctx, sending context.Context, p Progress) error {
	switch cause := context.Cause(sending); {
	case ctx.Err() == nil && errors.Is(cause, errTruth):
		return nil
	case ctx.Err() == nil && cause != nil:
		return cause
	case p.FailedShare() > r.MayFail:
		return r.tooMany(p)
	}
	return nil
}

// limit is how many requests are sent at most.
func (r *Replay) limit() int {
	if r.Limit > 0 {
		return min(r.Rows.Len(), r.Limit)
	}
	return r.Rows.Len()
}

// planned is how many requests there will be when nothing ends them early.
func (r *Replay) planned() float64 {
	planned := float64(r.limit())
	if r.Duration > 0 {
		planned = min(planned, 1+r.Rate*r.Duration.Seconds())
	}
	return planned
}

func (r *Replay) tooMany(p Progress) error {
	return fmt.Errorf("%w: %d of %d, and the share %g may: %s", ErrFailed, p.Failed, p.Sent, r.MayFail, p.LastError)
}

// send sends until the end of sending, and returns when every request was
// answered or, at the end of ctx, given up. It calls stop when going on is in
// vain, and tells whether it has sent all the rows there are.
func (r *Replay) send(ctx, sending context.Context, meter *meter, stop context.CancelCauseFunc, truth *delivery) (all bool, err error) {
	limit := r.limit()
	until := sending
	if r.Duration > 0 {
		var cancel context.CancelFunc
		until, cancel = context.WithTimeout(sending, r.Duration)
		defer cancel()
	}
	pace := rate.NewLimiter(rate.Limit(r.Rate), 1)
	slots := make(chan struct{}, maxInFlight)
	var flying sync.WaitGroup
	defer flying.Wait()
	for i := range limit {
		if pace.Wait(until) != nil { // the time is over, or will be before the next
			return false, nil
		}
		id, body, err := r.Rows.Request(i)
		if err != nil {
			return false, err
		}
		slots <- struct{}{}
		flying.Go(func() {
			defer func() { <-slots }()
			switch err := r.ask(ctx, id, body, meter); {
			case err == nil && truth != nil:
				truth.add(i, id)
			case errors.Is(err, cloud.ErrNotFound):
				stop(fmt.Errorf("%s: it %w", lifecycle.ProblemOf(err).Message, cloud.ErrNotFound))
			case err != nil:
				if p := meter.counts(); float64(p.Failed) > r.MayFail*r.planned() {
					stop(r.tooMany(p))
				}
			}
		})
	}
	return limit == r.Rows.Len(), nil
}

// ask sends one request, without retries: an error is an error.
func (r *Replay) ask(ctx context.Context, id string, body []byte, meter *meter) error {
	begin := time.Now()
	_, err := r.Endpoints.Invoke(ctx, r.Endpoint, "", id, body,
		func(o *sagemakerruntime.Options) { o.RetryMaxAttempts = 1 })
	if err != nil && ctx.Err() != nil {
		return err // it was given up, not refused
	}
	meter.answered(time.Since(begin), err)
	return err
}

// reportEverySecond returns what ends the reports.
func (r *Replay) reportEverySecond(meter *meter) (stop func()) {
	if r.Report == nil {
		return func() {}
	}
	done := make(chan struct{})
	var reports sync.WaitGroup
	reports.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				r.Report(meter.progress())
			}
		}
	})
	return func() {
		close(done)
		reports.Wait()
	}
}
