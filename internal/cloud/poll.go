package cloud

import (
	"context"
	"sync"
	"time"
)

// look is a job as a listing shows it.
type look struct {
	status  string
	changed time.Time
	talking bool // may have reported new metrics, which only Describe shows
}

// lister finds jobs by name in one listing, newest first; those that it does
// not find are missing from the answer.
type lister func(ctx context.Context, names map[string]bool) (map[string]look, error)

// poller asks for all jobs that somebody waits for by one listing an interval.
// Its goroutine lives only while somebody waits.
type poller struct {
	every time.Duration
	list  lister

	mu      sync.Mutex
	waiters map[*waiter]bool
	stop    context.CancelFunc
}

// waiter gets the newest look at its job; an older one not yet taken is dropped.
type waiter struct {
	name string
	news chan news
}

type news struct {
	look
	err error
}

func newPoller(every time.Duration, list lister) *poller {
	return &poller{every: every, list: list, waiters: map[*waiter]bool{}}
}

// wait calls describe at once, and again whenever a listing shows a change,
// until it says that the job has ended. It calls alive at every listing.
func (p *poller) wait(ctx context.Context, name string, alive func(), describe func() (ended bool, err error)) error {
	w := p.join(name)
	defer p.leave(w)
	var last look
	for {
		if ended, err := describe(); ended || err != nil {
			return err
		}
		for same := true; same; {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case n := <-w.news:
				if n.err != nil {
					return n.err
				}
				alive()
				same = n.look == last && !n.talking
				last = n.look
			}
		}
	}
}

func (p *poller) join(name string) *waiter {
	w := &waiter{name, make(chan news, 1)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters[w] = true
	if len(p.waiters) == 1 {
		var ctx context.Context
		ctx, p.stop = context.WithCancel(context.Background())
		go p.run(ctx)
	}
	return w
}

func (p *poller) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiters, w)
	if len(p.waiters) == 0 {
		p.stop()
	}
}

func (p *poller) run(ctx context.Context) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			looks, err := p.list(ctx, p.names())
			p.tell(ctx, looks, err)
		}
	}
}

func (p *poller) names() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := map[string]bool{}
	for w := range p.waiters {
		names[w.name] = true
	}
	return names
}

// tell gives everybody the newest look. A poller that was stopped meanwhile
// says nothing: another one may be running.
func (p *poller) tell(ctx context.Context, looks map[string]look, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	for w := range p.waiters {
		select {
		case <-w.news:
		default:
		}
		w.news <- news{looks[w.name], err}
	}
}
