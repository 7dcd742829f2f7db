package traffic

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"golang.org/x/time/rate"

	"steward/internal/cloud"
)

// maxInFlight bounds the requests that wait for an answer. An endpoint that
// cannot keep up lowers the rate, and the progress shows it.
const maxInFlight = 256

// Replay is one run of traffic.
type Replay struct {
	Rows     *Rows
	Endpoint string
	Rate     float64       // requests a second
	Limit    int           // of requests; 0 sends every row once
	Duration time.Duration // 0 for no end but Limit
	Truth    *Truth        // nil delivers nothing
	Runtime  *sagemakerruntime.Client
	Objects  *cloud.Objects
	Report   func(Progress) // called once a second and at the end; may be nil
}

// ErrRows is returned when the rows run out before Duration is over.
var ErrRows = errors.New("there are no more rows to send")

// Run sends rows, each once, until the limit, the duration or the end of ctx;
// then it delivers the ground truth that is still due, as the delay says, or at
// once if ctx has ended. Ground truth that cannot be written ends it early: the
// rest of the traffic would never be judged. It returns what was counted, even
// with an error.
func (r *Replay) Run(ctx context.Context) (Progress, error) {
	meter := newMeter()
	stopReports := r.reportEverySecond(meter)
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var truth *delivery
	if r.Truth != nil {
		truth = r.Truth.start(ctx, stop, r.Rows, r.Objects, meter)
	}
	err := r.send(ctx, sending, meter, truth)
	if truth != nil {
		err = errors.Join(err, truth.finish())
	}
	stopReports()
	if r.Report != nil {
		r.Report(meter.progress())
	}
	return meter.progress(), err
}

// send sends until the end of sending, and returns when every request was
// answered or, at the end of ctx, given up.
func (r *Replay) send(ctx, sending context.Context, meter *meter, truth *delivery) error {
	limit := r.Rows.Len()
	if r.Limit > 0 {
		limit = min(limit, r.Limit)
	}
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
			return nil
		}
		id, body, err := r.Rows.Request(i)
		if err != nil {
			return err
		}
		slots <- struct{}{}
		flying.Go(func() {
			defer func() { <-slots }()
			if r.ask(ctx, id, body, meter) && truth != nil {
				truth.add(i, id)
			}
		})
	}
	if r.Duration > 0 && limit == r.Rows.Len() {
		return ErrRows
	}
	return nil
}

// ask sends one request, without retries: an error is an error.
func (r *Replay) ask(ctx context.Context, id string, body []byte, meter *meter) bool {
	begin := time.Now()
	_, err := r.Runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: &r.Endpoint, InferenceId: &id, Body: body,
		ContentType: aws.String("text/csv"), Accept: aws.String("text/csv"),
	}, func(o *sagemakerruntime.Options) { o.RetryMaxAttempts = 1 })
	if err != nil && ctx.Err() != nil {
		return false // it was given up, not refused
	}
	meter.answered(time.Since(begin), err)
	return err == nil
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
