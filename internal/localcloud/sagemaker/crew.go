package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"steward/internal/localcloud/process"
)

// errStartOver says that a job's run has ended, but not the job: it starts over.
var errStartOver = errors.New("starts over")

// crew are the containers of one job, one on each of its hosts, in their order.
type crew []*process.Run

// startCrew starts them all, or none.
func startCrew(specs []process.Spec) (crew, error) {
	var c crew
	for _, spec := range specs {
		run, err := process.Start(spec)
		if err != nil {
			return nil, errors.Join(err, c.dismiss())
		}
		c = append(c, run)
	}
	return c, nil
}

// attachCrew finds the containers that an earlier service started. It fails with
// process.ErrNeverStarted when there are none; when there are some, and not all
// that there should be, it ends those and fails with errStartOver.
func attachCrew(dirs []string) (crew, error) {
	var c crew
	for _, dir := range dirs {
		run, err := process.Attach(dir)
		if err != nil && !errors.Is(err, process.ErrNeverStarted) {
			return nil, err
		}
		if err == nil {
			c = append(c, run)
		}
	}
	switch len(c) {
	case len(dirs):
		return c, nil
	case 0:
		return nil, fmt.Errorf("containers: %w", process.ErrNeverStarted)
	}
	return nil, errors.Join(errStartOver, c.dismiss())
}

// dismiss ends all and waits for it.
func (c crew) dismiss() error {
	err := c.each((*process.Run).Interrupt)
	for _, run := range c {
		<-run.Done()
	}
	return err
}

func (c crew) each(do func(*process.Run) error) error {
	var errs []error
	for _, run := range c {
		errs = append(errs, do(run))
	}
	return errors.Join(errs...)
}

// order is why a crew was told to end; empty when it ended by itself.
type order string

const (
	orderStop order = "stop" // by the user
	orderSpot order = "spot" // its instances are taken away
	orderLate order = "late" // it has waited and run for too long
	orderData order = "data" // its input cannot be read
)

// orders are where orders come from, and how one is recorded before it is
// carried out. A nil channel never gives one.
type orders struct {
	stop, spot, data <-chan struct{}
	late             <-chan time.Time
	record           func(order) error
}

// await returns when all have ended, with the order that ended them. When one
// fails the others are stopped. When ctx ends, all are interrupted and the error
// is errStartOver.
func (c crew) await(ctx context.Context, from orders) (told order, err error) {
	ended := make(chan *process.Run, len(c))
	for _, run := range c {
		go func() {
			<-run.Done()
			ended <- run
		}()
	}
	end := func(why order) error {
		told, from.stop, from.spot, from.data, from.late = why, nil, nil, nil, nil
		return errors.Join(from.record(why), c.each((*process.Run).Stop))
	}
	for left := len(c); left > 0 && err == nil; {
		select {
		case run := <-ended:
			left--
			if exit, lost := run.Exit(); told == "" && (lost != nil || !exit.OK()) {
				err = c.each((*process.Run).Stop)
			}
		case <-from.stop:
			err = end(orderStop)
		case <-from.spot:
			err = end(orderSpot)
		case <-from.data:
			err = end(orderData)
		case <-from.late:
			err = end(orderLate)
		case <-ctx.Done():
			return told, errors.Join(errStartOver, c.dismiss())
		}
	}
	return told, err
}

// culprit is the host that decides how the crew's end is judged: the first that
// failed by itself, else the first that did not end well, else the first.
func (c crew) culprit() (host int, exit process.Exit, err error) {
	worst := 0
	for i, run := range c {
		e, lost := run.Exit()
		bad := 0
		switch {
		case lost != nil || !e.OK() && (e.Cause == process.Exited || e.Cause == process.TimedOut):
			bad = 2
		case !e.OK():
			bad = 1
		}
		if i == 0 || bad > worst {
			worst, host, exit, err = bad, i, e, lost
		}
	}
	return host, exit, err
}
